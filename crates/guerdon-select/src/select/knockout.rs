//! Knockout tournament or league among candidates, from recorded pairwise comparisons.
//!
//! # Formula
//!
//! ```text
//! knockout: pair at random, the winner of a pair's comparisons advances, an odd one gets a bye, until one is left
//! league: every candidate meets `opponents` others at random, the best mean win rate wins
//! P(fail) ≤ (1 − p)^N + ⌈log2 N⌉·exp(−2K(c − ½)²)
//! ```
//!
//! `p` is the chance that a candidate is right, `c` that a comparison of right with wrong is, `K` comparisons per pair, `N`
//! candidates.
//!
//! # When to use it
//!
//! With a judge that compares better than it scores. It works as long as c > ½; below, more comparisons make it worse.
//!
//! # Departures
//!
//! Comparisons are given as the probability (or share of votes) that the row's candidate beats the column's, both orders
//! already merged; a judge that is asked as the tournament goes uses `bracket` with its own function. Exact ties go to a seeded
//! coin.
//!
//! # Example
//!
//! ```yaml
//! use: select.knockout
//! mode: knockout
//! ```
//!
//! ```
//! use guerdon_select::select::knockout::success;
//! assert!((1.0 - success(4, 0.3, 16, 0.75) - 0.007_511).abs() < 1e-6);
//! ```
//!
//! # References
//!
//! Chen et al., "A Simple and Provable Scaling Law for the Test-Time Compute of Large Language Models", 2024.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError, seed};
use guerdon_stats::dist::binomial_pmf;
use rand::RngExt as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How candidates meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The loser is out.
    #[default]
    Knockout,
    /// Everybody meets several others.
    League,
}

/// Parameters of `select.knockout`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Knockout {
    /// How candidates meet. Default `knockout`.
    pub mode: Mode,
    /// Opponents of each candidate in a league, at least 1. Default 3.
    pub opponents: usize,
    /// Take the candidates in their order instead of at random. Default false.
    pub in_order: bool,
}

impl Default for Knockout {
    fn default() -> Self {
        Self { mode: Mode::Knockout, opponents: 3, in_order: false }
    }
}

impl Params for Knockout {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("opponents", self.opponents as f64, 1.0, 1e6)
    }
}

/// Input of `select.knockout`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Probability, or share of votes, that the row's candidate beats the column's, 0 to 1; at least one candidate.
    pub beats: Vec<Vec<f64>>,
}

/// One match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Match {
    /// First candidate.
    pub first: usize,
    /// Second candidate.
    pub second: usize,
    /// The one that goes on (in a league: that has more votes).
    pub winner: usize,
}

/// Output of `select.knockout`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The champion.
    pub index: usize,
    /// The matches, in order.
    pub matches: Vec<Match>,
}

/// Plays a bracket of `entrants`; `play(a, b)` returns the winner. An odd one out gets a bye.
pub fn bracket(
    mut entrants: Vec<usize>,
    mut play: impl FnMut(usize, usize) -> usize,
) -> (Option<usize>, Vec<Match>) {
    let mut matches = Vec::new();
    while entrants.len() > 1 {
        let mut next = Vec::with_capacity(entrants.len().div_ceil(2));
        for pair in entrants.chunks(2) {
            let &[first, second] = pair else {
                next.push(pair[0]);
                continue;
            };
            let winner = play(first, second);
            matches.push(Match { first, second, winner });
            next.push(winner);
        }
        entrants = next;
    }
    (entrants.first().copied(), matches)
}

/// Chance that the champion of 2^`rounds` independent candidates is right: each right with `p`, `votes` comparisons a pair,
/// each right with `c`; ties count half.
pub fn success(rounds: u32, p: f64, votes: u64, c: f64) -> f64 {
    let term = |k: u64| {
        let weight = match (2 * k).cmp(&votes) {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        };
        weight * binomial_pmf(k, votes, c)
    };
    let q: f64 = (0..=votes).map(term).sum();
    (0..rounds).fold(p, |x, _| x * x + 2.0 * x * (1.0 - x) * q)
}

/// The published upper bound of the failure probability.
pub fn failure_bound(n: u64, p: f64, votes: u64, c: f64) -> f64 {
    let n = n.max(1) as f64;
    (1.0 - p).powf(n) + n.log2().ceil() * (-2.0 * votes as f64 * (c - 0.5).powi(2)).exp()
}

fn shuffle(order: &mut [usize], rng: &mut seed::Stream) {
    for i in (1..order.len()).rev() {
        order.swap(i, rng.random_range(0..=i));
    }
}

