//! YAML: whether the completion is a YAML document, is valid against a schema, and equals the reference.
//!
//! # Formula
//!
//! ```text
//! score = valid · (every required path is there) · (schema ? it is kept : 1) · (equal ? value = reference : 1)
//! ```
//!
//! The document stands inside the last `<tag>` where `tag` is given, there or in the whole completion in the last fenced
//! block if there is one. Its value is that of YAML 1.2's core schema. A text without any structure is a YAML document, too:
//! where neither `required` nor `schema` nor `equal` says what is wanted, the document must be a map or a list.
//!
//! # When to use it
//!
//! For configuration files and other structured outputs in YAML. A reference may be a value or a YAML text.
//!
//! # Departures
//!
//! A key that is there twice, a second document, infinite numbers, keys that are no scalars and tags beyond the core schema
//! are refused. Merge keys (`<<`) are read. At most 256 KiB, 64 levels and 100000 values, those that aliases repeat
//! included.
//!
//! # Example
//!
//! ```yaml
//! use: verify.yaml
//! required: [services.web.image]
//! ```
//!
//! ```
//! use guerdon_verify::verify::yaml::Yaml;
//! let yaml = Yaml { required: vec!["web.port".into()], ..Yaml::default() };
//! assert!(yaml.check("```yaml\nweb:\n  port: 80\n```").is_ok());
//! assert!(yaml.check("web: 80").is_err());
//! ```
//!
//! # References
//!
//! Ben-Kiki et al., "YAML Ain't Markup Language, version 1.2", 2021.

mod read;

use std::borrow::Cow;

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::json_schema::Validator;
use super::passage::{self, passage};

/// Parameters of `verify.yaml`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Yaml {
    /// Read the document inside the last pair of this tag; empty for the whole completion. Default empty.
    pub tag: String,
    /// Dotted paths that must be there (`a.0.b`: key a, first item, key b). Default none.
    pub required: Vec<String>,
    /// JSON schema of the value, of draft 2020-12 unless it names another. Default none.
    pub schema: Option<Value>,
    /// The value must equal the reference. Default false.
    pub equal: bool,
}

impl Params for Yaml {
    fn validate(&self) -> Result<(), ParamError> {
        passage::tag_name("tag", &self.tag)
    }
}

/// The document of a completion, with the indentation of its first line.
fn document<'a>(text: &'a str, tag: &str) -> Result<&'a str, String> {
    let found = passage(text, tag)?;
    let start = found.as_ptr().addr() - text.as_ptr().addr();
    let indent = text[..start].bytes().rev().take_while(|b| *b == b' ').count();
    let at_line_start = matches!(text[..start - indent].chars().next_back(), None | Some('\n'));
    Ok(&text[start - if at_line_start { indent } else { 0 }..start + found.len()])
}

/// The value of a YAML text, or what is wrong with it.
pub fn value(text: &str) -> Result<Value, String> {
    read::read(text)
}

impl Yaml {
    /// The value that `text` holds, schema and reference aside, or what is wrong with it.
    pub fn check(&self, text: &str) -> Result<Value, String> {
        let value = value(document(text, &self.tag)?)?;
        if let Some(path) =
            self.required.iter().find(|path| passage::at_path(&value, path).is_none())
        {
            return Err(format!("`{path}` is missing"));
        }
        let is_open = self.required.is_empty() && self.schema.is_none() && !self.equal;
        if is_open && !(value.is_object() || value.is_array()) {
            return Err("is neither a map nor a list".to_owned());
        }
        Ok(value)
    }

    fn signal(self) -> Result<Judge, ParamError> {
        let compiled = self.schema.as_ref().map(Validator::new).transpose();
        let schema = compiled.map_err(|error| error.in_parameter("schema"))?;
        Ok(Judge { params: self, schema })
    }
}

/// The reference as a value: a text is read as YAML.
fn reference(rollout: &Rollout) -> Result<Cow<'_, Value>, Unscored> {
    match &rollout.reference {
        Value::Null => Err(Unscored::missing("there is no reference: map it in the spec")),
        Value::String(text) => {
            let read = value(text).map(Cow::Owned);
            read.map_err(|why| Unscored::invalid(format!("the reference: {why}")))
        }
        other => Ok(Cow::Borrowed(other)),
    }
}

/// The built signal: parameters and the compiled schema.
struct Judge {
    params: Yaml,
    schema: Option<Validator>,
}

impl Signal for Judge {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let reference = if self.params.equal { Some(reference(rollout)?) } else { None };
        let value = match self.params.check(rollout.text()) {
            Ok(value) => value,
            Err(why) => return Ok(Score::binary(false).because(why)),
        };
        if let Some(schema) = &self.schema
            && let Some(fault) = schema.fault(&value)?
        {
            return Ok(Score::binary(false).because(fault.to_string()));
        }
        if reference.is_some_and(|reference| !passage::equal(&value, &reference)) {
            return Ok(Score::binary(false).because("valid, and not the reference"));
        }
        Ok(Score::binary(true))
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Yaml: BuiltSignal,
    id: "verify.yaml",
    papers: [],
    status: Stable,
    laws: [WhitespaceInvariant],
    exempt: [],
    sample_params: r#"{"equal": true}"#,
    samples: [
        r#"{"prompt": "Where?", "completion": "city: Paris\nn: 2", "reference": {"n": 2.0, "city": "Paris"}}"#,
        r#"{"prompt": "Which?", "completion": "Here:\n```yaml\n  - a: x\n  - 2\n```", "reference": "[{a: x}, 2]"}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::Yaml;
    use guerdon_core::Rollout;
    use guerdon_core::method::Signal as _;
    use serde_json::json;

    fn check(params: &Yaml, completion: &str, expect: f64) {
        let rollout = Rollout { reference: json!({"a": [1]}), ..Rollout::new("", completion, "") };
        let score = params.clone().signal().unwrap().score(&rollout).unwrap();
        assert_eq!(score.value(), expect, "{completion:?}: {:?}", score.explanation);
    }

    #[test]
    fn structure_paths_schemas_and_references() {
        let plain = Yaml::default();
        check(&plain, "a: 1", 1.0);
        check(&plain, "  a: 1\n  b: 2\n", 1.0);
        check(&plain, "I would say so.", 0.0);
        check(&plain, "a: [", 0.0);
        let equal = Yaml { equal: true, tag: "out".into(), ..Yaml::default() };
        check(&equal, "<out>a:\n- 1.0</out>", 1.0);
        check(&equal, "<out>a:\n- 2</out>", 0.0);
        check(&equal, "a: [1]", 0.0);
        let schema = Yaml {
            schema: Some(json!({"required": ["a"], "maxProperties": 1})),
            ..Yaml::default()
        };
        check(&schema, "a: x", 1.0);
        check(&schema, "{a: x, b: y}", 0.0);
    }
}
