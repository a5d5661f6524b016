//! JSON values: changed in hostile ways, compared, and searched for numbers that got lost.

use serde_json::{Value, json};

/// The key that no input knows.
pub(super) const EXTRA: &str = "not_a_key";

/// Copies of `input` with one change each: the whole, or a field (two levels deep), becomes an odd value, or a list grows or
/// shrinks.
pub(super) fn mutations(input: &Value) -> Vec<(String, Value)> {
    let mut all: Vec<(String, Value)> =
        odd_values().into_iter().map(|(name, odd)| (name.to_owned(), odd)).collect();
    for pointer in pointers(input) {
        for (name, odd) in odd_values() {
            let mut copy = input.clone();
            if let Some(place) = copy.pointer_mut(&pointer) {
                *place = odd;
                all.push((format!("`{pointer}` {name}"), copy));
            }
        }
        resized(input, &pointer, &mut all);
    }
    all
}

fn odd_values() -> Vec<(&'static str, Value)> {
    vec![
        ("null", Value::Null),
        ("an empty list", json!([])),
        ("1e308", json!(1e308)),
        ("-1", json!(-1)),
        ("-0.5", json!(-0.5)),
        ("0", json!(0)),
        ("10^18", json!(1_000_000_000_000_000_000_u64)),
        ("5e-324", json!(5e-324)),
        ("a text", json!("text")),
        ("an empty text", json!("")),
        ("true", json!(true)),
        ("an object", json!({"a": 1})),
        ("a list of numbers", json!([1.0, -1.0, 0.0])),
        ("a list of lists", json!([[], [1.0]])),
    ]
}

/// The list at `pointer` with its first item twice, without its last item, or with one item only.
fn resized(input: &Value, pointer: &str, all: &mut Vec<(String, Value)>) {
    type Change = fn(&mut Vec<Value>);
    let changes: [(&str, Change); 3] = [
        ("with its first item twice", |list| list.extend(list.first().cloned())),
        ("without its last item", |list| drop(list.pop())),
        ("with one item only", |list| list.truncate(1)),
    ];
    for (name, change) in changes {
        let mut copy = input.clone();
        if let Some(Value::Array(list)) = copy.pointer_mut(pointer) {
            change(list);
            all.push((format!("`{pointer}` {name}"), copy));
        }
    }
}

/// Pointers to the fields of `input`, two levels deep; of a list only the first and the last item.
fn pointers(input: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (key, value) in children(input) {
        let outer = format!("/{}", escape(&key));
        found.push(outer.clone());
        found.extend(
            children(value).into_iter().map(|(inner, _)| format!("{outer}/{}", escape(&inner))),
        );
    }
    found
}

fn children(value: &Value) -> Vec<(String, &Value)> {
    match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(list) => {
            let ends = [0, list.len().saturating_sub(1)];
            let last = if list.len() < 2 { list.len() } else { 2 };
            ends[..last].iter().map(|&i| (i.to_string(), &list[i])).collect()
        }
        _ => Vec::new(),
    }
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Where `value` holds null although `schema` asks for a number there: a NaN or an infinity on its way into JSON.
pub(super) fn lost_number(schema: &Value, value: &Value) -> Option<String> {
    lost(schema, schema, value, "", 0)
}

const MAX_DEPTH: usize = 64;

fn lost(root: &Value, schema: &Value, value: &Value, path: &str, depth: usize) -> Option<String> {
    if depth > MAX_DEPTH {
        return None;
    }
    if let Some(target) =
        schema.get("$ref").and_then(Value::as_str).and_then(|r| root.pointer(r.strip_prefix('#')?))
    {
        return lost(root, target, value, path, depth + 1);
    }
    let number =
        schema.get("type").and_then(Value::as_str).is_some_and(|t| t == "number" || t == "integer");
    match value {
        Value::Null if number => {
            Some(if path.is_empty() { "the result".to_owned() } else { format!("`{path}`") })
        }
        Value::Object(map) => map.iter().find_map(|(key, inner)| {
            let part = schema
                .get("properties")
                .and_then(|p| p.get(key))
                .or_else(|| schema.get("additionalProperties"))?;
            lost(root, part, inner, &join(path, key), depth + 1)
        }),
        Value::Array(items) => items.iter().enumerate().find_map(|(i, inner)| {
            let tuple = schema.get("prefixItems").and_then(|p| p.get(i));
            lost(
                root,
                tuple.or_else(|| schema.get("items"))?,
                inner,
                &join(path, &i.to_string()),
                depth + 1,
            )
        }),
        _ => None,
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// The first place where two values differ by more than rounding.
pub(super) fn differ(a: &Value, b: &Value, same: &impl Fn(f64, f64) -> bool) -> Option<String> {
    differ_at(a, b, same, "")
}

fn differ_at(a: &Value, b: &Value, same: &impl Fn(f64, f64) -> bool, path: &str) -> Option<String> {
    let here = || Some(format!("`{path}`: {a} against {b}"));
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => {
            let (x, y) = (x.as_f64()?, y.as_f64()?);
            if same(x, y) { None } else { here() }
        }
        (Value::Array(x), Value::Array(y)) if x.len() == y.len() => x
            .iter()
            .zip(y)
            .enumerate()
            .find_map(|(i, (x, y))| differ_at(x, y, same, &join(path, &i.to_string()))),
        (Value::Object(x), Value::Object(y)) if x.len() == y.len() => {
            x.iter().find_map(|(key, x)| match y.get(key) {
                Some(y) => differ_at(x, y, same, &join(path, key)),
                None => here(),
            })
        }
        _ if a == b => None,
        _ => here(),
    }
}

/// Equal but for rounding.
pub(super) fn close(x: f64, y: f64) -> bool {
    x == y || (x - y).abs() <= 1e-9 * x.abs().max(y.abs()).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::{close, differ, lost_number, mutations};
    use serde_json::json;

    #[test]
    fn a_lost_number_is_found_through_references() {
        let schema = json!({
            "properties": {"rows": {"type": "array", "items": {"$ref": "#/$defs/Row"}}},
            "$defs": {"Row": {"properties": {"x": {"type": "number"}, "y": {"type": ["number", "null"]}}}}
        });
        assert_eq!(lost_number(&schema, &json!({"rows": [{"x": 1, "y": null}]})), None);
        assert_eq!(
            lost_number(&schema, &json!({"rows": [{"x": null}]})).as_deref(),
            Some("`rows.0.x`")
        );
    }

    #[test]
    fn every_field_is_changed() {
        let all = mutations(&json!({"x": [1, 2, 3], "k": 2}));
        assert!(all.iter().any(|(_, v)| v == &json!({"x": [1, 2], "k": 2})));
        assert!(all.iter().any(|(_, v)| v == &json!({"x": [1, 2, 3], "k": null})));
        assert!(all.iter().any(|(_, v)| v == &json!({"x": [1, 2, -1], "k": 2})));
    }

    #[test]
    fn rounding_is_no_difference() {
        assert_eq!(differ(&json!([1.0]), &json!([1.0 + 1e-12]), &close), None);
        assert_eq!(
            differ(&json!({"a": [1]}), &json!({"a": [2]}), &close).as_deref(),
            Some("`a.0`: 1 against 2")
        );
    }
}
