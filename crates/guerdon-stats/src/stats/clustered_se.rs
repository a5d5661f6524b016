//! Standard error of a mean when rows come in clusters: several questions per passage, several runs per task.
//!
//! # Formula
//!
//! ```text
//! e_i = x_i − x̄,   SE = √( Σ_c (Σ_{i ∈ c} e_i)² ) / n,   corrected: × √(G / (G − 1))
//! ```
//!
//! `c` runs over the `G` clusters, `n` is the number of rows. With one row per cluster and the correction it is the plain
//! standard error.
//!
//! # When to use it
//!
//! Whenever rows share something (a prompt, a task, a passage): the plain standard error is then too small. With fewer than
//! about ten clusters it is still too small.
//!
//! # Departures
//!
//! The default is the uncorrected form of the cited paper. One cluster has no error: null.
//!
//! # Example
//!
//! ```yaml
//! use: stats.clustered_se
//! correction: true
//! ```
//!
//! ```
//! use guerdon_stats::stats::clustered_se::clustered_se;
//! let se = clustered_se(&[1.0, 1.0, 0.0, 0.0], &[0, 0, 1, 1], false).unwrap();
//! assert!((se - 0.125_f64.sqrt()).abs() < 1e-15);
//! ```
//!
//! # References
//!
//! Miller, "Adding Error Bars to Evals: A Statistical Approach to Language Model Evaluations", 2024, section 2.2.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bootstrap::{check_level, units};
use crate::dist::two_sided_z;
use crate::moments::{check, finite, mean, standard_error};
use crate::resample::Interval;

/// Parameters of `stats.clustered_se`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClusteredSe {
    /// Multiply by √(G/(G − 1)), G the number of clusters. Default false.
    pub correction: bool,
    /// Confidence level of the normal interval, between 0 and 1. Default 0.95.
    pub level: f64,
}

impl Default for ClusteredSe {
    fn default() -> Self {
        Self { correction: false, level: 0.95 }
    }
}

impl Params for ClusteredSe {
    fn validate(&self) -> Result<(), ParamError> {
        check_level(self.level)
    }
}

/// Input of `stats.clustered_se`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The scores, at least one, finite.
    pub values: Vec<f64>,
    /// The cluster of each score.
    pub clusters: Vec<String>,
}

/// Output of `stats.clustered_se`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The mean of all rows.
    pub mean: f64,
    /// The clustered standard error; null for one cluster.
    pub standard_error: Option<f64>,
    /// The plain standard error, as if rows were independent; null for one row.
    pub naive: Option<f64>,
    /// Normal interval of the mean; null for one cluster.
    pub interval: Option<Interval>,
    /// Number of clusters.
    pub clusters: usize,
}

/// The clustered standard error of the mean; `cluster` numbers the cluster of every row from 0. `None` for one cluster.
pub fn clustered_se(values: &[f64], cluster: &[usize], correction: bool) -> Option<f64> {
    let groups = cluster.iter().max().map_or(0, |m| m + 1);
    if groups < 2 {
        return None;
    }
    let centre = mean(values);
    let mut sums = vec![0.0; groups];
    for (value, &c) in values.iter().zip(cluster) {
        sums[c] += value - centre;
    }
    let g = groups as f64;
    let factor = if correction { (g / (g - 1.0)).sqrt() } else { 1.0 };
    Some(factor * sums.iter().map(|s| s * s).sum::<f64>().sqrt() / values.len() as f64)
}

impl Function for ClusteredSe {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        check("values", &input.values)?;
        MethodError::same_length(
            ("values", input.values.len()),
            ("clusters", input.clusters.len()),
        )?;
        let cluster = units(input.values.len(), &input.clusters)?;
        let mean = finite("mean", mean(&input.values))?;
        let se = clustered_se(&input.values, &cluster, self.correction);
        let se = se.map(|se| finite("standard_error", se)).transpose()?;
        let reach = two_sided_z(self.level);
        Ok(Output {
            mean,
            standard_error: se,
            naive: standard_error(&input.values).map(|se| finite("naive", se)).transpose()?,
            interval: se.map(|se| Interval { low: mean - reach * se, high: mean + reach * se }),
            clusters: cluster.iter().max().map_or(0, |m| m + 1),
        })
    }
}

guerdon_core::method! {
    ClusteredSe: Function,
    id: "stats.clustered_se",
    papers: ["agentic-randomness-2026"],
    status: Verified(Reference("statsmodels OLS with clustered covariance 0.15")),
    laws: [PermutationInvariant],
    exempt: [],
    samples: [
        r#"{"values": [1, 0, 1, 1], "clusters": ["a", "a", "b", "b"]}"#,
        r#"{"values": [1, 0, 0.5], "clusters": ["a", "b", "c"]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::clustered_se;
    use crate::moments::standard_error;

    #[test]
    fn one_row_per_cluster_is_the_plain_error() {
        let values = [0.2, 0.9, 0.4, 0.7];
        let se = clustered_se(&values, &[0, 1, 2, 3], true).unwrap();
        assert!((se - standard_error(&values).unwrap()).abs() < 1e-15);
        assert_eq!(clustered_se(&values, &[0; 4], true), None);
    }
}
