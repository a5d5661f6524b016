//! Cascade: a cheap model answers or defers to the next, by confidence against thresholds.
//!
//! # Formula
//!
//! ```text
//! item goes to the first stage s with confidence_s ≥ t_s, else to the last;  cost = Σ prices of the stages asked
//! Bayes rule for two stages: defer iff P(second right) − P(first right) > price
//! ```
//!
//! # When to use it
//!
//! When a small model knows what it does not know. Confidence alone is optimal only if the large model's chances order like the
//! small one's or are constant; for specialists train a post-hoc score and give that as confidence.
//!
//! # Departures
//!
//! Scores are given, not fitted: maximum probability, agreement of samples or a post-hoc score serve alike. A target rate sets
//! the threshold of the first stage at the quantile, ties deferring together.
//!
//! # Example
//!
//! ```yaml
//! use: select.cascade
//! thresholds: [0.8]
//! ```
//!
//! ```
//! use guerdon_select::select::cascade::stage;
//! assert_eq!(stage(&[0.7, 0.9, 0.1], &[0.8, 0.8]), 1);
//! ```
//!
//! # References
//!
//! Jitkrittum et al., "When Does Confidence-Based Cascade Deferral Suffice?", 2023.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Parameters of `select.cascade`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Cascade {
    /// Confidence at which each stage but the last answers. Default [0.5].
    pub thresholds: Vec<f64>,
    /// Share of items that the first of two stages defers, 0 to 1; replaces `thresholds`. Default none.
    pub defer_rate: Option<f64>,
}

impl Default for Cascade {
    fn default() -> Self {
        Self { thresholds: vec![0.5], defer_rate: None }
    }
}

impl Params for Cascade {
    fn validate(&self) -> Result<(), ParamError> {
        self.thresholds
            .iter()
            .try_for_each(|t| ParamError::in_range("thresholds", *t, f64::MIN, f64::MAX))?;
        self.defer_rate.map_or(Ok(()), |r| ParamError::in_range("defer_rate", r, 0.0, 1.0))
    }
}

/// Input of `select.cascade`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Per item, the confidence of each stage but the last; at least one item.
    pub confidences: Vec<Vec<f64>>,
    /// Per item, whether each stage would be right; absent: no accuracy is given.
    #[serde(default)]
    pub correct: Vec<Vec<bool>>,
    /// Price of asking each stage; absent: 1 each.
    #[serde(default)]
    pub prices: Vec<f64>,
}

/// Output of `select.cascade`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The stage that answers each item.
    pub stages: Vec<usize>,
    /// Share of items that reach each stage.
    pub reached: Vec<f64>,
    /// Mean price per item.
    pub cost: f64,
    /// Accuracy; null without outcomes.
    pub accuracy: Option<f64>,
}

/// The stage that answers an item; `thresholds` has one entry per stage but the last.
pub fn stage(confidences: &[f64], thresholds: &[f64]) -> usize {
    confidences.iter().zip(thresholds).position(|(c, t)| c >= t).unwrap_or(thresholds.len())
}

impl Cascade {
    fn bounds(&self, input: &Input) -> Vec<f64> {
        let Some(rate) = self.defer_rate else { return self.thresholds.clone() };
        let mut first: Vec<f64> =
            input.confidences.iter().filter_map(|c| c.first().copied()).collect();
        first.sort_by(f64::total_cmp);
        let count = guerdon_stats::order::index((rate * first.len() as f64).round());
        vec![first.get(count).copied().unwrap_or(f64::INFINITY)]
    }
}

impl Function for Cascade {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        let n = input.confidences.len();
        if n == 0 {
            return Err(MethodError::domain("there is no item"));
        }
        let bounds = self.bounds(input);
        let stages = bounds.len() + 1;
        for row in &input.confidences {
            MethodError::same_length(
                ("thresholds", bounds.len()),
                ("confidences of an item", row.len()),
            )?;
            MethodError::all_finite("confidences", row)?;
        }
        let prices = if input.prices.is_empty() { vec![1.0; stages] } else { input.prices.clone() };
        MethodError::same_length(("stages", stages), ("prices", prices.len()))?;
        if prices.iter().any(|p| !(0.0..=1e100).contains(p)) {
            return Err(MethodError::domain("`prices` must not be negative"));
        }
        let chosen: Vec<usize> = input.confidences.iter().map(|c| stage(c, &bounds)).collect();
        let reached: Vec<f64> = (0..stages)
            .map(|s| chosen.iter().filter(|c| **c >= s).count() as f64 / n as f64)
            .collect();
        let cost = reached.iter().zip(&prices).map(|(r, p)| r * p).sum();
        let accuracy = if input.correct.is_empty() {
            None
        } else {
            MethodError::same_length(("confidences", n), ("correct", input.correct.len()))?;
            for row in &input.correct {
                MethodError::same_length(("stages", stages), ("correct of an item", row.len()))?;
            }
            Some(
                chosen.iter().zip(&input.correct).filter(|(s, row)| row[**s]).count() as f64
                    / n as f64,
            )
        };
        Ok(Output { stages: chosen, reached, cost, accuracy })
    }
}

guerdon_core::method! {
    Cascade: Function,
    id: "select.cascade",
    papers: ["cascade-deferral-2023"],
    status: Verified(Worked("two groups, η1 0.6, 0.5, η2 0.9, 0.4: confidence 0.5, the best deferral 0.7")),
    laws: [],
    exempt: [],
    samples: [r#"{"confidences": [[0.4], [0.9], [0.6]], "correct": [[false, true], [true, true], [true, false]]}"#],
}

#[cfg(test)]
mod tests {
    use super::{Cascade, Input};
    use guerdon_core::method::Function as _;

    /// Two groups of ten: the first model right on 6 and 5, the second on 9 and 4.
    fn groups(first: f64, second: f64) -> Input {
        let item = |i: usize, a: usize, b: usize| vec![i % 10 < a, i % 10 < b];
        Input {
            confidences: (0..20).map(|i| vec![if i < 10 { first } else { second }]).collect(),
            correct: (0..20).map(|i| if i < 10 { item(i, 6, 9) } else { item(i, 5, 4) }).collect(),
            prices: vec![1.0, 10.0],
        }
    }

    #[test]
    fn confidence_defers_the_wrong_group_of_a_specialist() {
        let half = Cascade { defer_rate: Some(0.5), ..Cascade::default() };
        let out = half.call(&groups(0.6, 0.5), 0).unwrap();
        assert_eq!((out.accuracy, out.cost), (Some(0.5), 6.0));
        // A post-hoc score that knows where the second gains turns the order round.
        assert_eq!(half.call(&groups(-0.3, 0.1), 0).unwrap().accuracy, Some(0.7));
    }

    #[test]
    fn all_or_nothing() {
        let rate = |r| {
            Cascade { defer_rate: Some(r), ..Cascade::default() }
                .call(&groups(0.6, 0.5), 0)
                .unwrap()
                .reached[1]
        };
        assert_eq!((rate(0.0), rate(1.0)), (0.0, 1.0));
    }
}
