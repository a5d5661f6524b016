//! Where the answer stands in a completion. One pass over the bytes per place that is asked for; nothing is parsed.

mod boxes;

use memchr::memmem;

use super::{Extract, Options, Preset};
use boxes::{boxed, boxes};

/// A candidate answer: its text, where it was found, and its byte range in the completion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// The answer as it is written, without the markup around it.
    pub text: std::borrow::Cow<'a, str>,
    /// The place that held it.
    pub from: Extract,
    /// First byte and the byte after the last.
    pub span: (usize, usize),
}

/// Most boxes, or formulas, that are joined into one list.
const MOST_BOXES: usize = 16;
/// How far an answer in words is followed.
const LONGEST_PLAIN: usize = 400;

/// All candidates in order of priority.
pub(crate) fn candidates<'a>(completion: &'a str, options: &Options) -> Vec<Candidate<'a>> {
    let text = finished(completion);
    let mut found: Vec<Candidate<'a>> =
        options.extract.iter().filter_map(|place| candidate(text, *place)).collect();
    if options.preset == Preset::MathVerify {
        announced_first(text, &mut found);
    } else {
        prefer_later(&mut found);
    }
    found
}

/// The candidate that counts: the first of [`candidates`], found without looking for the others.
pub(crate) fn first<'a>(completion: &'a str, options: &Options) -> Option<Candidate<'a>> {
    let said = |c: &Candidate<'a>| !super::answer::Answer::is_blank(&c.text);
    if options.preset == Preset::MathVerify {
        return candidates(completion, options).into_iter().find(said);
    }
    let text = finished(completion);
    let mut places = options.extract.iter().copied();
    let found = places.by_ref().find_map(|place| candidate(text, place).filter(said))?;
    let rival = match found.from {
        Extract::Boxed => Extract::FinalAnswer,
        Extract::LastLatex => Extract::LastExpression,
        _ => return Some(found),
    };
    if !places.any(|place| place == rival) {
        return Some(found);
    }
    let mut pair = vec![found];
    // What precedes the box cannot overtake it.
    pair.extend(candidate(text, rival).filter(said));
    prefer_later(&mut pair);
    pair.into_iter().next()
}

/// The completion without a box or an answer tag that was opened and not closed: a cut completion has not answered.
fn finished(completion: &str) -> &str {
    let bytes = completion.as_bytes();
    let open_box = if memmem::find(bytes, b"box").is_some() { boxes(completion).1 } else { None };
    let text = &completion[..open_box.unwrap_or(completion.len())];
    match memmem::rfind(text.as_bytes(), b"<answer>") {
        Some(at) if memmem::find(&text.as_bytes()[at..], b"</answer>").is_none() => &text[..at],
        _ => text,
    }
}

/// Math-Verify's order: "final answer is" before the box, other phrases after it, and of formulas and numbers the
/// later one.
fn announced_first(completion: &str, found: &mut [Candidate<'_>]) {
    found.sort_by_key(|c| match c.from {
        Extract::FinalAnswer
            if completion[..c.span.0].to_ascii_lowercase().contains("final answer is") =>
        {
            0
        }
        Extract::Boxed => 1,
        _ => 2,
    });
    prefer_later(&mut found[..]);
}

/// What is said last counts: a "final answer" after the last box, a number after the last formula.
fn prefer_later(found: &mut [Candidate<'_>]) {
    for at in 1..found.len() {
        let (earlier, later) = (&found[at - 1], &found[at]);
        let overtakes = match (earlier.from, later.from) {
            (Extract::Boxed, Extract::FinalAnswer) => {
                later.text.starts_with(['$', '\\']) || is_number(&later.text)
            }
            (Extract::LastLatex, Extract::LastExpression) => true,
            _ => false,
        };
        if overtakes && later.span.0 >= earlier.span.1 {
            found.swap(at - 1, at);
        }
    }
}

fn is_number(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_digit() || b"., /-%".contains(&b))
}

/// The candidate of one place.
pub(crate) fn candidate(text: &str, place: Extract) -> Option<Candidate<'_>> {
    let found = match place {
        Extract::Boxed => boxed(text),
        Extract::FinalAnswer => final_answer(text).map(|span| slice(text, span, place)),
        Extract::Tags => tags(text).map(|span| slice(text, span, place)),
        Extract::LastLatex => last_latex(text),
        Extract::LastExpression if is_bare_formula(text) => {
            Some(slice(text, (0, text.len()), place))
        }
        Extract::LastExpression => last_expression(text).map(|span| slice(text, span, place)),
        Extract::LastLine => last_line(text).map(|span| slice(text, span, place)),
        Extract::Choice => choice(text).map(|span| slice(text, span, place)),
        Extract::Whole => Some(slice(text, (0, text.len()), place)),
    }?;
    (!found.text.trim().is_empty()).then_some(found)
}

