//! Arithmetic: whether the equations between numbers in the completion are true, exactly.
//!
//! # Formula
//!
//! ```text
//! share: score = true equations / equations          all: score = 1 if all equations are true, else 0
//! ```
//!
//! An equation is two neighbours of an `=` that hold numbers, operators (`+ - * / × · ÷ − ^ %`, `\times`, `\cdot`, `\div`,
//! `\frac{}{}`) and brackets alone, at least one of them an operator between numbers; a chain `a = b = c` is two equations.
//! Both sides are evaluated in fractions. Fewer than `least` equations earn 0. Where the rollout has steps, each gets 1 if its
//! equations are true, 0 if not.
//!
//! # When to use it
//!
//! As a part of a reward for worked solutions, with the final answer as the other part: true equations alone are cheap
//! (`1 + 1 = 2`). Equations with letters are not read, so units hide them unless they stand behind the right side.
//!
//! # Departures
//!
//! None: there is no published formula. With `rounding` a right side with decimals may be the value rounded, or cut off, to
//! as many digits. A sum in the middle of a text is read from its first number on, so that `of 3 + 4 = 7` holds, and a side
//! that is longer than 400 characters or outgrows the budget of the engine counts as false.
//!
//! # Example
//!
//! ```yaml
//! use: verify.arithmetic
//! score: all
//! least: 2
//! ```
//!
//! ```
//! use guerdon_verify::verify::arithmetic::Arithmetic;
//! let found = Arithmetic::default().equations("So 3 * 4 = 12, and 12 / 5 = 2.5.");
//! assert_eq!(found.iter().map(|e| e.holds).collect::<Vec<_>>(), [true, false]);
//! ```
//!
//! # References
//!
//! Cobbe et al., "Training Verifiers to Solve Math Word Problems", 2021 (equations within worked solutions).

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Level, Outcome, ParamError, Rollout, Score};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::passage;
use crate::math::{Budget, same_constant};

/// Longest side of an equation, in bytes.
const MAX_SIDE: usize = 400;

/// Most equations of one text.
const MAX_EQUATIONS: usize = 1000;

/// From the equations to the score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The share of true equations.
    #[default]
    Share,
    /// All must be true.
    All,
}

/// Parameters of `verify.arithmetic`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Arithmetic {
    /// How equations become a score: `share` or `all`. Default `share`.
    pub score: Rule,
    /// Least number of equations, at least 1; fewer earn 0. Default 1.
    pub least: usize,
    /// A right side with decimals may be rounded. Default false.
    pub rounding: bool,
}

impl Default for Arithmetic {
    fn default() -> Self {
        Self { score: Rule::Share, least: 1, rounding: false }
    }
}

impl Params for Arithmetic {
    fn validate(&self) -> Result<(), ParamError> {
        if self.least == 0 {
            return Err(ParamError::new("least", "`least` must be at least 1"));
        }
        Ok(())
    }
}

/// An equation of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Equation<'a> {
    /// What stands on the left.
    pub left: &'a str,
    /// What stands on the right.
    pub right: &'a str,
    /// Whether it is true.
    pub holds: bool,
}

/// A piece of a text, as far as arithmetic goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Number,
    Operator,
    /// A percent sign or other mark that belongs to the number before it.
    Suffix,
    Open,
    Close,
    Equals,
    /// `\frac`: two groups in braces follow.
    Fraction,
    /// Anything else ends an expression.
    Other,
}

type Found = (Piece, usize, usize);

const OPERATORS: [&str; 11] =
    ["\\times", "\\cdot", "\\div", "**", "+", "-", "*", "/", "^", "\u{d7}", "\u{b7}"];
const MORE_OPERATORS: [&str; 2] = ["\u{f7}", "\u{2212}"];

/// Cuts a text into pieces; white space and dollar signs are skipped, and other words are one piece each.
fn pieces(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let (piece, length) = piece(rest, c);
        if let Some(piece) = piece {
            // A letter that touches a number is part of a word such as `3x`.
            let touches =
                found.last().is_some_and(|(last, _, end)| *last == Piece::Number && *end == at);
            if piece == Piece::Other && c.is_alphabetic() && touches {
                found.pop();
            }
            found.push((piece, at, at + length));
        }
        at += length;
    }
    found
}

