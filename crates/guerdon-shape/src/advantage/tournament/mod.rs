//! Tournament advantage: rollouts of a group are ranked by matches, and the rank is the reward.
//!
//! Comparing two answers is easier than scoring one; a bracket needs about 2 G comparisons where all pairs need G (G − 1) / 2.
//!
//! # Formula
//!
//! ```text
//! reward_i = 1 − rank_i / (G − 1)          A_i = (reward_i − μ) / (σ + eps)
//! ```
//!
//! `rank_i` (from 0) comes from the scheme, `μ` and `σ` are mean and sample standard deviation of the group's rewards:
//!
//! | scheme | matches | rank |
//! |---|---|---|
//! | `seeded_single` | all meet the anchor (the first rollout), then single elimination seeded by those scores | round reached, then mean score |
//! | `double` | the same seeding, then out after two losses | round of the second loss, then mean score |
//! | `swiss` | ⌈log₂ G⌉ rounds between neighbours in the standing | wins, then mean score |
//! | `anchor` | all meet the anchor | score there; the anchor's is its mean |
//! | `round_robin` | all pairs | mean score |
//!
//! The higher score wins a match and the first slot wins a tie; remaining ties go by order. The scores of a match are
//! those of the column that `matches` names: for each rollout a list with its score against every rollout of its group, in
//! order (the entry for itself is not read). Without that column each rollout brings its reward to every match.
//!
//! # When to use it
//!
//! For open-ended tasks with a comparing judge. With little noise the seeded bracket is near the round robin; with much
//! noise Swiss is better.
//!
//! # Departures
//!
//! None in `seeded_single`. The pairings of `swiss` (no rematch where it can be avoided) and `double` are the usual ones. A
//! group of one gets 0. A group in which all are equal is still ranked, by order: filter such groups before.
//!
//! # Example
//!
//! ```yaml
//! use: advantage.tournament
//! scheme: seeded_single
//! ```
//!
//! ```
//! use guerdon_shape::advantage::tournament::{Scheme, ranks};
//! let scores = [0.2, 0.9, 0.5, 0.1];
//! assert_eq!(ranks(4, Scheme::SeededSingle, |i, j| (scores[i], scores[j])), [2, 0, 1, 3]);
//! ```
//!
//! # References
//!
//! "`ArenaRL`: Scaling RL for Open-Ended Agents via Tournament-based Relative Ranking", 2026, section 3.

mod brackets;

use std::ops::Range;

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, Groups, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rules::check_std;
use super::{grpo, tokens};

/// How the matches are paired and the ranks read off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// Single elimination, seeded by matches against an anchor.
    #[default]
    SeededSingle,
    /// All pairs.
    RoundRobin,
    /// Matches against an anchor only.
    Anchor,
    /// Rounds between neighbours in the standing.
    Swiss,
    /// Out after two losses, seeded by matches against an anchor.
    Double,
}

/// Parameters of `advantage.tournament`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tournament {
    /// How the matches are paired. Default `seeded_single`.
    pub scheme: Scheme,
    /// Column with each rollout's scores against the rollouts of its group. Default: rewards meet.
    pub matches: Option<String>,
    /// Added to the standard deviation. At least 0; default 1e-6.
    pub eps: f64,
}

impl Default for Tournament {
    fn default() -> Self {
        Self { scheme: Scheme::SeededSingle, matches: None, eps: 1e-6 }
    }
}

impl Params for Tournament {
    fn validate(&self) -> Result<(), ParamError> {
        check_std(None, Some(self.eps))
    }
}

/// The largest group that is ranked: a round robin of it has two million matches.
pub const MAX_GROUP: usize = 2048;

/// The rank (0 is best) of each of `n` players. `play(i, j)` gives the scores of `i`, in the first slot, and of `j`.
pub fn ranks(n: usize, scheme: Scheme, play: impl FnMut(usize, usize) -> (f64, f64)) -> Vec<usize> {
    brackets::Event::new(n, play).ranks(scheme)
}

/// The advantage of each rank of a group.
pub fn advantages(ranks: &[usize], eps: f64) -> Result<Vec<f64>, MethodError> {
    let last = ranks.len().saturating_sub(1).max(1) as f64;
    let rewards: Vec<f64> = ranks.iter().map(|rank| 1.0 - *rank as f64 / last).collect();
    let rule = grpo::Rule { eps, ..grpo::Preset::Plain.rule() };
    rule.advantages(&rewards, &Groups::one(rewards.len()))
}

