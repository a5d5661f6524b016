//! Divergence of two distributions: Kullback-Leibler, Jensen-Shannon, total variation, Hellinger, χ².
//!
//! # Formula
//!
//! ```text
//! kl: Σ p·ln(p/q)      js: ½·kl(p‖m) + ½·kl(q‖m), m = (p + q)/2      tv: ½·Σ |p − q|
//! hellinger: √(½·Σ (√p − √q)²)      chi2: Σ (p − q)²/q
//! ```
//!
//! Counts or weights are normalised after `smoothing` is added to each; values are in nats.
//!
//! # When to use it
//!
//! To compare category shares: error kinds, strategies, behaviours. Jensen-Shannon is symmetric, bounded by ln 2 and finite
//! without smoothing.
//!
//! # Departures
//!
//! KL and χ² with a zero under a positive count are an error that names `smoothing`, not an infinity.
//!
//! # Example
//!
//! ```yaml
//! use: stats.divergence
//! kind: js
//! ```
//!
//! ```
//! use guerdon_stats::stats::divergence::js;
//! assert!((js(&[0.7, 0.3], &[0.4, 0.6]) - 0.046_201).abs() < 1e-6);
//! ```
//!
//! # References
//!
//! Kullback and Leibler 1951; Lin, "Divergence measures based on the Shannon entropy", 1991.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::moments::{check_pair, finite};

/// Which divergence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Kullback-Leibler of p from q, nats.
    Kl,
    /// Jensen-Shannon, nats, 0 to ln 2.
    #[default]
    Js,
    /// Total variation, 0 to 1.
    Tv,
    /// Hellinger distance, 0 to 1.
    Hellinger,
    /// χ² of p from q.
    Chi2,
}

/// Parameters of `stats.divergence`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Divergence {
    /// Which divergence. Default `js`.
    pub kind: Kind,
    /// Added to every count before normalising, at least 0. Default 0.
    pub smoothing: f64,
}

impl Params for Divergence {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("smoothing", self.smoothing, 0.0, 1e100)
    }
}

/// Input of `stats.divergence`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Counts or weights of the categories, at least one, not negative.
    pub p: Vec<f64>,
    /// The same categories of the other.
    pub q: Vec<f64>,
}

/// Output of `stats.divergence`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The divergence.
    pub divergence: f64,
}

/// The shares of `weights` after `smoothing` is added to each.
pub fn normalise(name: &str, weights: &[f64], smoothing: f64) -> Result<Vec<f64>, MethodError> {
    if weights.iter().any(|w| *w < 0.0) {
        return Err(MethodError::domain(format!("`{name}` must not be negative")));
    }
    let total = finite(name, weights.iter().map(|w| w + smoothing).sum())?;
    if total <= 0.0 {
        return Err(MethodError::domain(format!(
            "`{name}` is all zero: there is nothing to compare"
        )));
    }
    Ok(weights.iter().map(|w| (w + smoothing) / total).collect())
}

/// Kullback-Leibler divergence of shares, nats; infinite where q is 0 and p is not.
pub fn kl(p: &[f64], q: &[f64]) -> f64 {
    p.iter()
        .zip(q)
        .filter(|(p, _)| **p > 0.0)
        .map(|(p, q)| p * (p.ln() - q.ln()))
        .sum::<f64>()
        .max(0.0)
}

/// Jensen-Shannon divergence of shares, nats.
pub fn js(p: &[f64], q: &[f64]) -> f64 {
    let middle: Vec<f64> = p.iter().zip(q).map(|(p, q)| f64::midpoint(*p, *q)).collect();
    f64::midpoint(kl(p, &middle), kl(q, &middle))
}

impl Kind {
    /// The divergence of shares; infinite where it is.
    pub fn of(self, p: &[f64], q: &[f64]) -> f64 {
        let sum = |f: fn(f64, f64) -> f64| p.iter().zip(q).map(|(p, q)| f(*p, *q)).sum::<f64>();
        match self {
            Self::Kl => kl(p, q),
            Self::Js => js(p, q),
            Self::Tv => sum(|p, q| (p - q).abs()) / 2.0,
            Self::Hellinger => (sum(|p, q| (p.sqrt() - q.sqrt()).powi(2)) / 2.0).sqrt(),
            Self::Chi2 => sum(|p, q| if p == q { 0.0 } else { (p - q).powi(2) / q }),
        }
    }
}

impl Function for Divergence {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        check_pair(("p", &input.p), ("q", &input.q))?;
        let (p, q) =
            (normalise("p", &input.p, self.smoothing)?, normalise("q", &input.q, self.smoothing)?);
        let divergence = self.kind.of(&p, &q);
        if divergence.is_finite() {
            return Ok(Output { divergence });
        }
        Err(MethodError::domain(
            "q is 0 where p is not: the divergence is infinite; set `smoothing` (0.5 is usual)",
        ))
    }
}

guerdon_core::method! {
    Divergence: Function,
    id: "stats.divergence",
    papers: ["mwpes-2025", "asdagent-2026"],
    status: Verified(Worked("KL 0.0348 and 0.0313, JS 0.0082; JS (0.7, 0.3), (0.4, 0.6) 0.046201")),
    laws: [PermutationInvariant, Symmetric],
    exempt: [],
    samples: [r#"{"p": [0.4, 0.3, 0.2, 0.1], "q": [0.5, 0.25, 0.2, 0.05]}"#, r#"{"p": [3, 0], "q": [1, 4]}"#],
}

#[cfg(test)]
mod tests {
    use super::{Kind, js, kl};

    const P: [f64; 4] = [0.4, 0.3, 0.2, 0.1];
    const Q: [f64; 4] = [0.5, 0.25, 0.2, 0.05];

    #[test]
    fn worked_values() {
        for (got, expect) in [(kl(&P, &Q), 0.0348), (kl(&Q, &P), 0.0313), (js(&P, &Q), 0.0082)] {
            assert!((got - expect).abs() < 5e-5, "{got}");
        }
    }

    #[test]
    fn every_divergence_of_equals_is_zero() {
        for kind in [Kind::Kl, Kind::Js, Kind::Tv, Kind::Hellinger, Kind::Chi2] {
            assert_eq!(kind.of(&P, &P), 0.0);
        }
        assert_eq!(Kind::Tv.of(&[1.0, 0.0], &[0.0, 1.0]), 1.0);
    }
}
