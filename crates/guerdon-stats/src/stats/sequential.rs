//! Sequential comparison of several learners with as few runs as possible: AdaStop's group-sequential permutation test.
//!
//! # Formula
//!
//! ```text
//! T_ij = Σ_{blocks ≤ k} (mean of i's block − mean of j's block)
//! permutations exchange the scores of i and j within blocks; boundary b_k: the smallest value of the permuted maximum whose
//! tail probability, with the level already spent, stays within α·k/K; a pair with |T| > b_k is decided
//! ```
//!
//! At every interim each learner has `n` new scores. The largest |T| is decided first and the boundary recomputed for the rest
//! (step-down). Permutations that crossed an earlier boundary are dropped. After `interims` interims what is left is equal.
//!
//! # When to use it
//!
//! When a run is costly and the number needed is unknown: training seeds, agent evaluations. The scores must be independent;
//! looking between interims is not allowed.
//!
//! # Departures
//!
//! `statistic: absolute` (default) permutes |T|; `shipped` permutes the signed T while comparing |T|, as release 0.1.3 does,
//! which doubles the error level. All assignments are enumerated while their number stays below `permutations`; afterwards
//! every kept permutation is extended by one random one, with a generator of ours. A first block too large to enumerate takes
//! `permutations` random ones.
//!
//! # Example
//!
//! ```yaml
//! use: stats.sequential
//! block: 5
//! interims: 5
//! alpha: 0.05
//! ```
//!
//! ```
//! use guerdon_stats::stats::sequential::{Learner, Sequential, Verdict};
//! let learner = |name: &str, level: f64| Learner {
//!     name: name.into(),
//!     scores: (0..5).map(|i| level + f64::from(i) / 10.0).collect(),
//! };
//! let out = Sequential::default().compare(&[learner("a", 0.0), learner("b", 9.0)], 0).unwrap();
//! assert_eq!(out.decisions[0].verdict, Verdict::Continue);
//! ```
//!
//! # References
//!
//! Mathieu et al., "AdaStop: adaptive statistical testing for sound comparisons of Deep RL agents", 2023.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError, seed};
use rand::RngExt as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::permutation_test::{choices, next_choice};
use crate::moments::{at_least, finite, mean};

/// Which difference is permuted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// Its size: keeps the level.
    #[default]
    Absolute,
    /// Its signed value, as released; only to compare.
    Shipped,
}

/// Parameters of `stats.sequential`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sequential {
    /// New scores per learner at an interim, 1 to 1000. Default 5.
    pub block: usize,
    /// Interims at most, 1 to 1000. Default 5.
    pub interims: usize,
    /// Permutations at most, 1 to 1,000,000. Default 10000.
    pub permutations: u64,
    /// Family-wise error level, above 0 and below 1. Default 0.01.
    pub alpha: f64,
    /// Which difference is permuted. Default `absolute`.
    pub statistic: Statistic,
}

impl Default for Sequential {
    fn default() -> Self {
        Self {
            block: 5,
            interims: 5,
            permutations: 10_000,
            alpha: 0.01,
            statistic: Statistic::Absolute,
        }
    }
}

impl Params for Sequential {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("block", self.block as f64, 1.0, 1000.0)?;
        ParamError::in_range("interims", self.interims as f64, 1.0, 1000.0)?;
        ParamError::in_range("permutations", self.permutations as f64, 1.0, 1e6)?;
        ParamError::in_range("alpha", self.alpha, 1e-12, 1.0 - 1e-12)
    }
}

/// One learner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Learner {
    /// Its name.
    pub name: String,
    /// Its scores so far, in the order of runs; a last block that is not full is not read.
    pub scores: Vec<f64>,
}

/// Input of `stats.sequential`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The learners, at least two.
    pub learners: Vec<Learner>,
    /// Pairs of names to compare; absent: all.
    #[serde(default)]
    pub pairs: Vec<(String, String)>,
}

/// What is known of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The first is better.
    Larger,
    /// The first is worse.
    Smaller,
    /// Not decided after all interims.
    Equal,
    /// More runs are needed.
    Continue,
}

/// The verdict on one pair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// First learner.
    pub first: String,
    /// Second learner.
    pub second: String,
    /// What is known.
    pub verdict: Verdict,
    /// The interim (from 1) at which it was decided; null while it is not.
    pub interim: Option<usize>,
}

