//! Reading comparisons from CSV and JSON lines.
//!
//! Columns are mapped by [`Columns`] and guessed where they bear usual names. A file with a model, a task and a score per
//! row is turned into comparisons (see [`super::scores`]).

mod build;
mod columns;
mod csv;
mod json;
mod outcomes;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use guerdon_core::MethodError;

pub use columns::{Columns, Shape};

use super::Comparisons;
use super::scores::ScoreTable;
use build::{Rows, Table};

/// The fields of one row.
trait Fields {
    /// The text of a column, or what is wrong with it.
    fn field(&self, at: usize) -> Result<&[u8], String>;

    /// Whether the column says explicitly that there is no value.
    fn is_null(&self, _at: usize) -> bool {
        false
    }
}

/// Bytes read at a time.
const CHUNK: usize = 1 << 18;

/// What a file held.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// Comparisons.
    Comparisons(Comparisons),
    /// Scores of models on tasks.
    Scores(ScoreTable),
}

impl Data {
    /// The comparisons; scores are compared task by task, equal ones (up to `margin`) being ties.
    pub fn into_comparisons(self, margin: f64) -> Result<Comparisons, MethodError> {
        match self {
            Self::Comparisons(all) => Ok(all),
            Self::Scores(table) => table.comparisons(margin),
        }
    }
}

/// Reads a file: JSON lines when it starts with `{`, CSV (with comma, semicolon, tab or bar) otherwise.
pub fn file(path: &Path, columns: &Columns) -> Result<Data, MethodError> {
    let open = File::open(path)
        .map_err(|error| MethodError::domain(format!("{}: {error}", path.display())))?;
    reader(open, columns).map_err(|error| match error {
        MethodError::Domain(message) => {
            MethodError::Domain(format!("{}: {message}", path.display()))
        }
        other => other,
    })
}

/// Reads from anything that can be read, guessing the format as [`file()`] does.
pub fn reader(from: impl Read, columns: &Columns) -> Result<Data, MethodError> {
    let mut buffered = BufReader::with_capacity(CHUNK, from);
    let start = buffered.fill_buf().map_err(|error| io(&error))?;
    check_encoding(start)?;
    let mark = usize::from(start.starts_with(b"\xef\xbb\xbf")) * 3;
    buffered.consume(mark);
    let start = buffered.fill_buf().map_err(|error| io(&error))?;
    match start.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => Err(MethodError::domain("there is nothing in it")),
        Some(b'{') => json_lines(buffered, columns),
        Some(_) => csv(buffered, columns),
    }
}

/// Reads CSV with a header line.
pub fn csv(from: impl Read, columns: &Columns) -> Result<Data, MethodError> {
    let mut scanner = csv::Scanner::new(from);
    let header = scanner.header()?;
    match columns.shape(&header)? {
        Shape::Rows(places) => {
            let mut rows = Rows::new(columns, &places);
            scanner.each(places.most(), |line, fields| rows.push(line, fields))?;
            rows.finish().map(Data::Comparisons)
        }
        Shape::Scores(places) => {
            let mut table = Table::default();
            scanner.each(places.most(), |line, fields| table.push(line, &places, fields))?;
            table.finish().map(Data::Scores)
        }
    }
}

/// Reads one JSON object per line. The keys of the first object say what the columns are.
pub fn json_lines(from: impl BufRead, columns: &Columns) -> Result<Data, MethodError> {
    let mut lines = json::Lines::new(from);
    let Some(keys) = lines.keys()? else {
        return Err(MethodError::domain("there is nothing in it"));
    };
    match columns.shape(&keys)? {
        Shape::Rows(places) => {
            let mut rows = Rows::new(columns, &places);
            lines.each(&keys, |line, fields| rows.push(line, fields))?;
            rows.finish().map(Data::Comparisons)
        }
        Shape::Scores(places) => {
            let mut table = Table::default();
            lines.each(&keys, |line, fields| table.push(line, &places, fields))?;
            table.finish().map(Data::Scores)
        }
    }
}

