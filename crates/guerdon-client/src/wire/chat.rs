//! OpenAI's chat completions.

use guerdon_core::Message;
use guerdon_core::method::{Reply, Request, TokenLogProb};
use serde::ser::SerializeSeq as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::lenient::{Content, ErrorWire, Pairs, UsageWire, first, parse};
use super::{Answer, Fault, Sampling, encode};
use crate::endpoint::Endpoint;

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: Messages<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_logprobs: Option<u8>,
    #[serde(flatten)]
    scoring: Option<Scoring>,
    #[serde(flatten)]
    sampling: Sampling<'a>,
}

/// vLLM's fields for log-probabilities of the prompt, whose last message is the continuation.
#[derive(Serialize)]
struct Scoring {
    prompt_logprobs: u8,
    add_generation_prompt: bool,
    continue_final_message: bool,
}

pub(super) fn write(
    endpoint: &Endpoint,
    request: &Request,
    plain: bool,
) -> Result<Vec<u8>, String> {
    let top = Some(request.top_logprobs).filter(|top| *top > 0);
    let continuation = request.continuation.as_deref();
    let scored = continuation.is_some();
    encode(&Body {
        model: &endpoint.model,
        messages: Messages { messages: &request.messages, continuation },
        logprobs: top.map(|_| true).filter(|_| !scored),
        top_logprobs: top.filter(|_| !scored),
        scoring: scored.then_some(Scoring {
            prompt_logprobs: request.top_logprobs,
            add_generation_prompt: false,
            continue_final_message: true,
        }),
        // One token is the least that servers generate here; it is not read.
        sampling: if scored {
            Sampling::none(endpoint, 1)
        } else {
            Sampling::new(endpoint, request, plain)
        },
    })
}

/// Messages as OpenAI's api wants them. Core's tool calls carry no ids: they are numbered, and results of tools answer
/// them in order.
pub(super) struct Messages<'a> {
    pub(super) messages: &'a [Message],
    pub(super) continuation: Option<&'a str>,
}

#[derive(Serialize)]
struct MessageWire<'a> {
    role: &'a str,
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<CallWire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<String>,
}

#[derive(Serialize)]
struct CallWire<'a> {
    id: String,
    r#type: &'static str,
    function: FunctionWire<'a>,
}

#[derive(Serialize)]
struct FunctionWire<'a> {
    name: &'a str,
    /// JSON as text.
    arguments: String,
}

impl Serialize for Messages<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        let (mut called, mut answered) = (0, 0);
        for message in self.messages {
            list.serialize_element(&message_wire(message, &mut called, &mut answered))?;
        }
        if let Some(text) = self.continuation {
            let message = MessageWire {
                role: "assistant",
                content: Some(text),
                tool_calls: Vec::new(),
                tool_call_id: None,
            };
            list.serialize_element(&message)?;
        }
        list.end()
    }
}

fn message_wire<'a>(message: &'a Message, called: &mut u32, answered: &mut u32) -> MessageWire<'a> {
    let number = |counter: &mut u32| {
        *counter += 1;
        format!("call_{counter}")
    };
    let tool_calls: Vec<CallWire<'_>> = message
        .tool_calls
        .iter()
        .map(|call| CallWire {
            id: number(called),
            r#type: "function",
            function: FunctionWire {
                name: &call.name,
                arguments: match &call.arguments {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                },
            },
        })
        .collect();
    let silent = message.content.is_empty() && !tool_calls.is_empty();
    MessageWire {
        role: &message.role,
        content: (!silent).then_some(&message.content),
        tool_calls,
        tool_call_id: (message.role == "tool").then(|| number(answered)),
    }
}

