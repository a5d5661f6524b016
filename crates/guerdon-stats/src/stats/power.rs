//! Power analysis: how many items, pairs or runs a comparison needs, or what power a given number has.
//!
//! # Formula
//!
//! ```text
//! two_proportions: effect h = 2·asin√p2 − 2·asin√p1, Z ~ N(h·√(n/2), 1), power = P(|Z| > z_{α/2})
//! independent_t, paired_t: noncentral t with shift d·√(n/2), d·√n and 2n − 2, n − 1 degrees of freedom
//! mcnemar: n = (z_{α/2}·√ψ + z_β·√(ψ − δ²))² / δ²,  ψ = p10 + p01, δ = p10 − p01       (Connor)
//! runs:    R = (z_{α/2} + z_β)²·(v_a + v_b) / δ²,   v the variance of one run's mean
//! ```
//!
//! `n` is per arm (items, pairs or runs); `β` one minus the power; tests are two-sided.
//!
//! # When to use it
//!
//! Before an evaluation: to see whether the difference hoped for can be seen at all. An agent's run-to-run noise is planned
//! for by `runs`, item sampling by the others; both may be needed.
//!
//! # Departures
//!
//! `n` is not rounded up, so that it can be compared with statsmodels. With `n` given the power is returned; both tails are
//! counted, as there. Connor's form and `runs` leave out the far tail.
//!
//! # Example
//!
//! ```yaml
//! use: stats.power
//! kind: two_proportions
//! power: 0.8
//! ```
//!
//! ```
//! use guerdon_stats::stats::power::runs_needed;
//! assert!((runs_needed(0.00025, 0.00025, 0.02, 0.05, 0.8) - 9.811).abs() < 1e-3);
//! ```
//!
//! # References
//!
//! Cohen, "Statistical Power Analysis for the Behavioral Sciences", 1988; Connor, "Sample Size for Testing Differences in
//! Proportions for the Paired-Sample Design", 1987.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dist::{noncentral_t_cdf, normal_cdf, normal_quantile, normal_sf, t_quantile};

/// Which design.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Two independent proportions, arcsine effect; reads `p1`, `p2`.
    #[default]
    TwoProportions,
    /// Two independent means; reads `effect` (Cohen's d).
    IndependentT,
    /// Paired means; reads `effect` (mean difference over its standard deviation).
    PairedT,
    /// Paired proportions; reads `p10`, `p01`.
    Mcnemar,
    /// Repeated runs of two stochastic agents on the same tasks; reads `variance_a`, `variance_b`, `difference`.
    Runs,
}

/// Parameters of `stats.power`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Power {
    /// Which design. Default `two_proportions`.
    pub kind: Kind,
    /// Two-sided significance level, between 0 and 1. Default 0.05.
    pub alpha: f64,
    /// Power asked for where `n` is not given, above `alpha` and below 1. Default 0.8.
    pub power: f64,
}

impl Default for Power {
    fn default() -> Self {
        Self { kind: Kind::TwoProportions, alpha: 0.05, power: 0.8 }
    }
}

impl Params for Power {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("alpha", self.alpha, 1e-12, 1.0 - 1e-12)?;
        if self.power > self.alpha && self.power < 1.0 {
            return Ok(());
        }
        Err(ParamError::new(
            "power",
            format!("`power` must lie between `alpha` ({}) and 1, not {}", self.alpha, self.power),
        ))
    }
}

/// Input of `stats.power`: what `kind` reads, and `n` when the power is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Input {
    /// First proportion, 0 to 1.
    pub p1: Option<f64>,
    /// Second proportion, 0 to 1.
    pub p2: Option<f64>,
    /// Standardised mean difference, not 0.
    pub effect: Option<f64>,
    /// Probability that only the first model is right.
    pub p10: Option<f64>,
    /// Probability that only the second model is right.
    pub p01: Option<f64>,
    /// Variance of the mean score of one run of the first agent.
    pub variance_a: Option<f64>,
    /// Variance of the mean score of one run of the second agent.
    pub variance_b: Option<f64>,
    /// Difference of means to be seen, not 0.
    pub difference: Option<f64>,
    /// Items, pairs or runs per arm: the power is then returned. At least 2 for the t designs.
    pub n: Option<f64>,
}

