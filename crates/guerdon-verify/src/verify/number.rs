//! Numeric answer: 1 if a number in the completion equals the reference within a tolerance, 0 if not.
//!
//! # Formula
//!
//! ```text
//! score = 1 if |x − y| ≤ max(absolute_tolerance, relative_tolerance · |y|), else 0
//! ```
//!
//! `x` is the number taken from the completion (the last one by default), `y` the reference. A number may have a sign,
//! thousands separators (`1,234,567.5`), a decimal point, an exponent (`1.5e-3`), and a percent sign, which divides by 100
//! where only one side has it. A number that its line lists among four or more bare numbers counts only if it is announced
//! ("is", "=", ":"): naming every candidate is no answer.
//!
//! # When to use it
//!
//! For word problems and readings with a numeric answer. Where answers are expressions (fractions, radicals, sets), use
//! `verify.math`.
//!
//! # Departures
//!
//! GSM8K's own grader compares strings after removing commas; with `preset: gsm8k` the number behind `####` counts, the
//! tolerance is 0, and a completion without the marker earns nothing. With a marker the first number behind it counts.
//!
//! # Example
//!
//! ```yaml
//! use: verify.number
//! relative_tolerance: 0.01
//! ```
//!
//! ```
//! use guerdon_verify::verify::number::find;
//! let numbers: Vec<f64> = find("From 1,200 down to -3.5e1 %").map(|n| n.value).collect();
//! assert_eq!(numbers, [1200.0, -35.0]);
//! ```
//!
//! # References
//!
//! Cobbe et al., "Training Verifiers to Solve Math Word Problems", 2021 (GSM8K).

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which number of the completion counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Take {
    /// The last one.
    #[default]
    Last,
    /// The first one.
    First,
    /// The only one: two different numbers are no answer.
    Only,
}

/// A published grader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// What the other parameters say.
    #[default]
    Plain,
    /// GSM8K: the number behind the last `####`, compared exactly.
    Gsm8k,
}

/// Parameters of `verify.number`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Number {
    /// A published grader. Default `plain`.
    pub preset: Preset,
    /// Which number of the completion counts. Default `last`.
    pub take: Take,
    /// Only the first number behind the last occurrence of this text counts. Default none.
    pub after: Option<String>,
    /// Greatest difference, as an absolute number. At least 0; default 1e-9.
    pub absolute_tolerance: f64,
    /// Greatest difference, as a share of the reference. At least 0; default 1e-9.
    pub relative_tolerance: f64,
}

impl Default for Number {
    fn default() -> Self {
        Self {
            preset: Preset::Plain,
            take: Take::Last,
            after: None,
            absolute_tolerance: 1e-9,
            relative_tolerance: 1e-9,
        }
    }
}

impl Params for Number {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("absolute_tolerance", self.absolute_tolerance, 0.0, f64::INFINITY)?;
        ParamError::in_range("relative_tolerance", self.relative_tolerance, 0.0, f64::INFINITY)
    }
}

/// A number found in a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Its value as written; finite.
    pub value: f64,
    /// Whether a percent sign follows.
    pub percent: bool,
    /// Byte of its first digit.
    pub start: usize,
    /// Byte behind its last digit.
    pub end: usize,
}

/// The numbers of `text`, in order. Linear in its length.
pub fn find(text: &str) -> impl Iterator<Item = Found> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < text.len() {
            let start = at + text.as_bytes()[at..].iter().position(u8::is_ascii_digit)?;
            let (found, end) = read(text, start);
            at = end;
            if found.is_some() {
                return found;
            }
        }
        None
    })
}

/// Reads the number whose first digit stands at `start`; returns it and where reading goes on.
fn read(text: &str, start: usize) -> (Option<Found>, usize) {
    let bytes = text.as_bytes();
    let mut digits = String::new();
    let leading_point = start > 0 && bytes[start - 1] == b'.' && !before_is_digit(bytes, start - 1);
    let sign_at = start - usize::from(leading_point);
    if sign_at > 0 && is_minus(text, sign_at) && !before_is_word(text, sign_at) {
        digits.push('-');
    }
    if leading_point {
        digits.push_str("0.");
    }
    let mut at = integer_part(bytes, start, &mut digits);
    if !leading_point
        && bytes.get(at) == Some(&b'.')
        && bytes.get(at + 1).is_some_and(u8::is_ascii_digit)
    {
        digits.push('.');
        at = copy_digits(bytes, at + 1, &mut digits);
    }
    at = exponent(bytes, at, &mut digits);
    let rest = text[at..].trim_start_matches([' ', '\\', '\u{a0}']);
    let value = digits.parse::<f64>().ok().filter(|v| v.is_finite());
    (value.map(|value| Found { value, percent: rest.starts_with('%'), start, end: at }), at)
}

