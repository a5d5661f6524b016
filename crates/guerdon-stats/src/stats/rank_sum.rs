//! Mann-Whitney test of two independent samples, with effect sizes: Cliff's δ, Cohen's d, Hedges' g.
//!
//! # Formula
//!
//! ```text
//! U = Σ_i Σ_j [a_i > b_j] + ½[a_i = b_j]      P(a > b) = U/(nm)      δ = 2U/(nm) − 1
//! d = (ā − b̄)/s,  s² the pooled variance      g = d·(1 − 3/(4(n + m) − 9))
//! ```
//!
//! # When to use it
//!
//! For two models on different items, or whenever pairs are not matched; for the same items `stats.paired_test` sees more.
//!
//! # Departures
//!
//! Exact when the smaller sample has at most 8 values and nothing is tied, else normal with tie and continuity correction, as
//! scipy does. The exact distribution is counted to 200 values in all.
//!
//! # Example
//!
//! ```yaml
//! use: stats.rank_sum
//! ```
//!
//! ```
//! use guerdon_stats::stats::rank_sum::rank_sum;
//! let out = rank_sum(&[3.0, 4.0], &[1.0, 2.0]).unwrap();
//! assert_eq!((out.u, out.cliffs_delta), (4.0, 1.0));
//! ```
//!
//! # References
//!
//! Mann and Whitney 1947; Cliff, "Dominance statistics", 1993; Hedges 1981.

use guerdon_core::MethodError;
use guerdon_core::method::{Function, Params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dist::normal_sf;
use crate::moments::{check, finite, mean, squares};
use crate::order::{index, ranks, tie_sizes};

/// Parameters of `stats.rank_sum`: none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RankSum {}

impl Params for RankSum {}

/// Input of `stats.rank_sum`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// First sample, at least one value, finite.
    pub a: Vec<f64>,
    /// Second sample.
    pub b: Vec<f64>,
}

/// Output of `stats.rank_sum`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Mann-Whitney U of the first sample.
    pub u: f64,
    /// Two-sided p-value; 1 where all values are equal.
    pub p_value: f64,
    /// Whether the p-value is exact.
    pub exact: bool,
    /// Cliff's δ, −1 to 1: P(a > b) − P(a < b).
    pub cliffs_delta: f64,
    /// Cohen's d; null without spread.
    pub cohens_d: Option<f64>,
    /// Hedges' g; null without spread.
    pub hedges_g: Option<f64>,
}

/// P(U ≤ `u`) for sizes `n`, `m` without ties, by counting.
fn share_at_most(u: usize, n: usize, m: usize) -> f64 {
    let size = n * m;
    // Coefficients of Π (1 − q^{m+i})/(1 − q^i), scaled so that they sum to 1.
    let mut share = vec![0.0; size + 1];
    share[0] = 1.0;
    for i in 1..=n {
        for s in (m + i..=size).rev() {
            share[s] -= share[s - m - i];
        }
        for s in i..=size {
            share[s] += share[s - i];
        }
        let scale = i as f64 / (m + i) as f64;
        for c in &mut share {
            *c *= scale;
        }
    }
    share[..=u.min(size)].iter().sum()
}

/// The test and the effect sizes.
pub fn rank_sum(a: &[f64], b: &[f64]) -> Result<Output, MethodError> {
    check("a", a)?;
    check("b", b)?;
    let (n, m) = (a.len(), b.len());
    let (nf, mf) = (n as f64, m as f64);
    let all: Vec<f64> = a.iter().chain(b).copied().collect();
    let u = ranks(&all)[..n].iter().sum::<f64>() - nf * (nf + 1.0) / 2.0;
    let ties: f64 = tie_sizes(&all).into_iter().map(|t| (t as f64).powi(3) - t as f64).sum();
    let exact = n.min(m) <= 8 && ties == 0.0 && n + m <= 200;
    let greater = u.max(nf * mf - u);
    let p_value = if exact {
        2.0 * share_at_most(index(nf * mf - greater), n, m)
    } else {
        let total = nf + mf;
        let variance = nf * mf / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)));
        if variance > 0.0 {
            2.0 * normal_sf((greater - nf * mf / 2.0 - 0.5) / variance.sqrt())
        } else {
            1.0
        }
    };
    let pooled = ((squares(a) + squares(b)) / (nf + mf - 2.0)).sqrt();
    let spread = n + m > 2 && pooled > 0.0;
    let d = spread.then(|| finite("cohens_d", (mean(a) - mean(b)) / pooled)).transpose()?;
    Ok(Output {
        u,
        p_value: p_value.min(1.0),
        exact,
        cliffs_delta: 2.0 * u / (nf * mf) - 1.0,
        cohens_d: d,
        hedges_g: d.map(|d| d * (1.0 - 3.0 / (4.0 * (nf + mf) - 9.0))),
    })
}

impl Function for RankSum {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        rank_sum(&input.a, &input.b)
    }
}

guerdon_core::method! {
    RankSum: Function,
    id: "stats.rank_sum",
    papers: [],
    status: Verified(Reference("scipy.stats.mannwhitneyu 1.17")),
    laws: [PermutationInvariant],
    exempt: [Symmetric: "U becomes nm − U when the samples change places; the p-value and the size of the effects stay."],
    aliases: ["stats.effect_size"],
    samples: [r#"{"a": [0.3, 0.9, 0.7], "b": [0.1, 0.4, 0.2, 0.6]}"#, r#"{"a": [1, 1, 2], "b": [1, 3, 3]}"#],
}

#[cfg(test)]
mod tests {
    use super::{rank_sum, share_at_most};

    #[test]
    fn the_exact_distribution_is_that_of_all_orders() {
        // Of the 6 orders of 2 and 2 values U is 0, 1, 2, 2, 3, 4.
        for (u, share) in [(0, 1.0), (1, 2.0), (2, 4.0), (4, 6.0)] {
            assert!((share_at_most(u, 2, 2) - share / 6.0).abs() < 1e-12);
        }
    }

    #[test]
    fn equal_samples_are_no_evidence() {
        let out = rank_sum(&[1.0; 3], &[1.0; 4]).unwrap();
        assert_eq!((out.p_value, out.cliffs_delta, out.cohens_d), (1.0, 0.0, None));
        assert!(rank_sum(&[], &[1.0]).is_err());
    }
}
