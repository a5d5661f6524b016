//! pass@k: the probability that at least one of k samples is right, unbiased, from n samples with c right.
//!
//! # Formula
//!
//! ```text
//! pass@k = 1 − C(n − c, k) / C(n, k) = 1 − Π_{i = n−c+1}^{n} (1 − k/i)
//! ```
//!
//! `n` samples of a task, `c` of them right, `k` drawn without replacement. Over tasks: the mean, and a bootstrap interval
//! over tasks. k = 1 is the mean accuracy (avg@n).
//!
//! # When to use it
//!
//! Where any right sample helps: code with tests, proofs, the ceiling of selection. Where every sample must be right use
//! `stats.pass_k`; what a vote would answer is `stats.maj_at_k`.
//!
//! # Departures
//!
//! A task with n < k has no value (null) and is left out of the mean, which says over how many tasks it goes; some
//! harnesses return 1 or the plug-in 1 − (1 − c/n)^k there, which is biased.
//!
//! # Example
//!
//! ```yaml
//! use: stats.pass_at_k
//! k: [1, 10]
//! ```
//!
//! ```
//! use guerdon_stats::stats::pass_at_k::pass_at_k;
//! assert!((pass_at_k(10, 3, 2).unwrap() - 0.533_333_333_333_333_3).abs() < 1e-15);
//! assert_eq!(pass_at_k(10, 3, 11), None);
//! ```
//!
//! # References
//!
//! Chen et al., "Evaluating Large Language Models Trained on Code", 2021, section 2.1.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bootstrap::{check_level, check_rounds};
use crate::moments::at_least;
use crate::resample::{Interval, IntervalKind, interval, replicates, weighted_mean};

/// Parameters of `stats.pass_at_k`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PassAtK {
    /// Numbers of samples drawn, each at least 1. Default `[1]`.
    pub k: Vec<u64>,
    /// Bootstrap resamples of the tasks, 0 (no interval) to 1,000,000. Default 1000.
    pub rounds: u32,
    /// Confidence level, between 0 and 1. Default 0.95.
    pub level: f64,
}

impl Default for PassAtK {
    fn default() -> Self {
        Self { k: vec![1], rounds: 1000, level: 0.95 }
    }
}

impl Params for PassAtK {
    fn validate(&self) -> Result<(), ParamError> {
        check_k(&self.k)?;
        check_rounds(self.rounds.max(1))?;
        check_level(self.level)
    }
}

/// Checks a list of draw sizes: not empty, none zero.
pub(crate) fn check_k(k: &[u64]) -> Result<(), ParamError> {
    if k.is_empty() || k.contains(&0) {
        return Err(ParamError::new("k", "`k` must list at least one number, each at least 1"));
    }
    Ok(())
}

/// Input of `stats.pass_at_k`: either `correct` or `n` and `c`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Input {
    /// Per task, whether each sample is right.
    pub correct: Vec<Vec<bool>>,
    /// Per task, the number of samples (instead of `correct`).
    pub n: Vec<u64>,
    /// Per task, the number of right samples, at most `n`.
    pub c: Vec<u64>,
}

impl Input {
    /// `(n, c)` of every task.
    pub fn counts(&self) -> Result<Vec<(u64, u64)>, MethodError> {
        MethodError::same_length(("n", self.n.len()), ("c", self.c.len()))?;
        if !self.correct.is_empty() && !self.n.is_empty() {
            return Err(MethodError::domain("give either `correct` or `n` and `c`, not both"));
        }
        let counted = self
            .correct
            .iter()
            .map(|t| (t.len() as u64, t.iter().filter(|right| **right).count() as u64));
        let counts: Vec<_> =
            counted.chain(self.n.iter().copied().zip(self.c.iter().copied())).collect();
        at_least("tasks", counts.len(), 1)?;
        match counts.iter().position(|(n, c)| c > n) {
            None => Ok(counts),
            Some(at) => Err(MethodError::domain(format!(
                "task {at} has {} right of {} samples: `c` must not exceed `n`",
                counts[at].1, counts[at].0
            ))),
        }
    }
}

/// A value per task and its mean over the tasks that have one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AtK {
    /// The number of samples drawn.
    pub k: u64,
    /// The mean over tasks; null when no task has enough samples.
    pub mean: Option<f64>,
    /// Bootstrap interval of the mean over tasks; null with fewer than two tasks or no rounds.
    pub interval: Option<Interval>,
    /// How many tasks the mean goes over.
    pub tasks: usize,
    /// The value of each task; null where it has fewer than `k` samples.
    pub per_task: Vec<Option<f64>>,
}

