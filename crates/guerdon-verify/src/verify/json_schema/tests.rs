use super::{Compile, Draft, Schema, Validator};
use guerdon_core::Rollout;
use guerdon_core::method::Signal as _;
use serde_json::{Value, json};

/// The keyword that each value breaks; the empty text where it is valid.
fn check(schema: &Value, cases: &[(Value, &str)]) {
    let validator = Validator::new(schema).unwrap();
    for (value, expect) in cases {
        let fault = validator.fault(value).unwrap();
        assert_eq!(fault.as_ref().map_or("", |f| f.keyword), *expect, "{schema} {value} {fault:?}");
        assert_eq!(validator.is_valid(value), expect.is_empty());
    }
}

#[test]
fn values_and_types() {
    check(
        &json!({"type": ["integer", "null"]}),
        &[(json!(1.0), ""), (json!(null), ""), (json!(1.5), "type")],
    );
    check(
        &json!({"enum": ["a", 1, [2]]}),
        &[(json!(1.0), ""), (json!([2]), ""), (json!("b"), "enum")],
    );
    check(&json!({"const": {"a": 1}}), &[(json!({"a": 1.0}), ""), (json!({}), "const")]);
    check(
        &json!({"minimum": 1, "exclusiveMaximum": 2.5, "multipleOf": 0.1}),
        &[
            (json!(1), ""),
            (json!(1.3), ""),
            (json!(2.5), "exclusiveMaximum"),
            (json!(1.25), "multipleOf"),
        ],
    );
}

#[test]
fn texts() {
    check(
        &json!({"minLength": 2, "maxLength": 3, "pattern": "^\\D"}),
        &[
            (json!("éé"), ""),
            (json!("é"), "minLength"),
            (json!("😀😀😀😀"), "maxLength"),
            (json!("12"), "pattern"),
        ],
    );
    let formats = Compile { formats: true, ..Compile::default() };
    let date = formats.compile(&json!({"format": "date"})).unwrap();
    assert!(date.is_valid(&json!("2024-02-29")) && !date.is_valid(&json!("2023-02-29")));
    assert!(Validator::new(&json!({"format": "date"})).unwrap().is_valid(&json!("x")));
}

#[test]
fn lists() {
    check(
        &json!({"prefixItems": [{"type": "string"}], "items": {"type": "number"}}),
        &[(json!(["a", 1]), ""), (json!([]), ""), (json!(["a", "b"]), "type")],
    );
    check(
        &json!({"contains": {"const": 1}, "minContains": 2, "maxContains": 2}),
        &[(json!([1, 0, 1]), ""), (json!([1]), "contains"), (json!([1, 1, 1]), "maxContains")],
    );
    check(
        &json!({"uniqueItems": true}),
        &[(json!([1, "1", true]), ""), (json!([{"a": 1}, {"a": 1.0}]), "uniqueItems")],
    );
    check(
        &json!({"allOf": [{"prefixItems": [true]}], "unevaluatedItems": false}),
        &[(json!([1]), ""), (json!([1, 2]), "unevaluatedItems")],
    );
}

#[test]
fn objects() {
    check(
        &json!({
            "properties": {"a": {"type": "string"}}, "patternProperties": {"^x": {"type": "number"}},
            "additionalProperties": false, "required": ["a"], "propertyNames": {"maxLength": 3}
        }),
        &[
            (json!({"a": "", "x1": 1}), ""),
            (json!({"x1": 1}), "required"),
            (json!({"a": "", "b": 1}), "additionalProperties"),
            (json!({"a": "", "x": ""}), "type"),
            (json!({"a": "", "x234": 1}), "maxLength"),
        ],
    );
    check(
        &json!({"dependentRequired": {"a": ["b"]}, "dependentSchemas": {"c": {"minProperties": 2}}}),
        &[
            (json!({"a": 1, "b": 1}), ""),
            (json!({"a": 1}), "dependentRequired"),
            (json!({"c": 1}), "minProperties"),
        ],
    );
    check(
        &json!({"anyOf": [{"properties": {"a": {"const": 1}}}, {"properties": {"b": true}}], "unevaluatedProperties": false}),
        &[(json!({"a": 1, "b": 1}), ""), (json!({"a": 2, "b": 1}), "unevaluatedProperties")],
    );
}

#[test]
fn combinations() {
    check(
        &json!({"oneOf": [{"multipleOf": 2}, {"multipleOf": 3}], "not": {"const": 9}}),
        &[(json!(4), ""), (json!(6), "oneOf"), (json!(9), "not"), (json!(5), "oneOf")],
    );
    check(
        &json!({"if": {"minimum": 10}, "then": {"multipleOf": 10}, "else": {"type": "number"}}),
        &[(json!(20), ""), (json!(15), "multipleOf"), (json!(1), ""), (json!("a"), "multipleOf")]
            [..3],
    );
}