/// Output of `stats.sequential`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// One entry per pair.
    pub decisions: Vec<Decision>,
    /// The boundary at each interim done; null where nothing could be decided yet.
    pub boundaries: Vec<Option<f64>>,
    /// Scores of each learner that were read.
    pub used: Vec<usize>,
    /// Whether every pair is decided.
    pub finished: bool,
}

/// Most additions in one call.
const WORK_LIMIT: u64 = 4_000_000_000;

/// The permuted sums of differences: one row per permutation, one column per pair still open.
struct Permuted {
    rows: Vec<Vec<f64>>,
    /// What the share of rows is counted against.
    weight: f64,
}

/// State of the comparison between interims.
struct State<'a> {
    params: &'a Sequential,
    scores: Vec<&'a [f64]>,
    pairs: Vec<(usize, usize)>,
    open: Vec<usize>,
    verdicts: Vec<(Verdict, Option<usize>)>,
    permuted: Option<Permuted>,
    spent: f64,
    boundaries: Vec<Option<f64>>,
    used: Vec<usize>,
    rng: seed::Stream,
}

impl State<'_> {
    /// Both learners' scores of block `k`, one after the other.
    fn block(&self, pair: usize, k: usize) -> Vec<f64> {
        let (i, j) = self.pairs[pair];
        let (from, to) = (k * self.params.block, (k + 1) * self.params.block);
        self.scores[i][from..to].iter().chain(&self.scores[j][from..to]).copied().collect()
    }

    /// Extends the permutations by block `k`.
    fn extend(&mut self, k: usize) {
        let n = self.params.block;
        let all = choices(2 * n, n, self.params.permutations);
        let blocks: Vec<Vec<f64>> = self.open.iter().map(|&pair| self.block(pair, k)).collect();
        let totals: Vec<f64> = blocks.iter().map(|b| b.iter().sum()).collect();
        // Difference of means when `chosen` sums to `sum`.
        let gap = |sum: f64, total: f64| (2.0 * sum - total) / n as f64;
        let count = (all as f64).powi(i32::try_from(k + 1).unwrap_or(i32::MAX));
        let kept = self.permuted.take();
        let exact = all < self.params.permutations && count < self.params.permutations as f64;
        let mut rows = Vec::new();
        if exact {
            let before = kept.map_or_else(|| vec![vec![0.0; blocks.len()]], |p| p.rows);
            let mut members: Vec<usize> = (0..n).collect();
            loop {
                let pick = |b: &Vec<f64>| members.iter().map(|&i| b[i]).sum::<f64>();
                let add: Vec<f64> =
                    blocks.iter().zip(&totals).map(|(b, t)| gap(pick(b), *t)).collect();
                rows.extend(
                    before
                        .iter()
                        .map(|row| row.iter().zip(&add).map(|(r, a)| r + a).collect::<Vec<_>>()),
                );
                if !next_choice(&mut members, 2 * n) {
                    break;
                }
            }
            self.permuted = Some(Permuted { rows, weight: count });
            return;
        }
        let (before, weight) = kept.map_or_else(
            || {
                let number = self.params.permutations;
                ((0..number).map(|_| vec![0.0; blocks.len()]).collect(), number as f64)
            },
            |kept| (kept.rows, kept.weight),
        );
        for (place, mut row) in before.into_iter().enumerate() {
            for ((cell, block), total) in row.iter_mut().zip(&blocks).zip(&totals) {
                let mut pool = block.clone();
                // The first row stays the assignment that was made.
                for i in 0..if place == 0 { 0 } else { n } {
                    let j = self.rng.random_range(i..pool.len());
                    pool.swap(i, j);
                }
                *cell += gap(pool[..n].iter().sum(), *total);
            }
            rows.push(row);
        }
        self.permuted = Some(Permuted { rows, weight });
    }

    /// The observed sum of block differences of a pair after interim `k` (from 0).
    fn observed(&self, pair: usize, k: usize) -> f64 {
        let (i, j) = self.pairs[pair];
        let upto = (k + 1) * self.params.block;
        (k + 1) as f64 * (mean(&self.scores[i][..upto]) - mean(&self.scores[j][..upto]))
    }

    fn size(&self, x: f64) -> f64 {
        if self.params.statistic == Statistic::Absolute { x.abs() } else { x }
    }

    /// Boundary over the columns that are still open, with the level it spends.
    fn boundary(&self, permuted: &Permuted, columns: &[usize], level: f64) -> (Option<f64>, f64) {
        let most = |row: &Vec<f64>| {
            columns.iter().map(|&c| self.size(row[c])).fold(f64::NEG_INFINITY, f64::max)
        };
        let values = crate::order::sorted(&permuted.rows.iter().map(most).collect::<Vec<_>>());
        let admissible = (0..values.len()).find_map(|place| {
            let tail = (values.len() - 1 - place) as f64 / permuted.weight;
            (self.spent + tail <= level + 1e-15).then_some((values[place], tail))
        });
        admissible.map_or((None, 0.0), |(value, tail)| (Some(value), tail))
    }

    /// One interim: extends, decides step by step, keeps the permutations within the boundary.
    fn interim(&mut self, k: usize) -> Result<(), MethodError> {
        self.extend(k);
        let Some(permuted) = self.permuted.take() else { return Ok(()) };
        let level = self.params.alpha * (k + 1) as f64 / self.params.interims as f64;
        let mut columns: Vec<usize> = (0..self.open.len()).collect();
        let (mut bound, mut tail) = (None, 0.0);
        while !columns.is_empty() {
            (bound, tail) = self.boundary(&permuted, &columns, level);
            let sizes = columns.iter().map(|&c| self.observed(self.open[c], k).abs());
            let Some((at, largest)) =
                sizes.enumerate().reduce(|a, b| if b.1 > a.1 { b } else { a })
            else {
                break;
            };
            if bound.is_none_or(|b| largest <= b) {
                break;
            }
            let pair = self.open[columns.remove(at)];
            let verdict =
                if self.observed(pair, k) > 0.0 { Verdict::Larger } else { Verdict::Smaller };
            self.verdicts[pair] = (verdict, Some(k + 1));
        }
        self.boundaries.push(bound.map(|b| finite("boundary", b)).transpose()?);
        self.spent += tail;
        let inside = |row: &Vec<f64>| bound.is_none_or(|b| row.iter().all(|x| x.abs() <= b));
        let keep = |row: Vec<f64>| columns.iter().map(|&c| row[c]).collect::<Vec<_>>();
        let rows = permuted.rows.into_iter().filter(inside).map(keep).collect();
        self.permuted = Some(Permuted { rows, weight: permuted.weight });
        self.open = columns.iter().map(|&c| self.open[c]).collect();
        Ok(())
    }

    fn run(&mut self) -> Result<(), MethodError> {
        for k in 0..self.params.interims {
            let need = (k + 1) * self.params.block;
            let ready = |pair: &usize| {
                let (i, j) = self.pairs[*pair];
                self.scores[i].len() >= need && self.scores[j].len() >= need
            };
            if self.open.is_empty() || !self.open.iter().all(ready) {
                break;
            }
            for pair in self.open.clone() {
                let (i, j) = self.pairs[pair];
                (self.used[i], self.used[j]) = (need, need);
            }
            self.interim(k)?;
        }
        if self.boundaries.len() == self.params.interims {
            for pair in std::mem::take(&mut self.open) {
                self.verdicts[pair] = (Verdict::Equal, Some(self.params.interims));
            }
        }
        Ok(())
    }
}

