//! The JSON schema of a spec, for editors: made from the parameter structs of the registered methods.

use guerdon_client::{Endpoint, Limits};
use guerdon_core::Method;
use guerdon_core::method::Kind;
use serde_json::{Map, Value, json};

use super::PairMapping;
use crate::monitors::Monitors;

/// The schema of a whole spec (JSON Schema 2020-12).
pub fn schema() -> Value {
    let mut definitions = Map::new();
    let signals = choices(&mut definitions, |kind| matches!(kind, Kind::Signal(_)), &on_error());
    let asking = on_error().into_iter().chain(asking()).collect();
    let judges = choices(&mut definitions, |kind| matches!(kind, Kind::Judge(_)), &asking);
    let protocols = choices(&mut definitions, |kind| matches!(kind, Kind::Protocol(..)), &asking);
    let transforms =
        choices(&mut definitions, |kind| matches!(kind, Kind::Transform(_)), &Map::new());
    let chain = json!({"anyOf": [transforms, {"type": "array", "items": transforms}]});
    let rollouts =
        plain(&mut definitions, "rollouts", &schemars::schema_for!(guerdon_io::Mapping).into());
    let monitors = plain(&mut definitions, "monitors", &schemars::schema_for!(Monitors).into());
    let pairs = plain(&mut definitions, "pairs", &schemars::schema_for!(PairMapping).into());
    let endpoint = plain(&mut definitions, "models", &schemars::schema_for!(Endpoint).into());
    let limits = plain(&mut definitions, "limits", &schemars::schema_for!(Limits).into());
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Guerdon reward spec",
        "type": "object",
        "anyOf": [{"required": ["signals"]}, {"required": ["judge"]}],
        "additionalProperties": false,
        "properties": {
            "rollouts": rollouts,
            "batch": {"type": ["integer", "null"], "minimum": 1, "description": "Rollouts per batch, for methods that look at a whole batch. Default: the whole input."},
            "seed": {"type": "integer", "minimum": 0, "default": 0, "description": "Seed of every random choice."},
            "models": {"type": "object", "minProperties": 1, "additionalProperties": endpoint, "description": "The models that judges may ask, by name."},
            "limits": limits,
            "cache": {"type": ["string", "boolean"], "description": "The file that keeps every reply, beside the spec; `off` keeps none. Default: `.guerdon/cache.sqlite` where the command runs, or what GUERDON_CACHE names."},
            "pairs": pairs,
            "judge": {"description": "What `guerdon judge` runs.", "anyOf": [judges, protocols]},
            "signals": {"type": "object", "minProperties": 1, "additionalProperties": {"anyOf": [signals, judges]}, "description": "Reward functions by name."},
            "reward": {"description": "The chain from signals to reward.", "anyOf": chain["anyOf"]},
            "advantage": {"description": "The chain from reward to advantage.", "anyOf": chain["anyOf"]},
            "monitors": monitors,
        },
        "$defs": definitions,
    })
}

fn on_error() -> Map<String, Value> {
    let schema = json!({
        "description": "What becomes of a rollout that the signal cannot score. Default null: it stays unscored.",
        "anyOf": [{"enum": ["fail", "null", null]}, {"type": "number"}],
    });
    Map::from_iter([("on_error".to_owned(), schema)])
}

/// The keys of a spec entry that asks a model.
fn asking() -> Map<String, Value> {
    let keys = json!({
        "model": {"type": ["string", "null"], "description": "The model that is asked, by its name in `models`. Default: the only one, or the one named `default`."},
        "opponents": {"type": ["integer", "null"], "minimum": 1, "description": "For judges of two responses: how many others of its group a rollout meets. Default: all."},
        "against": {"enum": ["group", "reference"], "default": "group", "description": "For judges of two responses: whether a rollout is compared with others of its group or with the reference."},
    });
    let Value::Object(keys) = keys else { return Map::new() };
    keys
}

/// `{use: id, ...}` for every method of a kind, or a bare id.
fn choices(
    definitions: &mut Map<String, Value>,
    wanted: impl Fn(&Kind) -> bool,
    extra: &Map<String, Value>,
) -> Value {
    let methods: Vec<&Method> = crate::methods().filter(|m| wanted(&m.kind)).collect();
    let mut options = vec![json!({"enum": methods.iter().map(|m| m.id).collect::<Vec<_>>()})];
    for method in methods {
        let schema = entry(definitions, method, extra);
        definitions.insert(method.id.to_owned(), schema);
        options.push(json!({"$ref": format!("#/$defs/{}", method.id)}));
    }
    json!({"anyOf": options})
}

fn entry(
    definitions: &mut Map<String, Value>,
    method: &Method,
    extra: &Map<String, Value>,
) -> Value {
    let mut schema = (method.params.schema)().to_value();
    lift(definitions, method.id, &mut schema);
    let mut properties = Map::from_iter([("use".to_owned(), json!({"const": method.id}))]);
    if let Some(Value::Object(own)) = schema.get("properties") {
        properties.extend(own.clone());
    }
    properties.extend(extra.clone());
    json!({
        "type": "object",
        "description": method.manual().summary,
        "required": ["use"],
        "additionalProperties": false,
        "properties": properties,
    })
}

fn plain(definitions: &mut Map<String, Value>, name: &str, schema: &Value) -> Value {
    let mut schema = schema.clone();
    lift(definitions, name, &mut schema);
    if let Value::Object(map) = &mut schema {
        map.shift_remove("$schema");
    }
    schema
}

/// Moves a schema's own definitions up, under names that cannot clash.
fn lift(definitions: &mut Map<String, Value>, owner: &str, schema: &mut Value) {
    let own = match schema {
        Value::Object(map) => map.shift_remove("$defs"),
        _ => None,
    };
    rename(owner, schema);
    if let Some(Value::Object(own)) = own {
        for (name, mut definition) in own {
            rename(owner, &mut definition);
            definitions.insert(format!("{owner}:{name}"), definition);
        }
    }
}

fn rename(owner: &str, schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                match value {
                    Value::String(target) if key == "$ref" => {
                        if let Some(name) = target.strip_prefix("#/$defs/") {
                            *target = format!("#/$defs/{owner}:{name}");
                        }
                    }
                    other => rename(owner, other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(owner, item)),
        _ => {}
    }
}