#[derive(Deserialize)]
struct ReplyWire {
    #[serde(default, deserialize_with = "first")]
    choices: Option<Choice>,
    #[serde(default)]
    usage: Option<UsageWire>,
    #[serde(default)]
    error: Option<ErrorWire>,
    #[serde(default)]
    prompt_logprobs: Option<Vec<Option<Pairs<PromptToken>>>>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    message: Option<Said>,
    #[serde(default)]
    finish_reason: Option<String>,
    #[serde(default)]
    logprobs: Option<LogProbs>,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    content: Content,
    #[serde(default)]
    refusal: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct LogProbs {
    #[serde(default)]
    pub(super) content: Option<Vec<Token>>,
}

#[derive(Deserialize)]
pub(super) struct Token {
    #[serde(rename = "token")]
    text: String,
    logprob: Option<f64>,
    #[serde(default)]
    top_logprobs: Option<Vec<Alternative>>,
}

#[derive(Deserialize)]
struct Alternative {
    token: String,
    logprob: Option<f64>,
}

#[derive(Deserialize)]
struct PromptToken {
    logprob: Option<f64>,
    #[serde(default)]
    decoded_token: Option<String>,
}

pub(super) fn read(request: &Request, body: &[u8]) -> Result<Answer, Fault> {
    let wire: ReplyWire = parse(body)?;
    if let Some(error) = wire.error {
        return Err(error.fault());
    }
    let usage = wire.usage.and_then(UsageWire::usage);
    if let Some(text) = &request.continuation {
        let tokens = wire.prompt_logprobs.ok_or_else(|| {
            Fault::Shape(
                "the reply has no `prompt_logprobs`: scoring a continuation over chat takes vLLM; use `api: completions` \
                 with a server that echoes log-probabilities"
                    .into(),
            )
        })?;
        let logprobs = end_of_prompt(tokens, text)?;
        let reply = Reply { text: text.clone(), truncated: false, logprobs, values: Vec::new() };
        return Ok(Answer { reply, usage });
    }
    let choice = wire.choices.ok_or_else(|| Fault::Shape("the reply has no `choices`".into()))?;
    let said = choice.message.ok_or_else(|| Fault::Shape("the choice has no `message`".into()))?;
    let reply = Reply {
        text: said.content.0.or(said.refusal).unwrap_or_default(),
        truncated: choice.finish_reason.as_deref() == Some("length"),
        logprobs: tokens(choice.logprobs)?,
        values: Vec::new(),
    };
    Ok(Answer { reply, usage })
}

/// The chosen tokens with their alternatives. An alternative without a number has probability 0 and is left out.
pub(super) fn tokens(logprobs: Option<LogProbs>) -> Result<Vec<TokenLogProb>, Fault> {
    token_list(logprobs.and_then(|logprobs| logprobs.content).unwrap_or_default())
}

pub(super) fn token_list(list: Vec<Token>) -> Result<Vec<TokenLogProb>, Fault> {
    list.into_iter()
        .map(|token| {
            let top = token.top_logprobs.unwrap_or_default();
            let top = top.into_iter().filter_map(|a| a.logprob.map(|p| (a.token, p))).collect();
            let logprob = number(token.logprob)?;
            Ok(TokenLogProb { token: token.text, logprob, top })
        })
        .collect()
}

pub(super) fn number(logprob: Option<f64>) -> Result<f64, Fault> {
    logprob.ok_or_else(|| Fault::Shape("a token has no log-probability".into()))
}

/// The tokens at the end of the prompt that spell `text`; the first entry at a position is the prompt's own token.
fn end_of_prompt(
    tokens: Vec<Option<Pairs<PromptToken>>>,
    text: &str,
) -> Result<Vec<TokenLogProb>, Fault> {
    let wanted = text.chars().count();
    let (mut taken, mut spelled) = (Vec::new(), 0);
    for pairs in tokens.into_iter().rev().flatten() {
        if spelled >= wanted {
            break;
        }
        let token = prompt_token(pairs)?;
        spelled += token.token.chars().count();
        taken.push(token);
    }
    taken.reverse();
    let spelled: String = taken.iter().map(|token| token.token.as_str()).collect();
    if spelled.ends_with(text) {
        return Ok(taken);
    }
    Err(Fault::Shape(
        "the prompt's tokens do not end with the continuation: the chat template changes it; use `api: completions`".into(),
    ))
}

fn prompt_token(pairs: Pairs<PromptToken>) -> Result<TokenLogProb, Fault> {
    let alternatives = pairs.0.iter();
    let top = alternatives
        .filter_map(|(_, t)| Some((t.decoded_token.clone()?, t.logprob?)))
        .collect::<Vec<_>>();
    let chosen = pairs.0.into_iter().next();
    let (id, token) =
        chosen.ok_or_else(|| Fault::Shape("a token of the prompt is empty".into()))?;
    let logprob = number(token.logprob)?;
    Ok(TokenLogProb { token: token.decoded_token.unwrap_or(id), logprob, top })
}

#[cfg(test)]
mod tests {
    use super::{read, write};
    use crate::endpoint::Endpoint;
    use crate::wire::{Fault, Usage};
    use guerdon_core::method::Request;
    use guerdon_core::{Message, ToolCall};
    use serde_json::{Value, json};

    fn body(endpoint: &Endpoint, request: &Request) -> Value {
        serde_json::from_slice(&write(endpoint, request, false).unwrap()).unwrap()
    }

    fn reply(body: &Value) -> Result<crate::wire::Answer, Fault> {
        read(&Request::user("?"), body.to_string().as_bytes())
    }

