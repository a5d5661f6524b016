//! AUROC: the probability that a positive scores above a negative, ties counted half.
//!
//! # Formula
//!
//! ```text
//! AUROC = P(s⁺ > s⁻) + ½·P(s⁺ = s⁻) = (R⁺ − n⁺(n⁺ + 1)/2) / (n⁺·n⁻)
//! ```
//!
//! `R⁺` is the sum of the average ranks of the positives. The standard error is DeLong's; the interval is normal, clipped
//! to [0, 1].
//!
//! # When to use it
//!
//! To see whether a score separates, whatever its scale and threshold. It says nothing about calibration; with few
//! positives read `stats.auprc` too.
//!
//! # Departures
//!
//! One class only leaves it undefined (null), not ½. The standard error needs two of each class.
//!
//! # Example
//!
//! ```yaml
//! use: stats.auroc
//! ```
//!
//! ```
//! use guerdon_stats::stats::auroc::auroc;
//! assert_eq!(auroc(&[0.9, 0.8, 0.7, 0.1], &[true, false, true, false]), Some(0.75));
//! ```
//!
//! # References
//!
//! Hanley and McNeil 1982; DeLong, DeLong and Clarke-Pearson, "Comparing the areas under two or more correlated receiver
//! operating characteristic curves", 1988.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bootstrap::check_level;
use crate::dist::two_sided_z;
use crate::moments::{binary, check, variance};
use crate::order::ranks;
use crate::resample::Interval;

/// Parameters of `stats.auroc`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Auroc {
    /// Confidence level, between 0 and 1. Default 0.95.
    pub level: f64,
}

impl Default for Auroc {
    fn default() -> Self {
        Self { level: 0.95 }
    }
}

impl Params for Auroc {
    fn validate(&self) -> Result<(), ParamError> {
        check_level(self.level)
    }
}

/// Scores with outcomes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scored {
    /// The scores, at least one, finite; greater means more likely positive.
    pub scores: Vec<f64>,
    /// The outcomes: 1 positive, 0 negative.
    pub labels: Vec<f64>,
}

impl Scored {
    /// Checks both lists and reads the outcomes.
    pub fn read(&self) -> Result<Vec<bool>, MethodError> {
        MethodError::same_length(("scores", self.scores.len()), ("labels", self.labels.len()))?;
        check("scores", &self.scores)?;
        binary("labels", &self.labels)
    }
}

/// Output of `stats.auroc`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The area, 0 to 1; null with one class only.
    pub auroc: Option<f64>,
    /// DeLong's standard error; null below two of either class.
    pub standard_error: Option<f64>,
    /// Normal interval within [0, 1].
    pub interval: Option<Interval>,
    /// Number of positives.
    pub positives: usize,
    /// Number of negatives.
    pub negatives: usize,
}

/// The area under the ROC curve; `None` with one class only. Both slices are equally long.
pub fn auroc(scores: &[f64], labels: &[bool]) -> Option<f64> {
    let positives = labels.iter().filter(|l| **l).count() as f64;
    let negatives = labels.len() as f64 - positives;
    let sum: f64 = ranks(scores).iter().zip(labels).filter(|(_, l)| **l).map(|(r, _)| r).sum();
    (positives * negatives > 0.0)
        .then(|| (sum - positives * (positives + 1.0) / 2.0) / (positives * negatives))
}

/// DeLong's standard error of the area; `None` below two of either class.
pub fn standard_error(scores: &[f64], labels: &[bool]) -> Option<f64> {
    let of = |class: bool| -> Vec<f64> {
        scores.iter().zip(labels).filter(|(_, l)| **l == class).map(|(s, _)| *s).collect()
    };
    let all = ranks(scores);
    let placed = |class: bool, others: usize| {
        let own = ranks(&of(class));
        let all = all.iter().zip(labels).filter(|(_, l)| **l == class).map(|(r, _)| *r);
        all.zip(own).map(|(a, o)| (a - o) / others as f64).collect::<Vec<_>>()
    };
    let (n1, n0) = (of(true).len(), of(false).len());
    let (v1, v0) = (variance(&placed(true, n0), 1)?, variance(&placed(false, n1), 1)?);
    Some((v1 / n1 as f64 + v0 / n0 as f64).sqrt()).filter(|se| se.is_finite())
}

impl Function for Auroc {
    type Input = Scored;
    type Output = Output;

    fn call(&self, input: &Scored, _seed: u64) -> Result<Output, MethodError> {
        let labels = input.read()?;
        let area = auroc(&input.scores, &labels);
        let se = area.and_then(|_| standard_error(&input.scores, &labels));
        let reach = two_sided_z(self.level);
        let positives = labels.iter().filter(|l| **l).count();
        Ok(Output {
            auroc: area,
            standard_error: se,
            interval: area.zip(se).map(|(a, se)| Interval {
                low: (a - reach * se).max(0.0),
                high: (a + reach * se).min(1.0),
            }),
            positives,
            negatives: labels.len() - positives,
        })
    }
}

guerdon_core::method! {
    Auroc: Function,
    id: "stats.auroc",
    papers: ["ppe-2024", "math-feedback-2024", "offline-mbrl-2021", "reward-calibration-2024", "folktexts-2024"],
    status: Verified(Reference("scikit-learn roc_auc_score")),
    laws: [PermutationInvariant],
    exempt: [],
    samples: [
        r#"{"scores": [0.9, 0.8, 0.7, 0.1], "labels": [1, 0, 1, 0]}"#,
        r#"{"scores": [0.5, 0.5, 0.2, 0.9, 0.1], "labels": [1, 0, 0, 1, 1]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{auroc, standard_error};

    #[test]
    fn ties_count_half_and_one_class_is_undefined() {
        assert_eq!(auroc(&[1.0, 1.0], &[true, false]), Some(0.5));
        assert_eq!(auroc(&[1.0, 2.0], &[true, true]), None);
    }

    #[test]
    fn turning_the_scores_round_mirrors_the_area() {
        let (s, l) = ([0.3, 0.1, 0.3, 0.8, 0.5], [true, false, false, true, false]);
        let turned = s.map(|x: f64| -x);
        assert!((auroc(&s, &l).unwrap() + auroc(&turned, &l).unwrap() - 1.0).abs() < 1e-15);
        assert!(
            (standard_error(&s, &l).unwrap() - standard_error(&turned, &l).unwrap()).abs() < 1e-12
        );
    }
}
