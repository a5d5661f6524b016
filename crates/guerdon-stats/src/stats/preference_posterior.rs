//! Gaussian posterior over the values of items after comparisons: how uncertain each difference still is.
//!
//! # Formula
//!
//! ```text
//! V = K − KAᵀ(AKAᵀ + s²I)⁻¹AK        mean = KAᵀ(AKAᵀ + s²I)⁻¹y        pair variance(i, j) = V_ii + V_jj − 2V_ij
//! ```
//!
//! `K` is the prior covariance (a kernel of the items), a row of `A` is +1 at the first and −1 at the second item of a
//! comparison, `s²` the noise of a comparison, `y` the observed differences.
//!
//! # When to use it
//!
//! To compare ways of spending labels (tree pairs, random pairs, chains) before any is bought, or to find the pair that is
//! least known.
//!
//! # Departures
//!
//! Comparisons are observed differences with Gaussian noise, not 0/1 outcomes: the account is of uncertainty, not of a fit.
//!
//! # Example
//!
//! ```yaml
//! use: stats.preference_posterior
//! noise: 1.0
//! ```
//!
//! ```
//! use guerdon_stats::stats::preference_posterior::posterior;
//! let out = posterior(&[vec![2.0, 0.0], vec![0.0, 2.0]], &[(0, 1)], &[], 1.0).unwrap();
//! assert!((out.mean_pair_variance - 0.8).abs() < 1e-12);
//! ```
//!
//! # References
//!
//! Qiu et al., "Reward Generalization in RLHF: A Topological Perspective", 2024.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::linalg::{Cholesky, MAX_ROWS};
use crate::moments::{at_least, check, finite};

/// Parameters of `stats.preference_posterior`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PreferencePosterior {
    /// Noise variance of a comparison, greater than 0. Default 1.
    pub noise: f64,
}

impl Default for PreferencePosterior {
    fn default() -> Self {
        Self { noise: 1.0 }
    }
}

impl Params for PreferencePosterior {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::positive("noise", self.noise)
    }
}

/// Input of `stats.preference_posterior`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Prior covariance of the items, symmetric, at least two items.
    pub covariance: Vec<Vec<f64>>,
    /// The comparisons: indices of first and second item.
    pub comparisons: Vec<(usize, usize)>,
    /// Observed difference of each comparison; absent: no mean is given.
    #[serde(default)]
    pub differences: Vec<f64>,
}

/// Output of `stats.preference_posterior`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Mean over pairs of the variance of the difference.
    pub mean_pair_variance: f64,
    /// Posterior covariance of the items.
    pub covariance: Vec<Vec<f64>>,
    /// Posterior mean of the items; null without differences.
    pub mean: Option<Vec<f64>>,
    /// The pair whose difference is least known.
    pub widest: (usize, usize),
}

