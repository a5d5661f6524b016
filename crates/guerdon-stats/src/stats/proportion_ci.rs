//! Interval of a proportion: Wilson, Clopper-Pearson, Jeffreys, Agresti-Coull or Wald.
//!
//! # Formula
//!
//! ```text
//! p = k/n, z = Φ⁻¹(1 − α/2)
//! wilson:  (p + z²/2n ± z·√(p(1 − p)/n + z²/4n²)) / (1 + z²/n)
//! clopper_pearson:  [B(α/2; k, n − k + 1), B(1 − α/2; k + 1, n − k)]      jeffreys:  B(·; k + ½, n − k + ½)
//! agresti_coull:  p̃ ± z·√(p̃(1 − p̃)/ñ),  ñ = n + z², p̃ = (k + z²/2)/ñ     wald:  p ± z·√(p(1 − p)/n)
//! ```
//!
//! `B(q; a, b)` is the q quantile of the beta distribution, `α` one minus the level.
//!
//! # When to use it
//!
//! Wilson for almost everything; Clopper-Pearson when coverage must never fall below the level; Wald only to reproduce
//! published numbers. The trials must be independent: with several per prompt use `stats.clustered_se`.
//!
//! # Departures
//!
//! None: the values are those of statsmodels. Wald and Agresti-Coull are clipped to [0, 1], as there. Jeffreys is not cut
//! to 0 at k = 0.
//!
//! # Example
//!
//! ```yaml
//! use: stats.proportion_ci
//! kind: wilson
//! ```
//!
//! ```
//! use guerdon_stats::stats::proportion_ci::wilson;
//! let i = wilson(86, 1680, 0.95);
//! assert_eq!(((i.low * 1000.0).round(), (i.high * 1000.0).round()), (42.0, 63.0));
//! ```
//!
//! # References
//!
//! Brown, Cai and DasGupta, "Interval Estimation for a Binomial Proportion", 2001.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bootstrap::check_level;
use crate::dist::{beta_quantile, two_sided_z};
use crate::resample::Interval;

/// Which interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Wilson's score interval.
    #[default]
    Wilson,
    /// Clopper and Pearson's exact interval.
    ClopperPearson,
    /// Equal-tailed posterior under the prior Beta(½, ½).
    Jeffreys,
    /// Agresti and Coull's: Wald after adding z²/2 successes and failures.
    AgrestiCoull,
    /// The textbook normal interval.
    Wald,
}

/// Parameters of `stats.proportion_ci`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProportionCi {
    /// Which interval. Default `wilson`.
    pub kind: Kind,
    /// Confidence level, between 0 and 1. Default 0.95.
    pub level: f64,
}

impl Default for ProportionCi {
    fn default() -> Self {
        Self { kind: Kind::Wilson, level: 0.95 }
    }
}

impl Params for ProportionCi {
    fn validate(&self) -> Result<(), ParamError> {
        check_level(self.level)
    }
}

/// Input of `stats.proportion_ci`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Successes, at most `n`.
    pub k: u64,
    /// Trials, at least 1.
    pub n: u64,
}

/// A proportion with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Proportion {
    /// k/n.
    pub estimate: f64,
    /// The interval, within [0, 1].
    pub interval: Interval,
}

/// Wilson's interval of `k` successes in `n` ≥ 1 trials.
pub fn wilson(k: u64, n: u64, level: f64) -> Interval {
    wilson_at(k as f64 / n as f64, n as f64, level)
}

/// Wilson's interval of the proportion `p` of `n` > 0 trials; `n` may be an effective number.
pub fn wilson_at(p: f64, n: f64, level: f64) -> Interval {
    let z = two_sided_z(level);
    let centre = p + z * z / (2.0 * n);
    let reach = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    // Rounding must not push the interval off the ends.
    let low = if p == 0.0 { 0.0 } else { (centre - reach) / scale };
    let high = if p == 1.0 { 1.0 } else { (centre + reach) / scale };
    Interval { low, high }
}

/// The interval of `kind` of `k` successes in `n` trials.
pub fn proportion_ci(k: u64, n: u64, kind: Kind, level: f64) -> Result<Proportion, MethodError> {
    if n == 0 || k > n {
        return Err(MethodError::domain(format!(
            "{k} of {n}: there must be a trial, and no more successes than trials"
        )));
    }
    let tail = (1.0 - level) / 2.0;
    let (kf, nf) = (k as f64, n as f64);
    let interval = match kind {
        Kind::Wilson => wilson(k, n, level),
        Kind::ClopperPearson => Interval {
            low: if k == 0 { 0.0 } else { beta_quantile(tail, kf, nf - kf + 1.0) },
            high: if k == n { 1.0 } else { beta_quantile(1.0 - tail, kf + 1.0, nf - kf) },
        },
        Kind::Jeffreys => Interval {
            low: beta_quantile(tail, kf + 0.5, nf - kf + 0.5),
            high: beta_quantile(1.0 - tail, kf + 0.5, nf - kf + 0.5),
        },
        Kind::AgrestiCoull => {
            let z2 = two_sided_z(level).powi(2);
            wald((kf + z2 / 2.0) / (nf + z2), nf + z2, level)
        }
        Kind::Wald => wald(kf / nf, nf, level),
    };
    Ok(Proportion { estimate: kf / nf, interval })
}

fn wald(p: f64, n: f64, level: f64) -> Interval {
    let reach = two_sided_z(level) * (p * (1.0 - p) / n).sqrt();
    Interval { low: (p - reach).max(0.0), high: (p + reach).min(1.0) }
}

impl Function for ProportionCi {
    type Input = Input;
    type Output = Proportion;

    fn call(&self, input: &Input, _seed: u64) -> Result<Proportion, MethodError> {
        proportion_ci(input.k, input.n, self.kind, self.level)
    }
}

guerdon_core::method! {
    ProportionCi: Function,
    id: "stats.proportion_ci",
    papers: ["instrumental-choices-2026", "medical-dapt-limited-2024"],
    status: Verified(Reference("statsmodels.stats.proportion.proportion_confint 0.15")),
    laws: [],
    exempt: [],
    samples: [r#"{"k": 17, "n": 24}"#, r#"{"k": 0, "n": 24}"#],
}

#[cfg(test)]
mod tests {
    use super::{Kind, proportion_ci};

    #[test]
    fn every_interval_holds_the_estimate() {
        use Kind::{AgrestiCoull, ClopperPearson, Jeffreys, Wald, Wilson};
        for kind in [Wilson, ClopperPearson, Jeffreys, AgrestiCoull, Wald] {
            for k in 1..10 {
                let p = proportion_ci(k, 10, kind, 0.9).unwrap();
                assert!(
                    p.interval.low < p.estimate && p.estimate < p.interval.high,
                    "{kind:?} {k}"
                );
            }
            assert!(proportion_ci(0, 0, kind, 0.95).is_err());
            assert!(proportion_ci(3, 2, kind, 0.95).is_err());
        }
    }

    #[test]
    fn published_wilson_intervals() {
        let i = proportion_ci(12, 33, Kind::Wilson, 0.95).unwrap().interval;
        assert!((i.low - 0.222).abs() < 5e-4 && (i.high - 0.534).abs() < 5e-4);
    }
}
