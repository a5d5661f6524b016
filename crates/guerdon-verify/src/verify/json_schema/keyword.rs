//! The keywords of each draft: what a schema may say under them, and where further schemas stand.

use serde_json::{Map, Value};

use super::number::Num;
use super::{Draft, SchemaError};

/// Deepest nesting of a schema.
const MAX_DEPTH: usize = 128;

/// What stands under a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Any,
    Flag,
    Text,
    Number,
    /// A number greater than 0.
    Positive,
    /// A whole number from 0.
    Count,
    /// Different texts.
    Names,
    /// A type, or different types.
    Types,
    List,
    Schema,
    /// A list of at least one schema.
    Schemas,
    SchemaMap,
    /// A schema or, before 2020-12, a list of schemas.
    Items,
    /// For each name a schema, or names.
    Dependencies,
    /// For each name names.
    NamesMap,
}

/// The names of the types, in the order of their bits in a set of types.
pub(super) const TYPES: [&str; 7] =
    ["null", "boolean", "integer", "number", "string", "array", "object"];

const ALL: u8 = 7;
const SEVEN: u8 = 1;
const NINETEEN: u8 = 2;
const TWENTY: u8 = 4;
const LATER: u8 = NINETEEN | TWENTY;
const BEFORE: u8 = SEVEN | NINETEEN;

fn bit(draft: Draft) -> u8 {
    match draft {
        Draft::Draft7 => SEVEN,
        Draft::Draft201909 => NINETEEN,
        Draft::Draft202012 => TWENTY,
    }
}

const KEYWORDS: &[(&str, Shape, u8)] = &[
    ("$anchor", Shape::Text, LATER),
    ("$comment", Shape::Text, ALL),
    ("$defs", Shape::SchemaMap, LATER),
    ("$dynamicAnchor", Shape::Text, TWENTY),
    ("$dynamicRef", Shape::Text, TWENTY),
    ("$id", Shape::Text, ALL),
    ("$recursiveAnchor", Shape::Flag, NINETEEN),
    ("$recursiveRef", Shape::Text, NINETEEN),
    ("$ref", Shape::Text, ALL),
    ("$schema", Shape::Text, ALL),
    ("additionalItems", Shape::Schema, BEFORE),
    ("additionalProperties", Shape::Schema, ALL),
    ("allOf", Shape::Schemas, ALL),
    ("anyOf", Shape::Schemas, ALL),
    ("const", Shape::Any, ALL),
    ("contains", Shape::Schema, ALL),
    ("definitions", Shape::SchemaMap, ALL),
    ("dependencies", Shape::Dependencies, ALL),
    ("dependentRequired", Shape::NamesMap, LATER),
    ("dependentSchemas", Shape::SchemaMap, LATER),
    ("description", Shape::Text, ALL),
    ("else", Shape::Schema, ALL),
    ("enum", Shape::List, ALL),
    ("exclusiveMaximum", Shape::Number, ALL),
    ("exclusiveMinimum", Shape::Number, ALL),
    ("format", Shape::Text, ALL),
    ("if", Shape::Schema, ALL),
    ("items", Shape::Items, ALL),
    ("maxContains", Shape::Count, LATER),
    ("maxItems", Shape::Count, ALL),
    ("maxLength", Shape::Count, ALL),
    ("maxProperties", Shape::Count, ALL),
    ("maximum", Shape::Number, ALL),
    ("minContains", Shape::Count, LATER),
    ("minItems", Shape::Count, ALL),
    ("minLength", Shape::Count, ALL),
    ("minProperties", Shape::Count, ALL),
    ("minimum", Shape::Number, ALL),
    ("multipleOf", Shape::Positive, ALL),
    ("not", Shape::Schema, ALL),
    ("oneOf", Shape::Schemas, ALL),
    ("pattern", Shape::Text, ALL),
    ("patternProperties", Shape::SchemaMap, ALL),
    ("prefixItems", Shape::Schemas, TWENTY),
    ("properties", Shape::SchemaMap, ALL),
    ("propertyNames", Shape::Schema, ALL),
    ("required", Shape::Names, ALL),
    ("then", Shape::Schema, ALL),
    ("title", Shape::Text, ALL),
    ("type", Shape::Types, ALL),
    ("unevaluatedItems", Shape::Schema, LATER),
    ("unevaluatedProperties", Shape::Schema, LATER),
    ("uniqueItems", Shape::Flag, ALL),
];

/// The schemas that stand under the keywords of `schema`.
pub(super) fn inner(schema: &Map<String, Value>, draft: Draft) -> Vec<(Vec<String>, &Value)> {
    let mut found = Vec::new();
    // In draft 7 a reference stands alone, but definitions beside it can be reached.
    for (name, shape, _) in KEYWORDS.iter().filter(|(_, _, drafts)| drafts & bit(draft) != 0) {
        let Some(value) = schema.get(*name) else { continue };
        let at = |key: &str| vec![(*name).to_owned(), key.to_owned()];
        match (shape, value) {
            (Shape::Schemas | Shape::Items, Value::Array(list)) => {
                found.extend(list.iter().enumerate().map(|(i, v)| (at(&i.to_string()), v)));
            }
            (Shape::Schema | Shape::Items, _) => found.push((vec![(*name).to_owned()], value)),
            (Shape::SchemaMap, Value::Object(map)) => {
                found.extend(map.iter().map(|(key, v)| (at(key), v)));
            }
            (Shape::Dependencies, Value::Object(map)) => {
                found
                    .extend(map.iter().filter(|(_, v)| !v.is_array()).map(|(key, v)| (at(key), v)));
            }
            _ => {}
        }
    }
    found
}

