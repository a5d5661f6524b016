//! League: everybody meets everybody on every prompt, points decide.
//!
//! # Formula
//!
//! ```text
//! points_i = Σ over matches of win, tie or 0;  equal points are ordered by the mean score over all matches
//! rounds by the circle method: n − 1 rounds (n when n is odd), nobody plays twice in one
//! ```
//!
//! # When to use it
//!
//! When n(n − 1)/2 comparisons per prompt are affordable: the most exact of the tournaments. `rank.single_elimination` needs
//! n − 1.
//!
//! # Departures
//!
//! The slots alternate between rounds; `both_slots` plays every pair twice, once in either slot, which cancels a judge's
//! preference for a slot.
//!
//! # Example
//!
//! ```yaml
//! use: rank.round_robin
//! both_slots: true
//! ```
//!
//! ```
//! use guerdon_core::method::Function as _;
//! use guerdon_rank::rank::round_robin::RoundRobin;
//! use guerdon_rank::tournament::duels::Duels;
//! let names = ["a", "b", "c"].map(String::from).to_vec();
//! let table = vec![vec![0.0, 0.2, 0.9], vec![0.8, 0.0, 0.7], vec![0.1, 0.3, 0.0]];
//! let out = RoundRobin::default().call(&Duels { names, tables: vec![table] }, 0)?;
//! assert_eq!(out.tournaments[0].order, ["b", "a", "c"]);
//! # Ok::<(), guerdon_core::MethodError>(())
//! ```
//!
//! # References
//!
//! de Werra, "Scheduling in sports", 1981; "ArenaRL: Scaling RL for Open-Ended Agents via Tournament-based Relative
//! Ranking", 2026.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError, seed};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Rate as _;
use super::counting::Counting;
use super::single_elimination::{Knockout, played, pooled};
use crate::Leaderboard;
use crate::tournament::bracket::Bout;
use crate::tournament::duels::Duels;
use crate::tournament::league;

/// Most matches of all prompts together.
const MOST: usize = 10_000_000;

/// Parameters of `rank.round_robin`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RoundRobin {
    /// Every pair plays twice, once in either slot. Default: once.
    pub both_slots: bool,
    /// The tables hold probabilities and winners are drawn. Default: they hold scores and the greater wins.
    pub draw: bool,
    /// Points of a win, finite; default 1.
    pub win: f64,
    /// Points of a tie, finite; default 0.5.
    pub tie: f64,
}

impl Default for RoundRobin {
    fn default() -> Self {
        Self { both_slots: false, draw: false, win: 1.0, tie: 0.5 }
    }
}

impl Params for RoundRobin {
    fn validate(&self) -> Result<(), ParamError> {
        if self.win.is_finite() && self.tie.is_finite() {
            return Ok(());
        }
        Err(ParamError::new("win", "`win` and `tie` must be finite"))
    }
}

impl RoundRobin {
    fn prompt(&self, duels: &Duels, prompt: usize, seed: u64) -> (Vec<usize>, Vec<Bout>) {
        let mut rng = seed::stream(seed, &format!("league {prompt}"));
        let mut rounds = league::rounds(duels.names.len());
        if self.both_slots {
            let second_half: Vec<_> =
                rounds.iter().map(|r| r.iter().map(|&(a, b)| (b, a)).collect()).collect();
            rounds.extend::<Vec<Vec<(usize, usize)>>>(second_half);
        }
        let mut bouts = Vec::new();
        let (mut points, mut scores) =
            (vec![0.0_f64; duels.names.len()], vec![0.0_f64; duels.names.len()]);
        for (round, pairs) in rounds.into_iter().enumerate() {
            for (first, second) in pairs {
                let met = duels.meet(prompt, first, second, self.draw.then_some(&mut rng));
                bouts.push(Bout { round, first, second, scores: met });
                for (i, own, other) in [(first, met.0, met.1), (second, met.1, met.0)] {
                    scores[i] += own;
                    points[i] += if own > other {
                        self.win
                    } else {
                        f64::from(u8::from(own == other)) * self.tie
                    };
                }
            }
        }
        let mut order: Vec<usize> = (0..points.len()).collect();
        order.sort_by(|&i, &j| {
            points[j].total_cmp(&points[i]).then(scores[j].total_cmp(&scores[i]))
        });
        (order, bouts)
    }
}

impl Function for RoundRobin {
    type Input = Duels;
    type Output = Knockout;

    fn call(&self, input: &Duels, seed: u64) -> Result<Knockout, MethodError> {
        input.check(self.draw)?;
        let n = input.names.len();
        let matches = n.saturating_mul(n.saturating_sub(1)).saturating_mul(input.tables.len());
        if matches > MOST {
            return Err(MethodError::Budget(format!(
                "{matches} matches are more than {MOST}: use `rank.single_elimination`"
            )));
        }
        let rounds: Vec<_> =
            (0..input.tables.len()).map(|prompt| self.prompt(input, prompt, seed)).collect();
        let tournaments =
            rounds.iter().map(|(order, bouts)| played(&input.names, order, bouts)).collect();
        let bouts: Vec<Vec<Bout>> = rounds.into_iter().map(|(_, bouts)| bouts).collect();
        let all = pooled(&input.names, &bouts)?;
        let method = Counting { win: self.win, tie: self.tie, ..Counting::default() };
        let board = method.rate(&all, &all.counts(), seed)?;
        Ok(Knockout { tournaments, board: Leaderboard { method: METHOD.id.into(), ..board } })
    }
}

guerdon_core::method! {
    RoundRobin: Function,
    id: "rank.round_robin",
    papers: ["arenarl-2026", "rrm-2025"],
    status: Verified(ClosedForm("n(n − 1)/2 matches, every pair once; a perfect judge gives the true order")),
    laws: [],
    exempt: [],
    samples: [
        r#"{"names": ["a", "b", "c"], "tables": [[[0, 0.8, 0.6], [0.2, 0, 0.7], [0.4, 0.3, 0]], [[0, 0.4, 0.6], [0.6, 0, 0.7], [0.4, 0.3, 0]]]}"#
    ],
}

#[cfg(test)]
mod tests {
    use super::RoundRobin;
    use crate::tournament::duels::Duels;
    use guerdon_core::method::Function as _;

    #[test]
    fn a_perfect_judge_gives_the_order() {
        let row = |i: usize| vec![6.0 - i as f64; 6];
        let duels = Duels {
            names: (0..6).map(|i| format!("m{i}")).collect(),
            tables: vec![(0..6).map(row).collect(); 2],
        };
        let out = RoundRobin::default().call(&duels, 0).unwrap();
        assert_eq!(out.tournaments[1].matches.len(), 15);
        assert_eq!(out.tournaments[0].order, ["m0", "m1", "m2", "m3", "m4", "m5"]);
        assert_eq!(out.board.ratings[0].score, 10.0);
        let twice =
            RoundRobin { both_slots: true, ..RoundRobin::default() }.call(&duels, 0).unwrap();
        assert_eq!(twice.tournaments[0].matches.len(), 30);
    }
}