impl Knockout {
    fn league(
        &self,
        beats: &[Vec<f64>],
        order: &[usize],
        rng: &mut seed::Stream,
    ) -> (usize, Vec<Match>) {
        let n = order.len();
        let (mut points, mut games) = (vec![0.0; n], vec![0.0; n]);
        let mut matches = Vec::new();
        // A random circle: each meets the next ones on it, so everybody plays about equally often.
        for step in 1..=self.opponents.min(n - 1).div_ceil(2) {
            for at in 0..n {
                let (first, second) = (order[at], order[(at + step) % n]);
                if first == second || (2 * step == n && at >= step) {
                    continue;
                }
                let share = beats[first][second];
                points[first] += share;
                points[second] += 1.0 - share;
                games[first] += 1.0;
                games[second] += 1.0;
                matches.push(Match { first, second, winner: decide(share, first, second, rng) });
            }
        }
        let rate = |i: usize| if games[i] > 0.0 { points[i] / games[i] } else { 0.0 };
        (crate::ballot::first_max((0..n).map(rate)).unwrap_or(0), matches)
    }
}

fn decide(share: f64, first: usize, second: usize, rng: &mut seed::Stream) -> usize {
    let coin = rng.random::<bool>();
    if share > 0.5 || (share == 0.5 && coin) { first } else { second }
}

impl Function for Knockout {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, seed: u64) -> Result<Output, MethodError> {
        let n = input.beats.len();
        if n == 0 {
            return Err(MethodError::domain("there is no candidate"));
        }
        for row in &input.beats {
            MethodError::same_length(("beats", n), ("a row of beats", row.len()))?;
            if let Some(bad) = row.iter().find(|p| !(0.0..=1.0).contains(*p)) {
                return Err(MethodError::domain(format!(
                    "`beats` must lie between 0 and 1, not {bad}"
                )));
            }
        }
        let mut rng = seed::stream(seed, "knockout");
        let mut order: Vec<usize> = (0..n).collect();
        if !self.in_order {
            shuffle(&mut order, &mut rng);
        }
        let (index, matches) = match self.mode {
            Mode::Knockout => {
                let (won, matches) =
                    bracket(order, |a, b| decide(input.beats[a][b], a, b, &mut rng));
                (won.unwrap_or(0), matches)
            }
            Mode::League => self.league(&input.beats, &order, &mut rng),
        };
        Ok(Output { index, matches })
    }
}

guerdon_core::method! {
    Knockout: Function,
    id: "select.knockout",
    papers: ["knockout-2024", "rrm-2025", "varco-arena-2024"],
    status: Verified(ClosedForm("x ← x² + 2x(1 − x)q: 0.007511, 0.01965, 0.900939, 0.240109; n − 1 matches")),
    laws: [],
    exempt: [],
    samples: [r#"{"beats": [[0.5, 0.8, 0.6], [0.2, 0.5, 0.3], [0.4, 0.7, 0.5]]}"#],
}

#[cfg(test)]
mod tests {
    use super::{Input, Knockout, Mode, failure_bound, success};
    use guerdon_core::method::Function as _;

    fn strict(n: usize) -> Input {
        Input {
            beats: (0..n)
                .map(|i| {
                    (0..n).map(|j| if i == j { 0.5 } else { f64::from(u8::from(i > j)) }).collect()
                })
                .collect(),
        }
    }

    #[test]
    fn the_recursion_and_its_bound() {
        for (rounds, p, votes, c, fail) in [
            (4, 0.3, 16, 0.75, 0.007_511),
            (4, 0.3, 64, 0.75, 0.003_325),
            (4, 0.3, 15, 0.7, 0.01965),
            (4, 0.3, 15, 0.45, 0.900_939),
            (2, 0.3, 64, 0.75, 0.240_109),
            (3, 1.0, 1, 0.8, 0.0),
        ] {
            assert!((1.0 - success(rounds, p, votes, c) - fail).abs() < 1e-5, "{fail}");
        }
        assert!((failure_bound(16, 0.3, 64, 0.75) - 0.004_665).abs() < 1e-6);
    }

    #[test]
    fn a_perfect_judge_finds_the_best_in_n_minus_one_matches() {
        for n in 1..10 {
            for mode in [Mode::Knockout, Mode::League] {
                let out = Knockout { mode, opponents: n.max(1), ..Knockout::default() }
                    .call(&strict(n), 3)
                    .unwrap();
                assert_eq!(out.index, n - 1, "{mode:?} {n}");
                assert!(mode == Mode::League || out.matches.len() == n - 1);
            }
        }
        assert!(Knockout::default().call(&Input { beats: vec![] }, 0).is_err());
    }
}
