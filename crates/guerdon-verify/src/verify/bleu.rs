//! Sentence BLEU: how many of the completion's word n-grams stand in a reference, with a penalty for brevity; 0 to 1.
//!
//! # Formula
//!
//! ```text
//! score = BP · exp( (1/N) Σ_{n=1..N} ln p_n ),   BP = min(1, exp(1 − r/c))
//! ```
//!
//! `p_n` is the share of the completion's n-grams that a reference has, each counted at most as often as in the reference
//! that has it most often; `c` is the completion's length in tokens and `r` that of the reference nearest in length. A
//! `p_n` of zero is smoothed. With `effective_order`, N is the greatest order that the completion is long enough for.
//!
//! # When to use it
//!
//! For translation and other texts where wording near a reference is wanted. Not for facts: one wrong word costs little.
//!
//! # Departures
//!
//! The scale is 0 to 1, where sacrebleu has 0 to 100. `effective_order` is on by default, as sacrebleu advises for single
//! sentences. Orders above 4 are refused. The tokenisers for Chinese, Japanese and Korean words are not there: `char` serves.
//!
//! # Example
//!
//! ```yaml
//! use: verify.bleu
//! tokenize: 13a
//! ```
//!
//! ```
//! use guerdon_verify::verify::bleu::Bleu;
//! let bleu = Bleu::default();
//! assert_eq!(bleu.value("the cat sat on the mat", &["the cat sat on the mat"]), Some(1.0));
//! assert_eq!(bleu.value("dogs bark", &["the cat sat"]), Some(0.0));
//! ```
//!
//! # References
//!
//! Papineni et al., "BLEU: a Method for Automatic Evaluation of Machine Translation", 2002. Chen and Cherry, "A Systematic
//! Comparison of Smoothing Techniques for Sentence-Level BLEU", 2014. Post, "A Call for Clarity in Reporting BLEU Scores",
//! 2018 (sacrebleu). Chang et al., "BLEUBERI: BLEU is a surprisingly effective reward for instruction following", 2025.

use std::borrow::Cow;

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::cut::Cut;
use crate::text::{ngrams, prepared, references, tokens};

/// How texts are cut into tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tokenize {
    /// As mteval-v13a cuts Western languages.
    #[default]
    #[serde(rename = "13a")]
    V13a,
    /// At any Unicode punctuation and symbol, as mteval-v14 does.
    Intl,
    /// Every character that is not white space.
    Char,
    /// At white space only.
    None,
}

/// What becomes of a precision of zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Smoothing {
    /// The k-th zero becomes `1 / (2^k · n-grams)`.
    #[default]
    Exp,
    /// A zero count becomes `smooth_value`.
    Floor,
    /// `smooth_value` is added to counts and totals above order 1.
    AddK,
    /// It stays zero, and so does the score.
    None,
}

/// Parameters of `verify.bleu`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Bleu {
    /// How texts are cut into tokens. Default `13a`.
    pub tokenize: Tokenize,
    /// Upper and lower case do not matter. Default false.
    pub lowercase: bool,
    /// What becomes of a precision of zero. Default `exp`.
    pub smoothing: Smoothing,
    /// The value of the smoothings `floor` (default 0.1) and `add-k` (default 1); greater than 0.
    pub smooth_value: Option<f64>,
    /// Greatest order of n-grams, 1 to 4. Default 4.
    pub max_order: usize,
    /// Orders that the completion is too short for do not count. Default true.
    pub effective_order: bool,
}

impl Default for Bleu {
    fn default() -> Self {
        Self {
            tokenize: Tokenize::V13a,
            lowercase: false,
            smoothing: Smoothing::Exp,
            smooth_value: None,
            max_order: 4,
            effective_order: true,
        }
    }
}

impl Params for Bleu {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("max_order", self.max_order as f64, 1.0, 4.0)?;
        self.smooth_value.map_or(Ok(()), |value| ParamError::positive("smooth_value", value))
    }
}

impl Bleu {
    /// The score of `completion` against `references`, 0 to 1. `None` when the texts have more than 2³¹ different tokens.
    pub fn value(&self, completion: &str, references: &[&str]) -> Option<f64> {
        let refs: Vec<Cow<'_, str>> = references.iter().map(|r| self.read(r)).collect();
        let refs: Vec<&str> = refs.iter().map(AsRef::as_ref).collect();
        prepared::with_words(|words| {
            words.compare(&self.read(completion), &refs, self.cut(), self.max_order)?;
            let own = words.own.len();
            let matches = words.grams.matches(&words.own);
            Some(self.of_counts(&matches[..self.max_order], own, closest(own, &words.refs)))
        })
    }

