//! What a spec says of a model: where it is, what it speaks, how it samples and what it may cost.

use guerdon_core::ParamError;
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
    /// Most calls in flight at once, 1 or more. Default: 256.
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

/// Longest duration that a spec may name: a year, in seconds. Longer ones are slips, and overflow clocks.
const YEAR: f64 = 366.0 * 86_400.0;

/// Fields of a request's body that the client writes itself.
const OWN_FIELDS: [&str; 14] = [
    "model",
    "messages",
    "prompt",
    "input",
    "temperature",
    "top_p",
    "max_tokens",
    "seed",
    "stream",
    "n",
    "response_format",
    "logprobs",
    "top_logprobs",
    "echo",
];

/// Fields that would carry a secret into the cache.
const SECRET_FIELDS: [&str; 4] = ["api_key", "apikey", "api-key", "authorization"];

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

    /// Checks every field; the error's path names the field. The environment is not looked at.
    pub fn check(&self) -> Result<(), ParamError> {
        self.check_place()?;
        self.check_sampling()?;
        self.check_limits()
    }

    fn check_place(&self) -> Result<(), ParamError> {
        crate::http::Address::parse(&self.url)
            .map_err(|message| ParamError::new("url", format!("`url` {message}")))?;
        if !self.api.whole_url() && self.model.trim().is_empty() {
            let message = "`model` is missing: give the model's name at the endpoint";
            return Err(ParamError::new("model", message));
        }
        self.key_env.as_deref().map_or(Ok(()), check_variable)
    }

    fn check_sampling(&self) -> Result<(), ParamError> {
        if let Some(temperature) = self.temperature {
            ParamError::in_range("temperature", temperature, 0.0, f64::MAX)?;
        }
        if let Some(top_p) = self.top_p {
            ParamError::positive("top_p", top_p)?;
            ParamError::in_range("top_p", top_p, 0.0, 1.0)?;
        }
        if self.max_tokens == Some(0) {
            return Err(ParamError::new("max_tokens", "`max_tokens` must be at least 1, not 0"));
        }
        self.extra.iter().try_for_each(|(key, value)| check_extra(key, value))
    }

    fn check_limits(&self) -> Result<(), ParamError> {
        if self.concurrency == 0 {
            return Err(ParamError::new("concurrency", "`concurrency` must be at least 1, not 0"));
        }
        for (field, rate) in [
            ("requests_per_minute", self.requests_per_minute),
            ("tokens_per_minute", self.tokens_per_minute),
        ] {
            rate.map_or(Ok(()), |rate| ParamError::positive(field, rate))?;
        }
        for (field, seconds) in [
            ("timeout", self.timeout),
            ("connect_timeout", self.connect_timeout),
            ("deadline", self.deadline),
            ("backoff", self.backoff),
        ] {
            ParamError::positive(field, seconds)?;
            ParamError::in_range(field, seconds, 0.0, YEAR)?;
        }
        ParamError::in_range("price.input", self.price.input, 0.0, 1e9).map_err(nested)?;
        ParamError::in_range("price.output", self.price.output, 0.0, 1e9).map_err(nested)
    }

    /// What the cache calls the model: its name, or the service's URL where it has none.
    pub(crate) fn identity(&self) -> &str {
        if self.model.is_empty() { &self.url } else { &self.model }
    }
}

impl Limits {
    /// Checks every field; the error's path names the field.
    pub fn check(&self) -> Result<(), ParamError> {
        self.money.map_or(Ok(()), |money| ParamError::in_range("money", money, 0.0, 1e6))
    }
}

/// `a.b` as a path of two.
fn nested(error: ParamError) -> ParamError {
    ParamError {
        path: error.path.iter().flat_map(|p| p.split('.').map(str::to_owned)).collect(),
        ..error
    }
}

/// Whether lists and objects lie within each other no more than `depth` deep.
fn shallow(value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(items) => depth > 0 && items.iter().all(|item| shallow(item, depth - 1)),
        Value::Object(map) => depth > 0 && map.values().all(|item| shallow(item, depth - 1)),
        _ => true,
    }
}

