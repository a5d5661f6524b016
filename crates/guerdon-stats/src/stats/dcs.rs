//! Distributional correctness: credit for the mass on right options, blame for the mass on wrong ones, scaled by commitment.
//!
//! # Formula
//!
//! ```text
//! DCS = (l_c·p_c − l_w·p_w)·(1 − p_idk)
//! ```
//!
//! `p_c`, `p_w`, `p_idk` are the probability masses on right options, wrong options and abstention; they sum to 1. Range
//! `[−l_w, l_c]`, abstention 0.
//!
//! # When to use it
//!
//! For multiple choice with an "I don't know" option, when hedging towards a wrong answer must not look like hedging towards
//! abstention. For one outcome per item use `stats.truthfulness`.
//!
//! # Departures
//!
//! None. From log-likelihoods the probabilities are a softmax, each divided by its length first with `length_normalise`.
//!
//! # Example
//!
//! ```yaml
//! use: stats.dcs
//! wrong: 1.0
//! ```
//!
//! ```
//! use guerdon_stats::stats::dcs::dcs;
//! assert!((dcs(0.9, 0.05, 0.05, 1.0, 1.0) - 0.8075).abs() < 1e-15);
//! ```
//!
//! # References
//!
//! "Measuring Language Model Hallucinations Through Distributional Correctness", 2025.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::moments::{at_least, check, mean};

/// Parameters of `stats.dcs`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Dcs {
    /// Loading of right mass, at least `wrong`. Default 1.
    pub right: f64,
    /// Loading of wrong mass, at least 0. Default 1.
    pub wrong: f64,
    /// Divide log-likelihoods by the option's length first. Default false.
    pub length_normalise: bool,
}

impl Default for Dcs {
    fn default() -> Self {
        Self { right: 1.0, wrong: 1.0, length_normalise: false }
    }
}

impl Params for Dcs {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("wrong", self.wrong, 0.0, 1e100)?;
        ParamError::in_range("right", self.right, self.wrong, 1e100)
    }
}

/// One question: probabilities, or log-likelihoods that become probabilities by softmax.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Probabilities of the options, or their log-likelihoods where `log` is true.
    pub options: Vec<f64>,
    /// Whether `options` are log-likelihoods (nats). Default false: they sum to 1.
    #[serde(default)]
    pub log: bool,
    /// Length of each option (tokens or bytes), read with `length_normalise`.
    #[serde(default)]
    pub lengths: Vec<f64>,
    /// Indices of the right options.
    pub correct: Vec<usize>,
    /// Index of the abstention; absent: there is none.
    #[serde(default)]
    pub abstain: Option<usize>,
}

/// Input of `stats.dcs`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The questions, at least one.
    pub questions: Vec<Question>,
}

/// Output of `stats.dcs`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Mean over questions.
    pub mean: f64,
    /// The score of each question.
    pub scores: Vec<f64>,
}

/// The score of masses on right options, wrong options and abstention.
pub fn dcs(right: f64, wrong: f64, abstain: f64, load_right: f64, load_wrong: f64) -> f64 {
    (load_right * right - load_wrong * wrong) * (1.0 - abstain)
}

impl Dcs {
    fn probabilities(&self, q: &Question) -> Result<Vec<f64>, MethodError> {
        check("options", &q.options)?;
        if !q.log {
            let total: f64 = q.options.iter().sum();
            if q.options.iter().any(|p| *p < 0.0) || (total - 1.0).abs() > 1e-6 {
                return Err(MethodError::domain(format!(
                    "the options' probabilities must sum to 1, not {total}"
                )));
            }
            return Ok(q.options.iter().map(|p| p / total).collect());
        }
        let mut logs = q.options.clone();
        if self.length_normalise {
            MethodError::same_length(("options", logs.len()), ("lengths", q.lengths.len()))?;
            if q.lengths.iter().any(|l| !(*l >= 1e-9 && l.is_finite())) {
                return Err(MethodError::domain("`lengths` must be greater than 0"));
            }
            logs.iter_mut().zip(&q.lengths).for_each(|(l, n)| *l /= n);
        }
        let most = logs.iter().copied().fold(f64::MIN, f64::max);
        let odds: Vec<f64> = logs.iter().map(|l| (l - most).exp()).collect();
        let total: f64 = odds.iter().sum();
        Ok(odds.iter().map(|o| o / total).collect())
    }

    /// The score of one question.
    pub fn question(&self, q: &Question) -> Result<f64, MethodError> {
        let p = self.probabilities(q)?;
        if let Some(bad) = q.correct.iter().chain(&q.abstain).find(|i| **i >= p.len()) {
            return Err(MethodError::domain(format!(
                "there is no option {bad}: the question has {}",
                p.len()
            )));
        }
        if q.abstain.is_some_and(|a| q.correct.contains(&a)) {
            return Err(MethodError::domain("the abstention cannot be a right option"));
        }
        let right: f64 = (0..p.len()).filter(|i| q.correct.contains(i)).map(|i| p[i]).sum();
        let abstain = q.abstain.map_or(0.0, |a| p[a]);
        Ok(dcs(right, (1.0 - right - abstain).max(0.0), abstain, self.right, self.wrong))
    }
}

impl Function for Dcs {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        at_least("questions", input.questions.len(), 1)?;
        let scores =
            input.questions.iter().map(|q| self.question(q)).collect::<Result<Vec<_>, _>>()?;
        Ok(Output { mean: mean(&scores), scores })
    }
}

guerdon_core::method! {
    Dcs: Function,
    id: "stats.dcs",
    papers: ["dcs-2025"],
    status: Verified(Worked("(0.5, 0.3, 0.2), (0.9, 0.05, 0.05), (0.1, 0.9, 0), (0, 0, 1)")),
    laws: [],
    exempt: [],
    samples: [
        r#"{"questions": [{"options": [0.5, 0.3, 0.2], "correct": [0], "abstain": 2}, {"options": [-1, -2], "log": true, "correct": [1]}]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Dcs, Question, dcs};

    #[test]
    fn worked_values() {
        for ((c, w, idk), expect) in [
            ((0.5, 0.3, 0.2), 0.16),
            ((0.9, 0.05, 0.05), 0.8075),
            ((0.1, 0.9, 0.0), -0.8),
            ((0.0, 0.0, 1.0), 0.0),
        ] {
            assert!((dcs(c, w, idk, 1.0, 1.0) - expect).abs() < 1e-12);
        }
    }

    #[test]
    fn moving_wrong_mass_to_abstention_pays_as_the_closed_form_says() {
        let (right, share) = (0.4, 0.3);
        let wrong = 1.0 - right;
        let gain = dcs(right, wrong * (1.0 - share), wrong * share, 1.0, 1.0)
            - dcs(right, wrong, 0.0, 1.0, 1.0);
        assert!((gain - wrong * wrong * share * (2.0 - share)).abs() < 1e-12);
    }

    #[test]
    fn log_likelihoods_become_probabilities() {
        let q = Question {
            options: vec![0.0, 0.0],
            log: true,
            lengths: vec![],
            correct: vec![0],
            abstain: None,
        };
        assert_eq!(Dcs::default().question(&q).unwrap(), 0.0);
        assert!(Dcs::default().question(&Question { correct: vec![5], ..q }).is_err());
    }
}
