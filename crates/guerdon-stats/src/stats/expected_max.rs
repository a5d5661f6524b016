//! Expected maximum of independent outcomes with finite supports, in closed form.
//!
//! # Formula
//!
//! ```text
//! q_ij = p_ij / (1 − Σ_{l<j} p_il)        v_i1 > v_i2 > …, source i
//! E max = Σ v·q·Π_{binary arms above} (1 − q), over all binary arms by falling v
//! ```
//!
//! Every source is written as independent binary arms, one per value; what is left when all fail is `floor`.
//!
//! # When to use it
//!
//! To value a set of generators, prompts or temperatures by the best of one sample each: steady medium sources and rare high
//! ones together beat the ranking by means.
//!
//! # Departures
//!
//! The probabilities of a source may sum to less than 1: the rest yields `floor` (0 in the paper).
//!
//! # Example
//!
//! ```yaml
//! use: stats.expected_max
//! floor: 0.0
//! ```
//!
//! ```
//! use guerdon_stats::stats::expected_max::{Source, expected_max};
//! let a = Source { values: vec![1.0, 0.5], probabilities: vec![0.3, 0.4] };
//! let b = Source { values: vec![0.8], probabilities: vec![0.5] };
//! assert!((expected_max(&[a, b], 0.0).unwrap() - 0.68).abs() < 1e-12);
//! ```
//!
//! # References
//!
//! Chen et al., "Combinatorial Bandits for Maximum Value Reward Function under Max Value-Index Feedback", 2023.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::moments::{at_least, check_pair, finite};
use crate::order::compare;

/// Parameters of `stats.expected_max`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExpectedMax {
    /// What is got when no value comes up, finite. Default 0.
    pub floor: f64,
}

impl Params for ExpectedMax {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("floor", self.floor, f64::NEG_INFINITY, f64::INFINITY)
    }
}

/// One source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Its values, finite, none below the floor.
    pub values: Vec<f64>,
    /// Their probabilities, summing to at most 1.
    pub probabilities: Vec<f64>,
}

/// Input of `stats.expected_max`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The sources, at least one.
    pub sources: Vec<Source>,
}

/// Output of `stats.expected_max`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The expected maximum.
    pub expected_max: f64,
    /// The mean of each source alone.
    pub means: Vec<f64>,
}

/// The expected maximum of independent `sources`.
pub fn expected_max(sources: &[Source], floor: f64) -> Result<f64, MethodError> {
    at_least("sources", sources.len(), 1)?;
    let mut arms = Vec::new();
    for source in sources {
        check_source(source, floor)?;
        let mut pairs: Vec<_> =
            source.values.iter().copied().zip(source.probabilities.iter().copied()).collect();
        pairs.sort_by(|a, b| compare(b.0, a.0));
        let mut left = 1.0_f64;
        for (value, p) in pairs {
            arms.push((value, if left > 0.0 { (p / left).min(1.0) } else { 0.0 }));
            left = (left - p).max(0.0);
        }
    }
    // A stable sort keeps arms of one source and value apart, which changes nothing.
    arms.sort_by(|a, b| compare(b.0, a.0));
    let (mut none_above, mut sum) = (1.0, 0.0);
    for (value, q) in arms {
        sum += value * q * none_above;
        none_above *= 1.0 - q;
    }
    finite("expected_max", sum + floor * none_above)
}

fn check_source(source: &Source, floor: f64) -> Result<(), MethodError> {
    check_pair(("values", &source.values), ("probabilities", &source.probabilities))?;
    let total: f64 = source.probabilities.iter().sum();
    if source.probabilities.iter().any(|p| *p < 0.0) || total > 1.0 + 1e-9 {
        return Err(MethodError::domain(format!(
            "the probabilities of a source must sum to at most 1, not {total}"
        )));
    }
    match source.values.iter().find(|v| **v < floor) {
        Some(v) => Err(MethodError::domain(format!("the value {v} lies below `floor` ({floor})"))),
        None => Ok(()),
    }
}

impl Function for ExpectedMax {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        let expected_max = expected_max(&input.sources, self.floor)?;
        let mean = |s: &Source| {
            let rest = 1.0 - s.probabilities.iter().sum::<f64>();
            s.values.iter().zip(&s.probabilities).map(|(v, p)| v * p).sum::<f64>()
                + rest.max(0.0) * self.floor
        };
        let means =
            input.sources.iter().map(|s| finite("means", mean(s))).collect::<Result<_, _>>()?;
        Ok(Output { expected_max, means })
    }
}

guerdon_core::method! {
    ExpectedMax: Function,
    id: "stats.expected_max",
    papers: ["kmax-2023"],
    status: Verified(Worked("two sources: 0.68, by enumeration too")),
    laws: [],
    exempt: [],
    samples: [
        r#"{"sources": [{"values": [1, 0.5], "probabilities": [0.3, 0.4]}, {"values": [0.8], "probabilities": [0.5]}]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Source, expected_max};

    #[test]
    fn enumeration_agrees() {
        let a = Source { values: vec![3.0, 1.0], probabilities: vec![0.2, 0.8] };
        let b = Source { values: vec![2.0, 0.5], probabilities: vec![0.5, 0.5] };
        let expect = 0.2 * 3.0 + 0.8 * (0.5 * 2.0 + 0.5 * 1.0);
        assert!((expected_max(&[a, b], 0.0).unwrap() - expect).abs() < 1e-15);
    }

    #[test]
    fn one_source_is_its_mean() {
        let a = Source { values: vec![0.0, 4.0], probabilities: vec![0.5, 0.25] };
        assert_eq!(expected_max(&[a], -4.0).unwrap(), 0.0);
        assert!(expected_max(&[], 0.0).is_err());
    }
}
