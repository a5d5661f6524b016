//! Takes the score that needs no reasoning off, and keeps the rest between bounds.
//!
//! # Formula
//!
//! ```text
//! r'_i = clip(r_i − b_i, low, high)
//! ```
//!
//! `r_i` is the score after reasoning (say, the mean probability of the reference answer), `b_i` the column `baseline`:
//! the same score when the answer follows the prompt at once. With the default bounds 0 and 1 reasoning that does not
//! help earns nothing.
//!
//! # When to use it
//!
//! With likelihood rewards, where easy-to-guess answers would be paid without reasoning. For baselines without bounds
//! see `shape.center`.
//!
//! # Departures
//!
//! None: the formula is the paper's.
//!
//! # Example
//!
//! ```yaml
//! use: shape.debias
//! baseline: without_reasoning
//! ```
//!
//! ```
//! use guerdon_shape::shape::debias::Debias;
//! assert_eq!(Debias::default().value(0.5, 0.75), 0.0);
//! ```
//!
//! # References
//!
//! Yu et al., "RLPR: Extrapolating RLVR to General Domains without Verifiers", 2025, section 3.2.

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fine::settle;

/// Parameters of `shape.debias`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Debias {
    /// Column with the score that needs no reasoning. Default `baseline`.
    pub baseline: String,
    /// Least result. Finite; default 0.
    pub low: f64,
    /// Greatest result. Finite, at least `low`; default 1.
    pub high: f64,
}

impl Default for Debias {
    fn default() -> Self {
        Self { baseline: "baseline".to_owned(), low: 0.0, high: 1.0 }
    }
}

impl Params for Debias {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("low", self.low, f64::NEG_INFINITY, f64::INFINITY)?;
        ParamError::in_range("high", self.high, self.low, f64::INFINITY)
    }
}

impl Debias {
    /// The part of `score` that exceeds `baseline`, within the bounds.
    pub fn value(&self, score: f64, baseline: f64) -> f64 {
        (score - baseline).clamp(self.low, self.high)
    }
}

impl Transform for Debias {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let shaped = view.dense(&[&self.baseline], |d| {
            Ok(d.values.iter().zip(&d.aux[0]).map(|(r, b)| self.value(*r, *b)).collect())
        })?;
        Ok(settle(view.current()?, shaped))
    }

    fn reads(&self) -> Vec<String> {
        vec![self.baseline.clone()]
    }

    fn scope(&self) -> Scope {
        Scope::Rollout
    }
}

guerdon_core::method! {
    Debias: Transform,
    id: "shape.debias",
    papers: ["rlpr-2025"],
    status: Verified(Worked("0.5489 less 0.30 is 0.2489; less 0.6 is 0")),
    laws: [GroupLocal],
    exempt: [],
}

#[cfg(test)]
mod tests {
    use super::Debias;

    #[test]
    fn worked_numbers() {
        let score = [-0.1_f64, -0.5, -2.0].map(f64::exp).iter().sum::<f64>() / 3.0;
        assert!((Debias::default().value(score, 0.3) - 0.2489).abs() < 5e-5);
        assert_eq!(Debias::default().value(score, 0.6), 0.0);
    }

    #[test]
    fn wide_bounds_reduce_to_a_difference() {
        let wide = Debias { low: -1e9, high: 1e9, ..Debias::default() };
        assert_eq!(wide.value(0.25, 0.75), -0.5);
    }
}
