//! Swiss-system dynamics over benchmarks: every benchmark is a round, equals meet equals, the last may leave.
//!
//! # Formula
//!
//! ```text
//! for each benchmark k in order:
//!   pair the models at random within groups of equal wins; the higher score on k wins
//!   then `eliminate` models drawn at random from the lowest group leave
//! rating of m: E[S_m], the mean number of wins over the simulations
//! ```
//!
//! # When to use it
//!
//! To rank over many benchmarks without weights between them: only who is better on each counts, not by how much. The
//! order of the benchmarks decides when `eliminate` is above 0: a specialist whose weak benchmarks come first leaves early.
//!
//! # Departures
//!
//! Rules that the paper leaves open: an odd model floats down to the next group; the last one without an opponent has a
//! bye, which is a win; equal scores are decided by a coin; who has no score on a benchmark loses to who has. When
//! fewer than two models are left the contest is over.
//!
//! # Example
//!
//! ```yaml
//! use: rank.swiss
//! eliminate: 1
//! ```
//!
//! ```
//! use guerdon_core::method::Function as _;
//! use guerdon_rank::comparisons::scores::ScoreTable;
//! use guerdon_rank::rank::swiss::Swiss;
//! let names = |prefix: &str, n: usize| (0..n).map(|i| format!("{prefix}{i}")).collect::<Vec<_>>();
//! let scores = vec![vec![Some(4.0); 2], vec![Some(3.0); 2], vec![Some(2.0); 2], vec![Some(1.0); 2]];
//! let table = ScoreTable::new(names("m", 4), names("t", 2), scores)?;
//! let board = Swiss { simulations: 100, ..Swiss::default() }.call(&table, 0)?;
//! assert_eq!(board.ratings.iter().map(|r| r.score).collect::<Vec<_>>(), [2.0, 1.0, 1.0, 0.0]);
//! # Ok::<(), guerdon_core::MethodError>(())
//! ```
//!
//! # References
//!
//! "LLM Swiss Round: Aggregating Multi-Benchmark Performance via Competitive Swiss-System Dynamics", 2025.

use guerdon_core::method::{Function, Params};
use guerdon_core::seed::Stream;
use guerdon_core::{MethodError, ParamError, seed};
use rand::RngExt as _;
use rand::seq::SliceRandom as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::comparisons::scores::ScoreTable;
use crate::report::leaderboard::{Draft, Scale};
use crate::{Counts, Leaderboard};

/// Most steps (models × benchmarks × simulations).
const MOST: usize = 2_000_000_000;

/// Parameters of `rank.swiss`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Swiss {
    /// Models that leave after each round; default 0.
    pub eliminate: usize,
    /// Simulated contests, 2 to 10 million; default 100000.
    pub simulations: usize,
    /// The benchmarks in the order of the rounds. Default: as the table lists them.
    pub order: Option<Vec<String>>,
    /// Level of the interval for the simulation's own error, between 0 and 1; default 0.95.
    pub level: f64,
}

impl Default for Swiss {
    fn default() -> Self {
        Self { eliminate: 0, simulations: 100_000, order: None, level: 0.95 }
    }
}

impl Params for Swiss {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("simulations", self.simulations as f64, 2.0, 1e7)?;
        super::check_level(self.level)
    }
}

/// Mean and variance of the wins of a model over the simulations.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Wins {
    /// Mean.
    pub mean: f64,
    /// Variance of one simulation.
    pub variance: f64,
}

/// Simulates `simulations` contests over the benchmarks `order` (indices), `eliminate` models leaving after each round.
pub fn simulate(
    table: &ScoreTable,
    order: &[usize],
    eliminate: usize,
    simulations: usize,
    seed: u64,
) -> Vec<Wins> {
    let n = table.models().len();
    let mut rng = seed::stream(seed, &format!("swiss {eliminate}"));
    let mut sums = vec![(0.0, 0.0); n];
    let mut contest = Contest { table, alive: Vec::new(), wins: vec![0; n] };
    for _ in 0..simulations {
        contest.alive = (0..n).collect();
        contest.wins.iter_mut().for_each(|wins| *wins = 0);
        for &benchmark in order {
            if contest.alive.len() < 2 {
                break;
            }
            contest.round(benchmark, &mut rng);
            contest.leave(eliminate, &mut rng);
        }
        for (sum, &wins) in sums.iter_mut().zip(&contest.wins) {
            sum.0 += f64::from(wins);
            sum.1 += f64::from(wins * wins);
        }
    }
    let count = simulations as f64;
    let moments = |(sum, squares): (f64, f64)| {
        let mean = sum / count;
        Wins { mean, variance: (squares / count - mean * mean).max(0.0) }
    };
    sums.into_iter().map(moments).collect()
}

struct Contest<'a> {
    table: &'a ScoreTable,
    alive: Vec<usize>,
    wins: Vec<u32>,
}

impl Contest<'_> {
    /// Orders the models by wins, at random among equals.
    fn mix(&mut self, rng: &mut Stream) {
        self.alive.shuffle(rng);
        self.alive.sort_by_key(|&m| std::cmp::Reverse(self.wins[m]));
    }

    fn round(&mut self, benchmark: usize, rng: &mut Stream) {
        self.mix(rng);
        // Neighbours meet: an odd one of a group meets the first of the next, the very last has a bye.
        for pair in self.alive.chunks(2) {
            let winner = match *pair {
                [a, b] => self.better(a, b, benchmark, rng),
                [a] => a,
                _ => continue,
            };
            self.wins[winner] += 1;
        }
    }

    fn better(&self, a: usize, b: usize, benchmark: usize, rng: &mut Stream) -> usize {
        let (of_a, of_b) = (self.table.score(a, benchmark), self.table.score(b, benchmark));
        match of_a.partial_cmp(&of_b) {
            Some(std::cmp::Ordering::Greater) => a,
            Some(std::cmp::Ordering::Less) => b,
            _ => [a, b][usize::from(rng.random::<bool>())],
        }
    }

    fn leave(&mut self, eliminate: usize, rng: &mut Stream) {
        if eliminate > 0 {
            self.mix(rng);
            self.alive.truncate(self.alive.len().saturating_sub(eliminate));
        }
    }
}

