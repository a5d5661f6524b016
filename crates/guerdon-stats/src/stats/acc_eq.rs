//! Pairwise accuracy with ties: how often a metric orders two items as people do, ties counted on both sides.
//!
//! # Formula
//!
//! ```text
//! acc_eq = (concordant + tied in both) / all pairs        metric tie: |Δ| ≤ ε,  human tie: Δ = 0
//! ```
//!
//! ε is given, or `tune`d: the value that does best on the data given. Pairs are formed within groups; the result is the mean
//! over groups.
//!
//! # When to use it
//!
//! To meta-evaluate a metric or reward against human scores with many ties, within each prompt. ε tuned on the test data
//! favours continuous metrics: tune it on a split.
//!
//! # Departures
//!
//! Groups without a pair are left out (null if none has one), not counted 0.
//!
//! # Example
//!
//! ```yaml
//! use: stats.acc_eq
//! epsilon: 0.1
//! ```
//!
//! ```
//! use guerdon_stats::stats::acc_eq::acc_eq;
//! assert_eq!(acc_eq(&[1.0, 2.0, 2.1], &[0.0, 1.0, 1.0], 0.15), Some(1.0));
//! ```
//!
//! # References
//!
//! Deutsch, Foster and Freitag, "Ties Matter", 2023; Perrella et al., "Guardians of the Machine Translation Meta-Evaluation",
//! 2024.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bootstrap::units;
use crate::moments::check_pair;
use crate::order::sorted;

/// Parameters of `stats.acc_eq`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AccEq {
    /// Largest difference of the metric that counts as a tie, at least 0. Default 0.
    pub epsilon: f64,
    /// Choose ε for the best value on the data. Default false.
    pub tune: bool,
}

impl Params for AccEq {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("epsilon", self.epsilon, 0.0, f64::MAX)
    }
}

/// Input of `stats.acc_eq`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Scores by the metric, finite.
    pub metric: Vec<f64>,
    /// Scores by people of the same items.
    pub human: Vec<f64>,
    /// The group (prompt) of each item; absent: one group.
    #[serde(default)]
    pub groups: Vec<String>,
}

/// Output of `stats.acc_eq`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Mean over groups, 0 to 1; null without a pair.
    pub acc_eq: Option<f64>,
    /// The ε used.
    pub epsilon: f64,
    /// Groups with at least one pair.
    pub groups: usize,
}

/// Most pairs in one call.
const LIMIT: usize = 5_000_000;

/// The value of one group; `None` without a pair. Slices are equally long.
pub fn acc_eq(metric: &[f64], human: &[f64], epsilon: f64) -> Option<f64> {
    let n = metric.len();
    let pairs = (0..n).flat_map(|i| (0..i).map(move |j| (i, j)));
    let agree = |(i, j): &(usize, usize)| {
        let (m, h) = (metric[*i] - metric[*j], human[*i] - human[*j]);
        let tied = m.abs() <= epsilon;
        if h == 0.0 { tied } else { !tied && (m > 0.0) == (h > 0.0) }
    };
    (n > 1).then(|| pairs.filter(agree).count() as f64 / (n * (n - 1) / 2) as f64)
}

/// The mean over groups and the number of groups with a pair.
fn over(groups: &[(Vec<f64>, Vec<f64>)], epsilon: f64) -> (Option<f64>, usize) {
    let all: Vec<f64> = groups.iter().filter_map(|(m, h)| acc_eq(m, h, epsilon)).collect();
    ((!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64), all.len())
}