/// Output of `stats.pass_at_k`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// One entry per `k`, in the order asked for.
    pub at: Vec<AtK>,
}

/// Probability (0 to 1) that at least one of `k` of the `n` samples is among the `c` right ones; `None` for k > n.
pub fn pass_at_k(n: u64, c: u64, k: u64) -> Option<f64> {
    if k > n || c > n {
        return None;
    }
    Some(1.0 - all_from(n - c, n, k))
}

/// C(m, k) / C(n, k): the probability that `k` drawn of `n` all fall among `m` of them. `k` ≤ `n`.
pub(crate) fn all_from(m: u64, n: u64, k: u64) -> f64 {
    if k > m {
        return 0.0;
    }
    // Both products equal the ratio; the shorter one is taken. Each stops once the value no longer counts.
    let others = n - m;
    let (length, top, bottom) = if k <= others { (k, m, n) } else { (others, n - k, n) };
    let mut ratio = 1.0;
    for i in 0..length {
        ratio *= (top - i) as f64 / (bottom - i) as f64;
        if ratio == 0.0 {
            break;
        }
    }
    ratio
}

/// The mean of `per_task` over the tasks that have a value, with its bootstrap interval over tasks.
pub(crate) fn summarise(
    k: u64,
    per_task: Vec<Option<f64>>,
    rounds: u32,
    level: f64,
    seed: u64,
) -> Result<AtK, MethodError> {
    let values: Vec<f64> = per_task.iter().flatten().copied().collect();
    let mean = weighted_mean(&values, &vec![1; values.len()]);
    let interval = match mean {
        Some(mean) if values.len() > 1 && rounds > 0 => {
            let replicates =
                replicates(values.len(), rounds, seed, |counts| weighted_mean(&values, counts))?;
            interval(IntervalKind::Percentile, mean, &replicates, &[], level)
        }
        _ => None,
    };
    Ok(AtK { k, mean, interval, tasks: values.len(), per_task })
}

impl Function for PassAtK {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, seed: u64) -> Result<Output, MethodError> {
        let counts = input.counts()?;
        let at = self.k.iter().map(|&k| {
            let per_task = counts.iter().map(|&(n, c)| pass_at_k(n, c, k)).collect();
            summarise(k, per_task, self.rounds, self.level, seed)
        });
        Ok(Output { at: at.collect::<Result<_, _>>()? })
    }
}

guerdon_core::method! {
    PassAtK: Function,
    id: "stats.pass_at_k",
    papers: ["agentic-randomness-2026", "leanabell-2025", "invisible-leash-2025"],
    status: Verified(ClosedForm("exact integer combinatorics, n to 1000")),
    laws: [],
    exempt: [PermutationInvariant: "values per task follow the order of the tasks; the means do not depend on it."],
    sample_params: r#"{"k": [1, 2]}"#,
    samples: [
        r#"{"correct": [[true, false, true], [false, false, false]]}"#,
        r#"{"n": [10, 10, 200], "c": [3, 10, 37]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Input, PassAtK, pass_at_k};
    use guerdon_core::method::Function as _;

    fn check(n: u64, c: u64, k: u64, expect: f64) {
        let got = pass_at_k(n, c, k).unwrap();
        assert!((got - expect).abs() < 1e-12, "{n} {c} {k}: {got}");
    }

    #[test]
    fn worked_values() {
        check(10, 7, 3, 0.991_666_666_666_666_7);
        check(1000, 3, 10, 0.029_730_451_894_780_52);
        check(10, 0, 10, 0.0);
        check(10, 1, 10, 1.0);
    }

    #[test]
    fn one_sample_is_the_accuracy() {
        check(7, 3, 1, 3.0 / 7.0);
    }

    #[test]
    fn huge_counts_end_at_once_or_soon() {
        assert_eq!(pass_at_k(u64::MAX, u64::MAX / 2, u64::MAX / 4), Some(1.0));
    }

    #[test]
    fn tasks_with_too_few_samples_are_left_out() {
        let input = Input { n: vec![4, 1], c: vec![1, 1], ..Input::default() };
        let out = PassAtK { k: vec![2], ..PassAtK::default() }.call(&input, 0).unwrap();
        assert_eq!((out.at[0].mean, out.at[0].tasks), (Some(0.5), 1));
        assert_eq!(out.at[0].per_task, [Some(0.5), None]);
        assert!(PassAtK::default().call(&Input::default(), 0).is_err());
    }
}
