//! Tail of failures before success: the exponent of a power law and what it says about mean and variance.
//!
//! # Formula
//!
//! ```text
//! a = 1 + n / Σ ln((x + 1)/(x_min − ½)) over x + 1 ≥ x_min     SE = (a − 1)/√n
//! limited: a ≤ 2 (the mean diverges)   capable: 2 < a ≤ 3 (the variance does)   autonomous: a > 3
//! ```
//!
//! `x` is the number of failures before the first success, `n` the number of tail points. `hill` uses `ln((x + 1)/x_min)`, the
//! continuous form.
//!
//! # When to use it
//!
//! To see whether trial and error will get there. The level is a statement about a fit within a range: a finite vocabulary has
//! all moments, and few tail points bias the estimate; both are shown.
//!
//! # Departures
//!
//! The level is `undecided` when the interval spans a border. Fewer than two tail points have no exponent (null).
//!
//! # Example
//!
//! ```yaml
//! use: stats.failure_tail
//! x_min: 5
//! ```
//!
//! ```
//! use guerdon_stats::stats::failure_tail::{Estimator, exponent};
//! let (a, n) = exponent(&[4, 9, 19, 49], 5.0, Estimator::Mle).unwrap();
//! assert!(a > 1.5 && a < 2.5 && n == 4);
//! ```
//!
//! # References
//!
//! Zhan et al., "Evaluating Intelligence via Trial and Error", 2025; Clauset, Shalizi and Newman, "Power-Law Distributions in
//! Empirical Data", 2009 (the approximation).

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bootstrap::check_level;
use crate::dist::two_sided_z;
use crate::moments::at_least;
use crate::resample::Interval;

/// Which estimate of the exponent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Estimator {
    /// Discrete maximum likelihood, to the usual approximation.
    #[default]
    Mle,
    /// Hill's, for continuous values.
    Hill,
}

/// Parameters of `stats.failure_tail`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FailureTail {
    /// Where the tail begins (failures + 1), above 0.5. Default 5.
    pub x_min: f64,
    /// Which estimate. Default `mle`.
    pub estimator: Estimator,
    /// Confidence level, between 0 and 1. Default 0.95.
    pub level: f64,
}

impl Default for FailureTail {
    fn default() -> Self {
        Self { x_min: 5.0, estimator: Estimator::Mle, level: 0.95 }
    }
}

impl Params for FailureTail {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("x_min", self.x_min, 1.0, 1e15)?;
        check_level(self.level)
    }
}

/// Input of `stats.failure_tail`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Failures before the first success of each trial, at least one trial.
    pub failures: Vec<u64>,
}

/// What the exponent says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The mean number of failures diverges.
    Limited,
    /// The mean is finite, the variance is not.
    Capable,
    /// Both are finite.
    Autonomous,
    /// The interval spans a border, or there are too few tail points.
    Undecided,
}

/// Output of `stats.failure_tail`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The exponent, above 1; null below two tail points.
    pub exponent: Option<f64>,
    /// Its normal interval.
    pub interval: Option<Interval>,
    /// Trials in the tail.
    pub tail_points: usize,
    /// What it says.
    pub level: Level,
}

/// Exponent and number of tail points; `None` below two, or where all lie at the border of Hill's form.
pub fn exponent(failures: &[u64], x_min: f64, estimator: Estimator) -> Option<(f64, usize)> {
    let border = if estimator == Estimator::Mle { x_min - 0.5 } else { x_min };
    let tail: Vec<f64> = failures.iter().map(|x| *x as f64 + 1.0).filter(|x| *x >= x_min).collect();
    let sum: f64 = tail.iter().map(|x| (x / border).ln()).sum();
    (tail.len() > 1 && sum > 0.0).then(|| (1.0 + tail.len() as f64 / sum, tail.len()))
}

fn level(interval: Interval) -> Level {
    let of = |a: f64| {
        if a <= 2.0 {
            Level::Limited
        } else if a <= 3.0 {
            Level::Capable
        } else {
            Level::Autonomous
        }
    };
    if of(interval.low) == of(interval.high) { of(interval.low) } else { Level::Undecided }
}

impl Function for FailureTail {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        at_least("failures", input.failures.len(), 1)?;
        let tail_points = input.failures.iter().filter(|x| **x as f64 + 1.0 >= self.x_min).count();
        let found = exponent(&input.failures, self.x_min, self.estimator);
        let interval = found.map(|(a, n)| {
            let reach = two_sided_z(self.level) * (a - 1.0) / (n as f64).sqrt();
            Interval { low: a - reach, high: a + reach }
        });
        Ok(Output {
            exponent: found.map(|f| f.0),
            interval,
            tail_points,
            level: interval.map_or(Level::Undecided, level),
        })
    }
}

guerdon_core::method! {
    FailureTail: Function,
    id: "stats.failure_tail",
    papers: ["survival-game-2025"],
    status: Verified(Worked("samples from exponents 1.5 and 2.5: 1.50, 2.50")),
    laws: [PermutationInvariant],
    exempt: [],
    samples: [r#"{"failures": [0, 3, 7, 12, 40, 5, 9, 100]}"#],
}

#[cfg(test)]
mod tests {
    use super::{Estimator, FailureTail, Input, Level, exponent};
    use guerdon_core::method::Function as _;
    use guerdon_core::seed;
    use rand::RngExt as _;

    /// Draws failures from a power law with exponent `a` by inversion.
    fn draw(a: f64) -> Vec<u64> {
        let mut rng = seed::stream(4, "tail");
        (0..20_000)
            .map(|_| {
                crate::order::index(
                    (0.5 * (1.0 - rng.random::<f64>()).powf(-1.0 / (a - 1.0)) + 0.5)
                        .floor()
                        .min(1e15),
                ) as u64
            })
            .map(|x| x.saturating_sub(1))
            .collect()
    }

    #[test]
    fn exponents_are_recovered() {
        for a in [1.5, 2.5] {
            let (got, n) = exponent(&draw(a), 5.0, Estimator::Mle).unwrap();
            assert!(
                (got - a).abs() < 4.0 * (a - 1.0) / (n as f64).sqrt() + 0.02,
                "{a}: {got} from {n}"
            );
        }
    }

    #[test]
    fn levels_follow_the_exponent() {
        let of = |failures| FailureTail::default().call(&Input { failures }, 0).unwrap();
        assert_eq!(of(draw(1.5)).level, Level::Limited);
        assert_eq!(of(draw(2.5)).level, Level::Capable);
        assert_eq!(of(vec![0, 1, 2]).exponent, None);
    }
}
