//! The source tree of a spec: values that remember where they stand.
//!
//! YAML (and JSON, which is a part of YAML) is read event by event into a tree whose every key and value knows its line and
//! column, so that an error found much later, by the method that owns the parameter, can still point at the place.

use saphyr_parser::{Event, Parser, ScalarStyle, Span as RawSpan};
use serde_json::{Map, Number, Value};

use super::diagnostic::Diagnostic;

/// A spec is written by hand: anything larger is a mistake or an attack.
const MAX_NODES: usize = 100_000;
const MAX_DEPTH: usize = 64;

/// Where something stands in the source. Lines and columns count from 1; a span without line has no source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
    /// Length on that line, in characters.
    pub len: usize,
}

/// A value with its place.
#[derive(Debug, Clone)]
pub struct Node {
    /// The value.
    pub kind: Kind,
    /// Its place.
    pub span: Span,
}

/// The value of a node.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Null, a boolean, a number or a text.
    Scalar(Value),
    /// A list.
    List(Vec<Node>),
    /// Keys in the order of the source.
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The key's place.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

impl Node {
    /// Reads YAML or JSON text.
    pub fn parse(text: &str) -> Result<Self, Diagnostic> {
        let mut reader =
            Reader { parser: Parser::new_from_str(text), anchors: Vec::new(), nodes: 0 };
        reader.document().map_err(|mut error| {
            error.span = within(text, error.span);
            error
        })
    }

    /// A tree without places, from a value that was built by a program.
    pub fn from_value(value: &Value) -> Self {
        let kind = match value {
            Value::Array(items) => Kind::List(items.iter().map(Self::from_value).collect()),
            Value::Object(map) => Kind::Map(
                map.iter()
                    .map(|(key, value)| Entry {
                        key: key.clone(),
                        key_span: Span::default(),
                        value: Self::from_value(value),
                    })
                    .collect(),
            ),
            scalar => Kind::Scalar(scalar.clone()),
        };
        Self { kind, span: Span::default() }
    }

    /// The value without places.
    pub fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Scalar(value) => value.clone(),
            Kind::List(items) => Value::Array(items.iter().map(Self::to_value).collect()),
            Kind::Map(entries) => Value::Object(
                entries.iter().map(|e| (e.key.clone(), e.value.to_value())).collect::<Map<_, _>>(),
            ),
        }
    }

    /// The entries of a map; none for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The entry of that key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The text of a text node.
    pub fn as_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// What sort of value it is, in words.
    pub fn describe(&self) -> String {
        match &self.kind {
            Kind::Scalar(Value::Null) => "nothing".into(),
            Kind::Scalar(Value::String(text)) => format!("the text {text:?}"),
            Kind::Scalar(value) => format!("`{value}`"),
            Kind::List(_) => "a list".into(),
            Kind::Map(_) => "a map".into(),
        }
    }

    /// The place that a path leads to; as far as it leads. With `key`, the place of the last key rather than its value.
    pub fn locate(&self, path: &[String], key: bool) -> Span {
        let mut here = self;
        let mut span = self.span;
        for (i, step) in path.iter().enumerate() {
            match &here.kind {
                Kind::Map(entries) => match entries.iter().find(|e| e.key == *step) {
                    Some(entry) => {
                        let last = i + 1 == path.len();
                        span = if last && key { entry.key_span } else { entry.value.span };
                        here = &entry.value;
                    }
                    None => return span,
                },
                Kind::List(items) => match step.parse::<usize>().ok().and_then(|i| items.get(i)) {
                    Some(item) => {
                        span = item.span;
                        here = item;
                    }
                    None => return span,
                },
                Kind::Scalar(_) => return span,
            }
        }
        span
    }
}

