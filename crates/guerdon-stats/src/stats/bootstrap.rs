//! Bootstrap interval of a mean, median, quantile or trimmed mean, over rows or clusters.
//!
//! Clusters are resampled whole, so rows that share a prompt, a model or a task are not mistaken for independent ones.
//!
//! # Formula
//!
//! ```text
//! θ*_b = statistic(rows drawn with replacement),  b = 1 … B
//! percentile: [q_{α/2}(θ*), q_{1−α/2}(θ*)]       basic: [2θ̂ − q_{1−α/2}, 2θ̂ − q_{α/2}]
//! BCa: quantiles at Φ(z0 + (z0 + z_p)/(1 − a(z0 + z_p))),  z0 = Φ⁻¹(share of θ* below θ̂),  a from the jackknife
//! ```
//!
//! `θ̂` is the estimate, `α` one minus the level, `q` the quantile, linear between neighbours. The standard error is the
//! standard deviation of the replicates.
//!
//! # When to use it
//!
//! For an interval around any smooth statistic from about twenty units on. Not for extremes (a maximum), not with a
//! handful of clusters. For proportions `stats.proportion_ci` is exact.
//!
//! # Departures
//!
//! Resamples are counts per unit, not copies. Replicates equal to the estimate count half in z0, as in scipy. A cluster
//! statistic pools the rows of the drawn clusters (a ratio), it does not average cluster means.
//!
//! # Example
//!
//! ```yaml
//! use: stats.bootstrap
//! kind: bca
//! rounds: 2000
//! ```
//!
//! ```
//! use guerdon_stats::stats::bootstrap::{Bootstrap, bootstrap};
//! let out = bootstrap(&[1.0, 2.0, 3.0, 4.0], &[], &Bootstrap::default(), 0).unwrap();
//! assert_eq!(out.estimate, 2.5);
//! assert!(out.interval.unwrap().low < 2.5);
//! ```
//!
//! # References
//!
//! Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapters 13 and 14.

use std::collections::BTreeMap;

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::moments::{check, finite, variance};
use crate::order::{argsort, index};
use crate::resample::{Interval, IntervalKind, MAX_ROUNDS, interval, jackknife, replicates};

/// What is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// The arithmetic mean.
    #[default]
    Mean,
    /// The quantile `q` (0.5: the median), linear between neighbours.
    Quantile,
    /// The mean without the share `trim` of the rows (rounded down) at either end.
    TrimmedMean,
}

/// Parameters of `stats.bootstrap`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Bootstrap {
    /// What is estimated. Default `mean`.
    pub statistic: Statistic,
    /// The quantile, 0 to 1, where `statistic` is `quantile`. Default 0.5.
    pub q: f64,
    /// The share trimmed at either end, 0 to below 0.5, where `statistic` is `trimmed_mean`. Default 0.25.
    pub trim: f64,
    /// How the interval is read off the replicates. Default `percentile`.
    pub kind: IntervalKind,
    /// Resamples, 1 to 1,000,000. Default 2000.
    pub rounds: u32,
    /// Confidence level, between 0 and 1. Default 0.95.
    pub level: f64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self {
            statistic: Statistic::Mean,
            q: 0.5,
            trim: 0.25,
            kind: IntervalKind::Percentile,
            rounds: 2000,
            level: 0.95,
        }
    }
}

impl Params for Bootstrap {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("q", self.q, 0.0, 1.0)?;
        ParamError::in_range("trim", self.trim, 0.0, 0.499_999)?;
        check_rounds(self.rounds)?;
        check_level(self.level)
    }
}

/// Checks a number of rounds.
pub(crate) fn check_rounds(rounds: u32) -> Result<(), ParamError> {
    ParamError::in_range("rounds", f64::from(rounds), 1.0, f64::from(MAX_ROUNDS))
}

/// Checks a confidence level: strictly between 0 and 1.
pub(crate) fn check_level(level: f64) -> Result<(), ParamError> {
    if level > 0.0 && level < 1.0 {
        return Ok(());
    }
    Err(ParamError::new(
        "level",
        format!("`level` must lie between 0 and 1 (0.95 is usual), not {level}"),
    ))
}

/// Input of `stats.bootstrap`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The observations, at least one, finite.
    pub values: Vec<f64>,
    /// The cluster of each observation; absent when every row stands for itself.
    #[serde(default)]
    pub clusters: Vec<String>,
}

/// Output of `stats.bootstrap`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The statistic of the data.
    pub estimate: f64,
    /// The standard deviation of the replicates; null with fewer than two.
    pub standard_error: Option<f64>,
    /// The interval; null where BCa is undefined (one unit, or all replicates on one side).
    pub interval: Option<Interval>,
}

/// Estimate, standard error and interval of `values`; `clusters` is empty or as long as `values`.
pub fn bootstrap(
    values: &[f64],
    clusters: &[String],
    params: &Bootstrap,
    seed: u64,
) -> Result<Output, MethodError> {
    check("values", values)?;
    let unit = units(values.len(), clusters)?;
    let units = unit.iter().max().map_or(0, |m| m + 1);
    let order = argsort(values);
    let of = |counts: &[u32]| statistic(values, &order, |row| counts[unit[row]], params);
    let estimate = finite("estimate", of(&vec![1; units]).unwrap_or(f64::NAN))?;
    let replicates = replicates(units, params.rounds, seed, of)?;
    let jackknife =
        if params.kind == IntervalKind::Bca { jackknife(units, of) } else { Vec::new() };
    let standard_error = variance(&replicates, 1).map(f64::sqrt);
    let standard_error = standard_error.map(|se| finite("standard_error", se)).transpose()?;
    let interval = interval(params.kind, estimate, &replicates, &jackknife, params.level);
    Ok(Output { estimate, standard_error, interval })
}

