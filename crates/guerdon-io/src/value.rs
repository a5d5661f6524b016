//! JSON values: paths into them, and what they are in words.

use guerdon_core::{Message, Text, ToolCall};
use serde_json::{Map, Value};

/// The value at a column name or dotted path. A column whose very name has dots comes first.
pub(crate) fn at<'a>(columns: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    if let Some(value) = columns.get(path) {
        return Some(value);
    }
    let mut parts = path.split('.');
    let first = columns.get(parts.next()?)?;
    parts.try_fold(first, |value, part| match value {
        Value::Object(map) => map.get(part),
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        _ => None,
    })
}

/// What a value is, in a few words: `a number (3)`, `a list of 2 values`.
pub(crate) fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => format!("a boolean ({flag})"),
        Value::Number(number) => format!("a number ({number})"),
        Value::String(text) => format!("text ({})", quoted(text)),
        Value::Array(items) if items.is_empty() => "an empty list".to_owned(),
        Value::Array(items) => format!("a list that holds {}", shallow(&items[0])),
        Value::Object(_) => "an object".to_owned(),
    }
}

fn shallow(value: &Value) -> String {
    match value {
        Value::Array(_) => "lists".to_owned(),
        Value::Object(_) => "objects of another shape".to_owned(),
        _ => describe(value),
    }
}

fn quoted(text: &str) -> String {
    const SHOWN: usize = 24;
    match text.char_indices().nth(SHOWN) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}...", &text[..end]),
    }
}

/// A prompt or completion: text, a message, or a list of messages.
pub(crate) fn text(value: &Value) -> Option<Text> {
    match value {
        Value::String(text) => Some(Text::Plain(text.clone())),
        Value::Object(_) => Some(Text::Chat(vec![message(value)?])),
        Value::Array(_) => messages(value).map(Text::Chat),
        _ => None,
    }
}

/// A list of messages.
pub(crate) fn messages(value: &Value) -> Option<Vec<Message>> {
    value.as_array()?.iter().map(message).collect()
}

fn message(value: &Value) -> Option<Message> {
    let map = value.as_object()?;
    let calls = match map.get("tool_calls") {
        None | Some(Value::Null) => Vec::new(),
        Some(calls) => tool_calls(calls)?,
    };
    Some(Message {
        role: map.get("role")?.as_str()?.to_owned(),
        content: content(map.get("content"))?,
        tool_calls: calls,
    })
}

/// Text, or the text parts of a list of parts, joined by newlines; parts of other types (images) are left out.
fn content(value: Option<&Value>) -> Option<String> {
    match value {
        None | Some(Value::Null) => Some(String::new()),
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Array(parts)) => {
            let texts = parts.iter().filter(|part| !is_other(part)).map(part);
            Some(texts.collect::<Option<Vec<_>>>()?.join("\n"))
        }
        Some(_) => None,
    }
}

/// A part of a message that holds no text: an image, say.
fn is_other(part: &Value) -> bool {
    part.as_object().is_some_and(|part| !part.get("text").is_some_and(Value::is_string))
}

fn part(part: &Value) -> Option<&str> {
    part.as_str().or_else(|| part.get("text")?.as_str())
}

/// Tool calls, plain (`name`, `arguments`) or as `OpenAI` writes them (`function.name`, `function.arguments` as JSON text).
pub(crate) fn tool_calls(value: &Value) -> Option<Vec<ToolCall>> {
    value.as_array()?.iter().map(tool_call).collect()
}

fn tool_call(value: &Value) -> Option<ToolCall> {
    let outer = value.as_object()?;
    let call = outer.get("function").and_then(Value::as_object).unwrap_or(outer);
    let arguments = match call.get("arguments") {
        Some(Value::String(text)) => match serde_json::from_str::<Value>(text) {
            Ok(parsed @ Value::Object(_)) => parsed,
            _ => Value::String(text.clone()),
        },
        Some(other) => other.clone(),
        None => Value::Null,
    };
    Some(ToolCall { name: call.get("name")?.as_str()?.to_owned(), arguments })
}

/// A scalar as text: what names groups and rollouts.
pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}