/// Output of `stats.power`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Items, pairs or runs per arm, not rounded.
    pub n: f64,
    /// The power at `n`.
    pub power: f64,
}

/// The most per arm that is searched.
const LARGEST: f64 = 1e12;

/// Cohen's h of two proportions.
pub fn cohen_h(p1: f64, p2: f64) -> f64 {
    2.0 * p2.sqrt().asin() - 2.0 * p1.sqrt().asin()
}

/// Power of a two-sided z test whose statistic has mean `shift`.
pub fn z_power(shift: f64, alpha: f64) -> f64 {
    let z = normal_quantile(1.0 - alpha / 2.0);
    normal_sf(z - shift) + normal_cdf(-z - shift)
}

/// Power of a two-sided t test with `df` degrees of freedom and noncentrality `shift`.
pub fn t_power(shift: f64, df: f64, alpha: f64) -> f64 {
    let t = t_quantile(1.0 - alpha / 2.0, df);
    1.0 - noncentral_t_cdf(t, df, shift) + noncentral_t_cdf(-t, df, shift)
}

/// Pairs needed by McNemar's test (Connor 1987).
pub fn mcnemar_pairs(p10: f64, p01: f64, alpha: f64, power: f64) -> f64 {
    let (psi, delta) = (p10 + p01, p10 - p01);
    let (za, zb) = (normal_quantile(1.0 - alpha / 2.0), normal_quantile(power));
    ((za * psi.sqrt() + zb * (psi - delta * delta).sqrt()) / delta).powi(2)
}

/// Runs per arm needed to see `difference` between two agents whose runs have means of variance `va` and `vb`.
pub fn runs_needed(va: f64, vb: f64, difference: f64, alpha: f64, power: f64) -> f64 {
    let z = normal_quantile(1.0 - alpha / 2.0) + normal_quantile(power);
    z * z * (va + vb) / (difference * difference)
}

fn need(name: &str, value: Option<f64>, low: f64, high: f64) -> Result<f64, MethodError> {
    match value {
        Some(v) if v >= low && v <= high => Ok(v),
        Some(v) => {
            Err(MethodError::domain(format!("`{name}` must lie between {low} and {high}, not {v}")))
        }
        None => Err(MethodError::domain(format!("this kind reads `{name}`: give it"))),
    }
}

/// The smallest n from `low` on with `power_at(n)` ≥ `power`, by bisection.
fn solve(low: f64, power: f64, power_at: impl Fn(f64) -> f64) -> Result<f64, MethodError> {
    let (mut low, mut high) = (low, low.max(2.0));
    while power_at(high) < power {
        low = high;
        high *= 2.0;
        if high > LARGEST {
            return Err(MethodError::domain(format!(
                "the effect is too small: more than {LARGEST:e} per arm are needed"
            )));
        }
    }
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if power_at(middle) < power { low = middle } else { high = middle }
    }
    Ok(high)
}

impl Power {
    fn by_curve(
        &self,
        n: Option<f64>,
        least: f64,
        power_at: impl Fn(f64) -> f64,
    ) -> Result<Output, MethodError> {
        let n = match n {
            Some(n) => need("n", Some(n), least, LARGEST)?,
            None => solve(least, self.power, &power_at)?,
        };
        Ok(Output { n, power: power_at(n) })
    }

    fn t(&self, input: &Input, arms: f64) -> Result<Output, MethodError> {
        let d = need("effect", input.effect, -1e3, 1e3)?.abs();
        if d < 1e-5 {
            return Err(MethodError::domain("`effect` must be at least 0.00001 in size"));
        }
        // Beyond this many degrees of freedom t is normal to all digits that the curve needs.
        let power_at = |n: f64| {
            let (shift, df) = (d * (n / arms).sqrt(), arms * (n - 1.0));
            if df > 1e6 { z_power(shift, self.alpha) } else { t_power(shift, df, self.alpha) }
        };
        self.by_curve(input.n, 2.0, power_at)
    }

