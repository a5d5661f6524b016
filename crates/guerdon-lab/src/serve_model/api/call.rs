//! Calls in the terms of Guerdon's protocols, without a network.

use guerdon_core::method::{Reply as Said, Request, TokenLogProb};
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::reply::{Content, Reply};
use super::request::{Body, Call, Route};
use crate::serve_model::models::Mind;
use crate::serve_model::script::Script;

/// Log-probabilities per token, with their alternatives.
const NONE: &[Value] = &[];

impl Script {
    /// Answers a protocol's request in the place of a client and a server: the same reply that a client gets from a server
    /// of this script, over `seed` plus the request's sample. A reward model gives its numbers for the last message.
    ///
    /// `structured`: the endpoint offers structured output, so that the reply follows the request's schema. What a server
    /// would refuse is an error with its message.
    pub fn call(
        &self,
        model: &str,
        request: &Request,
        seed: u64,
        structured: bool,
    ) -> Result<Said, String> {
        let rewards = self
            .models
            .get(model)
            .is_some_and(|m| matches!(m.mind, Mind::Reward(_) | Mind::Embedder(_)));
        let (route, body) = match &request.continuation {
            _ if rewards => (
                Route::Embeddings,
                json!({"input": request.messages.last().map_or("", |m| m.content.as_str())}),
            ),
            Some(text) => (Route::Completions, scoring(request, text)),
            None => (Route::Chat, chat(request, seed, structured)),
        };
        let mut body = Body::deserialize(body).map_err(|error| error.to_string())?;
        body.model = Some(model.to_owned());
        let reply = self.perform(&Call { route, body, name: None });
        let Reply { status, content: Content::Json(value), .. } = reply else {
            return Err("the reply is a stream".into());
        };
        if status != 200 {
            return Err(value["error"]["message"].as_str().unwrap_or("refused").to_owned());
        }
        Ok(match route {
            Route::Embeddings => numbers(&value),
            Route::Completions => scored(request, &value),
            _ => said(&value),
        })
    }
}

fn chat(request: &Request, seed: u64, structured: bool) -> Value {
    let messages: Vec<Value> =
        request.messages.iter().map(|m| json!({"role": m.role, "content": m.content})).collect();
    let format = request.schema.as_ref().filter(|_| structured);
    json!({
        "messages": messages,
        "seed": seed.wrapping_add(request.sample.into()).cast_signed(),
        "temperature": request.temperature,
        "max_tokens": request.max_tokens,
        "logprobs": request.top_logprobs > 0,
        "top_logprobs": u32::from(request.top_logprobs).min(20),
        "response_format": format.map(|schema| json!({"type": "json_schema", "json_schema": {"schema": schema}})),
    })
}

/// The messages one below the other, and the text that is scored.
fn scoring(request: &Request, text: &str) -> Value {
    json!({
        "prompt": format!("{}{text}", plain(request)), "echo": true, "max_tokens": 0,
        "logprobs": u32::from(request.top_logprobs).min(20),
    })
}

fn plain(request: &Request) -> String {
    request.messages.iter().map(|m| m.content.as_str()).collect::<Vec<_>>().join("\n\n")
}

fn said(value: &Value) -> Said {
    let choice = &value["choices"][0];
    let tokens = choice["logprobs"]["content"].as_array().map_or(NONE, Vec::as_slice);
    let pair = |t: &Value| Some((t["token"].as_str()?.to_owned(), t["logprob"].as_f64()?));
    let token = |t: &Value| {
        let (token, logprob) = pair(t)?;
        let top = t["top_logprobs"]
            .as_array()
            .map_or(NONE, Vec::as_slice)
            .iter()
            .filter_map(pair)
            .collect();
        Some(TokenLogProb { token, logprob, top })
    };
    Said {
        text: choice["message"]["content"].as_str().unwrap_or_default().to_owned(),
        truncated: choice["finish_reason"] == "length",
        logprobs: tokens.iter().filter_map(token).collect(),
        values: Vec::new(),
    }
}

/// The tokens of the scored text: those that reach behind the messages.
fn scored(request: &Request, value: &Value) -> Said {
    let lists = &value["choices"][0]["logprobs"];
    let start = plain(request).chars().count() as u64;
    let count = lists["tokens"].as_array().map_or(0, Vec::len);
    let token = |i: usize| {
        let text = lists["tokens"][i].as_str()?;
        let end = lists["text_offset"][i].as_u64()? + text.chars().count() as u64;
        let top = lists["top_logprobs"][i].as_object().into_iter().flatten();
        let top = top.filter_map(|(token, p)| Some((token.clone(), p.as_f64()?))).collect();
        let logprob = lists["token_logprobs"][i].as_f64()?;
        (end > start).then(|| TokenLogProb { token: text.to_owned(), logprob, top })
    };
    Said {
        text: request.continuation.clone().unwrap_or_default(),
        logprobs: (0..count).filter_map(token).collect(),
        ..Said::default()
    }
}

fn numbers(value: &Value) -> Said {
    let list = value["data"][0]["embedding"].as_array().map_or(NONE, Vec::as_slice);
    Said { values: list.iter().filter_map(Value::as_f64).collect(), ..Said::default() }
}
