//! Prompt templates in files: a template that ends in `.j2` is the name of a file beside the spec.

use std::path::Path;

use serde_json::Value;

use super::node::Node;
use super::{Check, join};

/// The parameters with every template file read: under `prompt` and `prompts`, at any depth.
pub(super) fn inlined(
    check: &mut Check,
    node: &Node,
    path: &str,
    params: &Value,
    spec: &str,
) -> Value {
    let mut params = params.clone();
    let folder = Path::new(spec).parent().unwrap_or(Path::new("")).to_owned();
    inline(&mut params, false, &mut Vec::new(), &mut |keys, file| {
        let at = folder.join(file);
        std::fs::read_to_string(&at)
            .map_err(|error| {
                let message = format!("cannot read the template {}: {error}", at.display());
                check.report(node.locate(keys, false), &join(path, &keys.join(".")), message);
            })
            .ok()
    });
    params
}

fn inline(
    value: &mut Value,
    prompt: bool,
    keys: &mut Vec<String>,
    read: &mut impl FnMut(&[String], &str) -> Option<String>,
) {
    match value {
        Value::String(file) if prompt && is_file(file) => {
            if let Some(text) = read(keys, file) {
                *file = text;
            }
        }
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                keys.push(key.clone());
                inline(value, prompt || key == "prompt" || key == "prompts", keys, read);
                keys.pop();
            }
        }
        Value::Array(items) => {
            for (k, value) in items.iter_mut().enumerate() {
                keys.push(k.to_string());
                inline(value, prompt, keys, read);
                keys.pop();
            }
        }
        _ => {}
    }
}

fn is_file(text: &str) -> bool {
    Path::new(text).extension().is_some_and(|end| end == "j2") && !text.contains(['\n', '{'])
}
