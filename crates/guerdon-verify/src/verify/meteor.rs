//! METEOR: how many words the completion shares with a reference, by form, stem or synonym, and how well they stand in order; 0 to 1.
//!
//! # Formula
//!
//! ```text
//! score = (1 − γ (chunks / m)^β) · P R / (α P + (1 − α) R)
//! ```
//!
//! `m` words are aligned; P = m / |completion|, R = m / |reference|. Three stages align what the one before left over: equal
//! words in lower case, equal stems (Porter's), synonyms. Each stage goes backwards through the completion and takes the
//! last free word of the reference that fits. A chunk is a run of aligned words that stand side by side in both texts. Of
//! several references the best counts; where nothing is aligned the score is 0.
//!
//! # When to use it
//!
//! As `verify.bleu`, for single sentences, where other forms of a word should earn as much. It is English in its stems.
//!
//! # Departures
//!
//! None from NLTK's `meteor_score`, but for two things. WordNet is not there: `synonyms` and `synonyms_file` give groups of
//! words that stand for one another, which are compared by their stems, as NLTK compares what its stem stage leaves. Words
//! with letters beyond ASCII have no stem. As in NLTK the alignment is greedy, where the paper asks for fewest crossings,
//! and a perfect match of `m` words earns 1 − γ/m^β rather than 1: 0.5 for a single word. Beyond 65 536 words a rollout
//! stays unscored.
//!
//! # Example
//!
//! ```yaml
//! use: verify.meteor
//! synonyms: [[quick, fast], [answer, reply, response]]
//! ```
//!
//! ```
//! use guerdon_verify::verify::meteor::Meteor;
//! let score = Meteor::default().value("the cats sat", "the cat sat").unwrap();
//! assert!((score - (1.0 - 0.5 / 27.0)).abs() < 1e-15);
//! ```
//!
//! # References
//!
//! Banerjee and Lavie, "METEOR: An Automatic Metric for MT Evaluation with Improved Correlation with Human Judgments", 2005.
//! Lavie and Agarwal, "METEOR: An Automatic Metric for MT Evaluation with High Levels of Correlation with Human Judgments",
//! 2007 (α, β, γ).

mod align;

use std::path::PathBuf;

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::align::{Synonyms, align, chunks};
use crate::text::cut::{Cut, Tokens};
use crate::text::{porter::Stems, references, tokens};

/// Most words of a text.
const MAX_WORDS: usize = 1 << 16;

/// How texts are cut into words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tokenize {
    /// As mteval-v13a cuts Western languages: punctuation stands alone.
    #[default]
    #[serde(rename = "13a")]
    V13a,
    /// At white space only.
    Spaces,
}

/// Parameters of `verify.meteor`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Meteor {
    /// How texts are cut into words. Default `13a`.
    pub tokenize: Tokenize,
    /// Weight of precision against recall, 0 to 1. Default 0.9.
    pub alpha: f64,
    /// Exponent of the penalty for chunks, 0 to 100. Default 3.
    pub beta: f64,
    /// Greatest penalty for chunks, 0 to 1. Default 0.5.
    pub gamma: f64,
    /// Groups of words that stand for one another. Default none.
    pub synonyms: Vec<Vec<String>>,
    /// A file with more groups: one a line, words between spaces or commas. Default none.
    pub synonyms_file: Option<PathBuf>,
}

impl Default for Meteor {
    fn default() -> Self {
        Self {
            tokenize: Tokenize::V13a,
            alpha: 0.9,
            beta: 3.0,
            gamma: 0.5,
            synonyms: Vec::new(),
            synonyms_file: None,
        }
    }
}

impl Params for Meteor {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("alpha", self.alpha, 0.0, 1.0)?;
        ParamError::in_range("beta", self.beta, 0.0, 100.0)?;
        ParamError::in_range("gamma", self.gamma, 0.0, 1.0)
    }
}

/// The built signal: parameters and synonyms.
struct Judge {
    params: Meteor,
    synonyms: Synonyms,
}

impl Meteor {
    /// The score of `completion` against one reference, with the synonyms of `synonyms`, 0 to 1. `None` beyond the budget.
    pub fn value(&self, completion: &str, reference: &str) -> Option<f64> {
        self.with(completion, reference, &Synonyms::new(&self.synonyms))
    }

