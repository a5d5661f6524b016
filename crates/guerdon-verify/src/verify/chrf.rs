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

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::tokens::{self, Symbols};
use crate::text::{ngrams, references};

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
    fn add(&mut self, own: &[u32], reference: &[u32], symbols: usize, order: usize) -> Option<()> {
        let matches = ngrams::matches(own, &[reference], symbols, order)?;
        for (n, count) in (1..).zip(matches) {
            let (own, reference) = (ngrams::total(own.len(), n), ngrams::total(reference.len(), n));
            if own > 0 && reference > 0 {
                self.precision += count as f64 / own as f64;
                self.recall += count as f64 / reference as f64;
                self.orders += 1.0;
            }
        }
        Some(())
    }
}

impl Chrf {
    /// The score of `completion` against one reference, 0 to 1. `None` when the texts have too many different words.
    pub fn value(&self, completion: &str, reference: &str) -> Option<f64> {
        let (own, reference) = (self.cased(completion), self.cased(reference));
        let mut sums = Sums::default();
        let mut symbols = Symbols::new();
        let other = symbols.add(self.characters(&reference));
        let mine = symbols.find(self.characters(&own));
        sums.add(&mine, &other, symbols.len(), self.char_order)?;
        if self.word_order > 0 {
            let mut symbols = Symbols::new();
            let other = symbols.add(words(&reference));
            let mine = symbols.find(words(&own));
            sums.add(&mine, &other, symbols.len(), self.word_order)?;
        }
        let (p, r) = (sums.precision / sums.orders, sums.recall / sums.orders);
        let square = self.beta * self.beta;
        Some(if p + r > 0.0 { ((1.0 + square) * p * r / (square * p + r)).min(1.0) } else { 0.0 })
    }

    fn cased(&self, text: &str) -> String {
        if self.lowercase { text.to_lowercase() } else { text.to_owned() }
    }

    fn characters<'a>(&self, text: &'a str) -> impl Iterator<Item = char> + 'a {
        let whitespace = self.whitespace;
        text.chars().filter(move |c| whitespace || !tokens::is_space(*c))
    }
}

/// The words, with one punctuation mark cut off: the last character, or else the first.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for word in tokens::split(text) {
        let long = word.chars().nth(1).is_some();
        let (first, last) = (word.as_bytes()[0], word.as_bytes()[word.len() - 1]);
        if long && last.is_ascii_punctuation() {
            words.extend([&word[..word.len() - 1], &word[word.len() - 1..]]);
        } else if long && first.is_ascii_punctuation() {
            words.extend([&word[..1], &word[1..]]);
        } else {
            words.push(word);
        }
    }
    words
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
    use super::{Chrf, words};

    #[test]
    fn one_punctuation_mark_is_cut_off() {
        assert_eq!(words("(hi) \"a b. ."), ["(hi", ")", "\"", "a", "b", ".", "."]);
    }

    #[test]
    fn unigrams_by_hand() {
        let chrf = Chrf { char_order: 1, ..Chrf::default() };
        // P = 2/4, R = 2/2.
        let value = chrf.value("abxy", "ab").unwrap();
        assert!((value - 5.0 * 0.5 / (4.0 * 0.5 + 1.0)).abs() < 1e-15);
    }
}
