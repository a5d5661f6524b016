//! Qwen2.5-Math's evaluation: its extraction, its normalisation, `math_equal` with percentages and a relative
//! tolerance of 10^-4.
//!
//! Source: `evaluation/parser.py` and `evaluation/grader.py` of github.com/QwenLM/Qwen2.5-Math (Apache-2.0 and,
//! for the parts it quotes, MIT).
//!
//! Departures: `word2number` is replaced by this engine's numbers in words, which read a number only when the
//! whole text is one.

use super::super::{Options, Verdict, words};
use super::text::{fix_fracs, is_plain_integer, unwrap_command, without_short_label};
use super::{same_value, verdict};

/// Lists inside lists that are compared part by part.
const DEEPEST: usize = 4;
const TOLERANCE: f64 = 1e-4;

pub(super) fn verify(reference: &str, completion: &str, options: &Options) -> Verdict {
    let gold = if reference.contains("boxed") { extract(reference) } else { strip(reference) };
    if gold.is_empty() {
        return Verdict::BadReference("the reference is empty after normalisation".into());
    }
    let answer = extract(completion);
    if answer.is_empty() {
        return Verdict::NoAnswer;
    }
    verdict(math_equal(&answer, &gold, options))
}

/// `extract_answer` for data sets without choices.
fn extract(text: &str) -> String {
    let raw = found(text);
    let joined = raw
        .split('\n')
        .enumerate()
        .map(|(at, line)| if at == 0 { line } else { line.trim_start() })
        .collect::<String>();
    let mut s = joined.as_str();
    s = s.strip_prefix(':').unwrap_or(s);
    s = s.strip_suffix('.').unwrap_or(s);
    s = s.strip_suffix('/').unwrap_or(s);
    strip(s)
}

fn found(text: &str) -> String {
    if let Some((_, after)) = text.split_once("final answer is $")
        && text.contains("$. I hope")
    {
        return after.split("$. I hope").next().unwrap_or(after).trim().to_owned();
    }
    if let Some((_, after)) = text.rsplit_once("boxed") {
        return if after.starts_with('{') {
            group(after).to_owned()
        } else {
            first(after, "$").trim().to_owned()
        };
    }
    for phrase in ["he answer is", "final answer is"] {
        if let Some((_, after)) = text.rsplit_once(phrase) {
            return after.trim().to_owned();
        }
    }
    if let Some((_, after)) = text.split_once("答案是") {
        return first(first(after, "答案是").trim(), "\n\n").trim().to_owned();
    }
    last_number(&text.replace(',', ""))
}

fn first<'a>(text: &'a str, separator: &str) -> &'a str {
    text.split(separator).next().unwrap_or(text)
}

/// The content of a braced group; an unclosed one reaches to the end.
fn group(text: &str) -> &str {
    match super::text::through_closing_brace(text) {
        Some(whole) => &whole[1..whole.len() - 1],
        None => &text[1..],
    }
}

/// The last `-?\d*\.?\d+`.
fn last_number(text: &str) -> String {
    let bytes = text.as_bytes();
    let Some(last) = bytes.iter().rposition(u8::is_ascii_digit) else { return String::new() };
    let digits_before = |mut at: usize| {
        while at > 0 && bytes[at - 1].is_ascii_digit() {
            at -= 1;
        }
        at
    };
    let mut start = digits_before(last);
    if start > 0 && bytes[start - 1] == b'.' {
        // The scan runs from the left: a point belongs to the number unless it already ended one.
        let whole = digits_before(start - 1);
        let taken = whole < start - 1 && whole > 0 && bytes[whole - 1] == b'.';
        start = if taken { start - 1 } else { whole };
    }
    start -= usize::from(start > 0 && bytes[start - 1] == b'-');
    text[start..=last].to_owned()
}

// ---- normalisation