    #[test]
    fn the_body_holds_what_is_set_and_nothing_else() {
        let mut endpoint = Endpoint::new("http://h/v1", "m");
        let mut request = Request::user("six times seven?");
        let messages = json!([{"role": "user", "content": "six times seven?"}]);
        assert_eq!(body(&endpoint, &request), json!({"model": "m", "messages": messages}));
        endpoint.seed = Some(7);
        endpoint.temperature = Some(1.0);
        endpoint.extra.insert("top_k".into(), json!(5));
        request.sample = 2;
        request.temperature = Some(0.5);
        request.top_logprobs = 3;
        request.schema = Some(json!({"type": "object"}));
        assert_eq!(
            body(&endpoint, &request),
            json!({"model": "m", "messages": messages, "logprobs": true, "top_logprobs": 3, "temperature": 0.5, "seed": 9,
                "response_format": {"type": "json_schema", "json_schema": {"name": "reply", "strict": true, "schema":
                {"type": "object"}}}, "top_k": 5})
        );
    }

    #[test]
    fn tool_calls_are_numbered() {
        let call = ToolCall { name: "add".into(), arguments: json!({"a": 1}) };
        let message = |role: &str, content: &str, calls| Message {
            role: role.into(),
            content: content.into(),
            tool_calls: calls,
        };
        let request = Request::chat(vec![
            message("assistant", "", vec![call]),
            message("tool", "2", Vec::new()),
        ]);
        let body = body(&Endpoint::new("http://h/v1", "m"), &request);
        assert_eq!(
            body["messages"],
            json!([
                {"role": "assistant", "content": null, "tool_calls": [{"id": "call_1", "type": "function", "function":
                    {"name": "add", "arguments": "{\"a\":1}"}}]},
                {"role": "tool", "content": "2", "tool_call_id": "call_1"}
            ])
        );
    }

    #[test]
    fn replies_are_read() {
        let answer = reply(&json!({"choices": [{"message": {"content": "42"}, "finish_reason": "length", "logprobs": {"content":
            [{"token": "42", "logprob": -0.5, "top_logprobs": [{"token": "42", "logprob": -0.5}, {"token": "x", "logprob": null}]}]}},
            {"message": 3}], "usage": {"prompt_tokens": 5, "completion_tokens": 1}}))
        .unwrap();
        assert_eq!((answer.reply.text.as_str(), answer.reply.truncated), ("42", true));
        assert_eq!(answer.reply.logprobs[0].top, [("42".to_owned(), -0.5)]);
        assert_eq!(answer.usage, Some(Usage { input: 5, output: 1 }));
        let parts = reply(
            &json!({"choices": [{"message": {"content": [{"type": "text", "text": "a"}, {"text": "b"}]}}]}),
        );
        assert_eq!(parts.unwrap().reply.text, "ab");
        let refusal = reply(&json!({"choices": [{"message": {"content": null, "refusal": "no"}}]}));
        assert_eq!(refusal.unwrap().reply.text, "no");
    }

    #[test]
    fn what_is_no_reply() {
        assert!(matches!(read(&Request::user("?"), b"{\"choices\": [{"), Err(Fault::Garbled(_))));
        assert!(matches!(reply(&json!({"choices": []})), Err(Fault::Shape(_))));
        assert!(matches!(reply(&json!([])), Err(Fault::Shape(_))));
        let error = reply(&json!({"error": {"code": 502, "message": "upstream"}}));
        assert_eq!(error, Err(Fault::Service(Some(502), "upstream".into())));
    }

    #[test]
    fn continuations_over_chat() {
        let mut request = Request::user("Is it?");
        request.continuation = Some(" Yes".into());
        request.top_logprobs = 1;
        let body = body(&Endpoint::new("http://h/v1", "m"), &request);
        assert_eq!((&body["prompt_logprobs"], &body["max_tokens"]), (&json!(1), &json!(1)));
        assert_eq!(body["messages"][1], json!({"role": "assistant", "content": " Yes"}));
        let reply = json!({"choices": [], "prompt_logprobs": [null, {"7": {"logprob": -3.0, "decoded_token": "?"}},
            {"9": {"logprob": -2.0, "rank": 2, "decoded_token": " Y"}, "1": {"logprob": -0.1, "decoded_token": " N"}},
            {"8": {"logprob": -0.5, "decoded_token": "es"}}]});
        let answer = read(&request, reply.to_string().as_bytes()).unwrap();
        let tokens: Vec<_> =
            answer.reply.logprobs.iter().map(|t| (t.token.as_str(), t.logprob)).collect();
        assert_eq!(tokens, [(" Y", -2.0), ("es", -0.5)]);
        assert_eq!(answer.reply.logprobs[0].top.len(), 2);
        let without = read(&request, br#"{"choices": []}"#);
        assert!(matches!(without, Err(Fault::Shape(m)) if m.contains("api: completions")));
    }
}
