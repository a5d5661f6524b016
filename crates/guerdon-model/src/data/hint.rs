//! Decides how much of the reference solution a prompt shows: more at each redraw, until a rollout succeeds.
//!
//! If every rollout of a prompt fails, its group teaches nothing. Showing the first part of the solution revives it.
//!
//! # Formula
//!
//! ```text
//! stage s = number of draws that all failed
//! hint    = stages[s − 1] of the solution's words (rounded down), none for s = 0; no redraw after the last stage
//! ```
//!
//! A draw fails if no reward is greater than `right_above`. While `step < cold_start_steps`, every prompt shows
//! `cold_start` of its solution.
//!
//! # When to use it
//!
//! For prompts with a reference solution that are too hard for the policy. The redrawn rollouts replace the dead group, and
//! their log-probabilities are those under the prompt with the hint.
//!
//! # Departures
//!
//! The share is counted in words rather than tokens.
//!
//! # Example
//!
//! ```yaml
//! use: data.hint
//! stages: [0.25, 0.5, 0.75]
//! ```
//!
//! ```
//! use guerdon_model::data::hint::{Hint, prefix};
//! let hint = Hint::default();
//! assert_eq!(hint.next(&[vec![0.0, 0.0]], 0), Some(0.25));
//! assert_eq!(hint.next(&[vec![0.0, 0.0], vec![1.0, 0.0]], 0), None);
//! assert_eq!(prefix("one two three four", 0.5), "one two");
//! ```
//!
//! # References
//!
//! Liu et al., "GHPO: Adaptive Guidance for Stable and Efficient LLM Reinforcement Learning", 2025, section 3.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Parameters of `data.hint`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Hint {
    /// Shares of the solution shown at each redraw, 0 to 1, ascending. Default [0.25, 0.5, 0.75].
    pub stages: Vec<f64>,
    /// A rollout is right if its reward is greater than this, in units of reward. Default 0.
    pub right_above: f64,
    /// Number of first training steps in which every prompt shows a hint. Default 0.
    pub cold_start_steps: u64,
    /// Share shown in those steps, 0 to 1; default 0.5.
    pub cold_start: f64,
}

impl Default for Hint {
    fn default() -> Self {
        Self {
            stages: vec![0.25, 0.5, 0.75],
            right_above: 0.0,
            cold_start_steps: 0,
            cold_start: 0.5,
        }
    }
}

impl Params for Hint {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("cold_start", self.cold_start, 0.0, 1.0)?;
        ParamError::in_range("right_above", self.right_above, f64::MIN, f64::MAX)?;
        for stage in &self.stages {
            ParamError::in_range("stages", *stage, 0.0, 1.0)?;
        }
        if !self.stages.is_sorted() {
            return Err(ParamError::new(
                "stages",
                "`stages` must ascend: each redraw shows more than the last",
            ));
        }
        Ok(())
    }
}

/// Input of `data.hint`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The rewards of each draw so far for this prompt, oldest first; empty before the first.
    pub draws: Vec<Vec<f64>>,
    /// The reference solution.
    pub solution: String,
    /// The training step, from 0.
    #[serde(default)]
    pub step: u64,
}

/// Output of `data.hint`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Whether to draw (again): false once a draw has succeeded or the stages are used up.
    pub draw: bool,
    /// Share of the solution that the next draw shows.
    pub share: f64,
    /// The text that the next draw shows.
    pub hint: String,
    /// Whether the stages are used up without success.
    pub dead: bool,
}

impl Hint {
    /// The share that the next draw shows; `None` when no further draw is due. `draws` are the rewards of the draws so far.
    pub fn next(&self, draws: &[Vec<f64>], step: u64) -> Option<f64> {
        if draws.last().is_some_and(|draw| self.succeeded(draw)) {
            return None;
        }
        let base = if step < self.cold_start_steps { self.cold_start } else { 0.0 };
        match draws.len() {
            0 => Some(base),
            failed => self.stages.iter().copied().filter(|stage| *stage > base).nth(failed - 1),
        }
    }

    fn succeeded(&self, draw: &[f64]) -> bool {
        draw.iter().any(|reward| *reward > self.right_above)
    }
}

/// The first `share` (0 to 1) of the words of `solution`, rounded down, with the spaces between them.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and the number of words"
)]
pub fn prefix(solution: &str, share: f64) -> &str {
    let ends: Vec<usize> = solution
        .split_whitespace()
        .map(|word| word.as_ptr() as usize - solution.as_ptr() as usize + word.len())
        .collect();
    match (share.clamp(0.0, 1.0) * ends.len() as f64).floor() as usize {
        0 => "",
        words => &solution[..ends[words - 1]],
    }
}

impl Function for Hint {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        let next = self.next(&input.draws, input.step);
        let share = next.unwrap_or(0.0);
        let dead = next.is_none() && !input.draws.last().is_some_and(|draw| self.succeeded(draw));
        Ok(Output {
            draw: next.is_some(),
            share,
            hint: prefix(&input.solution, share).to_owned(),
            dead,
        })
    }
}

guerdon_core::method! {
    Hint: Function,
    id: "data.hint",
    papers: ["ghpo-2025"],
    status: Verified(Worked("GHPO: 25 %, 50 %, 75 %, stopping at the first success")),
    laws: [],
    exempt: [],
    samples: [
        r#"{"draws": [[0, 0, 0], [0, 1, 0]], "solution": "first second third fourth"}"#,
        r#"{"draws": [[0, 1, 0], [0, 0, 0]], "solution": "first second third fourth", "step": 3}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Hint, prefix};

    fn check(draws: &[&[f64]], expect: Option<f64>) {
        let draws: Vec<Vec<f64>> = draws.iter().map(|d| d.to_vec()).collect();
        assert_eq!(Hint::default().next(&draws, 0), expect, "{draws:?}");
    }

    #[test]
    fn stages_follow_failures() {
        let dead: &[f64] = &[0.0, 0.0];
        check(&[], Some(0.0));
        check(&[dead], Some(0.25));
        check(&[dead, dead], Some(0.5));
        check(&[dead, dead, dead], Some(0.75));
        check(&[dead, dead, dead, dead], None);
        check(&[dead, &[0.0, 1.0]], None);
    }

    #[test]
    fn a_cold_start_shows_a_constant_hint() {
        let params = Hint { cold_start_steps: 10, ..Hint::default() };
        assert_eq!(params.next(&[], 9), Some(0.5));
        assert_eq!(params.next(&[], 10), Some(0.0));
        assert_eq!(params.next(&[vec![0.0]], 9), Some(0.75));
    }

    #[test]
    fn prefixes_end_with_a_word() {
        assert_eq!(prefix("  a  b\nc d", 0.5), "  a  b");
        assert_eq!((prefix("a b", 0.4), prefix("", 1.0), prefix("é ü", 1.0)), ("", "", "é ü"));
    }
}