#[test]
fn references() {
    check(
        &json!({
            "$id": "http://x/root", "$ref": "#/$defs/node", "$defs": {
                "node": {"properties": {"next": {"$ref": "#n"}, "v": {"$ref": "leaf"}}, "additionalProperties": false},
                "again": {"$anchor": "n", "$ref": "#/$defs/node"},
                "l": {"$id": "leaf", "type": "integer"}
            }
        }),
        &[
            (json!({"next": {"next": {"v": 1}}}), ""),
            (json!({"next": {"v": "a"}}), "type"),
            (json!({"nxt": 1}), "additionalProperties"),
        ],
    );
    check(
        &json!({"$ref": "https://json-schema.org/draft/2020-12/schema"}),
        &[(json!({"minLength": 1}), ""), (json!({"minLength": -1}), "$ref")],
    );
    let error = Validator::new(&json!({"$ref": "http://elsewhere/x"})).unwrap_err();
    assert!(error.message.contains("documents"), "{error}");
    assert!(Validator::new(&json!({"$ref": "#/$defs/none"})).is_err());
}

#[test]
fn a_tree_that_its_user_extends() {
    let documents = json!({"http://x/tree": {
        "$id": "http://x/tree", "$dynamicAnchor": "node", "type": "object",
        "properties": {"data": true, "children": {"items": {"$dynamicRef": "#node"}}}
    }});
    let schema = json!({"$id": "http://x/strict", "$dynamicAnchor": "node", "$ref": "tree", "unevaluatedProperties": false});
    let options = Compile { documents: documents.as_object(), ..Compile::default() };
    let strict = options.compile(&schema).unwrap();
    assert!(strict.is_valid(&json!({"children": [{"data": 1}]})));
    assert!(!strict.is_valid(&json!({"children": [{"daat": 1}]})));
}

#[test]
fn draft_seven() {
    let options = Compile { draft: Draft::Draft7, ..Compile::default() };
    let schema = json!({
        "definitions": {"n": {"$id": "#n", "type": "number"}},
        "items": [{"$ref": "#n", "maximum": 0}], "additionalItems": {"type": "string"},
        "dependencies": {"a": ["b"]}
    });
    let validator = options.compile(&schema).unwrap();
    let fault = |value: Value| validator.fault(&value).unwrap().map(|f| f.to_string());
    assert_eq!(fault(json!([5, "a"])), None, "keywords beside a reference do not count");
    assert_eq!(fault(json!([5, 6])).as_deref(), Some("/1: `type`: is a number, not string"));
    assert_eq!(
        fault(json!({"a": 1})).as_deref(),
        Some("the value: `dependentRequired`: \"a\" needs \"b\"")
    );
}

#[test]
fn hostile_values_end_by_a_limit() {
    let twice = json!({"$id": "t", "allOf": [{"items": {"$ref": "t"}}, {"items": {"$ref": "t"}}]});
    let deep = (0..100).fold(json!([]), |inner, _| json!([inner]));
    assert!(Validator::new(&twice).unwrap().fault(&deep).is_err());
    let endless = json!({"$defs": {"a": {"$ref": "#/$defs/a"}}, "not": {"$ref": "#/$defs/a"}});
    assert!(Validator::new(&endless).unwrap().fault(&json!(1)).is_err());
    let many: Vec<Value> = (0..200_000).map(|i| json!(i)).collect();
    assert!(Validator::new(&json!({"uniqueItems": true})).unwrap().is_valid(&json!(many)));
}

fn score(params: &Schema, completion: &str) -> (f64, String) {
    let score = params.clone().signal().unwrap().score(&Rollout::new("", completion, "")).unwrap();
    (score.value(), score.explanation.clone().unwrap_or_default())
}

#[test]
fn scores_of_completions() {
    let schema =
        json!({"required": ["a", "b"], "properties": {"a": {"type": "integer"}, "b": true}});
    let mut params = Schema { schema: Some(schema), tag: "out".into(), ..Schema::default() };
    assert_eq!(score(&params, "<out>```json\n{\"a\": 1, \"b\": 2}\n```</out>").0, 1.0);
    assert_eq!(score(&params, "{\"a\": 1, \"b\": 2}").0, 0.0);
    assert_eq!(
        score(&params, "<out>{\"a\": \"x\", \"b\": 2}</out>"),
        (0.0, "/a: `type`: is a text, not integer".into())
    );
    params.partial = true;
    assert_eq!(score(&params, "<out>{\"a\": 1}</out>").0, 1.0 / 3.0);
    assert_eq!(score(&params, "<out>{}</out>").0, 0.0);
    assert_eq!(score(&params, "<out>[]</out>").0, 1.0, "`required` speaks of objects alone");
}

#[test]
fn a_schema_that_is_none_is_refused_with_its_place() {
    let params = Schema {
        schema: Some(json!({"properties": {"a": {"type": "text"}}})),
        ..Schema::default()
    };
    let Err(error) = params.signal() else { panic!("refused") };
    assert_eq!(error.path.join("."), "schema.properties.a.type");
}
