//! Group policy gradient: the difference from the group mean, scaled up by the share of rollouts that say something.
//!
//! When many rollouts earn nothing, the batch's gradient shrinks; the factor restores its size.
//!
//! # Formula
//!
//! ```text
//! A_i   = alpha · (r_i − μ) / f_norm
//! alpha = N / max(1, |{ j : r_j ≠ 0 }|)
//! ```
//!
//! `r_i` is the reward of rollout `i`, `μ` the mean of its group, `N` the number of rollouts in the batch.
//!
//! # When to use it
//!
//! With sparse 0/1 rewards and no standard-deviation scaling. With rewards of −1/1 no reward is 0, and it is
//! `advantage.grpo` with `scale: none`.
//!
//! # Departures
//!
//! A group of one gets 0. **Traps:** `preset: verl` gives a group of one its raw reward (scaled); `alpha` looks at the whole
//! batch and counts rewards that are exactly 0, so a shift of the reward changes the size of every update.
//!
//! # Example
//!
//! ```yaml
//! use: advantage.gpg
//! f_norm: 1
//! ```
//!
//! ```
//! use guerdon_core::Groups;
//! use guerdon_shape::advantage::gpg::Gpg;
//! let own = Gpg::default().advantages(&[1.0, 0.0, 0.0, 0.0], &Groups::one(4)).unwrap();
//! assert_eq!(own, [3.0, -1.0, -1.0, -1.0]);
//! ```
//!
//! # References
//!
//! Chu et al., "GPG: A Simple and Strong Reinforcement Learning Baseline for Model Reasoning", 2025, section 3; verl's
//! implementation as of 2026.

use super::rules::check_rows;
use crate::moments::{mean, standardise};
use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, Groups, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The conventions of a trainer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// A group of one gets 0.
    #[default]
    Plain,
    /// verl: the baseline of a group of one is 0.
    Verl,
}

/// Parameters of `advantage.gpg`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Gpg {
    /// The conventions of a trainer. Default `plain`.
    pub preset: Preset,
    /// Divisor of every advantage. Greater than 0; default 1.
    pub f_norm: f64,
    /// Factor of every advantage in place of the batch's own. Greater than 0. Default: the batch's.
    pub alpha: Option<f64>,
}

impl Default for Gpg {
    fn default() -> Self {
        Self { preset: Preset::Plain, f_norm: 1.0, alpha: None }
    }
}

impl Params for Gpg {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::positive("f_norm", self.f_norm)?;
        self.alpha.map_or(Ok(()), |alpha| ParamError::positive("alpha", alpha))
    }
}

impl Gpg {
    /// The advantage of every reward; `rewards` has one value per row of `groups`, which are the whole batch.
    pub fn advantages(&self, rewards: &[f64], groups: &Groups) -> Result<Vec<f64>, MethodError> {
        check_rows(rewards, groups)?;
        let speaking = rewards.iter().filter(|r| **r != 0.0).count().max(1);
        let alpha = self.alpha.unwrap_or(rewards.len() as f64 / speaking as f64);
        let mut advantages = rewards.to_vec();
        for range in groups.iter() {
            let own = &mut advantages[range];
            let keeps = own.len() == 1 && self.preset == Preset::Verl;
            let baseline = if keeps { 0.0 } else { mean(own) };
            standardise(own, baseline, self.f_norm / alpha);
        }
        Ok(advantages)
    }
}

impl Transform for Gpg {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        view.dense(&[], |d| self.advantages(&d.values, &d.groups))
    }

    fn scope(&self) -> Scope {
        if self.alpha.is_some() { Scope::Group } else { Scope::Batch }
    }
}

guerdon_core::method! {
    Gpg: Transform,
    id: "advantage.gpg",
    papers: [],
    status: Verified(Reference("verl compute_gpg_outcome_advantage: golden vectors to 1e-6")),
    laws: [OrderPreserving, ZeroMean, ConstantGroupZero],
    exempt: [],
}

#[cfg(test)]
mod tests {
    use super::{Gpg, Preset};
    use guerdon_core::Groups;

    #[test]
    fn the_factor_counts_the_whole_batch() {
        let own = Gpg::default().advantages(&[1.0, 0.0, 0.0, 0.0], &Groups::equal(4, 2)).unwrap();
        assert_eq!(own, [2.0, -2.0, 0.0, 0.0]);
    }

    #[test]
    fn rewards_without_zeros_reduce_to_dr_grpo() {
        let own = Gpg::default().advantages(&[1.0, -1.0, -1.0, 1.0], &Groups::one(4)).unwrap();
        assert_eq!(own, [1.0, -1.0, -1.0, 1.0]);
    }

    #[test]
    fn verl_keeps_a_group_of_one() {
        let verl = Gpg { preset: Preset::Verl, f_norm: 2.0, ..Gpg::default() };
        assert_eq!(verl.advantages(&[3.0], &Groups::one(1)).unwrap(), [1.5]);
    }
}
