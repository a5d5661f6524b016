//! One line of text to the columns of a row.

use serde_json::error::Category;
use serde_json::{Map, Value};

use crate::error::Problem;
use crate::value;

/// Reads a line. Of several equal keys in an object the last counts, as in Python and JavaScript.
pub(crate) fn columns(line: &[u8]) -> Result<Map<String, Value>, Problem> {
    let text = std::str::from_utf8(line)
        .map_err(|error| Problem::Utf8 { byte: error.valid_up_to() + 1 })?;
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(other) => Err(Problem::NotObject { found: value::describe(&other) }),
        Err(error) => Err(explain(line, &error)),
    }
}

fn explain(line: &[u8], error: &serde_json::Error) -> Problem {
    let byte = error.column().max(1);
    if let Some((start, literal)) = not_finite(line, byte) {
        return Problem::NotFinite { byte: Some(start + 1), literal };
    }
    let full = error.to_string();
    let message = full.split(" at line ").next().unwrap_or(&full).to_owned();
    match error.classify() {
        Category::Eof => {
            Problem::Json { byte, message: format!("{message}: the row must stand on one line") }
        }
        _ => Problem::Json { byte, message },
    }
}

/// The literal of a number without a finite value that contains byte `byte` (from 1) of the line, and where it starts.
fn not_finite(line: &[u8], byte: usize) -> Option<(usize, String)> {
    let part = |b: &u8| b.is_ascii_alphabetic() || *b == b'-';
    let at = byte.min(line.len()).checked_sub(1)?;
    let start = line[..at].iter().rposition(|b| !part(b)).map_or(0, |before| before + 1);
    let length = line[start..].iter().position(|b| !part(b)).unwrap_or(line.len() - start);
    let literal = std::str::from_utf8(&line[start..start + length]).ok()?;
    let known = ["nan", "-nan", "inf", "-inf", "infinity", "-infinity"];
    known.contains(&literal.to_ascii_lowercase().as_str()).then(|| (start, literal.to_owned()))
}