/// The unit (cluster, in order of first appearance) of every row; without clusters each row is one.
pub fn units(rows: usize, clusters: &[String]) -> Result<Vec<usize>, MethodError> {
    if clusters.is_empty() {
        return Ok((0..rows).collect());
    }
    MethodError::same_length(("values", rows), ("clusters", clusters.len()))?;
    let mut known = BTreeMap::new();
    Ok(clusters
        .iter()
        .map(|name| {
            let next = known.len();
            *known.entry(name.as_str()).or_insert(next)
        })
        .collect())
}

/// The statistic of the rows taken `count(row)` times each; `order` sorts the rows.
fn statistic(
    values: &[f64],
    order: &[usize],
    count: impl Fn(usize) -> u32,
    params: &Bootstrap,
) -> Option<f64> {
    let total: u64 = (0..values.len()).map(|row| u64::from(count(row))).sum();
    if total == 0 {
        return None;
    }
    match params.statistic {
        Statistic::Mean => Some(
            (0..values.len()).map(|row| values[row] * f64::from(count(row))).sum::<f64>()
                / total as f64,
        ),
        Statistic::Quantile => {
            let at = params.q * (total - 1) as f64;
            let (below, above) = (index(at.floor()) as u64, index(at.ceil()) as u64);
            let low = nth(values, order, &count, below)?;
            Some(low + (nth(values, order, &count, above)? - low) * at.fract())
        }
        Statistic::TrimmedMean => {
            let cut = index(params.trim * total as f64) as u64;
            Some(between(values, order, &count, cut, total - cut) / (total - 2 * cut) as f64)
        }
    }
}

/// The value at place `n` (from 0) of the weighted ascending order.
fn nth(values: &[f64], order: &[usize], count: impl Fn(usize) -> u32, n: u64) -> Option<f64> {
    let mut seen = 0;
    order.iter().copied().find_map(|row| {
        seen += u64::from(count(row));
        (seen > n).then(|| values[row])
    })
}

/// The sum of the places `from..to` of the weighted ascending order.
fn between(
    values: &[f64],
    order: &[usize],
    count: impl Fn(usize) -> u32,
    from: u64,
    to: u64,
) -> f64 {
    let (mut seen, mut sum) = (0, 0.0);
    for &row in order {
        let end = seen + u64::from(count(row));
        sum += values[row] * end.min(to).saturating_sub(seen.max(from)) as f64;
        seen = end;
    }
    sum
}

impl Function for Bootstrap {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, seed: u64) -> Result<Output, MethodError> {
        bootstrap(&input.values, &input.clusters, self, seed)
    }
}

guerdon_core::method! {
    Bootstrap: Function,
    id: "stats.bootstrap",
    papers: ["instrumental-choices-2026", "medical-dapt-2024"],
    status: Verified(Reference("scipy.stats.bootstrap 1.17, 20,000 resamples, Monte-Carlo tolerance 0.02")),
    laws: [],
    exempt: [PermutationInvariant: "the draws are named by row: another order is another resample of the same law."],
    samples: [
        r#"{"values": [0.2, 1.5, 3.0, 2.2, 0.7]}"#,
        r#"{"values": [1, 0, 1, 1, 0, 0], "clusters": ["a", "a", "b", "b", "c", "c"]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Bootstrap, Statistic, bootstrap};
    use crate::resample::IntervalKind;

    #[test]
    fn every_statistic_of_the_data_itself() {
        let values = [5.0, 1.0, 2.0, 9.0];
        let of = |statistic| {
            let params = Bootstrap { statistic, rounds: 10, ..Bootstrap::default() };
            bootstrap(&values, &[], &params, 1).unwrap().estimate
        };
        assert_eq!(of(Statistic::Mean), 4.25);
        assert_eq!(of(Statistic::Quantile), 3.5);
        assert_eq!(of(Statistic::TrimmedMean), 3.5);
    }

    #[test]
    fn the_standard_error_of_a_mean_is_the_plain_one() {
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        let out = bootstrap(&values, &[], &Bootstrap::default(), 7).unwrap();
        assert!((out.standard_error.unwrap() - 2.887).abs() < 0.15);
    }

    #[test]
    fn clusters_of_equal_rows_widen_the_interval() {
        let values: Vec<f64> = (0..100).map(|i| f64::from(i / 10 % 2)).collect();
        let clusters: Vec<String> = (0..100).map(|i| (i / 10).to_string()).collect();
        let width = |clusters: &[String]| {
            let i =
                bootstrap(&values, clusters, &Bootstrap::default(), 7).unwrap().interval.unwrap();
            i.high - i.low
        };
        assert!(width(&clusters) > 2.0 * width(&[]));
    }

    #[test]
    fn one_row_has_no_bca_interval() {
        let params = Bootstrap { kind: IntervalKind::Bca, ..Bootstrap::default() };
        let out = bootstrap(&[3.0], &[], &params, 0).unwrap();
        assert_eq!((out.estimate, out.standard_error), (3.0, Some(0.0)));
        assert!(bootstrap(&[], &[], &params, 0).is_err());
    }
}