fn piece(rest: &str, c: char) -> (Option<Piece>, usize) {
    if c.is_whitespace() || c == '$' {
        return (None, c.len_utf8());
    }
    if c.is_ascii_digit() || (c == '.' && rest[1..].starts_with(|d: char| d.is_ascii_digit())) {
        return (Some(Piece::Number), number(rest));
    }
    if let Some(name) =
        ["\\dfrac", "\\tfrac", "\\frac"].iter().find(|name| rest.starts_with(**name))
    {
        return (Some(Piece::Fraction), name.len());
    }
    if let Some(mark) = ["\\left(", "\\right)", "\\%"].iter().find(|mark| rest.starts_with(**mark))
    {
        let piece = match *mark {
            "\\left(" => Piece::Open,
            "\\right)" => Piece::Close,
            _ => Piece::Suffix,
        };
        return (Some(piece), mark.len());
    }
    for other in ["==", "<=", ">=", "!=", "=>", "->", "=/="] {
        if rest.starts_with(other) {
            return (Some(Piece::Other), other.len());
        }
    }
    if let Some(operator) = OPERATORS.iter().chain(&MORE_OPERATORS).find(|o| rest.starts_with(**o))
    {
        return (Some(Piece::Operator), operator.len());
    }
    match c {
        '=' => (Some(Piece::Equals), 1),
        '(' | '{' => (Some(Piece::Open), 1),
        ')' | '}' => (Some(Piece::Close), 1),
        '%' => (Some(Piece::Suffix), 1),
        c if c.is_alphabetic() || c == '_' => {
            let word = |c: char| !(c.is_alphanumeric() || c == '_');
            (Some(Piece::Other), rest.find(word).unwrap_or(rest.len()))
        }
        other => (Some(Piece::Other), other.len_utf8()),
    }
}

/// The length of a number: digits, commas before groups of three, a point before digits.
fn number(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let run = |mut at: usize| {
        while digit(at) {
            at += 1;
        }
        at
    };
    let mut end = run(0);
    while bytes.get(end) == Some(&b',') && run(end + 1) == end + 4 {
        end += 4;
    }
    if bytes.get(end) == Some(&b'.') && digit(end + 1) {
        end = run(end + 1);
    }
    end
}

fn ends(piece: Piece) -> bool {
    matches!(piece, Piece::Number | Piece::Close | Piece::Suffix)
}

/// Whether a number stands before another one or before a bracket: two expressions side by side.
fn apart(piece: Piece, next: Piece) -> bool {
    matches!(piece, Piece::Number | Piece::Suffix)
        && matches!(next, Piece::Number | Piece::Fraction | Piece::Open)
}

/// Where the side left of piece `at` begins: as far back as the pieces make an expression. None where there is none.
fn left(text: &str, pieces: &[Found], at: usize) -> Option<usize> {
    let mut next = at.checked_sub(1).map(|last| pieces[last].0).filter(|last| ends(*last))?;
    let (mut start, mut depth) = (at, 0_i32);
    for (i, (piece, ..)) in pieces[..at].iter().enumerate().rev() {
        match piece {
            Piece::Other | Piece::Equals => break,
            Piece::Close => depth += 1,
            Piece::Open => depth -= 1,
            _ => {}
        }
        if depth < 0 || (i + 1 < at && apart(*piece, next)) {
            break;
        }
        if depth == 0 && begins(pieces, i) {
            start = i;
        }
        next = *piece;
    }
    (start < at && !is_cut(text, pieces, start)).then_some(start)
}

/// Whether an expression can begin with piece `i`.
fn begins(pieces: &[Found], i: usize) -> bool {
    let before = i.checked_sub(1).map(|k| pieces[k].0);
    match pieces[i].0 {
        Piece::Number | Piece::Fraction => true,
        Piece::Open => !matches!(before, Some(Piece::Fraction | Piece::Close)),
        // A sign, where nothing stands before that it could connect.
        Piece::Operator => !before.is_some_and(|b| ends(b) || b == Piece::Operator),
        _ => false,
    }
}

