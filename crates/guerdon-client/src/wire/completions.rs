//! OpenAI's completions: text in, text out, and log-probabilities of a given text.

use guerdon_core::method::{Reply, Request, TokenLogProb};
use serde::{Deserialize, Serialize};

use super::chat::{Token, number};
use super::lenient::{ErrorWire, Pairs, UsageWire, first, parse};
use super::{Answer, Fault, Sampling, encode, plain_text};
use crate::endpoint::Endpoint;

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    prompt: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    echo: Option<bool>,
    #[serde(flatten)]
    sampling: Sampling<'a>,
}

pub(super) fn write(
    endpoint: &Endpoint,
    request: &Request,
    plain: bool,
) -> Result<Vec<u8>, String> {
    let mut prompt = plain_text(&request.messages);
    let scored = request.continuation.is_some();
    prompt.push_str(request.continuation.as_deref().unwrap_or_default());
    encode(&Body {
        model: &endpoint.model,
        prompt: &prompt,
        logprobs: (scored || request.top_logprobs > 0).then_some(request.top_logprobs),
        echo: scored.then_some(true),
        sampling: if scored {
            Sampling::none(endpoint, 0)
        } else {
            Sampling::new(endpoint, request, plain)
        },
    })
}

#[derive(Deserialize)]
struct ReplyWire {
    #[serde(default, deserialize_with = "first")]
    choices: Option<Choice>,
    #[serde(default)]
    usage: Option<UsageWire>,
    #[serde(default)]
    error: Option<ErrorWire>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    finish_reason: Option<String>,
    #[serde(default)]
    logprobs: Option<LogProbs>,
}

/// Parallel lists, one entry per token.
#[derive(Deserialize)]
pub(super) struct LogProbs {
    #[serde(default)]
    tokens: Vec<String>,
    #[serde(default)]
    token_logprobs: Vec<Option<f64>>,
    #[serde(default)]
    top_logprobs: Option<Vec<Option<Pairs<Option<f64>>>>>,
    #[serde(default)]
    text_offset: Option<Vec<u64>>,
    /// The chat api's form, which llama.cpp uses here, too.
    #[serde(default)]
    content: Option<Vec<Token>>,
}

pub(super) fn read(request: &Request, body: &[u8]) -> Result<Answer, Fault> {
    let wire: ReplyWire = parse(body)?;
    if let Some(error) = wire.error {
        return Err(error.fault());
    }
    let choice = wire.choices.ok_or_else(|| Fault::Shape("the reply has no `choices`".into()))?;
    let usage = wire.usage.and_then(UsageWire::usage);
    let reply = match &request.continuation {
        Some(text) => scored(request, text, choice.logprobs)?,
        None => Reply {
            text: choice.text.ok_or_else(|| Fault::Shape("the choice has no `text`".into()))?,
            truncated: choice.finish_reason.as_deref() == Some("length"),
            logprobs: generated(choice.logprobs)?,
            values: Vec::new(),
        },
    };
    Ok(Answer { reply, usage })
}

fn generated(logprobs: Option<LogProbs>) -> Result<Vec<TokenLogProb>, Fault> {
    match logprobs {
        None => Ok(Vec::new()),
        Some(LogProbs { content: Some(content), .. }) => super::chat::token_list(content),
        Some(parallel) => tokens(parallel, 0, u64::MAX),
    }
}

fn scored(request: &Request, text: &str, logprobs: Option<LogProbs>) -> Result<Reply, Fault> {
    const REMEDY: &str = "scoring a continuation takes a server that echoes log-probabilities of the prompt, such as vLLM";
    let logprobs =
        logprobs.ok_or_else(|| Fault::Shape(format!("the reply has no `logprobs`: {REMEDY}")))?;
    let start = plain_text(&request.messages).chars().count() as u64;
    let logprobs = tokens(logprobs, start, start + text.chars().count() as u64)?;
    if logprobs.is_empty() && !text.is_empty() {
        return Err(Fault::Shape(format!("the prompt was not echoed: {REMEDY}")));
    }
    Ok(Reply { text: text.to_owned(), truncated: false, logprobs, values: Vec::new() })
}

