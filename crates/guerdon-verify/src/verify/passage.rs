//! Finding the part of a completion that holds a value, and reading JSON within limits.

use std::borrow::Cow;

use guerdon_core::{ParamError, Rollout, Unscored};
use serde_json::Value;

/// Longest passage that is parsed, in bytes. Depth is bounded by the parsers (128 for JSON).
pub(super) const MAX_BYTES: usize = 1 << 20;

/// What the last pair `<tag>`…`</tag>` encloses.
pub(super) fn tagged<'a>(text: &'a str, tag: &str) -> Option<&'a str> {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    let end = text.rfind(&close)?;
    let start = text[..end].rfind(&open)? + open.len();
    Some(text[start..end].trim())
}

/// What the last closed fence of three backticks encloses, without the language on its first line.
pub(super) fn fenced(text: &str) -> Option<&str> {
    let end = text.rfind("```")?;
    let start = text[..end].rfind("```")? + 3;
    let (_, body) = text[start..end].split_once('\n')?;
    Some(body.trim())
}

/// The passage to read: inside `tag` where one is named, else the last fenced block, else the whole text.
pub(super) fn passage<'a>(text: &'a str, tag: &str) -> Result<&'a str, String> {
    let inside = if tag.is_empty() {
        text.trim()
    } else {
        tagged(text, tag).ok_or_else(|| format!("there is no <{tag}>…</{tag}>"))?
    };
    let found = fenced(inside).unwrap_or(inside);
    if found.len() > MAX_BYTES {
        return Err(format!("longer than {MAX_BYTES} bytes"));
    }
    Ok(found)
}

/// The JSON value that `text` is, or what is wrong with it.
pub(super) fn json(text: &str) -> Result<Value, String> {
    if text.len() > MAX_BYTES {
        return Err(format!("longer than {MAX_BYTES} bytes"));
    }
    serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))
}

/// The reference as a JSON value: text is parsed, all else is taken as it is.
pub(super) fn reference_json(rollout: &Rollout) -> Result<Cow<'_, Value>, Unscored> {
    as_json(&rollout.reference).map_err(|why| prefixed(&why))
}

fn prefixed(why: &Unscored) -> Unscored {
    Unscored { kind: why.kind, detail: format!("the reference: {}", why.detail) }
}

/// A value of the data as JSON: text is parsed, all else is taken as it is.
pub(super) fn as_json(value: &Value) -> Result<Cow<'_, Value>, Unscored> {
    match value {
        Value::Null => Err(Unscored::missing("nothing is there: map it in the spec")),
        Value::String(text) => json(text).map(Cow::Owned).map_err(Unscored::invalid),
        other => Ok(Cow::Borrowed(other)),
    }
}

/// Whether two JSON values are equal: the order of keys does not matter, `1` equals `1.0`.
///
/// The recursion ends with the shallower of the two, and a parsed completion is at most 128 deep.
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => x == y || mixed(x, y),
        (Value::Array(x), Value::Array(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(x, y)| equal(x, y))
        }
        (Value::Object(x), Value::Object(y)) => {
            x.len() == y.len()
                && x.iter().all(|(key, value)| y.get(key).is_some_and(|other| equal(value, other)))
        }
        _ => a == b,
    }
}

/// A whole number against a float; two whole numbers are compared exactly before.
fn mixed(x: &serde_json::Number, y: &serde_json::Number) -> bool {
    (x.is_f64() || y.is_f64()) && x.as_f64() == y.as_f64()
}

/// A tag is a name without angle brackets; empty means none.
pub(super) fn tag_name(field: &str, tag: &str) -> Result<(), ParamError> {
    if tag.contains(['<', '>', '/']) {
        let message = format!("a tag is a name without angle brackets, not {tag:?}");
        return Err(ParamError::new(field, message));
    }
    Ok(())
}

/// The value at `path` of dotted keys; list indices are numbers.
pub(super) fn at_path<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |inner, key| match inner {
        Value::Array(items) => items.get(key.parse::<usize>().ok()?),
        _ => inner.get(key),
    })
}

#[cfg(test)]
mod tests {
    use super::{equal, fenced, json, passage};

    #[test]
    fn the_last_block_counts() {
        assert_eq!(fenced("```json\n1\n```\nno:\n```json\n2\n```"), Some("2"));
        assert_eq!(fenced("``` ``` 1"), None);
        assert_eq!(passage("<a>1</a> <a> 2 </a>", "a"), Ok("2"));
        assert!(passage("</a><a>", "a").is_err());
    }

    #[test]
    fn equality_of_values() {
        let same = |a: &str, b: &str| equal(&json(a).unwrap(), &json(b).unwrap());
        assert!(same(r#"{"a":1,"b":[2]}"#, r#"{"b":[2.0],"a":1}"#));
        assert!(!same("9007199254740993", "9007199254740992"));
        assert!(!same(r#"{"a":null}"#, "{}"));
        assert!(json(&"[".repeat(100_000)).is_err());
    }
}
