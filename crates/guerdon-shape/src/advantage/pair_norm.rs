//! Pair norm: a rare success on a hard prompt and a rare failure on an easy one, normalised together.
//!
//! Two prompts of opposite difficulty form a pair; the rare events of both carry the update.
//!
//! # Formula
//!
//! ```text
//! hard prompt (lower success rate):  x_i = +w_pos if right, else 0
//! easy prompt:                       x_i = −w_neg if wrong, else 0
//! A_i = (x_i − μ) / σ
//! ```
//!
//! `μ` and `σ` are mean and population standard deviation of the `x` of both groups (`scope: pair`), or of each group alone
//! (`scope: group`). Groups 1 and 2, 3 and 4, ... form pairs in the order of the data (`data.prompt_pairing` makes such an
//! order); a group without scored partner is normalised alone, as a hard prompt up to a rate of ½. Of two equal rates the
//! first is the hard prompt. A rollout is right if its reward is greater than `right_above`. Where `σ` is 0 the advantages
//! are 0.
//!
//! # When to use it
//!
//! With 0/1 rewards and prompts chosen as pairs. With `scope: group` the weights cancel, and a success at rate p is worth
//! √((1−p)/p), a failure −√(p/(1−p)).
//!
//! # Departures
//!
//! The paper's weights are not public; ours are 1 and span the pair.
//!
//! # Example
//!
//! ```yaml
//! use: advantage.pair_norm
//! scope: pair
//! ```
//!
//! ```
//! use guerdon_core::Groups;
//! use guerdon_shape::advantage::pair_norm::PairNorm;
//! let own = PairNorm::default().advantages(&[1.0, 0.0, 1.0, 0.0], &Groups::equal(4, 2)).unwrap();
//! assert!((own[0] + own[3]).abs() < 1e-12);
//! ```
//!
//! # References
//!
//! "Beyond Variance: Prompt-Efficient RLVR via Rare-Event Amplification and Bidirectional Pairing", 2026.

use std::ops::Range;

use guerdon_core::method::{Params, Scope as Sees, Transform};
use guerdon_core::{Column, Groups, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rules::{check_rows, denominator};
use crate::moments::whiten;

/// Over what the advantages are normalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Both groups of a pair together.
    #[default]
    Pair,
    /// Each group alone.
    Group,
}

/// Parameters of `advantage.pair_norm`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PairNorm {
    /// Over what the advantages are normalised. Default `pair`.
    pub scope: Scope,
    /// Weight of a success on the hard prompt. Greater than 0; default 1.
    pub w_pos: f64,
    /// Weight of a failure on the easy prompt. Greater than 0; default 1.
    pub w_neg: f64,
    /// A rollout is right if its reward is greater than this, in units of reward. Default 0.
    pub right_above: f64,
}

impl Default for PairNorm {
    fn default() -> Self {
        Self { scope: Scope::Pair, w_pos: 1.0, w_neg: 1.0, right_above: 0.0 }
    }
}

impl Params for PairNorm {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::positive("w_pos", self.w_pos)?;
        ParamError::positive("w_neg", self.w_neg)?;
        ParamError::in_range("right_above", self.right_above, f64::MIN, f64::MAX)
    }
}

impl PairNorm {
    /// The advantage of every reward; `rewards` has one value per row of `groups`, of which every two are a pair.
    pub fn advantages(&self, rewards: &[f64], groups: &Groups) -> Result<Vec<f64>, MethodError> {
        check_rows(rewards, groups)?;
        let mut advantages = vec![0.0; rewards.len()];
        let ranges: Vec<_> = groups.iter().collect();
        for pair in ranges.chunks(2) {
            let hard = self.hard(rewards, pair);
            for (k, range) in pair.iter().enumerate() {
                self.weigh(
                    &rewards[range.clone()],
                    &mut advantages[range.clone()],
                    Some(k) == hard,
                );
            }
            self.normalise(&mut advantages, pair);
        }
        Ok(advantages)
    }

