//! A value that is already in the data: a recorded reward, a label, another tool's score.
//!
//! # Formula
//!
//! ```text
//! score = the number in the column; true is 1, false is 0
//! ```
//!
//! # When to use it
//!
//! To shape, combine and monitor scores that something else computed, and to give label columns to `guerdon audit`.
//!
//! # Departures
//!
//! None: there is no formula to depart from. Text is not read as a number, so that a mis-mapped column shows.
//!
//! # Example
//!
//! ```yaml
//! use: verify.column
//! column: rm_score
//! ```
//!
//! ```
//! use guerdon_verify::verify::column;
//! assert_eq!(column::number(&true.into()), Ok(1.0));
//! assert_eq!(column::number(&0.25.into()), Ok(0.25));
//! ```
//!
//! # References
//!
//! None; a convenience of this project.

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored, nearest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Parameters of `verify.column`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Column {
    /// Name of the column; `outer.inner` reaches into objects. Required.
    #[serde(alias = "name", alias = "field")]
    pub column: String,
}

impl Params for Column {
    fn validate(&self) -> Result<(), ParamError> {
        if self.column.is_empty() {
            return Err(ParamError::new("column", "`column` must name a column of the data"));
        }
        Ok(())
    }
}

/// The number that a value stands for, or what it is instead.
pub fn number(value: &Value) -> Result<f64, Unscored> {
    match value {
        Value::Bool(flag) => Ok(f64::from(u8::from(*flag))),
        Value::Number(number) => number
            .as_f64()
            .filter(|x| x.is_finite())
            .ok_or_else(|| Unscored::invalid(format!("{number} does not fit a 64-bit float"))),
        Value::Null => Err(Unscored::missing("the value is null")),
        Value::String(text) => {
            let start: String = text.chars().take(40).collect();
            Err(Unscored::invalid(format!("expected a number, found the text {start:?}")))
        }
        Value::Array(_) => Err(Unscored::invalid("expected a number, found a list")),
        Value::Object(_) => Err(Unscored::invalid("expected a number, found an object")),
    }
}

/// The value at `path`: a column of that very name, or else keys separated by dots.
pub fn lookup<'a>(rollout: &'a Rollout, path: &str) -> Option<&'a Value> {
    if let Some(value) = rollout.columns.get(path) {
        return Some(value);
    }
    let mut keys = path.split('.');
    let first = rollout.columns.get(keys.next()?)?;
    keys.try_fold(first, |value, key| value.get(key))
}

impl Signal for Column {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let Some(value) = lookup(rollout, &self.column) else {
            let hint = nearest(&self.column, rollout.columns.keys().map(String::as_str))
                .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            return Err(Unscored::missing(format!(
                "the row has no column `{}`{hint}",
                self.column
            )));
        };
        Score::new(number(value)?)
    }

    fn reads_completion(&self) -> bool {
        false
    }
}

guerdon_core::method! {
    Column: Signal,
    id: "verify.column",
    papers: [],
    status: Verified(ClosedForm("the value itself")),
    laws: [],
    exempt: [
        ReferenceMaximal: "The value comes from the data, not from the completion.",
        DegenerateEarnsNothing: "The value comes from the data, not from the completion.",
        InjectionGainsNothing: "The value comes from the data, not from the completion.",
    ],
    sample_params: r#"{"column": "rm_score"}"#,
}

#[cfg(test)]
mod tests {
    use super::Column;
    use guerdon_core::method::Signal as _;
    use guerdon_core::{Rollout, Unscored};
    use serde_json::{Value, json};

    fn check(columns: &Value, path: &str, expect: Result<f64, &str>) {
        let rollout =
            Rollout { columns: columns.as_object().unwrap().clone(), ..Rollout::default() };
        let outcome = Column { column: path.into() }.score(&rollout).map(|s| s.value());
        assert_eq!(outcome.map_err(|e: Unscored| e.to_string()), expect.map_err(str::to_owned));
    }

    #[test]
    fn numbers_and_booleans_at_any_depth() {
        check(&json!({"r": 0.5}), "r", Ok(0.5));
        check(&json!({"ok": true}), "ok", Ok(1.0));
        check(&json!({"a": {"b": -2}}), "a.b", Ok(-2.0));
        check(&json!({"a.b": 3, "a": {"b": -2}}), "a.b", Ok(3.0));
    }

    #[test]
    fn anything_else_is_unscored_with_a_reason() {
        check(&json!({"r": null}), "r", Err("missing: the value is null"));
        check(&json!({"r": "0.5"}), "r", Err("invalid: expected a number, found the text \"0.5\""));
        check(
            &json!({"score": 1}),
            "scor",
            Err("missing: the row has no column `scor`; did you mean `score`?"),
        );
    }
}
