//! Group gap: means per group, their mean, minimum, maximum and spread, and the effect of a paired change per group.
//!
//! # Formula
//!
//! ```text
//! m_g = mean of group g,  macro = mean of m_g,  micro = mean of all,  gap = max m_g − min m_g,  effect_g = m_g − baseline_g
//! ```
//!
//! # When to use it
//!
//! For languages, subjects or annotator groups of unequal size: macro and micro say different things, and the gap shows whom
//! the mean forgets.
//!
//! # Departures
//!
//! None. Groups are listed in the order of their names.
//!
//! # Example
//!
//! ```yaml
//! use: stats.group_gap
//! ```
//!
//! ```
//! use guerdon_stats::stats::group_gap::{GroupGap, Input};
//! use guerdon_core::method::Function as _;
//! let groups = ["de", "de", "sw"].map(String::from).into();
//! let input = Input { values: vec![1.0, 0.5, 0.25], groups, baseline: vec![] };
//! assert_eq!(GroupGap::default().call(&input, 0).unwrap().gap, 0.5);
//! ```
//!
//! # References
//!
//! "MultiLoKo: a multilingual local knowledge benchmark for LLMs spanning 31 languages", 2025.

use std::collections::BTreeMap;

use guerdon_core::MethodError;
use guerdon_core::method::{Function, Params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::moments::{check, finite, mean};

/// Parameters of `stats.group_gap`: none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GroupGap {}

impl Params for GroupGap {}

/// Input of `stats.group_gap`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The scores, at least one, finite.
    pub values: Vec<f64>,
    /// The group of each score.
    pub groups: Vec<String>,
    /// Scores of the same items before a change; absent: no effect is given.
    #[serde(default)]
    pub baseline: Vec<f64>,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Group {
    /// Its name.
    pub group: String,
    /// Number of scores.
    pub count: usize,
    /// Mean score.
    pub mean: f64,
    /// Mean minus mean baseline; null without a baseline.
    pub effect: Option<f64>,
}

/// Output of `stats.group_gap`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The groups by name.
    pub groups: Vec<Group>,
    /// Mean of the groups' means.
    pub macro_mean: f64,
    /// Mean of all scores.
    pub micro_mean: f64,
    /// Smallest mean.
    pub minimum: f64,
    /// Largest mean.
    pub maximum: f64,
    /// Largest minus smallest mean.
    pub gap: f64,
}

impl Function for GroupGap {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        check("values", &input.values)?;
        MethodError::same_length(("values", input.values.len()), ("groups", input.groups.len()))?;
        if !input.baseline.is_empty() {
            MethodError::same_length(
                ("values", input.values.len()),
                ("baseline", input.baseline.len()),
            )?;
            check("baseline", &input.baseline)?;
        }
        let mut rows: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (row, group) in input.groups.iter().enumerate() {
            rows.entry(group).or_default().push(row);
        }
        let over = |rows: &[usize], of: &[f64]| {
            finite("mean", rows.iter().map(|r| of[*r]).sum::<f64>() / rows.len() as f64)
        };
        let group = |(name, rows): (&str, Vec<usize>)| {
            let mean = over(&rows, &input.values)?;
            let before =
                (!input.baseline.is_empty()).then(|| over(&rows, &input.baseline)).transpose()?;
            let effect = before.map(|b| finite("effect", mean - b)).transpose()?;
            Ok(Group { group: name.to_owned(), count: rows.len(), mean, effect })
        };
        let groups = rows.into_iter().map(group).collect::<Result<Vec<_>, MethodError>>()?;
        let means: Vec<f64> = groups.iter().map(|g| g.mean).collect();
        let minimum = means.iter().copied().fold(f64::INFINITY, f64::min);
        let maximum = means.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Ok(Output {
            macro_mean: finite("macro_mean", mean(&means))?,
            micro_mean: finite("micro_mean", mean(&input.values))?,
            minimum,
            maximum,
            gap: finite("gap", maximum - minimum)?,
            groups,
        })
    }
}

guerdon_core::method! {
    GroupGap: Function,
    id: "stats.group_gap",
    papers: ["multiloko-2025", "appealcase-2025"],
    status: Verified(ClosedForm("means of groups")),
    laws: [PermutationInvariant],
    exempt: [],
    samples: [r#"{"values": [1, 0.5, 0.25, 0], "groups": ["a", "a", "b", "c"], "baseline": [0.5, 0.5, 0.5, 0]}"#],
}

#[cfg(test)]
mod tests {
    use super::{GroupGap, Input};
    use guerdon_core::method::Function as _;

    #[test]
    fn macro_and_micro_differ_where_sizes_do() {
        let groups = ["a", "a", "a", "b"].map(String::from).into();
        let input =
            Input { values: vec![1.0, 1.0, 1.0, 0.0], groups, baseline: vec![0.0, 1.0, 1.0, 0.0] };
        let out = GroupGap::default().call(&input, 0).unwrap();
        assert_eq!((out.macro_mean, out.micro_mean, out.gap), (0.5, 0.75, 1.0));
        assert!((out.groups[0].effect.unwrap() - 1.0 / 3.0).abs() < 1e-15);
    }
}
