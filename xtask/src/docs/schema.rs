//! A table of fields from a JSON schema.

use serde_json::Value;

use crate::page::cell;

/// A Markdown table: name, type, default and meaning of every field, those of nested structs indented by a dot.
pub(crate) fn table(schema: &Value, defaults: Option<&Value>) -> String {
    let mut rows = Vec::new();
    fields(schema, schema, defaults, "", &mut rows);
    if rows.is_empty() {
        let kind = type_of(schema, schema);
        return if kind == "object" { "None.\n".to_owned() } else { format!("{kind}\n") };
    }
    let with_default = defaults.is_some();
    let head = if with_default {
        "| name | type | default | |\n|---|---|---|---|\n"
    } else {
        "| name | type | |\n|---|---|---|\n"
    };
    let line = |row: &Row| {
        let default = if with_default { format!(" {} |", row.default) } else { String::new() };
        format!("| `{}` | {} |{default} {} |\n", row.name, cell(&row.kind), cell(&row.meaning))
    };
    head.to_owned() + &rows.iter().map(line).collect::<String>()
}

struct Row {
    name: String,
    kind: String,
    default: String,
    meaning: String,
}

/// Nested structs are shown to this depth.
const MAX_DEPTH: usize = 3;

fn fields(
    root: &Value,
    schema: &Value,
    defaults: Option<&Value>,
    prefix: &str,
    rows: &mut Vec<Row>,
) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let default = defaults.map(|known| {
            known.get(name).or_else(|| property.get("default")).unwrap_or(&Value::Null)
        });
        let path = format!("{prefix}{name}");
        rows.push(Row {
            kind: type_of(root, property),
            default: shown(default),
            meaning: meaning(root, property),
            name: path.clone(),
        });
        let inner = resolved(root, property);
        if path.matches('.').count() < MAX_DEPTH {
            fields(root, inner, default, &format!("{path}."), rows);
            fields(root, resolved(root, &inner["items"]), None, &format!("{path}[]."), rows);
        }
    }
}

fn shown(default: Option<&Value>) -> String {
    match default {
        None | Some(Value::Null) => String::new(),
        Some(value) => format!("`{}`", cell(&value.to_string())),
    }
}

/// The schema that `$ref` names, or the one inside "this or null".
fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(target) = schema["$ref"].as_str().and_then(|r| root.pointer(r.strip_prefix('#')?)) {
        return target;
    }
    let parts = schema["anyOf"].as_array().map_or(&[][..], Vec::as_slice);
    match parts {
        [inner, null] if null["type"] == "null" => resolved(root, inner),
        _ => schema,
    }
}

fn type_of(root: &Value, schema: &Value) -> String {
    let inner = resolved(root, schema);
    if let Some(choices) = choices(inner) {
        return choices;
    }
    let name = match &inner["type"] {
        Value::String(name) => name.clone(),
        Value::Array(names) => names
            .iter()
            .filter_map(Value::as_str)
            .filter(|name| *name != "null")
            .collect::<Vec<_>>()
            .join(" or "),
        _ => {
            let parts = ["anyOf", "oneOf"].iter().find_map(|key| inner[*key].as_array());
            return parts.map_or_else(
                || "any".to_owned(),
                |parts| {
                    parts.iter().map(|part| type_of(root, part)).collect::<Vec<_>>().join(" or ")
                },
            );
        }
    };
    match name.as_str() {
        "array" if !inner["items"].is_null() => {
            format!("list of {}", type_of(root, &inner["items"]))
        }
        "object"
            if !inner["additionalProperties"].is_null()
                && inner["additionalProperties"].is_object() =>
        {
            format!("map of {}", type_of(root, &inner["additionalProperties"]))
        }
        _ => name,
    }
}

/// The words of an enumeration.
fn choices(schema: &Value) -> Option<String> {
    let words: Vec<&str> = match (&schema["enum"], &schema["oneOf"]) {
        (Value::Array(words), _) => words.iter().filter_map(Value::as_str).collect(),
        (_, Value::Array(parts)) => {
            parts.iter().map(|part| part["const"].as_str()).collect::<Option<_>>()?
        }
        _ => return None,
    };
    Some(words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "))
}

/// What the field means, with the meaning of each word of an enumeration.
fn meaning(root: &Value, schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_default().to_owned();
    let parts = resolved(root, schema)["oneOf"].as_array().cloned().unwrap_or_default();
    let words: Vec<String> = parts
        .iter()
        .filter_map(|part| {
            Some(format!("`{}`: {}", part["const"].as_str()?, part["description"].as_str()?))
        })
        .collect();
    if words.is_empty() { text } else { format!("{text} {}", words.join(" ")) }
}

#[cfg(test)]
mod tests {
    use super::table;
    use serde_json::json;

    #[test]
    fn fields_of_every_sort() {
        let schema = json!({
            "properties": {
                "rate": {"type": "number", "description": "How fast."},
                "name": {"type": ["string", "null"], "description": "A | B."},
                "mode": {"$ref": "#/$defs/Mode", "description": "Which."},
                "inner": {"anyOf": [{"$ref": "#/$defs/Inner"}, {"type": "null"}], "description": "More."}
            },
            "$defs": {
                "Mode": {"oneOf": [{"const": "a", "description": "First."}, {"const": "b", "description": "Second."}]},
                "Inner": {"type": "object", "properties": {"k": {"type": "array", "items": {"type": "integer"}}}}
            }
        });
        let text = table(&schema, Some(&json!({"rate": 0.5, "name": null})));
        assert!(text.contains("| `rate` | number | `0.5` | How fast. |"), "{text}");
        assert!(text.contains("| `name` | string |  | A \\| B. |"), "{text}");
        assert!(
            text.contains("| `mode` | `a`, `b` |  | Which. `a`: First. `b`: Second. |"),
            "{text}"
        );
        assert!(text.contains("| `inner.k` | list of integer |"), "{text}");
    }

    #[test]
    fn no_fields() {
        assert_eq!(table(&json!({"type": "object"}), None), "None.\n");
    }
}
