//! Preference as reward: how likely the rollout beats reference rollouts of the same prompt.
//!
//! A learned reward model is trained to rank, so the difference to a reference means more than the raw score, and a
//! sigmoid keeps a policy from chasing ever greater scores.
//!
//! # Formula
//!
//! ```text
//! r'_i = (1 / |R|) · Σ_{j ∈ R} σ((r_i − r_j) / τ)
//! ```
//!
//! `r_i` is the reward of rollout `i`, `R` its references, `σ` the logistic function, `τ` the temperature. The references
//! are the column named by `reference` (one value per rollout), or, without it, the other rollouts of the group. A group
//! of one without references gets σ(0) = 0.5.
//!
//! # When to use it
//!
//! With unbounded scores of a reward model, under PPO or GRPO. Not with 0/1 rewards: there it only shrinks the spread.
//!
//! # Departures
//!
//! The paper samples a fixed number of references; here all that are given count, which is the mean it estimates. The
//! temperature is ours; the paper's value is 1.
//!
//! # Example
//!
//! ```yaml
//! use: shape.par
//! reference: reference_score
//! ```
//!
//! ```
//! use guerdon_shape::shape::par;
//! assert_eq!(par::against(2.0, &[2.0], 1.0), 0.5);
//! ```
//!
//! # References
//!
//! Fu et al., "Reward Shaping to Mitigate Reward Hacking in RLHF", 2025, section 4.

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, Groups, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Parameters of `shape.par`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Par {
    /// Column with the score of a reference completion. Default: the other rollouts of the group are the references.
    pub reference: Option<String>,
    /// Temperature: the score difference that counts as one logit. Greater than 0; default 1.
    pub temperature: f64,
}

impl Default for Par {
    fn default() -> Self {
        Self { reference: None, temperature: 1.0 }
    }
}

impl Params for Par {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::positive("temperature", self.temperature)
    }
}

/// Mean probability (0 to 1) that `reward` beats each of `references` at `temperature`; 0.5 without references.
pub fn against(reward: f64, references: &[f64], temperature: f64) -> f64 {
    if references.is_empty() {
        return 0.5;
    }
    let wins: f64 = references.iter().map(|r| sigmoid((reward - r) / temperature)).sum();
    wins / references.len() as f64
}

/// Every reward against the others of its group. `rewards` has one value per row of `groups`.
pub fn within_groups(rewards: &[f64], groups: &Groups, temperature: f64) -> Vec<f64> {
    let mut shaped = Vec::with_capacity(rewards.len());
    for range in groups.iter() {
        let group = &rewards[range];
        shaped.extend(group.iter().map(|&r| {
            // The rollout's own term is σ(0): taking it off the sum leaves the others.
            let others = group.len() as f64 - 1.0;
            if others == 0.0 {
                0.5
            } else {
                (against(r, group, temperature) * group.len() as f64 - 0.5) / others
            }
        }));
    }
    shaped
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

impl Transform for Par {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        match &self.reference {
            None => view.dense(&[], |d| Ok(within_groups(&d.values, &d.groups, self.temperature))),
            Some(name) => view.dense(&[name], |d| {
                let pairs = d.values.iter().zip(&d.aux[0]);
                Ok(pairs
                    .map(|(&r, &reference)| against(r, &[reference], self.temperature))
                    .collect())
            }),
        }
    }

    fn reads(&self) -> Vec<String> {
        self.reference.iter().cloned().collect()
    }

    fn scope(&self) -> Scope {
        if self.reference.is_some() { Scope::Rollout } else { Scope::Group }
    }
}

guerdon_core::method! {
    Par: Transform,
    id: "shape.par",
    papers: ["par-2025"],
    status: Verified(ClosedForm("σ(r − r_ref): σ(1) = 0.731058578630005; antisymmetry of a pair")),
    laws: [ShiftInvariant, OrderPreserving, GroupLocal],
    exempt: [],
}

#[cfg(test)]
mod tests {
    use super::{against, within_groups};
    use guerdon_core::Groups;

    #[test]
    fn one_reference_is_the_logistic_function() {
        assert!((against(1.0, &[0.0], 1.0) - 0.731_058_578_630_005).abs() < 1e-15);
        assert!((against(2.0, &[0.0], 2.0) - 0.731_058_578_630_005).abs() < 1e-15);
    }

    #[test]
    fn a_pair_shares_one() {
        let shaped = within_groups(&[3.0, 1.5], &Groups::one(2), 1.0);
        assert!((shaped[0] + shaped[1] - 1.0).abs() < 1e-15);
    }

    #[test]
    fn a_high_temperature_forgets_the_scores() {
        let shaped = within_groups(&[5.0, -5.0, 1.0], &Groups::one(3), 1e12);
        assert!(shaped.iter().all(|s| (s - 0.5).abs() < 1e-11));
    }
}
