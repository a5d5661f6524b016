//! An answer as a reader takes it: its text without markup, and the formulas it can stand for.

use super::ast::Expr;
use super::calendar::{self, Date};
use super::lexer::Notation;
use super::meter::Meter;
use super::parser::{self, Fault};
use super::{Options, Preset};

/// A bare answer with its readings.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// The text without markup, for comparison as words.
    pub(crate) plain: String,
    /// What the text can mean as a formula, likeliest first; empty when it is none.
    pub(crate) readings: Vec<Expr>,
    date: Option<Date>,
}

impl Answer {
    /// Reads a bare answer. The error is the name of the allowance that it exceeds.
    pub(crate) fn read(text: &str, options: &Options) -> Result<Self, &'static str> {
        if text.len() > options.budget.bytes {
            return Err("bytes");
        }
        let meter = Meter::new(&options.budget);
        let extended = options.preset != Preset::MathVerify;
        let grouped = Notation { group_commas: true, extended };
        let text = text.trim();
        let mut readings = Vec::new();
        match parser::parse(text, grouped, &meter) {
            Ok(reading) => {
                readings.push(reading.expr);
                if reading.ambiguous_comma {
                    readings.extend(formula(parser::parse(
                        text,
                        Notation { group_commas: false, extended },
                        &meter,
                    ))?);
                }
            }
            Err(Fault::Budget(what)) => return Err(what),
            Err(Fault::Syntax) => {}
        }
        if let Some(point) = decimal_comma(text).filter(|_| extended || !text.contains('$')) {
            readings.extend(formula(parser::parse(&point, grouped, &meter))?);
        }
        Ok(Self { plain: plain(text), readings, date: calendar::date(text) })
    }

    /// Whether both texts are the same apart from markup, or name the same day.
    pub(crate) fn same_text(&self, other: &Self) -> bool {
        (!self.plain.is_empty() && self.plain == other.plain)
            || (self.date.is_some() && self.date == other.date)
    }

    /// Whether there is anything to compare: a letter, a digit or a symbol of mathematics.
    pub(crate) fn is_blank(text: &str) -> bool {
        !text.chars().any(|c| c.is_alphanumeric() || matches!(c, '∞' | '∅' | '\\'))
    }
}

fn formula(parsed: Result<parser::Reading, Fault>) -> Result<Option<Expr>, &'static str> {
    match parsed {
        Ok(reading) => Ok(Some(reading.expr)),
        Err(Fault::Budget(what)) => Err(what),
        Err(Fault::Syntax) => Ok(None),
    }
}

/// `1000,99` with a point, when the text is one number and its comma cannot separate thousands.
fn decimal_comma(text: &str) -> Option<String> {
    let (whole, fraction) = text.split_once(',')?;
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let tail = fraction.trim_end_matches(|c: char| !c.is_ascii_digit());
    let head = whole.trim_start_matches(['-', '+', ' ', '$', '\\']);
    let thousands = tail.len() == 3 && head.len() <= 3 && !head.starts_with('0');
    (digits(head) && digits(tail) && !thousands).then(|| format!("{whole}.{fraction}"))
}

/// The text in lower case without spaces and markup. Single letters keep their case: `A` is not `a`.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.trim_end_matches(['.', ' ', '$']);
    while let Some(c) = rest.chars().next() {
        let mut len = c.len_utf8();
        match c {
            '\\' => {
                let name = &rest[1..];
                let letters =
                    name.bytes().position(|b| !b.is_ascii_alphabetic()).unwrap_or(name.len());
                len = 1 + letters;
                match &name[..letters] {
                    "" => len = (1 + name.chars().next().map_or(0, char::len_utf8)).min(rest.len()),
                    "left" | "right" | "text" | "textbf" | "textit" | "mathrm" | "mbox"
                    | "textnormal" | "mathbf" | "displaystyle" | "quad" | "big" | "Big" => {}
                    "dfrac" | "tfrac" | "cfrac" => out.push_str("\\frac"),
                    other => {
                        out.push('\\');
                        out.push_str(other);
                    }
                }
                if len >= 2 && letters == 0 && name.starts_with(['{', '}', '%', '|']) {
                    out.push_str(&rest[..len]);
                }
            }
            '$' | ' ' | '\n' | '\t' | '\r' | '~' => {}
            // Braces stay as soon as a command may need them to tell its arguments apart.
            '{' | '}'
                if !text.contains("frac")
                    && !text.contains(['^', '_'])
                    && !text.contains("sqrt") => {}
            c => out.push(c),
        }
        rest = &rest[len..];
    }
    let letters = out.bytes().filter(u8::is_ascii_alphabetic).count();
    if letters > 1
        && !out.contains(['\\', '^', '_', '=', '+'])
        && out.bytes().all(|b| !b.is_ascii_digit())
    {
        out.make_ascii_lowercase();
    }
    out
}

