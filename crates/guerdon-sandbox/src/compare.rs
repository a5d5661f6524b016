//! Whether an answer is the expected one.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::task::Compare;

/// Whether two outputs are equal.
///
/// With a tolerance, there must be the same number of words (in each line, where lines count), and
/// two words that are both finite numbers may differ by it, absolutely or relative to the expected
/// one.
pub(crate) fn same_output(
    actual: &[u8],
    expected: &[u8],
    compare: Compare,
    tolerance: Option<f64>,
) -> bool {
    match compare {
        Compare::Lines => same_lines(actual, expected, tolerance),
        Compare::Words => same_words(actual, expected, tolerance),
    }
}

fn same_lines(actual: &[u8], expected: &[u8], tolerance: Option<f64>) -> bool {
    let (actual, expected) = (lines(actual), lines(expected));
    actual.len() == expected.len()
        && actual
            .iter()
            .zip(&expected)
            .all(|(a, e)| a == e || (tolerance.is_some() && same_words(a, e, tolerance)))
}

fn lines(text: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<&[u8]> = text.split(|&b| b == b'\n').map(<[u8]>::trim_ascii_end).collect();
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    lines
}

fn same_words(actual: &[u8], expected: &[u8], tolerance: Option<f64>) -> bool {
    let words = |text: &'_ [u8]| -> Vec<String> {
        String::from_utf8_lossy(text).split_ascii_whitespace().map(str::to_owned).collect()
    };
    let (actual, expected) = (words(actual), words(expected));
    actual.len() == expected.len()
        && actual
            .iter()
            .zip(&expected)
            .all(|(a, e)| a == e || tolerance.is_some_and(|tolerance| close_words(a, e, tolerance)))
}

fn close_words(actual: &str, expected: &str, tolerance: f64) -> bool {
    match (actual.parse::<f64>(), expected.parse::<f64>()) {
        (Ok(a), Ok(e)) => close(a, e, tolerance),
        _ => false,
    }
}

fn close(actual: f64, expected: f64, tolerance: f64) -> bool {
    let apart = (actual - expected).abs();
    actual.is_finite() && expected.is_finite() && apart <= tolerance * expected.abs().max(1.0)
}

/// How deep two values are followed.
const DEPTH: usize = 250;

/// Whether a value as `plain.py` encodes it equals a JSON value, as
/// [`CallCase`](crate::CallCase) says.
pub(crate) fn same_value(actual: &Value, expected: &Value, tolerance: Option<f64>) -> bool {
    same(actual, expected, tolerance.unwrap_or(0.0), DEPTH)
}

fn same(actual: &Value, expected: &Value, tolerance: f64, depth: usize) -> bool {
    if depth == 0 {
        return false;
    }
    match (actual, expected) {
        (Value::Object(_), _) => same_tagged(actual, expected, tolerance, depth - 1),
        (Value::Array(a), Value::Array(e)) => {
            a.len() == e.len() && a.iter().zip(e).all(|(a, e)| same(a, e, tolerance, depth - 1))
        }
        (Value::Null, Value::Null) => true,
        (Value::String(a), Value::String(e)) => a == e,
        _ => match (number(actual), number(expected)) {
            (Some(a), Some(e)) => same_number(a, e, tolerance),
            _ => false,
        },
    }
}

fn same_tagged(actual: &Value, expected: &Value, tolerance: f64, depth: usize) -> bool {
    match (actual["t"].as_str(), &actual["v"], expected) {
        (Some("tu"), Value::Array(_), Value::Array(_)) => {
            same(&actual["v"], expected, tolerance, depth)
        }
        (Some("d"), Value::Array(pairs), Value::Object(expected)) => {
            let Some(actual) = by_key(pairs) else { return false };
            actual.len() == expected.len()
                && actual
                    .iter()
                    .all(|(k, a)| expected.get(k).is_some_and(|e| same(a, e, tolerance, depth)))
        }
        (Some("i"), Value::String(hex), Value::Number(e)) => same_big(hex, e),
        _ => false,
    }
}

/// The pairs of a dict whose keys are texts or integers, no two of them alike in text.
fn by_key(pairs: &[Value]) -> Option<BTreeMap<String, &Value>> {
    let mut map = BTreeMap::new();
    for pair in pairs {
        let key = match &pair[0] {
            Value::String(text) => text.clone(),
            Value::Number(n) if !n.is_f64() => n.to_string(),
            _ => return None,
        };
        if map.insert(key, &pair[1]).is_some() {
            return None;
        }
    }
    Some(map)
}

/// An integer beyond 62 bits, in hexadecimal, against a JSON number.
fn same_big(hex: &str, expected: &serde_json::Number) -> bool {
    match (i128::from_str_radix(hex, 16), expected.as_i128()) {
        (Ok(a), Some(e)) => a == e,
        _ => false,
    }
}

