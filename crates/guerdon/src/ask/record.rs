//! What was said in a conversation, for people to read.

use guerdon_core::method::{Reply, Request};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One request and its reply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    /// What was asked: the exact prompt.
    pub request: Request,
    /// What was answered.
    pub reply: String,
    /// Whether the reply was cut off.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

pub(super) fn turns(requests: Vec<Request>, replies: &[Reply]) -> Vec<Turn> {
    let turn = |(request, reply): (Request, &Reply)| Turn {
        request,
        reply: reply.text.clone(),
        truncated: reply.truncated,
    };
    requests.into_iter().zip(replies).map(turn).collect()
}

/// The judge's words: the replies of the last round. Of a structured reply the reasoning comes first, as text.
pub(crate) fn words(rounds: &[Vec<Turn>]) -> String {
    let replies = rounds.last().into_iter().flatten().map(|turn| told(turn.reply.trim()));
    replies.filter(|reply| !reply.is_empty()).collect::<Vec<_>>().join("\n\n――\n\n")
}

fn told(reply: &str) -> String {
    let object = reply
        .strip_prefix('{')
        .and_then(|_| serde_json::from_str::<Map<String, Value>>(reply).ok());
    let Some(mut object) = object else { return reply.to_owned() };
    match object.shift_remove("reasoning") {
        Some(Value::String(reasoning)) => {
            let rest = object.iter().map(|(key, value)| format!("{key}: {value}"));
            format!("{reasoning}\n\n{}", rest.collect::<Vec<_>>().join("\n"))
        }
        _ => reply.to_owned(),
    }
}