/// Whether an expression begins in the middle of a longer one: `x + 3`, `apples * 4`.
fn is_cut(text: &str, pieces: &[Found], start: usize) -> bool {
    let word = |i: usize| &text[pieces[i].1..pieces[i].2];
    let letter =
        |i: usize| word(i).chars().count() == 1 && word(i).starts_with(char::is_alphabetic);
    let before = start.checked_sub(1).filter(|i| pieces[*i].0 == Piece::Other);
    match pieces[start].0 {
        Piece::Operator => !["-", "\u{2212}"].contains(&word(start)) || before.is_some_and(letter),
        Piece::Open => before.is_some_and(|i| pieces[i].2 == pieces[start].1 && letter(i)),
        _ => false,
    }
}

/// Where the side right of piece `at` ends. None where there is none, or where it goes on with something else.
fn right(pieces: &[Found], at: usize) -> Option<usize> {
    let (mut end, mut depth, mut last) = (at + 1, 0_i32, Piece::Equals);
    for (i, (piece, ..)) in pieces.iter().enumerate().skip(at + 1) {
        match piece {
            Piece::Other | Piece::Equals => break,
            Piece::Open => depth += 1,
            Piece::Close => depth -= 1,
            _ => {}
        }
        if depth < 0 || apart(last, *piece) {
            break;
        }
        if depth == 0 && ends(*piece) {
            end = i + 1;
        }
        last = *piece;
    }
    let goes_on = pieces.get(end).is_some_and(|(piece, ..)| *piece == Piece::Operator);
    (end > at + 1 && !goes_on).then_some(end)
}

impl Arithmetic {
    /// The equations of a text, in order.
    pub fn equations<'a>(&self, text: &'a str) -> Vec<Equation<'a>> {
        let mut found = Vec::new();
        if !text.contains('=') {
            return found;
        }
        let pieces = pieces(text);
        for at in (0..pieces.len()).filter(|at| pieces[*at].0 == Piece::Equals) {
            let sides = left(text, &pieces, at).zip(right(&pieces, at));
            let Some((start, end)) = sides.filter(|_| found.len() < MAX_EQUATIONS) else {
                continue;
            };
            let side = |from: usize, to: usize| text[pieces[from].1..pieces[to - 1].2].trim();
            let (l, r) = (side(start, at), side(at + 1, end));
            let works = |from: usize, to: usize| {
                pieces[from + 1..to].iter().any(|p| p.0 == Piece::Operator)
                    || pieces[from..to].iter().any(|p| p.0 == Piece::Fraction)
            };
            if works(start, at) || works(at + 1, end) {
                found.push(Equation { left: l, right: r, holds: self.holds(l, r) });
            }
        }
        found
    }

    fn holds(&self, left: &str, right: &str) -> bool {
        let plain = |side: &str| side.replace('$', "").replace("**", "^");
        left.len().max(right.len()) <= MAX_SIDE
            && same_constant(&plain(left), &plain(right), self.rounding, &Budget::default())
    }

    fn value(&self, equations: &[Equation<'_>]) -> f64 {
        if equations.len() < self.least {
            return 0.0;
        }
        let share = equations.iter().filter(|e| e.holds).count() as f64 / equations.len() as f64;
        if self.score == Rule::All { share.floor() } else { share }
    }
}