#[derive(Clone, Copy)]
enum Number {
    Whole(i128),
    Float(f64),
}

fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Bool(b) => Some(Number::Whole(i128::from(*b))),
        Value::Number(n) => {
            n.as_i128().map(Number::Whole).or_else(|| n.as_f64().map(Number::Float))
        }
        _ => None,
    }
}

/// Exact between integers whatever the tolerance; otherwise to the tolerance.
fn same_number(actual: Number, expected: Number, tolerance: f64) -> bool {
    match (actual, expected) {
        (Number::Whole(a), Number::Whole(e)) => a == e,
        (Number::Whole(w), Number::Float(f)) | (Number::Float(f), Number::Whole(w)) => {
            equals_whole(f, w) || (tolerance > 0.0 && close(f, w as f64, tolerance))
        }
        (Number::Float(a), Number::Float(e)) => {
            a == e || (tolerance > 0.0 && close(a, e, tolerance))
        }
    }
}

fn equals_whole(float: f64, whole: i128) -> bool {
    const EXACT: i128 = 1 << 53;
    (-EXACT..=EXACT).contains(&whole) && float == whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn output(actual: &str, expected: &str, tolerance: Option<f64>, same: bool) {
        let got = same_output(actual.as_bytes(), expected.as_bytes(), Compare::Lines, tolerance);
        assert_eq!(got, same, "{actual:?} against {expected:?}");
    }

    #[test]
    fn only_trailing_white_space_is_forgiven() {
        output("1 2\n3\n", "1 2\n3", None, true);
        output("1 2 \r\n3  \n\n\n", "1 2\n3\n", None, true);
        output("1  2\n3\n", "1 2\n3\n", None, false);
        output(" 1", "1", None, false);
        output("\n1", "1", None, false);
        output("", "\n", None, true);
        output("A", "a", None, false);
    }

    #[test]
    fn a_prefix_or_a_longer_text_is_wrong() {
        output("1\n2", "1\n2\n3", None, false);
        output("1\n2\n3\n4", "1\n2\n3", None, false);
        output("", "1", None, false);
        output("12", "123", None, false);
        output("1\n2", "1\n2\n3", Some(0.1), false);
        output("1 2", "1 2 3", Some(0.1), false);
    }

    #[test]
    fn words_forgive_all_white_space_and_nothing_else() {
        let words =
            |a: &str, e: &str| same_output(a.as_bytes(), e.as_bytes(), Compare::Words, None);
        assert!(words("1  2\n3", "  1\n2 3\n"));
        assert!(!words("12 3", "1 2 3"));
        assert!(!words("1 2", "1 2 3"));
        assert!(!words("", "1"));
    }

    #[test]
    fn tolerance_holds_for_finite_numbers_alone() {
        output("0.3333333 x", "0.33333333 x", Some(1e-6), true);
        output("0.3334", "0.3333", Some(1e-6), false);
        output("1000001", "1000000", Some(1e-5), true);
        output("nan", "1", Some(1.0), false);
        output("inf", "1e308", Some(1.0), false);
        output("yes", "no", Some(1.0), false);
    }

    #[track_caller]
    fn value(actual: &str, expected: &str, tolerance: Option<f64>, same: bool) {
        let parse = |text| serde_json::from_str::<Value>(text).expect("the test is JSON");
        let got = same_value(&parse(actual), &parse(expected), tolerance);
        assert_eq!(got, same, "{actual} against {expected}");
    }

    #[test]
    fn values_are_equal_as_in_python() {
        value("1", "1.0", None, true);
        value("true", "1", None, true);
        value("1", "\"1\"", None, false);
        value("[1,2]", "[1,2]", None, true);
        value("[1]", "[1,2]", None, false);
        value(r#"{"t":"tu","v":[1,[2]]}"#, "[1,[2]]", None, true);
        value(r#"{"t":"s","v":[1]}"#, "[1]", None, false);
        value(r#"{"t":"d","v":[[1,"a"],["b",null]]}"#, r#"{"1":"a","b":null}"#, None, true);
        value(r#"{"t":"d","v":[[1,"a"],["1","a"]]}"#, r#"{"1":"a"}"#, None, false);
        value(r#"{"t":"d","v":[]}"#, "[]", None, false);
        value(r#"{"t":"i","v":"8000000000000000"}"#, "9223372036854775808", None, true);
        value(r#"{"t":"ref","v":0}"#, "0", None, false);
        value("9007199254740993", "9007199254740992.0", None, false);
    }

    #[test]
    fn tolerance_does_not_touch_integers() {
        value("3", "4", Some(1.0), false);
        value("0.1", "0.10000001", Some(1e-6), true);
        value("0.1", "0.10000001", None, false);
        value(r#"{"t":"f","v":"nan"}"#, "0.0", Some(1.0), false);
    }
}
