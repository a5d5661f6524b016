//! What came of a task.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::task::Scoring;

/// The score of a task and the outcome of each of its tests, in their order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// The score, 0 to 1, as [`Scoring`] says.
    pub score: f64,
    /// One outcome per test of the task.
    pub tests: Vec<TestOutcome>,
    /// Processor time of all processes of the task, in seconds.
    pub cpu_s: f64,
    /// Wall time of the task once a worker was free, in seconds.
    pub wall_s: f64,
    /// The largest resident set of a process of the task, in KiB.
    pub peak_kb: u64,
}

impl Outcome {
    /// Whether every test passed.
    pub fn all_passed(&self) -> bool {
        self.passed() == self.tests.len()
    }

    /// The number of tests that passed.
    pub fn passed(&self) -> usize {
        self.tests.iter().filter(|t| t.is_passed()).count()
    }
}

/// The outcome of one test. Only `passed` earns anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum TestOutcome {
    /// The test passed.
    Passed,
    /// The code ran and its answer is wrong.
    WrongAnswer {
        /// The failed assert, or the start of the output; at most 2000 bytes.
        detail: String,
    },
    /// The code raised an exception, or exited early or with a code other than 0.
    Exception {
        /// The end of what it said; at most 2000 bytes.
        message: String,
    },
    /// The time of the test, of a process or of the task was over.
    Timeout,
    /// The code asked for more memory than allowed.
    MemoryLimit,
    /// The code wrote, or returned, more than allowed.
    OutputLimit,
    /// The code was ended by a signal that was not the runner's.
    Killed {
        /// The signal's number.
        signal: i32,
    },
    /// The code did not compile.
    CompileError {
        /// The end of what the compiler said; at most 2000 bytes.
        message: String,
    },
    /// The code wrote into the channel of its calls something that no honest run writes.
    Violation {
        /// What was wrong.
        message: String,
    },
    /// The test was not run: an earlier one or the first k decided.
    NotRun,
}

impl TestOutcome {
    /// Whether the test passed.
    pub fn is_passed(&self) -> bool {
        *self == Self::Passed
    }
}

pub(crate) fn score(scoring: Scoring, tests: &[TestOutcome]) -> f64 {
    let considered = scoring.considered(tests.len());
    let passed = tests[..considered].iter().filter(|t| t.is_passed()).count();
    if considered == 0 {
        return 0.0;
    }
    match scoring {
        Scoring::AllOrNothing => f64::from(u8::from(passed == considered)),
        Scoring::Partial | Scoring::FirstK(_) => passed as f64 / considered as f64,
    }
}

const DETAIL: usize = 2000;

/// The last bytes of `bytes`, as text of at most [`DETAIL`] bytes.
pub(crate) fn tail(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(DETAIL)..]);
    let mut start = text.len().saturating_sub(DETAIL);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text[start..].trim().to_owned()
}

/// The first bytes of `bytes`, as text of at most [`DETAIL`] bytes.
pub(crate) fn head(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(DETAIL)]);
    let mut end = text.len().min(DETAIL);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(scoring: Scoring, pattern: &str, expected: f64) {
        let tests: Vec<_> = pattern
            .chars()
            .map(|c| if c == '1' { TestOutcome::Passed } else { TestOutcome::Timeout })
            .collect();
        assert_eq!(score(scoring, &tests), expected, "{scoring:?} {pattern}");
    }

    #[test]
    fn scores() {
        check(Scoring::Partial, "1100", 0.5);
        check(Scoring::Partial, "0000", 0.0);
        check(Scoring::AllOrNothing, "1110", 0.0);
        check(Scoring::AllOrNothing, "1111", 1.0);
        check(Scoring::FirstK(2), "1100", 1.0);
        check(Scoring::FirstK(3), "0110", 2.0 / 3.0);
        check(Scoring::FirstK(9), "10", 0.5);
    }

    #[test]
    fn details_are_cut_on_characters() {
        let text = "é".repeat(3000);
        assert!(head(text.as_bytes()).len() <= DETAIL);
        assert!(tail(&text.as_bytes()[1..]).len() <= DETAIL);
        assert_eq!(tail(b"  short \n"), "short");
    }
}
