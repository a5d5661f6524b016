//! Reading actions: JSON objects and calls such as `click(55, 22)`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::number::find;
use super::super::passage;

/// Longest text that is searched for an action, in bytes.
const MAX_BYTES: usize = 1 << 16;

/// Most brackets that are tried as the beginning of an object.
const MAX_OPENS: usize = 32;

/// Most arguments of a call.
const MAX_ARGS: usize = 32;

/// An action: what is done, where, and with what.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Action {
    /// Its kind, in lower case: `click`, `type`, `scroll`.
    pub kind: String,
    /// Where: two numbers of a point, or four of a box.
    pub place: Vec<f64>,
    /// Everything else by name; a lone argument without a name stands under the empty name.
    pub args: BTreeMap<String, Value>,
}

const KINDS: [&str; 5] = ["action", "action_type", "name", "function", "type"];
const PLACES: [&str; 10] = [
    "box",
    "bbox",
    "bounding_box",
    "target",
    "point",
    "coordinate",
    "coordinates",
    "position",
    "start_box",
    "start_point",
];

/// The action that a text names last, or why there is none.
pub fn read(text: &str) -> Result<Action, String> {
    if text.len() > MAX_BYTES {
        return Err(format!("longer than {MAX_BYTES} bytes"));
    }
    let close = text.rfind('}').map_or(0, |at| at + 1);
    let opens = text[..close].match_indices('{').take(MAX_OPENS);
    let objects = opens.filter_map(|(open, _)| passage::json(&text[open..close]).ok());
    if let Some(action) = objects.into_iter().find_map(|object| of_value(&object)) {
        return Ok(action);
    }
    last_call(text).ok_or_else(|| "names no action".to_owned())
}

/// The action that a JSON object or text is.
pub fn of_value(value: &Value) -> Option<Action> {
    match value {
        Value::Object(map) => of_map(map),
        Value::String(text) => read(text).ok(),
        _ => None,
    }
}

fn of_map(map: &Map<String, Value>) -> Option<Action> {
    let inner =
        ["arguments", "parameters", "args"].iter().find_map(|key| map.get(*key)?.as_object());
    // Some models call one tool and name the action among its arguments.
    let nested = inner.filter(|inner| inner.get("action").is_some_and(Value::is_string));
    let source = nested.unwrap_or(map);
    let key = *KINDS.iter().find(|key| source.get(**key).is_some_and(Value::is_string))?;
    let kind = source.get(key)?.as_str()?.trim().to_lowercase();
    let mut action = Action { kind, ..Action::default() };
    for (name, value) in inner.into_iter().chain(nested.is_none().then_some(map)).flatten() {
        let is_inner =
            value.is_object() && ["arguments", "parameters", "args"].contains(&name.as_str());
        if name != key && !is_inner {
            action.add(name, value.clone());
        }
    }
    action.join_axes();
    Some(action)
}

impl Action {
    fn add(&mut self, name: &str, value: Value) {
        let name = name.trim().to_lowercase();
        if PLACES.contains(&name.as_str())
            && self.place.is_empty()
            && let Some(place) = place(&value)
        {
            self.place = place;
            return;
        }
        self.args.insert(name, value);
    }

    /// A point that is given as `x` and `y`.
    fn join_axes(&mut self) {
        let axis =
            |name: &str| self.args.get(name).and_then(Value::as_f64).filter(|x| x.is_finite());
        if let (true, Some(x), Some(y)) = (self.place.is_empty(), axis("x"), axis("y")) {
            self.place = vec![x, y];
            self.args.remove("x");
            self.args.remove("y");
        }
    }
}

/// Two or four numbers: a list of them, or a text that holds them.
fn place(value: &Value) -> Option<Vec<f64>> {
    let numbers: Vec<f64> = match value {
        Value::Array(items) => items.iter().map(Value::as_f64).collect::<Option<_>>()?,
        Value::String(text) if text.len() <= 400 => find(text).map(|n| n.value).take(5).collect(),
        _ => return None,
    };
    let finite = numbers.iter().all(|x| x.is_finite());
    (matches!(numbers.len(), 2 | 4) && finite).then_some(numbers)
}

/// The last call of a text whose brackets close.
fn last_call(text: &str) -> Option<Action> {
    let mut end = text.len();
    for _ in 0..100 {
        let open = text[..end].rfind('(')?;
        let name = text[..open].rsplit(|c: char| !(c.is_alphanumeric() || c == '_')).next()?;
        if name.starts_with(char::is_alphabetic)
            && let Some(args) = arguments(&text[open + 1..])
        {
            return Some(call(name, args));
        }
        end = open;
    }
    None
}

