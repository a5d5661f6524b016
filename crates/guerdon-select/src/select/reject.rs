//! Reject option: answer or abstain, by Chow's rule, by a share to keep, or by distance from what is known.
//!
//! # Formula
//!
//! ```text
//! chow: answer iff confidence ≥ 1 − c       quantile: answer the share `keep` of highest confidence
//! novelty: as chow, and distance ≤ max_distance
//! ```
//!
//! `c` is the price of a rejection where an error costs 1.
//!
//! # When to use it
//!
//! Chow with calibrated confidences, where it is optimal; quantile when only their order can be trusted; novelty where items
//! unlike the data would get false confidence.
//!
//! # Departures
//!
//! Ties at the quantile are all answered. A missing confidence is rejected.
//!
//! # Example
//!
//! ```yaml
//! use: select.reject
//! kind: chow
//! cost: 0.3
//! ```
//!
//! ```
//! use guerdon_select::select::reject::{Reject, accept};
//! let kept = accept(&[Some(0.95), Some(0.6), None], &[], &Reject::default()).unwrap();
//! assert_eq!(kept, [true, true, false]);
//! ```
//!
//! # References
//!
//! Chow 1970; Hendrickx et al., "Machine Learning with a Reject Option: A Survey", 2021.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How answers are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Confidence at least 1 − cost.
    #[default]
    Chow,
    /// The most confident share.
    Quantile,
    /// Chow's rule, and near enough to what is known.
    Novelty,
}

/// Parameters of `select.reject`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reject {
    /// How answers are kept. Default `chow`.
    pub kind: Kind,
    /// Price of a rejection where an error costs 1, 0 to 1. Default 0.5.
    pub cost: f64,
    /// Share to keep (`quantile`), 0 to 1. Default 0.8.
    pub keep: f64,
    /// Largest distance that is not novel (`novelty`), at least 0. Default 1.
    pub max_distance: f64,
}

impl Default for Reject {
    fn default() -> Self {
        Self { kind: Kind::Chow, cost: 0.5, keep: 0.8, max_distance: 1.0 }
    }
}

impl Params for Reject {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("cost", self.cost, 0.0, 1.0)?;
        ParamError::in_range("keep", self.keep, 0.0, 1.0)?;
        ParamError::in_range("max_distance", self.max_distance, 0.0, f64::MAX)
    }
}

/// Input of `select.reject`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Confidence of each answer; null where it is missing.
    pub confidences: Vec<Option<f64>>,
    /// Distance of each item from what is known, at least 0; read by `novelty`.
    #[serde(default)]
    pub distances: Vec<f64>,
}

/// Output of `select.reject`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Whether each answer is given.
    pub accepted: Vec<bool>,
    /// Share of answers given; null without an item.
    pub coverage: Option<f64>,
}

/// Which answers are given.
pub fn accept(
    confidences: &[Option<f64>],
    distances: &[f64],
    params: &Reject,
) -> Result<Vec<bool>, MethodError> {
    let known: Vec<f64> = confidences.iter().flatten().copied().collect();
    MethodError::all_finite("confidences", &known)?;
    let at_least =
        |t: f64| confidences.iter().map(|c| c.is_some_and(|c| c >= t)).collect::<Vec<_>>();
    match params.kind {
        Kind::Chow => Ok(at_least(1.0 - params.cost)),
        Kind::Quantile => {
            let count =
                guerdon_stats::order::index((params.keep * confidences.len() as f64).round());
            let mut sorted = known;
            sorted.sort_by(|a, b| b.total_cmp(a));
            let border = if count == 0 {
                f64::INFINITY
            } else {
                sorted.get(count - 1).copied().unwrap_or(f64::NEG_INFINITY)
            };
            Ok(at_least(border))
        }
        Kind::Novelty => {
            MethodError::same_length(
                ("confidences", confidences.len()),
                ("distances", distances.len()),
            )?;
            MethodError::all_finite("distances", distances)?;
            let near = distances.iter().map(|d| *d <= params.max_distance);
            Ok(at_least(1.0 - params.cost).into_iter().zip(near).map(|(a, n)| a && n).collect())
        }
    }
}

impl Function for Reject {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        let accepted = accept(&input.confidences, &input.distances, self)?;
        let given = accepted.iter().filter(|a| **a).count();
        let coverage = (!accepted.is_empty()).then(|| given as f64 / accepted.len() as f64);
        Ok(Output { accepted, coverage })
    }
}

guerdon_core::method! {
    Reject: Function,
    id: "select.reject",
    papers: ["reject-option-2021", "uesato-2022"],
    status: Verified(Worked("five confidences at c 0.1, 0.3, 0.45: coverage 0.4, 0.6, 1")),
    laws: [],
    exempt: [],
    samples: [r#"{"confidences": [0.95, 0.9, null, 0.3], "distances": [0, 2, 1, 0]}"#],
}

#[cfg(test)]
mod tests {
    use super::{Input, Kind, Reject};
    use guerdon_core::method::Function as _;

    fn coverage(params: &Reject) -> f64 {
        let confidences = [0.95, 0.9, 0.8, 0.6, 0.55].map(Some).into();
        params
            .call(&Input { confidences, distances: vec![0.0, 5.0, 0.0, 0.0, 0.0] }, 0)
            .unwrap()
            .coverage
            .unwrap()
    }

    #[test]
    fn chow_at_three_prices() {
        for (cost, expect) in [(0.1, 0.4), (0.3, 0.6), (0.45, 1.0)] {
            assert_eq!(coverage(&Reject { cost, ..Reject::default() }), expect);
        }
    }

    #[test]
    fn a_share_is_kept_and_aliens_are_not() {
        assert_eq!(coverage(&Reject { kind: Kind::Quantile, keep: 0.4, ..Reject::default() }), 0.4);
        assert_eq!(coverage(&Reject { kind: Kind::Quantile, keep: 0.0, ..Reject::default() }), 0.0);
        assert_eq!(coverage(&Reject { kind: Kind::Novelty, cost: 0.1, ..Reject::default() }), 0.2);
    }
}