impl Tournament {
    /// One group: `values` are its rewards, `matches` its rows of scores, and `place` the column of each rollout there.
    fn group(
        &self,
        values: &[f64],
        matches: Option<&[&[f64]]>,
        place: &[usize],
    ) -> Result<Vec<f64>, MethodError> {
        if values.len() > MAX_GROUP {
            return Err(MethodError::Budget(format!(
                "a group has {} rollouts; at most {MAX_GROUP} meet",
                values.len()
            )));
        }
        let bad = matches.and_then(|rows| {
            rows.iter().find(|row| place.last().is_some_and(|last| row.len() <= *last))
        });
        if let Some(row) = bad {
            let message = format!(
                "a list of match scores has {} entries: it needs one per rollout of the group",
                row.len()
            );
            return Err(MethodError::domain(message));
        }
        let play = |i: usize, j: usize| match matches {
            Some(rows) => (rows[i][place[j]], rows[j][place[i]]),
            None => (values[i], values[j]),
        };
        advantages(&ranks(values.len(), self.scheme, play), self.eps)
    }
}

impl Transform for Tournament {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let lists: Vec<&str> = self.matches.iter().map(String::as_str).collect();
        view.dense(&lists, |d| {
            let table =
                self.matches.as_ref().map(|name| tokens::column(view, d, name)).transpose()?;
            let mut out = Vec::with_capacity(d.values.len());
            for (g, range) in d.groups.iter().enumerate() {
                let start = view.frame.groups.range(g).start;
                let place: Vec<usize> =
                    d.rows[range.clone()].iter().map(|row| row - start).collect();
                let rows: Option<Vec<&[f64]>> = table
                    .as_ref()
                    .map(|table| range.clone().map(|i: usize| table.row(i)).collect());
                out.extend(self.group(&d.values[Range::clone(&range)], rows.as_deref(), &place)?);
            }
            Ok(out)
        })
    }

    fn reads(&self) -> Vec<String> {
        self.matches.iter().cloned().collect()
    }

    fn scope(&self) -> Scope {
        Scope::Group
    }
}

guerdon_core::method! {
    Tournament: Transform,
    id: "advantage.tournament",
    papers: ["arenarl-2026"],
    status: Verified(Worked("ArenaRL: pairs and advantages for 8 and 4 rollouts")),
    laws: [ShiftInvariant, ScaleInvariant, OrderPreserving, ZeroMean, GroupLocal],
    exempt: [PermutationEquivariant: "The first slot wins a tie, so the order decides between equal rewards."],
}

#[cfg(test)]
mod tests {
    use super::{Scheme, Tournament, advantages, ranks};

    const ALL: [Scheme; 5] =
        [Scheme::SeededSingle, Scheme::RoundRobin, Scheme::Anchor, Scheme::Swiss, Scheme::Double];

    fn check(n: usize, expect: &[f64]) {
        let own = advantages(&(0..n).collect::<Vec<_>>(), 1e-6).unwrap();
        assert!(
            own.iter().zip(expect).all(|(a, e)| (a - e).abs() < 1e-5),
            "{own:?} is not {expect:?}"
        );
    }

    #[test]
    fn advantages_of_ranks() {
        check(8, &[1.42886, 1.02062, 0.61237, 0.20412, -0.20412, -0.61237, -1.02062, -1.42886]);
        check(4, &[1.16189, 0.38730, -0.38730, -1.16189]);
        check(1, &[0.0]);
        check(0, &[]);
    }

    #[test]
    fn without_noise_the_best_wins_every_scheme() {
        let scores = [0.4, 0.1, 0.9, 0.3, 0.7, 0.2, 0.8];
        for scheme in ALL {
            let own = ranks(7, scheme, |i, j| (scores[i], scores[j]));
            let mut sorted = own.clone();
            sorted.sort_unstable();
            assert_eq!((own[2], sorted), (0, (0..7).collect()), "{scheme:?}");
        }
    }

    #[test]
    fn a_table_of_matches_overrules_the_rewards() {
        let (a, b) = ([0.0, 0.2], [0.8, 0.0]);
        let own = Tournament::default().group(&[5.0, 1.0], Some(&[&a, &b]), &[0, 1]).unwrap();
        assert!(own[1] > 0.0 && own[0] < 0.0);
        assert!(Tournament::default().group(&[5.0, 1.0], Some(&[&a[..1], &b]), &[0, 1]).is_err());
    }

    #[test]
    fn tiny_groups_of_every_scheme() {
        for scheme in ALL {
            for n in 0..6 {
                let own = ranks(n, scheme, |_, _| (0.5, 0.5));
                assert_eq!(own.len(), n, "{scheme:?}");
            }
        }
    }
}
