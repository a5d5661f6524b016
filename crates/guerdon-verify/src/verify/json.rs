//! JSON: whether the completion is a valid JSON value, has the required keys, and equals the reference value.
//!
//! # Formula
//!
//! ```text
//! score = valid · (every required path is there) · (equal ? value = reference : 1)
//! ```
//!
//! The value is read inside the last `<tag>` where `tag` is given, there or in the whole completion from the last fenced
//! block if there is one. Objects are equal whatever the order of their keys, `1` equals `1.0`, whole numbers are compared
//! exactly. A reference that is text is parsed first.
//!
//! # When to use it
//!
//! For structured extraction with a known result (`equal: true`), or as a format reward. For shapes rather than values use
//! `verify.json_schema`.
//!
//! # Departures
//!
//! None: there is no published formula. JSON is read strictly (no comments, no trailing commas, no NaN), at most 1 MiB and
//! 128 levels deep; of a key that is written twice the last value counts.
//!
//! # Example
//!
//! ```yaml
//! use: verify.json
//! required: [city, forecast.0.temperature]
//! ```
//!
//! ```
//! use guerdon_verify::verify::json::Json;
//! let json = Json { required: vec!["city".into()], ..Json::default() };
//! assert!(json.check("```json\n{\"city\": \"Paris\"}\n```").is_ok());
//! assert!(json.check("{\"town\": \"Paris\"}").is_err());
//! ```
//!
//! # References
//!
//! RFC 8259, "The JavaScript Object Notation (JSON) Data Interchange Format", 2017.

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::passage::{self, passage};

/// Parameters of `verify.json`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Json {
    /// Read the value inside the last pair of this tag; empty for the whole completion. Default empty.
    pub tag: String,
    /// Dotted paths that must be there (`a.0.b`: key a, first item, key b). Default none.
    pub required: Vec<String>,
    /// The value must equal the reference. Default false.
    pub equal: bool,
}

impl Params for Json {
    fn validate(&self) -> Result<(), ParamError> {
        passage::tag_name("tag", &self.tag)
    }
}

impl Json {
    /// The value that `text` holds, or what is wrong with it.
    pub fn check(&self, text: &str) -> Result<Value, String> {
        let value = passage::json(passage(text, &self.tag)?)?;
        match self.required.iter().find(|path| passage::at_path(&value, path).is_none()) {
            Some(path) => Err(format!("`{path}` is missing")),
            None => Ok(value),
        }
    }
}

impl Signal for Json {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let reference = if self.equal { Some(passage::reference_json(rollout)?) } else { None };
        Ok(match self.check(rollout.text()) {
            Err(why) => Score::binary(false).because(why),
            Ok(value) => match reference {
                Some(reference) if !passage::equal(&value, &reference) => {
                    Score::binary(false).because("valid, and not the reference")
                }
                _ => Score::binary(true),
            },
        })
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Json: Signal,
    id: "verify.json",
    papers: [],
    status: Stable,
    laws: [WhitespaceInvariant],
    exempt: [],
    sample_params: r#"{"equal": true}"#,
    samples: [
        r#"{"prompt": "Where?", "completion": "{\"city\": \"Paris\", \"n\": 2}", "reference": {"n": 2.0, "city": "Paris"}}"#,
        r#"{"prompt": "Which?", "completion": "Here:\n```json\n[1, 2]\n```", "reference": "[1,2]"}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::Json;

    fn check(json: &Json, text: &str, expect: bool) {
        assert_eq!(json.check(text).is_ok(), expect, "{text:?}");
    }

    #[test]
    fn validity_is_strict() {
        let json = Json::default();
        check(&json, " {\"a\": [1, null]} ", true);
        for text in ["", "{a: 1}", "{\"a\": 1,}", "NaN", "{} {}", "Sure: {}", "{\"a\": 1"] {
            check(&json, text, false);
        }
    }

    #[test]
    fn tags_and_required_paths() {
        let json = Json { tag: "out".into(), required: vec!["a.1".into()], equal: false };
        check(&json, "<out>{\"a\": [1, 2]}</out> done", true);
        check(&json, "<out>{\"a\": [1]}</out>", false);
        check(&json, "{\"a\": [1, 2]}", false);
    }
}
