//! Tail profile: value at risk and conditional value at risk of losses or rewards at several levels.
//!
//! # Formula
//!
//! ```text
//! VaR_α = x_(⌈αn⌉),  CVaR_α = VaR_α + mean (x − VaR_α)₊ / (1 − α)        the upper tail of losses
//! ```
//!
//! For rewards the lower tail: the mean of the worst share 1 − α.
//!
//! # When to use it
//!
//! When the worst cases decide: harm, cost, latency. Two models of equal mean may differ twofold in the tail.
//!
//! # Departures
//!
//! None: the border value counts in part, as in Rockafellar and Uryasev.
//!
//! # Example
//!
//! ```yaml
//! use: stats.tail
//! levels: [0.9, 0.95]
//! ```
//!
//! ```
//! use guerdon_stats::tail::var_cvar;
//! let losses: Vec<f64> = (1..=10).map(f64::from).collect();
//! assert_eq!(var_cvar(&losses, 0.8).unwrap(), (8.0, 9.5));
//! ```
//!
//! # References
//!
//! Rockafellar and Uryasev, "Optimization of Conditional Value-at-Risk", 2000.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bootstrap::check_level;
use crate::moments::{check, finite, mean};
use crate::tail::var_cvar;

/// Which side is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Large values are bad.
    #[default]
    Losses,
    /// Small values are bad.
    Rewards,
}

/// Parameters of `stats.tail`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tail {
    /// Which side is bad. Default `losses`.
    pub side: Side,
    /// Levels α, each between 0 and 1. Default [0.95].
    pub levels: Vec<f64>,
}

impl Default for Tail {
    fn default() -> Self {
        Self { side: Side::Losses, levels: vec![0.95] }
    }
}

impl Params for Tail {
    fn validate(&self) -> Result<(), ParamError> {
        self.levels.iter().try_for_each(|l| check_level(*l))
    }
}

/// Input of `stats.tail`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The losses or rewards, at least one, finite.
    pub values: Vec<f64>,
}

/// One level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Level {
    /// α.
    pub level: f64,
    /// The border of the tail.
    pub var: f64,
    /// The mean of the tail.
    pub cvar: f64,
}

/// Output of `stats.tail`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The mean.
    pub mean: f64,
    /// The levels in the order asked for.
    pub levels: Vec<Level>,
}

impl Function for Tail {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        check("values", &input.values)?;
        let sign = if self.side == Side::Losses { 1.0 } else { -1.0 };
        let losses: Vec<f64> = input.values.iter().map(|v| sign * v).collect();
        let level = |&level: &f64| {
            let (var, cvar) = var_cvar(&losses, level)?;
            Ok(Level { level, var: sign * var, cvar: sign * cvar })
        };
        let levels = self.levels.iter().map(level).collect::<Result<_, MethodError>>()?;
        Ok(Output { mean: finite("mean", mean(&input.values))?, levels })
    }
}

guerdon_core::method! {
    Tail: Function,
    id: "stats.tail",
    papers: ["sharp-2026"],
    status: Verified(ClosedForm("Rockafellar-Uryasev, seven values of the shared file to 1e-12")),
    laws: [PermutationInvariant],
    exempt: [],
    sample_params: r#"{"levels": [0.5, 0.9]}"#,
    samples: [r#"{"values": [1, 2, 3, 10]}"#],
}

#[cfg(test)]
mod tests {
    use super::{Input, Side, Tail};
    use guerdon_core::method::Function as _;

    #[test]
    fn rewards_are_mirrored_losses() {
        let of = |side, values| {
            Tail { side, levels: vec![0.75] }.call(&Input { values }, 0).unwrap().levels[0].cvar
        };
        assert_eq!(of(Side::Losses, vec![1.0, 2.0, 3.0, 4.0]), 4.0);
        assert_eq!(of(Side::Rewards, vec![1.0, 2.0, 3.0, 4.0]), 1.0);
    }
}
