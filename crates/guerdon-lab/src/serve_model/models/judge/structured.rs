//! Replies as JSON of a schema: every value is what the plain formats would say.

use guerdon_judge::contract::Score;
use serde_json::Value;

use super::decide::trait_named;
use super::reply::Pen;
use crate::serve_model::dice::Dice;
use crate::serve_model::models::prose::filler;

/// Deeper schemas get `null`.
const DEEPEST: usize = 8;
/// The most values of one reply.
const MOST: usize = 2_000;

/// Where a value stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    root: &'a Value,
    key: &'a str,
    /// The candidate that it is about.
    about: usize,
    /// Its place in the list around it, and the list's length.
    nth: Option<(usize, usize)>,
    depth: usize,
    dice: Dice,
}

impl Pen<'_> {
    /// Writes a JSON value of a schema.
    pub(super) fn json(&mut self, schema: &Value, dice: Dice) {
        let place = Place { root: schema, key: "", about: 0, nth: None, depth: 0, dice };
        let mut left = MOST;
        self.value(schema, place, &mut left);
    }

    fn value(&mut self, schema: &Value, place: Place<'_>, left: &mut usize) {
        *left = left.saturating_sub(1);
        let schema = resolve(schema, place.root);
        if *left == 0 || place.depth > DEEPEST {
            self.draft.push("null");
            return;
        }
        if let Some(options) = schema["enum"].as_array() {
            self.option(options, place);
        } else if let Some(only) = schema.get("const") {
            self.draft.push(&only.to_string());
        } else {
            self.typed(schema, place, left);
        }
    }

    fn typed(&mut self, schema: &Value, place: Place<'_>, left: &mut usize) {
        match kind(schema) {
            "object" => self.object(schema, place, left),
            "array" => self.array(schema, place, left),
            kind @ ("integer" | "number") => {
                let bound = |name: &str, default: f64| schema[name].as_f64().unwrap_or(default);
                let (low, high) = (bound("minimum", 1.0), bound("maximum", 10.0));
                let score = Score { low, high, whole: kind == "integer", direct: true };
                let (about, criterion) = match place.nth {
                    Some((k, n)) => self.asked(k, n),
                    None => (place.about, self.criterion(place)),
                };
                self.number(about, &criterion, &score, place.dice);
            }
            "boolean" => {
                let words = ["true".to_owned(), "false".to_owned()];
                let (k, n) = place.nth.unwrap_or((0, 1));
                self.answer(k, n, &words, place.dice);
            }
            "null" => drop(self.draft.push("null")),
            _ => {
                let words = self.bench.judge.words.draw(place.dice.on("words"));
                let text =
                    if place.nth.is_some() { filler(6, place.dice) } else { self.reasoning(words) };
                self.draft.push(&Value::String(text).to_string());
            }
        }
    }

    /// The key where it names a trait of the text (a dimension of its quality), the prompt's criterion otherwise.
    fn criterion(&self, place: Place<'_>) -> String {
        let candidate = self.scene.candidates.get(place.about);
        let named = candidate.and_then(|candidate| trait_named(&candidate.seen, place.key));
        named.map_or_else(|| self.scene.criterion.clone(), |_| place.key.to_owned())
    }

    fn option(&mut self, options: &[Value], place: Place<'_>) {
        let labels: Vec<String> = options
            .iter()
            .map(|o| o.as_str().map_or_else(|| o.to_string(), str::to_owned))
            .collect();
        let text = options.iter().all(Value::is_string);
        let quote = if text { "\"" } else { "" };
        self.draft.push(quote);
        if let Some((k, n)) = place.nth {
            self.answer(k, n, &labels, place.dice);
        } else {
            let options = self.bench.labels(self.scene, &labels);
            let forced = self.demanded(&labels);
            self.choose(options, forced, place.dice);
        }
        self.draft.push(quote);
    }

    fn object(&mut self, schema: &Value, place: Place<'_>, left: &mut usize) {
        let empty = serde_json::Map::new();
        let properties = schema["properties"].as_object().unwrap_or(&empty);
        self.draft.push("{");
        for (i, (key, property)) in properties.iter().enumerate() {
            self.draft.push(&format!(
                "{}{}: ",
                if i > 0 { ", " } else { "" },
                Value::String(key.clone())
            ));
            let about = self.scene.labelled(key).or_else(|| self.named(key)).unwrap_or(place.about);
            let dice = place.dice.on(key);
            self.value(property, Place { key, about, depth: place.depth + 1, dice, ..place }, left);
        }
        self.draft.push("}");
    }

    /// The candidate of a key such as `score_a`.
    fn named(&self, key: &str) -> Option<usize> {
        self.scene.labelled(key.rsplit_once('_')?.1)
    }

    fn array(&mut self, schema: &Value, place: Place<'_>, left: &mut usize) {
        let items = resolve(&schema["items"], place.root);
        let bound = |name: &str| schema[name].as_u64().and_then(|n| usize::try_from(n).ok());
        if kind(items) == "string" && items.get("enum").is_none() {
            let list = self.listed(bound("maxItems").unwrap_or(5), place.dice);
            self.draft.push(&Value::from(list).to_string());
            return;
        }
        if self.ordered(items, bound("minItems"), place) {
            return;
        }
        let candidates = self.scene.candidates.len();
        let usual = if candidates > 1 { candidates } else { self.scene.items.len().max(1) };
        let n = usual
            .clamp(bound("minItems").unwrap_or(0), bound("maxItems").unwrap_or(1000))
            .min(1000);
        self.draft.push("[");
        for k in 0..n {
            if k > 0 {
                self.draft.push(", ");
            }
            let about = if n == candidates { k } else { place.about };
            let dice = place.dice.at(k as u64);
            let inner = Place { about, nth: Some((k, n)), depth: place.depth + 1, dice, ..place };
            self.value(items, inner, left);
        }
        self.draft.push("]");
    }
}

impl Pen<'_> {
    /// Writes a list that must name every candidate as their order; `false` for any other list.
    fn ordered(&mut self, items: &Value, least: Option<usize>, place: Place<'_>) -> bool {
        let Some(names) = items["enum"].as_array() else { return false };
        let candidate = |name: &Value| self.scene.labelled(name.as_str()?);
        let found: Option<Vec<usize>> = names.iter().map(candidate).collect();
        let Some(found) = found.filter(|f| f.len() > 1 && least == Some(f.len())) else {
            return false;
        };
        let order = self.ranking(&found, place.dice);
        let named = order
            .iter()
            .filter_map(|i| found.iter().position(|k| k == i))
            .map(|i| names[i].clone());
        let list: Vec<Value> = named.collect();
        self.draft.push(&Value::from(list).to_string());
        true
    }
}

/// The schema behind a reference, or the first real one of several.
fn resolve<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    let mut schema = schema;
    for _ in 0..DEEPEST {
        let target = schema["$ref"].as_str().and_then(|path| root.pointer(path.strip_prefix('#')?));
        let several = ["anyOf", "oneOf", "allOf"].iter().find_map(|key| schema[*key].as_array());
        let first = several.and_then(|list| list.iter().find(|s| s["type"] != "null"));
        match target.or(first) {
            Some(next) => schema = next,
            None => break,
        }
    }
    schema
}

fn kind(schema: &Value) -> &str {
    match &schema["type"] {
        Value::String(kind) => kind,
        Value::Array(kinds) => {
            kinds.iter().filter_map(Value::as_str).find(|k| *k != "null").unwrap_or("null")
        }
        _ if schema.get("properties").is_some() => "object",
        _ => "string",
    }
}
