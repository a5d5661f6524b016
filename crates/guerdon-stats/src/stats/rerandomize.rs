//! Rerandomisation: assignments redrawn until the covariates are balanced, and the test over the accepted ones.
//!
//! # Formula
//!
//! ```text
//! M = Δx̄ᵀ·cov(Δx̄)⁻¹·Δx̄,  cov(Δx̄) = S·(1/n1 + 1/n0)      accept the share p_a with the smallest M
//! p = share of the accepted with |τ*| ≥ |τ|,  at least 2/|accepted| with equal arms
//! ```
//!
//! `S` is the sample covariance of the covariates, `Δx̄` the difference of the arms' means.
//!
//! # When to use it
//!
//! For small trials: assigning prompts to two judge versions when only a few can be labelled. An intermediate `p_a` is best, as
//! few accepted assignments bound the smallest p-value.
//!
//! # Departures
//!
//! Up to `exact_limit` assignments are enumerated; above, `draws` are sampled and the best share of them is accepted. Ties in M
//! (mirrored assignments) are accepted together. The search for the best `p_a` by a prior and fiducial intervals are not offered.
//!
//! # Example
//!
//! ```yaml
//! use: stats.rerandomize
//! accept: 0.05
//! ```
//!
//! ```
//! use guerdon_stats::stats::rerandomize::{Rerandomize, accepted};
//! let x: Vec<Vec<f64>> = (0..6).map(|i| vec![f64::from(i)]).collect();
//! let set = accepted(&x, 3, &Rerandomize { accept: 0.1, ..Rerandomize::default() }, 0).unwrap();
//! // A tenth of the 20 assignments would be 2; the six with sums 7 or 8 are tied and stay together.
//! assert_eq!(set.len(), 6);
//! ```
//!
//! # References
//!
//! Morgan and Rubin, "Rerandomization to improve covariate balance in experiments", 2012; Goldstein et al., "Degrees of
//! Randomness in Rerandomization Procedures", 2023.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError, seed};
use rand::RngExt as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::permutation_test::{choices, next_choice, restricted};
use crate::linalg::Cholesky;
use crate::moments::{at_least, check, finite};
use crate::order::index;

/// Parameters of `stats.rerandomize`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rerandomize {
    /// Share of assignments accepted, above 0, at most 1. Default 0.05.
    pub accept: f64,
    /// Most assignments that are enumerated, 1 to 1,000,000. Default 50000.
    pub exact_limit: u64,
    /// Assignments sampled where there are more, 1 to 1,000,000. Default 10000.
    pub draws: u32,
}

impl Default for Rerandomize {
    fn default() -> Self {
        Self { accept: 0.05, exact_limit: 50_000, draws: 10_000 }
    }
}

impl Params for Rerandomize {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("accept", self.accept, 1e-9, 1.0)?;
        ParamError::in_range("exact_limit", self.exact_limit as f64, 1.0, 1e6)?;
        ParamError::in_range("draws", f64::from(self.draws), 1.0, 1e6)
    }
}

/// Input of `stats.rerandomize`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Covariates of each unit, equally many, finite; at least four units.
    pub covariates: Vec<Vec<f64>>,
    /// Units to treat; absent: half, rounded down.
    #[serde(default)]
    pub treat: Option<usize>,
    /// Outcomes after the trial, for the test.
    #[serde(default)]
    pub outcomes: Vec<f64>,
    /// The assignment that was made, for the test; it must be an accepted one.
    #[serde(default)]
    pub treated: Vec<bool>,
}

/// Output of `stats.rerandomize`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Number of accepted assignments.
    pub accepted: usize,
    /// The smallest p-value they allow a two-sided test.
    pub least_p: f64,
    /// One of them, drawn by the seed.
    pub assignment: Vec<bool>,
    /// Difference of means of the outcomes; null without outcomes.
    pub difference: Option<f64>,
    /// Its p-value over the accepted assignments.
    pub p_value: Option<f64>,
}

/// The accepted assignments of `treat` of the units.
pub fn accepted(
    x: &[Vec<f64>],
    treat: usize,
    params: &Rerandomize,
    seed: u64,
) -> Result<Vec<Vec<bool>>, MethodError> {
    let n = x.len();
    let white = whitened(x)?;
    if treat == 0 || treat >= n {
        return Err(MethodError::domain(format!(
            "{treat} of {n} units: some must be treated and others not"
        )));
    }
    let count = choices(n, treat, params.exact_limit);
    let work = count
        .min(u64::from(params.draws).max(params.exact_limit))
        .saturating_mul((n * white[0].len()) as u64);
    if work > 2_000_000_000 {
        return Err(MethodError::Budget(format!(
            "{n} units with {} covariates: lower `exact_limit`",
            white[0].len()
        )));
    }
    let mut all: Vec<(f64, Vec<usize>)> = Vec::new();
    if count <= params.exact_limit {
        let mut members: Vec<usize> = (0..treat).collect();
        loop {
            all.push((imbalance(&white, &members), members.clone()));
            if !next_choice(&mut members, n) {
                break;
            }
        }
    } else {
        let mut rng = seed::stream(seed, "rerandomize");
        let mut order: Vec<usize> = (0..n).collect();
        for _ in 0..params.draws {
            for i in 0..treat {
                let j = rng.random_range(i..n);
                order.swap(i, j);
            }
            all.push((imbalance(&white, &order[..treat]), order[..treat].to_vec()));
        }
    }
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let keep = index((params.accept * all.len() as f64 - 1e-9).ceil()).clamp(1, all.len());
    let border = all[keep - 1].0 * (1.0 + 1e-9) + 1e-12;
    let flags = |members: &[usize]| (0..n).map(|i| members.contains(&i)).collect::<Vec<_>>();
    Ok(all.iter().take_while(|(m, _)| *m <= border).map(|(_, members)| flags(members)).collect())
}

