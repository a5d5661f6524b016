//! Exact match: 1 if the completion is one of the references, or holds one (`scope: anywhere`), 0 if not.
//!
//! Both sides pass through the same normalisation first; by default only surrounding white space goes. With `scope:
//! anywhere` this is what question answering calls sub-EM, subspan or cover exact match.
//!
//! # Formula
//!
//! ```text
//! whole:     score = 1 if normalise(completion) ∈ { normalise(r) : r ∈ references }, else 0
//! anywhere:  score = 1 if some normalise(r), not empty, stands in normalise(completion) at the edges of words, else 0
//! ```
//!
//! `normalise` trims white space and then applies, in this order, what the parameters ask for: lower case, no punctuation,
//! no English articles, single spaces. At an edge of a word no letter or digit of the reference has another beside it.
//!
//! # When to use it
//!
//! For closed answers with one spelling: labels, names, commands. For numbers use `verify.number`, for mathematics
//! `verify.math`, for partial credit an overlap metric. `scope: anywhere` is for evaluation, where a model answers in
//! sentences: as a reward it teaches to list every answer that comes to mind, unless a limit on length stands beside it.
//!
//! # Departures
//!
//! None from the plain definition. With `preset: squad` the steps are those of SQuAD's evaluation: lower case, ASCII
//! punctuation and the articles a, an, the removed, white space collapsed. Some published versions of `anywhere` take any
//! substring, so that `art` is found in `party`; here words must be whole.
//!
//! # Example
//!
//! ```yaml
//! use: verify.exact_match
//! ignore_case: true
//! ```
//!
//! ```
//! use guerdon_verify::verify::exact_match::{ExactMatch, Preset};
//! let squad = ExactMatch { preset: Preset::Squad, ..ExactMatch::default() };
//! assert_eq!(squad.normalise("The  Eiffel-Tower!"), "eiffeltower");
//! ```
//!
//! # References
//!
//! Rajpurkar et al., "SQuAD: 100,000+ Questions for Machine Comprehension of Text", 2016, section 6. Mallen et al.,
//! "When Not to Trust Language Models", 2023 (`anywhere`).

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A published set of normalisation steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Only what the other parameters ask for.
    #[default]
    Plain,
    /// SQuAD's evaluation: all steps.
    Squad,
}

/// Where the reference must stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// It is the whole completion.
    #[default]
    Whole,
    /// It stands anywhere in it, at the edges of words.
    Anywhere,
}

/// Parameters of `verify.exact_match`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own in the spec")]
pub struct ExactMatch {
    /// A published set of normalisation steps. Default `plain`.
    pub preset: Preset,
    /// Where the reference must stand. Default `whole`.
    pub scope: Scope,
    /// Upper and lower case do not matter. Default false.
    pub ignore_case: bool,
    /// ASCII punctuation does not matter. Default false.
    pub ignore_punctuation: bool,
    /// The English articles a, an and the do not matter. Default false.
    pub ignore_articles: bool,
    /// Any run of white space counts as one space. Default false.
    pub collapse_whitespace: bool,
}

impl Params for ExactMatch {}

impl ExactMatch {
    /// The form in which both sides are compared.
    pub fn normalise(&self, text: &str) -> String {
        let squad = self.preset == Preset::Squad;
        let mut text = text.trim().to_owned();
        if squad || self.ignore_case {
            text = text.to_lowercase();
        }
        if squad || self.ignore_punctuation {
            text.retain(|c| !c.is_ascii_punctuation());
        }
        if squad || self.ignore_articles {
            text = without_articles(&text);
        }
        if squad || self.collapse_whitespace {
            text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        }
        text
    }

    /// Whether `completion` equals `reference`, or holds it, after normalisation.
    pub fn matches(&self, completion: &str, reference: &str) -> bool {
        self.agree(&self.normalise(completion), &self.normalise(reference))
    }

    /// Whether two normalised texts agree.
    fn agree(&self, completion: &str, reference: &str) -> bool {
        match self.scope {
            Scope::Whole => completion == reference,
            Scope::Anywhere => contains_words(completion, reference),
        }
    }
}