fn slice(text: &str, span: (usize, usize), from: Extract) -> Candidate<'_> {
    Candidate { text: text[span.0..span.1].trim().into(), from, span }
}

/// A percent sign directly behind a box or a formula belongs to it.
fn unit_after(rest: &str) -> Option<&'static str> {
    let rest = rest.trim_start_matches(['$', ' ', '\\', ')', ']']);
    let percent = ["%", "percent", "Percent", "pct"].iter().any(|p| rest.starts_with(p));
    percent.then_some("%")
}

// ---- tags

fn tags(text: &str) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let end = memmem::rfind(bytes, b"</answer>")?;
    let start = memmem::rfind(&bytes[..end], b"<answer>")? + "<answer>".len();
    Some((start, end))
}

// ---- phrases

const PHRASES: [&str; 11] = [
    "final answer is",
    "answer is:",
    "answer is",
    "final answer:",
    "answer:",
    "answer :",
    "final answer**",
    "answer:**",
    "answer is **",
    "#### ",
    "答案是",
];

/// What follows the last phrase that announces an answer, up to the end of its sentence.
fn final_answer(text: &str) -> Option<(usize, usize)> {
    let start = last_phrase(text)?;
    let rest = &text[start..];
    let skipped =
        rest.len() - rest.trim_start_matches([' ', ':', '*', '\n', '"', '\\'].as_slice()).len();
    // A backslash that opens a formula belongs to it.
    let skipped = skipped - usize::from(skipped > 0 && rest[..skipped].ends_with('\\'));
    let start = start + skipped;
    let rest = &text[start..];
    let end = start + sentence(rest);
    Some((start, trim_sentence(text, start, end)))
}

fn last_phrase(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut best: Option<usize> = None;
    for at in memmem::rfind_iter(bytes, b"nswer")
        .take(64)
        .chain(memmem::rfind_iter(bytes, b"NSWER").take(16))
    {
        let start = at.saturating_sub(7);
        let lower: String = bytes[start..bytes.len().min(at + 24)]
            .iter()
            .map(|b| char::from(b.to_ascii_lowercase()))
            .collect();
        let end = PHRASES
            .iter()
            .filter_map(|p| lower.find(p).map(|i| start + i + p.len()))
            .filter(|e| *e > at)
            .max();
        if let Some(end) = end.filter(|end| text.is_char_boundary(*end)) {
            best = Some(end);
            break;
        }
    }
    let hashes = memmem::rfind(bytes, b"####").map(|at| at + 4);
    best.max(hashes)
}

/// The length of the sentence or formula at the start of `rest`.
fn sentence(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let limit = rest.len().min(LONGEST_PLAIN);
    if let Some((_, end)) = formula_at(rest, 0) {
        // Formulas joined by "and" or a comma are one answer; other text ends it.
        let mut end = end;
        while let Some(next) = next_formula(rest, end) {
            end = next;
        }
        let percent = unit_after(&rest[end..]).map_or(0, |_| percent_len(&rest[end..]));
        return end + percent;
    }
    let mut at = 0;
    while at < limit {
        match bytes[at] {
            b'\n' => break,
            b'.' if !bytes.get(at + 1).is_some_and(u8::is_ascii_digit) => {
                let abbreviation = at > 0
                    && matches!(bytes[at - 1], b'p' | b'a' | b'm')
                    && at >= 2
                    && matches!(bytes[at - 2], b' ' | b'.');
                if !abbreviation {
                    break;
                }
            }
            _ => {}
        }
        at += 1;
    }
    (at..=rest.len()).find(|i| rest.is_char_boundary(*i)).unwrap_or(rest.len())
}

