//! Regime table: win, tie and loss rates by group (regime, task family), so that a claim holds only where it was tested.
//!
//! # Formula
//!
//! ```text
//! rate = count / n per group;  Wilson interval with n replaced by n_eff = p(1 − p)/SE², SE clustered, at most n
//! ```
//!
//! # When to use it
//!
//! After `stats.head_to_head` over many pairs: a pooled rate hides that gains live in one regime only.
//!
//! # Departures
//!
//! Intervals count a model pair as one cluster; a group of one cluster has no interval (null, not 0). Where a clustered
//! standard error is 0 (all the same) the number of clusters stands in for n.
//!
//! # Example
//!
//! ```yaml
//! use: stats.regime_table
//! ```
//!
//! ```
//! use guerdon_stats::stats::proportion_ci::wilson;
//! let i = wilson(12, 33, 0.95);
//! assert!((i.low - 0.222).abs() < 5e-4 && (i.high - 0.534).abs() < 5e-4);
//! ```
//!
//! # References
//!
//! Jeong et al., "The Limited Impact of Medical Adaptation of Large Language and Vision-Language Models", 2024.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bootstrap::{check_level, units};
use super::clustered_se::clustered_se;
use super::head_to_head::Verdict;
use super::proportion_ci::wilson_at;
use crate::moments::at_least;
use crate::resample::Interval;

/// Parameters of `stats.regime_table`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RegimeTable {
    /// Confidence level, between 0 and 1. Default 0.95.
    pub level: f64,
}

impl Default for RegimeTable {
    fn default() -> Self {
        Self { level: 0.95 }
    }
}

impl Params for RegimeTable {
    fn validate(&self) -> Result<(), ParamError> {
        check_level(self.level)
    }
}

/// One verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Regime and task family.
    pub group: String,
    /// The model pair; pairs are the clusters.
    pub cluster: String,
    /// What was found.
    pub verdict: Verdict,
}

/// Input of `stats.regime_table`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The verdicts, at least one.
    pub rows: Vec<Row>,
}

/// A rate with its interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rate {
    /// Count over rows.
    pub rate: f64,
    /// Clustered Wilson interval; null with one cluster.
    pub interval: Option<Interval>,
}

/// One group, or all rows together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// The group; `all` for the total.
    pub group: String,
    /// Rows.
    pub rows: usize,
    /// Clusters.
    pub clusters: usize,
    /// Wins.
    pub win: Rate,
    /// Ties.
    pub tie: Rate,
    /// Losses.
    pub loss: Rate,
}

/// Output of `stats.regime_table`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The groups by name.
    pub groups: Vec<Line>,
    /// All rows together.
    pub total: Line,
}

impl RegimeTable {
    fn line(&self, group: &str, rows: &[&Row]) -> Result<Line, MethodError> {
        let names: Vec<String> = rows.iter().map(|r| r.cluster.clone()).collect();
        let cluster = units(rows.len(), &names)?;
        let clusters = cluster.iter().max().map_or(0, |m| m + 1);
        let rate = |verdict: Verdict| {
            let hits: Vec<f64> =
                rows.iter().map(|r| f64::from(u8::from(r.verdict == verdict))).collect();
            let rate = crate::moments::mean(&hits);
            let interval = clustered_se(&hits, &cluster, true).map(|se| {
                let n = rows.len() as f64;
                let effective = if se > 1e-12 {
                    (rate * (1.0 - rate) / (se * se)).min(n)
                } else {
                    clusters as f64
                };
                wilson_at(rate, effective.max(1.0), self.level)
            });
            Rate { rate, interval }
        };
        Ok(Line {
            group: group.to_owned(),
            rows: rows.len(),
            clusters,
            win: rate(Verdict::Win),
            tie: rate(Verdict::Tie),
            loss: rate(Verdict::Loss),
        })
    }
}

impl Function for RegimeTable {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        at_least("rows", input.rows.len(), 1)?;
        let mut groups: std::collections::BTreeMap<&str, Vec<&Row>> =
            std::collections::BTreeMap::new();
        for row in &input.rows {
            groups.entry(&row.group).or_default().push(row);
        }
        let all: Vec<&Row> = input.rows.iter().collect();
        let lines = groups.iter().map(|(name, rows)| self.line(name, rows));
        Ok(Output { groups: lines.collect::<Result<_, _>>()?, total: self.line("all", &all)? })
    }
}

guerdon_core::method! {
    RegimeTable: Function,
    id: "stats.regime_table",
    papers: ["medical-dapt-limited-2024"],
    status: Verified(Worked("12 of 33 pairs: Wilson [0.222, 0.534]; totals equal the rows")),
    laws: [PermutationInvariant],
    exempt: [],
    samples: [
        r#"{"rows": [{"group": "g", "cluster": "p1", "verdict": "win"}, {"group": "g", "cluster": "p2", "verdict": "tie"}, {"group": "h", "cluster": "p1", "verdict": "loss"}]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Input, RegimeTable, Row, Verdict};
    use guerdon_core::method::Function as _;

    #[test]
    fn one_cluster_has_no_interval_and_independent_ones_have_wilsons() {
        let row = |i: usize, cluster: String| Row {
            group: "g".into(),
            cluster,
            verdict: if i < 12 { Verdict::Win } else { Verdict::Tie },
        };
        let one = Input { rows: (0..33).map(|i| row(i, "p".into())).collect() };
        assert_eq!(RegimeTable::default().call(&one, 0).unwrap().total.win.interval, None);
        let many = Input { rows: (0..33).map(|i| row(i, i.to_string())).collect() };
        let out = RegimeTable::default().call(&many, 0).unwrap().total;
        let i = out.win.interval.unwrap();
        assert!((i.low - 0.222).abs() < 0.005 && (i.high - 0.534).abs() < 0.005);
        assert!((out.win.rate + out.tie.rate + out.loss.rate - 1.0).abs() < 1e-12);
    }
}