/// The answer inside a reference, which may be a worked solution.
pub(crate) fn in_reference(reference: &str, options: &Options) -> String {
    use super::Extract;
    use super::extract::candidate;
    let trimmed = reference.trim();
    if let Some(at) = trimmed.rfind("####") {
        return trimmed[at + 4..].trim().to_owned();
    }
    if options.extract.contains(&Extract::Choice)
        && let Some(found) = candidate(trimmed, Extract::Choice)
    {
        return found.text.into_owned();
    }
    if let Some(found) =
        candidate(trimmed, Extract::Boxed).or_else(|| candidate(trimmed, Extract::Tags))
    {
        return found.text.into_owned();
    }
    if let Some(at) = trimmed.rfind("\\boxed{").or_else(|| trimmed.rfind("\\boxed ")) {
        // A reference is trusted: a missing brace is a slip of its writer.
        return trimmed[at + 7..].trim().to_owned();
    }
    let words = trimmed.split_ascii_whitespace().filter(|w| w.len() > 2).count();
    if words > 6
        && let Some(found) = candidate(trimmed, Extract::FinalAnswer)
    {
        return found.text.into_owned();
    }
    // A worked solution without an announcement ends in its answer; a short text is the answer.
    if trimmed.len() > 200 && words > 25 {
        let latex = options.extract.contains(&Extract::LastLatex);
        let place = if latex { Extract::LastLatex } else { Extract::LastExpression };
        if !is_one_formula(trimmed)
            && let Some(found) = candidate(trimmed, place)
        {
            return found.text.into_owned();
        }
    }
    trimmed.to_owned()
}

/// The text is a formula between dollars and nothing else.
fn is_one_formula(text: &str) -> bool {
    let inner = text.trim_matches('$');
    (inner.len() < text.len() && !inner.contains('$')) || !text.contains(['$', '.'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_not_text() {
        let check = |a: &str, b: &str| assert_eq!(plain(a), plain(b));
        check("\\text{Evelyn}", "evelyn");
        check("$\\dfrac{1}{2}$", "\\frac{1}{2}");
        check("\\left( 1, 2\\right)", "(1,2)");
        assert_ne!(plain("A"), plain("a"));
        assert_ne!(plain("\\{1\\}"), plain("1"));
        assert_ne!(plain("\\frac{1}{23}"), plain("\\frac{12}{3}"));
    }

    #[test]
    fn a_decimal_comma_is_one_that_separates_no_thousands() {
        assert_eq!(decimal_comma("1000,99").as_deref(), Some("1000.99"));
        assert_eq!(decimal_comma("0,111").as_deref(), Some("0.111"));
        assert_eq!(decimal_comma("1,000"), None);
        assert_eq!(decimal_comma("1,2,3"), None);
    }

    #[test]
    fn references_hold_their_answer() {
        let check = |text: &str, expected: &str| {
            assert_eq!(in_reference(text, &Options::default()), expected);
        };
        check("2 + 2 = <<2+2=4>>4\n#### 4", "4");
        check("so \\boxed{\\frac{1}{2}}.", "\\frac{1}{2}");
        check(" 420 ", "420");
        check("$x$", "$x$");
    }
}