    /// The text as the tokeniser reads it.
    fn read<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let text = text.trim_end_matches(tokens::is_space);
        let text: Cow<'a, str> =
            if self.lowercase { text.to_lowercase().into() } else { text.into() };
        match self.tokenize {
            Tokenize::V13a => match tokens::joined(&text) {
                Cow::Owned(joined) => joined.into(),
                Cow::Borrowed(_) => text,
            },
            // Beyond ASCII the classes of characters are left to regular expressions.
            Tokenize::Intl if !text.is_ascii() => tokens::international(&text).into(),
            Tokenize::Char => characters(&text).into(),
            Tokenize::Intl | Tokenize::None => text,
        }
    }

    fn cut(&self) -> Cut {
        match self.tokenize {
            Tokenize::V13a => Cut::Mteval13a,
            Tokenize::Intl => Cut::International,
            Tokenize::Char | Tokenize::None => Cut::Spaces,
        }
    }

    /// BLEU from the clipped matches per order and the two lengths.
    fn of_counts(&self, matches: &[u64], own: usize, reference: usize) -> f64 {
        if matches.iter().all(|count| *count == 0) {
            return 0.0;
        }
        let mut logs = 0.0;
        let mut orders = self.max_order;
        let mut halved = 1.0;
        for (n, &count) in (1..).zip(matches) {
            let k = if n > 1 && self.smoothing == Smoothing::AddK { self.smooth(1.0) } else { 0.0 };
            let (count, total) = (count as f64 + k, ngrams::total(own, n) as f64 + k);
            if total == 0.0 {
                if !self.effective_order {
                    return 0.0;
                }
                break;
            }
            if self.effective_order {
                orders = n;
            }
            let count = match self.smoothing {
                _ if count > 0.0 => count,
                Smoothing::Exp => {
                    halved *= 2.0;
                    1.0 / halved
                }
                Smoothing::Floor => self.smooth(0.1),
                Smoothing::AddK | Smoothing::None => return 0.0,
            };
            logs += (count / total).ln();
        }
        let brevity = (1.0 - reference as f64 / own as f64).min(0.0).exp();
        // The floor may be greater than a count could be.
        (brevity * (logs / orders as f64).exp()).clamp(0.0, 1.0)
    }

    fn smooth(&self, default: f64) -> f64 {
        self.smooth_value.unwrap_or(default)
    }
}

/// The characters, with a space behind each.
fn characters(text: &str) -> String {
    text.chars().flat_map(|c| [c, ' ']).collect()
}

/// The length nearest to `own`; of two as near, the shorter.
fn closest(own: usize, references: &[Vec<u32>]) -> usize {
    let lengths = references.iter().map(Vec::len);
    lengths.min_by_key(|len| (len.abs_diff(own), *len)).unwrap_or(0)
}

impl Signal for Bleu {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let references = references(rollout)?;
        let references: Vec<&str> = references.iter().map(AsRef::as_ref).collect();
        let value = self.value(rollout.text(), &references);
        Score::new(value.ok_or_else(|| Unscored::budget("the references have too many tokens"))?)
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Bleu: Signal,
    id: "verify.bleu",
    papers: ["bleuberi-2025"],
    status: Verified(Reference("sacrebleu 2.5.1 sentence_score")),
    laws: [WhitespaceInvariant],
    exempt: [
        InjectionGainsNothing: "Common words and full stops stand in any text; the gain is their share of the overlap, far from the maximum.",
    ],
    samples: [
        r#"{"prompt": "Translate.", "completion": "Le chat dort sur la table.", "reference": "Le chat dort sur la table."}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Bleu, Smoothing};

    fn check(bleu: &Bleu, completion: &str, references: &[&str], expect: f64) {
        let value = bleu.value(completion, references).unwrap();
        assert!((value - expect).abs() < 1e-12, "{completion:?}: {value} is not {expect}");
    }

    #[test]
    fn smoothing_by_hand() {
        // Precisions 3/4, 1/3 and, smoothed, 1/(2·2), 1/(4·1).
        let expect = (3.0_f64 / 4.0 / 3.0 / 4.0 / 4.0).powf(0.25);
        check(&Bleu::default(), "a b x c", &["a b y c"], expect);
        let none = Bleu { smoothing: Smoothing::None, ..Bleu::default() };
        check(&none, "a b x c", &["a b y c"], 0.0);
    }

    #[test]
    fn the_catalogue_example() {
        let check = |smoothing, expect: f64| {
            let bleu = Bleu { smoothing, ..Bleu::default() };
            let value = bleu.value("the cat sat on a mat", &["the cat sat on the mat"]).unwrap();
            assert!((100.0 * value - expect).abs() < 0.005, "{smoothing:?}: {value}");
        };
        check(Smoothing::None, 53.73);
        check(Smoothing::AddK, 63.89);
    }

    #[test]
    fn brevity_counts_against_the_nearest_length() {
        check(&Bleu::default(), "a b", &["a b c", "a b c d e"], (-0.5_f64).exp());
    }
}
