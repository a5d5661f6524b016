//! Kendall's rank correlation with ties: τ-b, τ-c, τ-a or Somers' D, with a p-value.
//!
//! # Formula
//!
//! ```text
//! S = concordant − discordant pairs,  N = n(n − 1)/2,  X, Y = pairs tied in x, in y
//! τ-b = S / √((N − X)(N − Y))    τ-c = 2S·m / (n²(m − 1))    τ-a = S / N    D(y|x) = S / (N − X)
//! ```
//!
//! `m` is the smaller number of distinct values. The asymptotic p-value is two-sided normal with the variance of S under
//! independence, corrected for ties; the exact one counts the permutations with as few inversions (no ties allowed).
//!
//! # When to use it
//!
//! For agreement of two orders: a metric against human ranks, a judge against another. τ-b when both sides have ties of
//! the same kind, τ-c when one has far fewer levels than the other.
//!
//! # Departures
//!
//! Conventions are scipy's: `p_value: auto` is exact without ties up to 33 pairs, asymptotic otherwise. A constant side
//! leaves the coefficient undefined (null), it is not 0.
//!
//! # Example
//!
//! ```yaml
//! use: stats.kendall
//! variant: tau_b
//! ```
//!
//! ```
//! use guerdon_stats::correlation::kendall_tau_b;
//! let tau = kendall_tau_b(&[5., 4., 3., 2., 1.], &[5., 3., 4., 1., 2.]).unwrap().unwrap();
//! assert!((tau - 0.6).abs() < 1e-15);
//! ```
//!
//! # References
//!
//! Kendall, "The Treatment of Ties in Ranking Problems", 1945; Knight, "A Computer Method for Calculating Kendall's Tau
//! with Ungrouped Data", 1966.

use guerdon_core::MethodError;
use guerdon_core::method::{Function, Params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::correlation::KendallCounts;
use crate::dist::normal_sf;
use crate::order::{index, tie_sizes};

/// Which coefficient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Variant {
    /// Ties taken off both sides.
    #[default]
    TauB,
    /// Stuart's, for tables that are not square.
    TauC,
    /// All pairs in the denominator; ties count as no order.
    TauA,
    /// Somers' D of y given x: pairs tied in x taken off.
    SomersD,
}

/// How the p-value is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PValue {
    /// Exact without ties up to 33 pairs, else asymptotic.
    #[default]
    Auto,
    /// Normal, with the tie-corrected variance.
    Asymptotic,
    /// By counting permutations; refused with ties or more than 170 pairs.
    Exact,
}

/// Parameters of `stats.kendall`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Kendall {
    /// Which coefficient. Default `tau_b`.
    pub variant: Variant,
    /// How the p-value is found. Default `auto`.
    pub p_value: PValue,
}

impl Params for Kendall {}

/// Two equally long lists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pairs {
    /// One side, at least one value, finite.
    pub x: Vec<f64>,
    /// The other side, as long as `x`.
    pub y: Vec<f64>,
}

/// A correlation with its p-value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Correlation {
    /// The coefficient, −1 to 1; null where a side is constant.
    pub coefficient: Option<f64>,
    /// Two-sided p-value of independence; null where it is undefined.
    pub p_value: Option<f64>,
    /// Number of pairs.
    pub n: usize,
}

/// The most pairs for which permutations are counted exactly.
const EXACT_LIMIT: usize = 170;

/// Two-sided asymptotic p-value of `counts`; `None` where the variance vanishes.
pub fn asymptotic_p(counts: &KendallCounts, x: &[f64], y: &[f64]) -> Option<f64> {
    let n = counts.n as f64;
    let (x0, y0) =
        (tie_sum(x, |t| t * (t - 1.0) * (t - 2.0)), tie_sum(y, |t| t * (t - 1.0) * (t - 2.0)));
    let (x1, y1) = (tie_sum(x, spread), tie_sum(y, spread));
    let m = n * (n - 1.0);
    let mut variance = (spread(n) - x1 - y1) / 18.0 + 2.0 * counts.tied_x * counts.tied_y / m;
    if n > 2.0 {
        variance += x0 * y0 / (9.0 * m * (n - 2.0));
    }
    (variance > 0.0).then(|| (2.0 * normal_sf(counts.excess.abs() / variance.sqrt())).min(1.0))
}

