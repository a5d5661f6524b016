//! What a server answers.

use serde_json::{Value, json};

/// The answer to a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body: one JSON document, or the events of a stream.
    pub content: Content,
    /// Tokens of the prompt and of the reply.
    pub usage: (usize, usize),
}

/// The body of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// One JSON document.
    Json(Value),
    /// Server-sent events, each as it goes over the wire.
    Events(Vec<String>),
}

impl Reply {
    pub(super) fn json(value: Value, usage: (usize, usize)) -> Self {
        Self { status: 200, content: Content::Json(value), usage }
    }

    /// An error in OpenAI's form.
    pub(in crate::serve_model) fn error(status: u16, message: &str) -> Self {
        Self::failure(status, message, &Value::Null, &Value::Null)
    }

    pub(super) fn bad_param(param: &str, message: &str) -> Self {
        Self::failure(400, message, &param.into(), &Value::Null)
    }

    pub(super) fn no_model(name: &str) -> Self {
        let message = format!("The model `{name}` does not exist");
        Self::failure(404, &message, &"model".into(), &"model_not_found".into())
    }

    fn failure(status: u16, message: &str, param: &Value, code: &Value) -> Self {
        let kind = match status {
            401 => "authentication_error",
            429 => "rate_limit_error",
            500.. => "server_error",
            _ => "invalid_request_error",
        };
        let error = json!({"message": message, "type": kind, "param": param, "code": code});
        Self { status, content: Content::Json(json!({"error": error})), usage: (0, 0) }
    }

    /// The body as it goes over the wire.
    pub fn body(&self) -> Vec<u8> {
        match &self.content {
            Content::Json(value) => value.to_string().into_bytes(),
            Content::Events(events) => events.concat().into_bytes(),
        }
    }

    /// The text of the first choice, where the reply is one document and has one.
    pub fn text(&self) -> Option<&str> {
        let Content::Json(value) = &self.content else { return None };
        let choice = &value["choices"][0];
        choice["message"]["content"].as_str().or(choice["text"].as_str())
    }
}
