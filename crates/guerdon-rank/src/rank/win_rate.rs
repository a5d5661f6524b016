//! Share of the points won: over all opponents alike, over all comparisons, or against one reference.
//!
//! # Formula
//!
//! ```text
//! over opponents     mean over the j that i met of (W_ij + tie·T_ij) / (W_ij + W_ji + 2·tie·T_ij)
//! over comparisons   (W_i + tie·T_i) / n_i
//! against r          (W_ir + tie·T_ir) / n_ir
//! ```
//!
//! Comparisons have Wilson intervals (treating half points as fractions of a success); opponents have bootstrap ones.
//!
//! # When to use it
//!
//! Against one fixed reference it is what anchored benchmarks report, and it saturates: strong contestants all win nearly
//! always. Over comparisons it depends on whom one met; over opponents it does so less.
//!
//! # Departures
//!
//! evalica's `average_win_rate` is `over: opponents`. A contestant that never met the reference has no rate: it is left out
//! of the table with a warning, where other packages put 0.
//!
//! # Example
//!
//! ```yaml
//! use: rank.win_rate
//! against: gpt-4
//! ```
//!
//! ```
//! use guerdon_rank::rank::win_rate::over_opponents;
//! use guerdon_rank::{Cell, Counts};
//! let counts = Counts::from_cells(2, [Cell { a: 0, b: 1, wins_a: 2.0, wins_b: 1.0, ties: 1.0 }]);
//! assert_eq!(over_opponents(&counts, 0.5), [0.625, 0.375]);
//! ```
//!
//! # References
//!
//! Wilson, "Probable inference, the law of succession, and statistical inference", 1927.

use guerdon_core::method::Params;
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Bootstrap, Rate};
use crate::report::leaderboard::{Draft, Scale};
use crate::{Comparisons, Counts, Leaderboard};

/// What the rate is a mean over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// Opponents: each counts once, however often it was met.
    #[default]
    Opponents,
    /// Comparisons.
    Comparisons,
}

/// Parameters of `rank.win_rate`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WinRate {
    /// What the rate is a mean over. Default: opponents.
    pub over: Over,
    /// Only comparisons with this contestant count. Default: all.
    pub against: Option<String>,
    /// Points of a tie, 0 to 1; default 0.5.
    pub tie: f64,
    /// Rounds of the bootstrap for intervals over opponents, up to 100000; default 0: none.
    pub rounds: usize,
    /// Level of the intervals, between 0 and 1; default 0.95.
    pub level: f64,
}

impl Default for WinRate {
    fn default() -> Self {
        Self { over: Over::Opponents, against: None, tie: 0.5, rounds: 0, level: 0.95 }
    }
}

impl Params for WinRate {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("tie", self.tie, 0.0, 1.0)?;
        super::check_bootstrap(self.rounds, self.level)
    }
}

/// Mean share of the points over the opponents met; 0 for who met nobody. `tie` is worth this much to either side.
pub fn over_opponents(counts: &Counts, tie: f64) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); counts.n()];
    for cell in counts.cells() {
        let (of_a, of_b) = (cell.wins_a + tie * cell.ties, cell.wins_b + tie * cell.ties);
        // Without points for ties, a pair that only tied has no shares.
        if of_a + of_b == 0.0 {
            continue;
        }
        for (i, points) in [(cell.a, of_a), (cell.b, of_b)] {
            sums[i as usize].0 += points / (of_a + of_b);
            sums[i as usize].1 += 1.0;
        }
    }
    sums.into_iter().map(|(sum, met)| if met == 0.0 { 0.0 } else { sum / met }).collect()
}

/// Points and comparisons of each contestant: over all, or against one.
pub fn tallies(counts: &Counts, tie: f64, against: Option<usize>) -> Vec<(f64, f64)> {
    let mut tallies = vec![(0.0, 0.0); counts.n()];
    for cell in counts.cells() {
        let sides = [
            (cell.a as usize, cell.b as usize, cell.wins_a),
            (cell.b as usize, cell.a as usize, cell.wins_b),
        ];
        for (i, j, wins) in sides {
            if against.is_none_or(|r| r == j) {
                tallies[i].0 += wins + tie * cell.ties;
                tallies[i].1 += cell.total();
            }
        }
    }
    tallies
}

/// The Wilson interval of `points` out of `total` at normal quantile `z`; `None` without any.
pub fn wilson(points: f64, total: f64, z: f64) -> Option<(f64, f64)> {
    if total <= 0.0 {
        return None;
    }
    let (p, share) = (points / total, z * z / total);
    let centre = (p + 0.5 * share) / (1.0 + share);
    let half = z / (1.0 + share) * (p * (1.0 - p) / total + share / (4.0 * total)).max(0.0).sqrt();
    Some(((centre - half).max(0.0), (centre + half).min(1.0)))
}

