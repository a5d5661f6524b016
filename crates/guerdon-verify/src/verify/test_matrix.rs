//! Programs and generated tests that judge each other: rewards for both sides from a table of outcomes.
//!
//! A group holds the programs and the generated tests of one task. Each program's row has its outcomes on the
//! ground-truth tests (a list) and on the generated tests (an object from the test's id to the outcome); each test is a
//! row of its own, found by its id. Outcomes are true/false or 1/0.
//!
//! # Formula
//!
//! ```text
//! program  = ground-truth tests passed / ground-truth tests
//! C        = programs that pass all ground-truth tests;  W = the others
//! test     = + |{w ∈ W : w fails it}| / |W|    if every program of C passes it
//!            - |{w ∈ W : w passes it}| / |W|   if one of C fails it
//! ```
//!
//! With `test_scale: all` the shares become 1 if all of `W` fail the test, else 0, and -1 if any of `W` passes it, else
//! 0. Where `W` is empty a test earns 1 if all of `C` pass it and -1 if not. Where `C` is empty nothing is known of the
//! tests: they are unscored.
//!
//! # When to use it
//!
//! To train a coder and a tester together: a test earns by telling wrong programs from right ones, so tests that
//! everything passes (or nothing) gain nothing. Standardise each side by itself (`advantage.grpo`, one group a side).
//!
//! # Departures
//!
//! The outcomes are given: run the programs with `verify.code_tests` or your own runner first. The paper's length-aware
//! variant is left out; put a length transform behind it.
//!
//! # Example
//!
//! ```yaml
//! use: verify.test_matrix
//! role: side
//! ```
//!
//! ```
//! use guerdon_verify::verify::test_matrix::{Scale, test_reward};
//! // (whether the program is right, whether it passes the test)
//! let column = [(true, true), (true, false), (false, true), (false, false)];
//! assert_eq!(test_reward(&column, Scale::Mean), Some(-0.5));
//! ```
//!
//! # References
//!
//! Wang et al., "Co-Evolving LLM Coder and Unit Tester via Reinforcement Learning", 2025 (CURE).

use guerdon_core::method::{Params, Scope, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::records;

/// How a test's outcomes on the wrong programs become its reward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// By the share of wrong programs.
    #[default]
    Mean,
    /// All or nothing.
    All,
}

/// Parameters of `verify.test_matrix`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TestMatrix {
    /// Column that says what a row is: `program` or `test`. Default `role`.
    pub role: String,
    /// Column of a program with its outcomes on the ground-truth tests: a list. Default `truth`.
    pub truth: String,
    /// Column of a program with its outcomes on the generated tests: an object from test id to outcome. Default
    /// `generated`.
    pub generated: String,
    /// How a test's outcomes on the wrong programs become its reward: `mean` (default) or `all`.
    pub test_scale: Scale,
}

impl Default for TestMatrix {
    fn default() -> Self {
        Self {
            role: "role".to_owned(),
            truth: "truth".to_owned(),
            generated: "generated".to_owned(),
            test_scale: Scale::Mean,
        }
    }
}

impl Params for TestMatrix {
    fn validate(&self) -> Result<(), ParamError> {
        records::named("role", &self.role)?;
        records::named("truth", &self.truth)?;
        records::named("generated", &self.generated)
    }
}

/// The reward of a test, -1 to 1, from its outcome on each program: (the program is right, it passes the test).
/// `None` where no program is right.
pub fn test_reward(column: &[(bool, bool)], scale: Scale) -> Option<f64> {
    let count = |right: bool, passes: bool| {
        column.iter().filter(|pair| **pair == (right, passes)).count() as f64
    };
    let wrong = count(false, true) + count(false, false);
    let is_valid = count(true, false) == 0.0;
    if is_valid && count(true, true) == 0.0 {
        return None;
    }
    let share = |part: f64| if wrong == 0.0 { 1.0 } else { part / wrong };
    Some(match (is_valid, scale) {
        (true, Scale::Mean) => share(count(false, false)),
        (true, Scale::All) => share(count(false, false)).floor(),
        (false, Scale::Mean) => -share(count(false, true)),
        (false, Scale::All) => -share(count(false, true)).ceil(),
    })
}

/// What a row is.
enum Row<'a> {
    Program { share: f64, generated: Result<&'a Value, Unscored> },
    Test,
}

impl TestMatrix {
    fn row<'a>(&self, rollout: &'a Rollout) -> Result<Row<'a>, Unscored> {
        let role = records::value(rollout, &self.role)?;
        match role.as_str() {
            Some("test") => Ok(Row::Test),
            Some("program") => {
                let truth = records::list_at(rollout, &self.truth)?;
                let passed: Vec<bool> = truth.iter().map(passes).collect::<Result<_, _>>()?;
                let share = passed.iter().filter(|p| **p).count() as f64 / passed.len() as f64;
                let generated = records::value(rollout, &self.generated);
                Ok(Row::Program { share, generated })
            }
            _ => Err(Unscored::invalid(format!(
                "column `{}`: expected `program` or `test`",
                self.role
            ))),
        }
    }

    fn test(&self, id: &str, rows: &[Result<Row<'_>, Unscored>]) -> Outcome {
        let mut column = Vec::new();
        for row in rows.iter().flatten() {
            let Row::Program { share, generated } = row else { continue };
            let outcome = generated.clone()?.get(id).ok_or_else(|| {
                Unscored::missing(format!("a program has no outcome on the test `{id}`"))
            })?;
            column.push((*share == 1.0, passes(outcome)?));
        }
        match test_reward(&column, self.test_scale) {
            Some(reward) => Score::new(reward),
            None => Err(Unscored::abstained("no program of the group passes the ground truth")),
        }
    }
}

