//! Reading values that the data already holds: numbers, lists of numbers, texts.

use guerdon_core::{ParamError, Rollout, Unscored, nearest};
use serde_json::Value;

use super::column::{lookup, number};

/// Most numbers or texts of one row that a signal reads.
const LIMIT: usize = 1 << 20;

/// The value at `path`, or the reason why there is none, with the nearest name.
pub(super) fn value<'a>(rollout: &'a Rollout, path: &str) -> Result<&'a Value, Unscored> {
    lookup(rollout, path).filter(|value| !value.is_null()).ok_or_else(|| {
        let hint = nearest(path, rollout.columns.keys().map(String::as_str))
            .filter(|near| *near != path)
            .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        Unscored::missing(format!("the row has no column `{path}`{hint}"))
    })
}

/// The finite number at `path`.
pub(super) fn number_at(rollout: &Rollout, path: &str) -> Result<f64, Unscored> {
    number(value(rollout, path)?).map_err(|why| at(path, &why))
}

/// The finite numbers at `path`, at least one.
pub(super) fn numbers_at(rollout: &Rollout, path: &str) -> Result<Vec<f64>, Unscored> {
    numbers(value(rollout, path)?).map_err(|why| at(path, &why))
}

/// The finite numbers of a list, at least one.
pub(super) fn numbers(value: &Value) -> Result<Vec<f64>, Unscored> {
    list(value)?.iter().map(number).collect()
}

/// A list of at least one and at most [`LIMIT`] values.
pub(super) fn list(value: &Value) -> Result<&[Value], Unscored> {
    match value {
        Value::Array(items) if items.is_empty() => Err(Unscored::missing("the list is empty")),
        Value::Array(items) if items.len() > LIMIT => {
            Err(Unscored::budget(format!("the list has more than {LIMIT} entries")))
        }
        Value::Array(items) => Ok(items),
        _ => Err(Unscored::invalid("expected a list")),
    }
}

/// The list at `path`.
pub(super) fn list_at<'a>(rollout: &'a Rollout, path: &str) -> Result<&'a [Value], Unscored> {
    list(value(rollout, path)?).map_err(|why| at(path, &why))
}

/// The boolean at `path`; 0 and 1 are booleans too.
pub(super) fn flag_at(rollout: &Rollout, path: &str) -> Result<bool, Unscored> {
    match number_at(rollout, path)? {
        0.0 => Ok(false),
        1.0 => Ok(true),
        other => Err(Unscored::invalid(format!(
            "column `{path}`: expected true, false, 0 or 1, found {other}"
        ))),
    }
}

/// Log-probabilities at `path`: numbers that are at most 0.
pub(super) fn logprobs_at(rollout: &Rollout, path: &str) -> Result<Vec<f64>, Unscored> {
    let values = numbers_at(rollout, path)?;
    match values.iter().find(|l| **l > 1e-6) {
        Some(bad) => Err(Unscored::invalid(format!(
            "column `{path}`: {bad} is no natural-log probability: it exceeds 0"
        ))),
        None => Ok(values),
    }
}

/// The reason with its column before it.
pub(super) fn at(path: &str, why: &Unscored) -> Unscored {
    Unscored { kind: why.kind, detail: format!("column `{path}`: {}", why.detail) }
}

/// A parameter that names a column must not be empty.
pub(super) fn named(field: &str, column: &str) -> Result<(), ParamError> {
    if column.is_empty() {
        return Err(ParamError::new(field, format!("`{field}` must name a column of the data")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{logprobs_at, number_at, numbers_at};
    use guerdon_core::Rollout;
    use serde_json::json;

    #[test]
    fn values_come_with_their_column_in_the_reason() {
        let mut row = Rollout::default();
        row.columns.insert("a".into(), json!([1, 2.5]));
        row.columns.insert("t".into(), json!("x"));
        assert_eq!(numbers_at(&row, "a"), Ok(vec![1.0, 2.5]));
        let why = |error: guerdon_core::Unscored| error.to_string();
        assert_eq!(
            number_at(&row, "t").unwrap_err().detail,
            "column `t`: expected a number, found the text \"x\""
        );
        assert_eq!(
            why(numbers_at(&row, "tt").unwrap_err()),
            "missing: the row has no column `tt`; did you mean `t`?"
        );
        assert!(logprobs_at(&row, "a").unwrap_err().detail.contains("exceeds 0"));
    }
}
