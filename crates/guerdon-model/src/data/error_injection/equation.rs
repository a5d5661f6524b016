//! Finding and checking equations over numbers.

use std::ops::Range;

/// A number, with its place in the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Number {
    /// Its bytes in the text.
    pub place: Range<usize>,
    /// Its value.
    pub value: f64,
}

/// An equation `t₁ op t₂ op … = c`, with its place in the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Equation {
    /// The terms.
    pub terms: Vec<Number>,
    /// The operators between them, with their places: one less than terms.
    pub operators: Vec<(Range<usize>, char)>,
    /// What stands behind the equals sign.
    pub result: Number,
}

/// The longest step that is read, in bytes.
const MAX_BYTES: usize = 100_000;

/// The most terms of an equation.
const MAX_TERMS: usize = 32;

/// Reads the first equation of `text`: numbers joined by + − * × · / ÷, an equals sign, a number.
pub fn find(text: &str) -> Option<Equation> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let mut at = 0;
    while let Some(start) = next_digit(text, at) {
        match read(text, start) {
            Ok(equation) => return Some(equation),
            // Nothing between the start and the end of the failed attempt can begin a longer equation.
            Err(end) => at = end.max(start + 1),
        }
    }
    None
}

/// Whether the first equation of `text` is true; `None` where there is none.
pub fn holds(text: &str) -> Option<bool> {
    find(text).map(|equation| equation.holds())
}

impl Equation {
    /// The value of the left side, multiplication and division first; `None` on a division by zero.
    pub fn value(&self) -> Option<f64> {
        let (mut sum, mut product) = (0.0, self.terms[0].value);
        for ((_, operator), term) in self.operators.iter().zip(&self.terms[1..]) {
            match operator {
                '*' => product *= term.value,
                '/' if term.value == 0.0 => return None,
                '/' => product /= term.value,
                _ => {
                    sum += product;
                    product = if *operator == '-' { -term.value } else { term.value };
                }
            }
        }
        Some(sum + product)
    }

    /// Whether both sides are equal, up to rounding in the last of nine digits.
    pub fn holds(&self) -> bool {
        let close = |value: f64| (value - self.result.value).abs() <= 1e-9 * value.abs().max(1.0);
        self.value().is_some_and(close)
    }
}

fn next_digit(text: &str, from: usize) -> Option<usize> {
    text.bytes().enumerate().skip(from).find(|(_, b)| b.is_ascii_digit()).map(|(at, _)| at)
}

/// Reads an equation that begins at byte `at`, a digit; else where the attempt ended.
fn read(text: &str, at: usize) -> Result<Equation, usize> {
    let first = number(text, at).ok_or(at)?;
    let (mut end, mut terms, mut operators) = (first.place.end, vec![first], Vec::new());
    loop {
        let sign_at = skip_spaces(text, end);
        let sign = text[sign_at..].chars().next().ok_or(end)?;
        let after = sign_at + sign.len_utf8();
        let next = number(text, skip_spaces(text, after)).ok_or(end)?;
        if sign == '=' {
            return if operators.is_empty() {
                Err(end)
            } else {
                Ok(Equation { terms, operators, result: next })
            };
        }
        let operator = normal(sign).ok_or(end)?;
        if terms.len() == MAX_TERMS {
            return Err(end);
        }
        end = next.place.end;
        operators.push((sign_at..after, operator));
        terms.push(next);
    }
}

fn normal(sign: char) -> Option<char> {
    match sign {
        '+' => Some('+'),
        '-' | '−' | '–' => Some('-'),
        '*' | '×' | '·' => Some('*'),
        '/' | '÷' => Some('/'),
        _ => None,
    }
}

fn skip_spaces(text: &str, at: usize) -> usize {
    text.len() - text[at..].trim_start_matches([' ', '$']).len()
}

/// Digits with at most one decimal point between them.
fn number(text: &str, at: usize) -> Option<Number> {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let whole = digits(at);
    let mut end = at + whole;
    if whole > 0 && bytes.get(end) == Some(&b'.') && digits(end + 1) > 0 {
        end += 1 + digits(end + 1);
    }
    let value: f64 = text[at..end].parse().ok()?;
    value.is_finite().then_some(Number { place: at..end, value })
}

#[cfg(test)]
mod tests {
    use super::{find, holds};

    fn check(text: &str, expect: Option<bool>) {
        assert_eq!(holds(text), expect, "{text:?}");
    }

    #[test]
    fn equations_in_text() {
        check("There are 12 * 4 = 48 eggs.", Some(true));
        check("2 + 3 * 4 = 14", Some(true));
        check("2 + 3 × 4 = 20", Some(false));
        check("On day 3 he had 10 - 2.5 = 7.5 left", Some(true));
        check("$8 ÷ $2 = $4", Some(true));
        check("1 / 0 = 5", Some(false));
    }

    #[test]
    fn what_is_no_equation() {
        check("", None);
        check("x = 4", None);
        check("48 = 48", None);
        check("12 * = 4", None);
        check("7.", None);
    }

    #[test]
    fn places_point_into_the_text() {
        let text = "é 12 * 4 = 48";
        let own = find(text).unwrap();
        assert_eq!(
            (&text[own.result.place.clone()], &text[own.operators[0].0.clone()]),
            ("48", "*")
        );
    }

    #[test]
    fn a_long_run_of_numbers_ends() {
        let text = "1 + ".repeat(20_000);
        assert_eq!(find(&text), None);
    }
}
