//! Group-relative advantage: how far a rollout's reward lies from the mean of its group, in standard deviations.
//!
//! The rollouts of one prompt are their own baseline, so no value network is needed.
//!
//! # Formula
//!
//! ```text
//! A_i = clip((r_i − μ) / (σ + eps), −clip, clip)
//! ```
//!
//! `r_i` is the reward of rollout `i`, `μ` the mean of its group, `σ` the standard deviation that `scale` names: of the
//! group, of the batch, or none (then `A_i = r_i − μ`). `ddof` is 1 for the sample deviation (divisor G − 1), 0 for the
//! population deviation. With `leave_one_out`, `μ` and `σ` are those of the group without rollout `i`, and a `σ` of 0
//! divides nothing. Where `σ + eps` is 0, nothing is divided either. Every rollout has one advantage; the trainer gives
//! it to all tokens of the completion.
//!
//! With `process`, the rewards per step (token, turn) of all rollouts of the group are normalised together in this way, and
//! a step's advantage is the sum over itself and all later steps; the value per rollout is the mean over its steps.
//!
//! A preset sets the conventions of a trainer or a paper; a parameter that is given overrides it.
//!
//! | preset | scale | ddof | eps | group of one | else |
//! |---|---|---|---|---|---|
//! | `plain` (default) | group | 1 | 1e-6 | 0 | |
//! | `verl`, `skyrl` | group | 1 | 1e-6 | its reward | |
//! | `slime` | group | 1 | 1e-6 | 0 | |
//! | `trl`, `ms_swift`, `ghpo` | group | 1 | 1e-4 | 0 | |
//! | `trl_async` | group | 0 | 1e-8 | 0 | |
//! | `openrlhf` | group | 1 | 1e-9 | 0 | clip 10 |
//! | `nemo_rl` | group | 1 | 1e-6 | 0 | leave one out |
//! | `dr_grpo`, `prime_rl` | none | | | 0 | |
//! | `cure` | group | 0 | 0 | 0 | |
//!
//! # When to use it
//!
//! The default for verifiable rewards with several rollouts per prompt. `scale: none` (Dr. GRPO) where prompts that are
//! nearly always or nearly never solved should not get the greatest weights; `scale: batch` where most groups have very
//! little spread. A group without spread gets 0: watch the share of such groups.
//!
//! # Departures
//!
//! `plain` gives a group of one 0. **Traps that presets reproduce:** `verl` gives a group of one its raw reward, so a lone
//! rollout with a positive reward is always reinforced. `nemo_rl` divides by the deviation of the *other* rollouts: a
//! lone success among failures is not divided (advantage 1) while each failure is (−0.58 for G = 4), and when the others
//! differ only by rounding the quotient explodes to about 1/eps. Unscored rollouts stay unscored and take no part in μ and
//! σ (TRL: their advantage is 0).
//!
//! # Example
//!
//! ```yaml
//! use: advantage.grpo
//! preset: verl
//! scale: group
//! ```
//!
//! ```
//! use guerdon_core::Groups;
//! use guerdon_shape::advantage::grpo::Grpo;
//! let dr_grpo: Grpo = serde_json::from_str(r#"{"preset": "dr_grpo"}"#).unwrap();
//! let advantages = dr_grpo.rule().advantages(&[1.0, 0.0, 0.0, 1.0], &Groups::one(4)).unwrap();
//! assert_eq!(advantages, [0.5, -0.5, -0.5, 0.5]);
//! ```
//!
//! # References
//!
//! Shao et al., "`DeepSeekMath`: Pushing the Limits of Mathematical Reasoning in Open Language Models", 2024, section 4.1 (`process`:
//! section 4.1.3).
//! Liu et al., "Understanding R1-Zero-Like Training: A Critical Perspective", 2025 (Dr. GRPO). Defaults of verl, TRL,
//! `OpenRLHF`, NeMo-RL, `SkyRL`, slime, ms-swift and prime-rl as of 2026.

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, Fine, Groups, Level, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rules::{Scale, Single, check_rows, check_std, denominator};
use super::tokens;
use crate::moments::{LeaveOneOut, Moments, clip, moments, standardise, std};

