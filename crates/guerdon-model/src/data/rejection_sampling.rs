//! Keeps the sampled answers that earn enough, without duplicates: the data of one round of expert iteration.
//!
//! # Formula
//!
//! ```text
//! keep i  if  r_i ≥ threshold   and (dedupe) no earlier kept answer of the prompt is the same
//!         and fewer than `per_prompt` answers of the prompt are kept
//! ```
//!
//! Answers are the same if their texts are equal after white space is collapsed.
//!
//! # When to use it
//!
//! For filtered imitation on a model's own right answers. Without `dedupe` the fit leans towards what is already likely.
//!
//! # Departures
//!
//! None; K samples per prompt (96 in the paper) are drawn before.
//!
//! # Example
//!
//! ```yaml
//! use: data.rejection_sampling
//! threshold: 1
//! dedupe: true
//! ```
//!
//! ```
//! use guerdon_model::data::rejection_sampling::{RejectionSampling, Sample};
//! let sample = |answer: &str| Sample { prompt: "p".into(), answer: answer.into(), reward: Some(1.0) };
//! let kept = RejectionSampling::default().keep(&["a", "a", "b"].map(sample));
//! assert_eq!(kept, [0, 2]);
//! ```
//!
//! # References
//!
//! Havrilla et al., "Teaching Large Language Models to Reason with Reinforcement Learning", 2024, section 3.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Parameters of `data.rejection_sampling`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RejectionSampling {
    /// The least reward that is kept, in units of reward. Default 1.
    pub threshold: f64,
    /// Whether an answer is kept once only. Default true.
    pub dedupe: bool,
    /// The most answers kept per prompt. At least 1. Default: all.
    pub per_prompt: Option<usize>,
}

impl Default for RejectionSampling {
    fn default() -> Self {
        Self { threshold: 1.0, dedupe: true, per_prompt: None }
    }
}

impl Params for RejectionSampling {
    fn validate(&self) -> Result<(), ParamError> {
        if self.per_prompt == Some(0) {
            return Err(ParamError::new("per_prompt", "`per_prompt` must be at least 1, not 0"));
        }
        ParamError::in_range("threshold", self.threshold, f64::MIN, f64::MAX)
    }
}

/// A sampled answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// Names the prompt.
    pub prompt: String,
    /// The answer's text.
    pub answer: String,
    /// Its reward; null where it is unscored.
    pub reward: Option<f64>,
}

/// Input of `data.rejection_sampling`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The sampled answers.
    pub samples: Vec<Sample>,
}

/// Output of `data.rejection_sampling`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Indices of the samples kept, ascending.
    pub kept: Vec<usize>,
    /// The number of prompts of which at least one sample is kept.
    pub prompts: usize,
}

impl RejectionSampling {
    /// Indices of the samples kept, ascending.
    pub fn keep(&self, samples: &[Sample]) -> Vec<usize> {
        let mut seen: BTreeSet<(&str, String)> = BTreeSet::new();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let mut kept = Vec::new();
        for (i, sample) in samples.iter().enumerate() {
            let count = counts.entry(&sample.prompt).or_default();
            let full = self.per_prompt.is_some_and(|most| *count >= most);
            if full || sample.reward.is_none_or(|reward| reward < self.threshold) {
                continue;
            }
            let answer = sample.answer.split_whitespace().collect::<Vec<_>>().join(" ");
            if seen.insert((&sample.prompt, answer)) || !self.dedupe {
                *count += 1;
                kept.push(i);
            }
        }
        kept
    }
}

impl Function for RejectionSampling {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        let kept = self.keep(&input.samples);
        let prompts: BTreeSet<&str> =
            kept.iter().map(|&i| input.samples[i].prompt.as_str()).collect();
        Ok(Output { prompts: prompts.len(), kept })
    }
}

guerdon_core::method! {
    RejectionSampling: Function,
    id: "data.rejection_sampling",
    papers: ["reason-rl-2024", "alphallm-2024"],
    status: Verified(Worked("samples a, a, b: each once with dedupe, else twice and once")),
    laws: [],
    exempt: [],
    samples: [
        r#"{"samples": [{"prompt": "p", "answer": "a", "reward": 1}, {"prompt": "p", "answer": " a ", "reward": 1},
            {"prompt": "p", "answer": "b", "reward": 1}, {"prompt": "q", "answer": "a", "reward": 0},
            {"prompt": "q", "answer": "c", "reward": null}]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{RejectionSampling, Sample};

    fn check(params: &RejectionSampling, expect: &[usize]) {
        let own = [
            ("p", "a", Some(1.0)),
            ("p", "a ", Some(1.0)),
            ("p", "b", Some(1.0)),
            ("p", "c", Some(0.0)),
            ("q", "a", Some(1.0)),
            ("q", "d", None),
        ];
        let samples = own.map(|(prompt, answer, reward)| Sample {
            prompt: prompt.into(),
            answer: answer.into(),
            reward,
        });
        assert_eq!(params.keep(&samples), expect);
    }

    #[test]
    fn each_right_answer_once() {
        check(&RejectionSampling::default(), &[0, 2, 4]);
        check(&RejectionSampling { dedupe: false, ..RejectionSampling::default() }, &[0, 1, 2, 4]);
    }

    #[test]
    fn a_limit_per_prompt() {
        check(&RejectionSampling { per_prompt: Some(1), ..RejectionSampling::default() }, &[0, 4]);
    }

    #[test]
    fn a_low_threshold_keeps_all_that_is_scored() {
        check(
            &RejectionSampling { threshold: -1.0, dedupe: false, ..RejectionSampling::default() },
            &[0, 1, 2, 3, 4],
        );
    }
}