fn check_encoding(start: &[u8]) -> Result<(), MethodError> {
    let wide = start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff");
    if wide || (start.len() > 1 && start[..start.len().min(64)].contains(&0)) {
        return Err(MethodError::domain(
            "it looks like UTF-16, not UTF-8: convert it, for example with `iconv -f utf-16 -t utf-8`",
        ));
    }
    Ok(())
}

fn io(error: &std::io::Error) -> MethodError {
    MethodError::domain(format!("reading failed: {error}"))
}

/// Puts the line before the message.
fn at_line(line: u64, message: impl std::fmt::Display) -> MethodError {
    MethodError::domain(format!("line {line}: {message}"))
}

#[cfg(test)]
mod tests {
    use super::{Columns, Data, reader};
    use crate::{Comparisons, Outcome};

    #[test]
    fn rows_that_were_not_judged_are_left_out_and_counted() {
        let row = |winner: &str| {
            format!("{{\"model_a\": \"x\", \"model_b\": \"y\", \"winner\": {winner}}}\n")
        };
        let all = read([row("\"model_a\""), row("null"), row("\"tie\"")].concat()).unwrap();
        assert_eq!(all.outcome(), [Outcome::First, Outcome::Tie]);
        assert!(all.warnings()[0].contains("1 rows without an outcome"), "{:?}", all.warnings());
        refused([row("\"model_a\""), row("[]")].concat(), "not a plain value");
        refused(row("null"), "no row has an outcome");
    }

    fn read(text: impl AsRef<[u8]>) -> Result<Comparisons, String> {
        read_with(text, &Columns::default())
    }

    fn read_with(text: impl AsRef<[u8]>, columns: &Columns) -> Result<Comparisons, String> {
        let data = reader(text.as_ref(), columns).and_then(|data| data.into_comparisons(0.0));
        data.map_err(|error| error.to_string())
    }

    fn check(text: impl AsRef<[u8]>, names: &[&str], outcomes: &[Outcome]) {
        let all = read(text).unwrap();
        assert_eq!(
            (all.names(), all.outcome()),
            (names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>().as_slice(), outcomes)
        );
    }

    fn refused(text: impl AsRef<[u8]>, says: &str) {
        let message = read(text).unwrap_err();
        assert!(message.contains(says), "{message}");
    }

    use Outcome::{First, Second, Tie};

    #[test]
    fn usual_shapes_are_guessed() {
        check(
            "model_a,model_b,winner\nx,y,model_a\ny,x,tie (bothbad)\n",
            &["x", "y"],
            &[First, Tie],
        );
        check("id,left,right,winner\n1,x,y,right\n", &["x", "y"], &[Second]);
        check("x,y,winner\na,b,1\na,b,2\na,b,0\n", &["a", "b"], &[First, Second, Tie]);
        check(
            "player1;player2;result\na;b;1\nb;a;0.5\na;b;0\n",
            &["a", "b"],
            &[First, Tie, Second],
        );
        check("A\tB\twinner\nfoo\tbar\tbar\nfoo\tbar\tfoo\n", &["foo", "bar"], &[Second, First]);
        check("winner,loser\na,b\nb,c\n", &["a", "b", "c"], &[First, First]);
        check(
            "first,second,verdict\na,b,A>>B\na,b,A=B\na,b,B>A\n",
            &["a", "b"],
            &[First, Tie, Second],
        );
        check(
            "{\"model_a\": \"x\", \"model_b\": \"y\", \"winner\": \"model_b\", \"turn\": {\"k\": [1]}}\n",
            &["x", "y"],
            &[Second],
        );
        check(
            "{\"left\": \"x\", \"right\": 7, \"winner\": 1}\n\n{\"winner\": 2, \"left\": \"x\", \"right\": 7}\n",
            &["x", "7"],
            &[First, Second],
        );
    }

    #[test]
    fn quotes_marks_and_line_ends_are_read() {
        check(
            "\u{feff}left,right,winner\r\n\"a, \"\"b\"\"\",c,left\r\n",
            &["a, \"b\"", "c"],
            &[First],
        );
        check("left,right,winner\n\"two\nlines\",c,left", &["two\nlines", "c"], &[First]);
        check("left,right,winner\n\n\na,b,left\n\n", &["a", "b"], &[First]);
    }

