//! Edit similarity: 1 minus the share of characters or words that must be changed to reach the reference; 0 to 1.
//!
//! # Formula
//!
//! ```text
//! score = 1 − d / max(|completion|, |reference|)
//! ```
//!
//! `d` is Levenshtein's distance: the least number of insertions, deletions and substitutions. Two empty texts earn 1. Of
//! several references the nearest counts.
//!
//! # When to use it
//!
//! For transcriptions, copies and patches, where near is nearly right. White space around the texts does not count.
//!
//! # Departures
//!
//! Characters are Unicode scalar values. Beyond 2³³ compared pairs a rollout stays unscored.
//!
//! # Example
//!
//! ```yaml
//! use: verify.edit_distance
//! unit: words
//! ```
//!
//! ```
//! use guerdon_verify::verify::edit_distance::EditDistance;
//! let similarity = EditDistance::default().value("kitten", "sitting").unwrap();
//! assert!((similarity - (1.0 - 3.0 / 7.0)).abs() < 1e-15);
//! ```
//!
//! # References
//!
//! Levenshtein, "Binary codes capable of correcting deletions, insertions, and reversals", 1966. Myers, "A fast bit-vector
//! algorithm for approximate string matching based on dynamic programming", 1999.

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::tokens::Symbols;
use crate::text::{edit, references};

/// What is edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Characters.
    #[default]
    Characters,
    /// Words between white space.
    Words,
}

/// Parameters of `verify.edit_distance`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EditDistance {
    /// What is edited. Default `characters`.
    pub unit: Unit,
    /// Upper and lower case do not matter. Default false.
    pub ignore_case: bool,
}

impl Params for EditDistance {}

impl EditDistance {
    /// The similarity of two texts, 0 to 1. `None` beyond the budget.
    pub fn value(&self, completion: &str, reference: &str) -> Option<f64> {
        let case = |text: &str| {
            if self.ignore_case { text.trim().to_lowercase() } else { text.trim().to_owned() }
        };
        let (own, reference) = (case(completion), case(reference));
        let (reference, own, symbols) = match self.unit {
            Unit::Characters => numbers(reference.chars(), own.chars()),
            Unit::Words => numbers(reference.split_whitespace(), own.split_whitespace()),
        };
        let longest = reference.len().max(own.len());
        if longest == 0 {
            return Some(1.0);
        }
        let distance = edit::distance(&reference, &own, symbols)?;
        Some(1.0 - distance as f64 / longest as f64)
    }
}

fn numbers<T: std::hash::Hash + Eq>(
    reference: impl Iterator<Item = T>,
    own: impl Iterator<Item = T>,
) -> (Vec<u32>, Vec<u32>, usize) {
    let mut symbols = Symbols::new();
    let reference = symbols.add(reference);
    let own = symbols.find(own);
    (reference, own, symbols.len())
}

impl Signal for EditDistance {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let mut best: f64 = 0.0;
        for reference in references(rollout)? {
            let value = self.value(rollout.text(), &reference);
            best = best.max(value.ok_or_else(|| Unscored::budget("the texts are too long"))?);
        }
        Score::new(best)
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    EditDistance: Signal,
    id: "verify.edit_distance",
    papers: [],
    status: Verified(ClosedForm("the table of Wagner and Fischer")),
    laws: [WhitespaceInvariant],
    exempt: [
        InjectionGainsNothing: "Any text shares some letters with the reference, and longer ones share more.",
    ],
    samples: [
        r#"{"prompt": "Copy.", "completion": "To be, or not to be.", "reference": "To be, or not to be."}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{EditDistance, Unit};

    #[test]
    fn characters_and_words() {
        let words = EditDistance { unit: Unit::Words, ignore_case: true };
        assert_eq!(words.value("A b c", "a x c d"), Some(0.5));
        assert_eq!(EditDistance::default().value("", ""), Some(1.0));
        assert_eq!(EditDistance::default().value("ab", ""), Some(0.0));
    }
}
