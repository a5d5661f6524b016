//! Bodies of calls. Unknown fields are ignored, as all servers do; wrong types are errors.

use serde::Deserialize;
use serde_json::Value;

use super::reply::Reply;
use crate::serve_model::models::Turn;

/// What a call wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::serve_model) enum Route {
    Models,
    Chat,
    Completions,
    Embeddings,
    Classify,
    Pooling,
    Reward,
    Tool,
}

/// A call that was understood.
#[derive(Debug)]
pub(in crate::serve_model) struct Call {
    pub(in crate::serve_model) route: Route,
    pub(in crate::serve_model) body: Body,
    /// The name at the end of the path: of a tool, of a reward model.
    pub(in crate::serve_model) name: Option<String>,
}

/// The fields of all bodies.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::serve_model) struct Body {
    pub(in crate::serve_model) model: Option<String>,
    pub(super) messages: Option<Vec<Message>>,
    pub(super) prompt: Option<Texts>,
    pub(super) n: Option<u32>,
    pub(super) seed: Option<i64>,
    pub(super) temperature: Option<f64>,
    pub(super) max_tokens: Option<u32>,
    pub(super) max_completion_tokens: Option<u32>,
    pub(super) stop: Option<Texts>,
    pub(super) stream: Option<bool>,
    pub(super) stream_options: Option<StreamOptions>,
    pub(super) logprobs: Option<Value>,
    pub(super) top_logprobs: Option<u32>,
    pub(super) echo: Option<bool>,
    pub(super) response_format: Option<Value>,
    pub(super) guided_json: Option<Value>,
    pub(super) input: Option<Texts>,
    pub(super) prompt_logprobs: Option<u32>,
    pub(super) use_activation: Option<bool>,
    pub(super) query: Option<Texts>,
    pub(super) response: Option<Texts>,
    /// The whole body, for tools.
    #[serde(skip)]
    pub(super) raw: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct StreamOptions {
    pub(super) include_usage: bool,
}

/// One text or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Texts {
    One(String),
    Many(Vec<String>),
}

impl Texts {
    pub(super) fn all(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Message {
    role: String,
    #[serde(default)]
    content: Content,
}

#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
    #[default]
    None,
}

#[derive(Debug, Deserialize)]
struct Part {
    #[serde(default)]
    text: String,
}

/// The most alternatives per token.
const MOST_ALTERNATIVES: u32 = 20;
/// The most samples of one call.
const MOST_SAMPLES: u32 = 128;
/// Tokens of a reply where the call names no limit.
const DEFAULT_TOKENS: u32 = 16_384;

impl Body {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Reply> {
        let bad = |error: serde_json::Error| {
            Reply::error(400, &format!("the body is not as expected: {error}"))
        };
        let body: Self = serde_json::from_slice(bytes).map_err(bad)?;
        body.check()?;
        Ok(body)
    }

    fn check(&self) -> Result<(), Reply> {
        let wrong = |param: &str, message: &str| Err(Reply::bad_param(param, message));
        if !(1..=MOST_SAMPLES).contains(&self.n.unwrap_or(1)) {
            return wrong("n", "`n` must be between 1 and 128");
        }
        if self.temperature.is_some_and(|t| !(0.0..=10.0).contains(&t)) {
            return wrong("temperature", "`temperature` must be between 0 and 10");
        }
        if self.top_logprobs.is_some_and(|n| n > MOST_ALTERNATIVES) {
            return wrong("top_logprobs", "`top_logprobs` must be at most 20");
        }
        if self.stop.as_ref().is_some_and(|stop| stop.all().len() > 16) {
            return wrong("stop", "at most 16 stop texts");
        }
        Ok(())
    }

    /// The conversation.
    pub(super) fn turns(&self) -> Vec<Turn> {
        let text = |content: &Content| match content {
            Content::Text(text) => text.clone(),
            Content::Parts(parts) => {
                parts.iter().map(|p| p.text.as_str()).collect::<Vec<_>>().join("\n")
            }
            Content::None => String::new(),
        };
        let messages = self.messages.iter().flatten();
        messages.map(|m| Turn { role: m.role.clone(), text: text(&m.content) }).collect()
    }

    pub(super) fn limit(&self) -> usize {
        self.max_completion_tokens.or(self.max_tokens).unwrap_or(DEFAULT_TOKENS) as usize
    }

    /// How many alternatives a chat wants per token; `None` for no log-probabilities at all.
    pub(super) fn chat_alternatives(&self) -> Option<usize> {
        let wanted = self.logprobs.as_ref().is_some_and(|l| l == &Value::Bool(true));
        wanted.then(|| self.top_logprobs.unwrap_or(0) as usize)
    }

    /// How many alternatives a completion wants per token; `None` for no log-probabilities at all.
    pub(super) fn completion_alternatives(&self) -> Option<usize> {
        let n = self.logprobs.as_ref()?.as_u64()?;
        Some(usize::try_from(n.min(MOST_ALTERNATIVES.into())).unwrap_or(0))
    }

    /// The JSON schema of the reply, and whether it must be JSON at all.
    pub(super) fn format(&self) -> (Option<&Value>, bool) {
        let kind =
            self.response_format.as_ref().and_then(|f| f["type"].as_str()).unwrap_or_default();
        let schema = self
            .response_format
            .as_ref()
            .filter(|_| kind == "json_schema")
            .map(|f| &f["json_schema"]["schema"]);
        let schema = schema.or(self.guided_json.as_ref()).filter(|schema| schema.is_object());
        (schema, kind == "json_object" || schema.is_some())
    }

    pub(super) fn stops(&self) -> &[String] {
        self.stop.as_ref().map_or(&[], Texts::all)
    }
}

impl Call {
    /// Gives a call without a seed the one of its repetition.
    pub(in crate::serve_model) fn renew(&mut self, repetition: u64) {
        self.body.seed.get_or_insert(repetition.cast_signed());
    }

    /// Reads a call; the reply says what is wrong, otherwise.
    pub(in crate::serve_model) fn read(path: &str, body: &[u8]) -> Result<Self, Reply> {
        let path = path.split('?').next().unwrap_or_default().trim_end_matches('/');
        let path = path.strip_prefix("/v1").unwrap_or(path);
        let (route, name) = match path {
            "/models" => {
                return Ok(Self { route: Route::Models, body: Body::default(), name: None });
            }
            "/chat/completions" => (Route::Chat, None),
            "/completions" => (Route::Completions, None),
            "/embeddings" => (Route::Embeddings, None),
            "/classify" => (Route::Classify, None),
            "/pooling" => (Route::Pooling, None),
            "/get_reward" => (Route::Reward, None),
            other => match (other.strip_prefix("/tool/"), other.strip_prefix("/get_reward/")) {
                (Some(name), _) => (Route::Tool, Some(name.to_owned())),
                (_, Some(name)) => (Route::Reward, Some(name.to_owned())),
                _ => return Err(Reply::error(404, &format!("there is no `{other}` here"))),
            },
        };
        if route == Route::Tool {
            let raw: Value = serde_json::from_slice(body)
                .map_err(|error| Reply::error(400, &format!("the body is no JSON: {error}")))?;
            return Ok(Self { route, body: Body { raw, ..Body::default() }, name });
        }
        Ok(Self { route, body: Body::read(body)?, name })
    }
}
