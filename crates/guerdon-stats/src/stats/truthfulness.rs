//! Truthfulness: accuracy, plus credit for abstaining, minus the rate of wrong answers.
//!
//! # Formula
//!
//! ```text
//! T = w_1·accuracy + w_2·abstention − w_3·hallucination
//! ```
//!
//! The three rates are the shares of right answers, abstentions and wrong answers; they sum to 1.
//!
//! # When to use it
//!
//! To compare models that may say "I don't know". The default weights (1, 0, 1) make an abstention neutral; binary accuracy is
//! (1, 0, 0).
//!
//! # Departures
//!
//! None.
//!
//! # Example
//!
//! ```yaml
//! use: stats.truthfulness
//! abstention: 0.0
//! ```
//!
//! ```
//! use guerdon_stats::stats::truthfulness::Truthfulness;
//! assert_eq!(Truthfulness::default().score(0.375, 0.5, 0.125), 0.25);
//! ```
//!
//! # References
//!
//! "TruthRL: Incentivizing Truthful LLMs via Reinforcement Learning", 2025.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::moments::at_least;

/// What became of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Answered, right.
    Correct,
    /// Not answered.
    Abstain,
    /// Answered, wrong.
    Wrong,
}

/// Parameters of `stats.truthfulness`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Truthfulness {
    /// Weight of accuracy, finite. Default 1.
    pub accuracy: f64,
    /// Weight of abstention, finite. Default 0.
    pub abstention: f64,
    /// Weight of wrong answers, taken off, finite. Default 1.
    pub hallucination: f64,
}

impl Default for Truthfulness {
    fn default() -> Self {
        Self { accuracy: 1.0, abstention: 0.0, hallucination: 1.0 }
    }
}

impl Params for Truthfulness {
    fn validate(&self) -> Result<(), ParamError> {
        let weights = [
            ("accuracy", self.accuracy),
            ("abstention", self.abstention),
            ("hallucination", self.hallucination),
        ];
        weights.into_iter().try_for_each(|(name, w)| ParamError::in_range(name, w, -1e100, 1e100))
    }
}

/// Input of `stats.truthfulness`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// What became of each question, at least one.
    pub outcomes: Vec<Outcome>,
}

/// Output of `stats.truthfulness`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The weighted score.
    pub truthfulness: f64,
    /// Share of right answers.
    pub accuracy: f64,
    /// Share of abstentions.
    pub abstention: f64,
    /// Share of wrong answers.
    pub hallucination: f64,
    /// Share of right answers among the questions answered; null when none was.
    pub precision: Option<f64>,
}

impl Truthfulness {
    /// The score of three rates.
    pub fn score(&self, accuracy: f64, abstention: f64, hallucination: f64) -> f64 {
        self.accuracy * accuracy + self.abstention * abstention - self.hallucination * hallucination
    }
}

impl Function for Truthfulness {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        let n = input.outcomes.len();
        at_least("outcomes", n, 1)?;
        let count = |outcome| input.outcomes.iter().filter(|o| **o == outcome).count() as f64;
        let (right, wrong) = (count(Outcome::Correct), count(Outcome::Wrong));
        let (accuracy, hallucination) = (right / n as f64, wrong / n as f64);
        let abstention = count(Outcome::Abstain) / n as f64;
        Ok(Output {
            truthfulness: self.score(accuracy, abstention, hallucination),
            accuracy,
            abstention,
            hallucination,
            precision: (right + wrong > 0.0).then(|| right / (right + wrong)),
        })
    }
}

guerdon_core::method! {
    Truthfulness: Function,
    id: "stats.truthfulness",
    papers: ["truthrl-2025", "dcs-2025"],
    status: Verified(Worked("p uniform: binary 0.5, 0.5 → 0; ternary 0.375, 0.125 → 0.25")),
    laws: [PermutationInvariant],
    exempt: [],
    samples: [r#"{"outcomes": ["correct", "abstain", "wrong", "wrong"]}"#],
}

#[cfg(test)]
mod tests {
    use super::{Input, Outcome, Truthfulness};
    use guerdon_core::method::Function as _;

    #[test]
    fn silence_is_neutral_and_has_no_precision() {
        let out = Truthfulness::default()
            .call(&Input { outcomes: vec![Outcome::Abstain; 3] }, 0)
            .unwrap();
        assert_eq!((out.truthfulness, out.abstention, out.precision), (0.0, 1.0, None));
        assert!(Truthfulness::default().call(&Input { outcomes: vec![] }, 0).is_err());
    }
}
