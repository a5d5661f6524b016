//! Number literals: separators of thousands, decimals, repeating blocks, exponents.

use super::super::meter::{Meter, Outcome};
use super::super::number::Rational;
use super::Notation;

/// The parts of a number literal.
pub(super) struct Scan<'a> {
    pub(super) len: usize,
    /// End of the digits before the point, separators included.
    pub(super) whole: usize,
    /// Digits after the point.
    pub(super) fraction: usize,
    pub(super) repeating: Option<&'a str>,
    pub(super) exponent: i64,
    /// Digits alone.
    pub(super) plain: bool,
    pub(super) ambiguous: bool,
}

fn digits_len(text: &str) -> usize {
    text.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(text.len())
}

/// Separators of thousands. The flag says that the mark can be nothing else.
const SEPARATORS: [(&str, bool); 9] = [
    ("{,}", true),
    (",\\!", true),
    (",\\ ", true),
    ("{\\,}", true),
    ("\\,", true),
    ("\u{202f}", true),
    ("\u{a0}", true),
    (" ", true),
    ("'", true),
];

fn group_after(text: &str, separator: &str) -> Option<usize> {
    let rest = text.strip_prefix(separator)?;
    let spaces =
        if separator.starts_with(",\\") { rest.len() - rest.trim_start().len() } else { 0 };
    (digits_len(&rest[spaces..]) == 3).then_some(separator.len() + spaces + 3)
}

/// The length of the whole part with its separators, and whether a bare comma was taken for one.
fn scan_groups(text: &str, group_commas: bool) -> (usize, bool) {
    let first = digits_len(text);
    if first == 0 || first > 3 || text.starts_with('0') {
        return (first, false);
    }
    let candidates = SEPARATORS.iter().map(|(s, _)| *s).chain(group_commas.then_some(","));
    for separator in candidates {
        let mut len = first;
        while let Some(group) = group_after(&text[len..], separator) {
            len += group;
        }
        if len > first {
            return (len, separator == ",");
        }
    }
    // `1.000.000`: two groups at least, or one that a decimal comma follows.
    let mut len = first;
    let mut groups = 0;
    while let Some(group) = group_after(&text[len..], ".") {
        len += group;
        groups += 1;
    }
    let comma = text[len..].starts_with(',') && digits_len(&text[len + 1..]) > 0;
    if groups >= 2 || (groups == 1 && comma && group_commas) {
        (len, false)
    } else {
        (first, false)
    }
}

pub(super) fn scan_number(text: &str, notation: Notation) -> Scan<'_> {
    let (whole, ambiguous) = scan_groups(text, notation.group_commas);
    let mut scan = Scan {
        len: whole,
        whole,
        fraction: 0,
        repeating: None,
        exponent: 0,
        plain: digits_len(text) == whole,
        ambiguous,
    };
    let european = whole > 0 && text[..whole].contains('.');
    let point = if european { ',' } else { '.' };
    if text[whole..].starts_with(point) {
        let fraction = digits_len(&text[whole + 1..]);
        let after = &text[whole + 1 + fraction..];
        scan.repeating =
            repeating_block(after).filter(|_| notation.extended).map(|(block, len)| {
                scan.len = whole + 1 + fraction + len;
                block
            });
        let bare_point =
            fraction == 0 && whole > 0 && after.starts_with(['/', '*', '+', '-', ')', '^']);
        if fraction > 0 || bare_point || scan.repeating.is_some() {
            scan.fraction = fraction;
            scan.plain = false;
            scan.len = scan.len.max(whole + 1 + fraction);
        }
    }
    if let Some((exponent, len)) = exponent_after(&text[scan.len..]).filter(|_| notation.extended) {
        scan.exponent = exponent;
        scan.plain = false;
        scan.len += len;
    }
    scan
}

/// `\overline{12}`, `\bar{3}`, `\dot{3}` or `(12)` after the digits of a decimal: the digits that repeat.
fn repeating_block(text: &str) -> Option<(&str, usize)> {
    for open in ["\\overline{", "\\bar{", "\\dot{", "\\overline ", "\\bar ", "("] {
        if let Some(rest) = text.strip_prefix(open) {
            let digits = digits_len(rest);
            let close = if open.ends_with('{') {
                "}"
            } else if open == "(" {
                ")"
            } else {
                ""
            };
            if (1..=64).contains(&digits) && rest[digits..].starts_with(close) {
                return Some((&rest[..digits], open.len() + digits + close.len()));
            }
        }
    }
    None
}

/// `e5`, `E-7` directly after a number.
fn exponent_after(text: &str) -> Option<(i64, usize)> {
    let bytes = text.as_bytes();
    if !matches!(bytes.first(), Some(b'e' | b'E')) {
        return None;
    }
    let sign = usize::from(matches!(bytes.get(1), Some(b'+' | b'-')));
    let digits = digits_len(&text[1 + sign..]);
    let end = 1 + sign + digits;
    let clear =
        !bytes.get(end).is_some_and(|b| b.is_ascii_alphabetic() || *b == b'.' || *b == b'^');
    if digits == 0 || digits > 9 || !clear {
        return None;
    }
    let value: i64 = text[1 + sign..end].parse().ok()?;
    Some((if bytes[1] == b'-' { -value } else { value }, end))
}

impl Scan<'_> {
    pub(super) fn value(&self, text: &str, meter: &Meter) -> Outcome<Rational> {
        let fraction = &text[self.whole..][..if self.fraction > 0 { self.fraction + 1 } else { 0 }];
        let scale = self.exponent - i64::try_from(self.fraction).unwrap_or(i64::MAX);
        let source = &text[..self.whole + fraction.len()];
        let value = if source.bytes().all(|b| b.is_ascii_digit()) {
            Rational::decimal(source, scale, meter)?
        } else {
            let digits: String = source.chars().filter(char::is_ascii_digit).collect();
            Rational::decimal(&digits, scale, meter)?
        };
        let Some(block) = self.repeating else { return Ok(value) };
        // 0.a(b) = 0.a + b / ((10^|b| - 1) * 10^|a|)
        let length = i64::try_from(block.len()).unwrap_or(i64::MAX);
        let nines = Rational::int(10).pow(length, meter)?.sub(&Rational::ONE, meter)?;
        let tail = Rational::decimal(block, 0, meter)?.div(&nines, meter)?;
        let shift = Rational::int(10).pow(scale, meter)?;
        value.add(&tail.mul(&shift, meter)?, meter)
    }
}
