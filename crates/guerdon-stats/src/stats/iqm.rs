//! Interquartile mean of runs × tasks, with mean, median, optimality gap, probability of improvement and performance profile.
//!
//! # Formula
//!
//! ```text
//! IQM = mean of the middle half of all scores        optimality gap = γ − mean min(x, γ)
//! median = median over tasks of the mean over runs   profile(τ) = share of scores above τ, mean over tasks
//! P(X > Y) = mean over tasks of U / (n·m),  ties half
//! ```
//!
//! `shipped` cuts ⌊N/4⌋ scores at either end of the flattened table; `fractional` cuts exactly a quarter and counts the border
//! scores in part.
//!
//! # When to use it
//!
//! With few runs per task: the mean is moved by outliers, the median wastes data. Give intervals by
//! `stats.stratified_bootstrap`.
//!
//! # Departures
//!
//! None in `shipped` (rliable's value, which is scipy's trimmed mean).
//!
//! # Example
//!
//! ```yaml
//! use: stats.iqm
//! kind: shipped
//! ```
//!
//! ```
//! use guerdon_stats::stats::iqm::{Kind, iqm};
//! assert_eq!(iqm(&[0.0, 1.0, 2.0, 100.0], Kind::Shipped), 1.5);
//! ```
//!
//! # References
//!
//! Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical Precipice", 2021.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::moments::{at_least, check, finite, mean};
use crate::order::{index, quantile_sorted, sorted};

/// How the quarters are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Whole scores, rounded down.
    #[default]
    Shipped,
    /// Exactly a quarter, border scores in part.
    Fractional,
}

/// Parameters of `stats.iqm`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Iqm {
    /// How the quarters are cut. Default `shipped`.
    pub kind: Kind,
    /// Score at which a task counts as solved, for the optimality gap, finite. Default 1.
    pub gamma: f64,
    /// Thresholds τ of the performance profile, finite. Default none.
    pub thresholds: Vec<f64>,
}

impl Default for Iqm {
    fn default() -> Self {
        Self { kind: Kind::Shipped, gamma: 1.0, thresholds: Vec::new() }
    }
}

impl Params for Iqm {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("gamma", self.gamma, f64::MIN, f64::MAX)?;
        self.thresholds
            .iter()
            .try_for_each(|t| ParamError::in_range("thresholds", *t, f64::MIN, f64::MAX))
    }
}

/// Input of `stats.iqm` and `stats.stratified_bootstrap`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Runs {
    /// Per run, the score on each task; all runs on the same tasks, at least one of each, finite.
    pub scores: Vec<Vec<f64>>,
    /// The same of a second method on the same tasks, for the probability of improvement.
    #[serde(default)]
    pub baseline: Vec<Vec<f64>>,
}

impl Runs {
    /// Checks both tables; returns the number of tasks.
    pub fn check(&self) -> Result<usize, MethodError> {
        at_least("scores", self.scores.len(), 1)?;
        let tasks = self.scores[0].len();
        for row in self.scores.iter().chain(&self.baseline) {
            MethodError::same_length(("scores[0]", tasks), ("a run", row.len()))?;
            check("a run", row)?;
        }
        Ok(tasks)
    }
}

/// Output of `stats.iqm`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Interquartile mean.
    pub iqm: f64,
    /// Mean of all scores.
    pub mean: f64,
    /// Median over tasks of the mean over runs.
    pub median: f64,
    /// Mean shortfall from `gamma`.
    pub optimality_gap: f64,
    /// Probability that a run beats a baseline run on a task, ties half; null without a baseline.
    pub probability_of_improvement: Option<f64>,
    /// The performance profile at `thresholds`.
    pub profile: Vec<f64>,
}

