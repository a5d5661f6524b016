//! Retrospective reshuffling: a trial of an allocation policy re-estimated over every exchange the policy would not have noticed.
//!
//! # Formula
//!
//! ```text
//! naive = mean(policy arm) − mean(control arm)
//! exchangeable: the untreated of the policy arm, and the controls whose index lies below its cut-off
//! reshuffled: every exchangeable outcome replaced by the mean of all of them
//! ```
//!
//! The policy treats the `k` people of its arm with the highest index; nobody in the control arm is treated. Swapping an
//! untreated person with a control below the cut-off changes no treatment, so the average over all swaps is as unbiased as the
//! trial and less variable.
//!
//! # When to use it
//!
//! For A/B tests of who gets something costly (a judge call, a larger model), where outcomes are noisy and few get it.
//!
//! # Departures
//!
//! The index policy is solved in closed form; other policies are not covered. Without a permissible swap the ordinary
//! difference is returned.
//!
//! # Example
//!
//! ```yaml
//! use: stats.reshuffle
//! k: 1
//! ```
//!
//! ```
//! use guerdon_stats::stats::reshuffle::{Arm, reshuffle};
//! let arm = |index: &[f64], outcome: &[f64]| Arm { index: index.to_vec(), outcome: outcome.to_vec() };
//! let out = reshuffle(&arm(&[9.0, 1.0], &[5.0, 2.0]), &arm(&[3.0, 8.0], &[0.0, 1.0]), 1).unwrap();
//! assert_eq!((out.naive, out.reshuffled, out.exchangeable), (3.0, 2.0, 3));
//! ```
//!
//! # References
//!
//! Boehmer et al., "Improved Policy Evaluation for Randomized Trials of Algorithmic Resource Allocation", 2023.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::moments::{check_pair, finite, mean};
use crate::order::argsort;

/// Parameters of `stats.reshuffle`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reshuffle {
    /// People whom the policy treats, at least 1. Default 1.
    pub k: usize,
}

impl Default for Reshuffle {
    fn default() -> Self {
        Self { k: 1 }
    }
}

impl Params for Reshuffle {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("k", self.k as f64, 1.0, f64::INFINITY)
    }
}

/// One arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arm {
    /// The policy's index of each person, finite.
    pub index: Vec<f64>,
    /// The outcome of each person, finite.
    pub outcome: Vec<f64>,
}

/// Input of `stats.reshuffle`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The arm in which the policy acted; more than `k` people.
    pub policy: Arm,
    /// The arm in which nobody was treated.
    pub control: Arm,
}

/// Output of `stats.reshuffle`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Difference of the arms' means.
    pub naive: f64,
    /// The same after averaging over all permissible exchanges.
    pub reshuffled: f64,
    /// People who can change places; 0 when none can.
    pub exchangeable: usize,
}

/// The estimate for the policy "the `k` highest indices".
pub fn reshuffle(policy: &Arm, control: &Arm, k: usize) -> Result<Output, MethodError> {
    check_pair(("index", &policy.index), ("outcome", &policy.outcome))?;
    check_pair(("index", &control.index), ("outcome", &control.outcome))?;
    let n = policy.index.len();
    if k > n {
        return Err(MethodError::domain(format!(
            "the policy treats {k} people but its arm has {n}"
        )));
    }
    let order = argsort(&policy.index);
    let (untreated, treated) = order.split_at(n - k);
    let cut = treated.first().map_or(f64::INFINITY, |&i| policy.index[i]);
    // An index equal to the cut-off is left out: who of the two is treated would depend on the tie.
    let below: Vec<usize> = (0..control.index.len()).filter(|&i| control.index[i] < cut).collect();
    let free: Vec<usize> = untreated.iter().copied().filter(|&i| policy.index[i] < cut).collect();
    let naive = finite("naive", mean(&policy.outcome) - mean(&control.outcome))?;
    if below.is_empty() || free.is_empty() {
        return Ok(Output { naive, reshuffled: naive, exchangeable: 0 });
    }
    let (own, others): (f64, f64) = (
        free.iter().map(|&i| policy.outcome[i]).sum(),
        below.iter().map(|&i| control.outcome[i]).sum(),
    );
    let count = free.len() + below.len();
    let pooled = finite("pooled", (own + others) / count as f64)?;
    let arm = |arm: &Arm, sum: f64, members: usize| {
        (arm.outcome.iter().sum::<f64>() - sum + pooled * members as f64) / arm.outcome.len() as f64
    };
    let reshuffled = arm(policy, own, free.len()) - arm(control, others, below.len());
    Ok(Output { naive, reshuffled: finite("reshuffled", reshuffled)?, exchangeable: count })
}

impl Function for Reshuffle {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        reshuffle(&input.policy, &input.control, self.k)
    }
}

guerdon_core::method! {
    Reshuffle: Function,
    id: "stats.reshuffle",
    papers: ["rct-reshuffle-2023"],
    status: Verified(ClosedForm("the mean over all permissible exchanges, by enumeration")),
    laws: [],
    exempt: [],
    samples: [
        r#"{"policy": {"index": [9, 1, 2], "outcome": [5, 2, 1]}, "control": {"index": [3, 8, 1], "outcome": [0, 1, 2]}}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Arm, reshuffle};
    use crate::stats::permutation_test::next_choice;

    fn arm(index: &[f64], outcome: &[f64]) -> Arm {
        Arm { index: index.to_vec(), outcome: outcome.to_vec() }
    }

    #[test]
    fn the_closed_form_is_the_mean_over_all_exchanges() {
        let (policy, control) =
            (arm(&[9.0, 1.0, 2.0], &[5.0, 2.0, 1.0]), arm(&[3.0, 12.0, 1.0], &[0.5, 7.0, 2.5]));
        let pool = [2.0, 1.0, 0.5, 2.5];
        let (mut members, mut sum, mut count) = (vec![0, 1], 0.0, 0.0);
        loop {
            let own: f64 = members.iter().map(|&i| pool[i]).sum();
            let others = pool.iter().sum::<f64>() - own;
            sum += (5.0 + own) / 3.0 - (7.0 + others) / 3.0;
            count += 1.0;
            if !next_choice(&mut members, 4) {
                break;
            }
        }
        assert!((reshuffle(&policy, &control, 1).unwrap().reshuffled - sum / count).abs() < 1e-12);
    }

    #[test]
    fn no_swap_is_the_ordinary_difference() {
        let out = reshuffle(&arm(&[1.0, 0.0], &[3.0, 1.0]), &arm(&[5.0], &[1.0]), 1).unwrap();
        assert_eq!((out.naive, out.reshuffled, out.exchangeable), (1.0, 1.0, 0));
        assert!(reshuffle(&arm(&[1.0], &[1.0]), &arm(&[1.0], &[1.0]), 2).is_err());
    }
}
