//! Run-to-run variance of an evaluation: how much one run's mean moves, and where that comes from.
//!
//! # Formula
//!
//! ```text
//! one run's mean: mean Σp_i/N, standard deviation √(Σ p_i(1 − p_i))/N  (outcomes 0/1; generally √(Σ s_i²)/N)
//! between tasks: variance of the p_i,  within tasks: mean of s_i²
//! ```
//!
//! `p_i` is the mean over runs of task i, `s_i²` its variance over runs, `N` the number of tasks.
//!
//! # When to use it
//!
//! Before believing a difference of two single runs: it must exceed about 2.8 of these standard deviations. Feeds
//! `stats.power` with `kind: runs`.
//!
//! # Departures
//!
//! `s_i²` is the unbiased sample variance over runs, so that the model-based deviation is not too small with few runs. With
//! one run there is no deviation (null).
//!
//! # Example
//!
//! ```yaml
//! use: stats.run_variance
//! ```
//!
//! ```
//! use guerdon_stats::stats::run_variance::run_variance;
//! let out = run_variance(&[vec![1.0, 0.0], vec![1.0, 1.0]]).unwrap();
//! assert_eq!((out.mean, out.range), (0.75, 0.5));
//! ```
//!
//! # References
//!
//! "On Randomness in Agentic Evals", 2026.

use guerdon_core::MethodError;
use guerdon_core::method::{Function, Params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::iqm::Runs;
use crate::moments::{finite, mean, variance};

/// Parameters of `stats.run_variance`: none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RunVariance {}

impl Params for RunVariance {}

/// Input of `stats.run_variance`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Per run, the score on each task; all runs on the same tasks, finite.
    pub scores: Vec<Vec<f64>>,
}

/// Output of `stats.run_variance`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Mean of all scores.
    pub mean: f64,
    /// Mean of each run.
    pub run_means: Vec<f64>,
    /// Standard deviation of the run means; null for one run.
    pub observed_sd: Option<f64>,
    /// Standard deviation of one run's mean from the spread within tasks; null for one run.
    pub model_sd: Option<f64>,
    /// Greatest minus smallest run mean.
    pub range: f64,
    /// Variance of the tasks' means (population); what item sampling adds.
    pub between_tasks: f64,
    /// Mean variance within tasks; null for one run.
    pub within_tasks: Option<f64>,
}

/// The parts of the variance of runs × tasks (checked: at least one of each).
pub fn run_variance(scores: &[Vec<f64>]) -> Result<Output, MethodError> {
    let tasks = Runs { scores: scores.to_vec(), baseline: Vec::new() }.check()?;
    let run_means: Vec<f64> = scores.iter().map(|r| mean(r)).collect();
    let columns: Vec<Vec<f64>> =
        (0..tasks).map(|t| scores.iter().map(|r| r[t]).collect()).collect();
    let task_means: Vec<f64> = columns.iter().map(|c| mean(c)).collect();
    let within: Option<f64> = columns.iter().map(|c| variance(c, 1)).sum();
    let within = within.map(|w| finite("within_tasks", w)).transpose()?;
    let (low, high) = run_means
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), m| (l.min(*m), h.max(*m)));
    Ok(Output {
        mean: finite("mean", mean(&run_means))?,
        observed_sd: variance(&run_means, 1)
            .map(|v| finite("observed_sd", v.sqrt()))
            .transpose()?,
        model_sd: within.map(|w| w.sqrt() / tasks as f64),
        range: finite("range", high - low)?,
        between_tasks: finite("between_tasks", variance(&task_means, 0).unwrap_or(0.0))?,
        within_tasks: within.map(|w| w / tasks as f64),
        run_means,
    })
}

impl Function for RunVariance {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        run_variance(&input.scores)
    }
}

guerdon_core::method! {
    RunVariance: Function,
    id: "stats.run_variance",
    papers: ["agentic-randomness-2026"],
    status: Verified(ClosedForm("√(Σ p(1 − p))/N against the spread of simulated runs")),
    laws: [],
    exempt: [],
    samples: [r#"{"scores": [[1, 0, 1], [1, 1, 1], [0, 1, 0]]}"#],
}

#[cfg(test)]
mod tests {
    use super::run_variance;
    use guerdon_core::seed;
    use rand::RngExt as _;

    #[test]
    fn the_model_predicts_the_spread_of_runs() {
        let mut rng = seed::stream(5, "runs");
        let p: Vec<f64> = (0..50).map(|i| f64::from(i) / 50.0).collect();
        let runs: Vec<Vec<f64>> = (0..400)
            .map(|_| p.iter().map(|p| f64::from(u8::from(rng.random::<f64>() < *p))).collect())
            .collect();
        let out = run_variance(&runs).unwrap();
        let expect = p.iter().map(|p| p * (1.0 - p)).sum::<f64>().sqrt() / 50.0;
        assert!(
            (out.model_sd.unwrap() - expect).abs() < 0.002
                && (out.observed_sd.unwrap() - expect).abs() < 0.006
        );
    }

    #[test]
    fn one_run_has_no_deviation() {
        let out = run_variance(&[vec![1.0, 0.0]]).unwrap();
        assert_eq!((out.observed_sd, out.model_sd, out.range), (None, None, 0.0));
        assert!(run_variance(&[]).is_err() && run_variance(&[vec![]]).is_err());
    }
}