/// The tokens that reach into the characters `start..end`. The very first token of a text has no probability and is left
/// out.
pub(super) fn tokens(wire: LogProbs, start: u64, end: u64) -> Result<Vec<TokenLogProb>, Fault> {
    if wire.tokens.len() != wire.token_logprobs.len() {
        return Err(Fault::Shape("`tokens` and `token_logprobs` differ in length".into()));
    }
    let offsets = offsets(&wire.tokens, wire.text_offset.as_deref());
    let mut tops = wire.top_logprobs.unwrap_or_default().into_iter();
    let mut taken = Vec::new();
    for (at, (token, logprob)) in wire.tokens.into_iter().zip(wire.token_logprobs).enumerate() {
        let top = tops.next().flatten();
        let stop = offsets.get(at + 1).copied().unwrap_or(offsets[at] + length(&token));
        if stop <= start || offsets[at] >= end || (at == 0 && logprob.is_none()) {
            continue;
        }
        taken.push(TokenLogProb { token, logprob: number(logprob)?, top: alternatives(top) });
    }
    Ok(taken)
}

fn length(token: &str) -> u64 {
    token.chars().count() as u64
}

/// Where each token begins, in characters: as the server says, or as the tokens' lengths add up.
fn offsets(tokens: &[String], said: Option<&[u64]>) -> Vec<u64> {
    match said {
        Some(said) if said.len() == tokens.len() && said.is_sorted() => said.to_vec(),
        _ => tokens
            .iter()
            .scan(0, |at, token| Some(std::mem::replace(at, *at + length(token))))
            .collect(),
    }
}

/// Most probable first; equally probable ones by name.
fn alternatives(pairs: Option<Pairs<Option<f64>>>) -> Vec<(String, f64)> {
    let mut top: Vec<(String, f64)> = pairs
        .map(|pairs| pairs.0.into_iter().filter_map(|(token, p)| Some((token, p?))).collect())
        .unwrap_or_default();
    top.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    top
}

#[cfg(test)]
mod tests {
    use super::{read, write};
    use crate::endpoint::Endpoint;
    use guerdon_core::method::Request;
    use serde_json::{Value, json};

    fn scoring() -> Request {
        let mut request = Request::user("Größe?");
        request.continuation = Some(" Yes".into());
        request
    }

    #[test]
    fn scoring_echoes_and_samples_nothing() {
        let endpoint = Endpoint { temperature: Some(1.0), ..Endpoint::new("http://h/v1", "m") };
        let body: Value =
            serde_json::from_slice(&write(&endpoint, &scoring(), false).unwrap()).unwrap();
        assert_eq!(
            body,
            json!({"model": "m", "prompt": "Größe? Yes", "logprobs": 0, "echo": true, "max_tokens": 0})
        );
    }

    fn scored(logprobs: &Value) -> Vec<(String, f64)> {
        let body = json!({"choices": [{"text": "", "logprobs": logprobs}]});
        let reply = read(&scoring(), body.to_string().as_bytes()).unwrap().reply;
        reply.logprobs.into_iter().map(|t| (t.token, t.logprob)).collect()
    }

    #[test]
    fn the_tokens_of_the_continuation_are_cut_out() {
        let expected = [(" Y".to_owned(), -1.0), ("es".to_owned(), -2.0)];
        let tokens = json!(["Größe", "?", " Y", "es", "!"]);
        let logprobs = json!([null, -9.0, -1.0, -2.0, -8.0]);
        let bare = json!({"tokens": tokens, "token_logprobs": logprobs});
        assert_eq!(scored(&bare), expected);
        let told = json!({"tokens": tokens, "token_logprobs": logprobs, "text_offset": [0, 5, 6, 8, 10],
            "top_logprobs": [null, {}, {" Y": -1.0, " N": -0.5}, {}, {}]});
        assert_eq!(scored(&told), expected);
    }

    #[test]
    fn log_probabilities_in_either_form() {
        let parallel = json!({"tokens": ["4", "2"], "token_logprobs": [-0.5, -1.0]});
        let listed =
            json!({"content": [{"token": "4", "logprob": -0.5}, {"token": "2", "logprob": -1.0}]});
        for logprobs in [parallel, listed] {
            let body = json!({"choices": [{"text": "42", "logprobs": logprobs}]});
            let reply = read(&Request::user("?"), body.to_string().as_bytes()).unwrap().reply;
            assert_eq!(reply.logprobs.iter().map(|t| t.logprob).collect::<Vec<_>>(), [-0.5, -1.0]);
        }
    }

    #[test]
    fn a_server_that_does_not_echo_is_named() {
        for body in [
            json!({"choices": [{"text": "x"}]}),
            json!({"choices": [{"logprobs": {"tokens": ["x"], "token_logprobs": [-1]}}]}),
        ] {
            let fault = format!("{:?}", read(&scoring(), body.to_string().as_bytes()).unwrap_err());
            assert!(fault.contains("echo"), "{fault}");
        }
        let uneven =
            json!({"choices": [{"text": "", "logprobs": {"tokens": ["x"], "token_logprobs": []}}]});
        assert!(read(&scoring(), uneven.to_string().as_bytes()).is_err());
    }
}
