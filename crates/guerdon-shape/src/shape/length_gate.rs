//! A price on length only where the group is accurate enough: short answers are asked for once the prompt is mastered.
//!
//! # Formula
//!
//! ```text
//! top_share  groups of the batch are ranked by accuracy; the top `share` of them (rounded) is priced, the rest is not
//! at_least   groups with an accuracy of at least `accuracy` are priced
//!            in a priced group: correct rollouts get r − α·σ((L − μ)/σ_L), moments of the correct ones (divisor n)
//! ramp       every rollout gets r − α(a)·O:
//!            α(a) = 0 for a < τ, else β·(a − τ + ε)/(1 − τ + ε)
//!            O = clip((L − L_short)/W, 0, 1), L_short the shortest correct rollout of the group
//! ```
//!
//! `a` is the share of correct rollouts of the group, τ = `accuracy`, β = α = `alpha`, ε = `epsilon`, W = `window`. Groups
//! of equal accuracy rank in the order of the input. A group without correct rollouts is never priced.
//!
//! | preset | kind | α, β | τ or share | else |
//! |---|---|---|---|---|
//! | `grpo_lambda` (default) | top share | 0.2 | 0.5 | |
//! | `asrr` | ramp | 0.2 | 0.5 | ε 0.01, W 1000 |
//! | `e3` | top share | 1 | 0.2 | L through 1e-3·L/(1 + 1e-3·L) instead of the z-score |
//!
//! # When to use it
//!
//! Wherever a price on length costs accuracy on hard prompts or makes training collapse.
//!
//! # Departures
//!
//! The code of GRPO-λ and of ASRR was not available to us: the formulas are checked on worked numbers only. ASRR's coefficient jumps from 0 to βε/(1 − τ + ε) at τ, by its formula. E3 takes the easiest prompts
//! by their mean reward over the run; here by the batch.
//!
//! # Example
//!
//! ```yaml
//! use: shape.length_gate
//! preset: grpo_lambda
//! length: tokens
//! share: 0.5
//! ```
//!
//! ```
//! use guerdon_shape::shape::length_gate::ramp;
//! assert!((ramp(0.75, 0.5, 0.2, 0.01) - 0.1020).abs() < 1e-4);
//! ```
//!
//! # References
//!
//! Dai et al., "Stable Reinforcement Learning for Efficient Reasoning", 2025 (GRPO-λ). Zhang et al., "When to Continue
//! Thinking: Adaptive Thinking Mode Switching for Efficient Reasoning", 2025 (ASRR). Liao et al., "Enhancing Efficiency and
//! Exploration in Reinforcement Learning for LLMs", 2025 (E3).

use std::cmp::Ordering;

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, Groups, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::curve::sigmoid;
use super::fine::settle;
use super::length_penalty::{saturating, zscores};
use super::success::{accuracy, correct};

/// The conventions of a paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// GRPO-λ.
    #[default]
    GrpoLambda,
    /// ASRR.
    Asrr,
    /// E3.
    E3,
}

/// Which groups are priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The most accurate ones of the batch.
    TopShare,
    /// Those above an accuracy.
    AtLeast,
    /// Those above an accuracy, and the more the more accurate they are.
    Ramp,
}

/// What a correct rollout of a priced group pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Price {
    /// σ of the length's z-score among the correct rollouts.
    Zscore,
    /// 1e-3·L / (1 + 1e-3·L).
    Saturating,
}

/// Parameters of `shape.length_gate`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LengthGate {
    /// The conventions of a paper; the other parameters override it. Default `grpo_lambda`.
    pub preset: Preset,
    /// Which groups are priced. Default: the preset's.
    pub kind: Option<Kind>,
    /// What a correct rollout pays, except with `ramp`. Default: the preset's.
    pub price: Option<Price>,
    /// Column with the length. Default `length`.
    pub length: String,
    /// Column that says what is correct. Default: the running reward.
    pub correct: Option<String>,
    /// Least value that counts as correct. Finite; default 0.5.
    pub threshold: f64,
    /// Weight of the length term. At least 0. Default: the preset's.
    pub alpha: Option<f64>,
    /// Share of groups that is priced. 0 to 1. Default: the preset's.
    pub share: Option<f64>,
    /// Accuracy from which a group is priced. 0 to 1; default 0.5.
    pub accuracy: f64,
    /// The ramp's ε. Greater than 0; default 0.01.
    pub epsilon: f64,
    /// Excess over the shortest correct rollout that pays in full, in units of length. Greater than 0; default 1000.
    pub window: f64,
}

