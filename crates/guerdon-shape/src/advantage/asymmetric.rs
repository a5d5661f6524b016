//! Asymmetric group advantage: a group norm that shifts its focus from easy to hard prompts and damps what is right.
//!
//! A group advantage with mean 0 leaves the logit of every answer that was not sampled where it is. Damping the positive
//! half pushes unsampled answers up by their probability times the missing sum.
//!
//! # Formula
//!
//! ```text
//! A_i  = (r_i − μ) / (σ + eps)                   p = share of right rollouts in the group
//! hard = ½ A / (√p + eps)                        P = mean of p over the groups of the batch
//! easy = ½ A / (1 − √p + eps)
//! A'   = (1 − P) · easy + P · hard               with `focus: curriculum`
//! A'   ← A' · min(1, P / alpha)   where A' > 0   with `damp_positive`
//! ```
//!
//! `r_i` is the reward of rollout `i`, `μ` and `σ` mean and sample standard deviation of its group. A rollout is right if
//! its reward is greater than `right_above`.
//!
//! # When to use it
//!
//! Where a group norm collapses too early onto few answers. Compare at equal accuracy too: both changes together slow the
//! first steps.
//!
//! # Departures
//!
//! None. `alpha` is 1 in the paper for mathematics and 0.5 for geometry and medicine.
//!
//! # Example
//!
//! ```yaml
//! use: advantage.asymmetric
//! alpha: 1
//! focus: curriculum
//! ```
//!
//! ```
//! use guerdon_core::Groups;
//! use guerdon_shape::advantage::asymmetric::Asymmetric;
//! let rewards = [1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0];
//! let own = Asymmetric::default().advantages(&rewards, &Groups::equal(8, 4)).unwrap();
//! assert!((own[0] - 0.75).abs() < 1e-5 && (own[1] + 0.5).abs() < 1e-5);
//! ```
//!
//! # References
//!
//! "Unveiling Implicit Advantage Symmetry: Why GRPO Struggles with Exploration and Difficulty Adaptation", 2026 (A-GRAE).

use super::rules::{check_rows, check_std};
use crate::moments::{Moments, moments};
use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, Groups, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which prompts get the weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Focus {
    /// Easy ones first, hard ones as the batch improves.
    #[default]
    Curriculum,
    /// Easy ones.
    Easy,
    /// Hard ones.
    Hard,
    /// None: the plain group norm.
    None,
}

/// Parameters of `advantage.asymmetric`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Asymmetric {
    /// Success rate of the batch from which positive advantages count fully. Greater than 0, at most 1; default 1.
    pub alpha: f64,
    /// Which prompts get the weight. Default `curriculum`.
    pub focus: Focus,
    /// Whether positive advantages are damped while the batch's success rate is below `alpha`. Default true.
    pub damp_positive: bool,
    /// Added to every divisor. Greater than 0; default 1e-6.
    pub eps: f64,
    /// A rollout is right if its reward is greater than this, in units of reward. Default 0.
    pub right_above: f64,
}

impl Default for Asymmetric {
    fn default() -> Self {
        Self {
            alpha: 1.0,
            focus: Focus::Curriculum,
            damp_positive: true,
            eps: 1e-6,
            right_above: 0.0,
        }
    }
}

impl Params for Asymmetric {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::positive("alpha", self.alpha)?;
        ParamError::in_range("alpha", self.alpha, 0.0, 1.0)?;
        check_std(None, Some(self.eps))?;
        ParamError::positive("eps", self.eps)?;
        ParamError::in_range("right_above", self.right_above, f64::MIN, f64::MAX)
    }
}

impl Asymmetric {
    /// The advantage of every reward; `rewards` has one value per row of `groups`, which are the whole batch.
    pub fn advantages(&self, rewards: &[f64], groups: &Groups) -> Result<Vec<f64>, MethodError> {
        check_rows(rewards, groups)?;
        let rate = |group: &[f64]| {
            group.iter().filter(|r| **r > self.right_above).count() as f64
                / group.len().max(1) as f64
        };
        let filled = groups.iter().filter(|range| !range.is_empty());
        let (sum, count) =
            filled.fold((0.0, 0.0), |(s, n), range| (s + rate(&rewards[range]), n + 1.0));
        let batch: f64 = if count > 0.0 { sum / count } else { 0.0 };
        let damp = if self.damp_positive { (batch / self.alpha).min(1.0) } else { 1.0 };
        let mut advantages = rewards.to_vec();
        for range in groups.iter() {
            let factor = self.factor(rate(&rewards[range.clone()]), batch);
            let Moments { mean, std } = moments(&rewards[range.clone()], 1);
            for a in &mut advantages[range] {
                let own = (*a - mean) / (std + self.eps) * factor;
                *a = if own > 0.0 { own * damp } else { own };
            }
        }
        Ok(advantages)
    }

    /// What a group's advantages are multiplied by, for its success rate and that of the batch.
    fn factor(&self, rate: f64, batch: f64) -> f64 {
        let hard = 0.5 / (rate.sqrt() + self.eps);
        let easy = 0.5 / (1.0 - rate.sqrt() + self.eps);
        match self.focus {
            Focus::Curriculum => (1.0 - batch) * easy + batch * hard,
            Focus::Easy => easy,
            Focus::Hard => hard,
            Focus::None => 1.0,
        }
    }
}

impl Transform for Asymmetric {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        view.dense(&[], |d| self.advantages(&d.values, &d.groups))
    }

    fn scope(&self) -> Scope {
        Scope::Batch
    }
}

guerdon_core::method! {
    Asymmetric: Transform,
    id: "advantage.asymmetric",
    papers: ["agrae-2026"],
    status: Verified(Worked("A-GRAE on the groups (1,0,0,0) and (1,1,1,0)")),
    laws: [OrderPreserving, ConstantGroupZero],
    exempt: [],
}

#[cfg(test)]
mod tests {
    use super::{Asymmetric, Focus};
    use guerdon_core::Groups;

    const REWARDS: [f64; 8] = [1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0];

    fn check(params: &Asymmetric, expect: [f64; 4]) {
        let own = params.advantages(&REWARDS, &Groups::equal(8, 4)).unwrap();
        let seen = [own[0], own[1], own[4], own[7]];
        assert!(
            seen.iter().zip(expect).all(|(a, e)| (a - e).abs() < 2e-5),
            "{seen:?} is not {expect:?}"
        );
    }

    #[test]
    fn both_changes_together() {
        check(&Asymmetric::default(), [0.75, -0.5, 0.53867, -3.23202]);
    }

    #[test]
    fn without_changes_it_reduces_to_the_group_norm() {
        let plain =
            Asymmetric { focus: Focus::None, damp_positive: false, ..Asymmetric::default() };
        check(&plain, [1.5, -0.5, 0.5, -1.5]);
    }

    #[test]
    fn the_logit_of_an_unsampled_answer_moves_by_the_missing_sum() {
        let own = Asymmetric::default().advantages(&REWARDS[..4], &Groups::one(4)).unwrap();
        let unsampled = 0.1;
        // Each rollout adds A · (0 − p_u) to the logit of u.
        let moved: f64 = own.iter().map(|a| a * (0.0 - unsampled)).sum();
        assert!((moved + unsampled * own.iter().sum::<f64>()).abs() < 1e-15 && moved > 0.0);
    }
}