/// The interquartile mean of `values` (at least one).
pub fn iqm(values: &[f64], kind: Kind) -> f64 {
    let ascending = sorted(values);
    let n = values.len();
    let cut = n as f64 / 4.0;
    let whole = index(cut);
    if kind == Kind::Shipped {
        return mean(&ascending[whole..n - whole]);
    }
    // What is left of the border scores after a part of them is cut.
    let weight = |i: usize| {
        let (from, to) = (i as f64, i as f64 + 1.0);
        (to.min(n as f64 - cut) - from.max(cut)).max(0.0)
    };
    (0..n).map(|i| weight(i) * ascending[i]).sum::<f64>() / (n as f64 - 2.0 * cut)
}

/// Median over tasks (columns) of the mean over runs (rows).
pub fn median_of_task_means(runs: &[Vec<f64>]) -> f64 {
    let tasks = runs[0].len();
    let means: Vec<f64> =
        (0..tasks).map(|t| runs.iter().map(|r| r[t]).sum::<f64>() / runs.len() as f64).collect();
    quantile_sorted(&sorted(&means), 0.5)
}

/// Mean shortfall from `gamma`.
pub fn optimality_gap(values: &[f64], gamma: f64) -> f64 {
    gamma - values.iter().map(|x| x.min(gamma)).sum::<f64>() / values.len() as f64
}

/// Mean over tasks of P(a run of `x` beats a run of `y`), ties half.
pub fn probability_of_improvement(x: &[Vec<f64>], y: &[Vec<f64>]) -> f64 {
    let tasks = x[0].len();
    let column =
        |runs: &[Vec<f64>], t: usize| sorted(&runs.iter().map(|r| r[t]).collect::<Vec<_>>());
    let task = |t: usize| {
        let (a, b) = (column(x, t), column(y, t));
        let wins: f64 = a
            .iter()
            .map(|v| (b.partition_point(|w| w < v) + b.partition_point(|w| w <= v)) as f64 / 2.0)
            .sum();
        wins / (a.len() * b.len()) as f64
    };
    (0..tasks).map(task).sum::<f64>() / tasks as f64
}

impl Function for Iqm {
    type Input = Runs;
    type Output = Output;

    fn call(&self, input: &Runs, _seed: u64) -> Result<Output, MethodError> {
        input.check()?;
        let all: Vec<f64> = input.scores.iter().flatten().copied().collect();
        let above = |t: &f64| all.iter().filter(|x| *x > t).count() as f64 / all.len() as f64;
        Ok(Output {
            iqm: finite("iqm", iqm(&all, self.kind))?,
            mean: finite("mean", mean(&all))?,
            median: finite("median", median_of_task_means(&input.scores))?,
            optimality_gap: finite("optimality_gap", optimality_gap(&all, self.gamma))?,
            probability_of_improvement: (!input.baseline.is_empty())
                .then(|| probability_of_improvement(&input.scores, &input.baseline)),
            profile: self.thresholds.iter().map(above).collect(),
        })
    }
}

guerdon_core::method! {
    Iqm: Function,
    id: "stats.iqm",
    papers: [],
    status: Verified(Reference("rliable 1.2; scipy trim_mean")),
    laws: [PermutationInvariant],
    exempt: [],
    samples: [
        r#"{"scores": [[0.1, 0.5, 0.9], [0.2, 0.4, 0.7]], "baseline": [[0.1, 0.6, 0.3]]}"#,
        r#"{"scores": [[1, 2], [3, 4], [5, 9]]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Kind, iqm, optimality_gap, probability_of_improvement};

    #[test]
    fn both_cuts_agree_where_a_quarter_is_whole() {
        let values = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0];
        assert_eq!(iqm(&values, Kind::Shipped), iqm(&values, Kind::Fractional));
        assert_eq!(iqm(&[7.0], Kind::Shipped), 7.0);
        assert_eq!(iqm(&[7.0], Kind::Fractional), 7.0);
    }

    #[test]
    fn equal_methods_improve_half_the_time() {
        let x = vec![vec![1.0, 2.0], vec![3.0, 4.0]];
        assert_eq!(probability_of_improvement(&x, &x), 0.5);
        assert_eq!(optimality_gap(&[2.0, 0.5], 1.0), 0.25);
    }
}
