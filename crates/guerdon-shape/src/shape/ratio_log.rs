//! Accuracy against cost in one number: a power of how near the accuracy is to the best known, times the log of what is saved.
//!
//! # Formula
//!
//! ```text
//! r'_i = (A₀ / (A₀ − A_i))^power · (−ln(F_i / F₀))
//! ```
//!
//! `A_i` is the running reward (the accuracy of a candidate), `A₀` that of the uncompressed base, `F_i` the column `cost`
//! and `F₀` the base's cost. Equal accuracy and equal cost are worth 0 by the logarithm; the first factor grows without
//! bound as the accuracy nears the base's, so it is capped at `most`.
//!
//! # When to use it
//!
//! In a search over models, prompts or workflows where cost and accuracy trade off and no candidate reaches the base. For
//! rewards of rollouts prefer a weighted sum.
//!
//! # Departures
//!
//! Checked against the authors' code (70.6 % and 4100 MFLOPs are its ResNet-50 setting). That code has no cap and, for a
//! candidate above the base, squares the negative ratio: here such a candidate gets the cap.
//!
//! # Example
//!
//! ```yaml
//! use: shape.ratio_log
//! base: 70.6
//! cost: flops
//! base_cost: 4100
//! ```
//!
//! ```
//! use guerdon_shape::shape::ratio_log::RatioLog;
//! assert!((RatioLog::default().value(68.6, 1400.0).unwrap() - 1338.9).abs() < 0.1);
//! ```
//!
//! # References
//!
//! Shibu et al., "Rewarded meta-pruning: Meta Learning with Rewards for Channel Pruning", 2023.

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Parameters of `shape.ratio_log`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RatioLog {
    /// Accuracy of the base A₀, in the unit of the running reward. Greater than 0; default 70.6.
    pub base: f64,
    /// Column with the cost. Default `cost`.
    pub cost: String,
    /// Cost of the base F₀, in the unit of `cost`. Greater than 0; default 4100.
    pub base_cost: f64,
    /// Exponent of the accuracy's factor. At least 0; default 2.
    pub power: f64,
    /// Greatest factor of the accuracy. Greater than 0; default 1e6.
    pub most: f64,
}

impl Default for RatioLog {
    fn default() -> Self {
        Self { base: 70.6, cost: "cost".to_owned(), base_cost: 4100.0, power: 2.0, most: 1e6 }
    }
}

impl Params for RatioLog {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::positive("base", self.base)?;
        ParamError::positive("base_cost", self.base_cost)?;
        ParamError::in_range("power", self.power, 0.0, f64::INFINITY)?;
        ParamError::positive("most", self.most)
    }
}

impl RatioLog {
    /// The reward of a candidate with this accuracy and cost.
    pub fn value(&self, accuracy: f64, cost: f64) -> Result<f64, MethodError> {
        if cost <= 0.0 {
            return Err(MethodError::domain(format!(
                "`{}` is {cost}, but a cost must be greater than 0",
                self.cost
            )));
        }
        let short = self.base - accuracy;
        let factor = if short > 0.0 {
            (self.base / short).powf(self.power).min(self.most)
        } else {
            self.most
        };
        Ok(factor * -(cost / self.base_cost).ln())
    }
}

impl Transform for RatioLog {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        view.dense(&[&self.cost], |d| {
            d.values.iter().zip(&d.aux[0]).map(|(a, f)| self.value(*a, *f)).collect()
        })
    }

    fn reads(&self) -> Vec<String> {
        vec![self.cost.clone()]
    }

    fn scope(&self) -> Scope {
        Scope::Rollout
    }
}

guerdon_core::method! {
    RatioLog: Transform,
    id: "shape.ratio_log",
    papers: ["rewarded-meta-pruning-2023"],
    status: Verified(Worked("70.6 %, 4100 M: 1338.9 at 68.6 % and 1400 M, 781.4 at 67.6 % and 1000 M")),
    laws: [GroupLocal],
    exempt: [],
    sample_params: r#"{"cost": "length", "base_cost": 50}"#,
}

#[cfg(test)]
mod tests {
    use super::RatioLog;

    #[test]
    fn worked_numbers() {
        let check = |a: f64, f: f64, expect: f64| {
            let own = RatioLog::default().value(a, f).unwrap();
            assert!((own - expect).abs() < 0.1, "{own}, not {expect}");
        };
        check(68.6, 1400.0, 1338.9);
        check(67.6, 1000.0, 781.4);
        check(68.6, 4100.0, 0.0);
    }

    #[test]
    fn the_factor_is_capped_at_and_above_the_base() {
        let log = RatioLog::default();
        let saved = (4100.0_f64 / 1000.0).ln() * 1e6;
        assert_eq!(log.value(70.6, 1000.0).unwrap(), saved);
        assert_eq!(log.value(90.0, 1000.0).unwrap(), saved);
        assert!(log.value(60.0, 0.0).is_err());
    }
}