#[rustfmt::skip]
const UNITS: [&str; 131] = [
    "east", "degree", "mph", "kmph", "ft", "m sqaure", " m east", "sq m", "deg", "mile", "q .", "monkey", "prime",
    "ratio", "profit of rs", "rd", "o", "gm", "p . m", "lb", "tile", "per", "dm", "lt", "gain", "ab", "way", "west",
    "a .", "b .", "c .", "d .", "e .", "f .", "g .", "h .", "t", "a", "h", "no change", "men", "soldier", "pie", "bc",
    "excess", "st", "inches", "noon", "percent", "by", "gal", "kmh", "c", "acre", "rise", "a . m", "th", "π r 2", "sq",
    "mark", "l", "toy", "coin", "sq . m", "gallon", "° f", "profit", "minw", "yr", "women", "feet", "am", "pm", "hr",
    "cu cm", "square", "v â € ™", "are", "rupee", "rounds", "cubic", "cc", "mtr", "s", "ohm", "number", "kmph", "day",
    "hour", "minute", "min", "second", "man", "woman", "sec", "cube", "mt", "sq inch", "mp", "∏ cm ³", "hectare",
    "more", "sec", "unit", "cu . m", "cm 2", "rs .", "rs", "kg", "g", "month", "km", "m", "cm", "mm", "apple", "liter",
    "loss", "yard", "pure", "year", "increase", "decrease", "d", "less", "Surface", "litre", "pi sq m", "s .", "metre",
    "meter",
];
const LAST_UNIT: &str = "inch";

/// `strip_string`, with units removed.
pub(super) fn strip(text: &str) -> String {
    let mut s = text.trim().replace('\n', "");
    s = s.trim_end_matches('.').replace("\\!", "");
    s = arrays(&s).replace("bmatrix", "pmatrix").replace("tfrac", "frac").replace("dfrac", "frac");
    s = s.replace("\\neq", "\\ne").replace("\\leq", "\\le").replace("\\geq", "\\ge");
    s = s.replace("\\left", "").replace("\\right", "").replace("\\{", "{").replace("\\}", "}");
    if let Some(at) = s.find("\\text{").filter(|_| s.ends_with('}')) {
        let cut = s[..at].trim();
        if !cut.is_empty() {
            s = String::from(cut);
        }
    }
    s = without_units(s);
    s = s.replace("^{\\circ}", "").replace("^\\circ", "").replace("\\$", "").replace('$', "");
    s = s.replace("\\(", "").replace("\\)", "");
    s = word_number(s);
    s = unwrap_command(&s, "\\text{", false, true);
    for key in ["x=", "y=", "z=", "x\\in", "y\\in", "z\\in", "x\\to", "y\\to", "z\\to"] {
        s = s.replace(key, "");
    }
    s = s.replace("\\emptyset", "{}").replace("(-\\infty,\\infty)", "\\mathbb{R}");
    s = s.replace("\\%", "").replace('%', "").replace(" .", " 0.").replace("{.", "{0.");
    s = s.replace("infinity", "\\infty");
    if !s.contains("\\infty") {
        s = s.replace("inf", "\\infty");
    }
    s = s.replace("and", "").replace("\\mathbf", "");
    s = unwrap_command(&s, "\\mbox{", false, false);
    if s.contains('j') && !s.contains('i') {
        s = s.replace('j', "i");
    }
    s = without_zeros(&s);
    if s.is_empty() {
        return s;
    }
    if s.starts_with('.') {
        s.insert(0, '0');
    }
    s = fix_sqrt(without_short_label(&s)).replace(' ', "");
    s = fix_fracs(&s, false).unwrap_or(s);
    slash_to_frac(s)
}

/// `\begin{array}{cc}` to `\begin{pmatrix}`.
fn arrays(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\\begin{array}{") {
        let after = &rest[at + "\\begin{array}{".len()..];
        let Some(close) = after.find('}') else { break };
        out.push_str(&rest[..at]);
        out.push_str("\\begin{pmatrix}");
        rest = &after[close + 1..];
    }
    out.push_str(rest);
    out.replace("\\end{array}", "\\end{pmatrix}")
}