impl WinRate {
    fn by_comparisons(
        &self,
        all: &Comparisons,
        counts: &Counts,
    ) -> Result<Leaderboard, MethodError> {
        let reference = self.reference(all)?;
        let tallies = tallies(counts, self.tie, reference);
        let rated: Vec<usize> = (0..tallies.len()).filter(|&i| tallies[i].1 > 0.0).collect();
        let rate = |(points, total): (f64, f64)| if total > 0.0 { points / total } else { 0.0 };
        let values = tallies.iter().map(|&tally| rate(tally)).collect();
        let mut draft = Draft::new(METHOD.id, all.names(), counts, values, Scale::Score);
        draft.warnings = all.warnings().to_vec();
        let z = guerdon_stats::dist::two_sided_z(self.level);
        draft.intervals = tallies.iter().map(|&(points, total)| wilson(points, total, z)).collect();
        draft.interval = Some(("wilson", self.level));
        let mut board = draft.finish();
        let left_out = all.names().len() - rated.len() - usize::from(reference.is_some());
        if left_out > 0 {
            board
                .warnings
                .push(format!("{left_out} contestants met nobody that counts: they are left out"));
        }
        let names: Vec<&String> = rated.iter().map(|&i| &all.names()[i]).collect();
        board.ratings.retain(|rating| names.contains(&&rating.name));
        Ok(board)
    }

    fn reference(&self, all: &Comparisons) -> Result<Option<usize>, MethodError> {
        let Some(name) = &self.against else { return Ok(None) };
        let found = all.names().iter().position(|known| known == name);
        found.map(Some).ok_or_else(|| {
            let near = guerdon_core::nearest(name, all.names().iter().map(String::as_str));
            let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            MethodError::Param(ParamError::new(
                "against",
                format!("`{name}` is not among the contestants{hint}"),
            ))
        })
    }
}

impl Rate for WinRate {
    fn rate(
        &self,
        all: &Comparisons,
        counts: &Counts,
        seed: u64,
    ) -> Result<Leaderboard, MethodError> {
        if self.against.is_some() || self.over == Over::Comparisons {
            return self.by_comparisons(all, counts);
        }
        let method = |counts: &Counts| Ok(over_opponents(counts, self.tie));
        let mut draft = Draft::new(METHOD.id, all.names(), counts, method(counts)?, Scale::Score);
        draft.warnings = all.warnings().to_vec();
        Bootstrap { all, counts, rounds: self.rounds, level: self.level, seed }
            .add(&mut draft, &method)?;
        Ok(draft.finish())
    }
}

function_of_comparisons!(WinRate);

guerdon_core::method! {
    WinRate: Function,
    id: "rank.win_rate",
    papers: ["varco-arena-2024"],
    status: Verified(Reference("evalica 0.4.2 average_win_rate")),
    laws: [PermutationInvariant],
    exempt: [],
    samples: [
        r#"{"first": ["a", "b", "c", "a"], "second": ["b", "c", "a", "b"], "outcome": ["first", "tie", "second", "first"]}"#
    ],
}

#[cfg(test)]
mod tests {
    use super::{Over, WinRate, wilson};
    use crate::rank::Rate as _;
    use crate::{Comparisons, Outcome};

    fn sample() -> Comparisons {
        use Outcome::{First, Second, Tie};
        let first = ["a", "a", "a", "b", "c"];
        let second = ["b", "b", "c", "c", "d"];
        Comparisons::from_names(&first, &second, vec![First, Second, First, Tie, First]).unwrap()
    }

    fn score(method: &WinRate, name: &str) -> f64 {
        let all = sample();
        method.rate(&all, &all.counts(), 0).unwrap().get(name).unwrap().score
    }

    #[test]
    fn opponents_count_once_and_comparisons_each() {
        assert_eq!(score(&WinRate::default(), "a"), 0.75);
        let over = WinRate { over: Over::Comparisons, ..WinRate::default() };
        assert!((score(&over, "a") - 2.0 / 3.0).abs() < 1e-15);
    }

    #[test]
    fn against_a_reference_only_its_opponents_are_rated() {
        let all = sample();
        let method = WinRate { against: Some("c".into()), ..WinRate::default() };
        let board = method.rate(&all, &all.counts(), 0).unwrap();
        assert_eq!(
            board.ratings.iter().map(|r| r.name.as_str()).collect::<Vec<_>>(),
            ["a", "b", "d"]
        );
        let unknown = WinRate { against: Some("z".into()), ..WinRate::default() };
        assert!(
            unknown.rate(&all, &all.counts(), 0).unwrap_err().to_string().contains("`z` is not")
        );
    }

    /// 12 of 33: the catalogue's Wilson interval.
    #[test]
    fn the_wilson_interval() {
        let (low, high) = wilson(12.0, 33.0, 1.959_963_984_540_054).unwrap();
        assert!((low - 0.222).abs() < 5e-4 && (high - 0.534).abs() < 5e-4);
        assert_eq!(wilson(0.0, 0.0, 2.0), None);
    }
}
