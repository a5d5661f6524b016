//! Documents per second checked against JSON schemas on one thread, as JSON lines.
//!
//! `cargo bench -p guerdon-verify --bench schema -- --dump CORPUS` also writes the corpus, a `{"name", "schema",
//! "documents"}` per line, which `schema_peer.py` reads to measure a compiled validator of Python on the same documents.

#![allow(clippy::print_stdout, reason = "the bench reports what it measures")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use guerdon_verify::verify::json_schema::Validator;
use serde_json::{Value, json};

/// Documents of each schema.
const DOCUMENTS: usize = 500;

/// A stream of small numbers, the same in every run.
struct Draws(u64);

impl Draws {
    fn below(&mut self, n: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn word(&mut self) -> String {
        let length = 3 + self.below(9);
        (0..length).map(|_| char::from(b'a' + u8::try_from(self.below(26)).unwrap())).collect()
    }
}

fn tool_call() -> (Value, fn(&mut Draws) -> Value) {
    let schema = json!({
        "type": "object", "required": ["name", "arguments"], "additionalProperties": false,
        "properties": {
            "name": {"enum": ["search", "open", "click"]},
            "arguments": {
                "type": "object", "required": ["query"],
                "properties": {
                    "query": {"type": "string", "minLength": 1, "maxLength": 200},
                    "limit": {"type": "integer", "minimum": 1, "maximum": 100},
                    "exact": {"type": "boolean"}
                }
            }
        }
    });
    (schema, |d| {
        let draw = d.below(13);
        let name = if draw == 12 {
            "jump"
        } else {
            ["search", "open", "click"][usize::try_from(draw % 3).unwrap()]
        };
        json!({"name": name, "arguments": {"query": d.word(), "limit": d.below(105), "exact": d.below(2) == 0}})
    })
}

fn order() -> (Value, fn(&mut Draws) -> Value) {
    let schema = json!({
        "definitions": {"item": {
            "type": "object", "required": ["sku", "count", "price"],
            "properties": {
                "sku": {"type": "string", "pattern": "^[a-z]{3,12}$"},
                "count": {"type": "integer", "minimum": 1},
                "price": {"type": "number", "minimum": 0, "exclusiveMaximum": 1000},
                "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": true}
            }
        }},
        "type": "object", "required": ["id", "items"],
        "properties": {
            "id": {"type": "integer"},
            "buyer": {"type": ["string", "null"]},
            "items": {"type": "array", "minItems": 1, "maxItems": 50, "items": {"$ref": "#/definitions/item"}}
        }
    });
    (schema, |d| {
        let items: Vec<Value> = (0..=d.below(40))
            .map(|_| {
                let price = d.below(100_500) as f64 / 100.0;
                json!({"sku": d.word(), "count": 1 + d.below(9), "price": price, "tags": [d.word(), d.word()]})
            })
            .collect();
        json!({"id": d.below(1 << 30), "buyer": null, "items": items})
    })
}

fn shapes() -> (Value, fn(&mut Draws) -> Value) {
    let shape = |kind: &str, side: &str| {
        json!({
            "type": "object", "required": ["kind", side],
            "properties": {"kind": {"const": kind}, side: {"type": "number", "exclusiveMinimum": 0}}
        })
    };
    let one = json!({"oneOf": [shape("circle", "radius"), shape("square", "side"), shape("line", "length")]});
    let schema = json!({"type": "array", "items": one});
    (schema, |d| {
        let kinds = [("circle", "radius"), ("square", "side"), ("line", "length")];
        (0..20)
            .map(|_| {
                let (kind, side) = kinds[usize::try_from(d.below(3)).unwrap()];
                json!({"kind": kind, side: (d.below(1000) as f64) / 8.0})
            })
            .collect()
    })
}

fn grow(d: &mut Draws, depth: u32) -> Value {
    if depth == 0 {
        return json!({"value": d.below(100)});
    }
    let children: Vec<Value> = (0..3).map(|_| grow(d, depth - 1)).collect();
    json!({"value": d.below(100), "children": children})
}

fn tree() -> (Value, fn(&mut Draws) -> Value) {
    let schema = json!({
        "definitions": {"node": {
            "type": "object", "required": ["value"],
            "properties": {
                "value": {"type": "integer"},
                "children": {"type": "array", "items": {"$ref": "#/definitions/node"}}
            }
        }},
        "$ref": "#/definitions/node"
    });
    (schema, |d| grow(d, 4))
}

/// Work per second of `call`, which does `size` pieces.
fn rate(size: usize, call: &mut dyn FnMut()) -> f64 {
    let mut best = 0.0_f64;
    for _ in 0..5 {
        let (start, mut done) = (Instant::now(), 0);
        while start.elapsed() < Duration::from_millis(200) {
            call();
            done += size;
        }
        best = best.max(done as f64 / start.elapsed().as_secs_f64());
    }
    best.round()
}

fn main() {
    let mut dump = String::new();
    for (name, (schema, make)) in [
        ("tool call", tool_call()),
        ("order", order()),
        ("one of three", shapes()),
        ("tree", tree()),
    ] {
        let mut draws = Draws(7);
        let documents: Vec<Value> = (0..DOCUMENTS).map(|_| make(&mut draws)).collect();
        let texts: Vec<String> = documents.iter().map(ToString::to_string).collect();
        let validator = Validator::new(&schema).expect("the schema is one");
        let valid = documents.iter().filter(|d| validator.is_valid(d)).count();
        let parsed = rate(DOCUMENTS, &mut || {
            documents.iter().for_each(|d| _ = black_box(validator.is_valid(d)));
        });
        let with_parsing = rate(DOCUMENTS, &mut || {
            for text in &texts {
                let value: Value = serde_json::from_str(text).expect("it was written as JSON");
                black_box(validator.is_valid(&value));
            }
        });
        let explained = rate(DOCUMENTS, &mut || {
            documents.iter().for_each(|d| drop(black_box(validator.fault(d))));
        });
        let row = json!({
            "work": name, "documents": DOCUMENTS, "valid": valid, "parsed_per_s": parsed,
            "with_parsing_per_s": with_parsing, "explained_per_s": explained
        });
        println!("{row}");
        let line = json!({"name": name, "schema": schema, "documents": documents});
        dump.push_str(&format!("{line}\n"));
    }
    let mut arguments = std::env::args().skip_while(|arg| arg != "--dump").skip(1);
    if let Some(path) = arguments.next() {
        std::fs::write(path, dump).expect("the corpus can be written");
    }
}