    #[test]
    fn bad_input_says_where_and_what() {
        refused("", "nothing in it");
        refused(" \n\n", "nothing in it");
        refused("left,right,winner\n", "no rows");
        refused("foo,bar,baz\n1,2,3\n", "which columns hold the two contestants");
        refused("left,right,what\na,b,left\n", "which column holds the winner");
        refused("left,right,winner\na,b,left\na,b\n", "line 3: it has 2 fields");
        refused("left,right,winner\na,b,left\na,b,maybe\n", "line 3: the outcome `maybe`");
        refused("left,right,winner\na,b,\n", "line 2: the outcome ``");
        refused("left,right,winner\n,b,left\n", "line 2: a contestant has no name");
        refused("x,y,winner\na,b,0\na,b,1\n", "either way");
        refused("left,right,winner\n\"a,b,left\n", "quote");
        refused("left,right,winner,weight\na,b,left,-1\n", "line 2: the weight `-1`");
        refused("left,right,winner,weight\na,b,left,nan\n", "line 2: the weight `nan`");
        refused(b"left,right,winner\ncaf\xe9,b,left\n", "line 2: the name");
        refused(b"\xff\xfel\0e\0f\0t\0", "UTF-16");
        refused("{\"left\": \"a\"}\nnot json\n", "which columns");
        refused("{\"left\": \"a\", \"right\": \"b\", \"winner\": \"left\"}\nnot json\n", "line 2");
        refused(
            "{\"left\": \"a\", \"right\": \"b\", \"winner\": \"left\"}\n{\"left\": \"a\"}\n",
            "line 2: `right` is missing",
        );
    }

    #[test]
    fn columns_can_be_named() {
        let columns = Columns {
            first: Some("p".into()),
            second: Some("q".into()),
            winner: Some("who".into()),
            first_wins: vec!["yes".into()],
            second_wins: vec!["no".into()],
            tie: vec!["eh".into()],
            weight: Some("w".into()),
            cluster: Some("who".into()),
            styles: vec![("length".into(), "la".into(), "lb".into())],
            skip_unknown: true,
        };
        let text = "p,q,who,w,la,lb\na,b,yes,2,10,20\na,b,eh,1,1,2\na,b,?,1,3,3\na,b,No,0.5,3,4\n";
        let all = read_with(text, &columns).unwrap();
        assert_eq!(all.outcome(), [First, Tie, Second]);
        assert_eq!(all.weight(), Some([2.0, 1.0, 0.5].as_slice()));
        assert_eq!(all.cluster(), Some([0, 1, 3].as_slice()));
        assert_eq!(all.styles()[0].second, [20.0, 2.0, 4.0]);
        assert!(all.warnings()[0].contains("1 rows with an unknown outcome"));
        let wrong = Columns { first: Some("modle".into()), ..Columns::default() };
        assert!(
            read_with("model,b,winner\n", &wrong).unwrap_err().contains("did you mean `model`?")
        );
    }

    #[test]
    fn self_matches_take_their_columns_with_them() {
        let all = read("left,right,winner,weight\na,b,left,1\na,a,tie,5\nb,a,left,2\n").unwrap();
        assert_eq!(all.weight(), Some([1.0, 2.0].as_slice()));
        assert!(all.warnings()[0].contains("meets itself"));
    }

    #[test]
    fn contradictory_duplicates_are_comparisons_like_any_other() {
        let all = read("left,right,winner\na,b,left\na,b,right\n").unwrap();
        assert_eq!(all.counts().cells()[0].points_a(), 1.0);
    }

    #[test]
    fn scores_become_comparisons() {
        let text = "model,question_id,score\na,1,8\nb,1,7\nc,1,8\na,2,1\nb,2,2\n";
        let data = reader(text.as_bytes(), &Columns::default()).unwrap();
        assert!(matches!(&data, Data::Scores(table) if table.models().len() == 3));
        let all = data.into_comparisons(0.0).unwrap();
        assert_eq!(all.outcome(), [First, Tie, Second, Second]);
        refused("model,task,score\na,t,x\n", "line 2: the score `x`");
    }
}
