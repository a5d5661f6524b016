//! Permutation test of a difference of means: all assignments of the treatment, a sample of them, or a given set.
//!
//! # Formula
//!
//! ```text
//! τ = mean of the treated − mean of the others,  p = share of the assignments with |τ*| ≥ |τ|
//! ```
//!
//! Assignments are all choices of as many treated units, or the set given (the accepted ones of a restricted design).
//!
//! # When to use it
//!
//! For two independent samples of any shape. A restricted randomisation (`stats.rerandomize`) must be tested over its own
//! accepted set, and cannot give a p below 2/|accepted|.
//!
//! # Departures
//!
//! Up to `exact_limit` assignments are enumerated; else `rounds` are sampled and p = (1 + hits)/(1 + rounds), never 0.
//!
//! # Example
//!
//! ```yaml
//! use: stats.permutation_test
//! rounds: 10000
//! ```
//!
//! ```
//! use guerdon_stats::stats::permutation_test::{PermutationTest, permutation_test};
//! let out = permutation_test(&[1.0, 2.0, 8.0, 9.0], &[false, false, true, true], &PermutationTest::default(), 0).unwrap();
//! assert_eq!((out.difference, out.p_value), (7.0, 2.0 / 6.0));
//! ```
//!
//! # References
//!
//! Fisher, "The Design of Experiments", 1935; Morgan and Rubin, "Rerandomization to improve covariate balance in
//! experiments", 2012.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError, seed};
use rand::RngExt as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bootstrap::check_rounds;
use crate::moments::{check, finite};
use crate::resample::budget;

/// Parameters of `stats.permutation_test`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PermutationTest {
    /// Assignments sampled where there are too many, 1 to 1,000,000. Default 10000.
    pub rounds: u32,
    /// Most assignments that are enumerated, 0 to 1,000,000. Default 50000.
    pub exact_limit: u64,
}

impl Default for PermutationTest {
    fn default() -> Self {
        Self { rounds: 10_000, exact_limit: 50_000 }
    }
}

impl Params for PermutationTest {
    fn validate(&self) -> Result<(), ParamError> {
        check_rounds(self.rounds)?;
        ParamError::in_range("exact_limit", self.exact_limit as f64, 0.0, 1e6)
    }
}

/// Input of `stats.permutation_test`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The outcomes, finite.
    pub values: Vec<f64>,
    /// Whether each unit is treated; at least one of either kind.
    pub treated: Vec<bool>,
    /// The assignments that could have been drawn, if not all; must hold `treated`.
    #[serde(default)]
    pub assignments: Vec<Vec<bool>>,
}

/// Output of `stats.permutation_test`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Mean of the treated minus mean of the others.
    pub difference: f64,
    /// Two-sided p-value.
    pub p_value: f64,
    /// Rank-biserial correlation: P(treated greater) − P(smaller).
    pub rank_biserial: f64,
    /// Assignments that the p-value counts.
    pub assignments: u64,
    /// Whether all assignments were counted.
    pub exact: bool,
}

/// Treated minus others of one assignment.
pub fn difference(values: &[f64], treated: &[bool]) -> f64 {
    let mut sums = [(0.0, 0.0); 2];
    for (value, treated) in values.iter().zip(treated) {
        let side = &mut sums[usize::from(*treated)];
        *side = (side.0 + value, side.1 + 1.0);
    }
    sums[1].0 / sums[1].1 - sums[0].0 / sums[0].1
}

/// The next choice of `members.len()` out of `n` in lexicographic order; false after the last.
pub fn next_choice(members: &mut [usize], n: usize) -> bool {
    let k = members.len();
    let Some(at) = (0..k).rev().find(|&i| members[i] < n - k + i) else { return false };
    members[at] += 1;
    for i in at + 1..k {
        members[i] = members[i - 1] + 1;
    }
    true
}

/// Number of choices of `k` out of `n`, cut off above `limit`.
pub fn choices(n: usize, k: usize, limit: u64) -> u64 {
    let mut count = 1.0_f64;
    for i in 0..k.min(n - k) {
        count *= (n - i) as f64 / (i + 1) as f64;
        if count > limit as f64 + 0.5 {
            return limit + 1;
        }
    }
    crate::order::index(count.round()) as u64
}

fn rank_biserial(values: &[f64], treated: &[bool]) -> f64 {
    super::auroc::auroc(values, treated).map_or(0.0, |a| 2.0 * a - 1.0)
}

