//! Leave-one-out advantage: a rollout's reward less the mean reward of the other rollouts of its group.
//!
//! The baseline does not contain the rollout itself, so the policy gradient stays unbiased.
//!
//! # Formula
//!
//! ```text
//! r'_i = clip(r_i, reward_clip) − beta · kl_i
//! A_i  = r'_i − (1 / (G − 1)) · Σ_{j ≠ i} r'_j  =  (G / (G − 1)) · (r'_i − μ)
//! A_i  ← A_i / (σ + eps)                      with `scale: group` or `scale: batch`
//! A_i  ← (A_i − mean(A)) / (std(A) + eps)     with `whiten`
//! A_i  ← clip(A_i, −clip, clip)               with `clip`
//! ```
//!
//! `G` is the size of the group, `μ` the mean of its `r'`, `σ` the standard deviation of `r'` in the group or in the batch.
//! `kl_i` is the divergence of the whole completion from the reference policy, read from the column that `kl` names.
//!
//! | preset | group of one | else |
//! |---|---|---|
//! | `plain` (default), `verl_vectorized` | 0 | |
//! | `verl` | its reward | |
//! | `trl`, `ms_swift` | 0 | eps 1e-4 where something is divided |
//! | `openrlhf` | 0 | clip 10 |
//!
//! # When to use it
//!
//! Where `advantage.grpo` without division is right but groups are small: for G = 2 the factor G / (G − 1) is 2. Every
//! reward scale carries over into the size of the update, so normalise signals first.
//!
//! # Departures
//!
//! The paper has no clipping, scaling or whitening; they are the trainers' options and off by default. A group of one has
//! no baseline: it takes no part in the whitening and gets 0. **Trap that a preset reproduces:** `verl` gives a group of
//! one its raw reward (its vectorised form gives 0).
//!
//! # Example
//!
//! ```yaml
//! use: advantage.rloo
//! clip: 10
//! ```
//!
//! ```
//! use guerdon_core::Groups;
//! use guerdon_shape::advantage::rloo::Rloo;
//! let advantages = Rloo::default().advantages(&[1.0, 0.0, 0.5], &[], &Groups::one(3)).unwrap();
//! assert_eq!(advantages, [0.75, -0.75, 0.0]);
//! ```
//!
//! # References
//!
//! Ahmadian et al., "Back to Basics: Revisiting REINFORCE Style Optimization for Learning from Human Feedback in LLMs",
//! 2024, section 3. Options of verl, TRL, `OpenRLHF` and ms-swift as of 2026.

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, Groups, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rules::{Scale, Single, check_rows, check_std, denominator};
use crate::moments::{Moments, clip, moments, standardise, std};

/// The conventions of a trainer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// A group of one gets 0; nothing is clipped or divided.
    #[default]
    Plain,
    /// verl: a group of one gets its reward.
    Verl,
    /// verl's vectorised form: as plain.
    VerlVectorized,
    /// TRL: as plain, eps 1e-4.
    Trl,
    /// ms-swift: as plain, eps 1e-4.
    MsSwift,
    /// `OpenRLHF`: advantages clipped at 10.
    Openrlhf,
}

/// Parameters of `advantage.rloo`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rloo {
    /// The conventions of a trainer; the other parameters override it. Default `plain`.
    pub preset: Preset,
    /// What a group of one gets. Default: the preset's (`plain`: zero).
    pub single: Option<Single>,
    /// Least and greatest reward; rewards beyond are moved there first. Default: none.
    pub reward_clip: Option<[f64; 2]>,
    /// Column with the divergence of each completion from the reference policy, in nats. Default: none.
    pub kl: Option<String>,
    /// Weight of the divergence, in reward per nat. At least 0; default 0.05; only used with `kl`.
    pub beta: f64,
    /// Standard deviation of the rewards that the advantage is divided by. Default `none`.
    pub scale: Scale,
    /// Whether the advantages of the batch are brought to mean 0 and standard deviation 1. Default false.
    pub whiten: bool,
    /// Added to a standard deviation before division. At least 0. Default: the preset's (`plain`: 1e-4).
    pub eps: Option<f64>,
    /// Bound on the size of an advantage. Greater than 0. Default: the preset's (`plain`: none).
    pub clip: Option<f64>,
}

impl Default for Rloo {
    fn default() -> Self {
        Self {
            preset: Preset::Plain,
            single: None,
            reward_clip: None,
            kl: None,
            beta: 0.05,
            scale: Scale::None,
            whiten: false,
            eps: None,
            clip: None,
        }
    }
}

impl Params for Rloo {
    fn validate(&self) -> Result<(), ParamError> {
        check_std(None, self.eps)?;
        ParamError::in_range("beta", self.beta, 0.0, f64::MAX)?;
        if let Some([low, high]) = self.reward_clip
            && !(low <= high && low.is_finite() && high.is_finite())
        {
            let message = format!("`reward_clip` must be [least, greatest], not [{low}, {high}]");
            return Err(ParamError::new("reward_clip", message));
        }
        self.clip.map_or(Ok(()), |clip| ParamError::positive("clip", clip))
    }
}

