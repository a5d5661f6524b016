//! What a spec says of a model: where it is, what it speaks, how it samples and what it may cost.

mod check;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One entry of a spec's `models:`.
///
/// Fields that shape the reply (model, api, sampling, `extra`) are part of the cache's key; where the model is and how it
/// is reached (url, key, limits, retries, price) is not, so that a model can move without being paid for again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Base URL, `http` or `https`: `http://localhost:8000/v1`, `https://api.openai.com/v1`. For `openrlhf` and `tool` the
    /// whole URL of the service.
    pub url: String,
    /// The model's name at the endpoint. May be left out for `openrlhf` and `tool`; then the URL names the service in the
    /// cache.
    #[serde(default)]
    pub model: String,
    /// What the endpoint speaks. Default: `chat`.
    #[serde(default)]
    pub api: Api,
    /// Name of the environment variable that holds the API key; never a key itself. Default: no key is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_env: Option<String>,
    /// Sampling temperature, 0 or more, where a request names none. Default: the server's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Nucleus sampling: the probability mass sampled from, above 0 and at most 1. Default: the server's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// Most tokens to generate, 1 or more, where a request names none. Default: the server's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// Seed of the sampling; the request's sample index is added to it. Default: none is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Whether JSON schemas are sent along as `response_format`. Default: `auto`.
    #[serde(default)]
    pub structured: Structured,
    /// Further fields of the request's body, as the server names them (`top_k`, `chat_template_kwargs`). With
    /// `max_completion_tokens` here, `max_tokens` is not sent. Default: none.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
    /// Most attempts in flight at once, 1 or more; fewer while the server answers that it has too much to do (429).
    /// Default: 256.
    #[serde(default = "defaults::concurrency")]
    pub concurrency: u32,
    /// Most attempts begun per minute, above 0. Default: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<f64>,
    /// Most tokens, of prompts and replies together, per minute, above 0. Default: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<f64>,
    /// Seconds that one attempt may take, from its first byte out to its last byte in, above 0. Default: 60.
    #[serde(default = "defaults::timeout")]
    pub timeout: f64,
    /// Seconds that a connection may take to open, above 0. Default: 10.
    #[serde(default = "defaults::connect_timeout")]
    pub connect_timeout: f64,
    /// Seconds that a call may take with all its attempts and the waits between them, above 0; waiting for the limits of
    /// this entry does not count. Default: 600.
    #[serde(default = "defaults::deadline")]
    pub deadline: f64,
    /// How often a failed attempt is repeated, 0 or more. Waiting as a server's `Retry-After` asks after a 429 does not
    /// count. Default: 5.
    #[serde(default = "defaults::retries")]
    pub retries: u32,
    /// Seconds before the first repetition, above 0; each further wait is twice as long, up to 30 seconds. Default: 0.5.
    #[serde(default = "defaults::backoff")]
    pub backoff: f64,
    /// After how many failures in a row the endpoint is left alone for a while; 0 for never. Default: 16.
    #[serde(default = "defaults::break_after")]
    pub break_after: u32,
    /// What tokens cost. Default: nothing.
    #[serde(default)]
    pub price: Price,
}

/// What an endpoint speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Api {
    /// OpenAI's chat completions: `{url}/chat/completions`.
    #[default]
    Chat,
    /// OpenAI's completions, without a chat template: `{url}/completions`. The prompt is the messages' texts, a blank
    /// line between them.
    Completions,
    /// vLLM's sequence classification: `/classify` beside the base URL's `/v1`. The reply's values are the class
    /// probabilities, its text the label.
    Classify,
    /// vLLM's pooling, for reward models: `/pooling` beside the base URL's `/v1`. The reply's values are the pooled
    /// numbers.
    Pooling,
    /// OpenAI's embeddings, which SGLang's reward models answer, too: `{url}/embeddings`. The reply's values are the
    /// vector.
    Embeddings,
    /// OpenRLHF's remote reward model: the last message is the response, those before it the prompt. The reply's values
    /// are the rewards.
    Openrlhf,
    /// A plain service: `{"input": text}` goes in, `{"output": text}` comes out. The input is the last message.
    Tool,
}