fn without_units(mut s: String) -> String {
    // A unit has a letter that is no part of a longer word; most answers are numbers.
    for _ in 0..2 {
        for plural in ["", "s"] {
            for unit in UNITS.iter().chain(std::iter::once(&LAST_UNIT)) {
                if let Some(shorter) =
                    without_word(&s, unit, plural).filter(|shorter| !shorter.is_empty())
                {
                    s = shorter;
                }
            }
        }
    }
    s
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Removes a unit between two characters that belong to no word. A point in it stands for any character. `None`
/// when it does not occur.
fn without_word(text: &str, unit: &str, plural: &str) -> Option<String> {
    let mut out: Option<String> = None;
    let (mut kept, mut at) = (0, 0);
    // The character before a match must not have been taken by the match before.
    let mut free = 0;
    while at < text.len() {
        let before = text[..at].chars().next_back();
        let open = before.is_none_or(|c| !is_word_char(c) && at - c.len_utf8() >= free);
        let end = if open { matches(&text[at..], unit, plural).map(|len| at + len) } else { None };
        let closes = |end: usize| text[end..].chars().next().is_none_or(|c| !is_word_char(c));
        match end.filter(|end| closes(*end)) {
            Some(end) => {
                out.get_or_insert_default().push_str(&text[kept..at]);
                kept = end;
                free = end + text[end..].chars().next().map_or(0, char::len_utf8);
                at = free.max(at + 1);
            }
            None => at += text[at..].chars().next().map_or(1, char::len_utf8),
        }
    }
    let mut out = out?;
    out.push_str(&text[kept..]);
    Some(out)
}

fn matches(text: &str, unit: &str, plural: &str) -> Option<usize> {
    let mut chars = text.chars();
    for wanted in unit.chars().chain(plural.chars()) {
        let c = chars.next()?;
        if c != wanted && !(wanted == '.' && c != '\n') {
            return None;
        }
    }
    Some(text.len() - chars.as_str().len())
}

fn word_number(s: String) -> String {
    if !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit()) {
        let digits = s.trim_start_matches('0');
        return if digits.is_empty() { "0".to_owned() } else { digits.to_owned() };
    }
    match words::number(&s).and_then(|n| n.to_i64()) {
        Some(n) => n.to_string(),
        None => s,
    }
}

/// `3.00x` to `3x`, `3.0` to `3`.
fn without_zeros(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut kept = 0;
    for (at, _) in text.match_indices('.') {
        let zeros = bytes[at + 1..].iter().take_while(|b| **b == b'0').count();
        let next = bytes.get(at + 1 + zeros);
        let number = at > 0 && bytes[at - 1].is_ascii_digit();
        if number && at >= kept && !next.is_some_and(u8::is_ascii_digit) {
            out.push_str(&text[kept..at]);
            kept = at + 1 + zeros;
        }
    }
    out.push_str(&text[kept..]);
    out
}

fn fix_sqrt(text: &str) -> String {
    let mut parts = text.split("\\sqrt");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let len: usize = part.chars().take_while(|c| is_word_char(*c)).map(char::len_utf8).sum();
        out.push_str("\\sqrt");
        if len > 0 {
            out.extend(["{", &part[..len], "}", &part[len..]]);
        } else {
            out.push_str(part);
        }
    }
    out
}

fn slash_to_frac(text: String) -> String {
    let fits = |part: &str| part.contains("sqrt") || is_plain_integer(part);
    match text.split_once('/') {
        Some((a, b)) if !b.contains('/') && fits(a) && fits(b) => format!("\\frac{{{a}}}{{{b}}}"),
        _ => text,
    }
}

// ---- equality

/// `math_equal` of two normalised answers.
pub(super) fn math_equal(answer: &str, gold: &str, options: &Options) -> bool {
    equal(answer, gold, options, DEEPEST)
}

