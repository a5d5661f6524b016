//! Stratified bootstrap of runs × tasks: intervals of IQM, mean, median, optimality gap and probability of improvement.
//!
//! # Formula
//!
//! ```text
//! resample: every (run, task) cell takes the score of a run drawn anew on the same task
//! interval: quantiles α/2 and 1 − α/2 of the statistic over B resamples
//! ```
//!
//! # When to use it
//!
//! With several runs per task, so that the tasks stay as they are and only the runs vary. To generalise to new tasks resample
//! tasks instead (`stats.bootstrap` with clusters).
//!
//! # Departures
//!
//! rliable draws from numpy's global generator; the intervals agree within Monte-Carlo error. The two methods of a comparison
//! are resampled independently, as there.
//!
//! # Example
//!
//! ```yaml
//! use: stats.stratified_bootstrap
//! statistic: iqm
//! rounds: 2000
//! ```
//!
//! ```
//! use guerdon_stats::stats::stratified_bootstrap::{StratifiedBootstrap, stratified};
//! let runs = vec![vec![0.1, 0.5], vec![0.3, 0.7]];
//! let (estimate, interval) = stratified(&runs, &[], &StratifiedBootstrap::default(), 0).unwrap();
//! assert!((estimate - 0.4).abs() < 1e-12 && interval.low < interval.high);
//! ```
//!
//! # References
//!
//! Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical Precipice", 2021.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError, seed};
use rand::RngExt as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bootstrap::{check_level, check_rounds};
use super::iqm::{
    Kind, Runs, iqm, median_of_task_means, optimality_gap, probability_of_improvement,
};
use crate::moments::{finite, mean};
use crate::resample::{Interval, IntervalKind, budget, interval};

/// What is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// Interquartile mean, whole scores cut.
    #[default]
    Iqm,
    /// Interquartile mean, border scores in part.
    FractionalIqm,
    /// Mean.
    Mean,
    /// Median over tasks of the mean over runs.
    Median,
    /// Mean shortfall from `gamma`.
    OptimalityGap,
    /// Probability that a run beats a baseline run.
    ProbabilityOfImprovement,
}

/// Parameters of `stats.stratified_bootstrap`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StratifiedBootstrap {
    /// What is estimated. Default `iqm`.
    pub statistic: Statistic,
    /// Score at which a task counts as solved, finite. Default 1.
    pub gamma: f64,
    /// Resamples, 1 to 1,000,000. Default 2000.
    pub rounds: u32,
    /// Confidence level, between 0 and 1. Default 0.95.
    pub level: f64,
}

impl Default for StratifiedBootstrap {
    fn default() -> Self {
        Self { statistic: Statistic::Iqm, gamma: 1.0, rounds: 2000, level: 0.95 }
    }
}

impl Params for StratifiedBootstrap {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("gamma", self.gamma, f64::MIN, f64::MAX)?;
        check_rounds(self.rounds)?;
        check_level(self.level)
    }
}

/// Output of `stats.stratified_bootstrap`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The statistic of the data.
    pub estimate: f64,
    /// The percentile interval.
    pub interval: Interval,
}

impl StratifiedBootstrap {
    fn of(&self, scores: &[Vec<f64>], baseline: &[Vec<f64>]) -> f64 {
        let all: Vec<f64> = scores.iter().flatten().copied().collect();
        match self.statistic {
            Statistic::Iqm => iqm(&all, Kind::Shipped),
            Statistic::FractionalIqm => iqm(&all, Kind::Fractional),
            Statistic::Mean => mean(&all),
            Statistic::Median => median_of_task_means(scores),
            Statistic::OptimalityGap => optimality_gap(&all, self.gamma),
            Statistic::ProbabilityOfImprovement => probability_of_improvement(scores, baseline),
        }
    }
}

/// Fills `out` with scores drawn per cell from the runs of the same task.
fn redraw(scores: &[Vec<f64>], out: &mut [Vec<f64>], rng: &mut seed::Stream) {
    for row in out {
        for (task, cell) in row.iter_mut().enumerate() {
            *cell = scores[rng.random_range(0..scores.len())][task];
        }
    }
}

/// Estimate and interval of checked tables.
pub fn stratified(
    scores: &[Vec<f64>],
    baseline: &[Vec<f64>],
    params: &StratifiedBootstrap,
    seed: u64,
) -> Result<(f64, Interval), MethodError> {
    let cells = (scores.len() + baseline.len()) * scores.first().map_or(0, Vec::len);
    budget(params.rounds, cells as u64)?;
    let estimate = finite("estimate", params.of(scores, baseline))?;
    let mut rng = seed::stream(seed, "stratified_bootstrap");
    let (mut a, mut b) = (scores.to_vec(), baseline.to_vec());
    let mut values = Vec::with_capacity(params.rounds as usize);
    for _ in 0..params.rounds {
        redraw(scores, &mut a, &mut rng);
        redraw(baseline, &mut b, &mut rng);
        values.push(finite("replicate", params.of(&a, &b))?);
    }
    let interval = interval(IntervalKind::Percentile, estimate, &values, &[], params.level);
    Ok((estimate, interval.unwrap_or(Interval { low: estimate, high: estimate })))
}

impl Function for StratifiedBootstrap {
    type Input = Runs;
    type Output = Output;

    fn call(&self, input: &Runs, seed: u64) -> Result<Output, MethodError> {
        input.check()?;
        if self.statistic == Statistic::ProbabilityOfImprovement && input.baseline.is_empty() {
            return Err(MethodError::domain("the probability of improvement needs a `baseline`"));
        }
        let (estimate, interval) = stratified(&input.scores, &input.baseline, self, seed)?;
        Ok(Output { estimate, interval })
    }
}

guerdon_core::method! {
    StratifiedBootstrap: Function,
    id: "stats.stratified_bootstrap",
    papers: [],
    status: Verified(Reference("rliable 1.2, 50,000 resamples, Monte-Carlo tolerance 0.15 of 100")),
    laws: [],
    exempt: [PermutationInvariant: "The draws are named by place: another order is another resample of the same law."],
    sample_params: r#"{"rounds": 50}"#,
    samples: [r#"{"scores": [[0.1, 0.5, 0.9], [0.2, 0.4, 0.7], [0.25, 0.45, 0.1]]}"#],
}

#[cfg(test)]
mod tests {
    use super::{Statistic, StratifiedBootstrap, stratified};

    #[test]
    fn runs_that_agree_have_no_interval_to_speak_of() {
        let runs = vec![vec![0.2, 0.8]; 4];
        for statistic in
            [Statistic::Iqm, Statistic::Mean, Statistic::Median, Statistic::OptimalityGap]
        {
            let params =
                StratifiedBootstrap { statistic, rounds: 20, ..StratifiedBootstrap::default() };
            let (estimate, i) = stratified(&runs, &[], &params, 0).unwrap();
            assert!((i.low - estimate).abs() < 1e-12 && (i.high - estimate).abs() < 1e-12);
        }
    }
}