/// What is wrong with a schema, references and patterns aside.
pub(super) fn fault(schema: &Value, draft: Draft) -> Option<SchemaError> {
    fault_at(schema, draft, 0)
}

fn fault_at(schema: &Value, draft: Draft, depth: usize) -> Option<SchemaError> {
    if depth > MAX_DEPTH {
        return Some(SchemaError::new(format!("the schema is nested more than {MAX_DEPTH} deep")));
    }
    let map = match schema {
        Value::Bool(_) => return None,
        Value::Object(map) => map,
        other => {
            let kind = kind(other);
            return Some(SchemaError::new(format!(
                "a schema is an object, true or false, not {kind}"
            )));
        }
    };
    for (name, shape, _) in KEYWORDS.iter().filter(|(_, _, drafts)| drafts & bit(draft) != 0) {
        let wanted = map.get(*name).and_then(|value| wanted(*shape, value, draft));
        if let Some(wanted) = wanted {
            return Some(SchemaError::new(format!("`{name}` must be {wanted}")).within(name));
        }
    }
    inner(map, draft).into_iter().find_map(|(keys, value)| {
        let fault = fault_at(value, draft, depth + 1)?;
        Some(keys.iter().rev().fold(fault, |fault, key| fault.within(key)))
    })
}

/// What a value should have been.
fn wanted(shape: Shape, value: &Value, draft: Draft) -> Option<&'static str> {
    let number = value.as_number().map(Num::of);
    let (fits, what) = match shape {
        Shape::Any | Shape::Schema => (true, ""),
        Shape::Flag => (value.is_boolean(), "true or false"),
        Shape::Text => (value.is_string(), "a text"),
        Shape::Number => (number.is_some(), "a number"),
        Shape::Positive => {
            let above = number.is_some_and(|n| n.compare(Num::Whole(0)).is_gt());
            (above, "a number greater than 0")
        }
        Shape::Count => (number.and_then(Num::count).is_some(), "a whole number from 0"),
        Shape::Names => (names(value), "a list of different texts"),
        Shape::Types => (types(value), "the name of a type, or a list of different ones"),
        Shape::List => (value.is_array(), "a list"),
        Shape::Schemas => {
            (value.as_array().is_some_and(|list| !list.is_empty()), "a list of at least one schema")
        }
        Shape::SchemaMap => (value.is_object(), "an object of schemas"),
        Shape::Items => (
            !value.is_array() || draft != Draft::Draft202012,
            "a schema; lists stand under `prefixItems`",
        ),
        Shape::Dependencies => {
            let each = |map: &Map<String, Value>| map.values().all(|v| !v.is_array() || names(v));
            (value.as_object().is_some_and(each), "an object of schemas and lists of names")
        }
        Shape::NamesMap => (
            value.as_object().is_some_and(|map| map.values().all(names)),
            "an object of lists of names",
        ),
    };
    (!fits).then_some(what)
}

fn names(value: &Value) -> bool {
    let Some(list) = value.as_array() else { return false };
    let mut seen: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
    let texts = seen.len();
    seen.sort_unstable();
    seen.dedup();
    seen.len() == list.len() && texts == list.len()
}

fn types(value: &Value) -> bool {
    let named = |value: &Value| value.as_str().is_some_and(|name| TYPES.contains(&name));
    match value {
        Value::Array(list) => !list.is_empty() && names(value) && list.iter().all(named),
        other => named(other),
    }
}

/// The sort of a JSON value, in words.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::fault;
    use crate::verify::json_schema::Draft;
    use serde_json::{Value, json};

    fn check(schema: &Value, draft: Draft, place: Option<&str>) {
        let got = fault(schema, draft).map(|error| error.path.join("."));
        assert_eq!(got.as_deref(), place, "{schema}");
    }

    #[test]
    fn shapes_of_keywords() {
        let new = Draft::Draft202012;
        check(&json!({"type": ["string", "null"], "minLength": 2.0}), new, None);
        check(&json!({"type": "strng"}), new, Some("type"));
        check(
            &json!({"properties": {"a": {"minLength": -1}}}),
            new,
            Some("properties.a.minLength"),
        );
        check(&json!({"allOf": []}), new, Some("allOf"));
        check(&json!({"anyOf": [true, 3]}), new, Some("anyOf.1"));
        check(&json!({"required": ["a", "a"]}), new, Some("required"));
        check(&json!({"multipleOf": 0}), new, Some("multipleOf"));
        check(&json!({"items": [true]}), new, Some("items"));
        check(&json!({"items": [true]}), Draft::Draft7, None);
        check(&json!({"unevaluatedItems": 3}), Draft::Draft7, None);
        check(&json!([]), new, Some(""));
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = (0..300).fold(json!(true), |inner, _| json!({"not": inner}));
        assert!(fault(&deep, Draft::Draft7).is_some());
    }
}