fn check_extra(key: &str, value: &Value) -> Result<(), ParamError> {
    const DEEPEST: usize = 32;
    let message = if OWN_FIELDS.contains(&key) {
        format!(
            "`{key}` is written by the client: set it as a field of the model, or in the method that asks"
        )
    } else if SECRET_FIELDS.contains(&key.to_ascii_lowercase().as_str()) {
        format!(
            "`{key}` would be kept in the cache: name the variable that holds the key in `key_env`"
        )
    } else if !shallow(value, DEEPEST) {
        format!("`{key}` is nested more than {DEEPEST} deep")
    } else {
        return Ok(());
    };
    Err(ParamError { path: vec!["extra".into(), key.to_owned()], message, unknown_key: false })
}

/// Accepts names of environment variables. What looks like a key is refused without being repeated.
fn check_variable(name: &str) -> Result<(), ParamError> {
    let named = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if named && !looks_like_a_key(name) {
        return Ok(());
    }
    let message = "`key_env` is the name of an environment variable, such as OPENAI_API_KEY. What stands here looks like a \
                   key itself: remove it from the file, revoke it if the file was shared, and put it into a variable";
    let other = "`key_env` is the name of an environment variable, such as OPENAI_API_KEY: letters, digits and underscores";
    let message =
        if name.is_empty() || name.contains(char::is_whitespace) { other } else { message };
    Err(ParamError::new("key_env", message))
}

fn looks_like_a_key(name: &str) -> bool {
    const PREFIXES: [&str; 9] =
        ["sk_", "gsk_", "hf_", "xai_", "pk_", "r8_", "AIza", "ghp_", "nvapi_"];
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    let lower = name.bytes().any(|b| b.is_ascii_lowercase());
    PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || name.len() > 64
        || (name.len() >= 20 && lower && digits >= 3)
        || (name.len() >= 24 && digits >= 6)
}

#[cfg(test)]
mod tests {
    use super::{Api, Endpoint};
    use serde_json::json;

    fn refused(change: impl FnOnce(&mut Endpoint)) -> String {
        let mut endpoint = Endpoint::new("http://localhost:8000/v1", "m");
        change(&mut endpoint);
        endpoint.check().unwrap_err().to_string()
    }

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

    #[test]
    fn keys_are_refused_and_never_repeated() {
        for key in [
            "sk-proj-abcdef0123456789",
            "hf_abcdefghijklmnopqrstuv",
            "a1b2c3d4e5f6a7b8c9d0e1f2",
            "AIzaSyD-x",
        ] {
            let message = refused(|e| e.key_env = Some(key.into()));
            assert!(message.contains("looks like a key") && !message.contains(key), "{message}");
        }
        let mut endpoint = Endpoint::new("http://localhost:8000/v1", "m");
        for name in ["OPENAI_API_KEY", "key", "MY_KEY_2", "azure_openai_api_key_for_the_judge"] {
            endpoint.key_env = Some(name.into());
            assert_eq!(endpoint.check(), Ok(()), "{name}");
        }
        assert!(refused(|e| e.url = "http://user:secret@host/v1".into()).contains("key_env"));
        assert!(!refused(|e| e.url = "http://user:secret@host/v1".into()).contains("secret"));
        assert!(
            refused(|e| e.extra.insert("api_key".into(), json!("x")).map_or((), |_| ()))
                .contains("cache")
        );
    }

    #[test]
    fn ranges_are_checked() {
        assert!(refused(|e| e.temperature = Some(-1.0)).contains("temperature"));
        assert!(refused(|e| e.top_p = Some(0.0)).contains("top_p"));
        assert!(refused(|e| e.timeout = f64::NAN).contains("timeout"));
        assert!(refused(|e| e.concurrency = 0).contains("concurrency"));
        assert!(refused(|e| e.price.output = -1.0).contains("price.output"));
        assert!(refused(|e| e.url = "localhost:8000".into()).contains("http"));
        assert!(refused(|e| e.url = "http://h/v1/chat/completions".into()).contains("base URL"));
        assert!(refused(|e| e.model = String::new()).contains("model"));
        assert!(refused(|e| drop(e.extra.insert("seed".into(), json!(1)))).contains("seed"));
        let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
        assert!(refused(|e| drop(e.extra.insert("x".into(), deep))).contains("deep"));
    }
}
