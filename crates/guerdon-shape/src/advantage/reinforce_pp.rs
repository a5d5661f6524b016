//! REINFORCE++ advantage: the discounted return of every token, with a per-token divergence penalty, whitened over the batch.
//!
//! No critic: the batch itself sets the level and the scale.
//!
//! # Formula
//!
//! ```text
//! r'_i = clip(r_i − μ_i, −clip, clip)            μ_i = 0, or the mean of the group with `baseline: group`
//! ρ_t  = r'_i on the last token, else 0;  or the token's own reward;   less beta · kl_t
//! G_t  = ρ_t + gamma · G_{t+1}
//! A_t  = (G_t − mean(G)) / divisor(σ(G))
//! ```
//!
//! `r_i` is the reward of rollout `i`, `kl_t` the divergence from the reference policy at token `t` in nats, read from the
//! column that `kl` names. Mean and deviation run over all tokens of the batch, or, with `whiten: rollouts`, over the
//! rollouts. Without rewards and divergences per token and with `gamma: 1` all tokens of a rollout have the same advantage,
//! and the result is one value per rollout; the column that `length` names then says how many tokens it counts for.
//!
//! | preset | baseline | clip | whitening | group of one |
//! |---|---|---|---|---|
//! | `verl` (default) | none | | tokens, √(σ² + 1e-8), n − 1 | |
//! | `verl_baseline` | group | | the same | its reward |
//! | `openrlhf` | none | 10 | tokens, √(max(σ², 1e-8)), n | |
//! | `openrlhf_baseline` | group | 10 | the same | 0 |
//! | `openrlhf_baseline_no_std` | group | 10 | the mean goes, no division | 0 |
//! | `openrlhf_rloo` | leave one out | 10 | none | 0 |
//! | `openrlhf_group_norm` | group norm (eps 1e-9) | 10 | none | 0 |
//! | `ms_swift` | group | | rollouts, σ + 1e-4, n − 1 | 0 |
//!
//! # When to use it
//!
//! Where a batch-wide level is steadier than a group's: few samples per prompt, or a divergence penalty per token. Without
//! a baseline, prompts that are always solved are reinforced for ever.
//!
//! # Departures
//!
//! **Trap that presets reproduce:** whitening over tokens gives long completions more say in the mean, so the same rewards
//! give other advantages when lengths change. Rewards per token take no baseline and no clip. The value per rollout of a token-level result is the mean over its tokens.
//! Tool and user tokens must not be in the lists.
//!
//! # Example
//!
//! ```yaml
//! use: advantage.reinforce_pp
//! preset: verl_baseline
//! ```
//!
//! ```
//! use guerdon_core::Groups;
//! use guerdon_shape::advantage::reinforce_pp::ReinforcePp;
//! let own = ReinforcePp::default().outcomes(&[1.0, 0.0], &[1.0, 1.0], &Groups::one(2)).unwrap();
//! assert!((own[0] - 0.70710677).abs() < 1e-6 && (own[1] + 0.70710677).abs() < 1e-6);
//! ```
//!
//! # References
//!
//! Hu et al., "REINFORCE++: An Efficient RLHF Algorithm with Robustness to Both Prompt and Reward Models", 2025, section 3.
//! Implementations of verl, `OpenRLHF` and ms-swift as of 2026.

use guerdon_core::Groups;
use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, Fine, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rules::{Divisor, Single, Whiten, check_rows};
use super::{gae, grpo, rloo, tokens};
use crate::moments::{Moments, clip, moments, standardise, weighted};

/// The conventions of a trainer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// verl, no baseline.
    #[default]
    Verl,
    /// verl, the group's mean as baseline.
    VerlBaseline,
    /// `OpenRLHF`, no baseline.
    Openrlhf,
    /// `OpenRLHF`, the group's mean as baseline.
    OpenrlhfBaseline,
    /// `OpenRLHF`, the group's mean as baseline, no division.
    OpenrlhfBaselineNoStd,
    /// `OpenRLHF`, leave-one-out baseline, no whitening.
    OpenrlhfRloo,
    /// `OpenRLHF`, group norm, no whitening.
    OpenrlhfGroupNorm,
    /// ms-swift, the group's mean as baseline, whitened over rollouts.
    MsSwift,
}

/// What is taken off a rollout's reward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Baseline {
    /// Nothing.
    None,
    /// The mean of the group.
    Group,
    /// The mean of the other rollouts of the group.
    LeaveOneOut,
    /// The mean of the group, and the rest is divided by its standard deviation.
    GroupNorm,
}

