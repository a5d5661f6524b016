//! Spearman's rank correlation with ties, or Pearson's r, with a p-value.
//!
//! # Formula
//!
//! ```text
//! r = Σ (x − x̄)(y − ȳ) / √(Σ (x − x̄)² · Σ (y − ȳ)²)       ρ = r of the average ranks
//! t = r·√((n − 2) / (1 − r²)),  p = P(|T_{n−2}| ≥ |t|)
//! ```
//!
//! # When to use it
//!
//! Spearman for monotone agreement whatever the scale, Pearson for linear agreement. With few levels and many ties
//! `stats.kendall` is easier to read.
//!
//! # Departures
//!
//! None: average ranks and the t approximation, as in scipy. Fewer than three pairs have no p-value, a constant side no
//! coefficient (null).
//!
//! # Example
//!
//! ```yaml
//! use: stats.spearman
//! variant: spearman
//! ```
//!
//! ```
//! use guerdon_stats::correlation::spearman;
//! let rho = spearman(&[5., 4., 3., 2., 1.], &[5., 3., 4., 1., 2.]).unwrap().unwrap();
//! assert!((rho - 0.8).abs() < 1e-15);
//! ```
//!
//! # References
//!
//! Spearman, "The Proof and Measurement of Association between Two Things", 1904.

use guerdon_core::MethodError;
use guerdon_core::method::{Function, Params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kendall::{Correlation, Pairs};
use crate::correlation::{pearson, spearman};
use crate::dist::t_two_sided;

/// Which coefficient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Variant {
    /// Of the average ranks.
    #[default]
    Spearman,
    /// Of the values.
    Pearson,
}

/// Parameters of `stats.spearman`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Spearman {
    /// Which coefficient. Default `spearman`.
    pub variant: Variant,
}

impl Params for Spearman {}

/// Two-sided p-value of a correlation `r` of `n` pairs under independence; `None` below three pairs.
pub fn p_value(r: f64, n: usize) -> Option<f64> {
    if n < 3 {
        return None;
    }
    let df = (n - 2) as f64;
    let rest = 1.0 - r * r;
    Some(if rest <= 0.0 { 0.0 } else { t_two_sided(r * (df / rest).sqrt(), df) })
}

impl Function for Spearman {
    type Input = Pairs;
    type Output = Correlation;

    fn call(&self, input: &Pairs, _seed: u64) -> Result<Correlation, MethodError> {
        let coefficient = match self.variant {
            Variant::Spearman => spearman(&input.x, &input.y)?,
            Variant::Pearson => pearson(&input.x, &input.y)?,
        };
        let n = input.x.len();
        Ok(Correlation { coefficient, p_value: coefficient.and_then(|r| p_value(r, n)), n })
    }
}

guerdon_core::method! {
    Spearman: Function,
    id: "stats.spearman",
    papers: ["persona-non-grata-2026"],
    status: Verified(Reference("scipy.stats.spearmanr and pearsonr 1.17")),
    laws: [PermutationInvariant, Symmetric],
    exempt: [],
    aliases: ["stats.pearson"],
    samples: [
        r#"{"x": [1, 2, 3, 4, 5], "y": [1, 3, 2, 5, 4]}"#,
        r#"{"x": [1, 2, 2, 4], "y": [0.5, 0.5, 0.1, 2]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::p_value;

    #[test]
    fn fourteen_personas_need_a_correlation_of_0_533() {
        assert!(p_value(0.533, 14).unwrap() < 0.05);
        assert!(p_value(0.532, 14).unwrap() > 0.05);
        assert_eq!(p_value(1.0, 2), None);
        assert_eq!(p_value(-1.0, 9), Some(0.0));
    }
}