/// The conventions of a trainer or a paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Sample deviation of the group, eps 1e-6, a group of one gets 0.
    #[default]
    Plain,
    /// verl: as plain, but a group of one gets its reward.
    Verl,
    /// `SkyRL`: as verl.
    Skyrl,
    /// slime: as plain.
    Slime,
    /// TRL: eps 1e-4.
    Trl,
    /// ms-swift: eps 1e-4.
    MsSwift,
    /// GHPO: eps 1e-4.
    Ghpo,
    /// TRL's asynchronous trainer: population deviation, eps 1e-8.
    TrlAsync,
    /// `OpenRLHF`'s group norm: eps 1e-9, clipped at 10.
    Openrlhf,
    /// NeMo-RL: mean and deviation of the other rollouts of the group.
    NemoRl,
    /// Dr. GRPO: no division.
    DrGrpo,
    /// prime-rl: no division.
    PrimeRl,
    /// CURE: population deviation, no eps.
    Cure,
}

/// Parameters of `advantage.grpo`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Grpo {
    /// The conventions of a trainer or a paper; the other parameters override it. Default `plain`.
    pub preset: Preset,
    /// What the difference from the mean is divided by. Default: the preset's (`plain`: group).
    pub scale: Option<Scale>,
    /// 1: sample deviation (divisor G − 1); 0: population deviation. Default: the preset's (`plain`: 1).
    pub ddof: Option<u8>,
    /// Added to the standard deviation, in units of reward. At least 0. Default: the preset's (`plain`: 1e-6).
    pub eps: Option<f64>,
    /// What a group of one gets. Default: the preset's (`plain`: zero).
    pub single: Option<Single>,
    /// Whether a rollout is left out of its own mean and deviation. Default: the preset's (`plain`: false).
    pub leave_one_out: Option<bool>,
    /// Bound on the size of an advantage. Greater than 0. Default: the preset's (`plain`: none).
    pub clip: Option<f64>,
    /// Whether rewards per step count, rather than one per rollout. Default false.
    pub process: bool,
}

impl Params for Grpo {
    fn validate(&self) -> Result<(), ParamError> {
        check_std(self.ddof, self.eps)?;
        if self.rule().leave_one_out && self.rule().scale == Scale::Batch {
            let message = "`leave_one_out` needs `scale: group` or `scale: none`, not `batch`";
            return Err(ParamError::new("leave_one_out", message));
        }
        self.clip.map_or(Ok(()), |clip| ParamError::positive("clip", clip))
    }
}

/// The conventions in force: a preset with its overrides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// What the difference from the mean is divided by.
    pub scale: Scale,
    /// Taken off the count in the divisor of the variance: 0 or 1.
    pub ddof: u8,
    /// Added to the standard deviation.
    pub eps: f64,
    /// What a group of one gets.
    pub single: Single,
    /// Whether a rollout is left out of its own mean and deviation.
    pub leave_one_out: bool,
    /// Bound on the size of an advantage.
    pub clip: Option<f64>,
}

impl Preset {
    /// What the preset sets.
    pub fn rule(self) -> Rule {
        let plain = Rule {
            scale: Scale::Group,
            ddof: 1,
            eps: 1e-6,
            single: Single::Zero,
            leave_one_out: false,
            clip: None,
        };
        match self {
            Self::Plain | Self::Slime => plain,
            Self::Verl | Self::Skyrl => Rule { single: Single::Reward, ..plain },
            Self::Trl | Self::MsSwift | Self::Ghpo => Rule { eps: 1e-4, ..plain },
            Self::TrlAsync => Rule { ddof: 0, eps: 1e-8, ..plain },
            Self::Openrlhf => Rule { eps: 1e-9, clip: Some(10.0), ..plain },
            Self::NemoRl => Rule { leave_one_out: true, ..plain },
            Self::DrGrpo | Self::PrimeRl => Rule { scale: Scale::None, ..plain },
            Self::Cure => Rule { ddof: 0, eps: 0.0, ..plain },
        }
    }
}