    fn signal(self) -> Result<Judge, ParamError> {
        let mut groups = self.synonyms.clone();
        if let Some(path) = &self.synonyms_file {
            let text = std::fs::read_to_string(path).map_err(|error| {
                let message = format!("{} cannot be read: {error}", path.display());
                ParamError::new("synonyms_file", message)
            })?;
            let words = |line: &str| -> Vec<String> {
                let split = line.split(|c: char| c == ',' || c.is_whitespace());
                split.filter(|w| !w.is_empty()).map(str::to_owned).collect()
            };
            groups.extend(text.lines().map(words));
        }
        Ok(Judge { synonyms: Synonyms::new(&groups), params: self })
    }

    fn with(&self, completion: &str, reference: &str, synonyms: &Synonyms) -> Option<f64> {
        let (own, reference) = (self.words(completion)?, self.words(reference)?);
        let pairs = align(&own, &reference, synonyms)?;
        if pairs.is_empty() {
            return Some(0.0);
        }
        let aligned = pairs.len() as f64;
        let (p, r) = (aligned / own.len() as f64, aligned / reference.len() as f64);
        let mean = p * r / (self.alpha * p + (1.0 - self.alpha) * r);
        let penalty = self.gamma * (chunks(&pairs) as f64 / aligned).powf(self.beta);
        Some(((1.0 - penalty) * mean).clamp(0.0, 1.0))
    }

    fn words(&self, text: &str) -> Option<Vec<String>> {
        let text = tokens::joined(text);
        let cut = match self.tokenize {
            Tokenize::V13a => Cut::Mteval13a,
            Tokenize::Spaces => Cut::Spaces,
        };
        let mut tokens = Tokens::default();
        tokens.cut(&text, cut, &mut Stems::default())?;
        if tokens.len() > MAX_WORDS {
            return None;
        }
        let lower = |bytes: &[u8]| String::from_utf8_lossy(bytes).to_lowercase();
        Some(tokens.iter().map(|token| lower(token.bytes)).collect())
    }
}

impl Signal for Judge {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let mut best: f64 = 0.0;
        for reference in references(rollout)? {
            let value = self.params.with(rollout.text(), &reference, &self.synonyms);
            best = best.max(value.ok_or_else(|| Unscored::budget("the texts are too long"))?);
        }
        Score::new(best)
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Meteor: BuiltSignal,
    id: "verify.meteor",
    papers: [],
    status: Verified(Reference("NLTK 3.10 meteor_score")),
    laws: [WhitespaceInvariant, CaseInvariant],
    exempt: [
        ReferenceMaximal: "A perfect match keeps the penalty of its one chunk, γ/m^β, as in NLTK: 1 is never reached.",
        InjectionGainsNothing: "Common words and full stops stand in any text; the gain is their share of the overlap, far from the maximum.",
    ],
    samples: [
        r#"{"prompt": "Translate.", "completion": "The cat sleeps on the table.", "reference": "The cat sleeps on the table."}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::Meteor;

    fn check(meteor: &Meteor, completion: &str, reference: &str, expect: f64) {
        let value = meteor.value(completion, reference).unwrap();
        assert!((value - expect).abs() < 1e-12, "{completion:?}: {value}, not {expect}");
    }

    #[test]
    fn the_example_of_nltk() {
        let own = "It is a guide to action which ensures that the military always obeys the commands of the party";
        let reference = "It is a guide to action that ensures that the military will forever heed Party commands";
        check(&Meteor::default(), own, reference, 0.694_444_444_444_444_5);
    }

    #[test]
    fn chunks_and_stages_by_hand() {
        let meteor = Meteor::default();
        check(&meteor, "x y", "a b", 0.0);
        check(&meteor, "", "a b", 0.0);
        check(&meteor, "b a", "a b", 0.5);
        check(&meteor, "walking", "walks", 0.5);
        check(&meteor, "big", "large", 0.0);
        let group = vec!["big".to_owned(), "Large".to_owned()];
        check(&Meteor { synonyms: vec![group], ..meteor.clone() }, "big", "large", 0.5);
        // P = 2/4, R = 2/2, one chunk of two.
        check(&meteor, "a b x y", "a b", (1.0 - 0.5 / 8.0) * 0.5 / (0.45 + 0.1));
    }
}
