//! Paired test: whether the mean difference of two scores on the same items is zero.
//!
//! # Formula
//!
//! ```text
//! d_i = a_i − b_i
//! sign_flip: p = share of the 2ⁿ sign patterns with |Σ ±d_i| ≥ |Σ d_i|
//! wilcoxon:  W = min(R⁺, R⁻), R± the rank sums of |d| where d is positive, negative; zeros dropped
//! t:         t = d̄ / (s/√n), n − 1 degrees of freedom
//! ```
//!
//! # When to use it
//!
//! Sign flip for the mean without assumptions; Wilcoxon when outliers must not decide; t with many items. For right/wrong
//! outcomes `stats.mcnemar` is the same as sign flip and faster.
//!
//! # Departures
//!
//! Sign flip is exact to 30 pairs (meet in the middle), then sampled with p = (1 + hits)/(1 + rounds), never 0. Wilcoxon is
//! exact to 50 pairs with and without ties (scipy goes over to the normal approximation at a tie); above, normal with the
//! tie-corrected variance and no continuity correction, as scipy. Differences all 0 give p = 1.
//!
//! # Example
//!
//! ```yaml
//! use: stats.paired_test
//! kind: sign_flip
//! ```
//!
//! ```
//! use guerdon_stats::stats::paired_test::sign_flip_exact;
//! assert_eq!(sign_flip_exact(&[1.0, 1.0, 1.0]), 2.0 / 8.0);
//! ```
//!
//! # References
//!
//! Fisher, "The Design of Experiments", 1935; Wilcoxon, "Individual comparisons by ranking methods", 1945.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError, seed};
use rand::RngExt as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bootstrap::check_rounds;
use crate::dist::{normal_sf, t_two_sided};
use crate::moments::{check_pair, finite, mean, standard_error};
use crate::order::{index, ranks, tie_sizes};
use crate::resample::budget;

/// Which test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Fisher's randomisation test of the mean difference.
    #[default]
    SignFlip,
    /// Wilcoxon's signed ranks.
    Wilcoxon,
    /// Student's paired t.
    T,
}

/// Parameters of `stats.paired_test`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PairedTest {
    /// Which test. Default `sign_flip`.
    pub kind: Kind,
    /// Sign patterns sampled above 30 pairs, 1 to 1,000,000. Default 10000.
    pub rounds: u32,
}

impl Default for PairedTest {
    fn default() -> Self {
        Self { kind: Kind::SignFlip, rounds: 10_000 }
    }
}

impl Params for PairedTest {
    fn validate(&self) -> Result<(), ParamError> {
        check_rounds(self.rounds)
    }
}

/// Input of `stats.paired_test`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Scores of the first, at least one, finite.
    pub a: Vec<f64>,
    /// Scores of the second on the same items.
    pub b: Vec<f64>,
}

/// Output of `stats.paired_test`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Mean of a − b.
    pub mean_difference: f64,
    /// Standard error of the mean difference, paired; null for one pair.
    pub standard_error: Option<f64>,
    /// Standard error if the two were independent samples; null for one pair.
    pub standard_error_unpaired: Option<f64>,
    /// The sum of differences, W or t; null where t is undefined (one pair, or no spread).
    pub statistic: Option<f64>,
    /// Two-sided p-value; null where t is undefined.
    pub p_value: Option<f64>,
    /// Whether the p-value is exact (not sampled, not asymptotic).
    pub exact: bool,
}

/// Pairs up to which sign flips are enumerated.
const FLIP_LIMIT: usize = 30;
/// Pairs up to which Wilcoxon's distribution is counted.
const WILCOXON_LIMIT: usize = 50;
/// Sums within this relative distance of the observed one count as equal to it.
const SLACK: f64 = 1e-12;

/// Exact two-sided p-value of the sign-flip test: all patterns, as sums of two halves.
pub fn sign_flip_exact(differences: &[f64]) -> f64 {
    let (left, right) = differences.split_at(differences.len() / 2);
    let (left, mut right) = (all_sums(left), all_sums(right));
    right.sort_by(f64::total_cmp);
    let size: f64 = differences.iter().map(|d| d.abs()).sum();
    let least = differences.iter().sum::<f64>().abs() - SLACK * size;
    let hits: usize = left
        .iter()
        .map(|l| {
            let above = right.len() - right.partition_point(|r| l + r < least);
            let below = right.partition_point(|r| l + r <= -least);
            if least <= 0.0 { right.len() } else { above + below }
        })
        .sum();
    hits as f64 / (left.len() as f64 * right.len() as f64)
}

fn all_sums(values: &[f64]) -> Vec<f64> {
    values.iter().fold(vec![0.0], |sums, v| sums.iter().flat_map(|s| [s + v, s - v]).collect())
}

/// Sampled two-sided p-value of the sign-flip test.
pub fn sign_flip_sampled(differences: &[f64], rounds: u32, seed: u64) -> f64 {
    let mut rng = seed::stream(seed, "sign_flip");
    let size: f64 = differences.iter().map(|d| d.abs()).sum();
    let least = differences.iter().sum::<f64>().abs() - SLACK * size;
    let hits = (0..rounds)
        .filter(|_| {
            differences
                .iter()
                .map(|d| if rng.random::<bool>() { *d } else { -d })
                .sum::<f64>()
                .abs()
                >= least
        })
        .count();
    (1.0 + hits as f64) / (1.0 + f64::from(rounds))
}