/// The posterior under noise variance `noise`.
pub fn posterior(
    prior: &[Vec<f64>],
    comparisons: &[(usize, usize)],
    differences: &[f64],
    noise: f64,
) -> Result<Output, MethodError> {
    let (n, m) = (prior.len(), comparisons.len());
    at_least("covariance", n, 2)?;
    if n > MAX_ROWS || m > MAX_ROWS {
        return Err(MethodError::Budget(format!(
            "{n} items and {m} comparisons: at most {MAX_ROWS} of each"
        )));
    }
    for row in prior {
        MethodError::same_length(("covariance", n), ("a row of covariance", row.len()))?;
        check("covariance", row)?;
    }
    let uneven = |&(i, j): &(usize, usize)| {
        (prior[i][j] - prior[j][i]).abs() > 1e-9 * prior[i][j].abs().max(1.0)
    };
    if (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).any(|pair| uneven(&pair)) {
        return Err(MethodError::domain("`covariance` must be symmetric"));
    }
    if let Some(bad) = comparisons.iter().find(|(i, j)| *i >= n || *j >= n || i == j) {
        return Err(MethodError::domain(format!("{bad:?} does not compare two of {n} items")));
    }
    // Column c of KAᵀ is the covariance of the items with comparison c.
    let with = |item: usize, (i, j): (usize, usize)| prior[item][i] - prior[item][j];
    let mut gram = vec![0.0; m * m];
    for (r, &(i, j)) in comparisons.iter().enumerate() {
        for (c, &pair) in comparisons.iter().enumerate() {
            gram[r * m + c] = with(i, pair) - with(j, pair) + if r == c { noise } else { 0.0 };
        }
    }
    let solver = Cholesky::new(&gram, m)?;
    let row = |item: usize| comparisons.iter().map(|&pair| with(item, pair)).collect::<Vec<_>>();
    let rows: Vec<Vec<f64>> = (0..n).map(row).collect();
    let solved: Vec<Vec<f64>> = rows.iter().map(|r| solver.solve(r)).collect();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let covariance: Vec<Vec<f64>> =
        (0..n).map(|i| (0..n).map(|j| prior[i][j] - dot(&rows[i], &solved[j])).collect()).collect();
    let mean = if differences.is_empty() {
        None
    } else {
        MethodError::same_length(("comparisons", m), ("differences", differences.len()))?;
        check("differences", differences)?;
        Some(solved.iter().map(|s| finite("mean", dot(s, differences))).collect::<Result<_, _>>()?)
    };
    let spread = |i: usize, j: usize| covariance[i][i] + covariance[j][j] - 2.0 * covariance[i][j];
    let (mut sum, mut widest) = (0.0, (0, 1));
    for (j, i) in (0..n).flat_map(|i| (0..i).map(move |j| (j, i))) {
        sum += spread(j, i);
        if spread(j, i) > spread(widest.0, widest.1) {
            widest = (j, i);
        }
    }
    let mean_pair_variance = finite("mean_pair_variance", sum / (n * (n - 1) / 2) as f64)?;
    Ok(Output { mean_pair_variance, covariance, mean, widest })
}

impl Function for PreferencePosterior {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        posterior(&input.covariance, &input.comparisons, &input.differences, self.noise)
    }
}

guerdon_core::method! {
    PreferencePosterior: Function,
    id: "stats.preference_posterior",
    papers: ["tree-rm-2024"],
    status: Verified(Worked("two items: 4 → 0.8; eight leaves of a binary tree: 4.857, after a chain of 7 1.579")),
    laws: [],
    exempt: [],
    samples: [r#"{"covariance": [[2, 0.5], [0.5, 2]], "comparisons": [[0, 1]], "differences": [1]}"#],
}

#[cfg(test)]
mod tests {
    use super::posterior;

    /// Covariance of the leaves of a binary tree of depth 3 with unit edges.
    fn leaves() -> Vec<Vec<f64>> {
        let shared =
            |i: usize, j: usize| (0..3).take_while(|d| i >> (2 - d) == j >> (2 - d)).count() as f64;
        (0..8).map(|i| (0..8).map(|j| shared(i, j)).collect()).collect()
    }

    #[test]
    fn comparisons_in_a_tree() {
        let none = posterior(&leaves(), &[], &[], 1.0).unwrap();
        assert!((none.mean_pair_variance - 4.857).abs() < 5e-4);
        let chain: Vec<_> = (0..7).map(|i| (i, i + 1)).collect();
        let chain = posterior(&leaves(), &chain, &[], 1.0).unwrap();
        assert!((chain.mean_pair_variance - 1.579).abs() < 5e-4, "{}", chain.mean_pair_variance);
    }

    #[test]
    fn an_observed_difference_moves_the_mean() {
        let out = posterior(&[vec![2.0, 0.0], vec![0.0, 2.0]], &[(0, 1)], &[1.0], 1.0).unwrap();
        assert!((out.mean.unwrap()[0] - 0.4).abs() < 1e-12);
        assert!(posterior(&[vec![1.0, 0.0], vec![0.5, 1.0]], &[], &[], 1.0).is_err());
    }
}
