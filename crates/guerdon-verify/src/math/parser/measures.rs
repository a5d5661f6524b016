//! Units of measure behind a value.

use super::super::ast::Expr;
use super::super::lexer::Kind;
use super::super::vocabulary::{self, WordKind};
use super::{Parser, separator};

impl Parser<'_, '_> {
    /// `min` and `sec` are units unless an argument follows.
    pub(super) fn is_short_unit(&self) -> bool {
        let named =
            matches!(self.peek(), Some(Kind::Word("min" | "sec") | Kind::Text("min" | "sec")));
        let ends = match self.peek_at(1) {
            None
            | Some(
                Kind::RowEnd
                | Kind::SetClose
                | Kind::Mark(b'/' | b',' | b';' | b')' | b'}' | b'.' | b'='),
            ) => true,
            Some(kind) => separator(kind).is_some(),
        };
        named && ends
    }

    /// A unit after a value: words, divisions by units, exponents of units.
    pub(super) fn unit(&mut self, value: Expr) -> Expr {
        let mut text = String::new();
        while let Some(kind) = self.peek() {
            match kind {
                Kind::Text(w) | Kind::Word(w) if is_unit_token(kind) || self.is_short_unit() => {
                    push_word(&mut text, w);
                }
                Kind::Mark(b'/')
                    if matches!(
                        self.peek_at(1),
                        Some(Kind::Text(_) | Kind::Word(_) | Kind::Letter(_))
                    ) =>
                {
                    text.push('/');
                }
                Kind::Letter(c) if text.ends_with('/') => text.push(*c),
                Kind::Mark(b'^') => {
                    if !self.unit_exponent(&mut text) {
                        break;
                    }
                }
                Kind::Command("^2") => text.push_str("^2"),
                Kind::Command("^3") => text.push_str("^3"),
                _ => break,
            }
            self.pos += 1;
        }
        match value {
            Expr::Measure(inner, unit) if &*unit == "$" => Expr::Measure(inner, unit),
            value => Expr::Measure(Box::new(value), text.into()),
        }
    }

    /// Leaves the last token of the exponent to be skipped by the caller.
    fn unit_exponent(&mut self, text: &mut String) -> bool {
        let braced = usize::from(self.peek_at(1) == Some(&Kind::Mark(b'{')));
        let negative = usize::from(self.peek_at(1 + braced) == Some(&Kind::Mark(b'-')));
        let Some(Kind::Number { digits: Some(digits), .. }) = self.peek_at(1 + braced + negative)
        else {
            return false;
        };
        text.push('^');
        text.push_str(if negative == 1 { "-" } else { "" });
        text.push_str(digits);
        self.pos += 1 + 2 * braced + negative;
        true
    }
}

pub(super) fn is_unit_token(kind: &Kind<'_>) -> bool {
    match kind {
        Kind::Text(t) => !matches!(
            vocabulary::word_kind(t),
            Some(
                WordKind::And
                    | WordKind::Or
                    | WordKind::Percent
                    | WordKind::Function
                    | WordKind::Meridiem
            )
        ),
        Kind::Word(w) => matches!(vocabulary::word_kind(w), Some(WordKind::Unit | WordKind::Plain)),
        _ => false,
    }
}

pub(super) fn push_word(text: &mut String, word: &str) {
    if !text.is_empty() && !text.ends_with('/') {
        text.push(' ');
    }
    text.push_str(word);
}