struct Reader<'a> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
    anchors: Vec<(usize, Node)>,
    nodes: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), Diagnostic> {
        match self.parser.next_event() {
            Some(Ok((event, raw))) => Ok((event, span(raw))),
            Some(Err(error)) => {
                let mark = error.marker();
                let at = Span { line: mark.line(), column: mark.col() + 1, len: 1 };
                Err(Diagnostic::new(at, format!("this is not valid YAML: {}", error.info())))
            }
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn document(&mut self) -> Result<Node, Diagnostic> {
        loop {
            match self.next()? {
                (Event::StreamStart | Event::DocumentStart(_) | Event::Nothing, _) => {}
                (Event::StreamEnd, at) => return Err(Diagnostic::new(at, "the spec is empty")),
                (event, at) => {
                    let node = self.node(event, at, 0)?;
                    return self.end(node);
                }
            }
        }
    }

    fn end(&mut self, node: Node) -> Result<Node, Diagnostic> {
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(node),
                (Event::DocumentStart(_), at) => {
                    return Err(Diagnostic::new(
                        at,
                        "a spec is one document: a second one starts here",
                    ));
                }
                _ => {}
            }
        }
    }

    fn node(&mut self, event: Event<'a>, at: Span, depth: usize) -> Result<Node, Diagnostic> {
        self.nodes += 1;
        if depth > MAX_DEPTH || self.nodes > MAX_NODES {
            return Err(Diagnostic::new(at, "the spec is nested too deeply or too large"));
        }
        let (node, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => {
                (Node { kind: Kind::Scalar(scalar(&text, style, at)?), span: at }, anchor)
            }
            Event::SequenceStart(anchor, _) => (self.list(at, depth)?, anchor),
            Event::MappingStart(anchor, _) => (self.map(at, depth)?, anchor),
            Event::Alias(id) => return self.alias(id, at),
            _ => return Err(Diagnostic::new(at, "a value is missing here")),
        };
        if anchor > 0 {
            self.anchors.push((anchor, node.clone()));
        }
        Ok(node)
    }

    fn alias(&mut self, id: usize, at: Span) -> Result<Node, Diagnostic> {
        let found = self
            .anchors
            .iter()
            .rev()
            .find(|(anchor, _)| *anchor == id)
            .map(|(_, node)| node.clone());
        let node =
            found.ok_or_else(|| Diagnostic::new(at, "this alias has no anchor before it"))?;
        self.nodes += count(&node);
        if self.nodes > MAX_NODES {
            return Err(Diagnostic::new(
                at,
                "the spec is too large once its aliases are filled in",
            ));
        }
        Ok(node)
    }

    fn list(&mut self, start: Span, depth: usize) -> Result<Node, Diagnostic> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => {
                    return Ok(Node { kind: Kind::List(items), span: start });
                }
                (event, at) => items.push(self.node(event, at, depth + 1)?),
            }
        }
    }

    fn map(&mut self, start: Span, depth: usize) -> Result<Node, Diagnostic> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut merged: Vec<Entry> = Vec::new();
        loop {
            let (key, key_span) = match self.next()? {
                (Event::MappingEnd, _) => break,
                (Event::Scalar(text, ..), at) => (text.into_owned(), at),
                (_, at) => return Err(Diagnostic::new(at, "a key must be a plain text")),
            };
            if entries.iter().any(|e| e.key == key) {
                return Err(Diagnostic::new(key_span, format!("the key `{key}` is given twice")));
            }
            let (event, at) = self.next()?;
            let value = self.node(event, at, depth + 1)?;
            if key == "<<" {
                merged.extend(merge(value));
            } else {
                entries.push(Entry { key, key_span, value });
            }
        }
        // A merged key is a default: the map's own keys stand before it.
        for entry in merged {
            if !entries.iter().any(|e| e.key == entry.key) {
                entries.push(entry);
            }
        }
        Ok(Node { kind: Kind::Map(entries), span: start })
    }
}

/// An error at the end of the text is shown behind its last line.
fn within(text: &str, span: Span) -> Span {
    match (text.lines().count(), text.lines().last()) {
        (lines, Some(last)) if span.line > lines => {
            Span { line: lines, column: last.chars().count() + 1, len: 1 }
        }
        _ => span,
    }
}

fn merge(value: Node) -> Vec<Entry> {
    match value.kind {
        Kind::Map(entries) => entries,
        Kind::List(items) => items.into_iter().flat_map(merge).collect(),
        Kind::Scalar(_) => Vec::new(),
    }
}

