//! Points: wins counted, opponents beaten (Copeland), or average shares of the points (Borda).
//!
//! # Formula
//!
//! ```text
//! rule wins       Σ_j  win·W_ij + tie·T_ij
//! rule copeland   Σ_j  1 where i won more points against j than it lost, ½ where equally many, over the j it met
//! rule borda      Σ_j  points_ij / n_ij, over the j it met
//! ```
//!
//! `W_ij` wins of `i` over `j`, `T_ij` their ties, `n_ij` all their comparisons, `points_ij = W_ij + T_ij / 2`.
//!
//! # When to use it
//!
//! For a league in which everybody met everybody equally often, or to see how far a model-based rating is from plain
//! counting. Not where some played more or met weaker opponents: use `rank.bradley_terry`. Copeland suits preferences that
//! run in circles, since it asks only for majorities.
//!
//! # Departures
//!
//! None: evalica's `counting` is rule `wins` with `win` 1 and `tie` 0.5.
//!
//! # Example
//!
//! ```yaml
//! use: rank.counting
//! rule: copeland
//! ```
//!
//! ```
//! use guerdon_rank::rank::counting::{Rule, values};
//! use guerdon_rank::{Cell, Counts};
//! let counts = Counts::from_cells(2, [Cell { a: 0, b: 1, wins_a: 2.0, wins_b: 1.0, ties: 1.0 }]);
//! assert_eq!(values(&counts, Rule::Wins, 1.0, 0.5), [2.5, 1.5]);
//! assert_eq!(values(&counts, Rule::Copeland, 1.0, 0.5), [1.0, 0.0]);
//! ```
//!
//! # References
//!
//! Copeland, "A reasonable social welfare function", 1951; de Borda, 1781.

use guerdon_core::method::Params;
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Bootstrap, Rate};
use crate::report::leaderboard::{Draft, Scale};
use crate::{Comparisons, Counts, Leaderboard};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Wins and ties.
    #[default]
    Wins,
    /// Opponents beaten by majority.
    Copeland,
    /// Shares of the points, summed over opponents.
    Borda,
}

/// Parameters of `rank.counting`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Counting {
    /// What is counted. Default: wins.
    pub rule: Rule,
    /// Points of a win under rule `wins`; finite, default 1.
    pub win: f64,
    /// Points of a tie under rule `wins`; finite, default 0.5.
    pub tie: f64,
    /// Rounds of the bootstrap for intervals, up to 100000; default 0: no intervals.
    pub rounds: usize,
    /// Level of the intervals, between 0 and 1; default 0.95.
    pub level: f64,
}

impl Default for Counting {
    fn default() -> Self {
        Self { rule: Rule::Wins, win: 1.0, tie: 0.5, rounds: 0, level: 0.95 }
    }
}

impl Params for Counting {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("win", self.win, f64::NEG_INFINITY, f64::INFINITY)?;
        ParamError::in_range("tie", self.tie, f64::NEG_INFINITY, f64::INFINITY)?;
        if !self.win.is_finite() || !self.tie.is_finite() {
            return Err(ParamError::new("win", "`win` and `tie` must be finite"));
        }
        super::check_bootstrap(self.rounds, self.level)
    }
}

/// The points of every contestant; `win` and `tie` are the points of rule `wins`.
pub fn values(counts: &Counts, rule: Rule, win: f64, tie: f64) -> Vec<f64> {
    let mut values = vec![0.0; counts.n()];
    for cell in counts.cells() {
        let share = cell.points_a() / cell.total();
        let (of_a, of_b) = match rule {
            Rule::Wins => {
                (win * cell.wins_a + tie * cell.ties, win * cell.wins_b + tie * cell.ties)
            }
            Rule::Borda => (share, 1.0 - share),
            Rule::Copeland if cell.wins_a > cell.wins_b => (1.0, 0.0),
            Rule::Copeland if cell.wins_a < cell.wins_b => (0.0, 1.0),
            Rule::Copeland => (0.5, 0.5),
        };
        values[cell.a as usize] += of_a;
        values[cell.b as usize] += of_b;
    }
    values
}

impl Rate for Counting {
    fn rate(
        &self,
        all: &Comparisons,
        counts: &Counts,
        seed: u64,
    ) -> Result<Leaderboard, MethodError> {
        let method = |counts: &Counts| Ok(values(counts, self.rule, self.win, self.tie));
        let points = method(counts)?;
        MethodError::all_finite("points", &points)?;
        let mut draft = Draft::new(METHOD.id, all.names(), counts, points, Scale::Score);
        draft.warnings = all.warnings().to_vec();
        Bootstrap { all, counts, rounds: self.rounds, level: self.level, seed }
            .add(&mut draft, &method)?;
        Ok(draft.finish())
    }
}

function_of_comparisons!(Counting);

guerdon_core::method! {
    Counting: Function,
    id: "rank.counting",
    papers: [],
    status: Verified(Reference("evalica 0.4.2 counting")),
    laws: [PermutationInvariant],
    exempt: [],
    aliases: ["rank.copeland", "rank.borda"],
    samples: [
        r#"{"first": ["a", "b", "c", "a"], "second": ["b", "c", "a", "b"], "outcome": ["first", "tie", "second", "first"]}"#
    ],
}

#[cfg(test)]
mod tests {
    use super::{Counting, Rule, values};
    use crate::rank::Rate as _;
    use crate::{Cell, Comparisons, Counts, Outcome};

    #[test]
    fn the_rules_differ_in_what_they_count() {
        let cell = |a, b, wins_a, wins_b, ties| Cell { a, b, wins_a, wins_b, ties };
        let counts = Counts::from_cells(
            3,
            [cell(0, 1, 8.0, 2.0, 0.0), cell(0, 2, 1.0, 1.0, 2.0), cell(1, 2, 3.0, 1.0, 0.0)],
        );
        let check =
            |rule, expected: [f64; 3]| assert_eq!(values(&counts, rule, 1.0, 0.5), expected);
        check(Rule::Wins, [10.0, 5.0, 3.0]);
        check(Rule::Copeland, [1.5, 1.0, 0.5]);
        check(Rule::Borda, [0.8 + 0.5, 0.2 + 0.75, 0.5 + 0.25]);
    }

    #[test]
    fn a_bootstrap_gives_intervals() {
        let all = Comparisons::from_names(
            &["a"; 20],
            &["b"; 20],
            [Outcome::First, Outcome::Second].repeat(10),
        )
        .unwrap();
        let method = Counting { rounds: 50, ..Counting::default() };
        let board = method.rate(&all, &all.counts(), 3).unwrap();
        let first = &board.ratings[0];
        assert!(first.low.unwrap() < 10.0 && 10.0 < first.high.unwrap());
        assert_eq!((first.rank_low, first.rank_high), (Some(1), Some(2)));
    }
}
