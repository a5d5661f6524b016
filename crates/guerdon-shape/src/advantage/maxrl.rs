//! Maximum-likelihood advantage: the difference from the group mean, in units of the group mean.
//!
//! Dividing by the success rate turns the gradient of expected reward into an estimate of the gradient of its logarithm:
//! hard prompts weigh more.
//!
//! # Formula
//!
//! ```text
//! A_i = (r_i − μ) / (μ + eps)
//! ```
//!
//! `r_i` is the reward of rollout `i`, `μ` the mean of its group. Where `μ ≤ 0` all advantages of the group are 0 (`plain`,
//! `prime_rl`).
//!
//! | preset | eps | μ ≤ 0 | group of one |
//! |---|---|---|---|
//! | `plain` (default), `prime_rl` | 0 | zeros | 0 |
//! | `skyrl` | 1e-6 | divides all the same | its reward |
//!
//! # When to use it
//!
//! With rewards of at least 0, best 0/1, where `μ` is a success rate and prompts that are rarely solved should count.
//!
//! # Departures
//!
//! **Trap that a preset reproduces:** with `skyrl` a negative mean turns every sign round, so the worst rollout is
//! reinforced, and a mean near 0 gives advantages of about 1e6. Do not use it where rewards can be negative.
//!
//! # Example
//!
//! ```yaml
//! use: advantage.maxrl
//! preset: prime_rl
//! ```
//!
//! ```
//! use guerdon_core::Groups;
//! use guerdon_shape::advantage::maxrl::{Preset, advantages};
//! let own = advantages(&[1.0, 0.0, 0.0, 0.0], &Groups::one(4), Preset::Plain).unwrap();
//! assert_eq!(own, [3.0, -1.0, -1.0, -1.0]);
//! ```
//!
//! # References
//!
//! Tajwar et al., "Maximum Likelihood Reinforcement Learning", 2026; implementations of `SkyRL` and prime-rl as of 2026.

use super::rules::check_rows;
use crate::moments::{mean, standardise};
use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, Groups, MethodError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The conventions of a trainer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// A group whose mean is not positive gets zeros.
    #[default]
    Plain,
    /// prime-rl: as plain.
    PrimeRl,
    /// `SkyRL`: eps 1e-6, whatever the sign of the mean; a group of one gets its reward.
    Skyrl,
}

/// Parameters of `advantage.maxrl`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Maxrl {
    /// The conventions of a trainer. Default `plain`.
    pub preset: Preset,
}

impl Params for Maxrl {}

/// The advantage of every reward; `rewards` has one value per row of `groups`.
pub fn advantages(
    rewards: &[f64],
    groups: &Groups,
    preset: Preset,
) -> Result<Vec<f64>, MethodError> {
    check_rows(rewards, groups)?;
    let mut advantages = rewards.to_vec();
    for range in groups.iter() {
        let own = &mut advantages[range];
        let mean = mean(own);
        match preset {
            Preset::Skyrl if own.len() == 1 => {}
            Preset::Skyrl => standardise(own, mean, mean + 1e-6),
            Preset::Plain | Preset::PrimeRl if mean > 0.0 => standardise(own, mean, mean),
            Preset::Plain | Preset::PrimeRl => own.fill(0.0),
        }
    }
    Ok(advantages)
}

impl Transform for Maxrl {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        view.dense(&[], |d| advantages(&d.values, &d.groups, self.preset))
    }

    fn scope(&self) -> Scope {
        Scope::Group
    }
}

guerdon_core::method! {
    Maxrl: Transform,
    id: "advantage.maxrl",
    papers: [],
    status: Verified(Reference("SkyRL compute_maxrl_advantage and prime-rl score_group: golden vectors to 1e-6")),
    laws: [ScaleInvariant, OrderPreserving, ZeroMean, ConstantGroupZero, GroupLocal],
    exempt: [],
}

#[cfg(test)]
mod tests {
    use super::{Preset, advantages};
    use guerdon_core::Groups;

    fn check(preset: Preset, rewards: &[f64], expect: &[f64]) {
        let own = advantages(rewards, &Groups::one(rewards.len()), preset).unwrap();
        assert!(
            own.iter().zip(expect).all(|(a, e)| (a - e).abs() < 1e-3),
            "{own:?} is not {expect:?}"
        );
    }

    #[test]
    fn in_units_of_the_mean() {
        check(Preset::PrimeRl, &[0.2, 0.9, -0.4, 0.1], &[0.0, 3.5, -3.0, -0.5]);
    }

    #[test]
    fn a_mean_that_is_not_positive() {
        check(Preset::Plain, &[0.5, 0.25, -1.0], &[0.0, 0.0, 0.0]);
        check(Preset::Skyrl, &[0.5, 0.25, -1.0], &[-7.0001, -4.0, 11.0]);
    }

    #[test]
    fn a_sure_success_reduces_to_dr_grpo() {
        check(Preset::Plain, &[1.5, 0.5, 1.0, 1.0], &[0.5, -0.5, 0.0, 0.0]);
    }
}