/// Parameters of `advantage.reinforce_pp`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReinforcePp {
    /// The conventions of a trainer; the other parameters override it. Default `verl`.
    pub preset: Preset,
    /// What is taken off a rollout's reward. Default: the preset's (`verl`: none).
    pub baseline: Option<Baseline>,
    /// Over what the advantages are whitened. Default: the preset's (`verl`: tokens).
    pub whiten: Option<Whiten>,
    /// Discount per token, 0 to 1; default 1.
    pub gamma: f64,
    /// Bound on the size of a reward after the baseline. Greater than 0. Default: the preset's (`verl`: none).
    pub clip: Option<f64>,
    /// Column with the divergence from the reference policy at each token, in nats. Default: none.
    pub kl: Option<String>,
    /// Weight of the divergence, in reward per nat. At least 0; default 0.01; only used with `kl`.
    pub beta: f64,
    /// Column with the length of each completion in tokens, used where there is no list per token. Default `length`.
    pub length: String,
}

impl Default for ReinforcePp {
    fn default() -> Self {
        Self {
            preset: Preset::Verl,
            baseline: None,
            whiten: None,
            gamma: 1.0,
            clip: None,
            kl: None,
            beta: 0.01,
            length: "length".to_owned(),
        }
    }
}

impl Params for ReinforcePp {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("gamma", self.gamma, 0.0, 1.0)?;
        ParamError::in_range("beta", self.beta, 0.0, f64::MAX)?;
        self.clip.map_or(Ok(()), |clip| ParamError::positive("clip", clip))
    }
}

impl ReinforcePp {
    /// The advantage of rollouts whose tokens all share it (`gamma` 1, no divergence).
    ///
    /// `rewards` and `lengths` (tokens, at least 0) have one value per row of `groups`, which are the whole batch.
    pub fn outcomes(
        &self,
        rewards: &[f64],
        lengths: &[f64],
        groups: &Groups,
    ) -> Result<Vec<f64>, MethodError> {
        MethodError::same_length(("lengths", lengths.len()), ("rewards", rewards.len()))?;
        let mut advantages = self.centred(rewards, groups)?;
        let ddof = self.divisor().ddof();
        let Moments { mean, std } = match self.whitening() {
            Whiten::None => return Ok(advantages),
            Whiten::Tokens => weighted(&advantages, lengths, ddof),
            Whiten::Rollouts => moments(&advantages, ddof),
        };
        standardise(&mut advantages, mean, self.divisor().of(std));
        Ok(advantages)
    }

    /// The advantage of every token, and the returns before whitening.
    ///
    /// `rewards` has one value per row of `groups`, `shape` one row per rollout: its own rewards with `dense`, else only its
    /// lengths count. `kl` has the same shape.
    pub fn token_advantages(
        &self,
        rewards: &[f64],
        shape: &Fine,
        dense: bool,
        kl: Option<&Fine>,
        groups: &Groups,
    ) -> Result<(Fine, Vec<f64>), MethodError> {
        let mut fine = if dense {
            shape.clone()
        } else {
            tokens::on_last(&self.centred(rewards, groups)?, shape)
        };
        if let Some(kl) = kl {
            tokens::same_shape(&fine, kl)?;
            fine.values.iter_mut().zip(&kl.values).for_each(|(r, kl)| *r -= self.beta * kl);
        }
        tokens::returns_of_rows(&mut fine, self.gamma);
        let returns = fine.values.clone();
        match self.whitening() {
            Whiten::None => {}
            Whiten::Tokens => gae::whiten(&mut fine.values, None, self.divisor()),
            Whiten::Rollouts => {
                let m = moments(&tokens::row_means(&fine), self.divisor().ddof());
                standardise(&mut fine.values, m.mean, self.divisor().of(m.std));
            }
        }
        Ok((fine, returns))
    }

    /// Rewards less their baselines, clipped.
    fn centred(&self, rewards: &[f64], groups: &Groups) -> Result<Vec<f64>, MethodError> {
        check_rows(rewards, groups)?;
        let single =
            if self.preset == Preset::VerlBaseline { Single::Reward } else { Single::Zero };
        let mut centred = match self.baseline() {
            Baseline::None => rewards.to_vec(),
            Baseline::LeaveOneOut => rloo::Rloo::default().advantages(rewards, &[], groups)?,
            Baseline::GroupNorm => grpo::Rule { clip: None, ..grpo::Preset::Openrlhf.rule() }
                .advantages(rewards, groups)?,
            Baseline::Group => {
                grpo::Rule { single, ..grpo::Preset::DrGrpo.rule() }.advantages(rewards, groups)?
            }
        };
        clip(&mut centred, self.bound());
        Ok(centred)
    }

