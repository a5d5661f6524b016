//! Elo ratings: every comparison moves both ratings by how unexpected it was.
//!
//! # Formula
//!
//! ```text
//! E_a = 1 / (1 + base^((R_b − R_a) / scale))
//! R_a ← R_a + k·w·(S − E_a),   R_b ← R_b − k·w·(S − E_a),   S = 1, ½ or 0
//! ```
//!
//! in the order of the rows, from `initial`. With `permutations` the rows are shuffled that often and the ratings averaged,
//! so that the order no longer matters; the percentile interval over the shuffles shows how much it did.
//!
//! # When to use it
//!
//! When strengths change over time or comparisons arrive one by one (`rank.live`). For a fixed set of contestants the
//! order is noise: use `permutations`, or `rank.bradley_terry`, to which it converges.
//!
//! # Departures
//!
//! `k` is 4, as in chat arenas and evalica (chess uses 10 to 40). A weight multiplies the whole update; evalica multiplies
//! only the points, so that a tie of weight 2 gains rating for both. `score` is the Elo rating itself; `strength` is its
//! distance from the mean in natural-log units.
//!
//! # Example
//!
//! ```yaml
//! use: rank.elo
//! k: 4
//! permutations: 100
//! ```
//!
//! ```
//! use guerdon_rank::rank::elo::Elo;
//! let elo = Elo { k: 4.0, ..Elo::default() };
//! let mut ratings = [1200.0, 1000.0];
//! elo.update(&mut ratings, 0, 1, 0.0, 1.0);
//! assert!((ratings[0] - 1196.961).abs() < 5e-4);
//! ```
//!
//! # References
//!
//! Elo, "The Rating of Chessplayers, Past and Present", 1978; Chiang et al., "Chatbot Arena", 2024.

use guerdon_core::method::Params;
use guerdon_core::{MethodError, ParamError, seed};
use rand::seq::SliceRandom as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Rate;
use crate::report::leaderboard::{Draft, Scale};
use crate::{Comparisons, Counts, Leaderboard};

/// Parameters of `rank.elo`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Elo {
    /// Points that a wholly unexpected win moves, greater than 0; default 4.
    pub k: f64,
    /// Rating that everybody starts with, finite; default 1000.
    pub initial: f64,
    /// Base of the odds, greater than 1; default 10.
    pub base: f64,
    /// Rating difference at which the odds are `base` to 1, greater than 0; default 400.
    pub scale: f64,
    /// Shuffles of the rows to average over, up to 100000; default 0: the rows in their order.
    pub permutations: usize,
    /// Level of the interval over the shuffles, between 0 and 1; default 0.95.
    pub level: f64,
}

impl Default for Elo {
    fn default() -> Self {
        Self { k: 4.0, initial: 1000.0, base: 10.0, scale: 400.0, permutations: 0, level: 0.95 }
    }
}

impl Params for Elo {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::positive("k", self.k)?;
        ParamError::positive("scale", self.scale)?;
        if !self.initial.is_finite() {
            return Err(ParamError::new(
                "initial",
                format!("`initial` must be finite, not {}", self.initial),
            ));
        }
        if self.base.is_nan() || self.base <= 1.0 || self.base.is_infinite() {
            return Err(ParamError::new(
                "base",
                format!("`base` must be finite and greater than 1, not {}", self.base),
            ));
        }
        if self.permutations > 100_000 {
            return Err(ParamError::new("permutations", "`permutations` must be at most 100000"));
        }
        super::check_level(self.level)
    }
}

impl Elo {
    /// Natural-log odds per rating point.
    fn nats(&self) -> f64 {
        self.base.ln() / self.scale
    }

    /// Expected points of a contestant rated `a` against one rated `b`.
    pub fn expected(&self, a: f64, b: f64) -> f64 {
        crate::fit::pair::sigmoid((a - b) * self.nats())
    }

    /// One comparison between the contestants `a` and `b` of `ratings`: `points` (0 to 1) for `a`, counted `weight` times.
    pub fn update(&self, ratings: &mut [f64], a: usize, b: usize, points: f64, weight: f64) {
        let moved = self.k * weight * (points - self.expected(ratings[a], ratings[b]));
        ratings[a] += moved;
        ratings[b] -= moved;
    }

    /// The ratings after all rows of `all`, in order.
    pub fn run(&self, all: &Comparisons) -> Vec<f64> {
        let mut ratings = vec![self.initial; all.names().len()];
        for (a, b, outcome, weight) in all.rows() {
            self.update(&mut ratings, a, b, outcome.points(), weight);
        }
        ratings
    }

    /// The ratings after each of the shuffles.
    pub fn shuffled(&self, all: &Comparisons, seed: u64) -> Vec<Vec<f64>> {
        let rows: Vec<_> = all.rows().collect();
        let mut order: Vec<u32> = (0..).take(rows.len()).collect();
        let mut rng = seed::stream(seed, "elo permutations");
        let once = |_| {
            order.shuffle(&mut rng);
            let mut ratings = vec![self.initial; all.names().len()];
            for &k in &order {
                let (a, b, outcome, weight) = rows[k as usize];
                self.update(&mut ratings, a, b, outcome.points(), weight);
            }
            ratings
        };
        (0..self.permutations).map(once).collect()
    }

