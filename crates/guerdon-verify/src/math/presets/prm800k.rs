//! The grader of PRM800K: MATH's normalisation first, then one of its own, then the value of each part of a tuple.
//!
//! Source: `prm800k/grading/grader.py` and `math_normalize.py` of github.com/openai/prm800k (MIT).
//!
//! Departures: the original turns LaTeX into text with pylatexenc; the commands that occur in answers are
//! translated here (fractions, roots, texts, a dozen symbols). Its completions end in `# Answer`; the last box is
//! looked for first, because that is what trainers use it on.

use super::super::numeric::integer;
use super::super::{Options, Verdict};
use super::text::last_boxed;
use super::{hendrycks, same_value, verdict};

pub(super) fn verify(reference: &str, completion: &str, options: &Options) -> Verdict {
    let headed = || completion.rsplit_once("# Answer").map(|(_, answer)| answer.trim());
    let Some(answer) = last_boxed(completion).or_else(headed) else { return Verdict::NoAnswer };
    let gold = if reference.contains("\\boxed") { last_boxed(reference) } else { Some(reference) };
    match gold {
        Some(gold) => verdict(grade(answer, gold, options)),
        None => Verdict::BadReference("the box of the reference is not closed".into()),
    }
}

/// `grade_answer` of the original.
pub(super) fn grade(given: &str, truth: &str, options: &Options) -> bool {
    if mathd(given) == mathd(truth) {
        return true;
    }
    let (truth, given) = (normalize(truth), normalize(given));
    if truth == given {
        return true;
    }
    if given.is_empty() || truth.is_empty() {
        return false;
    }
    let (truths, givens) = (split_tuple(&truth), split_tuple(&given));
    let ends = |s: &str| (s.chars().next(), s.chars().next_back());
    if (truths.len() > 1 && ends(&truth) != ends(&given)) || truths.len() != givens.len() {
        return false;
    }
    truths.iter().zip(&givens).all(|(t, g)| same_part(t, g, options))
}

/// Fractions must be reduced and integers be integers; everything else may be simplified.
fn same_part(truth: &str, given: &str, options: &Options) -> bool {
    if is_fraction(truth) && is_fraction(given) {
        return truth == given;
    }
    if is_integer(truth) != is_integer(given) {
        return false;
    }
    may_evaluate(&format!("({truth})-({given})")) && same_value(truth, given, options)
}

fn mathd(answer: &str) -> String {
    let trimmed = answer.trim();
    let inner = enclosing_text(trimmed).map_or(trimmed, str::trim);
    hendrycks::strip(inner).unwrap_or_else(|| inner.to_owned())
}

fn enclosing_text(text: &str) -> Option<&str> {
    text.strip_prefix("\\text{")?.strip_suffix('}').filter(|inner| !inner.is_empty())
}

const UNITS: [&str; 16] = [
    "degree",
    "cm",
    "centimeter",
    "meter",
    "mile",
    "second",
    "minute",
    "hour",
    "day",
    "week",
    "month",
    "year",
    "foot",
    "feet",
    "inch",
    "yard",
];

fn normalize(text: &str) -> String {
    let mut s = enclosing_text(text).unwrap_or(text).to_owned();
    s = s.replace("\\%", "%").replace("\\$", "$").replace(['$', '%'], "");
    s = s.replace(" or ", " , ").replace(" and ", " , ");
    // "billion" and "trillion" are replaced after "million", as in the original.
    s = s.replace("million", "*10^6").replace("billion", "*10^9").replace("trillion", "*10^12");
    for unit in UNITS {
        s = without_unit(&s, unit);
    }
    s = without_degrees(&s);
    if s.len() > 1 && s.starts_with('{') && s.ends_with('}') {
        s = s[1..s.len() - 1].to_owned();
    }
    s = without_thin_commas(&s);
    if let Some(n) = float(&s).and_then(as_integer) {
        s = n.to_string();
    }
    if s.contains('\\') {
        s = latex_to_text(&s);
    }
    s = squeeze_minus(&s);
    s = mixed_numbers(&s).replace(' ', "").replace(['{', '}'], "").to_lowercase();
    if is_integer(&s)
        && let Some(n) = float(&s.replace(',', ""))
    {
        s = integer(n).to_string();
    }
    s
}

