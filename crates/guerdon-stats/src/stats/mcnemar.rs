//! McNemar's test: whether two models differ on the items where exactly one of them is right.
//!
//! # Formula
//!
//! ```text
//! b, c: items that only the first, only the second has right; n = b + c, m = min(b, c)
//! exact: p = min(1, 2·P(X ≤ m)),  X ~ Bin(n, ½)      mid_p: p = 2·P(X ≤ m) − P(X = m)
//! chi2: (b − c)²/n      corrected: (|b − c| − 1)²/n,  one degree of freedom
//! ```
//!
//! # When to use it
//!
//! For right/wrong outcomes of two models on the same items. Mid-p is the best default in small samples; for graded scores
//! use `stats.paired_test`, for three or more models `stats.cochran_q`.
//!
//! # Departures
//!
//! With no discordant item p is 1 (statsmodels divides by zero in the χ² forms). Mid-p at b = c is 1.
//!
//! # Example
//!
//! ```yaml
//! use: stats.mcnemar
//! kind: exact
//! ```
//!
//! ```
//! use guerdon_stats::stats::mcnemar::{Kind, mcnemar};
//! assert!((mcnemar(12, 31, Kind::Exact).p_value - 0.005_401_572_654_591_291).abs() < 1e-14);
//! ```
//!
//! # References
//!
//! McNemar, "Note on the sampling error of the difference between correlated proportions or percentages", 1947;
//! Fagerland et al., "The McNemar test for binary matched-pairs data", 2013 (mid-p).

use guerdon_core::MethodError;
use guerdon_core::method::{Function, Params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dist::{binomial_cdf, binomial_pmf, chi2_sf};
use crate::moments::at_least;

/// Which p-value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Two-sided binomial.
    #[default]
    Exact,
    /// Two-sided binomial, the observed table counted half.
    MidP,
    /// χ² without correction.
    Chi2,
    /// χ² with continuity correction.
    Corrected,
}

/// Parameters of `stats.mcnemar`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Mcnemar {
    /// Which p-value. Default `exact`.
    pub kind: Kind,
}

impl Params for Mcnemar {}

/// Input of `stats.mcnemar`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Whether the first model has each item right, at least one item.
    pub a: Vec<bool>,
    /// Whether the second model has each item right.
    pub b: Vec<bool>,
}

/// Output of `stats.mcnemar`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Items that only the first has right.
    pub only_a: u64,
    /// Items that only the second has right.
    pub only_b: u64,
    /// min(b, c) for the binomial kinds, χ² for the others.
    pub statistic: f64,
    /// Two-sided p-value.
    pub p_value: f64,
}

/// The test on the discordant counts `b` (only the first right) and `c` (only the second).
pub fn mcnemar(b: u64, c: u64, kind: Kind) -> Output {
    let (n, least) = (b.saturating_add(c), b.min(c));
    let gap = b.abs_diff(c) as f64;
    let chi2 = |gap: f64| if n == 0 { 0.0 } else { gap * gap / n as f64 };
    let (statistic, p) = match kind {
        Kind::Exact => (least as f64, 2.0 * binomial_cdf(least, n, 0.5)),
        Kind::MidP if b == c => (least as f64, 1.0),
        Kind::MidP => {
            (least as f64, 2.0 * binomial_cdf(least, n, 0.5) - binomial_pmf(least, n, 0.5))
        }
        Kind::Chi2 => (chi2(gap), chi2_sf(chi2(gap), 1.0)),
        Kind::Corrected => {
            let x = chi2((gap - 1.0).max(0.0));
            (x, chi2_sf(x, 1.0))
        }
    };
    Output { only_a: b, only_b: c, statistic, p_value: p.clamp(0.0, 1.0) }
}

/// Counts the items that only one of two models has right.
pub fn discordant(a: &[bool], b: &[bool]) -> Result<(u64, u64), MethodError> {
    MethodError::same_length(("a", a.len()), ("b", b.len()))?;
    at_least("a", a.len(), 1)?;
    let only =
        |x: bool, y: bool| a.iter().zip(b).filter(|(p, q)| **p == x && **q == y).count() as u64;
    Ok((only(true, false), only(false, true)))
}

impl Function for Mcnemar {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        let (b, c) = discordant(&input.a, &input.b)?;
        Ok(mcnemar(b, c, self.kind))
    }
}

guerdon_core::method! {
    Mcnemar: Function,
    id: "stats.mcnemar",
    papers: ["none-of-the-above-2025"],
    status: Verified(Reference("statsmodels.stats.contingency_tables.mcnemar 0.15")),
    laws: [PermutationInvariant],
    exempt: [Symmetric: "the p-value is symmetric; the two counts change places with the models."],
    samples: [
        r#"{"a": [true, true, false, true, true], "b": [false, true, false, false, true]}"#,
        r#"{"a": [true, false, false, true], "b": [false, true, true, true]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Kind, discordant, mcnemar};

    #[test]
    fn no_discordant_item_is_no_evidence() {
        for kind in [Kind::Exact, Kind::MidP, Kind::Chi2, Kind::Corrected] {
            assert_eq!(mcnemar(0, 0, kind).p_value, 1.0);
            assert!((mcnemar(4, 4, kind).p_value - 1.0).abs() < 1e-12);
        }
        assert!(discordant(&[], &[]).is_err());
    }

    #[test]
    fn large_counts_come_near_the_chi_square() {
        let exact = mcnemar(5200, 5000, Kind::MidP).p_value;
        assert!((exact - mcnemar(5200, 5000, Kind::Chi2).p_value).abs() < 1e-4);
    }
}