/// Checks the table and the work, and finds the benchmarks in the order of the rounds.
pub(super) fn prepare(
    table: &ScoreTable,
    order: Option<&[String]>,
    simulations: usize,
) -> Result<Vec<usize>, MethodError> {
    table.check()?;
    if table.models().len() < 2 || table.tasks().is_empty() {
        return Err(MethodError::domain("a contest needs at least two models and one benchmark"));
    }
    let steps =
        table.models().len().saturating_mul(table.tasks().len()).saturating_mul(simulations);
    if steps > MOST {
        return Err(MethodError::Budget(format!(
            "{steps} steps are more than {MOST}: lower `simulations`"
        )));
    }
    let Some(order) = order else { return Ok((0..table.tasks().len()).collect()) };
    let find = |name: &String| {
        table.tasks().iter().position(|task| task == name).ok_or_else(|| {
            MethodError::Param(ParamError::new(
                "order",
                format!("`{name}` is not among the benchmarks"),
            ))
        })
    };
    order.iter().map(find).collect()
}

impl Function for Swiss {
    type Input = ScoreTable;
    type Output = Leaderboard;

    fn call(&self, input: &ScoreTable, seed: u64) -> Result<Leaderboard, MethodError> {
        let order = prepare(input, self.order.as_deref(), self.simulations)?;
        let wins = simulate(input, &order, self.eliminate, self.simulations, seed);
        let counts = Counts::from_cells(input.models().len(), []);
        let means = wins.iter().map(|wins| wins.mean).collect();
        let mut draft = Draft::new(METHOD.id, input.models(), &counts, means, Scale::Score);
        let z = guerdon_stats::dist::two_sided_z(self.level);
        let around = |wins: &Wins| {
            let error = z * (wins.variance / self.simulations as f64).sqrt();
            Some((wins.mean - error, wins.mean + error))
        };
        draft.intervals = wins.iter().map(around).collect();
        draft.interval = Some(("simulation", self.level));
        Ok(draft.finish())
    }
}

guerdon_core::method! {
    Swiss: Function,
    id: "rank.swiss",
    papers: ["llm-swiss-round-2025"],
    status: Verified(ClosedForm("strict order of 4 on 2 benchmarks: 2, 1, 1, 0 whatever the pairing; wins sum to matches and byes")),
    laws: [],
    exempt: [],
    sample_params: r#"{"simulations": 200}"#,
    samples: [
        r#"{"models": ["a", "b", "c"], "tasks": ["t", "u"], "scores": [[1, 3], [2, null], [0.5, 4]]}"#
    ],
}

#[cfg(test)]
mod tests {
    use super::{Swiss, simulate};
    use crate::comparisons::scores::ScoreTable;
    use guerdon_core::method::Function as _;

    fn table(scores: &[&[f64]]) -> ScoreTable {
        let names =
            |prefix: &str, n: usize| (0..n).map(|i| format!("{prefix}{i}")).collect::<Vec<_>>();
        let rows = scores.iter().map(|row| row.iter().map(|x| Some(*x)).collect()).collect();
        ScoreTable::new(names("m", scores.len()), names("t", scores[0].len()), rows).unwrap()
    }

    #[test]
    fn wins_sum_to_matches_and_byes() {
        let five = table(&[
            &[1.0, 2.0, 3.0],
            &[2.0, 1.0, 5.0],
            &[3.0, 3.0, 1.0],
            &[4.0, 0.0, 2.0],
            &[0.0, 4.0, 4.0],
        ]);
        let wins = simulate(&five, &[0, 1, 2], 0, 500, 1);
        // Two matches and a bye in each of three rounds.
        assert!((wins.iter().map(|w| w.mean).sum::<f64>() - 9.0).abs() < 1e-9);
        let ended = simulate(&five, &[0, 1, 2], 4, 500, 1);
        assert!((ended.iter().map(|w| w.mean).sum::<f64>() - 3.0).abs() < 1e-9);
    }

    #[test]
    fn the_order_of_the_rounds_decides_under_elimination() {
        let specialist_first: Vec<&[f64]> =
            vec![&[0.0, 9.0, 9.0, 9.0], &[5.0; 4], &[4.0; 4], &[3.0; 4]];
        let score = |table: &ScoreTable| {
            let method = Swiss { eliminate: 1, simulations: 4000, ..Swiss::default() };
            method.call(table, 2).unwrap().get("m0").unwrap().score
        };
        let weak_first = score(&table(&specialist_first));
        let weak_last = score(&table(&[&[9.0, 9.0, 9.0, 0.0], &[5.0; 4], &[4.0; 4], &[3.0; 4]]));
        assert!(weak_last > weak_first + 0.5, "{weak_last} {weak_first}");
    }

    #[test]
    fn bad_tables_are_refused() {
        assert!(Swiss::default().call(&table(&[&[1.0]]), 0).is_err());
        let unknown = Swiss { order: Some(vec!["z".into()]), ..Swiss::default() };
        assert!(unknown.call(&table(&[&[1.0], &[2.0]]), 0).is_err());
    }
}
