//! Trace error: the share of solutions with a right final answer that got there by a wrong step.
//!
//! # Formula
//!
//! ```text
//! trace error = P(some step wrong | final answer right)      final error = P(final answer wrong)
//! ```
//!
//! # When to use it
//!
//! Beside the final error, which rewards right answers for wrong reasons: process supervision shows here first.
//!
//! # Departures
//!
//! Without a right final answer it is undefined (null). The interval is Wilson's.
//!
//! # Example
//!
//! ```yaml
//! use: stats.trace_error
//! ```
//!
//! ```
//! use guerdon_stats::stats::trace_error::trace_error;
//! assert_eq!(trace_error(&[true, true, false], &[true, false, false]).unwrap().trace_error, Some(0.5));
//! ```
//!
//! # References
//!
//! Uesato et al., "Solving math word problems with process- and outcome-based feedback", 2022.

use guerdon_core::MethodError;
use guerdon_core::method::{Function, Params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::proportion_ci::wilson;
use crate::moments::at_least;
use crate::resample::Interval;

/// Parameters of `stats.trace_error`: none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TraceError {}

impl Params for TraceError {}

/// Input of `stats.trace_error`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Whether each final answer is right, at least one.
    pub final_correct: Vec<bool>,
    /// Whether all steps of each solution are right.
    pub steps_correct: Vec<bool>,
}

/// Output of `stats.trace_error`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Share of wrong traces among right answers; null without a right answer.
    pub trace_error: Option<f64>,
    /// Its Wilson interval at 95 %.
    pub interval: Option<Interval>,
    /// Share of wrong final answers.
    pub final_error: f64,
    /// Number of right final answers.
    pub final_correct: usize,
}

/// Both errors.
pub fn trace_error(final_correct: &[bool], steps_correct: &[bool]) -> Result<Output, MethodError> {
    let n = final_correct.len();
    MethodError::same_length(("final_correct", n), ("steps_correct", steps_correct.len()))?;
    at_least("final_correct", n, 1)?;
    let right = final_correct.iter().filter(|r| **r).count();
    let lucky = final_correct.iter().zip(steps_correct).filter(|(r, s)| **r && !**s).count();
    Ok(Output {
        trace_error: (right > 0).then(|| lucky as f64 / right as f64),
        interval: (right > 0).then(|| wilson(lucky as u64, right as u64, 0.95)),
        final_error: (n - right) as f64 / n as f64,
        final_correct: right,
    })
}

impl Function for TraceError {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        trace_error(&input.final_correct, &input.steps_correct)
    }
}

guerdon_core::method! {
    TraceError: Function,
    id: "stats.trace_error",
    papers: ["uesato-2022"],
    status: Verified(ClosedForm("a conditional share")),
    laws: [PermutationInvariant],
    exempt: [],
    samples: [r#"{"final_correct": [true, true, false, true], "steps_correct": [true, false, false, true]}"#],
}

#[cfg(test)]
mod tests {
    use super::trace_error;

    #[test]
    fn no_right_answer_has_no_trace_error() {
        let out = trace_error(&[false], &[true]).unwrap();
        assert_eq!((out.trace_error, out.interval, out.final_error), (None, None, 1.0));
        assert!(trace_error(&[], &[]).is_err());
    }
}
