//! Countdown: 1 if the completion's expression uses the given numbers and reaches the target, 0 if not.
//!
//! # Formula
//!
//! ```text
//! score = 1 if value(expression) = target, exactly, and its numbers are the given ones, each once, else 0
//! ```
//!
//! The expression stands in the last `<answer>` tag or, without one, on the last line; what follows its first `=` is not read.
//! It may hold whole numbers, `+ - * / × · ÷ −` and brackets; it is evaluated in fractions. With `use_all: false` some given
//! numbers may be left out.
//!
//! # When to use it
//!
//! For the countdown game and the game of 24 (`target_column` or a fixed `target`): tasks that are checked without a
//! reference.
//!
//! # Departures
//!
//! Popular graders evaluate the text as Python in floating point and accept differences below 1e-5; fractions need no
//! tolerance. An expression beyond 400 characters, or whose fractions outgrow 128 bits, earns 0.
//!
//! # Example
//!
//! ```yaml
//! use: verify.countdown
//! numbers: nums
//! target_column: target
//! ```
//!
//! ```
//! use guerdon_verify::verify::countdown::evaluate;
//! assert_eq!(evaluate("8 / (3 - 8/3)"), Some(((24, 1), vec![8, 3, 8, 3])));
//! ```
//!
//! # References
//!
//! Gandhi et al., "Stream of Search", 2024 (countdown as a task for language models).

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::records;

/// Longest expression, in bytes.
const LONGEST: usize = 400;

/// Deepest nesting of brackets and signs.
const DEEPEST: usize = 32;

/// Parameters of `verify.countdown`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Countdown {
    /// Column with the given whole numbers. Default `nums`.
    pub numbers: String,
    /// Column with the target, a whole number. Default `target`.
    pub target_column: String,
    /// The target of every row, instead of a column. Default none.
    pub target: Option<i64>,
    /// Every given number must be used. Default true.
    pub use_all: bool,
}

impl Default for Countdown {
    fn default() -> Self {
        Self { numbers: "nums".into(), target_column: "target".into(), target: None, use_all: true }
    }
}

impl Params for Countdown {
    fn validate(&self) -> Result<(), ParamError> {
        records::named("numbers", &self.numbers)?;
        records::named("target_column", &self.target_column)
    }
}

/// A fraction in lowest terms with a positive denominator.
type Fraction = (i128, i128);

fn reduced(n: i128, d: i128) -> Option<Fraction> {
    let (mut a, mut b) = (n.checked_abs()?, d.checked_abs()?);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    let g = if d < 0 { a.checked_neg()? } else { a };
    (d != 0).then(|| (n / g, d / g))
}

fn combine(op: char, (a, b): Fraction, (c, d): Fraction) -> Option<Fraction> {
    match op {
        '+' => reduced(a.checked_mul(d)?.checked_add(c.checked_mul(b)?)?, b.checked_mul(d)?),
        '-' => reduced(a.checked_mul(d)?.checked_sub(c.checked_mul(b)?)?, b.checked_mul(d)?),
        '*' => reduced(a.checked_mul(c)?, b.checked_mul(d)?),
        _ => reduced(a.checked_mul(d)?, b.checked_mul(c)?),
    }
}

struct Reader {
    rest: std::iter::Peekable<std::vec::IntoIter<char>>,
    numbers: Vec<i64>,
}

impl Reader {
    fn sum(&mut self, depth: usize) -> Option<Fraction> {
        let mut value = self.product(depth)?;
        while let Some(op) = self.rest.next_if(|c| matches!(c, '+' | '-')) {
            value = combine(op, value, self.product(depth)?)?;
        }
        Some(value)
    }

    fn product(&mut self, depth: usize) -> Option<Fraction> {
        let mut value = self.atom(depth)?;
        while let Some(op) = self.rest.next_if(|c| matches!(c, '*' | '/')) {
            value = combine(op, value, self.atom(depth)?)?;
        }
        Some(value)
    }

    fn atom(&mut self, depth: usize) -> Option<Fraction> {
        if depth == DEEPEST {
            return None;
        }
        match self.rest.next()? {
            '-' => combine('*', (-1, 1), self.atom(depth + 1)?),
            '(' => {
                let value = self.sum(depth + 1)?;
                self.rest.next_if_eq(&')').map(|_| value)
            }
            digit if digit.is_ascii_digit() => {
                let mut digits = String::from(digit);
                while let Some(more) = self.rest.next_if(char::is_ascii_digit) {
                    digits.push(more);
                }
                let number: i64 = digits.parse().ok()?;
                self.numbers.push(number);
                Some((i128::from(number), 1))
            }
            _ => None,
        }
    }
}