fn before_is_digit(bytes: &[u8], at: usize) -> bool {
    at > 0 && bytes[at - 1].is_ascii_digit()
}

fn is_minus(text: &str, end: usize) -> bool {
    text[..end].ends_with(['-', '\u{2212}'])
}

/// A minus behind a letter, a digit or a closing bracket is a hyphen or a subtraction, not a sign.
fn before_is_word(text: &str, end: usize) -> bool {
    let before = text[..end].trim_end_matches(['-', '\u{2212}']);
    before.ends_with(|c: char| c.is_alphanumeric() || c == ')' || c == ']')
}

/// Copies digits, skipping separators between groups of three.
fn integer_part(bytes: &[u8], start: usize, digits: &mut String) -> usize {
    let mut at = copy_digits(bytes, start, digits);
    if at - start > 3 {
        return at;
    }
    while bytes.get(at) == Some(&b',') && group_of_three(bytes, at + 1) {
        at = copy_digits(bytes, at + 1, digits);
    }
    at
}

fn group_of_three(bytes: &[u8], at: usize) -> bool {
    bytes.len() >= at + 3
        && bytes[at..at + 3].iter().all(u8::is_ascii_digit)
        && !bytes.get(at + 3).is_some_and(u8::is_ascii_digit)
}

fn copy_digits(bytes: &[u8], start: usize, digits: &mut String) -> usize {
    let run = bytes[start..].iter().take_while(|b| b.is_ascii_digit()).count();
    digits.extend(bytes[start..start + run].iter().map(|b| char::from(*b)));
    start + run
}

fn exponent(bytes: &[u8], at: usize, digits: &mut String) -> usize {
    if !matches!(bytes.get(at), Some(b'e' | b'E')) {
        return at;
    }
    let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
    if !bytes.get(at + 1 + sign).is_some_and(u8::is_ascii_digit) {
        return at;
    }
    digits.push('e');
    if sign == 1 {
        digits.push(char::from(bytes[at + 1]));
    }
    copy_digits(bytes, at + 1 + sign, digits)
}

/// Numbers in a row, with nothing but separators between them, that count as a list of guesses.
const GUESSES: usize = 4;

/// Whether the number's line also lists it among guesses: naming every candidate is no answer.
fn listed(text: &str, numbers: &[Found], chosen: Found) -> bool {
    let line = text[..chosen.start].rfind('\n').map_or(0, |at| at + 1);
    let own_line: Vec<&Found> =
        numbers.iter().filter(|n| n.start >= line && n.start <= chosen.start).collect();
    let separator = |c: char| c.is_whitespace() || ",;|/".contains(c);
    let mut run: Vec<f64> = Vec::new();
    let mut end = line;
    for number in own_line {
        if !text[end..number.start].chars().all(separator) {
            run.clear();
        }
        run.push(number.value);
        end = number.end;
        if run.len() >= GUESSES && (run.contains(&chosen.value) || number.start == chosen.start) {
            return true;
        }
    }
    false
}

/// Whether what stands before the number presents it as the result.
fn announced(text: &str, number: Found) -> bool {
    let before = text[..number.start]
        .trim_end_matches(|c: char| c.is_whitespace() || "$€£*(-\u{2212}".contains(c));
    let word = before.rsplit(|c: char| c.is_whitespace()).next().unwrap_or("").to_lowercase();
    before.ends_with(['=', ':', '{'])
        || matches!(word.as_str(), "is" | "are" | "equals" | "get" | "gives" | "makes" | "####")
}

impl Number {
    /// The number of `completion` that counts, if there is one.
    pub fn answer(&self, completion: &str) -> Option<Found> {
        let marker =
            if self.preset == Preset::Gsm8k { Some("####") } else { self.after.as_deref() };
        let text = match marker {
            Some(marker) => &completion[completion.rfind(marker)? + marker.len()..],
            None => completion,
        };
        let numbers: Vec<Found> = find(text).collect();
        let chosen = match self.take {
            _ if marker.is_some() => return numbers.first().copied(),
            Take::First => *numbers.first()?,
            Take::Last => *numbers.last()?,
            Take::Only => {
                *numbers.first().filter(|f| numbers.iter().all(|n| n.value == f.value))?
            }
        };
        (announced(text, chosen) || !listed(text, &numbers, chosen)).then_some(chosen)
    }

    /// Whether the two numbers are equal within the tolerance.
    pub fn equal(&self, own: Found, reference: Found) -> bool {
        let scale = |n: Found| {
            if n.percent && own.percent != reference.percent { n.value / 100.0 } else { n.value }
        };
        let (x, y) = (scale(own), scale(reference));
        let exact = self.preset == Preset::Gsm8k;
        let tolerance = if exact {
            0.0
        } else {
            self.absolute_tolerance.max(self.relative_tolerance * y.abs())
        };
        (x - y).abs() <= tolerance
    }
}