fn percent_len(rest: &str) -> usize {
    let skipped = rest.len() - rest.trim_start_matches([' ', '\\']).len();
    let word = &rest[skipped..];
    ["%", "percentage", "percent", "Percent", "pct"]
        .iter()
        .find(|p| word.starts_with(**p))
        .map_or(0, |p| skipped + p.len())
}

/// The end of a formula that continues a list after `end`.
fn next_formula(rest: &str, end: usize) -> Option<usize> {
    let tail = &rest[end..];
    let gap = tail.find(['$', '\\'])?;
    let words = tail[..gap].trim_matches([' ', ',', ';']);
    let joined = (words.is_empty() && gap > 0 && tail[..gap].contains([',', ';']))
        || matches!(words, "and" | "or");
    joined.then(|| formula_at(rest, end + gap).map(|(_, end)| end)).flatten()
}

fn trim_sentence(text: &str, start: usize, end: usize) -> usize {
    let trimmed =
        text[start..end].trim_end_matches([' ', '*', '.', '"', '\\', ',', ':', ';'].as_slice());
    start + trimmed.len().max(usize::from(end > start))
}

// ---- formulas

/// The formula that begins at `at`: the range of its content and the end of its delimiter.
fn formula_at(text: &str, at: usize) -> Option<((usize, usize), usize)> {
    let rest = &text[at..];
    let bytes = text.as_bytes();
    let pairs = [("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]")];
    let (open, close) = pairs.into_iter().find(|(open, _)| rest.starts_with(open))?;
    let from = at + open.len();
    let mut search = from;
    loop {
        let found = search + memmem::find(&bytes[search..], close.as_bytes())?;
        let escaped = close.starts_with('$') && bytes[found - 1] == b'\\';
        if !escaped {
            return Some(((from, found), found + close.len()));
        }
        search = found + close.len();
    }
}

/// The last formula, with those that stand beside it joined by a comma or "and".
fn last_latex(text: &str) -> Option<Candidate<'_>> {
    let spans = formulas(text);
    let Some((last, outer)) = spans.last().copied() else { return bare_latex(text) };
    let mut first = spans.len() - 1;
    while first > 0
        && spans.len() - first < MOST_BOXES
        && connects(&text[spans[first - 1].1..opening(&spans, first)])
    {
        first -= 1;
    }
    let suffix = unit_after(&text[outer..]);
    let start = spans[first].0.0;
    let span = (start, outer);
    let body = if first == spans.len() - 1 {
        std::borrow::Cow::Borrowed(text[last.0..last.1].trim())
    } else {
        let parts: Vec<&str> = spans[first..].iter().map(|(s, _)| text[s.0..s.1].trim()).collect();
        parts.join(" , ").into()
    };
    let text = match suffix {
        Some(unit) => format!("{body} {unit}").into(),
        None => body,
    };
    Some(Candidate { text, from: Extract::LastLatex, span })
}

/// A short line of LaTeX without delimiters.
fn bare_latex(text: &str) -> Option<Candidate<'_>> {
    let line = text.trim();
    let short = line.len() <= 200 && !line.contains('\n');
    let commands = memmem::find(line.as_bytes(), b"\\frac").is_some() || line.starts_with('\\');
    let start = text.len() - text.trim_start().len();
    (short && commands && !line.contains(". "))
        .then(|| slice(text, (start, start + line.len()), Extract::LastLatex))
}

/// Where the opening delimiter of a formula begins.
fn opening(spans: &[((usize, usize), usize)], at: usize) -> usize {
    spans[at].0.0 - (spans[at].1 - spans[at].0.1)
}

fn connects(gap: &str) -> bool {
    matches!(gap.trim(), "," | "and" | "or" | ", and" | ", or" | ";")
}

/// Most formulas at the end of a completion that are looked at.
const MOST_FORMULAS: usize = 4096;

