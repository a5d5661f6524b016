//! Multiple comparisons: p-values adjusted so that many tests together keep their error rate.
//!
//! # Formula
//!
//! ```text
//! p_(1) ≤ … ≤ p_(m)
//! bonferroni: m·p        holm: max_{j ≤ i} (m − j + 1)·p_(j)        holm_sidak: max_{j ≤ i} 1 − (1 − p_(j))^(m − j + 1)
//! hochberg: min_{j ≥ i} (m − j + 1)·p_(j)      bh: min_{j ≥ i} m·p_(j)/j      by: bh × Σ 1/j
//! hommel: the largest local Simes p-value over all sets that hold the hypothesis
//! ```
//!
//! Adjusted values are capped at 1 and given in the order of the input. A hypothesis is rejected where the adjusted value
//! is at most `alpha`.
//!
//! # When to use it
//!
//! Holm when any false claim is costly (it is never worse than Bonferroni), Benjamini-Hochberg when a share of false claims
//! among many is bearable, Benjamini-Yekutieli when the tests depend on each other in unknown ways.
//!
//! # Departures
//!
//! None: the values are those of statsmodels (Hochberg there is `simes-hochberg`).
//!
//! # Example
//!
//! ```yaml
//! use: stats.multiple
//! kind: holm
//! ```
//!
//! ```
//! use guerdon_stats::stats::multiple::{Kind, adjust};
//! assert_eq!(adjust(&[0.01, 0.04], Kind::Holm).unwrap(), [0.02, 0.04]);
//! ```
//!
//! # References
//!
//! Holm 1979; Hochberg 1988; Hommel 1988; Benjamini and Hochberg 1995; Benjamini and Yekutieli 2001.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::moments::check;
use crate::order::argsort;

/// Which adjustment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Family-wise, one step.
    Bonferroni,
    /// Family-wise, one step, for independent tests.
    Sidak,
    /// Family-wise, step down.
    #[default]
    Holm,
    /// Family-wise, step down, for independent tests.
    HolmSidak,
    /// Family-wise, step up, for independent or positively dependent tests.
    Hochberg,
    /// Family-wise, closed Simes tests.
    Hommel,
    /// False discovery rate.
    Bh,
    /// False discovery rate under any dependence.
    By,
}

/// Parameters of `stats.multiple`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Multiple {
    /// Which adjustment. Default `holm`.
    pub kind: Kind,
    /// Level at which `reject` is decided, 0 to 1. Default 0.05.
    pub alpha: f64,
}

impl Default for Multiple {
    fn default() -> Self {
        Self { kind: Kind::Holm, alpha: 0.05 }
    }
}

impl Params for Multiple {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("alpha", self.alpha, 0.0, 1.0)
    }
}

/// Input of `stats.multiple`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The p-values, at least one, each 0 to 1.
    pub p_values: Vec<f64>,
}

/// Output of `stats.multiple`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The adjusted p-values, in the order of the input.
    pub adjusted: Vec<f64>,
    /// Whether each is at most `alpha`.
    pub reject: Vec<bool>,
}

/// Most p-values that Hommel's procedure, quadratic in their number, takes.
const HOMMEL_LIMIT: usize = 20_000;

/// Adjusts `p` (each 0 to 1).
pub fn adjust(p: &[f64], kind: Kind) -> Result<Vec<f64>, MethodError> {
    check("p_values", p)?;
    if let Some(bad) = p.iter().find(|p| !(0.0..=1.0).contains(*p)) {
        return Err(MethodError::domain(format!("`p_values` must lie between 0 and 1, not {bad}")));
    }
    if kind == Kind::Hommel && p.len() > HOMMEL_LIMIT {
        return Err(MethodError::Budget(format!(
            "Hommel takes at most {HOMMEL_LIMIT} p-values; use `holm`"
        )));
    }
    let order = argsort(p);
    let sorted: Vec<f64> = order.iter().map(|&i| p[i]).collect();
    let adjusted = adjust_sorted(&sorted, kind);
    let mut out = vec![0.0; p.len()];
    for (place, &i) in order.iter().enumerate() {
        out[i] = adjusted[place].min(1.0);
    }
    Ok(out)
}