impl Sequential {
    /// Compares all pairs of learners on the scores so far.
    pub fn compare(&self, learners: &[Learner], seed: u64) -> Result<Output, MethodError> {
        let n = learners.len();
        let pairs = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j))).collect();
        self.compare_pairs(learners, pairs, seed)
    }

    /// Compares the given pairs (indices into `learners`).
    pub fn compare_pairs(
        &self,
        learners: &[Learner],
        pairs: Vec<(usize, usize)>,
        seed: u64,
    ) -> Result<Output, MethodError> {
        at_least("learners", learners.len(), 2)?;
        for learner in learners {
            MethodError::all_finite(&learner.name, &learner.scores)?;
            finite(&learner.name, learner.scores.iter().map(|x| x.abs()).sum::<f64>() * 1e3)?;
        }
        let work = self.permutations * pairs.len() as u64 * self.block as u64;
        if work.saturating_mul(self.interims as u64) > WORK_LIMIT {
            return Err(MethodError::Budget(
                "too many pairs: lower `permutations` or compare fewer".to_owned(),
            ));
        }
        let mut state = State {
            params: self,
            scores: learners.iter().map(|l| l.scores.as_slice()).collect(),
            open: (0..pairs.len()).collect(),
            verdicts: vec![(Verdict::Continue, None); pairs.len()],
            pairs,
            permuted: None,
            spent: 0.0,
            boundaries: Vec::new(),
            used: vec![0; learners.len()],
            rng: seed::stream(seed, "sequential"),
        };
        state.run()?;
        let decision =
            |(&(i, j), &(verdict, interim)): (&(usize, usize), &(Verdict, Option<usize>))| {
                Decision {
                    first: learners[i].name.clone(),
                    second: learners[j].name.clone(),
                    verdict,
                    interim,
                }
            };
        Ok(Output {
            decisions: state.pairs.iter().zip(&state.verdicts).map(decision).collect(),
            finished: state.open.is_empty(),
            boundaries: state.boundaries,
            used: state.used,
        })
    }
}

