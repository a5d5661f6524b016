//! Abstention: whether the completion says that it does not know, or says so exactly when the question has no answer.
//!
//! # Formula
//!
//! ```text
//! abstains = a phrase of not knowing stands in the answer
//! score = 1 if abstains, else 0                               without `answerable`
//! score = 1 if abstains = (the column `answerable` is false)   with `answerable`
//! ```
//!
//! The answer is what follows a reasoning block and, where there is one, stands in the last `<answer>` tag.
//!
//! # When to use it
//!
//! For questions without an answer in the given documents, and as the abstention flag that rewards for honest abstention
//! price. With `answerable`, answering an answerable question earns 1 whether the answer is right or not: combine it.
//!
//! # Departures
//!
//! Benchmarks leave the detection to a judge; this reads set phrases, which sees plain abstentions and misses veiled ones.
//!
//! # Example
//!
//! ```yaml
//! use: verify.abstain
//! answerable: has_answer
//! ```
//!
//! ```
//! use guerdon_verify::verify::abstain::Abstain;
//! assert!(Abstain::default().abstains("The passages do not mention it, so I don't know."));
//! assert!(!Abstain::default().abstains("Paris, as everyone knows."));
//! ```
//!
//! # References
//!
//! Jin et al., "RAG-RewardBench: Benchmarking Reward Models in Retrieval Augmented Generation for Preference Alignment", 2024.

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{cues, records};

/// Phrases of not knowing.
const PHRASES: [&str; 31] = [
    "i don't know",
    "i do not know",
    "i'm not sure",
    "i am not sure",
    "i am unsure",
    "i'm unsure",
    "don't know the answer",
    "cannot be answered",
    "can't be answered",
    "can not be answered",
    "cannot be determined",
    "can't be determined",
    "cannot determine",
    "can't determine",
    "unanswerable",
    "not enough information",
    "insufficient information",
    "no information is",
    "not mentioned in",
    "do not mention",
    "does not mention",
    "not provided in",
    "does not provide",
    "do not provide",
    "do not contain",
    "does not contain",
    "i abstain",
    "no answer is possible",
    "it is unknown",
    "impossible to tell",
    "impossible to say",
];

/// Parameters of `verify.abstain`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Abstain {
    /// Column that says whether there is an answer: a boolean, or 0 and 1. Default none: abstentions earn 1.
    pub answerable: Option<String>,
    /// Further phrases, at most 1000. Default none.
    pub phrases: Vec<String>,
}

impl Params for Abstain {
    fn validate(&self) -> Result<(), ParamError> {
        if self.phrases.len() > 1000 || self.phrases.iter().any(|p| p.trim().is_empty()) {
            return Err(ParamError::new(
                "phrases",
                "`phrases` must hold at most 1000 phrases, none of them empty",
            ));
        }
        Ok(())
    }
}

impl Abstain {
    /// Whether the text says that it does not know.
    pub fn abstains(&self, text: &str) -> bool {
        let answer = text.rsplit_once("</think>").map_or(text, |(_, answer)| answer);
        let answer = answer.rsplit_once("<answer>").map_or(answer, |(_, inner)| {
            inner.split_once("</answer>").map_or(inner, |(inner, _)| inner)
        });
        let text = cues::normalise(answer);
        let own: Vec<String> = self.phrases.iter().map(|p| cues::normalise(p)).collect();
        cues::find(&text, PHRASES.into_iter().chain(own.iter().map(String::as_str))).is_some()
    }
}

impl Signal for Abstain {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let abstains = self.abstains(rollout.text());
        let right = match &self.answerable {
            Some(column) => abstains != records::flag_at(rollout, column)?,
            None => abstains,
        };
        let said = if abstains { "abstains" } else { "does not abstain" };
        Ok(Score::binary(right).because(said))
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Abstain: Signal,
    id: "verify.abstain",
    papers: ["rag-rewardbench-2024"],
    status: Stable,
    laws: [WhitespaceInvariant, CaseInvariant],
    exempt: [],
    sample_params: r#"{"answerable": "answerable"}"#,
    samples: [
        r#"{"prompt": "Who won?", "completion": "The passages do not mention a winner.", "answerable": false}"#,
        r#"{"prompt": "Why?", "completion": "<think>Hm.</think><answer>I don't know.</answer>", "answerable": 0}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::Abstain;
    use guerdon_core::Rollout;
    use guerdon_core::method::Signal as _;
    use serde_json::json;

    fn check(text: &str, expect: bool) {
        assert_eq!(Abstain::default().abstains(text), expect, "{text:?}");
    }

    #[test]
    fn phrases_of_not_knowing() {
        check("I don\u{2019}t know.", true);
        check("This cannot be determined from the text.", true);
        check("<think>I don't know yet.</think>Paris.", false);
        check("I don't know much, but <answer>Paris</answer>", false);
        check("", false);
    }

    #[test]
    fn abstaining_when_there_is_no_answer() {
        let params = Abstain { answerable: Some("ok".into()), ..Abstain::default() };
        for (text, ok, expect) in
            [("Unanswerable.", false, 1.0), ("Unanswerable.", true, 0.0), ("Paris", true, 1.0)]
        {
            let mut rollout = Rollout::new("", text, "");
            rollout.columns.insert("ok".into(), json!(ok));
            assert_eq!(params.score(&rollout).unwrap().value(), expect, "{text:?} {ok}");
        }
    }
}
