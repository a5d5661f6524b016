//! The grade that a judge expects to give, from the probabilities of all grades.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What keeps the logit of a probability of 0 or 1 finite (TrustJudge's constant).
const EPSILON: f64 = 1e-8;

/// Which value is taken from the probabilities of the grades.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expectation {
    /// The grade that was written.
    #[default]
    None,
    /// The mean of the grades, weighted by their probabilities.
    Weighted,
    /// The mean of the grades under a softmax of the logits of their probabilities: sharper than `weighted` at a temperature
    /// below 1.
    Softmax,
}

/// Σ s·p / Σ p over the grades (value, probability); `None` where no probability is positive.
pub fn weighted(grades: &[(f64, f64)]) -> Option<f64> {
    let total: f64 = grades.iter().map(|(_, p)| p).sum();
    (total > 0.0 && total.is_finite())
        .then(|| grades.iter().map(|(s, p)| s * p).sum::<f64>() / total)
}

/// Σ s·w with w = softmax(logit(p)/T), logit(p) = ln(p + ε) − ln(1 − p + ε) with ε = 1e-8, over the grades (value,
/// probability) of positive probability; `None` where there is none. `temperature` is positive.
pub fn softmax(grades: &[(f64, f64)], temperature: f64) -> Option<f64> {
    let logit = |p: f64| (p + EPSILON).ln() - (1.0 - p.min(1.0) + EPSILON).ln();
    let own: Vec<(f64, f64)> = grades
        .iter()
        .filter(|(_, p)| *p > 0.0)
        .map(|(s, p)| (*s, logit(*p) / temperature))
        .collect();
    let most = own.iter().map(|(_, l)| *l).fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<(f64, f64)> = own.iter().map(|(s, l)| (*s, (l - most).exp())).collect();
    weighted(&weights)
}

#[cfg(test)]
mod tests {
    use super::{softmax, weighted};

    #[test]
    fn worked_numbers() {
        let grades = [(3.0, 0.2), (4.0, 0.5), (5.0, 0.3)];
        assert!((weighted(&grades).unwrap() - 4.1).abs() < 1e-12);
        assert!((softmax(&grades, 0.2).unwrap() - 4.01328).abs() < 5e-6);
        assert!((softmax(&grades, 1.0).unwrap() - 4.10638).abs() < 5e-6);
    }

    #[test]
    fn a_certain_grade_is_itself() {
        assert_eq!(softmax(&[(7.0, 1.0)], 0.2), Some(7.0));
        assert_eq!(softmax(&[(7.0, 1.0), (1.0, 0.0)], 0.2), Some(7.0));
        assert_eq!((softmax(&[], 0.2), weighted(&[(3.0, 0.0)])), (None, None));
    }
}