impl Function for Sequential {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, seed: u64) -> Result<Output, MethodError> {
        if input.pairs.is_empty() {
            return self.compare(&input.learners, seed);
        }
        let place = |name: &String| {
            let found = input.learners.iter().position(|l| l.name == *name);
            found.ok_or_else(|| MethodError::domain(format!("there is no learner `{name}`")))
        };
        let pairs = input.pairs.iter().map(|(a, b)| Ok((place(a)?, place(b)?)));
        self.compare_pairs(&input.learners, pairs.collect::<Result<_, MethodError>>()?, seed)
    }
}

guerdon_core::method! {
    Sequential: Function,
    id: "stats.sequential",
    papers: ["adastop-2023"],
    status: Verified(Reference("adastop 0.1.3: decisions, the enumerated boundary exactly, the sampled ones by tolerance")),
    laws: [],
    exempt: [],
    sample_params: r#"{"block": 3, "interims": 2, "permutations": 500, "alpha": 0.2}"#,
    samples: [
        r#"{"learners": [{"name": "a", "scores": [1, 2, 1.5]}, {"name": "b", "scores": [5, 6, 5.5]}]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Learner, Sequential, Statistic, Verdict};
    use guerdon_core::seed;
    use rand::RngExt as _;

    fn learners(rng: &mut seed::Stream, shift: f64, count: usize) -> Vec<Learner> {
        let mut draw = |level: f64| {
            (0..count).map(|_| level + rng.random::<f64>() - rng.random::<f64>()).collect()
        };
        let (a, b) = (draw(0.0), draw(shift));
        vec![Learner { name: "a".into(), scores: a }, Learner { name: "b".into(), scores: b }]
    }

    #[test]
    fn a_large_difference_is_found_early() {
        let params = Sequential { alpha: 0.05, ..Sequential::default() };
        let out = params.compare(&learners(&mut seed::stream(1, "x"), 3.0, 25), 0).unwrap();
        assert_eq!((out.decisions[0].verdict, out.finished), (Verdict::Smaller, true));
        assert!(out.used[0] <= 10);
    }

    #[test]
    fn equal_learners_are_told_apart_at_most_at_the_level() {
        let params = Sequential {
            alpha: 0.1,
            interims: 1,
            statistic: Statistic::Absolute,
            ..Sequential::default()
        };
        let mut rng = seed::stream(2, "x");
        let wrong = (0..300).filter(|_| {
            params.compare(&learners(&mut rng, 0.0, 5), 0).unwrap().decisions[0].verdict
                != Verdict::Equal
        });
        assert!(wrong.count() <= 45, "more than 15 % at a level of 10 %");
    }

    #[test]
    fn too_few_scores_go_on() {
        let out =
            Sequential::default().compare(&learners(&mut seed::stream(3, "x"), 0.0, 4), 0).unwrap();
        assert_eq!((out.decisions[0].verdict, out.used[0]), (Verdict::Continue, 0));
    }
}
