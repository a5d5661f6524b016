//! What goes over the wire, per api: writing a request's body, and reading what comes back. Sans-IO and total: any bytes
//! are a reply or a [`Fault`].

mod chat;
mod completions;
mod events;
mod lenient;
mod reward;
mod tool;

use guerdon_core::Message;
use guerdon_core::method::{Reply, Request};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::endpoint::{Api, Endpoint};

/// A reply and what it cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The reply.
    pub reply: Reply,
    /// The tokens it took, where the server says so.
    pub usage: Option<Usage>,
}

/// Tokens that a call took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the prompt.
    pub input: u64,
    /// Generated tokens.
    pub output: u64,
}

impl Usage {
    /// All tokens together.
    pub(crate) fn total(self) -> u64 {
        self.input.saturating_add(self.output)
    }
}

/// Why a body is no reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It is not JSON: something between here and there may have cut or replaced it.
    Garbled(String),
    /// It is JSON without what was asked for.
    Shape(String),
    /// It is an error that came with a status of success; with its code, where it names one.
    Service(Option<u16>, String),
}

/// Where a call goes: beneath the base URL or beside its `/v1`.
pub(crate) enum Place {
    Beneath(&'static str),
    Beside(&'static str),
}

/// Where calls of `api` go.
pub(crate) fn place(api: Api) -> Place {
    match api {
        Api::Chat => Place::Beneath("/chat/completions"),
        Api::Completions => Place::Beneath("/completions"),
        Api::Classify => Place::Beside("/classify"),
        Api::Pooling => Place::Beside("/pooling"),
        Api::Embeddings => Place::Beneath("/embeddings"),
        Api::Openrlhf | Api::Tool => Place::Beneath(""),
    }
}

/// The body of `request`; with `plain`, without its schema. The error says what the endpoint's api cannot do.
pub(crate) fn write(
    endpoint: &Endpoint,
    request: &Request,
    plain: bool,
) -> Result<Vec<u8>, String> {
    check(endpoint.api, request)?;
    match endpoint.api {
        Api::Chat => chat::write(endpoint, request, plain),
        Api::Completions => completions::write(endpoint, request, plain),
        Api::Classify | Api::Pooling | Api::Embeddings => reward::write(endpoint, request),
        Api::Openrlhf => reward::write_openrlhf(endpoint, request),
        Api::Tool => tool::write(endpoint, request),
    }
}

/// Reads a body as the reply to `request`.
pub fn read(api: Api, request: &Request, body: &[u8]) -> Result<Answer, Fault> {
    match api {
        Api::Chat => chat::read(request, body),
        Api::Completions => completions::read(request, body),
        Api::Classify => reward::read_classify(body),
        Api::Pooling => reward::read_pooling(body),
        Api::Embeddings => reward::read_embeddings(body),
        Api::Openrlhf => reward::read_openrlhf(body),
        Api::Tool => tool::read(body),
    }
}

/// Reads a body of server-sent events, which some servers send unasked.
pub fn read_events(api: Api, body: &[u8]) -> Result<Answer, Fault> {
    match api {
        Api::Chat | Api::Completions => events::read(body),
        _ => Err(Fault::Shape("a stream of events came back, where one reply was expected".into())),
    }
}

/// What a body of an error says, in at most a few hundred characters.
pub fn read_error(body: &[u8]) -> String {
    /// An error that is longer than this is a page, and nobody reads on.
    const MOST_READ: usize = 64 << 10;
    let body = &body[..body.len().min(MOST_READ)];
    let said = serde_json::from_slice::<Value>(body).ok().and_then(|value| said(&value));
    shorten(&said.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned()))
}

/// The names in a list of models, at most a few; none when it cannot be read.
pub(crate) fn read_models(body: &[u8]) -> Vec<String> {
    const MOST: usize = 20;
    #[derive(serde::Deserialize)]
    struct Models {
        data: Vec<Model>,
    }
    #[derive(serde::Deserialize)]
    struct Model {
        id: String,
    }
    let models: Models = serde_json::from_slice(body).unwrap_or(Models { data: Vec::new() });
    models.data.into_iter().take(MOST).map(|model| shorten(&model.id)).collect()
}

fn said(value: &Value) -> Option<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let error = &value["error"];
    text(&error["message"])
        .or_else(|| text(error))
        .or_else(|| text(&value["message"]))
        .or_else(|| text(&value["detail"]))
        .or_else(|| (!value["detail"].is_null()).then(|| value["detail"].to_string()))
}