/// Adjusts ascending p-values.
fn adjust_sorted(p: &[f64], kind: Kind) -> Vec<f64> {
    let m = p.len() as f64;
    let left = |i: usize| m - i as f64;
    let sidak = |p: f64, n: f64| -((1.0 - p).ln() * n).exp_m1();
    let each = |f: &dyn Fn(usize) -> f64| (0..p.len()).map(f).collect::<Vec<_>>();
    match kind {
        Kind::Bonferroni => each(&|i| m * p[i]),
        Kind::Sidak => each(&|i| sidak(p[i], m)),
        Kind::Holm => running_max(each(&|i| left(i) * p[i])),
        Kind::HolmSidak => running_max(each(&|i| sidak(p[i], left(i)))),
        Kind::Hochberg => running_min(each(&|i| left(i) * p[i])),
        Kind::Hommel => hommel(p),
        Kind::Bh => running_min(each(&|i| m * p[i] / (i + 1) as f64)),
        Kind::By => {
            let harmonic: f64 = (1..=p.len()).map(|j| 1.0 / j as f64).sum();
            running_min(each(&|i| harmonic * m * p[i] / (i + 1) as f64))
        }
    }
}

fn running_max(mut values: Vec<f64>) -> Vec<f64> {
    for i in 1..values.len() {
        values[i] = values[i].max(values[i - 1]);
    }
    values
}

fn running_min(mut values: Vec<f64>) -> Vec<f64> {
    for i in (1..values.len()).rev() {
        values[i - 1] = values[i - 1].min(values[i]);
    }
    values
}

/// Hommel's adjusted values of ascending p (Wright 1992).
fn hommel(p: &[f64]) -> Vec<f64> {
    let n = p.len();
    let simes = |m: usize, first: usize, count: usize, from: usize| {
        (0..count)
            .map(|j| m as f64 * p[first + j] / (from + j) as f64)
            .fold(f64::INFINITY, f64::min)
    };
    let mut adjusted = vec![simes(n, 0, n, 1); n];
    for m in (2..n).rev() {
        let head = n - m + 1;
        // The m − 1 largest p-values against the denominators 2 … m.
        let tail = simes(m, head, m - 1, 2);
        for (i, value) in adjusted.iter_mut().enumerate() {
            let local = if i < head { tail.min(m as f64 * p[i]) } else { tail };
            *value = value.max(local);
        }
    }
    adjusted.iter().zip(p).map(|(a, p)| a.max(*p)).collect()
}

impl Function for Multiple {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        let adjusted = adjust(&input.p_values, self.kind)?;
        let reject = adjusted.iter().map(|p| *p <= self.alpha).collect();
        Ok(Output { adjusted, reject })
    }
}

guerdon_core::method! {
    Multiple: Function,
    id: "stats.multiple",
    papers: ["medical-dapt-2024", "medical-dapt-limited-2024"],
    status: Verified(Reference("statsmodels.stats.multitest.multipletests 0.15")),
    laws: [],
    exempt: [],
    samples: [r#"{"p_values": [0.001, 0.04, 0.03, 0.2]}"#],
}

#[cfg(test)]
mod tests {
    use super::{Kind, adjust};

    const ALL: [Kind; 8] = [
        Kind::Bonferroni,
        Kind::Sidak,
        Kind::Holm,
        Kind::HolmSidak,
        Kind::Hochberg,
        Kind::Hommel,
        Kind::Bh,
        Kind::By,
    ];

    #[test]
    fn one_test_needs_no_adjustment() {
        for kind in ALL {
            assert!((adjust(&[0.03], kind).unwrap()[0] - 0.03).abs() < 1e-15, "{kind:?}");
        }
    }

    #[test]
    fn adjusting_never_lowers_and_keeps_the_order() {
        let p = [0.3, 0.01, 0.02, 0.02, 1.0, 0.0];
        for kind in ALL {
            let q = adjust(&p, kind).unwrap();
            for i in 0..p.len() {
                assert!(q[i] >= p[i] && q[i] <= 1.0);
                assert!((0..p.len()).all(|j| p[i] > p[j] || q[i] <= q[j]), "{kind:?}");
            }
        }
    }

    #[test]
    fn the_usual_order_of_strictness() {
        let p = [0.01, 0.02, 0.03, 0.04];
        let of = |kind| adjust(&p, kind).unwrap()[1];
        assert!(of(Kind::Bonferroni) >= of(Kind::Holm) && of(Kind::Holm) >= of(Kind::Hochberg));
        assert!(of(Kind::Hochberg) >= of(Kind::Hommel) && of(Kind::By) >= of(Kind::Bh));
        assert!(adjust(&[1.1], Kind::Holm).is_err() && adjust(&[], Kind::Holm).is_err());
    }
}
