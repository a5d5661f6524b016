//! Early exit: the smallest confidence at which reading or reasoning may stop, with a guarantee on the accuracy lost.
//!
//! # Formula
//!
//! ```text
//! loss_i(λ) = 1 if the full answer is right and the answer at the first step with confidence ≥ λ is wrong
//! thresholds fall from strict to lax while P(Bin(n, α) ≤ Σ loss) ≤ δ; the last that passes is taken
//! ```
//!
//! With probability at least 1 − δ over the calibration data the mean loss stays below α (fixed-sequence Learn-then-Test).
//!
//! # When to use it
//!
//! To cut chains of thought or long documents on calibrated data. The guarantee is on average over items (marginal): early
//! halts may lose more than late ones.
//!
//! # Departures
//!
//! Only the marginal control is offered; the conditional one (a threshold per step) is not. If no threshold passes, the answer
//! is never to stop early.
//!
//! # Example
//!
//! ```yaml
//! use: select.early_exit
//! alpha: 0.1
//! delta: 0.05
//! ```
//!
//! ```
//! use guerdon_select::select::early_exit::p_value;
//! assert!((p_value(12, 200, 0.1) - 0.032_047).abs() < 1e-6);
//! ```
//!
//! # References
//!
//! Ringel et al., "Early Time Classification with Accumulated Accuracy Gap Control", 2024; Angelopoulos et al., "Learn then
//! Test", 2021.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use guerdon_stats::dist::binomial_cdf;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Parameters of `select.early_exit`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EarlyExit {
    /// Mean accuracy that may be lost, above 0, below 1. Default 0.1.
    pub alpha: f64,
    /// Chance that the guarantee fails, above 0, below 1. Default 0.05.
    pub delta: f64,
    /// Thresholds tried between 1 and 0, 1 to 10,000. Default 100.
    pub grid: u32,
}

impl Default for EarlyExit {
    fn default() -> Self {
        Self { alpha: 0.1, delta: 0.05, grid: 100 }
    }
}

impl Params for EarlyExit {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("alpha", self.alpha, 1e-9, 1.0 - 1e-9)?;
        ParamError::in_range("delta", self.delta, 1e-9, 1.0 - 1e-9)?;
        ParamError::in_range("grid", f64::from(self.grid), 1.0, 1e4)
    }
}

/// Input of `select.early_exit`: calibration items, not used for anything else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Per item, the confidence at each step; at least one item and one step each.
    pub confidences: Vec<Vec<f64>>,
    /// Per item, whether the answer at each step is right; the last is the full answer.
    pub correct: Vec<Vec<bool>>,
}

/// Output of `select.early_exit`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Stop at the first step with at least this confidence; null: never stop early.
    pub threshold: Option<f64>,
    /// Mean accuracy lost on the calibration items at that threshold.
    pub loss: f64,
    /// Mean share of steps used.
    pub steps: f64,
}

/// P(Bin(`n`, `alpha`) ≤ `losses`): small when the losses are too few for a mean loss of `alpha`.
pub fn p_value(losses: u64, n: u64, alpha: f64) -> f64 {
    binomial_cdf(losses, n, alpha)
}

/// The step at which an item stops.
fn halt(confidences: &[f64], threshold: Option<f64>) -> usize {
    let last = confidences.len() - 1;
    threshold.and_then(|t| confidences.iter().position(|c| *c >= t)).unwrap_or(last)
}

/// Accuracy lost (count) and share of steps used.
fn cost(input: &Input, threshold: Option<f64>) -> (u64, f64) {
    let (mut losses, mut steps) = (0, 0.0);
    for (confidences, correct) in input.confidences.iter().zip(&input.correct) {
        let at = halt(confidences, threshold);
        losses += u64::from(correct[correct.len() - 1] && !correct[at]);
        steps += (at + 1) as f64 / correct.len() as f64;
    }
    (losses, steps / input.correct.len() as f64)
}

impl Function for EarlyExit {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        let n = input.confidences.len();
        MethodError::same_length(("confidences", n), ("correct", input.correct.len()))?;
        for (c, r) in input.confidences.iter().zip(&input.correct) {
            MethodError::same_length(
                ("confidences of an item", c.len()),
                ("correct of an item", r.len()),
            )?;
            MethodError::all_finite("confidences", c)?;
        }
        if n == 0 || input.correct.iter().any(Vec::is_empty) {
            return Err(MethodError::domain(
                "at least one item, each with at least one step, is needed",
            ));
        }
        let mut threshold = None;
        for step in 0..=self.grid {
            let lax = 1.0 - f64::from(step) / f64::from(self.grid);
            if p_value(cost(input, Some(lax)).0, n as u64, self.alpha) > self.delta {
                break;
            }
            threshold = Some(lax);
        }
        let (losses, steps) = cost(input, threshold);
        Ok(Output { threshold, loss: losses as f64 / n as f64, steps })
    }
}

guerdon_core::method! {
    EarlyExit: Function,
    id: "select.early_exit",
    papers: ["early-exit-2024"],
    status: Verified(Worked("n 200, α 0.1: p 0.008071, 0.032047, 0.056562 at 10, 12, 13 losses")),
    laws: [PermutationInvariant],
    exempt: [],
    samples: [
        r#"{"confidences": [[0.2, 0.9], [0.5, 0.8], [0.9, 0.95]], "correct": [[false, true], [true, true], [true, true]]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{EarlyExit, Input, p_value};
    use guerdon_core::method::Function as _;

    #[test]
    fn published_p_values() {
        for (losses, p) in [(10, 0.008_071), (12, 0.032_047), (13, 0.056_562)] {
            assert!((p_value(losses, 200, 0.1) - p).abs() < 1e-6);
        }
    }

    #[test]
    fn harmless_early_answers_are_taken_and_few_items_prove_nothing() {
        let of = |n: usize, early: bool| {
            let input =
                Input { confidences: vec![vec![0.6, 0.9]; n], correct: vec![vec![early, true]; n] };
            EarlyExit::default().call(&input, 0).unwrap()
        };
        assert_eq!((of(100, true).threshold, of(100, true).steps), (Some(0.0), 0.5));
        assert!(of(100, false).threshold.unwrap() > 0.6 && of(100, false).loss == 0.0);
        assert_eq!(of(5, true).threshold, None);
    }
}