    fn baseline(&self) -> Baseline {
        self.baseline.unwrap_or(match self.preset {
            Preset::Verl | Preset::Openrlhf => Baseline::None,
            Preset::OpenrlhfRloo => Baseline::LeaveOneOut,
            Preset::OpenrlhfGroupNorm => Baseline::GroupNorm,
            Preset::VerlBaseline
            | Preset::OpenrlhfBaseline
            | Preset::OpenrlhfBaselineNoStd
            | Preset::MsSwift => Baseline::Group,
        })
    }

    fn whitening(&self) -> Whiten {
        self.whiten.unwrap_or(match self.preset {
            Preset::OpenrlhfRloo | Preset::OpenrlhfGroupNorm => Whiten::None,
            Preset::MsSwift => Whiten::Rollouts,
            _ => Whiten::Tokens,
        })
    }

    fn divisor(&self) -> Divisor {
        match self.preset {
            Preset::Verl | Preset::VerlBaseline => Divisor::Sample,
            Preset::OpenrlhfBaselineNoStd => Divisor::One,
            Preset::MsSwift => Divisor::SampleEps(1e-4),
            _ => Divisor::Population,
        }
    }

    fn bound(&self) -> Option<f64> {
        let trainer = !matches!(self.preset, Preset::Verl | Preset::VerlBaseline | Preset::MsSwift);
        self.clip.or(trainer.then_some(10.0))
    }
}

impl Transform for ReinforcePp {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let dense = view.current()?.fine.is_some();
        if !dense && self.kl.is_none() && self.gamma == 1.0 {
            return view.dense(&[&self.length], |d| self.outcomes(&d.values, &d.aux[0], &d.groups));
        }
        let lists: Vec<&str> = self.kl.iter().map(String::as_str).collect();
        view.dense_fine(&lists, |d| {
            let kl = self.kl.as_ref().map(|name| tokens::column(view, d, name)).transpose()?;
            let shape = match (&d.fine, &kl) {
                (Some(own), _) => own.clone(),
                (None, Some(kl)) => kl.clone(),
                (None, None) => tokens::of_lengths(view, d, &self.length)?,
            };
            let (fine, _) =
                self.token_advantages(&d.values, &shape, dense, kl.as_ref(), &d.groups)?;
            Ok((tokens::row_means(&fine), fine))
        })
    }

    fn reads(&self) -> Vec<String> {
        self.kl.iter().chain(std::iter::once(&self.length)).cloned().collect()
    }

    fn scope(&self) -> Scope {
        if self.whitening() == Whiten::None { Scope::Group } else { Scope::Batch }
    }
}

guerdon_core::method! {
    ReinforcePp: Transform,
    id: "advantage.reinforce_pp",
    papers: [],
    status: Verified(Reference("verl, OpenRLHF, ms-swift: golden vectors to 1e-6")),
    laws: [],
    exempt: [],
}

#[cfg(test)]
mod tests {
    use super::{Baseline, Preset, ReinforcePp};
    use guerdon_core::{Fine, Groups, Level};

    #[test]
    fn a_penalty_per_token_counts_from_where_it_falls() {
        let params =
            ReinforcePp { preset: Preset::OpenrlhfRloo, beta: 0.5, ..ReinforcePp::default() };
        let kl = Fine::from_rows(Level::Token, [&[0.25, 0.0][..], &[0.0]]);
        let (own, _) =
            params.token_advantages(&[1.0, 0.0], &kl, false, Some(&kl), &Groups::one(2)).unwrap();
        assert_eq!(own.values, [0.875, 1.0, -1.0]);
    }

    #[test]
    fn rewards_are_clipped_after_the_baseline() {
        let params = ReinforcePp { preset: Preset::OpenrlhfRloo, ..ReinforcePp::default() };
        assert_eq!(
            params.outcomes(&[30.0, 0.0], &[1.0; 2], &Groups::one(2)).unwrap(),
            [10.0, -10.0]
        );
    }

    #[test]
    fn equal_lengths_reduce_tokens_to_rollouts() {
        let shape = Fine::from_rows(Level::Token, [&[0.0; 2][..]; 3]);
        let params = ReinforcePp { baseline: Some(Baseline::Group), ..ReinforcePp::default() };
        let rewards = [1.0, 0.0, 0.5];
        let groups = Groups::one(3);
        let whole = params.outcomes(&rewards, &[2.0; 3], &groups).unwrap();
        let (fine, _) = params.token_advantages(&rewards, &shape, false, None, &groups).unwrap();
        for (i, whole) in whole.iter().enumerate() {
            assert!(fine.row(i).iter().all(|a| (a - whole).abs() < 1e-12));
        }
    }
}