/// Covariates turned and scaled so that M is a squared length of the sum over the treated.
fn whitened(x: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, MethodError> {
    let n = x.len();
    at_least("covariates", n, 4)?;
    let d = x[0].len();
    for row in x {
        MethodError::same_length(("covariates[0]", d), ("a row of covariates", row.len()))?;
        check("covariates", row)?;
    }
    let mean = |j: usize| x.iter().map(|r| r[j]).sum::<f64>() / n as f64;
    let means: Vec<f64> = (0..d).map(mean).collect();
    let centred: Vec<Vec<f64>> =
        x.iter().map(|r| r.iter().zip(&means).map(|(v, m)| v - m).collect()).collect();
    let mut s = vec![0.0; d * d];
    for row in &centred {
        for i in 0..d {
            for j in 0..d {
                s[i * d + j] += row[i] * row[j] / (n as f64 - 1.0);
            }
        }
    }
    finite("covariance", s.iter().map(|v| v.abs()).sum())?;
    let factor = Cholesky::new(&s, d)?;
    Ok(centred.iter().map(|row| factor.forward(row)).collect())
}

/// M of one assignment, from whitened covariates whose sum is 0.
fn imbalance(white: &[Vec<f64>], members: &[usize]) -> f64 {
    let (n, k) = (white.len() as f64, members.len() as f64);
    let scale = (1.0 / k + 1.0 / (n - k)).powi(2) / (1.0 / k + 1.0 / (n - k));
    let sum = |j: usize| members.iter().map(|&i| white[i][j]).sum::<f64>();
    (0..white[0].len()).map(|j| sum(j).powi(2)).sum::<f64>() * scale
}

impl Function for Rerandomize {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, seed: u64) -> Result<Output, MethodError> {
        let n = input.covariates.len();
        let treat = input.treat.unwrap_or(n / 2);
        let set = accepted(&input.covariates, treat, self, seed)?;
        let pick = seed::stream(seed, "assignment").random_range(0..set.len());
        let test = if input.outcomes.is_empty() {
            None
        } else {
            check("outcomes", &input.outcomes)?;
            MethodError::same_length(("covariates", n), ("outcomes", input.outcomes.len()))?;
            finite("outcomes", input.outcomes.iter().map(|y| y.abs()).sum())?;
            Some(restricted(&input.outcomes, &input.treated, &set)?)
        };
        let mirrored = 2 * treat == n;
        Ok(Output {
            accepted: set.len(),
            least_p: (if mirrored { 2.0 } else { 1.0 } / set.len() as f64).min(1.0),
            assignment: set[pick].clone(),
            difference: test.as_ref().map(|t| t.difference),
            p_value: test.as_ref().map(|t| t.p_value),
        })
    }
}

guerdon_core::method! {
    Rerandomize: Function,
    id: "stats.rerandomize",
    papers: ["rerandomization-2023"],
    status: Verified(Worked("n = 14: 3432, 172, 36 accepted; least p 0.0006, 0.0116, 0.0556")),
    laws: [],
    exempt: [],
    sample_params: r#"{"accept": 0.5}"#,
    samples: [
        r#"{"covariates": [[1, 0.5], [2, 1], [3, -1], [4, 0], [5, 2]]}"#,
        r#"{"covariates": [[1], [2], [3], [4]], "outcomes": [1, 2, 2, 4], "treated": [true, false, false, true]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Input, Rerandomize};
    use guerdon_core::method::Function as _;

    #[test]
    fn accepted_sets_of_fourteen() {
        let covariates: Vec<Vec<f64>> = (0..14)
            .map(|i| vec![(f64::from(i) * 1.7).sin() * 3.0 + f64::from(i * i) / 37.0])
            .collect();
        for (accept, number, least) in
            [(1.0, 3432, 0.0006), (0.05, 172, 0.0116), (0.01, 36, 0.0556)]
        {
            let input = Input {
                covariates: covariates.clone(),
                treat: None,
                outcomes: vec![],
                treated: vec![],
            };
            let out = Rerandomize { accept, ..Rerandomize::default() }.call(&input, 0).unwrap();
            assert_eq!(out.accepted, number);
            assert!((out.least_p - least).abs() < 5e-5);
            assert_eq!(out.assignment.iter().filter(|t| **t).count(), 7);
        }
    }

    #[test]
    fn repeated_covariates_are_an_error() {
        let covariates = (0..6).map(|i| vec![f64::from(i), f64::from(i)]).collect();
        let input = Input { covariates, treat: None, outcomes: vec![], treated: vec![] };
        assert!(Rerandomize::default().call(&input, 0).is_err());
    }
}