impl Signal for Number {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let texts = rollout.references();
        if texts.is_empty() {
            return Err(Unscored::missing(
                "there is no reference to compare with: map `reference` in the spec",
            ));
        }
        let references: Vec<Found> = texts.iter().filter_map(|text| last_number(text)).collect();
        if references.is_empty() {
            return Err(Unscored::invalid(format!("the reference {:?} holds no number", texts[0])));
        }
        let Some(own) = self.answer(rollout.text()) else {
            return Ok(Score::binary(false).because("no number found"));
        };
        Ok(Score::binary(references.iter().any(|reference| self.equal(own, *reference)))
            .because(format!("read {}", own.value)))
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

/// A reference is one number, or a worked solution that ends with it.
fn last_number(reference: &str) -> Option<Found> {
    find(reference).last()
}

guerdon_core::method! {
    Number: Signal,
    id: "verify.number",
    papers: [],
    status: Verified(Worked("GSM8K's `#### n` references")),
    laws: [WhitespaceInvariant, CaseInvariant],
    exempt: [],
    samples: [
        r#"{"prompt": "6 · 7?", "completion": "Six times seven is 42.", "reference": "42"}"#,
        r#"{"prompt": "How much?", "completion": "She pays $1,250.50 in all", "reference": 1250.5}"#,
        r#"{"prompt": "How many?", "completion": "The answer is -7", "reference": "3 - 10 = -7\n#### -7"}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Number, Preset, Take, find};
    use guerdon_core::Rollout;
    use guerdon_core::method::Signal as _;

    fn numbers(text: &str) -> Vec<f64> {
        find(text).map(|n| n.value).collect()
    }

    fn check(params: &Number, completion: &str, reference: &str, expect: f64) {
        let score = params.score(&Rollout::new("", completion, reference)).unwrap();
        assert_eq!(score.value(), expect, "{completion:?} against {reference:?}");
    }

    #[test]
    fn numbers_are_read_as_people_write_them() {
        assert_eq!(numbers("1,234,567.5 and 12,34"), [1_234_567.5, 12.0, 34.0]);
        assert_eq!(numbers("-5, 10-3, x-2, (-.5), \u{2212}8"), [-5.0, 10.0, 3.0, 2.0, -0.5, -8.0]);
        assert_eq!(numbers("1.5e3 2E-2 3e 4ex"), [1500.0, 0.02, 3.0, 4.0]);
        assert_eq!(numbers("v1.2.3"), [1.2, 3.0]);
        assert_eq!(numbers("no digits"), Vec::<f64>::new());
    }

    #[test]
    fn the_last_number_counts_unless_told_otherwise() {
        let last = Number::default();
        check(&last, "First 41, then 42.", "42", 1.0);
        check(&last, "42 of 50", "42", 0.0);
        check(&Number { take: Take::First, ..last.clone() }, "42 of 50", "42", 1.0);
        check(&Number { take: Take::Only, ..last.clone() }, "41 or 42", "42", 0.0);
        check(&Number { after: Some("Answer:".into()), ..last }, "7 Answer: none", "7", 0.0);
    }

    #[test]
    fn a_list_of_guesses_is_no_answer() {
        let last = Number::default();
        check(&last, "41 42 43 44 45, or not 42", "42", 0.0);
        check(&last, "39, 40, 41, 42", "42", 0.0);
        check(&last, "Among 3, 5, 7, 9 the greatest is 9", "9", 1.0);
        check(&last, "The first terms: 1, 2, 3, 4.\nAfter them 5.", "5", 1.0);
        check(&last, "Add 3, 4 and 5 to get 12", "12", 1.0);
    }

    #[test]
    fn tolerance_and_percent() {
        let loose = Number { relative_tolerance: 0.05, ..Number::default() };
        check(&loose, "about 104", "100", 1.0);
        check(&loose, "about 106", "100", 0.0);
        check(&Number::default(), "50 %", "0.5", 1.0);
        check(&Number::default(), "50%", "50%", 1.0);
        check(&Number::default(), "50%", "50", 0.0);
    }

    #[test]
    fn gsm8k_wants_its_marker() {
        let gsm8k = Number { preset: Preset::Gsm8k, ..Number::default() };
        check(&gsm8k, "so #### 1,000", "#### 1000", 1.0);
        check(&gsm8k, "so 1000", "#### 1000", 0.0);
    }

    #[test]
    fn a_reference_without_a_number_is_an_error() {
        assert!(Number::default().score(&Rollout::new("", "1", "one")).is_err());
    }
}
