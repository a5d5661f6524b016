//! JSON Schema: whether the completion is a JSON value that is valid against a schema.
//!
//! # Formula
//!
//! ```text
//! score = 1 if the value is valid, else 0
//! score = k / (n + 1) for an invalid value, where k of the n named properties of the root are there and valid   (partial)
//! ```
//!
//! The value is read as `verify.json` reads it: inside the last `<tag>` where `tag` is given, there or in the whole
//! completion from the last fenced block if there is one. The schema is `schema`, or the row's `column`, or the reference.
//! An invalid value is explained by the place in it and the keyword that it breaks.
//!
//! # When to use it
//!
//! For structured outputs whose shape is known and whose content is not. Where the content is known as well, add
//! `verify.json` with `equal: true`.
//!
//! # Departures
//!
//! Drafts 7, 2019-09 and 2020-12, chosen by `$schema`; custom vocabularies and `content*` are not read. Multiples are exact
//! in decimals (0.0075 is a multiple of 0.0001). Patterns are those of ECMA-262 in linear time, so that look-around and
//! back-references are refused; `\p{..}` takes the names of the Unicode database. Schemas are never fetched: what a `$ref`
//! needs stands in the schema or under `documents`. `format` is checked where `formats` is set; of international host
//! names and addresses only the characters are. A check ends after 4 million steps or 512 nested schemas, without a score.
//!
//! # Example
//!
//! ```yaml
//! use: verify.json_schema
//! schema:
//!   type: object
//!   required: [city]
//!   properties:
//!     city: {type: string, minLength: 1}
//! ```
//!
//! ```
//! use guerdon_verify::verify::json_schema::Validator;
//! use serde_json::json;
//! let schema = json!({"properties": {"n": {"type": "integer", "multipleOf": 3}}});
//! let validator = Validator::new(&schema).unwrap();
//! assert!(validator.is_valid(&json!({"n": 6.0})));
//! let fault = validator.fault(&json!({"n": 7})).unwrap().unwrap();
//! assert_eq!(fault.to_string(), "/n: `multipleOf`: 7 is no multiple");
//! ```
//!
//! # References
//!
//! Wright et al., "JSON Schema: A Media Type for Describing JSON Documents", drafts 07 and 2020-12.

mod check;
mod compile;
mod format;
mod keyword;
mod number;
mod pattern;
mod registry;
mod rules;
mod uri;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::kept::Kept;
use super::passage::{self, passage};
use super::records;
use check::Checker;
use registry::Registry;
use rules::{Node, NodeId};

/// An edition of JSON Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum Draft {
    /// Draft 7.
    #[serde(rename = "draft7")]
    Draft7,
    /// Draft 2019-09.
    #[serde(rename = "2019-09")]
    Draft201909,
    /// Draft 2020-12.
    #[default]
    #[serde(rename = "2020-12")]
    Draft202012,
}

impl Draft {
    /// The draft whose own schema has this URI.
    fn of_uri(uri: &str) -> Option<Self> {
        let bare = uri.trim_end_matches('#');
        let (_, name) = bare.split_once("://json-schema.org/")?;
        match name {
            "draft-07/schema" => Some(Self::Draft7),
            "draft/2019-09/schema" => Some(Self::Draft201909),
            "draft/2020-12/schema" => Some(Self::Draft202012),
            _ => None,
        }
    }
}

/// What is wrong with a schema, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaError {
    /// Keys and indices that lead to the place.
    pub path: Vec<String>,
    /// What is wrong.
    pub message: String,
}

impl SchemaError {
    fn new(message: impl Into<String>) -> Self {
        Self { path: Vec::new(), message: message.into() }
    }

    fn within(mut self, key: &str) -> Self {
        self.path.insert(0, key.to_owned());
        self
    }

    /// The error of a parameter that holds the schema.
    pub(super) fn in_parameter(self, field: &str) -> ParamError {
        let error = self.within(field);
        ParamError { path: error.path, message: error.message, unknown_key: false }
    }
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            return f.write_str(&self.message);
        }
        write!(f, "{}: {}", self.path.join("."), self.message)
    }
}

impl std::error::Error for SchemaError {}

/// Where a value breaks a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The place in the value, as a JSON pointer; empty for the whole.
    pub path: String,
    /// The keyword that is broken.
    pub keyword: &'static str,
    /// How.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.path.is_empty() { "the value" } else { &self.path };
        write!(f, "{place}: `{}`: {}", self.keyword, self.message)
    }
}

/// How schemas are compiled.
#[derive(Debug, Clone, Default)]
pub struct Compile<'a> {
    /// The draft of schemas without `$schema`.
    pub draft: Draft,
    /// `format` is checked and not only noted.
    pub formats: bool,
    /// Further schemas by their URI.
    pub documents: Option<&'a Map<String, Value>>,
}

/// A compiled schema.
#[derive(Debug)]
pub struct Validator {
    nodes: Vec<Node>,
    root: NodeId,
    /// For each resource its dynamic anchors; empty where no reference asks for them.
    dynamic: Vec<BTreeMap<String, NodeId>>,
}

impl Validator {
    /// Compiles a schema with the defaults of [`Compile`].
    pub fn new(schema: &Value) -> Result<Self, SchemaError> {
        Compile::default().compile(schema)
    }

    /// Whether `value` is valid; false too where a limit ends the check.
    pub fn is_valid(&self, value: &Value) -> bool {
        let mut checker = Checker::new(self);
        checker.holds(value) && checker.spent.is_none()
    }