fn spread(t: f64) -> f64 {
    t * (t - 1.0) * (2.0 * t + 5.0)
}

fn tie_sum(values: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    tie_sizes(values).into_iter().map(|t| f(t as f64)).sum()
}

/// Exact two-sided p-value for `n` pairs without ties of which `discordant` are discordant.
pub fn exact_p(n: usize, discordant: usize) -> f64 {
    let all = n * n.saturating_sub(1) / 2;
    let least = discordant.min(all - discordant);
    if 2 * least == all {
        return 1.0;
    }
    // `share[c]` is the share of permutations of 1..m with c inversions; adding an element adds 0 to m of them.
    let mut share = vec![0.0; least + 1];
    share[0] = 1.0;
    for m in 1..n {
        let before = share.clone();
        let mut window = 0.0;
        for c in 0..=least {
            window += before[c];
            if c > m {
                window -= before[c - m - 1];
            }
            share[c] = window / (m + 1) as f64;
        }
    }
    (2.0 * share.iter().sum::<f64>()).clamp(0.0, 1.0)
}

impl Kendall {
    /// The coefficient of `x` and `y` with its p-value.
    pub fn correlate(&self, x: &[f64], y: &[f64]) -> Result<Correlation, MethodError> {
        let counts = KendallCounts::new(x, y)?;
        let coefficient = match self.variant {
            Variant::TauB => counts.tau_b(),
            Variant::TauC => counts.tau_c(),
            Variant::TauA => counts.tau_a(),
            Variant::SomersD => counts.somers_d(),
        };
        let ties = counts.tied_x + counts.tied_y > 0.0;
        let exact = || Some(exact_p(counts.n, index(counts.discordant)));
        let p_value = match self.p_value {
            PValue::Exact if ties => {
                return Err(MethodError::domain(
                    "the exact p-value needs data without ties; use `auto`",
                ));
            }
            PValue::Exact if counts.n > EXACT_LIMIT => {
                return Err(MethodError::Budget(format!(
                    "the exact p-value goes to {EXACT_LIMIT} pairs, not {}; use `auto`",
                    counts.n
                )));
            }
            PValue::Exact => exact(),
            PValue::Auto if !ties && counts.n <= 33 => exact(),
            _ => asymptotic_p(&counts, x, y),
        };
        let p_value = p_value.filter(|_| coefficient.is_some() && counts.n > 1);
        Ok(Correlation { coefficient, p_value, n: counts.n })
    }
}

impl Function for Kendall {
    type Input = Pairs;
    type Output = Correlation;

    fn call(&self, input: &Pairs, _seed: u64) -> Result<Correlation, MethodError> {
        self.correlate(&input.x, &input.y)
    }
}

guerdon_core::method! {
    Kendall: Function,
    id: "stats.kendall",
    papers: ["cream-2024", "conv-finre-2026"],
    status: Verified(Reference("scipy.stats.kendalltau 1.17, somersd")),
    laws: [PermutationInvariant, Symmetric],
    exempt: [],
    samples: [
        r#"{"x": [1, 2, 3, 4, 5], "y": [1, 3, 2, 5, 4]}"#,
        r#"{"x": [1, 2, 2, 4], "y": [0.5, 0.5, 0.1, 2]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Kendall, PValue, Variant, exact_p};

    #[test]
    fn exact_tails_are_counts_of_permutations() {
        // Of the 6 orders of three, one has no inversion and one has all three.
        assert!((exact_p(3, 0) - 2.0 / 6.0).abs() < 1e-15);
        assert!((exact_p(4, 1) - 2.0 * 4.0 / 24.0).abs() < 1e-15);
        assert_eq!(exact_p(1, 0), 1.0);
    }

    #[test]
    fn variants_agree_without_ties() {
        let (x, y) = ([1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 2.0, 4.0]);
        for variant in [Variant::TauA, Variant::TauB, Variant::TauC, Variant::SomersD] {
            let got = Kendall { variant, p_value: PValue::Auto }.correlate(&x, &y).unwrap();
            assert!((got.coefficient.unwrap() - 2.0 / 3.0).abs() < 1e-15);
        }
    }

    #[test]
    fn a_constant_side_is_undefined() {
        let got = Kendall::default().correlate(&[1.0, 1.0], &[1.0, 2.0]).unwrap();
        assert_eq!((got.coefficient, got.p_value), (None, None));
    }
}