impl Signal for Arithmetic {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let text = rollout.text();
        if text.len() > passage::MAX_BYTES {
            return Ok(
                Score::binary(false).because(format!("longer than {} bytes", passage::MAX_BYTES))
            );
        }
        let equations = self.equations(text);
        let mut score = Score::new(self.value(&equations))?;
        if equations.len() < self.least {
            score = score.because(format!("{} equations", equations.len()));
        } else if let Some(wrong) = equations.iter().find(|e| !e.holds) {
            score = score.because(format!("{} is not {}", wrong.left, wrong.right));
        }
        if rollout.steps.is_empty() || rollout.steps.len() > 1000 {
            return Ok(score);
        }
        let holds = |text: &str| {
            text.len() <= passage::MAX_BYTES && self.equations(text).iter().all(|e| e.holds)
        };
        let fine = rollout.steps.iter().map(|step| f64::from(u8::from(holds(&step.text))));
        score.with_fine(Level::Step, fine.collect())
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Arithmetic: Signal,
    id: "verify.arithmetic",
    papers: [],
    status: Verified(ClosedForm("exact fractions")),
    laws: [WhitespaceInvariant, CaseInvariant],
    exempt: [],
    samples: [
        r#"{"prompt": "How many?", "completion": "3 * (4 + 1) = 15 pens. Then 15 - 2 = 13.", "reference": "13"}"#,
        r#"{"prompt": "How much?", "completion": "A half and a third: $1/2 + 1/3 = 5/6$.", "reference": "5/6"}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Arithmetic, Rule};

    fn check(text: &str, expect: &[(&str, &str, bool)]) {
        let found = Arithmetic::default().equations(text);
        let found: Vec<_> = found.iter().map(|e| (e.left, e.right, e.holds)).collect();
        assert_eq!(found, expect, "{text}");
    }

    #[test]
    fn equations_in_their_places() {
        check("We get 3 + 4 = 7 apples.", &[("3 + 4", "7", true)]);
        check(
            "2 * 3 = 6 = 5 + 1, and 10/4 = 2.4.",
            &[("2 * 3", "6", true), ("6", "5 + 1", true), ("10/4", "2.4", false)],
        );
        check(
            "$\\frac{1}{2} + \\frac13 = \\frac{5}{6}$",
            &[("\\frac{1}{2} + \\frac13", "\\frac{5}{6}", true)],
        );
        check("(1 + 2) \\times 3 = 9", &[("(1 + 2) \\times 3", "9", true)]);
        check(
            "1,200 \u{f7} 4 = 300. 5 \u{2212} 7 = -2",
            &[("1,200 \u{f7} 4", "300", true), ("5 \u{2212} 7", "-2", true)],
        );
        check("-3 + 5 = 2", &[("-3 + 5", "2", true)]);
        check("20% * 50 = 10", &[("20% * 50", "10", true)]);
        check(
            "0.1 + 0.2 = 0.3; 2^10 = 1024",
            &[("0.1 + 0.2", "0.3", true), ("2^10", "1024", true)],
        );
        check("$3 + $4 = $7", &[("3 + $4", "7", true)]);
        check("3 + 4 = 7 7 + 1 = 8", &[("3 + 4", "7", true), ("7 + 1", "8", true)]);
        check("10/3 = 3.33", &[("10/3", "3.33", false)]);
    }

    #[test]
    fn what_is_no_equation() {
        for text in [
            "x = 3 + y",
            "x = 5",
            "5 = 5",
            "2x = 10",
            "3 + 4 == 7",
            "a >= 3 + 4",
            "3 + 4",
            "= 7",
            "3 + = 7",
            "",
        ] {
            check(text, &[]);
        }
    }

    #[test]
    fn rounding_and_rules() {
        let params = Arithmetic { rounding: true, score: Rule::All, least: 2 };
        let value = |text: &str| params.value(&params.equations(text));
        assert_eq!(value("10/3 = 3.33, 2/3 = 0.67, 2/3 = 0.66"), 1.0);
        assert_eq!(value("10/3 = 3.33, 2/3 = 0.68"), 0.0);
        assert_eq!(value("10/3 = 3, 1 + 1 = 2"), 0.0);
        assert_eq!(value("1 + 1 = 2"), 0.0);
    }

    #[test]
    fn huge_powers_end_by_the_budget() {
        check("9^9^9^9 = 1", &[("9^9^9^9", "1", false)]);
        check("1/0 = 1/0", &[("1/0", "1/0", false)]);
        let many = "1 + 1 = 2\n".repeat(5000);
        assert_eq!(Arithmetic::default().equations(&many).len(), 1000);
        assert!(Arithmetic::default().equations(&"1 + ".repeat(100_000)).is_empty());
    }
}