impl Default for LengthGate {
    fn default() -> Self {
        Self {
            preset: Preset::GrpoLambda,
            kind: None,
            price: None,
            length: "length".to_owned(),
            correct: None,
            threshold: 0.5,
            alpha: None,
            share: None,
            accuracy: 0.5,
            epsilon: 0.01,
            window: 1000.0,
        }
    }
}

impl Params for LengthGate {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("threshold", self.threshold, f64::NEG_INFINITY, f64::INFINITY)?;
        ParamError::in_range("alpha", self.alpha(), 0.0, f64::INFINITY)?;
        ParamError::in_range("share", self.share(), 0.0, 1.0)?;
        ParamError::in_range("accuracy", self.accuracy, 0.0, 1.0)?;
        ParamError::positive("epsilon", self.epsilon)?;
        ParamError::positive("window", self.window)
    }
}

/// The coefficient of a group with accuracy `a`: 0 below `tau`, rising to `beta` at 1.
pub fn ramp(a: f64, tau: f64, beta: f64, epsilon: f64) -> f64 {
    if a < tau { 0.0 } else { beta * (a - tau + epsilon) / (1.0 - tau + epsilon) }
}

/// Which of `accuracies` are in the top `share`, ties in input order. `None` marks a group without rollouts.
pub fn top_share(accuracies: &[Option<f64>], share: f64) -> Vec<bool> {
    let mut ranked: Vec<(usize, f64)> =
        accuracies.iter().enumerate().filter_map(|(g, a)| Some((g, (*a)?))).collect();
    ranked.sort_by(|(_, a), (_, b)| b.partial_cmp(a).unwrap_or(Ordering::Equal));
    let most = (share * ranked.len() as f64).round();
    let mut top = vec![false; accuracies.len()];
    for (_, (g, _)) in ranked.iter().enumerate().filter(|(rank, _)| (*rank as f64) < most) {
        top[*g] = true;
    }
    top
}

impl LengthGate {
    fn kind(&self) -> Kind {
        self.kind.unwrap_or(if self.preset == Preset::Asrr { Kind::Ramp } else { Kind::TopShare })
    }

    fn price(&self) -> Price {
        self.price.unwrap_or(if self.preset == Preset::E3 {
            Price::Saturating
        } else {
            Price::Zscore
        })
    }

    fn alpha(&self) -> f64 {
        self.alpha.unwrap_or(if self.preset == Preset::E3 { 1.0 } else { 0.2 })
    }

    fn share(&self) -> f64 {
        self.share.unwrap_or(if self.preset == Preset::E3 { 0.2 } else { 0.5 })
    }

    /// The shaped rewards of a batch. All slices have one value per row of `groups`.
    pub fn batch(
        &self,
        rewards: &[f64],
        lengths: &[f64],
        right: &[bool],
        groups: &Groups,
    ) -> Vec<f64> {
        let accuracies: Vec<Option<f64>> =
            groups.iter().map(|r| accuracy(right[r].iter().copied())).collect();
        let top = top_share(&accuracies, self.share());
        let mut out = rewards.to_vec();
        for (g, range) in groups.iter().enumerate() {
            let Some(a) = accuracies[g].filter(|a| *a > 0.0) else { continue };
            let (lengths, right) = (&lengths[range.clone()], &right[range.clone()]);
            let terms = match self.kind() {
                Kind::Ramp => self.ramp(a, lengths, right),
                Kind::TopShare if !top[g] => continue,
                Kind::AtLeast if a < self.accuracy => continue,
                Kind::TopShare | Kind::AtLeast => self.priced(lengths, right),
            };
            out[range].iter_mut().zip(terms).for_each(|(r, t)| *r -= t);
        }
        out
    }

