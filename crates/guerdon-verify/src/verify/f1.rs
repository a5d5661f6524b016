//! Token F1: how well the completion's words overlap with the reference's, as SQuAD scores answers; 0 to 1.
//!
//! # Formula
//!
//! ```text
//! F1 = 2 · shared / (|completion| + |reference|)
//! ```
//!
//! Words are counted after SQuAD's normalisation (lower case, no ASCII punctuation, no articles); `shared` counts each
//! word as often as both have it. Two empty sides earn 1, one empty side 0. Of several references the best counts.
//!
//! # When to use it
//!
//! For short free answers, where part of a name is part of an answer. For one right spelling use `verify.exact_match`.
//!
//! # Departures
//!
//! None from SQuAD's evaluation script; a reference without words is scored by it, so that an empty answer can be right.
//!
//! # Example
//!
//! ```yaml
//! use: verify.f1
//! ```
//!
//! ```
//! use guerdon_verify::verify::f1::f1;
//! assert_eq!(f1("The Eiffel Tower", "eiffel tower"), 1.0);
//! assert_eq!(f1("Paris, France", "Paris"), 2.0 / 3.0);
//! ```
//!
//! # References
//!
//! Rajpurkar et al., "SQuAD: 100,000+ Questions for Machine Comprehension of Text", 2016, section 6.

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, Rollout, Score};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::exact_match::{ExactMatch, Preset};
use crate::text::references;

/// Parameters of `verify.f1`: none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct F1 {}

impl Params for F1 {}

/// F1 of the words of `completion` and `reference`, 0 to 1.
pub fn f1(completion: &str, reference: &str) -> f64 {
    let squad = ExactMatch { preset: Preset::Squad, ..ExactMatch::default() };
    let (own, reference) = (squad.normalise(completion), squad.normalise(reference));
    let sorted = |text: &'_ str| {
        let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        words.sort_unstable();
        words
    };
    let (own, reference) = (sorted(&own), sorted(&reference));
    if own.is_empty() || reference.is_empty() {
        return f64::from(u8::from(own.is_empty() && reference.is_empty()));
    }
    2.0 * shared(&own, &reference) as f64 / (own.len() + reference.len()) as f64
}

/// Size of the common multiset of two sorted lists.
fn shared(a: &[String], b: &[String]) -> usize {
    let (mut i, mut j, mut count) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                (i, j, count) = (i + 1, j + 1, count + 1);
            }
        }
    }
    count
}

impl Signal for F1 {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let references = references(rollout)?;
        Score::new(references.iter().map(|r| f1(rollout.text(), r)).fold(0.0, f64::max))
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    F1: Signal,
    id: "verify.f1",
    papers: [],
    status: Verified(Worked("SQuAD's evaluation")),
    laws: [WhitespaceInvariant, CaseInvariant],
    exempt: [],
    samples: [
        r#"{"prompt": "Where?", "completion": "Kuala Lumpur", "reference": ["Kuala Lumpur", "Malaysia"]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::f1;

    fn check(completion: &str, reference: &str, expect: f64) {
        assert_eq!(f1(completion, reference), expect, "{completion:?}");
    }

    #[test]
    fn words_count_as_often_as_both_have_them() {
        check("a cat cat", "cat", 2.0 / 3.0);
        check("cat dog", "dog cat", 1.0);
        check("bird", "dog cat", 0.0);
    }

    #[test]
    fn empty_sides() {
        check("", "", 1.0);
        check("the", "an", 1.0);
        check("", "cat", 0.0);
    }
}