/// The test over all (or sampled) assignments.
pub fn permutation_test(
    values: &[f64],
    treated: &[bool],
    params: &PermutationTest,
    seed: u64,
) -> Result<Output, MethodError> {
    let (n, k) = (values.len(), treated.iter().filter(|t| **t).count());
    check("values", values)?;
    MethodError::same_length(("values", n), ("treated", treated.len()))?;
    if k == 0 || k == n {
        return Err(MethodError::domain("`treated` must name some units and leave out others"));
    }
    let total: f64 = values.iter().sum();
    let size = finite("values", values.iter().map(|v| v.abs()).sum())?;
    let observed = difference(values, treated);
    let least = observed.abs() - 1e-12 * size;
    let extreme = |sum: f64| (sum / k as f64 - (total - sum) / (n - k) as f64).abs() >= least;
    let count = choices(n, k, params.exact_limit);
    let (hits, assignments, exact) = if count <= params.exact_limit {
        let mut members: Vec<usize> = (0..k).collect();
        let mut hits = 0.0;
        loop {
            hits += f64::from(u8::from(extreme(members.iter().map(|&i| values[i]).sum())));
            if !next_choice(&mut members, n) {
                break;
            }
        }
        (hits, count, true)
    } else {
        budget(params.rounds, n as u64)?;
        (
            1.0 + sampled(values, k, params.rounds, seed, extreme),
            u64::from(params.rounds) + 1,
            false,
        )
    };
    let p_value = hits / assignments as f64;
    Ok(Output {
        difference: observed,
        p_value,
        rank_biserial: rank_biserial(values, treated),
        assignments,
        exact,
    })
}

fn sampled(values: &[f64], k: usize, rounds: u32, seed: u64, extreme: impl Fn(f64) -> bool) -> f64 {
    let mut rng = seed::stream(seed, "permutation_test");
    let mut pool = values.to_vec();
    let mut hits = 0.0;
    for _ in 0..rounds {
        for i in 0..k {
            let j = rng.random_range(i..pool.len());
            pool.swap(i, j);
        }
        hits += f64::from(u8::from(extreme(pool[..k].iter().sum())));
    }
    hits
}

/// The test over a given set of assignments, which must hold `treated`.
pub fn restricted(
    values: &[f64],
    treated: &[bool],
    assignments: &[Vec<bool>],
) -> Result<Output, MethodError> {
    if !assignments.iter().any(|a| a == treated) {
        return Err(MethodError::domain("`assignments` must hold the assignment that was made"));
    }
    let observed = difference(values, treated);
    let size: f64 = values.iter().map(|v| v.abs()).sum();
    let mut hits = 0.0;
    for assignment in assignments {
        MethodError::same_length(("values", values.len()), ("an assignment", assignment.len()))?;
        let other = difference(values, assignment);
        if !other.is_finite() {
            return Err(MethodError::domain(
                "every assignment must treat some units and leave out others",
            ));
        }
        hits += f64::from(u8::from(other.abs() >= observed.abs() - 1e-12 * size));
    }
    Ok(Output {
        difference: observed,
        p_value: hits / assignments.len() as f64,
        rank_biserial: rank_biserial(values, treated),
        assignments: assignments.len() as u64,
        exact: true,
    })
}

impl Function for PermutationTest {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, seed: u64) -> Result<Output, MethodError> {
        let all = permutation_test(&input.values, &input.treated, self, seed)?;
        if input.assignments.is_empty() {
            Ok(all)
        } else {
            restricted(&input.values, &input.treated, &input.assignments)
        }
    }
}

guerdon_core::method! {
    PermutationTest: Function,
    id: "stats.permutation_test",
    papers: ["who-am-i-2026", "rerandomization-2023"],
    status: Verified(ClosedForm("enumeration of all assignments")),
    laws: [PermutationInvariant],
    exempt: [],
    samples: [
        r#"{"values": [1, 2, 3, 8, 9], "treated": [false, false, true, true, true]}"#,
        r#"{"values": [1, 5, 2], "treated": [false, true, false]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{PermutationTest, choices, permutation_test, restricted};

    #[test]
    fn sampling_comes_near_enumeration() {
        let values = [0.3, 1.2, 0.4, 2.0, 1.1, 0.2, 1.9, 0.9];
        let treated = [false, true, false, true, true, false, true, false];
        let exact = permutation_test(&values, &treated, &PermutationTest::default(), 0).unwrap();
        let params = PermutationTest { exact_limit: 0, rounds: 20_000 };
        let sampled = permutation_test(&values, &treated, &params, 0).unwrap();
        assert!(exact.exact && !sampled.exact && (exact.p_value - sampled.p_value).abs() < 0.01);
    }

    #[test]
    fn a_small_set_of_assignments_bounds_the_p_value() {
        let set = vec![vec![true, true, false, false], vec![false, false, true, true]];
        let out = restricted(&[9.0, 8.0, 1.0, 2.0], &set[0], &set).unwrap();
        assert_eq!(out.p_value, 1.0);
        assert!(restricted(&[1.0; 4], &[true, false, true, false], &set).is_err());
    }

    #[test]
    fn choices_are_counted() {
        assert_eq!(choices(14, 7, 10_000), 3432);
        assert_eq!(choices(100, 50, 10_000), 10_001);
    }
}
