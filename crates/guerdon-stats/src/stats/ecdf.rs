//! Empirical distribution function with its uniform band.
//!
//! # Formula
//!
//! ```text
//! F(x) = share of values at most x        band: F ± √(ln(2/α)/(2n)), cut to [0, 1]
//! ```
//!
//! The band (Dvoretzky-Kiefer-Wolfowitz, Massart's constant) holds for all x at once.
//!
//! # When to use it
//!
//! As the estimate of a price, cost or latency distribution, or to read quantiles off; the band says how far to trust it.
//!
//! # Departures
//!
//! With `censored` values (known only to be at least that large) the Kaplan-Meier estimate is given, without a band.
//!
//! # Example
//!
//! ```yaml
//! use: stats.ecdf
//! ```
//!
//! ```
//! use guerdon_stats::stats::ecdf::ecdf;
//! assert_eq!(ecdf(&[3.0, 1.0, 1.0, 2.0], &[]).unwrap(), [(1.0, 0.5), (2.0, 0.75), (3.0, 1.0)]);
//! ```
//!
//! # References
//!
//! Massart, "The tight constant in the Dvoretzky-Kiefer-Wolfowitz inequality", 1990; Kaplan and Meier 1958.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bootstrap::check_level;
use crate::moments::check;
use crate::order::{argsort, runs};
use crate::resample::Interval;

/// Parameters of `stats.ecdf`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Ecdf {
    /// Level of the band, between 0 and 1. Default 0.95.
    pub level: f64,
}

impl Default for Ecdf {
    fn default() -> Self {
        Self { level: 0.95 }
    }
}

impl Params for Ecdf {
    fn validate(&self) -> Result<(), ParamError> {
        check_level(self.level)
    }
}

/// Input of `stats.ecdf`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The values, at least one, finite.
    pub values: Vec<f64>,
    /// Whether each value is only a lower bound; absent: none is.
    #[serde(default)]
    pub censored: Vec<bool>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// The value.
    pub x: f64,
    /// Share of values at most `x`.
    pub share: f64,
    /// The band at `x`; null with censored values.
    pub band: Option<Interval>,
}

/// Output of `stats.ecdf`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The steps at distinct values, ascending.
    pub steps: Vec<Step>,
}

/// Distinct values with the share at most each; with censoring the Kaplan-Meier estimate.
pub fn ecdf(values: &[f64], censored: &[bool]) -> Result<Vec<(f64, f64)>, MethodError> {
    check("values", values)?;
    if !censored.is_empty() {
        MethodError::same_length(("values", values.len()), ("censored", censored.len()))?;
    }
    let order = argsort(values);
    let mut survival = 1.0;
    let step = |run: std::ops::Range<usize>| {
        let at_risk = (values.len() - run.start) as f64;
        let seen = order[run.clone()]
            .iter()
            .filter(|i| !censored.get(**i).copied().unwrap_or(false))
            .count() as f64;
        survival *= 1.0 - seen / at_risk;
        // Without censoring the share is a plain count, free of rounding.
        let share =
            if censored.is_empty() { run.end as f64 / values.len() as f64 } else { 1.0 - survival };
        (values[order[run.start]], share)
    };
    Ok(runs(&order, |a, b| values[a] == values[b]).map(step).collect())
}

impl Function for Ecdf {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        let reach = ((2.0 / (1.0 - self.level)).ln() / (2.0 * input.values.len() as f64)).sqrt();
        let band =
            |share: f64| Interval { low: (share - reach).max(0.0), high: (share + reach).min(1.0) };
        let plain = input.censored.is_empty();
        let step = |(x, share)| Step { x, share, band: plain.then(|| band(share)) };
        Ok(Output { steps: ecdf(&input.values, &input.censored)?.into_iter().map(step).collect() })
    }
}

guerdon_core::method! {
    Ecdf: Function,
    id: "stats.ecdf",
    papers: ["first-price-budgets-2023"],
    status: Verified(ClosedForm("shares are counts; without censoring Kaplan-Meier equals them")),
    laws: [PermutationInvariant],
    exempt: [],
    samples: [r#"{"values": [3, 1, 1, 2]}"#, r#"{"values": [1, 2, 3], "censored": [false, true, false]}"#],
}

#[cfg(test)]
mod tests {
    use super::ecdf;

    #[test]
    fn no_censoring_reduces_kaplan_meier_to_counts() {
        let values = [0.5, 2.0, 1.0, 2.0, 7.0];
        let (plain, km) = (ecdf(&values, &[]).unwrap(), ecdf(&values, &[false; 5]).unwrap());
        assert!(plain.iter().zip(&km).all(|(a, b)| a.0 == b.0 && (a.1 - b.1).abs() < 1e-12));
    }

    #[test]
    fn censored_values_only_leave_the_risk_set() {
        let steps = ecdf(&[1.0, 2.0, 3.0], &[false, true, false]).unwrap();
        assert!(
            (steps[0].1 - 1.0 / 3.0).abs() < 1e-12
                && (steps[1].1 - 1.0 / 3.0).abs() < 1e-12
                && steps[2].1 == 1.0
        );
    }
}