/// The arguments up to the bracket that closes; brackets and quotes within them belong to them.
fn arguments(text: &str) -> Option<Vec<&str>> {
    let (mut depth, mut quote, mut start, mut found) = (0_usize, None, 0, Vec::new());
    let mut escaped = false;
    for (at, c) in text.char_indices().take(4096) {
        if let Some(mark) = quote {
            if !escaped && c == mark {
                quote = None;
            }
            escaped = !escaped && c == '\\';
            continue;
        }
        match c {
            '"' | '\'' => quote = Some(c),
            '(' | '[' | '{' => depth += 1,
            ')' if depth == 0 => {
                found.push(text[start..at].trim());
                found.retain(|arg| !arg.is_empty());
                return (found.len() <= MAX_ARGS).then_some(found);
            }
            ')' | ']' | '}' => depth = depth.checked_sub(1)?,
            ',' if depth == 0 => {
                found.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    None
}

fn call(name: &str, args: Vec<&str>) -> Action {
    let mut action = Action { kind: name.to_lowercase(), ..Action::default() };
    let mut numbers = Vec::new();
    for arg in args {
        let named = arg.split_once('=').filter(|(key, _)| {
            key.trim().chars().all(|c| c.is_alphanumeric() || c == '_') && !key.trim().is_empty()
        });
        match named {
            Some((key, value)) => action.add(key, literal(value.trim())),
            None => match literal(arg) {
                Value::Number(number) => numbers.extend(number.as_f64()),
                Value::Array(items) if place(&Value::Array(items.clone())).is_some() => {
                    action.add("point", Value::Array(items));
                }
                other => {
                    action.args.insert(String::new(), other);
                }
            },
        }
    }
    match numbers.as_slice() {
        [one] => {
            action.args.entry(String::new()).or_insert((*one).into());
        }
        [_, _] | [_, _, _, _] if action.place.is_empty() => action.place = numbers,
        _ => {}
    }
    action.join_axes();
    action
}

/// A value of a call: JSON, a text in single quotes, a tuple, or else the text itself.
fn literal(text: &str) -> Value {
    let single = text.strip_prefix('\'').and_then(|t| t.strip_suffix('\''));
    if let Some(inner) = single {
        return Value::String(inner.replace("\\'", "'"));
    }
    let listed = text.strip_prefix('(').and_then(|t| t.strip_suffix(')')).map(|t| format!("[{t}]"));
    match serde_json::from_str(listed.as_deref().unwrap_or(text)) {
        Ok(value) => value,
        Err(_) => Value::String(text.trim_matches('"').to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Action, read};
    use serde_json::{Value, json};

    fn check(text: &str, kind: &str, place: &[f64], args: &Value) {
        let args = args.as_object().unwrap().iter().map(|(k, v)| (k.clone(), v.clone())).collect();
        let expect = Action { kind: kind.into(), place: place.to_vec(), args };
        assert_eq!(read(text).as_ref(), Ok(&expect), "{text}");
    }

    #[test]
    fn calls() {
        check("Then click(55, 22).", "click", &[55.0, 22.0], &json!({}));
        check(
            "Action: type(content='it\\'s (ok), yes')",
            "type",
            &[],
            &json!({"content": "it's (ok), yes"}),
        );
        check(
            "scroll((10, 20), direction=\"down\")",
            "scroll",
            &[10.0, 20.0],
            &json!({"direction": "down"}),
        );
        check("click(start_box='<|box_start|>(3,4)<|box_end|>')", "click", &[3.0, 4.0], &json!({}));
        check("CLICK(x=1, y=2)", "click", &[1.0, 2.0], &json!({}));
        check("type(\"hello\")", "type", &[], &json!({"": "hello"}));
        check("wait(3) press_back()", "press_back", &[], &json!({}));
        check("wait(3)", "wait", &[], &json!({"": 3.0}));
    }

    #[test]
    fn objects() {
        check("{\"action\": \"Click\", \"coordinate\": [5, 6]}", "click", &[5.0, 6.0], &json!({}));
        check("{\"action_type\": \"type\", \"text\": \"hi\"}", "type", &[], &json!({"text": "hi"}));
        check(
            "<tool_call>{\"name\": \"computer\", \"arguments\": {\"action\": \"key\", \"keys\": [\"ctrl\"]}}</tool_call>",
            "key",
            &[],
            &json!({"keys": ["ctrl"]}),
        );
        check(
            "{\"name\": \"open\", \"arguments\": {\"app\": \"mail\"}}",
            "open",
            &[],
            &json!({"app": "mail"}),
        );
        check("I {think} so. {\"action\": \"back\"} done", "back", &[], &json!({}));
        check("{\"action\": \"click\", \"x\": 1, \"y\": 2}", "click", &[1.0, 2.0], &json!({}));
    }

    #[test]
    fn what_is_no_action() {
        for text in
            ["", "I would click there.", "(1, 2)", "click(1, 2", "{\"a\": 1}", "[1, 2]", "click(1]"]
        {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(read(&"f(".repeat(20_000)).is_err());
    }
}
