//! Calibrates scores by the line that gives them the mean and spread of the labels.
//!
//! # Formula
//!
//! ```text
//! r'_i = μ_label + (σ_label / σ_score) · (r_i − μ_score)
//! ```
//!
//! The moments are those of the labelled rollouts, which have a value in the column `label`; they are gathered over the
//! run (at most 100 000, saved with it). With `mean` and `std` the target is given, and the scores' moments are those of
//! all rollouts of the batch. Where the scores do not spread, every rollout gets the target's mean.
//!
//! # When to use it
//!
//! Where a rater compresses its scale evenly, and labels are few. Regression to the mean alone makes ratings spread less
//! than truth: stretching then adds noise, so look at the errors before and after.
//!
//! # Departures
//!
//! None; population moments (divisor n).
//!
//! # Example
//!
//! ```yaml
//! use: shape.match_moments
//! label: human
//! ```
//!
//! ```
//! use guerdon_shape::shape::match_moments::line;
//! assert_eq!(line(3.0, (2.0, 0.5), (10.0, 1.0)), 12.0);
//! ```
//!
//! # References
//!
//! Auditing multimodal raters: "Central Tendency Bias in Clinical Ordinal Scoring" (as repair).

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::labelled::Labelled;
use crate::moments::moments;

/// Parameters of `shape.match_moments`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MatchMoments {
    /// Column with the label of some rollouts. Default `label`.
    pub label: String,
    /// Mean aimed at, in place of labels; needs `std`. Finite; default: that of the labels.
    pub mean: Option<f64>,
    /// Standard deviation aimed at; needs `mean`. At least 0; default: that of the labels.
    pub std: Option<f64>,
}

impl Default for MatchMoments {
    fn default() -> Self {
        Self { label: "label".to_owned(), mean: None, std: None }
    }
}

impl Params for MatchMoments {
    fn validate(&self) -> Result<(), ParamError> {
        if self.mean.is_some() != self.std.is_some() {
            return Err(ParamError::new(
                "mean",
                "`mean` and `std` are given together or not at all",
            ));
        }
        ParamError::in_range("mean", self.mean.unwrap_or(0.0), f64::NEG_INFINITY, f64::INFINITY)?;
        ParamError::in_range("std", self.std.unwrap_or(0.0), 0.0, f64::INFINITY)
    }
}

/// `x` moved from the moments `from` (mean, deviation) to the moments `to`.
pub fn line(x: f64, from: (f64, f64), to: (f64, f64)) -> f64 {
    if from.1 == 0.0 { to.0 } else { to.0 + (x - from.0) / from.1 * to.1 }
}

fn mean_std(values: &[f64]) -> (f64, f64) {
    let own = moments(values, 0);
    (own.mean, own.std)
}

impl MatchMoments {
    fn target(&self) -> Option<(f64, f64)> {
        self.mean.zip(self.std)
    }

    fn transform(self) -> Matcher {
        Matcher { params: self, labelled: Labelled::default() }
    }
}

/// `shape.match_moments` in a run: the parameters and the labelled pairs.
#[derive(Debug, Clone)]
pub struct Matcher {
    params: MatchMoments,
    labelled: Labelled,
}

impl Transform for Matcher {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        if let Some(target) = self.params.target() {
            return view.dense(&[], |d| {
                let from = mean_std(&d.values);
                Ok(d.values.iter().map(|x| line(*x, from, target)).collect())
            });
        }
        self.labelled.gather(view, &self.params.label)?;
        self.labelled.needed(view.current()?, &self.params.label)?;
        let (scores, labels) = self.labelled.columns();
        let (from, to) = (mean_std(&scores), mean_std(&labels));
        view.dense(&[], |d| Ok(d.values.iter().map(|x| line(*x, from, to)).collect()))
    }

    fn reads(&self) -> Vec<String> {
        if self.params.target().is_some() { Vec::new() } else { vec![self.params.label.clone()] }
    }

    fn scope(&self) -> Scope {
        Scope::Batch
    }

    fn save(&self) -> Value {
        if self.params.target().is_some() {
            Value::Null
        } else {
            serde_json::to_value(&self.labelled).unwrap_or_default()
        }
    }

    fn restore(&mut self, state: &Value) -> Result<(), MethodError> {
        if !state.is_null() {
            self.labelled = super::state::read(state)?;
        }
        Ok(())
    }
}

guerdon_core::method! {
    MatchMoments: StatefulTransform,
    id: "shape.match_moments",
    papers: ["cdt-raters"],
    status: Verified(ClosedForm("the calibrated labelled scores have the labels' mean and deviation")),
    laws: [ShiftInvariant, ScaleInvariant, OrderPreserving],
    exempt: [],
    sample_params: r#"{"label": "score"}"#,
}

#[cfg(test)]
mod tests {
    use super::{line, mean_std};

    #[test]
    fn calibrated_scores_have_the_labels_moments() {
        let truth = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
        let rated = [1.0, 2.0, 2.0, 3.0, 3.0, 4.0];
        let (from, to) = (mean_std(&rated), mean_std(&truth));
        assert!((from.1 / to.1 - 0.560_612).abs() < 1e-6);
        let own = mean_std(&rated.map(|x| line(x, from, to)));
        assert!((own.0 - to.0).abs() < 1e-12 && (own.1 - to.1).abs() < 1e-12);
    }

    #[test]
    fn no_spread_gives_the_mean() {
        assert_eq!(line(7.0, (7.0, 0.0), (2.0, 1.0)), 2.0);
    }
}
