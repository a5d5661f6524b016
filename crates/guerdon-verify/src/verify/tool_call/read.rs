//! Reading tool calls from rollouts and references.

use guerdon_core::{Rollout, ToolCall, Unscored};
use serde_json::{Map, Value};

use crate::verify::passage;

/// Most calls that are compared.
const MAX_CALLS: usize = 256;

/// The calls of the rollout: those recorded, else those in the text. A text without calls makes none.
pub(super) fn calls(rollout: &Rollout) -> Result<Vec<ToolCall>, String> {
    if rollout.tool_calls.is_empty() {
        return in_text(rollout.text());
    }
    bounded(rollout.tool_calls.iter().map(|c| normal(&c.name, &c.arguments)).collect())
}

/// The calls of the reference: a list of calls, one call, or text that holds them.
pub(super) fn reference(value: &Value) -> Result<Vec<ToolCall>, Unscored> {
    let calls = match value {
        Value::String(text) => in_text(text),
        other => from_value(other),
    };
    calls.map_err(|why| Unscored::invalid(format!("the reference: {why}")))
}

/// The calls in a text: in its `<tool_call>` tags, else the whole text as JSON.
pub(super) fn in_text(text: &str) -> Result<Vec<ToolCall>, String> {
    if text.contains("<tool_call>") {
        let mut calls = Vec::new();
        for rest in text.split("<tool_call>").skip(1).take(MAX_CALLS + 1) {
            let (body, _) = rest.split_once("</tool_call>").ok_or("a <tool_call> is left open")?;
            calls.extend(block(body.trim())?);
        }
        return bounded(calls);
    }
    let body = passage::passage(text, "")?;
    if body.starts_with(['[', '{']) { bounded(block(body)?) } else { Ok(Vec::new()) }
}

/// One JSON value, or one per line.
pub(super) fn block(body: &str) -> Result<Vec<ToolCall>, String> {
    if let Ok(value) = passage::json(body) {
        return from_value(&value);
    }
    let mut calls = Vec::new();
    for line in body.lines().filter(|line| !line.trim().is_empty()).take(MAX_CALLS + 1) {
        calls.extend(from_value(&passage::json(line)?)?);
    }
    Ok(calls)
}

fn bounded(calls: Vec<ToolCall>) -> Result<Vec<ToolCall>, String> {
    if calls.len() > MAX_CALLS {
        return Err(format!("more than {MAX_CALLS} calls"));
    }
    Ok(calls)
}

fn from_value(value: &Value) -> Result<Vec<ToolCall>, String> {
    match value {
        Value::Array(items) => items.iter().map(one).collect(),
        other => Ok(vec![one(other)?]),
    }
}

/// `{"name", "arguments" | "parameters"}`, the same below `function`, or `{"name": {arguments}}`.
fn one(value: &Value) -> Result<ToolCall, String> {
    let object = value.as_object().ok_or("a call is a JSON object")?;
    let object = object.get("function").and_then(Value::as_object).unwrap_or(object);
    if let Some(name) = object.get("name").and_then(Value::as_str) {
        let arguments = object.get("arguments").or_else(|| object.get("parameters"));
        return Ok(normal(name, arguments.unwrap_or(&Value::Null)));
    }
    match object.iter().next() {
        Some((name, arguments)) if object.len() == 1 && arguments.is_object() => {
            Ok(normal(name, arguments))
        }
        _ => Err("a call has a name and arguments".to_owned()),
    }
}

/// Arguments that are JSON text are read; none are an empty object.
fn normal(name: &str, arguments: &Value) -> ToolCall {
    let arguments = match arguments {
        Value::Null => Value::Object(Map::new()),
        Value::String(text) => passage::json(text).unwrap_or_else(|_| arguments.clone()),
        other => other.clone(),
    };
    ToolCall { name: name.to_owned(), arguments }
}
