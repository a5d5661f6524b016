//! Pays for being right and for saying how sure: correctness plus a bounded proper scoring rule on the stated confidence.
//!
//! # Formula
//!
//! ```text
//! r_i = c_i + weight · S(q_i, c_i)
//! brier      S = −(q − c)²
//! spherical  S = p_c / √(q² + (1 − q)²) − 1,   p_c = q for a right answer, 1 − q for a wrong one
//! log        S = c·ln q + (1 − c)·ln(1 − q)
//! ```
//!
//! `c_i` is the running reward, from 0 (wrong) to 1 (right), `q_i` the confidence the model stated, 0 to 1. With success
//! probability p the expectation of c + S (Brier) is p² at q = p and less elsewhere: stating the truth is best, and the
//! likelier answer is also the better one.
//!
//! # When to use it
//!
//! Where the model states a confidence and it should mean something. **Not `log`**: unbounded, it prefers a surely wrong
//! answer (0 at q = 0) to one that is right in 30 of 100 cases (−0.31 at best); it is here to show that.
//!
//! # Departures
//!
//! A rollout without a stated confidence stays unscored unless `missing` gives a value. `log` keeps q at least 1e-6 away
//! from 0 and 1, so that one overconfident error does not become infinite.
//!
//! # Example
//!
//! ```yaml
//! use: shape.proper_score
//! confidence: confidence
//! rule: brier
//! ```
//!
//! ```
//! use guerdon_shape::shape::proper_score::Rule;
//! assert!((1.0 + Rule::Brier.score(0.8, 1.0) - 0.96).abs() < 1e-12);
//! ```
//!
//! # References
//!
//! Damani et al., "Beyond Binary Rewards: Training LMs to Reason About Their Uncertainty", 2025 (RLCR), section 3.

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fine::settle;

/// How far the logarithmic rule keeps the confidence from 0 and 1.
const EDGE: f64 = 1e-6;

/// A proper scoring rule: its expectation is greatest at the true probability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Minus the squared error, from −1 to 0.
    #[default]
    Brier,
    /// From −1 to 0, milder on overconfidence.
    Spherical,
    /// Unbounded: do not train on it.
    Log,
}

impl Rule {
    /// The score of confidence `q` for correctness `c`, both from 0 to 1. At most 0.
    pub fn score(self, q: f64, c: f64) -> f64 {
        match self {
            Self::Brier => -(q - c) * (q - c),
            Self::Spherical => (c * q + (1.0 - c) * (1.0 - q)) / q.hypot(1.0 - q) - 1.0,
            Self::Log => {
                let q = q.clamp(EDGE, 1.0 - EDGE);
                c * q.ln() + (1.0 - c) * (1.0 - q).ln()
            }
        }
    }
}

/// Parameters of `shape.proper_score`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProperScore {
    /// The rule. Default `brier`.
    pub rule: Rule,
    /// Column with the stated confidence, 0 to 1. Default `confidence`.
    pub confidence: String,
    /// Weight of the score. At least 0; default 1.
    pub weight: f64,
    /// Confidence of a rollout that states none. 0 to 1; default: it stays unscored.
    pub missing: Option<f64>,
}

impl Default for ProperScore {
    fn default() -> Self {
        Self { rule: Rule::Brier, confidence: "confidence".to_owned(), weight: 1.0, missing: None }
    }
}

impl Params for ProperScore {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("weight", self.weight, 0.0, f64::INFINITY)?;
        ParamError::in_range("missing", self.missing.unwrap_or(0.0), 0.0, 1.0)
    }
}

impl ProperScore {
    /// The reward of correctness `c` stated with confidence `q`.
    pub fn value(&self, c: f64, q: f64) -> Result<f64, MethodError> {
        for (name, value) in [("the running reward", c), ("the confidence", q)] {
            if !(0.0..=1.0).contains(&value) {
                let message =
                    format!("{name} is {value}, but it must lie between 0 and 1: rescale it first");
                return Err(MethodError::domain(message));
            }
        }
        Ok(c + self.weight * self.rule.score(q, c))
    }
}

impl Transform for ProperScore {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let (current, confidence) = (view.current()?, view.frame.column(&self.confidence)?);
        let mut out = Vec::with_capacity(current.len());
        for (row, reward) in current.iter().enumerate() {
            let pair = reward.zip(confidence.get(row).or(self.missing));
            out.push(pair.map(|(c, q)| self.value(c, q)).transpose()?);
        }
        Ok(settle(current, Column::from_options(out)))
    }

    fn reads(&self) -> Vec<String> {
        vec![self.confidence.clone()]
    }

    fn scope(&self) -> Scope {
        Scope::Rollout
    }
}

guerdon_core::method! {
    ProperScore: Transform,
    id: "shape.proper_score",
    papers: ["rlcr-2025"],
    status: Verified(ClosedForm("the expectation at q = p is p²; right at 0.8: 0.96, wrong at 0.8: −0.64")),
    laws: [GroupLocal],
    exempt: [],
    sample_params: r#"{"confidence": "score"}"#,
}

#[cfg(test)]
mod tests {
    use super::{ProperScore, Rule};

    fn expected(rule: Rule, p: f64, q: f64) -> f64 {
        let score = ProperScore { rule, ..ProperScore::default() };
        p * score.value(1.0, q).unwrap() + (1.0 - p) * score.value(0.0, q).unwrap()
    }

    fn check(own: f64, expect: f64) {
        assert!((own - expect).abs() < 5e-4, "{own}, not {expect}");
    }

    #[test]
    fn worked_numbers() {
        let score = ProperScore::default();
        check(score.value(1.0, 0.8).unwrap(), 0.96);
        check(score.value(0.0, 0.8).unwrap(), -0.64);
        check(expected(Rule::Brier, 0.6, 0.6), 0.36);
        check(expected(Rule::Log, 0.3, 0.3), -0.311);
        check(expected(Rule::Log, 0.6, 0.6), -0.073);
        check(expected(Rule::Log, 1.0 / (1.0 + std::f64::consts::E), 0.269), -0.3133);
        check(expected(Rule::Log, 0.0, 0.0), 0.0);
    }

    #[test]
    fn the_truth_is_the_best_statement() {
        for rule in [Rule::Brier, Rule::Spherical, Rule::Log] {
            for tenth in 1..10 {
                let p = f64::from(tenth) / 10.0;
                let best = (0..=100)
                    .map(|i| expected(rule, p, f64::from(i) / 100.0))
                    .fold(f64::MIN, f64::max);
                assert!((expected(rule, p, p) - best).abs() < 1e-12, "{rule:?} at {p}");
            }
        }
    }

    #[test]
    fn no_weight_is_the_plain_outcome() {
        let plain = ProperScore { weight: 0.0, ..ProperScore::default() };
        assert_eq!(plain.value(1.0, 0.1), Ok(1.0));
        assert!(plain.value(1.5, 0.1).is_err() && plain.value(1.0, -0.1).is_err());
    }
}
