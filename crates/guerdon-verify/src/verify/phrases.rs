//! Phrases: how many of a list of phrases the completion uses, less its repetitions and forbidden phrases.
//!
//! # Formula
//!
//! ```text
//! score = max(floor, min(1, (phrases that occur) / denominator) − repeated − (occurrences of `forbidden`))
//! ```
//!
//! Each phrase counts once, in lower case, wherever it stands. `repeated` is the share of different `ngram`-grams of words that
//! occur more than once, among all n-grams; 0 without `ngram`.
//!
//! # When to use it
//!
//! As a weak reward for reasoning habits where the right answer is not known, or as a fallback for answers that a noisy
//! verifier calls wrong; and, with a list of your own, to count any phrases. It is farmed at once when it stands alone.
//!
//! # Departures
//!
//! `preset: reasoning` uses the 40 phrases of the paper's released code with `denominator` 20, 20-grams and the self-posed
//! turn "user: "; it does not look for an answer first: gate it on one (`shape.gate`). The text is the completion as the
//! data holds it; the released code cuts a chat template off first.
//!
//! # Example
//!
//! ```yaml
//! use: verify.phrases
//! preset: reasoning
//! ```
//!
//! ```
//! use guerdon_verify::verify::phrases::{Phrases, Preset};
//! let reasoning = Phrases { preset: Preset::Reasoning, ..Phrases::default() };
//! assert_eq!(reasoning.value("Wait, let me check. Therefore it holds."), 0.15);
//! ```
//!
//! # References
//!
//! Lv et al., "The Climb Carves Wisdom Deeper Than the Summit: On the Noisy Rewards in Learning to Reason", 2025.

use std::collections::HashMap;

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A published list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// What the other parameters say.
    #[default]
    Plain,
    /// The reasoning-pattern reward: 40 phrases, denominator 20, repeated 20-grams, "user: ".
    Reasoning,
}

/// The phrases of the reasoning-pattern reward, with the spelling of its code.
const REASONING: [&str; 40] = [
    "i need to",
    "we need to",
    "wait",
    "alternatively",
    "let me check",
    "let me see",
    "let's focus on",
    "we know that",
    "we can observe ",
    "we can see ",
    "let me try",
    "let's try",
    "let us try",
    "first, ",
    "firstly, ",
    "next, ",
    "finally, ",
    "let us first",
    "let's first",
    "let me first",
    "try again",
    "still not",
    "not working",
    "not correct",
    "does not work",
    "doesn't work",
    "makes sence",
    "since we ",
    "because we ",
    "consequently",
    "as a result",
    "thus",
    "therefore",
    "hence",
    "so that",
    "thereby",
    "if we",
    "given there ",
    "for instance ",
    "for example ",
];

/// Parameters of `verify.phrases`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Phrases {
    /// A published list. Default `plain`.
    pub preset: Preset,
    /// Phrases that count, at most 1000. Default none.
    pub phrases: Vec<String>,
    /// Number of phrases that earns 1; above 0. Default 1.
    pub denominator: f64,
    /// Words per n-gram whose repetition is subtracted, 1 to 64. Default none.
    pub ngram: Option<usize>,
    /// Phrases each occurrence of which costs 1, at most 1000. Default none.
    pub forbidden: Vec<String>,
    /// Least score. Default 0.
    pub floor: f64,
}

impl Default for Phrases {
    fn default() -> Self {
        Self {
            preset: Preset::Plain,
            phrases: Vec::new(),
            denominator: 1.0,
            ngram: None,
            forbidden: Vec::new(),
            floor: 0.0,
        }
    }
}

impl Params for Phrases {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::positive("denominator", self.denominator)?;
        ParamError::in_range("floor", self.floor, -1e9, 0.0)?;
        if self.ngram.is_some_and(|n| !(1..=64).contains(&n)) {
            return Err(ParamError::new("ngram", "`ngram` must be from 1 to 64"));
        }
        for (name, list) in [("phrases", &self.phrases), ("forbidden", &self.forbidden)] {
            if list.len() > 1000 || list.iter().any(String::is_empty) {
                return Err(ParamError::new(
                    name,
                    format!("`{name}` must hold at most 1000 phrases, none of them empty"),
                ));
            }
        }
        Ok(())
    }
}