fn equal(answer: &str, gold: &str, options: &Options, depth: usize) -> bool {
    let (answer, gold) = (answer.trim(), gold.trim());
    if answer.to_lowercase() == gold.to_lowercase() {
        return true;
    }
    if matches!(gold, "A" | "B" | "C" | "D" | "E") && choice(answer) == gold {
        return true;
    }
    if let (Some(x), Some(y)) = (digits(answer), digits(gold)) {
        return [y / 100.0, y, y * 100.0].into_iter().any(|y| close(x, y));
    }
    if answer.is_empty() || depth == 0 {
        return false;
    }
    if bare(answer, gold) == bare(gold, answer) {
        return true;
    }
    if is_list(answer) && is_list(gold) {
        return parts(answer, gold, ',', options, depth, 1, 1);
    }
    if is_matrix(answer) && is_matrix(gold) {
        return matrices(answer, gold, options, depth);
    }
    equations(answer, gold, options, depth)
}

fn choice(answer: &str) -> String {
    let cleaned = answer
        .trim_matches('\n')
        .trim_end_matches('.')
        .trim_end_matches('/')
        .trim_matches(' ')
        .trim_start_matches(':');
    let upper = cleaned.to_uppercase();
    let mut letters = upper
        .split(|c: char| !is_word_char(c))
        .filter(|w| matches!(*w, "A" | "B" | "C" | "D" | "E"));
    letters.next_back().map_or_else(|| cleaned.trim().trim_matches('.').to_owned(), str::to_owned)
}

/// `parse_digits`.
fn digits(text: &str) -> Option<f64> {
    let plain = text.replace(',', "");
    if let Ok(value) = plain.trim().parse() {
        return Some(value);
    }
    let share = plain.strip_suffix('%')?;
    share.strip_suffix('\\').unwrap_or(share).trim().parse::<f64>().ok().map(|v| v / 100.0)
}

/// `math.isclose` with the relative tolerance.
fn close(x: f64, y: f64) -> bool {
    x == y || (x - y).abs() <= TOLERANCE * x.abs().max(y.abs())
}

/// The text without the brackets that the comparison forgives.
fn bare(text: &str, other: &str) -> String {
    let has = |s: &str, open: char, close: char| s.starts_with(open) && s.ends_with(close);
    let forgiven = |a: &str, b: &str| {
        (has(a, '[', ']') && !has(b, '(', ')')) || (has(a, '(', ')') && !has(b, '[', ']'))
    };
    let trimmed = if forgiven(text, other) || forgiven(other, text) {
        text.trim_matches(['[', ']', '(', ')'])
    } else {
        text
    };
    trimmed.replace(['{', '}', '(', ')'], "").to_lowercase()
}

fn is_list(text: &str) -> bool {
    text.starts_with(['(', '[']) && text.len() > 2 && text[2.min(text.len())..].contains([')', ']'])
}

fn is_matrix(text: &str) -> bool {
    let name = |n: &str| {
        text.starts_with(&format!("\\begin{{{n}}}")) || text.ends_with(&format!("\\end{{{n}}}"))
    };
    text.starts_with("\\begin{") && (name("pmatrix") || name("bmatrix"))
}

/// Compares the parts between separators, without so many characters at the ends.
fn parts(
    a: &str,
    b: &str,
    separator: char,
    options: &Options,
    depth: usize,
    front: usize,
    back: usize,
) -> bool {
    let (Some(a), Some(b)) = (inner(a, front, back), inner(b, front, back)) else { return false };
    let (a, b): (Vec<&str>, Vec<&str>) =
        (a.split(separator).collect(), b.split(separator).collect());
    a.len() == b.len() && a.iter().zip(&b).all(|(x, y)| equal(x, y, options, depth - 1))
}

fn inner(text: &str, front: usize, back: usize) -> Option<&str> {
    let start = text.char_indices().nth(front).map(|(at, _)| at)?;
    let end = if back == 0 {
        text.len()
    } else {
        text.char_indices().nth_back(back - 1).map(|(at, _)| at)?
    };
    text.get(start..end)
}