/// The ε with the best mean: thresholds are the differences that occur. One sweep over all pairs by size.
fn tuned(groups: &[(Vec<f64>, Vec<f64>)]) -> f64 {
    // Raising ε to a pair's difference gains the pair if people tie it and loses it if its order was right.
    let mut steps: Vec<(f64, f64)> = Vec::new();
    for (metric, human) in groups {
        let n = metric.len();
        let weight = 1.0 / (n * n.saturating_sub(1) / 2) as f64;
        for i in 0..n {
            for j in 0..i {
                let (m, h) = (metric[i] - metric[j], human[i] - human[j]);
                let right = h != 0.0 && m != 0.0 && (m > 0.0) == (h > 0.0);
                let change = f64::from(u8::from(h == 0.0)) - f64::from(u8::from(right));
                steps.push((m.abs(), weight * change));
            }
        }
    }
    steps.sort_by(|a, b| a.0.total_cmp(&b.0));
    let zero = steps.partition_point(|s| s.0 == 0.0);
    let (mut best, mut value, mut epsilon) = (0.0, 0.0, 0.0);
    for run in crate::order::runs(&steps[zero..], |a, b| a.0 == b.0) {
        let reached = &steps[zero..][run];
        value += reached.iter().map(|s| s.1).sum::<f64>();
        if value > best + 1e-12 {
            (best, epsilon) = (value, reached[0].0);
        }
    }
    epsilon
}

impl Function for AccEq {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        check_pair(("metric", &input.metric), ("human", &input.human))?;
        let one = vec![String::new(); input.metric.len()];
        let names = if input.groups.is_empty() { &one } else { &input.groups };
        let place = units(input.metric.len(), names)?;
        let mut groups = vec![(Vec::new(), Vec::new()); place.iter().max().map_or(0, |m| m + 1)];
        for (row, &g) in place.iter().enumerate() {
            groups[g].0.push(input.metric[row]);
            groups[g].1.push(input.human[row]);
        }
        // Differences must stay finite: the extremes of each side decide.
        for side in [&input.metric, &input.human] {
            let s = sorted(side);
            crate::moments::finite("the range of scores", s[s.len() - 1] - s[0])?;
        }
        if groups.iter().map(|g| g.0.len().saturating_mul(g.0.len()) / 2).sum::<usize>() > LIMIT {
            return Err(MethodError::Budget(format!(
                "more than {LIMIT} pairs: use smaller groups"
            )));
        }
        let epsilon = if self.tune { tuned(&groups) } else { self.epsilon };
        let (acc_eq, groups) = over(&groups, epsilon);
        Ok(Output { acc_eq, epsilon, groups })
    }
}

guerdon_core::method! {
    AccEq: Function,
    id: "stats.acc_eq",
    papers: ["sentinel-mt-2024"],
    status: Verified(Worked("metric 1, 2, 2.1, human 0, 1, 1: 2/3 at ε 0, 1 at 0.15")),
    laws: [PermutationInvariant],
    exempt: [],
    samples: [r#"{"metric": [1, 2, 2.1, 0.5], "human": [0, 1, 1, 2], "groups": ["a", "a", "a", "a"]}"#],
}

#[cfg(test)]
mod tests {
    use super::{AccEq, Input, acc_eq};
    use guerdon_core::method::Function as _;

    #[test]
    fn a_worked_threshold() {
        assert_eq!(acc_eq(&[1.0, 2.0, 2.1], &[0.0, 1.0, 1.0], 0.0), Some(2.0 / 3.0));
        assert_eq!(acc_eq(&[1.0], &[1.0], 0.0), None);
    }

    #[test]
    fn tuning_finds_the_best_threshold() {
        let input =
            Input { metric: vec![1.0, 2.0, 2.1], human: vec![0.0, 1.0, 1.0], groups: vec![] };
        let out = AccEq { tune: true, epsilon: 0.0 }.call(&input, 0).unwrap();
        assert_eq!(out.acc_eq, Some(1.0));
        assert!((out.epsilon - 0.1).abs() < 1e-9);
    }

    #[test]
    fn a_metric_constant_within_groups_earns_only_ties() {
        let groups = ["a", "a", "b", "b"].map(String::from).into();
        let input =
            Input { metric: vec![1.0, 1.0, 5.0, 5.0], human: vec![1.0, 1.0, 2.0, 3.0], groups };
        assert_eq!(AccEq::default().call(&input, 0).unwrap().acc_eq, Some(0.5));
    }
}
