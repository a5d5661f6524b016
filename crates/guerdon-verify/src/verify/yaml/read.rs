//! From YAML to a JSON value, within limits.

use std::borrow::Cow;

use saphyr_parser::{Event, Parser, ScalarStyle, StrInput, Tag};
use serde_json::{Map, Number, Value};

/// Longest document, in bytes.
pub(super) const MAX_BYTES: usize = 1 << 18;

/// Most values of a document, those that aliases repeat included.
const MAX_VALUES: usize = 100_000;

/// Deepest nesting.
const MAX_DEPTH: usize = 64;

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    /// The number of an anchor, its value, and how many values that holds.
    anchors: Vec<(usize, Value, usize)>,
    values: usize,
}

/// The one document of a text as a JSON value, or what is wrong with it.
pub(super) fn read(text: &str) -> Result<Value, String> {
    if text.len() > MAX_BYTES {
        return Err(format!("longer than {MAX_BYTES} bytes"));
    }
    let parser = Parser::new_from_str(text);
    Reader { parser, anchors: Vec::new(), values: 0 }.document()
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Event<'a>, String> {
        match self.parser.next_event() {
            Some(Ok((event, _))) => Ok(event),
            Some(Err(error)) => {
                let mark = error.marker();
                Err(format!(
                    "no YAML: {} (line {}, column {})",
                    error.info(),
                    mark.line(),
                    mark.col() + 1
                ))
            }
            None => Ok(Event::StreamEnd),
        }
    }

    fn document(mut self) -> Result<Value, String> {
        let value = loop {
            match self.next()? {
                Event::StreamStart | Event::DocumentStart(_) | Event::Nothing => {}
                Event::StreamEnd => return Err("there is no document".to_owned()),
                event => break self.value(event, 0)?,
            }
        };
        loop {
            match self.next()? {
                Event::StreamEnd => return Ok(value),
                Event::DocumentStart(_) => return Err("there is a second document".to_owned()),
                _ => {}
            }
        }
    }

    fn count(&mut self, values: usize) -> Result<(), String> {
        self.values = self.values.saturating_add(values);
        if self.values > MAX_VALUES {
            return Err(format!("more than {MAX_VALUES} values, repeated ones included"));
        }
        Ok(())
    }

    fn value(&mut self, event: Event<'a>, depth: usize) -> Result<Value, String> {
        if depth > MAX_DEPTH {
            return Err(format!("nested more than {MAX_DEPTH} deep"));
        }
        let before = self.values;
        self.count(1)?;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                (scalar(&text, style, tag.as_deref())?, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                collection(tag.as_ref(), "seq")?;
                (self.list(depth)?, anchor)
            }
            Event::MappingStart(anchor, tag) => {
                collection(tag.as_ref(), "map")?;
                (self.map(depth)?, anchor)
            }
            Event::Alias(id) => return self.alias(id, depth),
            _ => return Err("a value is missing".to_owned()),
        };
        if anchor > 0 {
            self.anchors.push((anchor, value.clone(), self.values - before));
        }
        Ok(value)
    }

    fn alias(&mut self, id: usize, depth: usize) -> Result<Value, String> {
        let found = self.anchors.iter().rev().find(|(anchor, ..)| *anchor == id);
        let (value, count) = found
            .map(|(_, value, count)| (value, *count))
            .ok_or("an alias has no anchor before it")?;
        if depth + deep(value) > MAX_DEPTH {
            return Err(format!("nested more than {MAX_DEPTH} deep"));
        }
        let value = value.clone();
        self.count(count)?;
        Ok(value)
    }

    fn list(&mut self, depth: usize) -> Result<Value, String> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                Event::SequenceEnd => return Ok(Value::Array(items)),
                event => items.push(self.value(event, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, String> {
        let (mut entries, mut merged) = (Map::new(), Vec::new());
        loop {
            let (key, is_plain) = match self.next()? {
                Event::MappingEnd => break,
                Event::Scalar(text, style, ..) => (text.into_owned(), style == ScalarStyle::Plain),
                _ => return Err("a key must be a scalar".to_owned()),
            };
            let event = self.next()?;
            let value = self.value(event, depth + 1)?;
            if key == "<<" && is_plain {
                merged.push(value);
            } else if entries.insert(key.clone(), value).is_some() {
                return Err(format!("the key {key:?} is there twice"));
            }
        }
        // Merged keys are defaults: the map's own count, then the earlier ones.
        for (key, value) in merged.into_iter().flat_map(maps).flatten() {
            entries.entry(key).or_insert(value);
        }
        Ok(Value::Object(entries))
    }
}

/// The maps that a merge key names.
fn maps(value: Value) -> Vec<Map<String, Value>> {
    let one = |value| if let Value::Object(map) = value { Some(map) } else { None };
    match value {
        Value::Array(items) => items.into_iter().filter_map(one).collect(),
        other => one(other).into_iter().collect(),
    }
}

/// The recursion is no deeper than [`MAX_DEPTH`].
fn deep(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(deep).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(deep).max().unwrap_or(0),
        _ => 0,
    }
}

