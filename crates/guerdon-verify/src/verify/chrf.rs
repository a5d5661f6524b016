//! chrF and chrF++: the F-score of shared character n-grams, and of shared words with `word_order: 2`; 0 to 1.
//!
//! # Formula
//!
//! ```text
//! score = (1 + β²) P R / (β² P + R)
//! ```
//!
//! P and R are the means, over the orders that both texts are long enough for, of the share of the completion's n-grams
//! that the reference has and of the reference's that the completion has. Of several references the best one counts.
//!
//! # When to use it
//!
//! As `verify.bleu`, where words have many forms: a wrong ending still earns something. Smoother for short texts.
//!
//! # Departures
//!
//! The scale is 0 to 1, where sacrebleu has 0 to 100. `char_order` goes up to 6, `word_order` up to 4.
//!
//! # Example
//!
//! ```yaml
//! use: verify.chrf
//! word_order: 2
//! ```
//!
//! ```
//! use guerdon_verify::verify::chrf::Chrf;
//! let chrf = Chrf::default();
//! assert_eq!(chrf.value("kitten", "kitten"), Some(1.0));
//! assert!(chrf.value("kittens", "kitten") > chrf.value("sitting", "kitten"));
//! ```
//!
//! # References
//!
//! Popović, "chrF: character n-gram F-score for automatic MT evaluation", 2015. Popović, "chrF++: words helping character
//! n-grams", 2017.

use std::borrow::Cow;

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::cut::Cut;
use crate::text::{ngrams, prepared, references};

/// Parameters of `verify.chrf`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Chrf {
    /// Greatest order of character n-grams, 1 to 6. Default 6.
    pub char_order: usize,
    /// Greatest order of word n-grams, 0 to 4; 2 is chrF++. Default 0.
    pub word_order: usize,
    /// Weight of recall over precision; greater than 0, at most 1000. Default 2.
    pub beta: f64,
    /// Upper and lower case do not matter. Default false.
    pub lowercase: bool,
    /// White space counts as characters. Default false.
    pub whitespace: bool,
}

impl Default for Chrf {
    fn default() -> Self {
        Self { char_order: 6, word_order: 0, beta: 2.0, lowercase: false, whitespace: false }
    }
}

impl Params for Chrf {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("char_order", self.char_order as f64, 1.0, 6.0)?;
        ParamError::in_range("word_order", self.word_order as f64, 0.0, 4.0)?;
        ParamError::positive("beta", self.beta)?;
        ParamError::in_range("beta", self.beta, 0.0, 1000.0)
    }
}

/// Sums of precision and recall over orders, and how many orders there were.
#[derive(Default)]
struct Sums {
    precision: f64,
    recall: f64,
    orders: f64,
}

impl Sums {
    /// Adds the orders that have `matches` among texts of the given lengths.
    fn add(&mut self, matches: &[u64], own: usize, reference: usize) {
        for (n, count) in (1..).zip(matches) {
            let (own, reference) = (ngrams::total(own, n), ngrams::total(reference, n));
            if own > 0 && reference > 0 {
                self.precision += *count as f64 / own as f64;
                self.recall += *count as f64 / reference as f64;
                self.orders += 1.0;
            }
        }
    }
}

impl Chrf {
    /// The score of `completion` against one reference, 0 to 1. `None` when the texts have too many different words.
    pub fn value(&self, completion: &str, reference: &str) -> Option<f64> {
        let (own, reference) = (self.cased(completion), self.cased(reference));
        let mut sums = Sums::default();
        prepared::with_letters(|letters| {
            letters.compare(&own, &reference, self.whitespace, self.char_order)?;
            let matches = letters.grams.matches(&letters.own);
            sums.add(&matches[..self.char_order], letters.own.len(), letters.reference.len());
            Some(())
        })?;
        if self.word_order > 0 {
            prepared::with_words(|words| {
                words.compare(&own, &[&reference], Cut::Marks, self.word_order)?;
                let matches = words.grams.matches(&words.own);
                sums.add(&matches[..self.word_order], words.own.len(), words.refs[0].len());
                Some(())
            })?;
        }
        let (p, r) = (sums.precision / sums.orders, sums.recall / sums.orders);
        let square = self.beta * self.beta;
        Some(if p + r > 0.0 { ((1.0 + square) * p * r / (square * p + r)).min(1.0) } else { 0.0 })
    }

    fn cased<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.lowercase { text.to_lowercase().into() } else { text.into() }
    }
}

impl Signal for Chrf {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let mut best: f64 = 0.0;
        for reference in references(rollout)? {
            let value = self.value(rollout.text(), &reference);
            best = best
                .max(value.ok_or_else(|| Unscored::budget("the reference has too many words"))?);
        }
        Score::new(best)
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Chrf: Signal,
    id: "verify.chrf",
    papers: [],
    status: Verified(Reference("sacrebleu 2.5.1 sentence_score")),
    laws: [WhitespaceInvariant],
    exempt: [
        InjectionGainsNothing: "Any text shares some letters with the reference; the gain is that share.",
    ],
    samples: [
        r#"{"prompt": "Translate.", "completion": "Le chat dort sur la table.", "reference": "Le chat dort sur la table."}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::Chrf;

    #[test]
    fn unigrams_by_hand() {
        let chrf = Chrf { char_order: 1, ..Chrf::default() };
        // P = 2/4, R = 2/2.
        let value = chrf.value("abxy", "ab").unwrap();
        assert!((value - 5.0 * 0.5 / (4.0 * 0.5 + 1.0)).abs() < 1e-15);
    }
}
