//! Picks training items bucket by bucket: the best of every capability in every style, in turn.
//!
//! Quality is a score per capability, diversity a style per item; no clustering and no greedy set function are needed.
//!
//! # Formula
//!
//! ```text
//! for capability c, for style s, in turn until `budget` items are picked:
//!     pick the item of style s that is not yet picked with the greatest score in c
//! ```
//!
//! A turn visits every (capability, style) bucket once, capabilities outside, styles in order of first appearance inside.
//! Ties go by input order; empty buckets are passed over.
//!
//! # When to use it
//!
//! To cut a large pool of instruction data to a budget, or to bias it to some capabilities by naming only those.
//!
//! # Departures
//!
//! The scorers and the styler are given; they are trained models in the paper.
//!
//! # Example
//!
//! ```yaml
//! use: data.capability_style
//! budget: 1000
//! capabilities: [ocr, counting]
//! ```
//!
//! ```
//! use guerdon_model::data::capability_style::CapabilityStyle;
//! let styles = ["x", "x", "y", "y"];
//! let scores = [vec![5.0, 4.0, 1.0, 2.0], vec![1.0, 2.0, 5.0, 4.0]];
//! let own = CapabilityStyle { budget: 2, ..CapabilityStyle::default() }.pick(&scores, &styles);
//! assert_eq!(own, [0, 3]);
//! ```
//!
//! # References
//!
//! Lyu et al., "Cream of the Crop: Harvesting Rich, Scalable and Transferable Multi-Modal Data for Instruction Fine-Tuning",
//! 2025.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::portion;

/// Parameters of `data.capability_style`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CapabilityStyle {
    /// Number of items to pick. At least 1; default 1000.
    pub budget: usize,
    /// The capabilities that count, in this order. Default: all, in the order of their names.
    pub capabilities: Vec<String>,
}

impl Default for CapabilityStyle {
    fn default() -> Self {
        Self { budget: 1000, capabilities: Vec::new() }
    }
}

impl Params for CapabilityStyle {
    fn validate(&self) -> Result<(), ParamError> {
        if self.budget == 0 {
            return Err(ParamError::new("budget", "`budget` must be at least 1, not 0"));
        }
        Ok(())
    }
}

/// Input of `data.capability_style`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The style of each item.
    pub styles: Vec<String>,
    /// For each capability the score of each item.
    pub scores: BTreeMap<String, Vec<f64>>,
}

/// Output of `data.capability_style`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Indices of the items, in the order in which they were picked.
    pub picked: Vec<usize>,
}

impl CapabilityStyle {
    /// Indices of the items picked. `scores` has one list per capability, with one score per item; `styles` one per item.
    pub fn pick<S: AsRef<str>>(&self, scores: &[Vec<f64>], styles: &[S]) -> Vec<usize> {
        let mut names: Vec<&str> = Vec::new();
        let mut number: BTreeMap<&str, usize> = BTreeMap::new();
        for style in styles {
            number.entry(style.as_ref()).or_insert_with(|| {
                names.push(style.as_ref());
                names.len() - 1
            });
        }
        // Each bucket's items, best last.
        let mut buckets: Vec<Vec<usize>> = Vec::new();
        for own in scores {
            let first = buckets.len();
            buckets.resize(first + names.len(), Vec::new());
            for i in portion::descending(own).into_iter().rev() {
                buckets[first + number[styles[i].as_ref()]].push(i);
            }
        }
        take_turns(buckets, styles.len(), self.budget)
    }
}

fn take_turns(mut buckets: Vec<Vec<usize>>, items: usize, budget: usize) -> Vec<usize> {
    let mut taken = vec![false; items];
    let mut picked = Vec::new();
    while picked.len() < budget && buckets.iter().any(|bucket| !bucket.is_empty()) {
        for bucket in &mut buckets {
            let next = std::iter::from_fn(|| bucket.pop()).find(|&i| !taken[i]);
            if let Some(i) = next.filter(|_| picked.len() < budget) {
                taken[i] = true;
                picked.push(i);
            }
        }
    }
    picked
}

impl Function for CapabilityStyle {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        let wanted: Vec<&String> = if self.capabilities.is_empty() {
            input.scores.keys().collect()
        } else {
            self.capabilities.iter().collect()
        };
        let mut scores = Vec::with_capacity(wanted.len());
        for name in wanted {
            let Some(own) = input.scores.get(name) else {
                let known = input.scores.keys().map(String::as_str);
                let near = guerdon_core::nearest(name, known.clone()).map(str::to_owned);
                let known = known.map(str::to_owned).collect();
                return Err(MethodError::MissingColumn { name: name.clone(), near, known });
            };
            MethodError::same_length((name, own.len()), ("styles", input.styles.len()))?;
            scores.push(own.clone());
        }
        Ok(Output { picked: self.pick(&scores, &input.styles) })
    }
}

guerdon_core::method! {
    CapabilityStyle: Function,
    id: "data.capability_style",
    papers: ["mmssr-2025"],
    status: Verified(Worked("four items, two capabilities, two styles, budget 2")),
    laws: [],
    exempt: [],
    samples: [
        r#"{"styles": ["x", "x", "y", "y"], "scores": {"a": [5, 4, 1, 2], "b": [1, 2, 5, 4]}}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{CapabilityStyle, Input};
    use guerdon_core::method::Function as _;

    fn check(budget: usize, capabilities: &[&str], expect: &[usize]) {
        let input = Input {
            styles: ["x", "x", "y", "y"].map(str::to_owned).to_vec(),
            scores: [
                ("a".to_owned(), vec![5.0, 4.0, 1.0, 2.0]),
                ("b".to_owned(), vec![1.0, 2.0, 5.0, 4.0]),
            ]
            .into(),
        };
        let capabilities = capabilities.iter().map(|c| (*c).to_owned()).collect();
        assert_eq!(
            CapabilityStyle { budget, capabilities }.call(&input, 0).unwrap().picked,
            expect
        );
    }

    #[test]
    fn one_of_each_style_before_a_second_of_any() {
        check(2, &[], &[0, 3]);
        check(3, &[], &[0, 3, 1]);
        check(9, &[], &[0, 3, 1, 2]);
    }

    #[test]
    fn named_capabilities_alone() {
        check(2, &["b"], &[1, 2]);
    }

    #[test]
    fn an_unknown_capability_is_an_error() {
        let params = CapabilityStyle { budget: 1, capabilities: vec!["c".to_owned()] };
        let input = Input { styles: vec![], scores: [("a".to_owned(), vec![])].into() };
        assert!(params.call(&input, 0).is_err());
    }
}