fn formulas(text: &str) -> Vec<((usize, usize), usize)> {
    let mut spans = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(next) = memchr::memchr2(b'$', b'\\', &bytes[at..]) {
        let here = at + next;
        let escaped = here > 0 && bytes[here - 1] == b'\\';
        let opens = bytes[here] == b'$' || matches!(bytes.get(here + 1), Some(b'(' | b'['));
        if escaped || !opens {
            at =
                here + 1 + usize::from(bytes[here] == b'\\' && bytes.get(here + 1) == Some(&b'\\'));
            if at >= bytes.len() {
                break;
            }
            continue;
        }
        match formula_at(text, here) {
            Some((inner, end)) => {
                // A dollar sign before an amount, in a line of its own, is money and opens nothing.
                let money = bytes[here] == b'$'
                    && text[inner.0..inner.1].contains('\n')
                    && !text[here..].starts_with("$$");
                if money {
                    at = here + 1;
                } else {
                    if !text[inner.0..inner.1].trim().is_empty() {
                        if spans.len() >= MOST_FORMULAS {
                            spans.clear();
                        }
                        spans.push((inner, end));
                    }
                    at = end;
                }
            }
            None => at = here + 1,
        }
    }
    spans
}

// ---- plain numbers

/// The text is one formula: a short line without two words side by side.
fn is_bare_formula(text: &str) -> bool {
    let text = text.trim();
    if text.len() > 120
        || text.contains(['\n', '$', '\\', '"'])
        || !text.contains(['=', '^', '(', '<', '>'])
    {
        return false;
    }
    let mut words = text.split(' ').map(|w| w.bytes().take_while(u8::is_ascii_alphabetic).count());
    let mut before = false;
    let separate = words.all(|len| {
        let pair = before && len >= 2;
        before = len >= 2;
        !pair
    });
    let longest = text.split(|c: char| !c.is_alphabetic()).map(str::len).max().unwrap_or(0);
    separate && longest <= 4 && !text.ends_with(['?', ':'])
}

/// The last number or arithmetic expression in plain text.
fn last_expression(text: &str) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let last_digit = bytes.iter().rposition(u8::is_ascii_digit)?;
    let mut end = last_digit + 1;
    if bytes.get(end) == Some(&b')') {
        end += 1;
    }
    end += percent_len(&text[end..]);
    let mut start = last_digit;
    while start > 0 {
        let byte = bytes[start - 1];
        let inside = byte.is_ascii_digit()
            || (matches!(byte, b'.' | b',' | b'/')
                && bytes[start].is_ascii_digit()
                && (byte == b'.' || start >= 2 && bytes[start - 2].is_ascii_digit()))
            || (byte == b' ' && group_of_three(bytes, start));
        if !inside {
            break;
        }
        start -= 1;
    }
    let sign = start > 0
        && matches!(bytes[start - 1], b'-')
        && (start == 1
            || matches!(bytes[start - 2], b' ' | b'\n' | b'=' | b'(' | b':' | b'$' | b'*'));
    start -= usize::from(sign);
    if bytes[last_digit + 1..end].contains(&b')') && !text[start..end].contains('(') {
        end = last_digit + 1;
    }
    if is_score(&text[..start]) {
        return None;
    }
    // A full stop or a comma in front belongs to the sentence.
    while start < end && matches!(bytes[start], b',') {
        start += 1;
    }
    Some((start, end))
}

/// Whether the text before a number claims a reward for itself: "reward: 1".
fn is_score(before: &str) -> bool {
    let label = before.trim_end_matches([' ', ':', '=', '"', '\'', '*']);
    label.len() < before.len()
        && ["reward", "score", "grade", "points"].iter().any(|word| {
            let from = label.len().saturating_sub(word.len());
            label.get(from..).is_some_and(|end| end.eq_ignore_ascii_case(word))
        })
}

/// `1 000`: a space between one to three digits and three digits.
fn group_of_three(bytes: &[u8], after: usize) -> bool {
    let three = bytes[after..].iter().take(4).take_while(|b| b.is_ascii_digit()).count() == 3;
    let before = bytes[..after - 1].iter().rev().take(4).take_while(|b| b.is_ascii_digit()).count();
    three && (1..=3).contains(&before)
}

// ---- lines and choices

fn last_line(text: &str) -> Option<(usize, usize)> {
    let end = text.trim_end().len();
    let start = text[..end].rfind('\n').map_or(0, |at| at + 1);
    (start < end).then_some((start, end))
}

