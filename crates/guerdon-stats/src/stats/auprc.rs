//! Average precision: the area under the precision-recall curve, step by step.
//!
//! # Formula
//!
//! ```text
//! AP = Σ_t (R_t − R_{t−1})·P_t        over the distinct scores t, from the greatest down
//! ```
//!
//! `P_t`, `R_t` are precision and recall of "score at least t". A random score has AP near the share of positives.
//!
//! # When to use it
//!
//! When positives are rare and only the top of the ranking is used. Unlike `stats.auroc` it depends on the share of
//! positives: compare only on the same data.
//!
//! # Departures
//!
//! No interpolation (the trapezoid is too optimistic); without a positive it is undefined (null).
//!
//! # Example
//!
//! ```yaml
//! use: stats.auprc
//! ```
//!
//! ```
//! use guerdon_stats::stats::auprc::average_precision;
//! let ap = average_precision(&[0.9, 0.8, 0.7, 0.1], &[true, false, true, false]).unwrap();
//! assert!((ap - 0.833_333_333_333_333_4).abs() < 1e-15);
//! ```
//!
//! # References
//!
//! Boyd, Eng and Page, "Area under the Precision-Recall Curve: Point Estimates and Confidence Intervals", 2013.

use guerdon_core::MethodError;
use guerdon_core::method::{Function, Params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::auroc::Scored;
use crate::order::{argsort, runs};

/// Parameters of `stats.auprc`: none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Auprc {}

impl Params for Auprc {}

/// Output of `stats.auprc`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Average precision, 0 to 1; null without a positive.
    pub average_precision: Option<f64>,
    /// Share of positives: what a random score gets.
    pub base_rate: f64,
}

/// Average precision; `None` without a positive. Both slices are equally long.
pub fn average_precision(scores: &[f64], labels: &[bool]) -> Option<f64> {
    let mut order = argsort(scores);
    order.reverse();
    let positives = labels.iter().filter(|l| **l).count() as f64;
    let (mut seen, mut hits, mut area) = (0.0, 0.0, 0.0);
    for run in runs(&order, |a, b| scores[a] == scores[b]) {
        let gained = order[run.clone()].iter().filter(|i| labels[**i]).count() as f64;
        seen += run.len() as f64;
        hits += gained;
        area += gained / positives * hits / seen;
    }
    (positives > 0.0).then_some(area)
}

impl Function for Auprc {
    type Input = Scored;
    type Output = Output;

    fn call(&self, input: &Scored, _seed: u64) -> Result<Output, MethodError> {
        let labels = input.read()?;
        let positives = labels.iter().filter(|l| **l).count() as f64;
        Ok(Output {
            average_precision: average_precision(&input.scores, &labels),
            base_rate: positives / labels.len() as f64,
        })
    }
}

guerdon_core::method! {
    Auprc: Function,
    id: "stats.auprc",
    papers: [],
    status: Verified(Worked("labels 1, 0, 1, 0 at 0.9, 0.8, 0.7, 0.1: 0.8333")),
    laws: [PermutationInvariant],
    exempt: [],
    samples: [
        r#"{"scores": [0.9, 0.8, 0.7, 0.1], "labels": [1, 0, 1, 0]}"#,
        r#"{"scores": [0.5, 0.5, 0.2], "labels": [1, 0, 0]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::average_precision;

    #[test]
    fn a_constant_score_has_the_base_rate() {
        assert_eq!(average_precision(&[1.0; 4], &[true, false, false, false]), Some(0.25));
        assert_eq!(average_precision(&[1.0], &[false]), None);
        assert_eq!(average_precision(&[3.0, 2.0, 1.0], &[true, true, false]), Some(1.0));
    }
}
