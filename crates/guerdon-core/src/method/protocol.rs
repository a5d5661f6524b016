//! Language-model protocols, sans-IO: a protocol says what to ask and reads the replies; the engine alone talks to the
//! network, so that caching, limits, cost and retries are in one place and a protocol can be tested with plain strings.

use std::fmt;

use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Params;
use super::function::{read, write};
use crate::{Message, MethodError, Unscored};

/// One call of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Which of the spec's models to ask, by its name there; `None` for the default one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The conversation so far.
    pub messages: Vec<Message>,
    /// Sampling temperature; `None` leaves it to the endpoint's entry in the spec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Most tokens to generate; `None` leaves it to the endpoint's entry in the spec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// How many alternatives to return log-probabilities for, per token; 0 for none.
    #[serde(default)]
    pub top_logprobs: u8,
    /// A text whose probability after the messages is asked for, instead of a reply of the model's own: the reply holds
    /// the log-probabilities of its tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continuation: Option<String>,
    /// JSON schema of the reply, for endpoints that offer structured output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
    /// Which of several samples of the same request this is: part of the cache's key.
    #[serde(default)]
    pub sample: u32,
}

impl Request {
    /// A request with one user message.
    pub fn user(text: impl Into<String>) -> Self {
        Self::chat(vec![Message {
            role: "user".into(),
            content: text.into(),
            tool_calls: Vec::new(),
        }])
    }

    /// A request with a conversation.
    pub fn chat(messages: Vec<Message>) -> Self {
        Self {
            model: None,
            messages,
            temperature: None,
            max_tokens: None,
            top_logprobs: 0,
            continuation: None,
            schema: None,
            sample: 0,
        }
    }
}

/// The alternatives at one position of a reply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TokenLogProb {
    /// The token.
    pub token: String,
    /// Its natural-log probability.
    pub logprob: f64,
    /// The most probable alternatives at this position, the chosen one among them.
    #[serde(default)]
    pub top: Vec<(String, f64)>,
}

/// What a model answered.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Reply {
    /// The text.
    pub text: String,
    /// Whether the reply ended because of a length limit.
    #[serde(default)]
    pub truncated: bool,
    /// Log-probabilities per token, when asked for and offered.
    #[serde(default)]
    pub logprobs: Vec<TokenLogProb>,
    /// What an endpoint answers that gives numbers: the rewards, the class probabilities or the embedding.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<f64>,
}

impl From<&str> for Reply {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }
}

/// What a protocol wants next.
#[derive(Debug, Clone, PartialEq)]
pub enum Next<T> {
    /// These calls, in any order; their replies come back in this order.
    Ask(Vec<Request>),
    /// Nothing more: the result.
    Done(T),
}

/// A protocol: a pure function of the case and of all replies so far.
pub trait Protocol: Params {
    /// What is judged or solved.
    type Case: DeserializeOwned + JsonSchema;
    /// What comes out.
    type Output: Serialize + JsonSchema;

    /// What to do after the rounds so far: `rounds[k]` holds the replies to the `k`-th set of requests.
    ///
    /// Total on arbitrary replies: a reply that cannot be read is an [`Unscored`], never a panic or a default.
    fn next(
        &self,
        case: &Self::Case,
        rounds: &[Vec<Reply>],
        seed: u64,
    ) -> Result<Next<Self::Output>, Unscored>;
}

/// Schemas of a protocol.
#[derive(Clone, Copy)]
pub struct ProtocolInfo {
    /// Schema of a case.
    pub case: fn() -> Schema,
    /// Schema of the output.
    pub output: fn() -> Schema,
}

impl fmt::Debug for ProtocolInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProtocolInfo")
    }
}

impl ProtocolInfo {
    /// The schemas of `P`.
    pub const fn of<P: Protocol>() -> Self {
        Self {
            case: || schemars::schema_for!(P::Case),
            output: || schemars::schema_for!(P::Output),
        }
    }
}

/// A [`Protocol`] over JSON.
pub trait ErasedProtocol: Send + Sync {
    /// [`Protocol::next`] with a JSON case and a JSON output.
    fn next_json(
        &self,
        case: &Value,
        rounds: &[Vec<Reply>],
        seed: u64,
    ) -> Result<Next<Value>, Unscored>;
}

impl<P: Protocol> ErasedProtocol for P {
    fn next_json(
        &self,
        case: &Value,
        rounds: &[Vec<Reply>],
        seed: u64,
    ) -> Result<Next<Value>, Unscored> {
        let case: P::Case =
            read(case.clone()).map_err(|error: MethodError| Unscored::from(error))?;
        Ok(match self.next(&case, rounds, seed)? {
            Next::Ask(requests) => Next::Ask(requests),
            Next::Done(output) => Next::Done(write(&output)?),
        })
    }
}