fn passes(value: &Value) -> Result<bool, Unscored> {
    match super::column::number(value)? {
        1.0 => Ok(true),
        0.0 => Ok(false),
        other => Err(Unscored::invalid(format!("an outcome must be 0 or 1, not {other}"))),
    }
}

impl Signal for TestMatrix {
    fn score(&self, rollout: &Rollout) -> Outcome {
        self.score_group(std::slice::from_ref(rollout)).swap_remove(0)
    }

    fn score_group(&self, group: &[Rollout]) -> Vec<Outcome> {
        let rows: Vec<_> = group.iter().map(|rollout| self.row(rollout)).collect();
        let outcome = |(rollout, row): (&Rollout, &Result<Row<'_>, Unscored>)| match row {
            Err(why) => Err(why.clone()),
            Ok(Row::Program { share, .. }) => Score::new(*share),
            Ok(Row::Test) => self.test(&rollout.id, &rows),
        };
        group.iter().zip(&rows).map(outcome).collect()
    }

    fn scope(&self) -> Scope {
        Scope::Group
    }

    fn reads_completion(&self) -> bool {
        false
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((-1.0, 1.0))
    }
}

guerdon_core::method! {
    TestMatrix: Signal,
    id: "verify.test_matrix",
    papers: ["cure-2025"],
    status: Verified(Worked("CURE: four programs, three tests")),
    laws: [WhitespaceInvariant, CaseInvariant],
    exempt: [
        DegenerateEarnsNothing: "The outcomes come from the data, not from the completion.",
        InjectionGainsNothing: "The outcomes come from the data, not from the completion.",
    ],
    samples: [
        r#"[{"id": "p", "completion": "Right", "role": "program", "truth": [1, 1], "generated": {"t": 1}}, {"id": "q", "role": "program", "truth": [1, 0], "generated": {"t": 0}}, {"id": "t", "role": "test"}]"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Scale, TestMatrix, test_reward};
    use guerdon_core::method::Signal as _;
    use guerdon_core::{Rollout, UnscoredKind};
    use serde_json::{Value, json};

    fn row(id: &str, columns: Value) -> Rollout {
        let Value::Object(columns) = columns else { panic!("an object") };
        Rollout { id: id.into(), columns, ..Rollout::default() }
    }

    fn program(id: &str, truth: [u8; 2], t: [u8; 3]) -> Rollout {
        let generated = json!({"t0": t[0], "t1": t[1], "t2": t[2]});
        row(id, json!({"role": "program", "truth": truth, "generated": generated}))
    }

    fn group(programs: &[([u8; 2], [u8; 3])]) -> Vec<Rollout> {
        let programs = programs.iter().map(|(truth, t)| program("p", *truth, *t));
        let tests = ["t0", "t1", "t2"].map(|id| row(id, json!({"role": "test"})));
        programs.chain(tests).collect()
    }

    #[test]
    fn the_worked_example() {
        let table =
            [([1, 1], [1, 1, 0]), ([1, 1], [1, 0, 0]), ([1, 0], [0, 1, 0]), ([0, 0], [0, 0, 1])];
        let scores = TestMatrix::default().score_group(&group(&table));
        let values: Vec<f64> = scores.iter().map(|s| s.as_ref().unwrap().value()).collect();
        assert_eq!(values, [1.0, 1.0, 0.5, 0.0, 1.0, -0.5, -0.5]);
    }

    #[test]
    fn without_a_right_program_tests_are_unscored() {
        let scores = TestMatrix::default().score_group(&group(&[([1, 0], [1, 1, 1])]));
        assert_eq!(scores[0].as_ref().unwrap().value(), 0.5);
        assert_eq!(scores[1].as_ref().unwrap_err().kind, UnscoredKind::Abstained);
    }

    #[test]
    fn without_a_wrong_program_validity_decides() {
        assert_eq!(test_reward(&[(true, true)], Scale::Mean), Some(1.0));
        assert_eq!(test_reward(&[(true, false)], Scale::Mean), Some(-1.0));
    }

    #[test]
    fn all_or_nothing() {
        let column = |t: [bool; 3]| [(true, t[0]), (false, t[1]), (false, t[2])];
        assert_eq!(test_reward(&column([true, false, false]), Scale::All), Some(1.0));
        assert_eq!(test_reward(&column([true, true, false]), Scale::All), Some(0.0));
        assert_eq!(test_reward(&column([false, true, false]), Scale::All), Some(-1.0));
    }
}
