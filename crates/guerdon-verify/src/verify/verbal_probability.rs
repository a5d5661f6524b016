//! Verbal probability: the probability that the completion states in words, as a number from 0 to 1.
//!
//! # Formula
//!
//! ```text
//! score = p       for "0.73", "73%", "73 %"       unscored where no number from 0 to 1 is stated
//! ```
//!
//! The first number behind the last occurrence of `after` counts; without `after`, the last number. A number is a
//! probability if it lies in [0, 1] or has a percent sign and lies in [0, 100].
//!
//! # When to use it
//!
//! To read risk scores and confidences that a model verbalises, for calibration and for proper scoring rules. It is a
//! reading, not a reward: a model that states 1 gets 1.
//!
//! # Departures
//!
//! The paper prefixes "0." and takes the most probable digits of up to two passes; this reads a finished text.
//!
//! # Example
//!
//! ```yaml
//! use: verify.verbal_probability
//! after: "Confidence:"
//! ```
//!
//! ```
//! use guerdon_verify::verify::verbal_probability::VerbalProbability;
//! assert_eq!(VerbalProbability::default().read("I would say 73%."), Some(0.73));
//! assert_eq!(VerbalProbability::default().read("About 3 to 1."), Some(1.0));
//! ```
//!
//! # References
//!
//! Cruz et al., "Evaluating language models as risk scores" (folktexts), 2024.

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::number::find;

/// Parameters of `verify.verbal_probability`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct VerbalProbability {
    /// Only the first number behind the last occurrence of this text counts. Default none: the last number.
    pub after: Option<String>,
}

impl Params for VerbalProbability {}

impl VerbalProbability {
    /// The stated probability, 0 to 1; `None` where there is none.
    pub fn read(&self, text: &str) -> Option<f64> {
        let found = match &self.after {
            Some(marker) => find(&text[text.rfind(marker.as_str())? + marker.len()..]).next(),
            None => find(text).last(),
        }?;
        let value = if found.percent { found.value / 100.0 } else { found.value };
        (0.0..=1.0).contains(&value).then_some(value)
    }
}

impl Signal for VerbalProbability {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let stated = self.read(rollout.text());
        Score::new(stated.ok_or_else(|| Unscored::unreadable("no probability is stated"))?)
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    VerbalProbability: Signal,
    id: "verify.verbal_probability",
    papers: ["folktexts-2024"],
    status: Stable,
    laws: [WhitespaceInvariant, CaseInvariant],
    exempt: [
        DegenerateEarnsNothing: "It reads a number off the text: a text that states 1 reads 1.",
        InjectionGainsNothing: "It reads a number off the text: an injected 1 is read as 1. Set `after`, and never reward the reading alone.",
    ],
    samples: [
        r#"{"prompt": "How likely?", "completion": "I am 100% sure."}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::VerbalProbability;

    fn check(after: Option<&str>, text: &str, expect: Option<f64>) {
        let params = VerbalProbability { after: after.map(str::to_owned) };
        assert_eq!(params.read(text), expect, "{text:?}");
    }

    #[test]
    fn numbers_that_are_probabilities() {
        check(None, "0.25", Some(0.25));
        check(None, "First 0.4, on reflection 40 %", Some(0.4));
        check(None, "73", None);
        check(None, "140%", None);
        check(None, "-0.2", None);
        check(None, "likely", None);
    }

    #[test]
    fn behind_a_marker() {
        check(Some("Confidence:"), "In 1 of 2. Confidence: 0.9 (of 1)", Some(0.9));
        check(Some("Confidence:"), "0.9", None);
    }
}