impl Api {
    /// The name in a spec.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Completions => "completions",
            Self::Classify => "classify",
            Self::Pooling => "pooling",
            Self::Embeddings => "embeddings",
            Self::Openrlhf => "openrlhf",
            Self::Tool => "tool",
        }
    }

    /// Whether the endpoint's URL is the service itself rather than a base to add a path to.
    pub(crate) fn whole_url(self) -> bool {
        matches!(self, Self::Openrlhf | Self::Tool)
    }

    /// Whether the endpoint generates text.
    pub(crate) fn generates(self) -> bool {
        matches!(self, Self::Chat | Self::Completions)
    }
}

/// Whether a request's JSON schema is sent to the server as `response_format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Structured {
    /// Sent until the server refuses one with status 400 and answers the same request without; from then on left out.
    #[default]
    Auto,
    /// Always sent.
    On,
    /// Never sent.
    Off,
}

/// What tokens cost, in any one currency.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Per million tokens of prompts, 0 or more. Default: 0.
    #[serde(default)]
    pub input: f64,
    /// Per million generated tokens, 0 or more. Default: 0.
    #[serde(default)]
    pub output: f64,
}

/// Caps on what a client may spend in its lifetime, over all its endpoints. What comes out of the cache is free.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Most attempts, failed ones among them. Default: no cap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls: Option<u64>,
    /// Most tokens, of prompts and replies together. Default: no cap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Most money, in the currency of the prices. Default: no cap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money: Option<f64>,
}

mod defaults {
    pub(super) fn concurrency() -> u32 {
        256
    }
    pub(super) fn timeout() -> f64 {
        60.0
    }
    pub(super) fn connect_timeout() -> f64 {
        10.0
    }
    pub(super) fn deadline() -> f64 {
        600.0
    }
    pub(super) fn retries() -> u32 {
        5
    }
    pub(super) fn backoff() -> f64 {
        0.5
    }
    pub(super) fn break_after() -> u32 {
        16
    }
}

impl Endpoint {
    /// An endpoint with all defaults.
    pub fn new(url: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            model: model.into(),
            api: Api::default(),
            key_env: None,
            temperature: None,
            top_p: None,
            max_tokens: None,
            seed: None,
            structured: Structured::default(),
            extra: Map::new(),
            concurrency: defaults::concurrency(),
            requests_per_minute: None,
            tokens_per_minute: None,
            timeout: defaults::timeout(),
            connect_timeout: defaults::connect_timeout(),
            deadline: defaults::deadline(),
            retries: defaults::retries(),
            backoff: defaults::backoff(),
            break_after: defaults::break_after(),
            price: Price::default(),
        }
    }

    /// What the cache calls the model: its name, or the service's URL where it has none.
    pub(crate) fn identity(&self) -> &str {
        if self.model.is_empty() { &self.url } else { &self.model }
    }
}

#[cfg(test)]
mod tests {
    use super::{Api, Endpoint};
    use serde_json::json;

    #[test]
    fn a_short_entry_has_all_defaults() {
        let entry = json!({"url": "http://localhost:8000/v1", "model": "m"});
        let endpoint: Endpoint = serde_json::from_value(entry).unwrap();
        assert_eq!(endpoint, Endpoint::new("http://localhost:8000/v1", "m"));
        assert_eq!(endpoint.api, Api::Chat);
        assert_eq!(endpoint.check(), Ok(()));
        let again: Endpoint =
            serde_json::from_value(serde_json::to_value(&endpoint).unwrap()).unwrap();
        assert_eq!(again, endpoint);
    }

    #[test]
    fn every_field_is_documented() {
        let schema = schemars::schema_for!(Endpoint);
        let fields = schema.as_object().unwrap()["properties"].as_object().unwrap();
        assert!(fields.len() >= 20);
        for (name, field) in fields {
            assert!(field["description"].as_str().is_some_and(|text| text.len() > 10), "{name}");
        }
    }

    #[test]
    fn unknown_fields_are_refused() {
        let entry = json!({"url": "http://localhost/v1", "model": "m", "temprature": 1});
        assert!(
            serde_json::from_value::<Endpoint>(entry)
                .unwrap_err()
                .to_string()
                .contains("temprature")
        );
    }
}