fn count(node: &Node) -> usize {
    1 + match &node.kind {
        Kind::Scalar(_) => 0,
        Kind::List(items) => items.iter().map(count).sum(),
        Kind::Map(entries) => entries.iter().map(|e| count(&e.value)).sum(),
    }
}

fn span(raw: RawSpan) -> Span {
    let len = if raw.start.line() == raw.end.line() {
        raw.end.col().saturating_sub(raw.start.col())
    } else {
        1
    };
    Span { line: raw.start.line(), column: raw.start.col() + 1, len: len.max(1) }
}

/// YAML 1.2's core schema: `yes`, `no`, `on`, `off` and dates are text.
fn scalar(text: &str, style: ScalarStyle, at: Span) -> Result<Value, Diagnostic> {
    if style != ScalarStyle::Plain {
        return Ok(Value::String(text.to_owned()));
    }
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "-.inf" | "-.Inf" | "-.INF"
        | "+.inf" => {
            return Err(Diagnostic::new(at, format!("a number must be finite, not {text}")));
        }
        _ => number(text).unwrap_or_else(|| Value::String(text.to_owned())),
    })
}

fn number(text: &str) -> Option<Value> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let plain = text.strip_prefix('+').unwrap_or(text);
    if let Ok(integer) = plain.parse::<i64>() {
        return Some(integer.into());
    }
    let float_chars = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '-' | '+');
    let value = digits.chars().all(float_chars).then(|| plain.parse::<f64>().ok()).flatten()?;
    Number::from_f64(value).map(Value::Number)
}

#[cfg(test)]
mod tests {
    use super::{Node, Span};
    use serde_json::json;

    fn check(yaml: &str, expect: &serde_json::Value) {
        assert_eq!(&Node::parse(yaml).unwrap().to_value(), expect, "{yaml}");
    }

    fn fails(yaml: &str, line: usize, column: usize, message: &str) {
        let error = Node::parse(yaml).unwrap_err();
        assert_eq!((error.span.line, error.span.column), (line, column), "{error:?}");
        assert!(error.message.contains(message), "{error:?}");
    }

    #[test]
    fn scalars_are_those_of_yaml_1_2() {
        check(
            "[1, -2, 0.5, 1e-6, .5, true, no, null, ~, 2024-01-01, \"1\", 1.2.3]",
            &json!([1, -2, 0.5, 1e-6, 0.5, true, "no", null, null, "2024-01-01", "1", "1.2.3"]),
        );
    }

    #[test]
    fn json_is_yaml() {
        check("{\"a\": [1, {\"b\": null}]}", &json!({"a": [1, {"b": null}]}));
    }

    #[test]
    fn anchors_and_merge_keys() {
        check(
            "a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}",
            &json!({"a": {"p": 1, "q": 2}, "b": {"q": 3, "p": 1}}),
        );
    }

    #[test]
    fn places_lead_to_keys_and_values() {
        let node = Node::parse("a:\n  b: [1, twenty]\n").unwrap();
        let path = ["a".to_owned(), "b".to_owned(), "1".to_owned()];
        assert_eq!(node.locate(&path, false), Span { line: 2, column: 10, len: 6 });
        assert_eq!(node.locate(&path[..2], true), Span { line: 2, column: 3, len: 1 });
    }

    #[test]
    fn errors_have_places() {
        fails("a: 1\na: 2", 2, 1, "given twice");
        fails("a: [1, 2", 1, 9, "not valid YAML");
        fails("a: .nan", 1, 4, "finite");
        fails("", 1, 1, "empty");
    }

    #[test]
    fn bombs_are_refused() {
        let deep = "[".repeat(100) + &"]".repeat(100);
        assert!(Node::parse(&deep).is_err());
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for i in 1..9 {
            let previous = format!("*a{}, ", i - 1).repeat(10);
            bomb += &format!("a{i}: &a{i} [{}]\n", previous.trim_end_matches(", "));
        }
        assert!(Node::parse(&bomb).is_err());
    }
}