const CORE: &str = "tag:yaml.org,2002:";

fn name(tag: &Tag) -> Result<&str, String> {
    match tag.handle.as_str() {
        CORE | "!!" => Ok(&tag.suffix),
        other => Err(format!("the tag {other}{} is not known", tag.suffix)),
    }
}

fn collection(tag: Option<&Cow<'_, Tag>>, expect: &str) -> Result<(), String> {
    match tag.map(|tag| name(tag)).transpose()? {
        None => Ok(()),
        Some(name) if name == expect => Ok(()),
        Some(name) => Err(format!("the tag !!{name} does not fit here")),
    }
}

/// A scalar of the core schema of YAML 1.2: `yes`, `no` and dates are texts.
fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, String> {
    let string = || Value::String(text.to_owned());
    let Some(tag) = tag else {
        return if style == ScalarStyle::Plain { plain(text) } else { Ok(string()) };
    };
    let name = name(tag)?;
    let value = if name == "str" { string() } else { plain(text)? };
    let fits = match name {
        "str" => true,
        "null" => value.is_null(),
        "bool" => value.is_boolean(),
        "int" => value.is_i64() || value.is_u64(),
        "float" => value.is_number(),
        _ => false,
    };
    if fits { Ok(value) } else { Err(format!("{text:?} is no !!{name}")) }
}

fn plain(text: &str) -> Result<Value, String> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => match number(text) {
            Some(value) => value,
            None if is_infinite(text) => return Err(format!("{text} has no place in JSON")),
            None => Value::String(text.to_owned()),
        },
    })
}

fn is_infinite(text: &str) -> bool {
    let bare = text.strip_prefix(['-', '+']).unwrap_or(text);
    matches!(bare, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}

fn number(text: &str) -> Option<Value> {
    if let Some(digits) = text.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16)
            .ok()
            .filter(|_| !digits.starts_with('+'))
            .map(Value::from);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return u64::from_str_radix(digits, 8)
            .ok()
            .filter(|_| !digits.starts_with('+'))
            .map(Value::from);
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let plain = text.strip_prefix('+').unwrap_or(text);
    if let Ok(whole) = plain.parse::<i64>() {
        return Some(whole.into());
    }
    if let Ok(whole) = plain.parse::<u64>() {
        return Some(whole.into());
    }
    let float = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '-' | '+');
    let value = digits.chars().all(float).then(|| plain.parse::<f64>().ok()).flatten()?;
    Number::from_f64(value).map(Value::Number)
}

#[cfg(test)]
mod tests {
    use super::read;
    use serde_json::{Value, json};

    fn check(text: &str, expect: &Value) {
        assert_eq!(read(text).as_ref(), Ok(expect), "{text}");
    }

    #[test]
    fn scalars() {
        check(
            "[1, -2, 0.5, 0x1F, 0o17, true, no, ~, 2024-01-01, \"1\", 1.2.3]",
            &json!([1, -2, 0.5, 31, 15, true, "no", null, "2024-01-01", "1", "1.2.3"]),
        );
        check("[!!str 1, !!int 2, !!float 3]", &json!(["1", 2, 3]));
        for text in ["!!int x", "!!python/object:os.system x", "!a 1", ".inf", "!!map [1]"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn collections() {
        check("a:\n- b: |\n    x\n    y\n- c\n", &json!({"a": [{"b": "x\ny\n"}, "c"]}));
        check(
            "a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}",
            &json!({"a": {"p": 1, "q": 2}, "b": {"q": 3, "p": 1}}),
        );
        check("{\"a\": [1, {\"b\": null}]}", &json!({"a": [1, {"b": null}]}));
        for text in
            ["", "# x", "a: 1\na: 2", "a: [1", "--- 1\n--- 2", "? [1]\n: 2", "a: *x", "a: 1\n b: 2"]
        {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn bombs() {
        assert!(read(&("[".repeat(100) + &"]".repeat(100))).is_err());
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for i in 1..9 {
            let items = vec![format!("*a{}", i - 1); 10].join(", ");
            bomb += &format!("a{i}: &a{i} [{items}]\n");
        }
        assert!(read(&bomb).unwrap_err().contains("values"));
        let mut deep = "a0: &a0 []\n".to_owned();
        (1..100).for_each(|i| deep += &format!("a{i}: &a{i} [*a{}]\n", i - 1));
        assert!(read(&deep).unwrap_err().contains("deep"));
    }
}
