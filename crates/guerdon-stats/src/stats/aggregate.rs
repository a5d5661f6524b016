//! Several benchmarks to one figure per model: mean, standardised, by rank, by win rate, geometric.
//!
//! # Formula
//!
//! ```text
//! mean: mean of scores      z: mean of (x − mean_b)/sd_b      min_max: mean of (x − min_b)/(max_b − min_b)
//! rank: mean rank, 1 the best      win_rate: share of other models beaten, ties half      geometric: exp mean ln x
//! ```
//!
//! `b` runs over benchmarks, over the models that were scored on it.
//!
//! # When to use it
//!
//! Mean only for benchmarks on one scale; ranks and win rates are not moved by scales but forget by how much. Show several: an
//! order that depends on the rule is not an order.
//!
//! # Departures
//!
//! A benchmark without a score for a model is left out for it. A benchmark on which all models are equal carries no weight in
//! `z` and `min_max` (0 and ½). The standard deviation is that of the population of models.
//!
//! # Example
//!
//! ```yaml
//! use: stats.aggregate
//! kind: win_rate
//! ```
//!
//! ```
//! use guerdon_stats::stats::aggregate::{Aggregate, Input, Kind};
//! use guerdon_core::method::Function as _;
//! let scores = vec![vec![Some(0.9), Some(10.0)], vec![Some(0.5), Some(30.0)]];
//! let out = Aggregate { kind: Kind::WinRate }.call(&Input { scores }, 0).unwrap();
//! assert_eq!(out.values, [Some(0.5), Some(0.5)]);
//! ```
//!
//! # References
//!
//! Fleming and Wallace, "How not to lie with statistics: the correct way to summarize benchmark results", 1986; Liang et al.,
//! "Holistic Evaluation of Language Models", 2022 (win rate).

use guerdon_core::MethodError;
use guerdon_core::method::{Function, Params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::moments::{at_least, finite};
use crate::order::ranks;

/// How benchmarks are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Mean of scores.
    #[default]
    Mean,
    /// Mean of standardised scores.
    Z,
    /// Mean of scores scaled to 0 to 1 over the models.
    MinMax,
    /// Mean rank, 1 the best; smaller is better.
    Rank,
    /// Mean share of other models beaten, ties half.
    WinRate,
    /// Geometric mean; scores must be above 0.
    Geometric,
}

/// Parameters of `stats.aggregate`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Aggregate {
    /// How benchmarks are joined. Default `mean`.
    pub kind: Kind,
}

impl Params for Aggregate {}

/// Input of `stats.aggregate`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Per model, its score on each benchmark (greater is better); null where it has none.
    pub scores: Vec<Vec<Option<f64>>>,
}

/// Output of `stats.aggregate`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The figure of each model; null without a score.
    pub values: Vec<Option<f64>>,
    /// The models, best first; ties in their order; models without a score last.
    pub order: Vec<usize>,
}

impl Kind {
    /// What one benchmark contributes to each of its models.
    fn column(self, x: &[f64]) -> Result<Vec<f64>, MethodError> {
        let n = x.len() as f64;
        let mean = x.iter().sum::<f64>() / n;
        let sd = (x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
        let (low, high) =
            x.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(*v), h.max(*v)));
        finite("the spread of a benchmark", sd + (high - low))?;
        let map = |f: &dyn Fn(f64) -> f64| x.iter().map(|v| f(*v)).collect::<Vec<_>>();
        Ok(match self {
            Self::Mean => x.to_vec(),
            Self::Z => map(&|v| if sd > 0.0 { (v - mean) / sd } else { 0.0 }),
            Self::MinMax => map(&|v| if high > low { (v - low) / (high - low) } else { 0.5 }),
            Self::Rank => ranks(x).into_iter().map(|r| n + 1.0 - r).collect(),
            // A rank counts the model itself; what it beats is the rank less one, ties half.
            Self::WinRate => ranks(x)
                .into_iter()
                .map(|r| if n > 1.0 { (r - 1.0) / (n - 1.0) } else { 0.5 })
                .collect(),
            Self::Geometric if low <= 0.0 => {
                return Err(MethodError::domain("the geometric mean needs scores above 0"));
            }
            Self::Geometric => map(&f64::ln),
        })
    }
}

impl Function for Aggregate {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        let models = input.scores.len();
        at_least("scores", models, 1)?;
        let width = input.scores[0].len();
        let (mut sums, mut counts) = (vec![0.0; models], vec![0.0; models]);
        for row in &input.scores {
            MethodError::same_length(("scores[0]", width), ("a model's scores", row.len()))?;
        }
        for b in 0..width {
            let present: Vec<usize> =
                (0..models).filter(|&m| input.scores[m][b].is_some()).collect();
            let column: Vec<f64> = input.scores.iter().filter_map(|row| row[b]).collect();
            MethodError::all_finite("scores", &column)?;
            if present.is_empty() {
                continue;
            }
            for (value, &m) in self.kind.column(&column)?.into_iter().zip(&present) {
                sums[m] += value;
                counts[m] += 1.0;
            }
        }
        let value = |m: usize| {
            let mean = (counts[m] > 0.0).then(|| sums[m] / counts[m]);
            let mean = if self.kind == Kind::Geometric { mean.map(f64::exp) } else { mean };
            mean.map(|v| finite("value", v)).transpose()
        };
        let values = (0..models).map(value).collect::<Result<Vec<_>, _>>()?;
        let sign = if self.kind == Kind::Rank { 1.0 } else { -1.0 };
        let mut order: Vec<usize> = (0..models).collect();
        order.sort_by(|&a, &b| {
            let key = |m: usize| values[m].map_or(f64::INFINITY, |v| sign * v);
            key(a).total_cmp(&key(b))
        });
        Ok(Output { values, order })
    }
}

guerdon_core::method! {
    Aggregate: Function,
    id: "stats.aggregate",
    papers: [],
    status: Verified(ClosedForm("means, ranks and shares of two and three models")),
    laws: [],
    exempt: [],
    samples: [r#"{"scores": [[0.9, 10, null], [0.5, 30, 2], [0.7, 20, 1]]}"#],
}

#[cfg(test)]
mod tests {
    use super::{Aggregate, Input, Kind};
    use guerdon_core::method::Function as _;

    fn values(kind: Kind) -> Vec<Option<f64>> {
        let scores = vec![vec![Some(1.0), Some(4.0)], vec![Some(3.0), Some(4.0)], vec![None, None]];
        Aggregate { kind }.call(&Input { scores }, 0).unwrap().values
    }

    #[test]
    fn every_rule_on_two_models() {
        for (kind, a, b) in [
            (Kind::Mean, 2.5, 3.5),
            (Kind::Z, -0.5, 0.5),
            (Kind::MinMax, 0.25, 0.75),
            (Kind::Rank, 1.75, 1.25),
            (Kind::WinRate, 0.25, 0.75),
            (Kind::Geometric, 2.0, 12.0_f64.sqrt()),
        ] {
            let got = values(kind);
            assert!(
                (got[0].unwrap() - a).abs() < 1e-12 && (got[1].unwrap() - b).abs() < 1e-12,
                "{kind:?}"
            );
            assert_eq!(got[2], None);
        }
    }

    #[test]
    fn the_best_comes_first_by_rank_too() {
        let scores = vec![vec![Some(1.0)], vec![Some(9.0)]];
        assert_eq!(
            Aggregate { kind: Kind::Rank }.call(&Input { scores }, 0).unwrap().order,
            [1, 0]
        );
    }
}