fn matrices(a: &str, b: &str, options: &Options, depth: usize) -> bool {
    let lines = |s: &str| -> Option<Vec<String>> {
        let body = inner(s, "\\begin{pmatrix}".len(), "\\end{pmatrix}".len())?;
        Some(body.split("\\\\").map(|l| l.trim().to_owned()).filter(|l| !l.is_empty()).collect())
    };
    let (Some(a), Some(b)) = (lines(a), lines(b)) else { return false };
    a.len() == b.len() && a.iter().zip(&b).all(|(x, y)| parts(x, y, '&', options, depth, 0, 0))
}

fn equations(answer: &str, gold: &str, options: &Options, depth: usize) -> bool {
    let sides = |s: &str| {
        s.split_once('=')
            .filter(|(_, r)| !r.contains('='))
            .map(|(l, r)| (l.trim().to_owned(), r.trim().to_owned()))
    };
    let simple = |side: &Option<(String, String)>| {
        side.as_ref().filter(|(l, _)| l.chars().count() <= 2).map(|(_, r)| r.clone())
    };
    let (a, g) = (sides(answer), sides(gold));
    if let (Some((l, r)), Some((m, s))) = (&a, &g) {
        let (x, y) = (format!("{l} - ({r})"), format!("{m} - ({s})"));
        return same_value(&x, &y, options) || same_value(&format!("-({x})"), &y, options);
    }
    if let Some(value) = simple(&a).filter(|_| !gold.contains('=')) {
        return equal(&value, gold, options, depth - 1);
    }
    if let Some(value) = simple(&g).filter(|_| !answer.contains('=')) {
        return equal(answer, &value, options, depth - 1);
    }
    symbolic(answer, gold, options)
}

/// Equal expressions, or constants within the tolerance.
fn symbolic(a: &str, b: &str, options: &Options) -> bool {
    // LaTeX that the original's parsers refuse.
    if a.contains("{,}") || b.contains("{,}") {
        return false;
    }
    if same_value(a, b, options) {
        return true;
    }
    let value = |s| super::super::constant(s, options);
    matches!((value(a), value(b)), (Some(x), Some(y)) if close(x, y))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(answer: &str, gold: &str, expected: bool) {
        assert_eq!(math_equal(answer, gold, &Options::default()), expected, "{answer} {gold}");
    }

    /// Cases of the original's own unit tests.
    #[test]
    fn the_originals_cases() {
        check("10", "10", true);
        check("10%", "0.1", true);
        check("10%", "0.2", false);
        check("[1, 2, 3]", "[1, 2, 3]", true);
        check("[1, 2, 3]", "[1, 2, 4]", false);
        check("x = y", "x = y", true);
        check("x = y", "x = z", false);
        check("x = 10", "10", true);
        check("10", "20", false);
        check("0.0833333333333333", "\\frac{1}{12}", true);
        check("(1,4.5)", "(1,\\frac{9}{2})", true);
        check("\\frac{x}{7}+\\frac{2}{7}", "\\frac{x+2}{7}", true);
        check("\\sec^2(y)", "\\tan^2(y)+1", true);
    }

    #[test]
    fn normal_forms() {
        let check = |text: &str, expected: &str| assert_eq!(strip(text), expected, "{text}");
        check("\\dfrac12", "\\frac{1}{2}");
        check("5 cm", "5");
        check("3.00", "3");
        check("10{,}000", "10{,}000");
        check("4:30 \\text{ p.m.}", "4:30");
        check("four", "4");
        check("x=3", "3");
        check("\\sqrt12", "\\sqrt{12}");
        check("100\\text{ square units}", "100");
    }

    #[test]
    fn extraction() {
        let check = |text: &str, expected: &str| assert_eq!(extract(text), expected, "{text}");
        check("so \\boxed{\\frac{1}{9}}.", "\\frac{1}{9}");
        check("the answer is 12.", "12");
        check("we get 3.5 then", "3.5");
        check("nothing", "");
    }
}
