//! Reward models: vLLM's classify and pooling, OpenAI's embeddings, OpenRLHF's remote contract.

use guerdon_core::method::{Reply, Request};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::chat::Messages;
use super::lenient::{ErrorWire, Numbers, UsageWire, last, parse};
use super::{Answer, Fault, encode, plain_text};
use crate::endpoint::Endpoint;

/// One message is the model's input as it stands; a conversation is left to the model's chat template.
#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<Messages<'a>>,
    #[serde(flatten)]
    extra: &'a Map<String, Value>,
}

pub(super) fn write(endpoint: &Endpoint, request: &Request) -> Result<Vec<u8>, String> {
    let (input, messages) = match request.messages.as_slice() {
        [only] => (Some(only.content.as_str()), None),
        messages => (None, Some(Messages { messages, continuation: None })),
    };
    encode(&Body { model: &endpoint.model, input, messages, extra: &endpoint.extra })
}

#[derive(Serialize)]
struct OpenRlhfBody<'a> {
    query: [&'a str; 1],
    prompts: [&'a str; 1],
    labels: [&'a str; 1],
    #[serde(flatten)]
    extra: &'a Map<String, Value>,
}

pub(super) fn write_openrlhf(endpoint: &Endpoint, request: &Request) -> Result<Vec<u8>, String> {
    let (response, before) = match request.messages.split_last() {
        Some((last, before)) if !before.is_empty() => (last.content.as_str(), before),
        _ => ("", request.messages.as_slice()),
    };
    let prompt = plain_text(before);
    let query = format!("{prompt}{response}");
    encode(&OpenRlhfBody {
        query: [&query],
        prompts: [&prompt],
        labels: [""],
        extra: &endpoint.extra,
    })
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct ReplyWire<T> {
    #[serde(default, deserialize_with = "last")]
    data: Option<T>,
    #[serde(default)]
    usage: Option<UsageWire>,
    #[serde(default)]
    error: Option<ErrorWire>,
}

#[derive(Deserialize)]
struct Class {
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    probs: Numbers,
}

#[derive(Deserialize)]
struct Pooled {
    #[serde(default)]
    data: Numbers,
}

#[derive(Deserialize)]
struct Embedding {
    #[serde(default)]
    embedding: Numbers,
}

pub(super) fn read_classify(body: &[u8]) -> Result<Answer, Fault> {
    read(body, "probs", |class: Class| (class.label.unwrap_or_default(), class.probs.0))
}

pub(super) fn read_pooling(body: &[u8]) -> Result<Answer, Fault> {
    read(body, "data", |pooled: Pooled| (String::new(), pooled.data.0))
}

pub(super) fn read_embeddings(body: &[u8]) -> Result<Answer, Fault> {
    read(body, "embedding", |vector: Embedding| (String::new(), vector.embedding.0))
}

fn read<'a, T: Deserialize<'a>>(
    body: &'a [u8],
    field: &str,
    take: impl FnOnce(T) -> (String, Vec<f64>),
) -> Result<Answer, Fault> {
    let wire: ReplyWire<T> = parse(body)?;
    if let Some(error) = wire.error {
        return Err(error.fault());
    }
    let (text, values) = wire.data.map(take).unwrap_or_default();
    let usage = wire.usage.and_then(UsageWire::usage);
    answer(text, values, usage)
        .ok_or_else(|| Fault::Shape(format!("the reply has no numbers at `data[-1].{field}`")))
}

fn answer(text: String, values: Vec<f64>, usage: Option<super::Usage>) -> Option<Answer> {
    let whole = !values.is_empty() && values.iter().all(|value| value.is_finite());
    whole.then(|| Answer { reply: Reply { text, values, ..Reply::default() }, usage })
}

#[derive(Deserialize)]
struct OpenRlhfReply {
    #[serde(default)]
    rewards: Option<Numbers>,
    #[serde(default)]
    error: Option<ErrorWire>,
}

pub(super) fn read_openrlhf(body: &[u8]) -> Result<Answer, Fault> {
    let wire: OpenRlhfReply = parse(body)?;
    if let Some(error) = wire.error {
        return Err(error.fault());
    }
    let values = wire.rewards.unwrap_or_default().0;
    answer(String::new(), values, None)
        .ok_or_else(|| Fault::Shape("the reply has no `rewards`".into()))
}

#[cfg(test)]
mod tests {
    use super::{
        read_classify, read_embeddings, read_openrlhf, read_pooling, write, write_openrlhf,
    };
    use crate::endpoint::Endpoint;
    use guerdon_core::Message;
    use guerdon_core::method::Request;
    use serde_json::{Value, json};

    fn message(role: &str, content: &str) -> Message {
        Message { role: role.into(), content: content.into(), tool_calls: Vec::new() }
    }

    #[test]
    fn bodies() {
        let mut endpoint = Endpoint::new("http://h/v1", "rm");
        endpoint.extra.insert("use_activation".into(), json!(false));
        let read = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).unwrap();
        let one = read(write(&endpoint, &Request::user("text")).unwrap());
        assert_eq!(one, json!({"model": "rm", "input": "text", "use_activation": false}));
        let request = Request::chat(vec![message("user", "q"), message("assistant", "a")]);
        let chat = read(write(&endpoint, &request).unwrap());
        assert_eq!(chat["messages"][1], json!({"role": "assistant", "content": "a"}));
        endpoint.extra.clear();
        let remote = read(write_openrlhf(&endpoint, &request).unwrap());
        assert_eq!(remote, json!({"query": ["qa"], "prompts": ["q"], "labels": [""]}));
    }

    #[test]
    fn values() {
        let values = |answer: Result<crate::wire::Answer, _>| answer.unwrap().reply.values;
        let class = read_classify(
            br#"{"data": [{"probs": [1]}, {"label": "good", "probs": [0.25, 0.75]}]}"#,
        )
        .unwrap();
        assert_eq!((class.reply.text.as_str(), class.reply.values), ("good", vec![0.25, 0.75]));
        assert_eq!(values(read_pooling(br#"{"data": [{"data": [[0.5], [-1]]}]}"#)), [0.5, -1.0]);
        assert_eq!(values(read_embeddings(br#"{"data": [{"embedding": [3.5]}]}"#)), [3.5]);
        assert_eq!(
            values(read_openrlhf(br#"{"rewards": [2], "scores": [1], "extra_logs": {}}"#)),
            [2.0]
        );
        assert!(read_pooling(br#"{"data": []}"#).is_err());
        assert!(read_openrlhf(br#"{"rewards": [null]}"#).is_err());
        assert!(
            read_openrlhf(format!("{{\"rewards\": {}", "[".repeat(1 << 20)).as_bytes()).is_err()
        );
    }
}
