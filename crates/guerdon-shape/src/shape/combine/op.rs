//! The operations that join several values into one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::shape::curve::log_sigmoid;

/// How values are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// Σ w·s.
    #[default]
    Sum,
    /// Σ w·s / Σ w.
    Mean,
    /// Π s^w. A negative value needs a whole weight.
    Product,
    /// The least w·s.
    Min,
    /// The greatest w·s.
    Max,
    /// (Π s^w)^(1/Σw), for values of at least 0.
    Geometric,
    /// Σ w·ln σ(s): the log-probability that all properties hold, if independent.
    Conjunction,
    /// The Hamacher product ab/(a + b − ab) of the w·s, a soft AND for values from 0 to 1.
    Hamacher,
    /// The first w·s that is not 0, in the order of the weights.
    Fallback,
    /// −Σ w·|s − target| / Σ w.
    Distance,
    /// Σ v·w·s with v ∝ Σ^(−1/2)·1, so that correlated signals are not counted twice.
    Whitened,
}

impl Op {
    /// Whether parts add up, so that a signal without values per step can be paid at the last one.
    pub fn adds(self) -> bool {
        matches!(self, Self::Sum | Self::Mean | Self::Conjunction | Self::Distance | Self::Whitened)
    }

    /// Why a value cannot take part, if it cannot.
    pub fn refuses(self, value: f64, weight: f64) -> Option<&'static str> {
        match self {
            Self::Hamacher if !(0.0..=1.0).contains(&(value * weight)) => {
                Some("values from 0 to 1")
            }
            Self::Geometric if value < 0.0 => Some("values of at least 0"),
            Self::Product if value < 0.0 && weight.fract() != 0.0 => {
                Some("whole weights for negative values")
            }
            _ => None,
        }
    }

    /// What one signal brings in; `total` is the sum of the weights that take part.
    pub fn part(self, value: f64, weight: f64, total: f64) -> f64 {
        match self {
            Self::Sum
            | Self::Whitened
            | Self::Min
            | Self::Max
            | Self::Hamacher
            | Self::Fallback => weight * value,
            Self::Mean => weight * value / total,
            Self::Product => value.powf(weight),
            Self::Geometric => value.powf(weight / total),
            Self::Conjunction => weight * log_sigmoid(value),
            Self::Distance => -weight * value.abs() / total,
        }
    }

    /// Joins the parts. Nothing joined is 0, or 1 where parts are multiplied.
    pub fn join(self, parts: impl Iterator<Item = f64>) -> f64 {
        match self {
            Self::Sum | Self::Mean | Self::Conjunction | Self::Distance | Self::Whitened => {
                parts.sum()
            }
            Self::Product | Self::Geometric => parts.product(),
            Self::Min => parts.reduce(f64::min).unwrap_or(0.0),
            Self::Max => parts.reduce(f64::max).unwrap_or(0.0),
            Self::Hamacher => parts.reduce(hamacher).unwrap_or(0.0),
            Self::Fallback => parts.into_iter().find(|p| *p != 0.0).unwrap_or(0.0),
        }
    }
}

/// ab/(a + b − ab) for `a` and `b` from 0 to 1; 0 when both are 0.
pub fn hamacher(a: f64, b: f64) -> f64 {
    if a == 0.0 && b == 0.0 { 0.0 } else { a * b / (a + b - a * b) }
}

#[cfg(test)]
mod tests {
    use super::{Op, hamacher};

    fn check(op: Op, terms: &[(f64, f64)], expect: f64) {
        let total = terms.iter().map(|(_, w)| w).sum();
        let own = op.join(terms.iter().map(|(s, w)| op.part(*s, *w, total)));
        assert!((own - expect).abs() < 5e-5, "{op:?}: {own}, not {expect}");
    }

    #[test]
    fn sums_and_means() {
        check(Op::Sum, &[(1.0, 1.0), (0.5, 0.2)], 1.1);
        check(Op::Mean, &[(0.6, 1.0), (0.9, 1.0), (0.5, 1.0)], 0.6667);
        check(Op::Fallback, &[(0.0, 1.0), (0.35, 1.0)], 0.35);
        check(Op::Distance, &[(0.1, 1.0), (-0.15, 1.0), (0.05, 1.0)], -0.1);
        check(Op::Distance, &[(0.1, 1.0), (-0.15, 0.0), (0.05, 1.0)], -0.075);
    }

    #[test]
    fn conjunctions_of_published_numbers() {
        check(Op::Conjunction, &[(1.0, 1.0), (-0.5, 1.0)], -1.2873);
        check(Op::Conjunction, &[(3.0, 1.0), (-2.5, 1.0)], -2.6275);
    }

    #[test]
    fn products() {
        check(Op::Product, &[(0.7, 1.0), (0.5, 1.0), (0.75, 1.0)], 0.2625);
        check(Op::Product, &[(0.9, 1.0), (0.7, 1.0)], 0.63);
        check(Op::Geometric, &[(0.95, 1.0), (0.35, 1.0)], 0.576_63);
        check(Op::Hamacher, &[(0.8, 1.0), (0.5, 1.0)], 0.4444);
        assert_eq!((hamacher(0.3, 1.0), hamacher(0.0, 0.0)), (0.3, 0.0));
    }

    #[test]
    fn what_cannot_take_part() {
        assert!(
            Op::Hamacher.refuses(1.2, 1.0).is_some() && Op::Hamacher.refuses(1.0, 1.0).is_none()
        );
        assert!(
            Op::Product.refuses(-1.0, 0.5).is_some() && Op::Product.refuses(-1.0, 2.0).is_none()
        );
        assert!(Op::Geometric.refuses(-0.1, 1.0).is_some());
    }
}