/// Whether `words`, not empty, stand in `text` with no letter or digit beside their own outermost ones.
fn contains_words(text: &str, words: &str) -> bool {
    let (Some(first), Some(last)) = (words.chars().next(), words.chars().next_back()) else {
        return false;
    };
    let apart = |inner: char, outer: Option<char>| {
        !inner.is_alphanumeric() || outer.is_none_or(|c| !c.is_alphanumeric())
    };
    let finder = memchr::memmem::Finder::new(words);
    let mut from = 0;
    while let Some(found) = finder.find(&text.as_bytes()[from..]) {
        let at = from + found;
        if apart(first, text[..at].chars().next_back())
            && apart(last, text[at + words.len()..].chars().next())
        {
            return true;
        }
        // Hits may overlap: the next one may begin behind the first character of this one.
        from = at + first.len_utf8();
    }
    false
}

fn without_articles(text: &str) -> String {
    let is_article = |word: &str| ["a", "an", "the"].iter().any(|a| word.eq_ignore_ascii_case(a));
    text.split(' ').filter(|word| !is_article(word)).collect::<Vec<_>>().join(" ")
}

impl Signal for ExactMatch {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let references = rollout.references();
        if references.is_empty() {
            return Err(Unscored::missing(
                "there is no reference to compare with: map `reference` in the spec",
            ));
        }
        let own = self.normalise(rollout.text());
        Ok(Score::binary(references.iter().any(|r| self.agree(&own, &self.normalise(r)))))
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    ExactMatch: Signal,
    id: "verify.exact_match",
    papers: [],
    status: Verified(Worked("SQuAD normalisation")),
    laws: [WhitespaceInvariant],
    exempt: [],
    samples: [
        r#"{"prompt": "Capital of France?", "completion": "Paris", "reference": "Paris"}"#,
        r#"{"prompt": "Pick one.", "completion": " blue whale\n", "reference": ["whale", "blue whale"]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{ExactMatch, Preset, Scope};

    fn check(params: &ExactMatch, completion: &str, reference: &str, expect: bool) {
        assert_eq!(
            params.matches(completion, reference),
            expect,
            "{completion:?} against {reference:?}"
        );
    }

    #[test]
    fn plain_trims_and_nothing_else() {
        let plain = ExactMatch::default();
        check(&plain, " Paris\n", "Paris", true);
        check(&plain, "paris", "Paris", false);
        check(&plain, "Paris.", "Paris", false);
    }

    #[test]
    fn squad_ignores_case_punctuation_and_articles() {
        let squad = ExactMatch { preset: Preset::Squad, ..ExactMatch::default() };
        check(&squad, "The Beatles!", "beatles", true);
        check(&squad, "an  apple a day", "apple day", true);
        check(&squad, "theatre", "atre", false);
    }

    #[test]
    fn anywhere_at_the_edges_of_words() {
        let anywhere = ExactMatch { scope: Scope::Anywhere, ..ExactMatch::default() };
        check(&anywhere, "It was Paris, in 1900.", "Paris", true);
        check(&anywhere, "The party is over.", "art", false);
        check(&anywhere, "art party", "party", true);
        check(&anywhere, "ba a a", "a a", true);
        check(&anywhere, "in 19000", "1900", false);
        check(&anywhere, "C++ it is", "C++", true);
        check(&anywhere, "anything", "", false);
        check(&anywhere, "", "x", false);
        let squad = ExactMatch { preset: Preset::Squad, ..anywhere };
        check(&squad, "I think it's the Blue-Whale!", "a bluewhale", true);
    }

    #[test]
    fn each_step_alone() {
        check(&ExactMatch { ignore_case: true, ..Default::default() }, "PARIS", "Paris", true);
        check(&ExactMatch { ignore_punctuation: true, ..Default::default() }, "U.S.", "US", true);
        check(
            &ExactMatch { collapse_whitespace: true, ..Default::default() },
            "a \n b",
            "a b",
            true,
        );
    }
}