    /// The first fault of `value`, none where it is valid; an error where a limit ends the check.
    pub fn fault(&self, value: &Value) -> Result<Option<Fault>, Unscored> {
        let mut checker = Checker::new(self);
        let holds = checker.holds(value);
        match checker.spent {
            Some(limit) => {
                Err(Unscored::budget(format!("the {limit} of a check against a schema")))
            }
            None if holds => Ok(None),
            None => Ok(Some(Checker::explain(self, value).unwrap_or(Fault {
                path: String::new(),
                keyword: "schema",
                message: "is not valid".to_owned(),
            }))),
        }
    }

    /// Of the named properties of the root, how many are there and valid, and how many there are.
    pub fn properties(&self, value: &Value) -> (usize, usize) {
        Checker::new(self).properties(value)
    }
}

impl Compile<'_> {
    /// Compiles a schema; an error names what is wrong with it.
    pub fn compile(&self, schema: &Value) -> Result<Validator, SchemaError> {
        let mut registry = Registry::default();
        let root = registry.add(schema, "", self.draft)?;
        for (uri, document) in self.documents.into_iter().flatten() {
            let plain = uri::split(uri).0;
            registry
                .add(document, plain, self.draft)
                .map_err(|error| SchemaError::new(format!("the document `{uri}`: {error}")))?;
        }
        compile::compile(&registry, root, self.formats)
    }
}

/// Parameters of `verify.json_schema`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Schema {
    /// The schema of every row: an object, true or false. Default none.
    pub schema: Option<Value>,
    /// Column with the row's schema, as an object or its text. Default none: `schema`, else the reference.
    pub column: Option<String>,
    /// Read the value inside the last pair of this tag; empty for the whole completion. Default empty.
    pub tag: String,
    /// The edition of schemas that do not name theirs: `draft7`, `2019-09` or `2020-12`. Default `2020-12`.
    pub draft: Draft,
    /// Check `format` instead of ignoring it. Default false.
    pub formats: bool,
    /// Pay for properties of an invalid object that are valid. Default false.
    pub partial: bool,
    /// Further schemas by their URI, for `$ref`. Default none.
    pub documents: Map<String, Value>,
}

impl Params for Schema {
    fn validate(&self) -> Result<(), ParamError> {
        passage::tag_name("tag", &self.tag)?;
        if let Some(column) = &self.column {
            records::named("column", column)?;
            if self.schema.is_some() {
                return Err(ParamError::new("column", "give `schema` or `column`, not both"));
            }
        }
        Ok(())
    }
}

/// The built signal: the schema of all rows, or those of the last rows.
struct Judge {
    params: Schema,
    fixed: Option<Validator>,
    kept: Kept<Validator>,
}

impl Schema {
    fn options(&self) -> Compile<'_> {
        Compile { draft: self.draft, formats: self.formats, documents: Some(&self.documents) }
    }

    fn signal(self) -> Result<Judge, ParamError> {
        let compiled = self.schema.as_ref().map(|schema| self.options().compile(schema));
        let fixed = compiled.transpose().map_err(|error| error.in_parameter("schema"))?;
        Ok(Judge { params: self, fixed, kept: Kept::default() })
    }
}

impl Judge {
    fn of_row(&self, rollout: &Rollout) -> Result<Arc<Validator>, Unscored> {
        let value = match &self.params.column {
            Some(column) => records::value(rollout, column)?,
            None => &rollout.reference,
        };
        let schema = passage::as_json(value)
            .map_err(|why| Unscored { detail: format!("the schema: {}", why.detail), ..why })?;
        self.kept.get(&schema.to_string(), || {
            let compiled = self.params.options().compile(&schema);
            compiled.map_err(|e| Unscored::invalid(format!("the schema: {e}")))
        })
    }

    fn judge(&self, validator: &Validator, text: &str) -> Outcome {
        let value = match passage(text, &self.params.tag).and_then(passage::json) {
            Ok(value) => value,
            Err(why) => return Ok(Score::binary(false).because(why)),
        };
        let Some(fault) = validator.fault(&value)? else { return Ok(Score::binary(true)) };
        let score = if self.params.partial {
            let (valid, all) = validator.properties(&value);
            Score::new(valid as f64 / (all + 1) as f64)?
        } else {
            Score::binary(false)
        };
        Ok(score.because(fault.to_string()))
    }
}

impl Signal for Judge {
    fn score(&self, rollout: &Rollout) -> Outcome {
        match &self.fixed {
            Some(validator) => self.judge(validator, rollout.text()),
            None => self.judge(self.of_row(rollout)?.as_ref(), rollout.text()),
        }
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Schema: BuiltSignal,
    id: "verify.json_schema",
    papers: [],
    status: Verified(Reference("the JSON Schema Test Suite, drafts 7 and 2020-12")),
    laws: [WhitespaceInvariant],
    exempt: [],
    samples: [
        r#"{"prompt": "Where?", "completion": "{\"city\": \"Paris\", \"n\": 2}", "reference": {"type": "object", "required": ["city"], "properties": {"n": {"minimum": 1}}}}"#,
        r#"{"prompt": "Which?", "completion": "Here:\n```json\n[1, 2]\n```", "reference": "{\"type\": \"array\", \"items\": {\"type\": \"integer\"}}"}"#,
    ],
}

#[cfg(test)]
mod tests;