fn shorten(text: &str) -> String {
    const MOST_SHOWN: usize = 400;
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match flat.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}…", &flat[..end]),
        None => flat,
    }
}

fn check(api: Api, request: &Request) -> Result<(), String> {
    if request.messages.is_empty() {
        return Err("a request needs at least one message".into());
    }
    if let Some(bad) = request.temperature.filter(|t| !(t.is_finite() && *t >= 0.0)) {
        return Err(format!("the temperature must be finite and at least 0, not {bad}"));
    }
    if !api.generates() && request.continuation.is_some() {
        let name = api.name();
        return Err(format!(
            "`api: {name}` cannot score continuations: that takes `completions` or `chat`"
        ));
    }
    if !api.generates() && request.top_logprobs > 0 {
        let name = api.name();
        return Err(format!(
            "`api: {name}` has no log-probabilities: they take `chat` or `completions`"
        ));
    }
    Ok(())
}

fn encode(body: &impl Serialize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(1024);
    serde_json::to_writer(&mut bytes, body)
        .map_err(|error| format!("the request cannot be written: {error}"))?;
    Ok(bytes)
}

/// What both generating apis take.
#[derive(Serialize)]
struct Sampling<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<ResponseFormat<'a>>,
    #[serde(flatten)]
    extra: &'a Map<String, Value>,
}

#[derive(Serialize)]
struct ResponseFormat<'a> {
    r#type: &'static str,
    json_schema: NamedSchema<'a>,
}

#[derive(Serialize)]
struct NamedSchema<'a> {
    name: &'static str,
    strict: bool,
    schema: &'a Value,
}

impl<'a> Sampling<'a> {
    fn new(endpoint: &'a Endpoint, request: &'a Request, plain: bool) -> Self {
        let own = endpoint.extra.contains_key("max_completion_tokens");
        let schema = request.schema.as_ref().filter(|_| !plain);
        Self {
            temperature: request.temperature.or(endpoint.temperature),
            top_p: endpoint.top_p,
            max_tokens: request.max_tokens.or(endpoint.max_tokens).filter(|_| !own),
            seed: endpoint.seed.map(|seed| seed.wrapping_add(u64::from(request.sample))),
            response_format: schema.map(|schema| ResponseFormat {
                r#type: "json_schema",
                json_schema: NamedSchema { name: "reply", strict: true, schema },
            }),
            extra: &endpoint.extra,
        }
    }

    /// For scoring a given text: nothing is sampled.
    fn none(endpoint: &'a Endpoint, max_tokens: u32) -> Self {
        Self {
            temperature: None,
            top_p: None,
            max_tokens: Some(max_tokens),
            seed: None,
            response_format: None,
            extra: &endpoint.extra,
        }
    }
}

/// The messages' texts, a blank line between them.
fn plain_text(messages: &[Message]) -> String {
    messages.iter().map(|m| m.content.as_str()).collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::read_error;

    #[test]
    fn errors_of_every_shape() {
        for (body, said) in [
            (r#"{"error": {"message": "no such model", "code": 404}}"#, "no such model"),
            (r#"{"error": "busy"}"#, "busy"),
            (r#"{"object": "error", "message": "too long"}"#, "too long"),
            (r#"{"detail": [{"loc": ["body"]}]}"#, r#"[{"loc":["body"]}]"#),
            ("<html>\n  502</html>", "<html> 502</html>"),
        ] {
            assert_eq!(read_error(body.as_bytes()), said);
        }
        assert!(read_error(&vec![b'x'; 1 << 20]).chars().count() <= 401);
        assert_eq!(read_error(&[0xff, 0xfe]), "\u{fffd}\u{fffd}");
    }
}
