//! The number that a served reward model gives to a response.
//!
//! # Formula
//!
//! ```text
//! v = the values that the endpoint answers for the conversation with the response at its end
//! raw      value = v[take]
//! sigmoid  value = 1 / (1 + exp(-v[take]))
//! ```
//!
//! # When to use it
//!
//! With a sequence classifier or a reward model behind vLLM (`api: classify`, `pooling`), SGLang (`embeddings`) or OpenRLHF
//! (`openrlhf`). The model's entry in the spec says which; a chat endpoint gives no numbers, and is an error here.
//!
//! # Departures
//!
//! Reward models have no agreed scale: the value is passed on as it is, and `shape.*` brings it to one. An endpoint that
//! answers several numbers (one per token, one per class) needs `take`.
//!
//! # Example
//!
//! ```yaml
//! use: judge.reward_model
//! model: skywork
//! take: last
//! ```
//!
//! ```
//! use guerdon_core::method::{Case, Judge, Next, Reply};
//! use guerdon_judge::judge::reward_model::RewardModel;
//!
//! let judge = RewardModel::default();
//! let case = Case { prompt: "2 + 2?".into(), responses: vec!["4".into()], ..Case::default() };
//! let Ok(Next::Ask(requests)) = judge.next(&case, &[], 0) else { panic!() };
//! assert_eq!(requests[0].messages[1].content, "4");
//! let reply = Reply { values: vec![0.7], ..Reply::default() };
//! let Ok(Next::Done(told)) = judge.next(&case, &[vec![reply]], 0) else { panic!() };
//! assert_eq!(told.values, [0.7]);
//! ```
//!
//! # References
//!
//! Ouyang et al., "Training language models to follow instructions with human feedback", 2022, section 3.5.

use guerdon_core::method::{Case, Form, Judge, Judgement, Next, Params, Reply, Request};
use guerdon_core::{Message, Text, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::script::converse;

/// Which of the endpoint's numbers counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Take {
    /// The only one; several are an error.
    #[default]
    Only,
    /// The first.
    First,
    /// The last: of one number per token, that of the whole text.
    Last,
    /// Their mean.
    Mean,
}

/// What becomes of the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Nothing.
    #[default]
    Raw,
    /// The logistic function: a Bradley–Terry reward becomes the probability to beat one of reward 0.
    Sigmoid,
}

/// Parameters of `judge.reward_model`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RewardModel {
    /// Which of the endpoint's numbers counts. Default: `only`.
    pub take: Take,
    /// What becomes of it. Default: `raw`.
    pub scale: Scale,
    /// A system message before the conversation; empty for none.
    pub system: String,
}

impl Params for RewardModel {}

impl RewardModel {
    fn request(&self, case: &Case) -> Request {
        let message = |role: &str, content: &str| Message {
            role: role.to_owned(),
            content: content.to_owned(),
            tool_calls: Vec::new(),
        };
        let mut messages = Vec::new();
        if !self.system.is_empty() {
            messages.push(message("system", &self.system));
        }
        match &case.prompt {
            Text::Plain(text) => messages.push(message("user", text)),
            Text::Chat(own) => messages.extend(own.iter().cloned()),
        }
        messages.push(message("assistant", &case.responses[0]));
        Request::chat(messages)
    }

    /// The value of an endpoint's numbers.
    pub fn value(&self, values: &[f64]) -> Result<f64, Unscored> {
        let one = match (self.take, values) {
            (_, []) => {
                return Err(Unscored::unreadable(
                    "the endpoint gives no numbers: is its `api` one of a reward model (classify, pooling, embeddings, openrlhf)?",
                ));
            }
            (Take::Only, [only]) => *only,
            (Take::Only, several) => {
                return Err(Unscored::unreadable(format!(
                    "the endpoint gives {} numbers: say with `take` which counts",
                    several.len()
                )));
            }
            (Take::First, [first, ..]) => *first,
            (Take::Last, [.., last]) => *last,
            (Take::Mean, all) => all.iter().sum::<f64>() / all.len() as f64,
        };
        if !one.is_finite() {
            return Err(Unscored::unreadable(format!("the endpoint gives {one}")));
        }
        Ok(match self.scale {
            Scale::Raw => one,
            Scale::Sigmoid => 1.0 / (1.0 + (-one).exp()),
        })
    }
}

impl Judge for RewardModel {
    fn form(&self) -> Form {
        Form::Single
    }

    fn next(
        &self,
        case: &Case,
        rounds: &[Vec<Reply>],
        seed: u64,
    ) -> Result<Next<Judgement>, Unscored> {
        converse(rounds, 0, seed, |script| {
            let value = script.read(&self.request(case), |reply| self.value(&reply.values))?;
            Ok(Judgement::score(value))
        })
    }

    fn range(&self) -> Option<(f64, f64)> {
        (self.scale == Scale::Sigmoid).then_some((0.0, 1.0))
    }
}

guerdon_core::method! {
    RewardModel: Judge,
    id: "judge.reward_model",
    papers: [],
    status: Stable,
    laws: [],
    exempt: [],
    samples: [r#"{
        "case": {"prompt": "What is 2 + 2?", "responses": ["It is four."]},
        "replies": [[{"text": "", "values": [-1.25]}]],
        "values": [-1.25]
    }"#]
}

#[cfg(test)]
mod tests {
    use super::{RewardModel, Scale, Take};

    fn value(take: Take, values: &[f64]) -> Option<f64> {
        RewardModel { take, ..RewardModel::default() }.value(values).ok()
    }

    #[test]
    fn one_number_counts_and_several_must_be_chosen_from() {
        assert_eq!(value(Take::Only, &[2.0]), Some(2.0));
        assert_eq!(value(Take::Only, &[2.0, 3.0]), None);
        assert_eq!(value(Take::First, &[2.0, 4.0]), Some(2.0));
        assert_eq!(value(Take::Last, &[2.0, 4.0]), Some(4.0));
        assert_eq!(value(Take::Mean, &[2.0, 4.0]), Some(3.0));
        assert_eq!(value(Take::Last, &[]), None);
        assert_eq!(value(Take::Only, &[f64::NAN]), None);
        let sigmoid = RewardModel { scale: Scale::Sigmoid, ..RewardModel::default() };
        assert_eq!(sigmoid.value(&[0.0]), Ok(0.5));
    }
}
