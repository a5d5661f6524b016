//! Optimal-baseline advantage: a rollout's reward less the length-weighted mean reward of its group.
//!
//! With exact on-policy updates the baseline that minimises the gradient's variance weighs each reward by the squared
//! gradient norm; if token gradients are about orthogonal, that norm grows with the length.
//!
//! # Formula
//!
//! ```text
//! A_i = r_i − Σ_j L_j · r_j / Σ_j L_j
//! ```
//!
//! `r_i` is the reward and `L_i` the length in tokens of rollout `i`; the sums run over its group. Where all lengths are 0
//! the plain mean is the baseline. With `preset: verl` a group of one keeps its reward.
//!
//! # When to use it
//!
//! For strictly on-policy training with lengths that differ much. The mean advantage of a group is not 0: short wrong
//! answers weigh little in the baseline.
//!
//! # Departures
//!
//! A group of one gets 0. **Trap that a preset reproduces:** verl gives it its raw reward.
//!
//! # Example
//!
//! ```yaml
//! use: advantage.opo
//! length: length
//! ```
//!
//! ```
//! use guerdon_core::Groups;
//! use guerdon_shape::advantage::opo::{Preset, advantages};
//! let own = advantages(&[1.0, 0.0], &[1.0, 3.0], &Groups::one(2), Preset::Plain).unwrap();
//! assert_eq!(own, [0.75, -0.25]);
//! ```
//!
//! # References
//!
//! Hao et al., "On-Policy RL with Optimal Reward Baseline", 2025, section 3; verl's implementation as of 2026.

use super::rules::check_rows;
use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, Groups, MethodError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The conventions of a trainer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// A group of one gets 0.
    #[default]
    Plain,
    /// verl: a group of one gets its reward.
    Verl,
}

/// Parameters of `advantage.opo`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Opo {
    /// The conventions of a trainer. Default `plain`.
    pub preset: Preset,
    /// Column with the length of each completion, in tokens, at least 0. Default `length`.
    pub length: String,
}

impl Default for Opo {
    fn default() -> Self {
        Self { preset: Preset::Plain, length: "length".to_owned() }
    }
}

impl Params for Opo {}

/// The advantage of every reward; `rewards` and `lengths` (tokens, at least 0) have one value per row of `groups`.
pub fn advantages(
    rewards: &[f64],
    lengths: &[f64],
    groups: &Groups,
    preset: Preset,
) -> Result<Vec<f64>, MethodError> {
    check_rows(rewards, groups)?;
    MethodError::same_length(("lengths", lengths.len()), ("rewards", rewards.len()))?;
    if let Some(bad) = lengths.iter().find(|l| **l < 0.0) {
        return Err(MethodError::domain(format!("a length must be at least 0, not {bad}")));
    }
    let mut advantages = Vec::with_capacity(rewards.len());
    for range in groups.iter() {
        let (own, lengths) = (&rewards[range.clone()], &lengths[range]);
        let keeps = own.len() == 1 && preset == Preset::Verl;
        let baseline = if keeps { 0.0 } else { baseline(own, lengths) };
        advantages.extend(own.iter().map(|r| r - baseline));
    }
    Ok(advantages)
}

/// The length-weighted mean, taken relative to the first reward so that a constant group has it exactly.
fn baseline(rewards: &[f64], lengths: &[f64]) -> f64 {
    let Some(&first) = rewards.first() else { return 0.0 };
    let total: f64 = lengths.iter().sum();
    if total == 0.0 {
        return crate::moments::mean(rewards);
    }
    first + rewards.iter().zip(lengths).map(|(r, l)| l * (r - first)).sum::<f64>() / total
}

impl Transform for Opo {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        view.dense(&[&self.length], |d| advantages(&d.values, &d.aux[0], &d.groups, self.preset))
    }

    fn reads(&self) -> Vec<String> {
        vec![self.length.clone()]
    }

    fn scope(&self) -> Scope {
        Scope::Group
    }
}

guerdon_core::method! {
    Opo: Transform,
    id: "advantage.opo",
    papers: [],
    status: Verified(Reference("verl compute_opo_outcome_advantage: golden vectors to 1e-6")),
    laws: [ShiftInvariant, OrderPreserving, ConstantGroupZero, GroupLocal],
    exempt: [],
}

#[cfg(test)]
mod tests {
    use super::{Preset, advantages};
    use guerdon_core::Groups;

    #[test]
    fn equal_lengths_reduce_to_the_group_mean() {
        let own = advantages(&[1.0, 0.0, 0.0, 1.0], &[7.0; 4], &Groups::one(4), Preset::Plain);
        assert_eq!(own.unwrap(), [0.5, -0.5, -0.5, 0.5]);
    }

    #[test]
    fn a_group_of_one() {
        assert_eq!(advantages(&[2.0], &[4.0], &Groups::one(1), Preset::Plain).unwrap(), [0.0]);
        assert_eq!(advantages(&[2.0], &[4.0], &Groups::one(1), Preset::Verl).unwrap(), [2.0]);
    }

    #[test]
    fn lengths_are_checked() {
        assert!(advantages(&[2.0], &[-4.0], &Groups::one(1), Preset::Plain).is_err());
        assert_eq!(
            advantages(&[2.0, 0.0], &[0.0; 2], &Groups::one(2), Preset::Plain).unwrap(),
            [1.0, -1.0]
        );
    }
}
