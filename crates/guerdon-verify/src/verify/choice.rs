//! Multiple choice: 1 if the letter that the completion settles on is the reference's, 0 if not.
//!
//! # Formula
//!
//! ```text
//! score = 1 if letter(completion) = letter(reference), else 0
//! ```
//!
//! `letter` reads, in this order: the last `\boxed{X}`; the last `<answer>X</answer>`; the last "answer is X",
//! "answer: X" or "option X" (with or without brackets and asterisks); the whole completion, or its last line, when it is a
//! letter alone or a letter with its option's text ("B) Paris"). A completion that settles on nothing earns 0.
//!
//! # When to use it
//!
//! For questions with lettered options. A letter that is merely mentioned does not count, so that naming every option
//! earns nothing.
//!
//! # Departures
//!
//! Harnesses that take the first or last capital letter of the text accept "A nice question!" as A; this does not.
//!
//! # Example
//!
//! ```yaml
//! use: verify.choice
//! choices: ABCD
//! ```
//!
//! ```
//! use guerdon_verify::verify::choice::Choice;
//! let choice = Choice::default();
//! assert_eq!(choice.letter("A is tempting, but the answer is (C)."), Some('C'));
//! assert_eq!(choice.letter("A, B, C, D"), None);
//! ```
//!
//! # References
//!
//! Hendrycks et al., "Measuring Massive Multitask Language Understanding", 2021.

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Parameters of `verify.choice`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Choice {
    /// The letters that name the options. Default `ABCDEFGHIJ`.
    pub choices: String,
}

impl Default for Choice {
    fn default() -> Self {
        Self { choices: "ABCDEFGHIJ".into() }
    }
}

impl Params for Choice {
    fn validate(&self) -> Result<(), ParamError> {
        if self.choices.is_empty() || !self.choices.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(ParamError::new(
                "choices",
                "`choices` must be letters or digits, such as ABCD",
            ));
        }
        Ok(())
    }
}

/// What announces an answer. Matched without regard to case.
const ANCHORS: [&str; 8] = [
    "answer is",
    "answer:",
    "answer would be",
    "answer should be",
    "choice is",
    "option is",
    "correct option",
    "correct choice",
];

impl Choice {
    /// The letter that `text` settles on.
    pub fn letter(&self, text: &str) -> Option<char> {
        self.enclosed(text, "\\boxed{", "}")
            .or_else(|| self.enclosed(text, "<answer>", "</answer>"))
            .or_else(|| self.announced(text))
            .or_else(|| self.alone(text))
            .or_else(|| self.alone(text.trim().lines().last()?))
    }

    fn enclosed(&self, text: &str, open: &str, close: &str) -> Option<char> {
        let inner = &text[text.rfind(open)? + open.len()..];
        self.alone(&inner[..inner.find(close)?])
    }

    fn announced(&self, text: &str) -> Option<char> {
        // ASCII lower case keeps byte positions.
        let lower = text.to_ascii_lowercase();
        let ends =
            ANCHORS.iter().filter_map(|anchor| lower.rfind(anchor).map(|at| at + anchor.len()));
        let rest = text[ends.max()?..]
            .trim_start_matches(|c: char| c.is_whitespace() || ":*\"'`".contains(c));
        let rest = ["option ", "choice ", "Option ", "Choice "]
            .iter()
            .find_map(|w| rest.strip_prefix(w))
            .unwrap_or(rest);
        self.leading(rest)
    }

    /// The letter of a text that is a letter alone, or a letter with its option's text.
    fn alone(&self, text: &str) -> Option<char> {
        let text = text.trim().trim_start_matches("\\text{");
        let letter = self.leading(text)?;
        let rest = text.trim_start_matches(['(', '[', '*', ' ']).get(letter.len_utf8()..)?;
        let marked = rest.starts_with([')', ']', '.', ':', '*', '}']);
        let short = rest.trim_matches(|c: char| !c.is_alphanumeric()).is_empty();
        (short || marked && !self.names_another(rest)).then_some(letter)
    }

    /// Whether another option is named behind the first: "A) and B)" settles on nothing.
    fn names_another(&self, rest: &str) -> bool {
        let words = rest.split(|c: char| !c.is_alphanumeric());
        words
            .filter(|w| w.len() == 1)
            .any(|w| w.chars().all(|c| c.is_ascii_uppercase() && self.choices.contains(c)))
    }

    /// A choice letter at the start of `text`, not part of a word.
    fn leading(&self, text: &str) -> Option<char> {
        let mut chars = text.trim_start_matches(['(', '[', '*', ' ']).chars();
        let letter = chars.next().filter(|c| self.choices.contains(*c))?;
        let word_goes_on = chars.next().is_some_and(char::is_alphanumeric);
        (!word_goes_on).then_some(letter)
    }

    fn reference(&self, rollout: &Rollout) -> Result<char, Unscored> {
        let text = rollout.reference_text().ok_or_else(|| {
            Unscored::missing("there is no reference to compare with: map `reference` in the spec")
        })?;
        self.letter(&text).ok_or_else(|| {
            Unscored::invalid(format!(
                "the reference {text:?} is none of the choices {}",
                self.choices
            ))
        })
    }
}

impl Signal for Choice {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let right = self.reference(rollout)?;
        Ok(match self.letter(rollout.text()) {
            Some(letter) => Score::binary(letter == right).because(format!("settled on {letter}")),
            None => Score::binary(false).because("settles on no choice"),
        })
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Choice: Signal,
    id: "verify.choice",
    papers: [],
    status: Stable,
    laws: [WhitespaceInvariant],
    exempt: [],
    samples: [
        r#"{"prompt": "Which?", "completion": "The answer is (B).", "reference": "B"}"#,
        r#"{"prompt": "Which?", "completion": "Weighing both.\n\\boxed{D}", "reference": "D"}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::Choice;

    fn check(text: &str, expect: Option<char>) {
        assert_eq!(Choice::default().letter(text), expect, "{text:?}");
    }

    #[test]
    fn a_letter_that_is_settled_on() {
        check("B", Some('B'));
        check("(B)", Some('B'));
        check("**B**", Some('B'));
        check("B) Paris", Some('B'));
        check("Final answer: C", Some('C'));
        check("The answer is **D**.", Some('D'));
        check("The correct option is C because A is wrong", Some('C'));
        check("I think the answer is A. No: the answer is option B.", Some('B'));
        check("Reasoning...\nA.", Some('A'));
        check("\\boxed{\\text{E}}", Some('E'));
        check("<answer> C </answer>", Some('C'));
    }

    #[test]
    fn a_letter_that_is_only_mentioned() {
        check("A nice question!", None);
        check("A, B, C, D", None);
        check("A) and B)", None);
        check("The answer is Apple", None);
        check("the answer is unclear", None);
        check("", None);
    }
}