/// The number of different n-grams of words that occur more than once, as a share of all n-grams; 0 where there is none.
/// `n` must be at least 1.
pub fn repeated_share(text: &str, n: usize) -> f64 {
    let words: Vec<&str> = text.split_whitespace().collect();
    let total = (words.len() + 1).saturating_sub(n);
    if total == 0 {
        return 0.0;
    }
    let mut counts: HashMap<&[&str], usize> = HashMap::new();
    let mut repeated = 0_usize;
    for gram in words.windows(n) {
        let count = counts.entry(gram).or_default();
        *count += 1;
        repeated += usize::from(*count == 2);
    }
    repeated as f64 / total as f64
}

impl Phrases {
    /// The score of a text.
    pub fn value(&self, text: &str) -> f64 {
        let text = text.to_lowercase();
        let has = |phrase: &str| text.contains(&phrase.to_lowercase());
        let costs = |phrase: &str| text.matches(&phrase.to_lowercase()).count();
        let (mut found, mut cost) = (
            self.phrases.iter().filter(|p| has(p)).count(),
            self.forbidden.iter().map(|p| costs(p)).sum::<usize>(),
        );
        let (mut denominator, mut ngram) = (self.denominator, self.ngram);
        if self.preset == Preset::Reasoning {
            found = REASONING.iter().filter(|p| text.contains(**p)).count();
            cost = text.matches("user: ").count();
            (denominator, ngram) = (20.0, Some(20));
        }
        let share = (found as f64 / denominator).min(1.0);
        let repeated = ngram.map_or(0.0, |n| repeated_share(&text, n));
        (share - repeated - cost as f64).max(self.floor)
    }
}

impl Signal for Phrases {
    fn score(&self, rollout: &Rollout) -> Outcome {
        Score::new(self.value(rollout.text()))
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((self.floor, 1.0))
    }
}

guerdon_core::method! {
    Phrases: Signal,
    id: "verify.phrases",
    papers: ["noisy-rewards-2025"],
    status: Verified(Worked("reasoning-pattern reward: 7 phrases 0.35, 24 phrases 1")),
    laws: [WhitespaceInvariant, CaseInvariant],
    exempt: [],
    sample_params: r#"{"phrases": ["wait", "therefore"], "denominator": 2}"#,
    samples: [r#"{"prompt": "q", "completion": "Wait: that fails. Therefore 3."}"#],
}

#[cfg(test)]
mod tests {
    use super::{Phrases, Preset, REASONING, repeated_share};

    fn check(text: &str, expect: f64) {
        let params = Phrases { preset: Preset::Reasoning, ..Phrases::default() };
        let got = params.value(text);
        assert!((got - expect).abs() < 1e-12, "{text:?}: {got}, not {expect}");
    }

    #[test]
    fn the_reasoning_pattern_reward() {
        check(&REASONING[..7].join(" "), 0.35);
        check(&REASONING[..24].join(" "), 1.0);
        check("WAIT wait wait", 0.05);
        check("", 0.0);
        check("wait. user: what is 2 + 2?", 0.0);
    }

    #[test]
    fn copied_passages_cost() {
        let passage: String = (0..20).map(|i| format!("w{i} ")).collect();
        assert!((repeated_share(&passage.repeat(2), 20) - 1.0 / 21.0).abs() < 1e-12);
        assert_eq!(repeated_share("a a a", 1), 1.0 / 3.0);
        assert_eq!(repeated_share("a b", 3), 0.0);
    }

    #[test]
    fn a_list_of_ones_own() {
        let params = Phrases {
            phrases: vec!["Please".into(), "thank you".into()],
            denominator: 2.0,
            forbidden: vec!["as an AI".into()],
            floor: -1.0,
            ..Phrases::default()
        };
        assert_eq!(params.value("please, PLEASE"), 0.5);
        assert_eq!(params.value("As an AI I say please"), -0.5);
    }
}