/// The value of an expression as a fraction in lowest terms, and the numbers in it; `None` where it is none.
pub fn evaluate(text: &str) -> Option<(Fraction, Vec<i64>)> {
    if text.len() > LONGEST {
        return None;
    }
    let plain = text.replace("\\times", "*").replace("\\cdot", "*").replace("\\div", "/");
    // A space between two digits separates numbers and must not join them.
    let words: Vec<&str> = plain.split_whitespace().collect();
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    if words.windows(2).any(|w| digit(w[0].chars().last()) && digit(w[1].chars().next())) {
        return None;
    }
    let symbols: Vec<char> = words
        .concat()
        .chars()
        .map(|c| match c {
            '\u{d7}' | '\u{b7}' => '*',
            '\u{f7}' => '/',
            '\u{2212}' => '-',
            other => other,
        })
        .collect();
    let mut reader = Reader { rest: symbols.into_iter().peekable(), numbers: Vec::new() };
    let value = reader.sum(0)?;
    reader.rest.peek().is_none().then_some((value, reader.numbers))
}

/// The expression of a completion: in its last answer tag, or on its last line.
fn expression(text: &str) -> &str {
    let inside = text.rsplit_once("<answer>").and_then(|(_, rest)| rest.split_once("</answer>"));
    let line = || text.trim().lines().next_back().unwrap_or("");
    let chosen = inside.map_or_else(line, |(inner, _)| inner);
    chosen.split('=').next().unwrap_or("").trim()
}

impl Countdown {
    /// Why `text` does not reach `target` from `given`; `None` where it does.
    pub fn fault(&self, text: &str, given: &[i64], target: i64) -> Option<String> {
        let Some((value, used)) = evaluate(expression(text)) else {
            return Some("no expression".into());
        };
        let mut left = given.to_vec();
        for number in used {
            match left.iter().position(|g| *g == number) {
                Some(at) => left.swap_remove(at),
                None => return Some(format!("{number} is not given, or not so often")),
            };
        }
        if self.use_all && !left.is_empty() {
            return Some(format!("{} is not used", left[0]));
        }
        (value != (i128::from(target), 1)).then(|| format!("gives {}/{}", value.0, value.1))
    }
}

#[allow(clippy::cast_possible_truncation, reason = "the number is whole and below 2^53")]
fn whole(number: f64) -> Result<i64, Unscored> {
    if number.fract() == 0.0 && number.abs() < 9e15 {
        return Ok(number as i64);
    }
    Err(Unscored::invalid(format!("{number} is no whole number")))
}

impl Signal for Countdown {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let given = records::numbers_at(rollout, &self.numbers)?;
        let given = given.into_iter().map(whole).collect::<Result<Vec<_>, _>>()?;
        if given.len() > 1000 {
            return Err(Unscored::budget("more than 1000 given numbers"));
        }
        let target = match self.target {
            Some(target) => target,
            None => whole(records::number_at(rollout, &self.target_column)?)?,
        };
        Ok(match self.fault(rollout.text(), &given, target) {
            Some(fault) => Score::binary(false).because(fault),
            None => Score::binary(true),
        })
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Countdown: Signal,
    id: "verify.countdown",
    papers: [],
    status: Verified(ClosedForm("exact fractions")),
    laws: [WhitespaceInvariant],
    exempt: [
        CaseInvariant: "Digits have no case; the answer tag is written in lower case.",
    ],
    samples: [
        r#"{"prompt": "Make 24 of 3 3 8 8.", "completion": "<answer>8 / (3 - 8/3)</answer>", "nums": [3, 3, 8, 8], "target": 24}"#,
        r#"{"prompt": "Make 10.", "completion": "Try it:\n(2 + 3) * 2 = 10", "nums": [2, 2, 3], "target": 10}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Countdown, evaluate};

    fn check(text: &str, given: &[i64], target: i64, expect: bool) {
        let fault = Countdown::default().fault(text, given, target);
        assert_eq!(fault.is_none(), expect, "{text:?}: {fault:?}");
    }

    #[test]
    fn reaching_the_target() {
        check("<answer>8/(3-8/3)</answer>", &[3, 3, 8, 8], 24, true);
        check("2 \u{d7} (3 + 2)", &[2, 3, 2], 10, true);
        check("2 * 3 + 2", &[2, 3, 2], 10, false);
        check("10", &[2, 3, 2], 10, false);
        check("2 * 5", &[2, 5, 7], 10, false);
        check("5 * 2 * 1", &[2, 5], 10, false);
    }

    #[test]
    fn what_is_no_expression() {
        for text in ["", "1 +", "2 3", "2**3", "1/0", "(1", "1)", "x", "99999999999999999999"] {
            assert_eq!(evaluate(text), None, "{text:?}");
        }
        assert_eq!(evaluate(&"(".repeat(300)), None);
        assert_eq!(evaluate("-(2 - 5)"), Some(((3, 1), vec![2, 5])));
    }

    #[test]
    fn numbers_may_be_left_out_where_allowed() {
        let params = Countdown { use_all: false, ..Countdown::default() };
        assert_eq!(params.fault("2 * 5", &[2, 5, 7], 10), None);
    }
}
