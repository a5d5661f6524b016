//! Non-empty answer: 1 if the completion says something, 0 if it is blank, bare punctuation or a mere opening phrase.
//!
//! # Formula
//!
//! ```text
//! score = 1 if the answer, less its opening phrase, has at least `min_words` words with a letter or digit, else 0
//! ```
//!
//! The answer is what follows a reasoning block. Opening phrases are those that judges with a reference were found to
//! accept: "Solution", "Thought process:", "Let's solve this problem step by step", in several languages. Empty boxes, tags
//! and repetitions of the prompt do not count.
//!
//! # When to use it
//!
//! As a gate before a judge (`shape.gate`): content-free answers then never reach it. It says nothing about what is said.
//!
//! # Departures
//!
//! The source reports the phrases as an attack and repairs the judge; this guard stands before the judge instead.
//!
//! # Example
//!
//! ```yaml
//! use: verify.nonempty_answer
//! min_words: 3
//! ```
//!
//! ```
//! use guerdon_verify::verify::nonempty_answer::NonemptyAnswer;
//! let guard = NonemptyAnswer::default();
//! assert!(!guard.says_something("", "Thought process:"));
//! assert!(guard.says_something("", "Thought process: 6 times 7 is 42."));
//! ```
//!
//! # References
//!
//! Zhao et al., "One Token to Fool LLM-as-a-Judge", 2025.

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cues;

/// Openings without content, normalised and without punctuation at the end.
const OPENINGS: [&str; 14] = [
    "thought process",
    "let's solve this problem step by step",
    "let's solve this step by step",
    "let us solve this problem step by step",
    "let's think step by step",
    "solution",
    "the solution",
    "answer",
    "the answer is",
    "final answer",
    "\u{89e3}",
    "\u{304b}\u{3044}\u{3068}\u{3046}",
    "respuesta",
    "soluci\u{f3}n",
];

/// Parameters of `verify.nonempty_answer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NonemptyAnswer {
    /// Least number of words with a letter or digit, at least 1. Default 1.
    pub min_words: usize,
    /// Further openings without content, at most 1000. Default none.
    pub openings: Vec<String>,
}

impl Default for NonemptyAnswer {
    fn default() -> Self {
        Self { min_words: 1, openings: Vec::new() }
    }
}

impl Params for NonemptyAnswer {
    fn validate(&self) -> Result<(), ParamError> {
        if self.min_words == 0 {
            return Err(ParamError::new("min_words", "`min_words` must be at least 1"));
        }
        if self.openings.len() > 1000 {
            return Err(ParamError::new("openings", "`openings` must hold at most 1000 phrases"));
        }
        Ok(())
    }
}

/// `text` less one of `openings` at its start, and the punctuation around it.
fn without_opening<'a>(text: &'a str, openings: &[&str]) -> &'a str {
    let text = text.trim_start_matches(|c: char| !c.is_alphanumeric());
    let rests = openings.iter().filter_map(|opening| text.strip_prefix(opening));
    let whole = rests.filter(|rest| !rest.starts_with(char::is_alphanumeric));
    whole.min_by_key(|rest| rest.len()).unwrap_or(text)
}

impl NonemptyAnswer {
    /// Whether `completion` says something that `prompt` does not say already.
    pub fn says_something(&self, prompt: &str, completion: &str) -> bool {
        let answer = completion.rsplit_once("</think>").map_or(completion, |(_, answer)| answer);
        let prompt = cues::normalise(prompt);
        let mut text = cues::normalise(answer).replace("\\boxed{}", " ");
        if !prompt.is_empty() {
            text = text.replace(&prompt, " ");
        }
        let own: Vec<String> = self.openings.iter().map(|o| cues::normalise(o)).collect();
        let openings: Vec<&str> =
            OPENINGS.into_iter().chain(own.iter().map(String::as_str)).collect();
        let rest = without_tags(without_opening(&text, &openings));
        let words = rest.split_whitespace().filter(|word| word.contains(char::is_alphanumeric));
        words.take(self.min_words).count() == self.min_words
    }
}

/// The text outside `<...>`; an open bracket without its end stays.
fn without_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tag)) = rest.split_once('<') {
        out.push_str(before);
        out.push(' ');
        match tag.split_once('>') {
            Some((_, after)) => rest = after,
            // No further bracket closes, so that the scan is not repeated.
            None => return out + tag,
        }
    }
    out + rest
}

impl Signal for NonemptyAnswer {
    fn score(&self, rollout: &Rollout) -> Outcome {
        Ok(Score::binary(self.says_something(rollout.prompt.last(), rollout.text())))
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    NonemptyAnswer: Signal,
    id: "verify.nonempty_answer",
    papers: ["one-token-2025"],
    status: Stable,
    laws: [WhitespaceInvariant, CaseInvariant],
    exempt: [
        DegenerateEarnsNothing: "It asks whether something is said, not whether it is right: an injected text says something.",
        InjectionGainsNothing: "It asks whether something is said, not whether it is right: a wrong answer says something.",
    ],
    samples: [r#"{"prompt": "6 times 7?", "completion": "Solution: it is 42.", "reference": "42"}"#],
}

#[cfg(test)]
mod tests {
    use super::NonemptyAnswer;

    fn check(completion: &str, expect: bool) {
        let guard = NonemptyAnswer::default();
        assert_eq!(
            guard.says_something("What is 6 times 7?", completion),
            expect,
            "{completion:?}"
        );
    }

    #[test]
    fn master_keys_are_empty() {
        for key in [
            " ",
            ".",
            ",",
            ":",
            "Thought process:",
            "Let's solve this problem step by step.",
            "Solution",
            "\u{89e3}",
            "\u{304b}\u{3044}\u{3068}\u{3046}",
            "Respuesta",
            "Solution:",
            "\\boxed{}",
            "<answer></answer>",
            "What is 6 times 7?",
            "<think>hm 42</think>",
        ] {
            check(key, false);
        }
    }

    #[test]
    fn content_is_not() {
        check("42", true);
        check("The answer is 42.", true);
        check("Solutions exist", true);
        check("a < b", true);
    }

    #[test]
    fn a_least_number_of_words() {
        let guard = NonemptyAnswer { min_words: 3, ..NonemptyAnswer::default() };
        assert!(!guard.says_something("", "Solution: it is"));
        assert!(guard.says_something("", "Solution: it is 42"));
    }
}