/// Wilcoxon's W, its two-sided p-value and whether that is exact. `differences` holds no zero.
pub fn wilcoxon(differences: &[f64]) -> (f64, f64, bool) {
    let n = differences.len();
    let sizes: Vec<f64> = differences.iter().map(|d| d.abs()).collect();
    let ranks = ranks(&sizes);
    let total: f64 = ranks.iter().sum();
    let positive: f64 =
        ranks.iter().zip(differences).filter(|(_, d)| **d > 0.0).map(|(r, _)| r).sum();
    let w = positive.min(total - positive);
    if n <= WILCOXON_LIMIT {
        return (w, (2.0 * share_at_most(&ranks, w)).min(1.0), true);
    }
    let nf = n as f64;
    let ties: f64 = tie_sizes(&sizes).into_iter().map(|t| (t as f64).powi(3) - t as f64).sum();
    let variance = nf * (nf + 1.0) * (2.0 * nf + 1.0) / 24.0 - ties / 48.0;
    let z = (w - total / 2.0).abs() / variance.sqrt();
    (w, (2.0 * normal_sf(z)).min(1.0), false)
}

/// The share of subsets of `ranks` (multiples of ½) that sum to at most `w`.
fn share_at_most(ranks: &[f64], w: f64) -> f64 {
    let limit = index(2.0 * w);
    let mut share = vec![0.0; limit + 1];
    share[0] = 1.0;
    for rank in ranks {
        let step = index(2.0 * rank);
        for sum in (0..=limit).rev() {
            let with = if sum >= step { share[sum - step] } else { 0.0 };
            share[sum] = f64::midpoint(share[sum], with);
        }
    }
    share.iter().sum()
}

impl PairedTest {
    /// The test on the differences; `(statistic, p, exact)`.
    fn test(&self, d: &[f64], seed: u64) -> Result<(Option<f64>, Option<f64>, bool), MethodError> {
        Ok(match self.kind {
            Kind::SignFlip if d.len() <= FLIP_LIMIT => {
                (Some(d.iter().sum()), Some(sign_flip_exact(d)), true)
            }
            Kind::SignFlip => {
                budget(self.rounds, d.len() as u64)?;
                (Some(d.iter().sum()), Some(sign_flip_sampled(d, self.rounds, seed)), false)
            }
            Kind::Wilcoxon => {
                let moved: Vec<f64> = d.iter().copied().filter(|d| *d != 0.0).collect();
                let (w, p, exact) =
                    if moved.is_empty() { (0.0, 1.0, true) } else { wilcoxon(&moved) };
                (Some(w), Some(p), exact)
            }
            Kind::T => match standard_error(d) {
                Some(se) if se > 0.0 => {
                    let t = mean(d) / se;
                    (Some(t), Some(t_two_sided(t, d.len() as f64 - 1.0)), false)
                }
                _ => (None, None, false),
            },
        })
    }
}

impl Function for PairedTest {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, seed: u64) -> Result<Output, MethodError> {
        check_pair(("a", &input.a), ("b", &input.b))?;
        let d: Vec<f64> = input.a.iter().zip(&input.b).map(|(a, b)| a - b).collect();
        let size: f64 = d.iter().map(|d| d.abs()).sum();
        finite("the sum of squared differences", size * size)?;
        let (statistic, p_value, exact) = self.test(&d, seed)?;
        let unpaired =
            standard_error(&input.a).zip(standard_error(&input.b)).map(|(a, b)| a.hypot(b));
        Ok(Output {
            mean_difference: mean(&d),
            standard_error: standard_error(&d),
            standard_error_unpaired: unpaired
                .map(|se| finite("standard_error_unpaired", se))
                .transpose()?,
            statistic,
            p_value,
            exact,
        })
    }
}

guerdon_core::method! {
    PairedTest: Function,
    id: "stats.paired_test",
    papers: ["self-assessment-2023"],
    status: Verified(Reference("scipy.stats wilcoxon and ttest_rel 1.17; enumeration of 2^20 sign patterns")),
    laws: [PermutationInvariant, Symmetric],
    exempt: [],
    samples: [
        r#"{"a": [0.7, 0.9, 0.4, 0.8], "b": [0.6, 0.5, 0.5, 0.1]}"#,
        r#"{"a": [1, 0, 1, 1, 1], "b": [0, 0, 1, 0, 0]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Input, Kind, PairedTest, sign_flip_exact, sign_flip_sampled, wilcoxon};
    use crate::stats::mcnemar;
    use guerdon_core::method::Function as _;

    #[test]
    fn sign_flips_of_right_and_wrong_are_mcnemar() {
        let d = [1.0, 1.0, 1.0, 1.0, -1.0, 0.0, 0.0];
        let exact = mcnemar::mcnemar(4, 1, mcnemar::Kind::Exact).p_value;
        assert!((sign_flip_exact(&d) - exact).abs() < 1e-12);
    }

    #[test]
    fn sampling_comes_near_enumeration() {
        let d = [0.3, -0.2, 0.5, 0.1, 0.4, -0.1, 0.2, 0.25];
        assert!((sign_flip_exact(&d) - sign_flip_sampled(&d, 20_000, 3)).abs() < 0.01);
    }

    #[test]
    fn signed_ranks_of_one_sign() {
        assert_eq!(wilcoxon(&[1.0, 2.0, 3.0]), (0.0, 0.25, true));
        assert_eq!(wilcoxon(&[1.0, 1.0]), (0.0, 0.5, true));
    }

    #[test]
    fn equal_scores_are_no_evidence() {
        let input = Input { a: vec![1.0, 2.0], b: vec![1.0, 2.0] };
        for (kind, p) in [(Kind::SignFlip, Some(1.0)), (Kind::Wilcoxon, Some(1.0)), (Kind::T, None)]
        {
            assert_eq!(
                PairedTest { kind, ..PairedTest::default() }.call(&input, 0).unwrap().p_value,
                p
            );
        }
    }
}
