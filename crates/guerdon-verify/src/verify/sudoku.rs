//! Sudoku: 1 if the completion's grid keeps the clues and every row, column and box holds each digit once, 0 if not.
//!
//! # Formula
//!
//! ```text
//! score = 1 if grid[i] = puzzle[i] wherever puzzle[i] is a clue, and all rows, columns and boxes are permutations, else 0
//! ```
//!
//! The puzzle is a text of 16 or 81 cells, digits and `0` or `.` for empty ones; white space and `|-+` are skipped. The
//! completion's grid is the last run of as many digits, in its last `<answer>` tag or in the whole text, read the same way.
//!
//! # When to use it
//!
//! For puzzles checked without a reference: any valid completion of the clues is right.
//!
//! # Departures
//!
//! None; puzzles with several solutions accept each of them.
//!
//! # Example
//!
//! ```yaml
//! use: verify.sudoku
//! puzzle: clues
//! ```
//!
//! ```
//! use guerdon_verify::verify::sudoku::solves;
//! let puzzle = [1, 0, 0, 4, 0, 4, 0, 0, 0, 0, 4, 0, 4, 0, 0, 1];
//! assert!(solves(&puzzle, &[1, 2, 3, 4, 3, 4, 1, 2, 2, 1, 4, 3, 4, 3, 2, 1]));
//! ```
//!
//! # References
//!
//! None; the rules of the puzzle.

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::records;

/// Parameters of `verify.sudoku`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sudoku {
    /// Column with the puzzle. Default `puzzle`.
    pub puzzle: String,
}

impl Default for Sudoku {
    fn default() -> Self {
        Self { puzzle: "puzzle".into() }
    }
}

impl Params for Sudoku {
    fn validate(&self) -> Result<(), ParamError> {
        records::named("puzzle", &self.puzzle)
    }
}

/// Whether `grid` solves `puzzle`: rows one after the other, 16 or 81 cells, 0 for an empty one.
pub fn solves(puzzle: &[u8], grid: &[u8]) -> bool {
    let (side, block) = match puzzle.len() {
        16 => (4, 2),
        81 => (9, 3),
        _ => return false,
    };
    if grid.len() != puzzle.len() || puzzle.iter().zip(grid).any(|(p, g)| *p != 0 && p != g) {
        return false;
    }
    let complete = |cell: &dyn Fn(usize) -> usize| {
        let mut seen = [false; 10];
        (0..side).for_each(|k| seen[usize::from(grid[cell(k)]).min(9)] = true);
        (1..=side).all(|digit| seen[digit])
    };
    (0..side).all(|i| {
        let corner = i / block * block * side + i % block * block;
        complete(&|k| i * side + k)
            && complete(&|k| k * side + i)
            && complete(&|k| corner + k / block * side + k % block)
    })
}

fn skipped(c: char) -> bool {
    c.is_whitespace() || "|-+".contains(c)
}

/// The cells of a puzzle, if every character is one.
fn cells(text: &str) -> Option<Vec<u8>> {
    if text.len() > 4096 {
        return None;
    }
    let cell = |c: char| match c {
        '.' => Some(0),
        digit => digit.to_digit(10).and_then(|d| u8::try_from(d).ok()),
    };
    text.chars().filter(|c| !skipped(*c)).map(cell).collect()
}

/// The last run of exactly `size` digits, what is skipped aside.
fn last_grid(text: &str, size: usize) -> Option<Vec<u8>> {
    let inside = text.rsplit_once("<answer>").and_then(|(_, rest)| rest.split_once("</answer>"));
    let text = inside.map_or(text, |(inner, _)| inner);
    let runs = text.split(|c: char| !c.is_ascii_digit() && !skipped(c));
    runs.rev()
        .map(|run| run.bytes().filter(u8::is_ascii_digit).map(|b| b - b'0').collect::<Vec<u8>>())
        .find(|digits| digits.len() == size)
}

impl Signal for Sudoku {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let text = records::value(rollout, &self.puzzle)?.as_str();
        let puzzle = text.and_then(cells).filter(|cells| matches!(cells.len(), 16 | 81));
        let puzzle = puzzle.ok_or_else(|| {
            Unscored::invalid(format!("column `{}` must be a text of 16 or 81 cells", self.puzzle))
        })?;
        Ok(match last_grid(rollout.text(), puzzle.len()) {
            Some(grid) => Score::binary(solves(&puzzle, &grid)),
            None => Score::binary(false).because("no grid found"),
        })
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Sudoku: Signal,
    id: "verify.sudoku",
    papers: [],
    status: Verified(ClosedForm("the rules of the puzzle")),
    laws: [WhitespaceInvariant],
    exempt: [
        CaseInvariant: "Digits have no case; the answer tag is written in lower case.",
    ],
    samples: [
        r#"{"prompt": "Solve.", "completion": "Here:\n1 2 3 4\n3 4 1 2\n2 1 4 3\n4 3 2 1", "puzzle": "1..4 .4.. ..4. 4..1"}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::Sudoku;
    use guerdon_core::Rollout;
    use guerdon_core::method::Signal as _;
    use serde_json::json;

    const NINE: &str =
        "534678912672195348198342567859761423426853791713924856961537284287419635345286179";

    fn check(puzzle: &str, completion: &str, expect: Option<f64>) {
        let mut rollout = Rollout::new("", completion, "");
        rollout.columns.insert("puzzle".into(), json!(puzzle));
        let got = Sudoku::default().score(&rollout).ok().map(|s| s.value());
        assert_eq!(got, expect, "{completion:?}");
    }

    #[test]
    fn grids() {
        let puzzle = format!("53{}", ".".repeat(79));
        check(&puzzle, NINE, Some(1.0));
        check(&puzzle, &format!("<answer>{NINE}</answer> in 9 steps"), Some(1.0));
        check(&puzzle, &NINE.replace('5', "4"), Some(0.0));
        check(&format!("9{}", ".".repeat(80)), NINE, Some(0.0));
        check(&puzzle, "534", Some(0.0));
        check("12", NINE, None);
        check(&".".repeat(16), "1234 1234 1234 1234", Some(0.0));
    }
}
