//! What is judged: code, tests, and how the tests become a score.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::{Limits, in_range};
use crate::error::{Error, Result};

/// Untrusted code and the tests that judge it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// Language of the code: `python` (default), `cpp`, `rust`, `javascript`, `bash`, or a name
    /// of [`Config::runners`](crate::Config::runners). All but `python` take
    /// [`Tests::Stdio`] alone.
    #[serde(default = "python")]
    pub language: String,
    /// The untrusted code.
    pub source: String,
    /// Code of yours that runs before `source` in the candidate's process: imports, classes that
    /// the tests pass to the candidate. Python only; the candidate can read and change it.
    /// Default: empty.
    #[serde(default)]
    pub prelude: String,
    /// The tests.
    pub tests: Tests,
    /// How the outcomes become a score. Default `partial`.
    #[serde(default)]
    pub scoring: Scoring,
    /// Limits of this task. Default: those of the sandbox.
    #[serde(default)]
    pub limits: Option<Limits>,
}

fn python() -> String {
    "python".to_owned()
}

/// The kinds of test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Tests {
    /// Python statements, one test each; a test passes when it completes without an exception
    /// (MBPP).
    Asserts {
        /// The statements, usually `assert f(x) == y`.
        asserts: Vec<String>,
        /// Code that runs once before them, in the judge: imports and helpers of the tests.
        /// Default: empty.
        #[serde(default)]
        setup: String,
        /// Name of the function under test. It is needed only where the name is also a built-in
        /// one (`sum`) and the asserts call other functions too.
        #[serde(default)]
        entry_point: Option<String>,
    },
    /// Python code that defines `check(candidate)`, one test; it passes when
    /// `check(entry_point)` completes without an exception (`HumanEval`).
    Check {
        /// The code that defines `check`.
        code: String,
        /// Name of the function under test.
        entry_point: String,
    },
    /// A whole program reads stdin and writes stdout; one test per pair (`CodeContests`). The code
    /// must exit with 0.
    Stdio {
        /// The pairs.
        cases: Vec<StdioCase>,
        /// What of the two texts must be equal. Default `lines`.
        #[serde(default)]
        compare: Compare,
        /// Where set, numbers may differ by this much, absolute or relative; 0 to 1. Default:
        /// the text must be equal.
        #[serde(default)]
        #[schemars(range(min = 0.0, max = 1.0))]
        float_tolerance: Option<f64>,
    },
    /// A function is called with JSON values and must return a JSON value; one test per call
    /// (`LiveCodeBench`). A method of a class `Solution` serves as well.
    Calls {
        /// Name of the function or method.
        function: String,
        /// The calls.
        cases: Vec<CallCase>,
        /// As in `stdio`, for floating-point numbers. Default: exact.
        #[serde(default)]
        #[schemars(range(min = 0.0, max = 1.0))]
        float_tolerance: Option<f64>,
    },
}

/// What of a program's output and the expected text must be equal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compare {
    /// Every line, after this normalisation and no other: `\r\n` becomes `\n`; white space at the
    /// end of each line and empty lines at the end of the text are removed.
    #[default]
    Lines,
    /// Every word: any white space between words counts as one space, as in `CodeContests`.
    Words,
}

/// What a program reads and what it must write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StdioCase {
    /// Standard input.
    pub stdin: String,
    /// Expected standard output, whole.
    pub stdout: String,
}

/// The arguments of a call and its expected value.
///
/// Equality is Python's: `1 == 1.0 == True`; besides, a tuple equals a JSON array, and an integer
/// key of a dict equals its decimal digits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallCase {
    /// Positional arguments.
    pub args: Vec<serde_json::Value>,
    /// The value that must be returned.
    pub expected: serde_json::Value,
}

/// Arguments beyond this have no place in one message.
const MAX_ARGUMENTS: usize = 16 << 20;

impl CallCase {
    fn validate(&self) -> Result<()> {
        let size: usize = self.args.iter().map(|arg| arg.to_string().len()).sum();
        if size <= MAX_ARGUMENTS {
            return Ok(());
        }
        Err(Error::task(format!("the arguments of a call are {size} bytes; at most 16 MiB fit")))
    }
}

/// From the outcomes of n tests to a score of 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Scoring {
    /// Passed tests / n.
    #[default]
    Partial,
    /// 1 if every test passed, else 0. Tests after the first failure are not run.
    AllOrNothing,
    /// Only the first k tests are run (all, if there are fewer): passed tests of these / their
    /// number. k is at least 1.
    FirstK(u32),
}

impl Scoring {
    /// How many of `n` tests are run at most.
    pub(crate) fn considered(self, n: usize) -> usize {
        match self {
            Self::FirstK(k) => n.min(usize::try_from(k).unwrap_or(usize::MAX)),
            Self::Partial | Self::AllOrNothing => n,
        }
    }
}

impl Tests {
    /// The number of tests.
    pub fn len(&self) -> usize {
        match self {
            Self::Asserts { asserts, .. } => asserts.len(),
            Self::Check { .. } => 1,
            Self::Stdio { cases, .. } => cases.len(),
            Self::Calls { cases, .. } => cases.len(),
        }
    }

    /// Whether there is no test at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn float_tolerance(&self) -> Option<f64> {
        match self {
            Self::Stdio { float_tolerance, .. } | Self::Calls { float_tolerance, .. } => {
                *float_tolerance
            }
            Self::Asserts { .. } | Self::Check { .. } => None,
        }
    }
}

impl Task {
    /// Python `source` judged by `tests`, with everything else at its default.
    pub fn python(source: impl Into<String>, tests: Tests) -> Self {
        Self::new("python", source, tests)
    }

    /// `source` in `language` judged by `tests`, with everything else at its default.
    pub fn new(language: impl Into<String>, source: impl Into<String>, tests: Tests) -> Self {
        Self {
            language: language.into(),
            source: source.into(),
            prelude: String::new(),
            tests,
            scoring: Scoring::default(),
            limits: None,
        }
    }

    pub(crate) fn validate(&self) -> Result<()> {
        if self.tests.is_empty() {
            return Err(Error::task("there is no test; a score of no tests means nothing"));
        }
        if self.scoring == Scoring::FirstK(0) {
            return Err(Error::task("`first_k` is 0; it must be at least 1"));
        }
        if let Some(tolerance) = self.tests.float_tolerance() {
            in_range("float_tolerance", tolerance, 0.0, 1.0)?;
        }
        if let Tests::Calls { cases, .. } = &self.tests {
            for case in cases {
                case.validate()?;
            }
        }
        if self.language != "python" && !matches!(self.tests, Tests::Stdio { .. }) {
            return Err(Error::task(format!(
                "tests in the language `{}` must be of kind `stdio`: tests that share a process \
                 with the code they judge can be forged",
                self.language
            )));
        }
        if self.language != "python" && !self.prelude.is_empty() {
            return Err(Error::task("`prelude` is for Python; put it into `source`"));
        }
        self.limits.as_ref().map_or(Ok(()), Limits::validate)
    }
}