impl Grpo {
    /// The preset with its overrides.
    pub fn rule(&self) -> Rule {
        let preset = self.preset.rule();
        Rule {
            scale: self.scale.unwrap_or(preset.scale),
            ddof: self.ddof.unwrap_or(preset.ddof),
            eps: self.eps.unwrap_or(preset.eps),
            single: self.single.unwrap_or(preset.single),
            leave_one_out: self.leave_one_out.unwrap_or(preset.leave_one_out),
            clip: self.clip.or(preset.clip),
        }
    }
}

impl Rule {
    /// The advantage of every reward. `rewards` has one finite value per row of `groups`.
    pub fn advantages(&self, rewards: &[f64], groups: &Groups) -> Result<Vec<f64>, MethodError> {
        check_rows(rewards, groups)?;
        let batch = if self.scale == Scale::Batch { std(rewards, self.ddof) } else { 0.0 };
        let mut advantages = rewards.to_vec();
        let mut workspace = LeaveOneOut::default();
        for range in groups.iter() {
            let own = &mut advantages[range.clone()];
            if own.len() == 1 {
                own[0] = self.single(own[0]);
            } else if self.leave_one_out {
                let group = &rewards[range];
                workspace.each(group, self.ddof, |i, others| {
                    own[i] = self.against_others(group[i], others);
                });
            } else {
                self.group(own, batch);
            }
        }
        clip(&mut advantages, self.clip);
        Ok(advantages)
    }

    /// The advantage of every step. `rewards` has one row of step rewards per row of `groups`.
    pub fn step_advantages(&self, mut rewards: Fine, groups: &Groups) -> Result<Fine, MethodError> {
        MethodError::same_length(
            ("rows of rewards", rewards.rows()),
            ("rows of the groups", groups.rows()),
        )?;
        let steps =
            groups.iter().map(|range| rewards.offsets[range.end] - rewards.offsets[range.start]);
        rewards.values = self.advantages(&rewards.values, &Groups::from_sizes(steps))?;
        tokens::returns_of_rows(&mut rewards, 1.0);
        Ok(rewards)
    }

    /// One group in place; `batch` is the batch's standard deviation.
    fn group(&self, values: &mut [f64], batch: f64) {
        let Moments { mean, std } = moments(values, self.ddof);
        let by = match self.scale {
            Scale::Group => denominator(std, self.eps),
            Scale::Batch => denominator(batch, self.eps),
            Scale::None => 1.0,
        };
        standardise(values, mean, by);
    }

    fn against_others(&self, reward: f64, others: Moments) -> f64 {
        let divided = self.scale == Scale::Group && others.std > 0.0;
        (reward - others.mean) / if divided { others.std + self.eps } else { 1.0 }
    }

    fn single(&self, reward: f64) -> f64 {
        match self.single {
            Single::Zero => 0.0,
            Single::Reward if self.scale == Scale::None => reward,
            Single::Reward => reward / (1.0 + self.eps),
        }
    }
}

impl Transform for Grpo {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let rule = self.rule();
        if !self.process {
            return view.dense(&[], |d| rule.advantages(&d.values, &d.groups));
        }
        view.dense_fine(&[], |d| {
            let rewards = d.fine.clone().unwrap_or_else(|| tokens::single(Level::Step, &d.values));
            let fine = rule.step_advantages(rewards, &d.groups)?;
            Ok((tokens::row_means(&fine), fine))
        })
    }

    fn scope(&self) -> Scope {
        if self.rule().scale == Scale::Batch { Scope::Batch } else { Scope::Group }
    }
}

guerdon_core::method! {
    Grpo: Transform,
    id: "advantage.grpo",
    papers: [
        "ghpo-2025",
        "cure-2025",
        "credit-survey-2026",
        "leanabell-2025",
        "good-teacher-2025",
        "spurious-rewards-2025",
        "rm-r1-2025",
        "descore-2026",
        "spark-2025",
        "lamer-2025",
        "dcolt-2025",
        "urpo-2025",
        "rmaxts-2024",
        "derl-2025",
    ],
    status: Verified(Reference("verl, TRL, OpenRLHF, NeMo-RL, ms-swift, slime, prime-rl: golden vectors to 1e-6")),
    laws: [ShiftInvariant, OrderPreserving, ZeroMean, ConstantGroupZero, GroupLocal],
    exempt: [],
}

