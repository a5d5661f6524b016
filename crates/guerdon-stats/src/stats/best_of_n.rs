//! Best-of-n curve: the expected value of the best of k drawn from a pool, without bias.
//!
//! # Formula
//!
//! ```text
//! E[k] = Σ_{i=0}^{N−1} v_(i)·C(i, k − 1) / C(N, k)        v_(i): the value of the i-th by rising score
//! KL(best of k ‖ base) ≤ ln k − (k − 1)/k
//! ```
//!
//! `score` is what chooses, `value` what is got: the same for an expected maximum, a gold reward for over-optimisation, 0/1
//! correctness for the accuracy of a selector. The oracle curve chooses by value, the worst curve by falling value.
//!
//! # When to use it
//!
//! To read a whole curve off one pool of N samples per prompt. Averages over prompts are taken outside.
//!
//! # Departures
//!
//! Ties in score share their values evenly (a random one of them would be chosen). k > N has no value (null).
//!
//! # Example
//!
//! ```yaml
//! use: stats.best_of_n
//! k: [1, 2, 4, 8]
//! ```
//!
//! ```
//! use guerdon_stats::stats::best_of_n::best_of_k;
//! assert!((best_of_k(&[1.0, 2.0, 3.0, 4.0], &[0.1, 0.4, 0.3, 0.9], 2).unwrap() - 0.616_666_666_666_666_7).abs() < 1e-12);
//! ```
//!
//! # References
//!
//! Nakano et al., "WebGPT", 2021, appendix I (the estimator); Gao et al., "Scaling Laws for Reward Model Overoptimization", 2022.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pass_at_k::check_k;
use crate::moments::{check_pair, finite};
use crate::order::{argsort, runs};

/// Parameters of `stats.best_of_n`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BestOfN {
    /// Pool sizes, each at least 1; empty: 1 to the size of the pool. Default empty.
    pub k: Vec<u64>,
}

impl Params for BestOfN {
    fn validate(&self) -> Result<(), ParamError> {
        if self.k.is_empty() { Ok(()) } else { check_k(&self.k) }
    }
}

/// Input of `stats.best_of_n`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// What chooses: the score of each sample, at least one, finite.
    pub scores: Vec<f64>,
    /// What is got; absent: the scores themselves.
    #[serde(default)]
    pub values: Vec<f64>,
}

/// One k.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    /// Samples drawn.
    pub k: u64,
    /// Expected value of the best by score; null for k beyond the pool.
    pub best: Option<f64>,
    /// Expected value of the best by value: the ceiling.
    pub oracle: Option<f64>,
    /// Expected value of the worst by value.
    pub worst: Option<f64>,
    /// Upper bound of the divergence from the base, nats.
    pub kl: f64,
}

/// Output of `stats.best_of_n`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The curve.
    pub curve: Vec<Point>,
    /// The greatest `best` of the curve.
    pub maximum: Option<f64>,
    /// Mean squared gap between `oracle` and `best`.
    pub loss: Option<f64>,
}

/// Expected value of the best by `scores` of `k` drawn without replacement; `None` for k = 0 or beyond the pool.
pub fn best_of_k(scores: &[f64], values: &[f64], k: usize) -> Option<f64> {
    let n = scores.len();
    if k == 0 || k > n {
        return None;
    }
    let order = argsort(scores);
    // C(i, k − 1)/C(n, k) from the top down: k/n at i = n − 1, then times (i − k + 1)/i.
    let mut weight = vec![0.0; n];
    weight[n - 1] = k as f64 / n as f64;
    for i in (k..n).rev() {
        weight[i - 1] = weight[i] * (i - k + 1) as f64 / i as f64;
    }
    let of_run = |run: std::ops::Range<usize>| {
        let chance: f64 = weight[run.clone()].iter().sum();
        let mean = order[run.clone()].iter().map(|&i| values[i]).sum::<f64>() / run.len() as f64;
        chance * mean
    };
    Some(runs(&order, |a, b| scores[a] == scores[b]).map(of_run).sum())
}

/// Largest work (points × pool).
const LIMIT: usize = 200_000_000;

impl Function for BestOfN {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        let values = if input.values.is_empty() { &input.scores } else { &input.values };
        check_pair(("scores", &input.scores), ("values", values))?;
        let n = values.len();
        let all: Vec<u64> = (1..=n as u64).collect();
        let asked = if self.k.is_empty() { &all } else { &self.k };
        if asked.len().saturating_mul(n) > LIMIT {
            return Err(MethodError::Budget(format!(
                "{} points over {n} samples; name fewer `k`",
                asked.len()
            )));
        }
        let turned: Vec<f64> = values.iter().map(|v| -v).collect();
        let point = |&k: &u64| {
            let size = usize::try_from(k).unwrap_or(usize::MAX);
            let of =
                |by: &[f64]| best_of_k(by, values, size).map(|v| finite("curve", v)).transpose();
            let kl = (k as f64).ln() - (k as f64 - 1.0) / k as f64;
            Ok(Point { k, best: of(&input.scores)?, oracle: of(values)?, worst: of(&turned)?, kl })
        };
        let curve = asked.iter().map(point).collect::<Result<Vec<_>, MethodError>>()?;
        let gaps: Vec<f64> =
            curve.iter().filter_map(|p| Some((p.oracle? - p.best?).powi(2))).collect();
        let loss = (!gaps.is_empty())
            .then(|| finite("loss", gaps.iter().sum::<f64>() / gaps.len() as f64))
            .transpose()?;
        let maximum = curve.iter().filter_map(|p| p.best).reduce(f64::max);
        Ok(Output { curve, maximum, loss })
    }
}

guerdon_core::method! {
    BestOfN: Function,
    id: "stats.best_of_n",
    papers: ["overopt-2022", "rm-ensembles-2023", "ppe-2024"],
    status: Verified(ClosedForm("exact integer combinatorics; worked curve of eight samples")),
    laws: [PermutationInvariant],
    exempt: [],
    samples: [
        r#"{"scores": [0.3, 0.1, 0.8, 0.8], "values": [1, 0, 1, 0]}"#,
        r#"{"scores": [0.3, 0.1, 0.8]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{BestOfN, Input, best_of_k};
    use guerdon_core::method::Function as _;

    #[test]
    fn a_worked_curve() {
        let scores: Vec<f64> = (0..8).rev().map(f64::from).collect();
        let values = vec![0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0];
        let out = BestOfN::default().call(&Input { scores, values }, 0).unwrap();
        let expect = [0.375, 0.4643, 0.4643, 0.4286, 0.3571, 0.25, 0.125, 0.0];
        let oracle = [0.375, 0.6429, 0.8214, 0.9286, 0.9821, 1.0, 1.0, 1.0];
        for (i, point) in out.curve.iter().enumerate() {
            assert!(
                (point.best.unwrap() - expect[i]).abs() < 1e-4
                    && (point.oracle.unwrap() - oracle[i]).abs() < 1e-4
            );
        }
        assert!(
            (out.loss.unwrap() - 0.391_024).abs() < 1e-6
                && (out.maximum.unwrap() - 0.4643).abs() < 1e-4
        );
    }

    #[test]
    fn equal_scores_get_the_mean() {
        assert!((best_of_k(&[1.0; 4], &[0.0, 0.0, 1.0, 1.0], 3).unwrap() - 0.5).abs() < 1e-15);
        assert_eq!(best_of_k(&[1.0], &[1.0], 2), None);
    }
}