/// The choice letter that a completion settles on.
fn choice(text: &str) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let standing = |at: usize| {
        let left = at == 0
            || !bytes[at - 1].is_ascii_alphanumeric()
                && bytes[at - 1] != b'\''
                && bytes[at - 1] < 128;
        let right =
            bytes.get(at + 1).is_none_or(|b| !b.is_ascii_alphanumeric() && *b != b'\'' && *b < 128);
        left && right && bytes[at].is_ascii_uppercase() && bytes[at] <= b'J'
    };
    let span = |at: usize| Some((at, at + 1));
    // A letter in parentheses or at the start settles it, then one after "answer", then the last.
    if let Some(at) = (0..bytes.len().min(4)).find(|at| standing(*at))
        && !(bytes[at] == b'A'
            && bytes.get(at + 1) == Some(&b' ')
            && bytes.get(at + 2).is_some_and(u8::is_ascii_lowercase))
        && !text[..at].contains(|c: char| c.is_alphanumeric())
    {
        return span(at);
    }
    for word in ["answer", "Answer", "réponse", "答案"] {
        if let Some(from) = memmem::rfind(bytes, word.as_bytes())
            && let Some(at) =
                (from + word.len()..bytes.len().min(from + 120)).find(|at| standing(*at))
        {
            return span(at);
        }
    }
    let bracketed = |at: &usize| {
        standing(*at) && *at > 0 && bytes[*at - 1] == b'(' && bytes.get(*at + 1) == Some(&b')')
    };
    let at = (0..bytes.len())
        .rev()
        .find(bracketed)
        .or_else(|| (0..bytes.len()).rev().find(|at| standing(*at)))?;
    span(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(place: Extract, text: &str, expected: Option<&str>) {
        assert_eq!(
            candidate(text, place).map(|c| c.text.into_owned()).as_deref(),
            expected,
            "{text}"
        );
    }

    #[test]
    fn boxes() {
        let check = |text, expected| check(Extract::Boxed, text, expected);
        check("so \\boxed{42}.", Some("42"));
        check("\\boxed{1} then \\boxed{2}", Some("2"));
        check("\\boxed{1} and \\boxed{2}", Some("1 , 2"));
        check("$\\boxed{2}, \\boxed{3}$", Some("2 , 3"));
        check("\\boxed{4}, so \\boxed{4}", Some("4"));
        check("\\boxed{\\frac{1}{2}", None);
        check("\\boxed{}", None);
        check("\\boxed 5$", Some("5"));
        check("\\boxed{28}\\%", Some("28 %"));
        check("\\boxed{1}. \\boxed{2}", Some("2"));
        check("no box", None);
    }

    #[test]
    fn phrases() {
        let check = |text, expected| check(Extract::FinalAnswer, text, expected);
        check("The final answer is $42$. I hope it is correct.", Some("$42$"));
        check("The answer is 42.", Some("42"));
        check("answer: 3.5", Some("3.5"));
        check("... #### 18", Some("18"));
        check("**Final Answer:** 7", Some("7"));
        check("nothing", None);
    }

    #[test]
    fn tags_and_lines() {
        check(Extract::Tags, "<answer>1</answer><answer> 2 </answer>", Some("2"));
        check(Extract::Tags, "<answer>1", None);
        check(Extract::LastLine, "a\nb\n\n", Some("b"));
    }

    #[test]
    fn formulas_and_numbers() {
        check(Extract::LastLatex, "so $x=1$ and $y$.", Some("x=1 , y"));
        check(Extract::LastLatex, "\\[ 9 \\]", Some("9"));
        check(Extract::LastExpression, "it is 1 000.", Some("1 000"));
        check(Extract::LastExpression, "costs $1,000.99 now", Some("1,000.99"));
        check(Extract::LastExpression, "so x is -5", Some("-5"));
        check(Extract::LastExpression, "x = -5", Some("x = -5"));
        check(Extract::LastExpression, ".4", Some(".4"));
        check(Extract::LastExpression, "a ratio of 13/28", Some("13/28"));
        check(Extract::LastExpression, "by 100%.", Some("100%"));
        check(Extract::LastExpression, "none", None);
    }

    #[test]
    fn choices() {
        let check = |text, expected| check(Extract::Choice, text, expected);
        check("The answer is for sure D, it can't be A or B", Some("D"));
        check("D. it can't be A or B", Some("D"));
        check("therefore I think it's B", Some("B"));
        check("(D) Alina", Some("D"));
        check("Alina and the answer is\n(C) Cecile", Some("C"));
    }
}