    fn ramp(&self, a: f64, lengths: &[f64], right: &[bool]) -> Vec<f64> {
        let alpha = ramp(a, self.accuracy, self.alpha(), self.epsilon);
        let correct = lengths.iter().zip(right).filter(|(_, r)| **r).map(|(l, _)| *l);
        let shortest = correct.fold(f64::INFINITY, f64::min);
        lengths.iter().map(|l| alpha * ((l - shortest) / self.window).clamp(0.0, 1.0)).collect()
    }

    fn priced(&self, lengths: &[f64], right: &[bool]) -> Vec<f64> {
        let share: Vec<f64> = match self.price() {
            Price::Zscore => zscores(lengths, right, 0).into_iter().map(sigmoid).collect(),
            Price::Saturating => lengths.iter().map(|l| saturating(*l, 1e-3)).collect(),
        };
        share
            .iter()
            .zip(right)
            .map(|(s, right)| if *right { self.alpha() * s } else { 0.0 })
            .collect()
    }
}

impl Transform for LengthGate {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let right = correct(view, self.correct.as_deref(), self.threshold)?;
        let mut reads = vec![self.length.as_str()];
        reads.extend(self.correct.as_deref());
        let shaped = view.dense(&reads, |d| {
            let right: Vec<bool> = d.rows.iter().map(|&row| right[row] == Some(true)).collect();
            Ok(self.batch(&d.values, &d.aux[0], &right, &d.groups))
        })?;
        Ok(settle(view.current()?, shaped))
    }

    fn reads(&self) -> Vec<String> {
        std::iter::once(&self.length).chain(&self.correct).cloned().collect()
    }

    fn scope(&self) -> Scope {
        if self.kind() == Kind::TopShare { Scope::Batch } else { Scope::Group }
    }
}

guerdon_core::method! {
    LengthGate: Transform,
    id: "shape.length_gate",
    papers: ["grpo-lambda-2025", "asrr-2025", "e3-2025"],
    status: Verified(Worked("GRPO-λ's 0.9546, 0.9, 0.8454; ASRR's coefficients 0, 0.0039, 0.1020, 0.2")),
    laws: [],
    exempt: [],
}

#[cfg(test)]
mod tests {
    use super::{LengthGate, Preset, ramp, top_share};
    use guerdon_core::Groups;

    fn check(own: &[f64], expect: &[f64]) {
        assert!(
            own.iter().zip(expect).all(|(a, e)| (a - e).abs() < 5e-5),
            "{own:?}, not {expect:?}"
        );
    }

    #[test]
    fn the_most_accurate_groups_are_priced() {
        assert_eq!(
            top_share(&[Some(1.0), Some(0.75), Some(0.5), Some(0.25)], 0.5),
            [true, true, false, false]
        );
        assert_eq!(top_share(&[Some(0.5), None, Some(0.5)], 0.5), [true, false, false]);
        let groups = Groups::from_sizes([3, 2]);
        let lengths = [100.0, 200.0, 300.0, 100.0, 300.0];
        let right = [true, true, true, true, false];
        let own =
            LengthGate::default().batch(&[1.0, 1.0, 1.0, 1.0, 0.0], &lengths, &right, &groups);
        check(&own, &[0.9546, 0.9, 0.845_42, 1.0, 0.0]);
    }

    #[test]
    fn the_ramp_of_asrr() {
        check(&[0.4, 0.5, 0.75, 1.0].map(|a| ramp(a, 0.5, 0.2, 0.01)), &[0.0, 0.0039, 0.1020, 0.2]);
        let asrr = LengthGate { preset: Preset::Asrr, ..LengthGate::default() };
        check(
            &asrr.batch(&[1.0, 1.0], &[900.0, 400.0], &[true, true], &Groups::one(2)),
            &[0.9, 1.0],
        );
    }

    #[test]
    fn the_easiest_prompts_of_e3() {
        let e3 = LengthGate { preset: Preset::E3, share: Some(1.0), ..LengthGate::default() };
        check(
            &e3.batch(&[1.0, 0.0], &[1000.0, 1000.0], &[true, false], &Groups::one(2)),
            &[0.5, 0.0],
        );
    }

    #[test]
    fn no_share_prices_nothing() {
        let off = LengthGate { share: Some(0.0), ..LengthGate::default() };
        assert_eq!(off.batch(&[1.0, 1.0], &[1.0, 9.0], &[true, true], &Groups::one(2)), [1.0, 1.0]);
    }
}
