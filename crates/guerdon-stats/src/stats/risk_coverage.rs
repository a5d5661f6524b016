//! Risk against coverage: how wrong a model is on the share of items it answers, most confident first.
//!
//! # Formula
//!
//! ```text
//! risk(k) = errors among the k most confident / k        AURC = (1/n)·Σ_{k=1}^{n} risk(k)
//! excess = AURC − AURC of a perfect order      cost(c) = (errors kept + c·rejected)/n
//! Chow: keep where confidence ≥ 1 − c
//! ```
//!
//! `c` is the price of a rejection where an error costs 1.
//!
//! # When to use it
//!
//! To judge a confidence that decides who answers: by abstaining, by asking a larger model or a person. `cost` needs
//! calibrated confidences, the curve only their order.
//!
//! # Departures
//!
//! Items of equal confidence enter together: within a tie the errors are spread evenly, so the order of the rows does not
//! matter. Without an accepted item the kept risk is null, not 0.
//!
//! # Example
//!
//! ```yaml
//! use: stats.risk_coverage
//! reject_cost: 0.3
//! ```
//!
//! ```
//! use guerdon_stats::stats::risk_coverage::curve;
//! let risk = curve(&[0.95, 0.9, 0.8, 0.6, 0.55], &[false, false, true, false, true]);
//! assert_eq!(risk[4], 0.4);
//! ```
//!
//! # References
//!
//! Chow 1970; El-Yaniv and Wiener 2010; Geifman, Uziel and El-Yaniv, "Bias-Reduced Uncertainty Estimation for Deep Neural
//! Classifiers", 2019 (excess).

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::moments::{binary, check_pair, mean};
use crate::order::{argsort, runs};

/// Parameters of `stats.risk_coverage`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RiskCoverage {
    /// Price of a rejection where an error costs 1, 0 to 1. Default 0.5.
    pub reject_cost: f64,
}

impl Default for RiskCoverage {
    fn default() -> Self {
        Self { reject_cost: 0.5 }
    }
}

impl Params for RiskCoverage {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("reject_cost", self.reject_cost, 0.0, 1.0)
    }
}

/// Input of `stats.risk_coverage`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Confidences, at least one, finite.
    pub confidences: Vec<f64>,
    /// Whether each answer is right: 1 or 0.
    pub correct: Vec<f64>,
}

/// Output of `stats.risk_coverage`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Risk among the k most confident, for k = 1 … n (coverage k/n).
    pub risk: Vec<f64>,
    /// Area under the curve, 0 to 1.
    pub area: f64,
    /// Area beyond that of a perfect order.
    pub excess_area: f64,
    /// Share that Chow's rule answers at `reject_cost`.
    pub coverage: f64,
    /// Risk among them; null when it answers none.
    pub kept_risk: Option<f64>,
    /// Risk among the rejected; null when it rejects none.
    pub rejected_risk: Option<f64>,
    /// Mean cost: errors kept and rejections paid.
    pub cost: f64,
}

/// The risk among the k most confident for k = 1 … n; ties share their errors evenly. Slices are equally long.
pub fn curve(confidences: &[f64], wrong: &[bool]) -> Vec<f64> {
    let mut order = argsort(confidences);
    order.reverse();
    let (mut errors, mut risk) = (0.0, Vec::with_capacity(order.len()));
    for run in runs(&order, |a, b| confidences[a] == confidences[b]) {
        let added = order[run.clone()].iter().filter(|i| wrong[**i]).count() as f64;
        for step in 1..=run.len() {
            let reached = errors + added * step as f64 / run.len() as f64;
            risk.push(reached / (run.start + step) as f64);
        }
        errors += added;
    }
    risk
}

/// Area of the curve of a perfect order: all `wrong` of `n` at the end.
fn perfect_area(n: usize, wrong: usize) -> f64 {
    (1..=wrong).map(|k| k as f64 / (n - wrong + k) as f64).sum::<f64>() / n as f64
}

impl Function for RiskCoverage {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        check_pair(("confidences", &input.confidences), ("correct", &input.correct))?;
        let wrong: Vec<bool> = binary("correct", &input.correct)?.iter().map(|c| !c).collect();
        let risk = curve(&input.confidences, &wrong);
        let area = mean(&risk);
        let n = wrong.len();
        let errors = wrong.iter().filter(|w| **w).count();
        let kept: Vec<bool> =
            input.confidences.iter().map(|c| *c >= 1.0 - self.reject_cost).collect();
        let among = |side: bool| {
            let members = kept.iter().zip(&wrong).filter(|(k, _)| **k == side).map(|(_, w)| *w);
            members.fold((0.0, 0.0), |(count, bad), w| (count + 1.0, bad + f64::from(u8::from(w))))
        };
        let ((answered, bad), (rejected, missed)) = (among(true), among(false));
        let rate = |bad: f64, all: f64| (all > 0.0).then(|| bad / all);
        Ok(Output {
            risk,
            area,
            excess_area: area - perfect_area(n, errors),
            coverage: answered / n as f64,
            kept_risk: rate(bad, answered),
            rejected_risk: rate(missed, rejected),
            cost: (bad + self.reject_cost * rejected) / n as f64,
        })
    }
}

guerdon_core::method! {
    RiskCoverage: Function,
    id: "stats.risk_coverage",
    papers: ["reject-option-2021"],
    status: Verified(Worked("five answers: risks, area 0.196667, costs 0.06, 0.32, 0.4")),
    laws: [PermutationInvariant],
    exempt: [],
    samples: [
        r#"{"confidences": [0.95, 0.9, 0.8, 0.6, 0.55], "correct": [1, 1, 0, 1, 0]}"#,
        r#"{"confidences": [0.5, 0.5, 0.5], "correct": [1, 0, 1]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Input, RiskCoverage};
    use guerdon_core::method::Function as _;

    fn check(reject_cost: f64, coverage: f64, risk: f64, cost: f64) {
        let input = Input {
            confidences: vec![0.95, 0.9, 0.8, 0.6, 0.55],
            correct: vec![1.0, 1.0, 0.0, 1.0, 0.0],
        };
        let out = RiskCoverage { reject_cost }.call(&input, 0).unwrap();
        assert!((out.area - 0.196_666_666_666_666_67).abs() < 1e-12);
        assert!((out.coverage - coverage).abs() < 1e-12 && (out.cost - cost).abs() < 1e-12);
        assert!((out.kept_risk.unwrap() - risk).abs() < 1e-12);
    }

    #[test]
    fn chow_at_three_prices() {
        check(0.1, 0.4, 0.0, 0.06);
        check(0.3, 0.6, 1.0 / 3.0, 0.32);
        check(0.45, 1.0, 0.4, 0.4);
    }

    #[test]
    fn a_perfect_order_has_no_excess() {
        let input = Input { confidences: vec![3.0, 2.0, 1.0], correct: vec![1.0, 1.0, 0.0] };
        let out = RiskCoverage { reject_cost: 0.0 }.call(&input, 0).unwrap();
        assert!(out.excess_area.abs() < 1e-15);
    }
}
