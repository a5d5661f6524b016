//! Regular expressions: whether the completion matches what it must and nothing that it must not.
//!
//! # Formula
//!
//! ```text
//! score = 1 if pattern matches (full: the whole completion; search: somewhere), every `must` and no `must_not` is found, else 0
//! ```
//!
//! With `partial: true` the score is the share of the conditions (the pattern, each `must`, each `must_not`) that hold.
//!
//! # When to use it
//!
//! For formats that a regular expression describes. Matching takes time linear in the completion whatever the pattern, so a
//! hostile completion cannot make it hang.
//!
//! # Departures
//!
//! The syntax is that of the Rust crate `regex`: no look-around and no back-references, which is what buys the linear time.
//! A full match ignores white space around the completion. `.` does not match a line break unless the pattern begins `(?s)`.
//!
//! # Example
//!
//! ```yaml
//! use: verify.regex
//! pattern: '\d{4}-\d{2}-\d{2}'
//! must_not: ['(?i)as an ai']
//! ```
//!
//! ```
//! use guerdon_verify::verify::regex::Regex;
//! let date = Regex { pattern: r"\d{4}-\d{2}-\d{2}".into(), ..Regex::default() };
//! assert_eq!(date.compile().unwrap().value("2024-02-29"), 1.0);
//! assert_eq!(date.compile().unwrap().value("On 2024-02-29"), 0.0);
//! ```
//!
//! # References
//!
//! Thompson, "Regular Expression Search Algorithm", Communications of the ACM, 1968.

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score};
use regex::RegexBuilder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Largest compiled pattern, in bytes.
const MAX_COMPILED: usize = 1 << 20;

/// Deepest nesting of a pattern.
const MAX_NESTING: u32 = 64;

/// How `pattern` is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The whole completion, without the white space around it.
    #[default]
    Full,
    /// Anywhere in the completion.
    Search,
}

/// Parameters of `verify.regex`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Regex {
    /// The expression to match; empty for none. Default empty.
    pub pattern: String,
    /// Whether `pattern` matches the whole completion or a part of it. Default `full`.
    pub mode: Mode,
    /// Expressions that must all be found. Default none.
    pub must: Vec<String>,
    /// Expressions of which none may be found. Default none.
    pub must_not: Vec<String>,
    /// Upper and lower case do not matter. Default false.
    pub ignore_case: bool,
    /// Score the share of conditions that hold instead of all or nothing. Default false.
    pub partial: bool,
}

impl Params for Regex {
    fn validate(&self) -> Result<(), ParamError> {
        self.compile().map(drop)
    }
}

/// A condition: an expression, and whether it has to be found.
struct Condition {
    expression: regex::Regex,
    wanted: bool,
}

/// The compiled expressions.
pub struct Compiled {
    conditions: Vec<Condition>,
    partial: bool,
}

impl Regex {
    /// Compiles the expressions; refuses bad syntax and expressions that compile to more than 1 MiB.
    pub fn compile(&self) -> Result<Compiled, ParamError> {
        let mut conditions = Vec::new();
        if !self.pattern.is_empty() {
            let pattern = match self.mode {
                Mode::Full => format!(r"\A(?:{})\z", self.pattern),
                Mode::Search => self.pattern.clone(),
            };
            let path = vec!["pattern".to_owned()];
            // Compiled alone first, so that `a)(b` cannot escape from the group.
            self.expression(&self.pattern, &path)?;
            conditions
                .push(Condition { expression: self.expression(&pattern, &path)?, wanted: true });
        }
        for (field, list, wanted) in
            [("must", &self.must, true), ("must_not", &self.must_not, false)]
        {
            for (i, pattern) in list.iter().enumerate() {
                let path = vec![field.to_owned(), i.to_string()];
                conditions.push(Condition { expression: self.expression(pattern, &path)?, wanted });
            }
        }
        if conditions.is_empty() {
            return Err(ParamError::new("pattern", "give `pattern`, `must` or `must_not`"));
        }
        Ok(Compiled { conditions, partial: self.partial })
    }

    fn expression(&self, pattern: &str, path: &[String]) -> Result<regex::Regex, ParamError> {
        RegexBuilder::new(pattern)
            .case_insensitive(self.ignore_case)
            .size_limit(MAX_COMPILED)
            .nest_limit(MAX_NESTING)
            .build()
            .map_err(|error| ParamError {
                path: path.to_vec(),
                message: format!("{pattern:?} is refused: {error}"),
                unknown_key: false,
            })
    }

    #[allow(clippy::needless_pass_by_value, reason = "the registry hands the parameters over")]
    fn signal(params: Self) -> Result<Compiled, ParamError> {
        params.compile()
    }
}

impl Compiled {
    /// The score of `text`, 0 to 1.
    pub fn value(&self, text: &str) -> f64 {
        let text = text.trim();
        let holds = |c: &&Condition| c.expression.is_match(text) == c.wanted;
        if !self.partial {
            return f64::from(u8::from(self.conditions.iter().all(|c| holds(&c))));
        }
        self.conditions.iter().filter(holds).count() as f64 / self.conditions.len() as f64
    }
}

impl Signal for Compiled {
    fn score(&self, rollout: &Rollout) -> Outcome {
        Score::new(self.value(rollout.text()))
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Regex: BuiltSignal,
    id: "verify.regex",
    papers: [],
    status: Stable,
    laws: [WhitespaceInvariant],
    exempt: [],
    sample_params: r#"{"pattern": "[a-z]{3}-[0-9]{2}"}"#,
    samples: [
        r#"{"prompt": "A code, please.", "completion": "abc-12", "reference": "abc-12"}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Mode, Regex};

    fn check(params: &Regex, text: &str, expect: f64) {
        assert_eq!(params.compile().unwrap().value(text), expect, "{text:?}");
    }

    #[test]
    fn full_and_search() {
        let full = Regex { pattern: "a|ab".into(), ..Regex::default() };
        check(&full, " ab\n", 1.0);
        check(&full, "abc", 0.0);
        check(&Regex { mode: Mode::Search, ..full }, "xabc", 1.0);
    }

    #[test]
    fn conditions_add_up() {
        let params = Regex {
            must: vec!["yes".into(), "no".into()],
            must_not: vec!["(?i)maybe".into()],
            partial: true,
            ..Regex::default()
        };
        check(&params, "yes and no", 1.0);
        check(&params, "yes, Maybe", 1.0 / 3.0);
        check(&Regex { partial: false, ..params }, "yes", 0.0);
    }

    #[test]
    fn hostile_patterns_are_refused_and_hostile_texts_take_linear_time() {
        for pattern in ["(", "a)(b", r"\1", "((a{1000}){1000}){1000}"] {
            assert!(Regex { pattern: pattern.into(), ..Regex::default() }.compile().is_err());
        }
        let evil = Regex { pattern: "(a*)*b".into(), ..Regex::default() };
        check(&evil, &"a".repeat(100_000), 0.0);
    }
}