#[cfg(test)]
mod tests {
    use super::{Grpo, Preset, Rule};
    use crate::advantage::rules::{Scale, Single};
    use crate::advantage::tokens;
    use guerdon_core::{Fine, Groups, Level};

    fn check(rule: Rule, rewards: &[f64], expect: &[f64]) {
        let own = rule.advantages(rewards, &Groups::one(rewards.len())).unwrap();
        for (a, e) in own.iter().zip(expect) {
            assert!((a - e).abs() < 1e-5, "{own:?} is not {expect:?}");
        }
    }

    #[test]
    fn ghpo_after_a_hint() {
        let rewards = [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let (hit, miss) = (1.61984, -0.53995);
        check(Preset::Ghpo.rule(), &rewards, &[hit, hit, miss, miss, miss, miss, miss, miss]);
    }

    #[test]
    fn cure_standardises_both_sides() {
        check(Preset::Cure.rule(), &[1.0, 1.0, 0.5, 0.0], &[0.90453, 0.90453, -0.30151, -1.50756]);
        check(
            Preset::Cure.rule(),
            &[1.0, -0.5, -0.5],
            &[2.0_f64.sqrt(), -0.5_f64.sqrt(), -0.5_f64.sqrt()],
        );
        check(Preset::Cure.rule(), &[0.3, 0.3], &[0.0, 0.0]);
    }

    #[test]
    fn nemo_rl_does_not_divide_a_lone_success() {
        check(Preset::NemoRl.rule(), &[1.0, 0.0, 0.0, 0.0], &[1.0, -0.57735, -0.57735, -0.57735]);
    }

    #[test]
    fn a_group_of_one() {
        check(Preset::Plain.rule(), &[2.0], &[0.0]);
        check(Preset::Verl.rule(), &[2.0], &[1.999_998]);
        check(
            Grpo { preset: Preset::Verl, scale: Some(Scale::None), ..Grpo::default() }.rule(),
            &[2.0],
            &[2.0],
        );
        let batch =
            Grpo { scale: Some(Scale::Batch), single: Some(Single::Reward), ..Grpo::default() };
        check(batch.rule(), &[2.0], &[1.999_998]);
    }

    #[test]
    fn steps_earn_what_they_and_later_ones_do() {
        let rewards = Fine::from_rows(Level::Step, [&[1.0, 0.0][..], &[1.0]]);
        let own = Preset::DrGrpo.rule().step_advantages(rewards, &Groups::one(2)).unwrap();
        let third = 1.0 / 3.0;
        assert!(
            own.values
                .iter()
                .zip([-third, -2.0 * third, third])
                .all(|(a, e)| (a - e).abs() < 1e-12)
        );
    }

    #[test]
    fn one_step_per_rollout_reduces_to_the_outcome() {
        let rewards = [1.0, 0.0, 0.5];
        let fine = tokens::single(Level::Step, &rewards);
        let own = Preset::Plain.rule().step_advantages(fine, &Groups::one(3)).unwrap();
        assert_eq!(own.values, Preset::Plain.rule().advantages(&rewards, &Groups::one(3)).unwrap());
    }

    #[test]
    fn a_great_eps_reduces_to_no_division() {
        let wide = Rule { eps: 1e9, ..Preset::Plain.rule() };
        let own = wide.advantages(&[1.0, 0.0, 0.5], &Groups::one(3)).unwrap();
        let scaled: Vec<_> = own.iter().map(|a| a * 1e9).collect();
        check(Preset::DrGrpo.rule(), &[1.0, 0.0, 0.5], &scaled);
    }

    #[test]
    fn a_parameter_overrides_its_preset() {
        let own =
            Grpo { preset: Preset::Openrlhf, clip: Some(0.5), ddof: Some(0), ..Grpo::default() };
        assert_eq!(own.rule(), Rule { clip: Some(0.5), ddof: 0, ..Preset::Openrlhf.rule() });
    }
}