/// Removes `unit`, its plural, the spaces behind it and an exponent.
fn without_unit(text: &str, unit: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(unit) {
        out.push_str(&rest[..at]);
        rest = &rest[at + unit.len()..];
        rest = rest.strip_prefix("es").unwrap_or(rest);
        rest = rest.strip_prefix('s').unwrap_or(rest);
        rest = rest.trim_start_matches(' ');
        if let Some(exponent) = rest.strip_prefix('^') {
            let digits = exponent.bytes().take_while(u8::is_ascii_digit).count();
            if digits > 0 {
                rest = &exponent[digits..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn without_degrees(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('^') {
        let after = rest[at + 1..].trim_start_matches(' ');
        out.push_str(&rest[..at]);
        if let Some(behind) = after.strip_prefix("\\circ") {
            rest = behind;
        } else {
            out.push('^');
            rest = &rest[at + 1..];
        }
    }
    out.push_str(rest);
    out
}

fn without_thin_commas(text: &str) -> String {
    let mut parts = text.split(",\\!");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(part.trim_start_matches(' '));
    }
    out
}

fn squeeze_minus(text: &str) -> String {
    let mut parts = text.split('-');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push('-');
        out.push_str(part.trim_start_matches(' '));
    }
    out
}

/// `7 3/4` to `7+3/4`.
fn mixed_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(' ') {
        let spaces = rest[at..].len() - rest[at..].trim_start_matches(' ').len();
        let before = rest[..at].ends_with(|c: char| c.is_ascii_digit());
        let after = rest[at + spaces..].starts_with(|c: char| c.is_ascii_digit());
        out.push_str(&rest[..at]);
        out.push_str(if before && after { "+" } else { &rest[at..at + spaces] });
        rest = &rest[at + spaces..];
    }
    out.push_str(rest);
    out
}

/// Python's `float` for the texts that occur.
fn float(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

fn as_integer(x: f64) -> Option<i64> {
    (x.is_finite() && x.abs() < 9e18 && (x - x.round()).abs() <= 1e-7).then(|| integer(x.round()))
}

fn is_integer(text: &str) -> bool {
    float(&without_group_commas(text)).and_then(as_integer).is_some()
}

/// `-?[0-9]+.?/0*[1-9][0-9]*.?`, the point standing for any character.
fn is_fraction(text: &str) -> bool {
    let Some((a, b)) = text.rsplit_once('/') else { return false };
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let one_more = |s: &str| s.char_indices().next_back().map_or(0, |(at, _)| at);
    let numerator = a.strip_prefix('-').unwrap_or(a);
    let denominator = |s: &str| digits(s) && s.bytes().any(|b| b != b'0');
    (digits(numerator) || digits(&numerator[..one_more(numerator)]))
        && (denominator(b) || denominator(&b[..one_more(b)]))
}

/// `1,234` to `1234`, but not `1,23`.
fn without_group_commas(text: &str) -> String {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let groups =
            c == ',' && at > 0 && digit(at - 1) && (1..=3).all(|k| digit(at + k)) && !digit(at + 4);
        if !groups {
            out.push(c);
        }
    }
    out
}

fn split_tuple(text: &str) -> Vec<String> {
    const BRACKETS: [char; 4] = ['(', ')', '[', ']'];
    let text = without_group_commas(text);
    if text.len() > 2 && text.starts_with(BRACKETS) && text.ends_with(BRACKETS) {
        let inner = &text[1..text.len() - 1];
        if !inner.contains(BRACKETS) {
            return inner.split(',').map(|part| part.trim().to_owned()).collect();
        }
    }
    vec![text]
}

/// The original's guard against expressions on which `SymPy` might hang.
fn may_evaluate(text: &str) -> bool {
    let mut letters: Vec<char> = text
        .replace("sqrt", "")
        .replace("frac", "")
        .chars()
        .filter(|c| c.is_alphabetic())
        .collect();
    letters.sort_unstable();
    letters.dedup();
    let long_power = text.split('^').skip(1).any(|after| {
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        digits >= 2 || (digits == 1 && after[1..].starts_with('^'))
    });
    letters.len() <= 2 && !text.contains("^{") && !text.contains("^(") && !long_power
}

/// Deepest nesting that is translated.
const DEEPEST: usize = 24;

fn latex_to_text(text: &str) -> String {
    translate(text, DEEPEST).trim().to_owned()
}

fn translate(text: &str, depth: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let name = &rest[at + 1..];
        let len = name.bytes().take_while(u8::is_ascii_alphabetic).count();
        let after = &name[len..];
        rest = match &name[..len] {
            "frac" | "dfrac" | "tfrac" if depth > 0 => {
                let (a, more) = argument(after);
                let (b, more) = argument(more);
                out.push(' ');
                out.extend([&translate(a, depth - 1), "/", &translate(b, depth - 1)]);
                more
            }
            "sqrt" if depth > 0 => {
                let (a, more) = argument(after);
                out.extend(["sqrt(", &translate(a, depth - 1), ")"]);
                more
            }
            "text" | "mathrm" | "textbf" | "mbox" if depth > 0 => {
                let (a, more) = argument(after);
                out.push_str(&translate(a, depth - 1));
                more
            }
            "pi" => symbol(&mut out, "pi", after),
            "infty" => symbol(&mut out, "inf", after),
            "cup" => symbol(&mut out, "U", after),
            "cdot" | "times" => symbol(&mut out, "*", after),
            "left" | "right" => after,
            "" => &after[after.chars().next().map_or(0, char::len_utf8)..],
            other => symbol(&mut out, other, after),
        };
    }
    out.push_str(rest);
    out
}

fn symbol<'a>(out: &mut String, name: &str, after: &'a str) -> &'a str {
    out.push_str(name);
    after
}

/// The argument of a command, and what follows.
fn argument(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    match super::text::through_closing_brace(text).filter(|_| text.starts_with('{')) {
        Some(group) => (&group[1..group.len() - 1], &text[group.len()..]),
        None => text.split_at(text.chars().next().map_or(0, char::len_utf8)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grades() {
        let options = Options::default();
        let check = |given: &str, truth: &str, expected: bool| {
            assert_eq!(grade(given, truth, &options), expected, "{given} {truth}");
        };
        check("1,000", "1000", true);
        check("\\frac{1}{2}", "1/2", true);
        check("2/4", "1/2", false);
        check("0.5", "1/2", true);
        check("7 3/4", "31/4", true);
        check("(1,2)", "(1, 2)", true);
        check("[1,2)", "(1,2)", false);
        check("3x+x", "4x", true);
        check("4.0", "4", true);
        check("2+2", "4", false);
        check("\\text{Evelyn}", "evelyn", true);
        check("5 feet", "5", true);
        check("\\sqrt{8}", "2\\sqrt{2}", true);
        check("x^{12}", "x^{6}x^{6}", false);
        check("", "1", false);
    }
}
