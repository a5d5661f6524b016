//! Pass@k advantage: only the best rollout of a group is reinforced, by its lead over the second best.
//!
//! The best of k is what pass@k measures; the lead is what that rollout adds to it.
//!
//! # Formula
//!
//! ```text
//! A_i = (r_1 − r_2) / (σ + eps)   for the rollout with the greatest reward, else 0
//! ```
//!
//! `r_1` and `r_2` are the greatest and the second greatest reward of the group (equal when the top is shared, and then all
//! advantages are 0), `σ` is its sample standard deviation. Without `std` nothing is divided.
//!
//! # When to use it
//!
//! To train for the best of several attempts. With 0/1 rewards a group teaches something only if exactly one rollout is
//! right; everything else is silent, so combine it with an estimator that also pushes failures down.
//!
//! # Departures
//!
//! A group of one gets 0. With `preset: verl` it is an error, as there.
//!
//! # Example
//!
//! ```yaml
//! use: advantage.pass_k
//! std: false
//! ```
//!
//! ```
//! use guerdon_core::Groups;
//! use guerdon_shape::advantage::pass_k::PassK;
//! let own = PassK { std: false, ..PassK::default() }.advantages(&[0.5, 0.25, -1.0], &Groups::one(3)).unwrap();
//! assert_eq!(own, [0.25, 0.0, 0.0]);
//! ```
//!
//! # References
//!
//! Walder and Karkhanis, "Pass@K Policy Optimization: Solving Harder Reinforcement Learning Problems", 2025; verl's
//! estimator `grpo_passk` as of 2026.

use super::rules::{check_rows, check_std, denominator};
use crate::moments::std;
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
    /// verl: a group of one is an error.
    Verl,
}

/// Parameters of `advantage.pass_k`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PassK {
    /// The conventions of a trainer. Default `plain`.
    pub preset: Preset,
    /// Whether the lead is divided by the group's standard deviation. Default true.
    pub std: bool,
    /// Added to the standard deviation, in units of reward. At least 0; default 1e-6.
    pub eps: f64,
}

impl Default for PassK {
    fn default() -> Self {
        Self { preset: Preset::Plain, std: true, eps: 1e-6 }
    }
}

impl Params for PassK {
    fn validate(&self) -> Result<(), ParamError> {
        check_std(None, Some(self.eps))
    }
}

impl PassK {
    /// The advantage of every reward; `rewards` has one value per row of `groups`.
    pub fn advantages(&self, rewards: &[f64], groups: &Groups) -> Result<Vec<f64>, MethodError> {
        check_rows(rewards, groups)?;
        let mut advantages = vec![0.0; rewards.len()];
        for range in groups.iter() {
            let group = &rewards[range.clone()];
            if group.len() == 1 && self.preset == Preset::Verl {
                let message = "a group has a single rollout: with `preset: verl` every prompt needs at least 2";
                return Err(MethodError::domain(message));
            }
            if let Some((best, lead)) = lead(group) {
                let by = if self.std { denominator(std(group, 1), self.eps) } else { 1.0 };
                advantages[range.start + best] = lead / by;
            }
        }
        Ok(advantages)
    }
}

/// Index of the greatest reward and its lead over the second greatest; `None` for fewer than two rewards.
fn lead(group: &[f64]) -> Option<(usize, f64)> {
    let best = (0..group.len()).reduce(|a, b| if group[b] > group[a] { b } else { a })?;
    let others = (0..group.len()).filter(|i| *i != best).map(|i| group[i]);
    Some((best, group[best] - others.reduce(f64::max)?))
}

impl Transform for PassK {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        view.dense(&[], |d| self.advantages(&d.values, &d.groups))
    }

    fn scope(&self) -> Scope {
        Scope::Group
    }
}

guerdon_core::method! {
    PassK: Transform,
    id: "advantage.pass_k",
    papers: [],
    status: Verified(Reference("verl compute_grpo_passk_outcome_advantage: golden vectors to 1e-6")),
    laws: [ShiftInvariant, OrderPreserving, ConstantGroupZero, GroupLocal],
    exempt: [],
}

#[cfg(test)]
mod tests {
    use super::{PassK, Preset};
    use guerdon_core::Groups;

    fn check(params: &PassK, rewards: &[f64], expect: &[f64]) {
        let own = params.advantages(rewards, &Groups::one(rewards.len())).unwrap();
        assert!(
            own.iter().zip(expect).all(|(a, e)| (a - e).abs() < 1e-5),
            "{own:?} is not {expect:?}"
        );
    }

    #[test]
    fn one_hit_of_eight() {
        let rewards = [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0];
        check(&PassK::default(), &rewards, &[0.0, 0.0, 0.0, 2.82842, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn a_shared_top_teaches_nothing() {
        check(&PassK::default(), &[1.0, 1.0, 0.0, 0.0], &[0.0; 4]);
    }

    #[test]
    fn a_group_of_one() {
        check(&PassK::default(), &[2.0], &[0.0]);
        let verl = PassK { preset: Preset::Verl, ..PassK::default() };
        assert!(verl.advantages(&[2.0], &Groups::one(1)).is_err());
    }
}