    /// Distances from the mean in natural-log units.
    pub(super) fn strengths(&self, ratings: &[f64]) -> Vec<f64> {
        let mean = ratings.iter().sum::<f64>() / ratings.len().max(1) as f64;
        ratings.iter().map(|r| (r - mean) * self.nats()).collect()
    }
}

impl Rate for Elo {
    fn rate(
        &self,
        all: &Comparisons,
        counts: &Counts,
        seed: u64,
    ) -> Result<Leaderboard, MethodError> {
        super::needs_comparisons(counts)?;
        let shuffles = self.shuffled(all, seed);
        let ratings = if shuffles.is_empty() { self.run(all) } else { mean(&shuffles) };
        MethodError::all_finite("ratings", &ratings)?;
        let mut draft =
            Draft::new(METHOD.id, all.names(), counts, self.strengths(&ratings), Scale::Strength);
        draft.warnings = all.warnings().to_vec();
        if shuffles.len() > 1 {
            let strengths: Vec<Vec<f64>> =
                shuffles.iter().map(|ratings| self.strengths(ratings)).collect();
            draft.intervals =
                (0..ratings.len()).map(|i| Some(self.percentiles(&strengths, i))).collect();
            draft.interval = Some(("permutations", self.level));
        }
        draft.scores = Some(ratings);
        Ok(draft.finish())
    }
}

impl Elo {
    fn percentiles(&self, rounds: &[Vec<f64>], i: usize) -> (f64, f64) {
        let sorted =
            guerdon_stats::order::sorted(&rounds.iter().map(|round| round[i]).collect::<Vec<_>>());
        let tail = 0.5 * (1.0 - self.level);
        let at = |q| guerdon_stats::order::quantile_sorted(&sorted, q);
        (at(tail), at(1.0 - tail))
    }
}

fn mean(rounds: &[Vec<f64>]) -> Vec<f64> {
    let sum = |i: usize| rounds.iter().map(|round| round[i]).sum::<f64>();
    let n = rounds.first().map_or(0, Vec::len);
    (0..n).map(|i| sum(i) / rounds.len() as f64).collect()
}

function_of_comparisons!(Elo);

guerdon_core::method! {
    Elo: Function,
    id: "rank.elo",
    papers: ["varco-arena-2024", "rrm-2025"],
    status: Verified(Reference("evalica 0.4.2 elo, FastChat compute_elo")),
    laws: [],
    exempt: [],
    samples: [
        r#"{"first": ["a", "b", "c", "a", "a"], "second": ["b", "c", "a", "c", "b"],
            "outcome": ["first", "tie", "first", "first", "second"]}"#
    ],
}

#[cfg(test)]
mod tests {
    use super::Elo;
    use crate::rank::Rate as _;
    use crate::{Comparisons, Outcome};
    use guerdon_core::method::Params as _;

    #[test]
    fn a_win_between_equals_moves_half_of_k() {
        let elo = Elo { initial: 1500.0, k: 32.0, ..Elo::default() };
        let all = Comparisons::from_names(&["a"], &["b"], vec![Outcome::First]).unwrap();
        assert_eq!(elo.run(&all), [1516.0, 1484.0]);
    }

    #[test]
    fn shuffles_forget_the_order() {
        let outcome = [vec![Outcome::First; 50], vec![Outcome::Second; 50]].concat();
        let all = Comparisons::from_names(&["a"; 100], &["b"; 100], outcome).unwrap();
        let elo = Elo { k: 16.0, permutations: 200, ..Elo::default() };
        assert!(elo.run(&all)[0] < 970.0, "the last losses count most");
        let board = elo.rate(&all, &all.counts(), 5).unwrap();
        let a = board.get("a").unwrap();
        assert!((a.score - 1000.0).abs() < 5.0);
        assert!(a.low.unwrap() < 1000.0 && a.high.unwrap() > 1000.0);
        assert_eq!(board, elo.rate(&all, &all.counts(), 5).unwrap());
    }

    #[test]
    fn a_weight_of_two_is_two_half_steps_at_once() {
        let elo = Elo::default();
        let mut ratings = [1000.0, 1000.0];
        elo.update(&mut ratings, 0, 1, 0.5, 2.0);
        assert_eq!(ratings, [1000.0, 1000.0]);
        elo.update(&mut ratings, 0, 1, 1.0, 2.0);
        assert_eq!(ratings, [1004.0, 996.0]);
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        assert!(Elo { base: 1.0, ..Elo::default() }.validate().is_err());
        assert!(Elo { k: f64::NAN, ..Elo::default() }.validate().is_err());
    }
}