    fn closed(&self, n: f64, given: Option<f64>, shift_at_one: f64) -> Result<Output, MethodError> {
        match given {
            None if n.is_finite() => Ok(Output { n, power: self.power }),
            None => Err(MethodError::domain("the effect is too small for a finite number")),
            Some(given) => {
                let given = need("n", Some(given), 0.0, LARGEST)?;
                Ok(Output { n: given, power: z_power(shift_at_one * given.sqrt(), self.alpha) })
            }
        }
    }
}

impl Function for Power {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        let (alpha, power) = (self.alpha, self.power);
        let not_zero = |name: &str, x: f64| {
            if x.abs() > 1e-12 {
                Ok(x)
            } else {
                Err(MethodError::domain(format!("the {name} is 0: nothing to detect")))
            }
        };
        match self.kind {
            Kind::TwoProportions => {
                let (p1, p2) = (need("p1", input.p1, 0.0, 1.0)?, need("p2", input.p2, 0.0, 1.0)?);
                let h = not_zero("difference of `p1` and `p2`", cohen_h(p1, p2))?.abs();
                self.by_curve(input.n, 0.0, |n| z_power(h * (n / 2.0).sqrt(), alpha))
            }
            Kind::IndependentT => self.t(input, 2.0),
            Kind::PairedT => self.t(input, 1.0),
            Kind::Mcnemar => {
                let (p10, p01) =
                    (need("p10", input.p10, 0.0, 1.0)?, need("p01", input.p01, 0.0, 1.0)?);
                need("p10 + p01", Some(p10 + p01), 0.0, 1.0)?;
                let delta = not_zero("difference of `p10` and `p01`", p10 - p01)?;
                self.closed(
                    mcnemar_pairs(p10, p01, alpha, power),
                    input.n,
                    delta.abs() / (p10 + p01).sqrt(),
                )
            }
            Kind::Runs => {
                let va = need("variance_a", input.variance_a, 0.0, 1e100)?;
                let vb = need("variance_b", input.variance_b, 0.0, 1e100)?;
                let delta =
                    not_zero("`difference`", need("difference", input.difference, -1e50, 1e50)?)?;
                let spread = not_zero("variance of the runs", va + vb)?.sqrt();
                self.closed(runs_needed(va, vb, delta, alpha, power), input.n, delta.abs() / spread)
            }
        }
    }
}

guerdon_core::method! {
    Power: Function,
    id: "stats.power",
    papers: ["agentic-randomness-2026"],
    status: Verified(Reference("statsmodels.stats.power 0.15; Connor 1987")),
    laws: [],
    exempt: [],
    samples: [r#"{"p1": 0.55, "p2": 0.6}"#, r#"{"p1": 0.5, "p2": 0.6, "n": 100}"#],
}

#[cfg(test)]
mod tests {
    use super::{Input, Kind, Power, z_power};
    use guerdon_core::method::Function as _;

    #[test]
    fn no_effect_has_the_power_of_the_level() {
        assert!((z_power(0.0, 0.05) - 0.05).abs() < 1e-12);
        let input = Input { p1: Some(0.5), p2: Some(0.5), ..Input::default() };
        assert!(Power::default().call(&input, 0).is_err());
    }

    #[test]
    fn a_solved_number_has_the_power_asked_for() {
        let input = Input { effect: Some(0.5), ..Input::default() };
        for kind in [Kind::PairedT, Kind::IndependentT] {
            let power = Power { kind, power: 0.9, ..Power::default() };
            assert!((power.call(&input, 0).unwrap().power - 0.9).abs() < 1e-9);
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let error =
            Power { kind: Kind::Runs, ..Power::default() }.call(&Input::default(), 0).unwrap_err();
        assert!(error.to_string().contains("variance_a"));
    }
}