impl Rloo {
    /// The advantage of every reward.
    ///
    /// `rewards` has one finite value per row of `groups`; `kl` likewise (nats), or it is empty.
    pub fn advantages(
        &self,
        rewards: &[f64],
        kl: &[f64],
        groups: &Groups,
    ) -> Result<Vec<f64>, MethodError> {
        check_rows(rewards, groups)?;
        let penalised = self.penalised(rewards, kl)?;
        let eps = self.eps.unwrap_or(1e-4);
        let batch = if self.scale == Scale::Batch { std(&penalised, 1) } else { 0.0 };
        let mut advantages = penalised;
        for range in groups.iter() {
            self.group(&mut advantages[range], batch, eps);
        }
        if self.whiten {
            self.whiten(&mut advantages, groups, eps);
        }
        clip(&mut advantages, self.clip.or((self.preset == Preset::Openrlhf).then_some(10.0)));
        Ok(advantages)
    }

    fn penalised(&self, rewards: &[f64], kl: &[f64]) -> Result<Vec<f64>, MethodError> {
        let [low, high] = self.reward_clip.unwrap_or([f64::MIN, f64::MAX]);
        let clipped = rewards.iter().map(|r| r.clamp(low, high));
        if kl.is_empty() {
            return Ok(clipped.collect());
        }
        MethodError::same_length(("kl", kl.len()), ("rewards", rewards.len()))?;
        Ok(clipped.zip(kl).map(|(r, kl)| r - self.beta * kl).collect())
    }

    /// One group in place; `batch` is the batch's standard deviation.
    fn group(&self, values: &mut [f64], batch: f64, eps: f64) {
        if let [reward] = values {
            *reward = if self.single() == Single::Reward { *reward } else { 0.0 };
            return;
        }
        let size = values.len() as f64;
        let Moments { mean, std } = moments(values, 1);
        let by = match self.scale {
            Scale::Group => denominator(std, eps),
            Scale::Batch => denominator(batch, eps),
            Scale::None => 1.0,
        };
        standardise(values, mean, by * (size - 1.0) / size);
    }

    /// Whitens in place. A group of one without a baseline takes no part.
    fn whiten(&self, advantages: &mut [f64], groups: &Groups, eps: f64) {
        let takes_part = |size: usize| size > 1 || self.single() == Single::Reward;
        let part: Vec<f64> = groups
            .iter()
            .filter(|range| takes_part(range.len()))
            .flat_map(|range| advantages[range].iter().copied())
            .collect();
        let Moments { mean, std } = moments(&part, 1);
        for range in groups.iter().filter(|range| takes_part(range.len())) {
            standardise(&mut advantages[range], mean, denominator(std, eps));
        }
    }

    fn single(&self) -> Single {
        let preset = if self.preset == Preset::Verl { Single::Reward } else { Single::Zero };
        self.single.unwrap_or(preset)
    }
}

impl Transform for Rloo {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let columns: Vec<&str> = self.kl.iter().map(String::as_str).collect();
        view.dense(&columns, |d| {
            self.advantages(&d.values, d.aux.first().map_or(&[], Vec::as_slice), &d.groups)
        })
    }

    fn reads(&self) -> Vec<String> {
        self.kl.iter().cloned().collect()
    }

    fn scope(&self) -> Scope {
        if self.whiten || self.scale == Scale::Batch { Scope::Batch } else { Scope::Group }
    }
}

guerdon_core::method! {
    Rloo: Transform,
    id: "advantage.rloo",
    papers: ["cocos-2025", "hc-rlhf-2025"],
    status: Verified(Reference("verl, TRL, OpenRLHF, ms-swift: golden vectors to 1e-6")),
    laws: [ShiftInvariant, OrderPreserving, ZeroMean, ConstantGroupZero, GroupLocal],
    exempt: [],
}

#[cfg(test)]
mod tests {
    use super::{Preset, Rloo};
    use guerdon_core::Groups;

    fn check(params: &Rloo, rewards: &[f64], kl: &[f64], expect: &[f64]) {
        let own = params.advantages(rewards, kl, &Groups::one(rewards.len())).unwrap();
        for (a, e) in own.iter().zip(expect) {
            assert!((a - e).abs() < 1e-12, "{own:?} is not {expect:?}");
        }
    }

    #[test]
    fn against_the_others() {
        check(
            &Rloo::default(),
            &[1.0, 0.0, 0.0, 0.0],
            &[],
            &[1.0, -1.0 / 3.0, -1.0 / 3.0, -1.0 / 3.0],
        );
    }

    #[test]
    fn a_group_of_one() {
        check(&Rloo::default(), &[2.0], &[], &[0.0]);
        check(&Rloo { preset: Preset::Verl, ..Rloo::default() }, &[2.0], &[], &[2.0]);
    }

    #[test]
    fn rewards_are_clipped_before_the_penalty() {
        let params = Rloo { reward_clip: Some([0.0, 1.0]), beta: 0.5, ..Rloo::default() };
        check(&params, &[3.0, -1.0], &[1.0, 0.0], &[0.5, -0.5]);
    }

    #[test]
    fn a_large_group_reduces_to_the_group_mean() {
        let rewards: Vec<f64> = (0..10_000).map(|i| f64::from(i % 2)).collect();
        let own = Rloo::default().advantages(&rewards, &[], &Groups::one(10_000)).unwrap();
        assert!((own[1] - 0.5).abs() < 1e-4);
    }
}
