//! The Berkeley leaderboard's match of calls against possible answers.

use guerdon_core::{ToolCall, Unscored};
use serde_json::{Map, Value};

use crate::verify::passage;

/// One expected call: the function and, for each argument, the values that it may take.
pub(super) struct Answer {
    name: String,
    arguments: Map<String, Value>,
}

/// Reads `[{"name": {"argument": [allowed, values]}}]`.
pub(super) fn answers(reference: &Value) -> Result<Vec<Answer>, Unscored> {
    let value = passage::as_json(reference)?;
    let items = match value.as_ref() {
        Value::Array(items) => items.as_slice(),
        other => std::slice::from_ref(other),
    };
    items.iter().map(answer).collect()
}

fn answer(item: &Value) -> Result<Answer, Unscored> {
    let entry = item.as_object().filter(|o| o.len() == 1).and_then(|o| o.iter().next());
    match entry {
        Some((name, Value::Object(arguments))) if arguments.values().all(Value::is_array) => {
            Ok(Answer { name: name.clone(), arguments: arguments.clone() })
        }
        _ => Err(Unscored::invalid(
            "the reference: a possible answer is {\"name\": {\"argument\": [allowed, values]}}",
        )),
    }
}

/// Whether the calls are those expected, in any order.
pub(super) fn matches(calls: &[ToolCall], answers: &[Answer], tools: Option<&Value>) -> bool {
    let mut used = vec![false; calls.len()];
    calls.len() == answers.len()
        && answers.iter().all(|answer| {
            let tool = tools.and_then(|tools| description(tools, &answer.name));
            let found = (0..calls.len()).find(|&i| !used[i] && allows(answer, &calls[i], tool));
            found.inspect(|&i| used[i] = true).is_some()
        })
}

fn description<'a>(tools: &'a Value, name: &str) -> Option<&'a Value> {
    let items = match tools {
        Value::Array(items) => items.as_slice(),
        other => std::slice::from_ref(other),
    };
    let inner = |item: &'a Value| item.get("function").unwrap_or(item);
    items.iter().map(inner).find(|tool| tool.get("name").and_then(Value::as_str) == Some(name))
}

fn allows(answer: &Answer, call: &ToolCall, tool: Option<&Value>) -> bool {
    let Some(own) = call.arguments.as_object() else { return false };
    let parameters = tool.and_then(|tool| tool.get("parameters"));
    let required = parameters.and_then(|p| p.get("required")).and_then(Value::as_array);
    let complete = required.is_none_or(|names| {
        names.iter().filter_map(Value::as_str).all(|name| own.contains_key(name))
    });
    let named = call.name == answer.name || call.name == answer.name.replace('.', "_");
    named
        && complete
        && own.iter().all(|(key, value)| {
            let properties = parameters.and_then(|p| p.get("properties"));
            let described = properties.map(|p| p.get(key.as_str()));
            match (answer.arguments.get(key).and_then(Value::as_array), described) {
                (None, _) | (_, Some(None)) => false,
                (Some(allowed), described) => allowed_value(value, allowed, described.flatten()),
            }
        })
        && nothing_missing(own, &answer.arguments)
}

/// Every argument is there, or optional.
fn nothing_missing(own: &Map<String, Value>, arguments: &Map<String, Value>) -> bool {
    arguments.iter().all(|(key, allowed)| {
        own.contains_key(key) || allowed.as_array().is_some_and(|list| list.iter().any(is_blank))
    })
}

fn is_blank(value: &Value) -> bool {
    value.as_str() == Some("")
}

/// The types that the checker tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Text,
    Whole,
    Float,
    Flag,
    List,
    Object,
    Nothing,
}

fn type_of(value: &Value) -> Type {
    match value {
        Value::Null => Type::Nothing,
        Value::Bool(_) => Type::Flag,
        Value::Number(number) if number.is_f64() => Type::Float,
        Value::Number(_) => Type::Whole,
        Value::String(_) => Type::Text,
        Value::Array(_) => Type::List,
        Value::Object(_) => Type::Object,
    }
}

fn named_type(schema: &Value) -> Option<Type> {
    Some(match schema.get("type")?.as_str()? {
        "string" | "any" => Type::Text,
        "integer" => Type::Whole,
        "float" | "number" => Type::Float,
        "boolean" => Type::Flag,
        "array" | "tuple" => Type::List,
        "dict" | "object" => Type::Object,
        _ => return None,
    })
}

/// The type of the first answer that is not the empty text.
fn answer_type(allowed: &[Value]) -> Option<Type> {
    allowed.iter().find(|a| !is_blank(a)).map(type_of)
}

fn allowed_value(value: &Value, allowed: &[Value], schema: Option<&Value>) -> bool {
    let told = answer_type(allowed);
    let own = type_of(value);
    let expected = schema.and_then(named_type).or(told).unwrap_or(own);
    let own = if own == Type::Whole && expected == Type::Float { Type::Float } else { own };
    let nested = schema.and_then(|s| s.get("items")).and_then(named_type);
    let nested = nested.filter(|_| expected == Type::List);
    if own != expected {
        // A variable's name stands for its value: the answers then say the type.
        return told == Some(own) && member(value, allowed);
    }
    if nested.is_some_and(|inner| !items_fit(value, allowed, inner)) {
        return false;
    }
    if told.is_some_and(|told| told != expected) {
        return member(value, allowed);
    }
    match (expected, value) {
        (Type::Object, Value::Object(own)) => allowed.iter().any(|a| object_fits(own, a)),
        (Type::List, Value::Array(own)) if nested == Some(Type::Object) => {
            allowed.iter().any(|a| objects_fit(own, a))
        }
        (Type::List, Value::Array(own)) => allowed.iter().any(|a| list_fits(own, a)),
        (Type::Text, _) => allowed.iter().any(|a| a.is_string() && loosely(value, a)),
        _ => member(value, allowed),
    }
}

fn member(value: &Value, allowed: &[Value]) -> bool {
    allowed.iter().any(|a| passage::equal(value, a))
}

/// Whether the items have the described type, or that of the items of one of the answers.
fn items_fit(value: &Value, allowed: &[Value], inner: Type) -> bool {
    let items = value.as_array().map_or(&[][..], Vec::as_slice);
    allowed.iter().any(|answer| {
        answer.as_array().is_none_or(|answer| {
            let told = answer_type(answer);
            items.iter().map(type_of).all(|own| own == inner || Some(own) == told)
        })
    })
}

fn object_fits(own: &Map<String, Value>, answer: &Value) -> bool {
    let Some(answer) = answer.as_object() else { return false };
    own.iter().all(|(key, value)| {
        let allowed = answer.get(key).and_then(Value::as_array);
        allowed.is_some_and(|allowed| allowed.iter().any(|a| loosely(value, a)))
    }) && nothing_missing(own, answer)
}

fn objects_fit(own: &[Value], answer: &Value) -> bool {
    answer.as_array().is_some_and(|answer| {
        own.len() == answer.len()
            && own.iter().zip(answer).all(|(o, a)| o.as_object().is_some_and(|o| object_fits(o, a)))
    })
}

fn list_fits(own: &[Value], answer: &Value) -> bool {
    answer.as_array().is_some_and(|answer| {
        own.len() == answer.len() && own.iter().zip(answer).all(|(o, a)| loosely(o, a))
    })
}

/// Texts without case, spaces and light punctuation; all else by value.
fn loosely(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => standard(a) == standard(b),
        _ => passage::equal(a, b),
    }
}

fn standard(text: &str) -> String {
    text.replace([' ', ',', '.', '/', '-', '_', '*', '^'], "").to_lowercase().replace('\'', "\"")
}
