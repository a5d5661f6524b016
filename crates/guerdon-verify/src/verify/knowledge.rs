//! Knowledge: a right answer pays the confidence behind it, a wrong one nothing, so that lucky guesses pay little.
//!
//! # Formula
//!
//! ```text
//! score = correct · confidence
//! ```
//!
//! `correct` is 0 or 1 (or a share between), `confidence` between 0 and 1.
//!
//! # When to use it
//!
//! On knowledge questions, where right answers reached by low-confidence guessing should not be reinforced. It does not
//! punish confident errors: where stated confidence is to be honest, use a proper rule from the shaping family.
//!
//! # Departures
//!
//! The system publishes no formula; this is the product of its description. Confidence comes from the row (stated by the
//! model or computed from its log-probabilities), not from a verifier model.
//!
//! # Example
//!
//! ```yaml
//! use: verify.knowledge
//! correct: is_right
//! ```
//!
//! ```
//! use guerdon_verify::verify::knowledge::pay;
//! assert_eq!([pay(1.0, 0.3), pay(1.0, 0.9), pay(0.0, 0.9)], [0.3, 0.9, 0.0]);
//! ```
//!
//! # References
//!
//! Shanghai AI Lab, "SafeWork-R1: Coevolving Safety and Intelligence under the AI-45° Law", 2025.

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::records;

/// Parameters of `verify.knowledge`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Knowledge {
    /// Column that says whether the answer is right: a boolean, or a number from 0 to 1. Default `correct`.
    pub correct: String,
    /// Column with the confidence, 0 to 1. Default none: the rollout's stated confidence.
    pub confidence: Option<String>,
}

impl Default for Knowledge {
    fn default() -> Self {
        Self { correct: "correct".into(), confidence: None }
    }
}

impl Params for Knowledge {
    fn validate(&self) -> Result<(), ParamError> {
        records::named("correct", &self.correct)
    }
}

/// What an answer pays.
pub fn pay(correct: f64, confidence: f64) -> f64 {
    correct * confidence
}

fn share(name: &str, value: f64) -> Result<f64, Unscored> {
    if (0.0..=1.0).contains(&value) {
        return Ok(value);
    }
    Err(Unscored::invalid(format!("`{name}` is {value}; it must be from 0 to 1")))
}

impl Signal for Knowledge {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let correct = share(&self.correct, records::number_at(rollout, &self.correct)?)?;
        let confidence = match &self.confidence {
            Some(column) => records::number_at(rollout, column)?,
            None => rollout.confidence.ok_or_else(|| {
                Unscored::missing("the row states no confidence: map `confidence` in the spec")
            })?,
        };
        let confidence = share("confidence", confidence)?;
        let mut score = Score::new(pay(correct, confidence))?;
        score.confidence = Some(confidence);
        Ok(score)
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }

    fn reads_completion(&self) -> bool {
        false
    }
}

guerdon_core::method! {
    Knowledge: Signal,
    id: "verify.knowledge",
    papers: ["safework-r1-2025"],
    status: Verified(Worked("right at 0.3, right at 0.9, wrong")),
    laws: [WhitespaceInvariant, CaseInvariant],
    exempt: [
        DegenerateEarnsNothing: "Whether the answer is right comes from the data, not from the completion's text.",
        InjectionGainsNothing: "Whether the answer is right comes from the data, not from the completion's text.",
    ],
    samples: [r#"{"completion": "Paris", "correct": true, "confidence": 1.0}"#],
}

#[cfg(test)]
mod tests {
    use super::Knowledge;
    use guerdon_core::Rollout;
    use guerdon_core::method::Signal as _;
    use serde_json::json;

    fn check(correct: bool, confidence: f64, expect: Option<f64>) {
        let mut rollout = Rollout { confidence: Some(confidence), ..Rollout::default() };
        rollout.columns.insert("correct".into(), json!(correct));
        assert_eq!(Knowledge::default().score(&rollout).ok().map(|s| s.value()), expect);
    }

    #[test]
    fn confident_knowledge_pays_most() {
        check(true, 0.3, Some(0.3));
        check(true, 0.9, Some(0.9));
        check(false, 0.9, Some(0.0));
        check(true, 1.2, None);
    }
}