    /// Which group of a pair is the hard prompt. A group alone (its partner missing or unscored) is hard up to a rate of 1/2.
    fn hard(&self, rewards: &[f64], pair: &[Range<usize>]) -> Option<usize> {
        let rate = |k: &usize| self.rate(&rewards[pair[*k].clone()]);
        let filled: Vec<usize> = (0..pair.len()).filter(|k| !pair[*k].is_empty()).collect();
        match filled[..] {
            [alone] => (rate(&alone) <= 0.5).then_some(alone),
            _ => filled.into_iter().reduce(|a, b| if rate(&b) < rate(&a) { b } else { a }),
        }
    }

    fn rate(&self, group: &[f64]) -> f64 {
        group.iter().filter(|r| **r > self.right_above).count() as f64 / group.len().max(1) as f64
    }

    fn weigh(&self, rewards: &[f64], out: &mut [f64], hard: bool) {
        for (x, reward) in out.iter_mut().zip(rewards) {
            *x = match (*reward > self.right_above, hard) {
                (true, true) => self.w_pos,
                (false, false) => -self.w_neg,
                _ => 0.0,
            };
        }
    }

    fn normalise(&self, advantages: &mut [f64], pair: &[Range<usize>]) {
        let by = |std| denominator(std, 0.0);
        match self.scope {
            Scope::Pair => whiten(&mut advantages[pair[0].start..pair[pair.len() - 1].end], 0, by),
            Scope::Group => {
                for range in pair {
                    whiten(&mut advantages[range.clone()], 0, by);
                }
            }
        }
    }
}

impl Transform for PairNorm {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        view.dense(&[], |d| self.advantages(&d.values, &d.groups))
    }

    fn scope(&self) -> Sees {
        Sees::Batch
    }
}

guerdon_core::method! {
    PairNorm: Transform,
    id: "advantage.pair_norm",
    papers: ["wgrpo-2026"],
    status: Verified(ClosedForm("√((1−p)/p) within a group; ±√G for one rare event on each side of a pair")),
    laws: [ScaleInvariant, OrderPreserving],
    exempt: [],
}

#[cfg(test)]
mod tests {
    use super::{PairNorm, Scope};
    use guerdon_core::Groups;

    /// One success of eight, then one failure of eight.
    const REWARDS: [f64; 16] =
        [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0];

    fn check(scope: Scope, expect: [f64; 4]) {
        let params = PairNorm { scope, ..PairNorm::default() };
        let own = params.advantages(&REWARDS, &Groups::equal(16, 8)).unwrap();
        let seen = [own[0], own[1], own[8], own[9]];
        assert!(
            seen.iter().zip(expect).all(|(a, e)| (a - e).abs() < 1e-5),
            "{seen:?} is not {expect:?}"
        );
    }

    #[test]
    fn rare_events_of_a_pair() {
        check(Scope::Pair, [2.82843, 0.0, -2.82843, 0.0]);
    }

    #[test]
    fn a_group_alone_reduces_to_the_odds() {
        check(Scope::Group, [2.64575, -0.37796, -2.64575, 0.37796]);
    }

    #[test]
    fn the_order_of_the_pair_does_not_matter() {
        let swapped: Vec<f64> = [&REWARDS[8..], &REWARDS[..8]].concat();
        let own = PairNorm::default().advantages(&swapped, &Groups::equal(16, 8)).unwrap();
        assert!((own[8] - 8.0_f64.sqrt()).abs() < 1e-12 && (own[0] + 8.0_f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn a_group_without_partner() {
        let own = PairNorm::default().advantages(&[1.0, 0.0, 0.0], &Groups::one(3)).unwrap();
        assert!(own[0] > 0.0 && (own.iter().sum::<f64>()).abs() < 1e-12);
        let unscored_partner =
            PairNorm::default().advantages(&[1.0, 1.0, 0.0], &Groups::from_sizes([0, 3])).unwrap();
        assert!(unscored_partner[2] < 0.0 && unscored_partner[0] == unscored_partner[1]);
        let same =
            PairNorm::default().advantages(&[1.0, 0.0, 0.0], &Groups::from_sizes([3, 0])).unwrap();
        assert_eq!(same, own);
    }
}
