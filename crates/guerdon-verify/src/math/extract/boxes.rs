//! Boxes: which ones are closed, and which belong to one answer.

use memchr::memmem;

use super::super::Extract;
use super::{Candidate, MOST_BOXES, unit_after};

/// Longest text between two boxes of one answer.
const LONGEST_GAP: usize = 80;

/// A box: the range of the whole command and that of its content.
#[derive(Debug, Clone, Copy)]
pub(super) struct Boxed {
    start: usize,
    end: usize,
    inner: (usize, usize),
}

/// All boxes that are closed, outermost only, and where the first one begins that stays open.
pub(super) fn boxes(text: &str) -> (Vec<Boxed>, Option<usize>) {
    let bytes = text.as_bytes();
    let mut found: Vec<Boxed> = Vec::new();
    // Boxes that are open: where the command and its brace stand, and how many braces were open before.
    let mut open: Vec<(usize, usize, usize)> = Vec::new();
    let mut depth = 0usize;
    let Some(first) = memmem::find(bytes, b"\\boxed").or_else(|| memmem::find(bytes, b"\\fbox"))
    else {
        return (found, None);
    };
    let mut at = first.min(memmem::find(bytes, b"\\fbox").unwrap_or(first));
    while let Some(next) = memchr::memchr3(b'\\', b'{', b'}', &bytes[at..]) {
        let here = at + next;
        at = here + 1;
        match bytes[here] {
            b'{' => depth += 1,
            b'}' => {
                depth = depth.saturating_sub(1);
                if let Some((start, brace, _)) = open.pop_if(|(_, _, outside)| *outside == depth) {
                    while found.last().is_some_and(|inner| inner.start > start) {
                        found.pop();
                    }
                    found.push(Boxed { start, end: here + 1, inner: (brace + 1, here) });
                }
            }
            _ => match box_opening(text, here) {
                Some(Opening::Brace(brace)) => {
                    open.push((here, brace, depth));
                    depth += 1;
                    at = brace + 1;
                }
                Some(Opening::Token(inner)) => {
                    found.push(Boxed { start: here, end: inner.1, inner });
                    at = inner.1;
                }
                // An escaped brace is no brace.
                None => {
                    let escaped = matches!(bytes.get(here + 1), Some(b'{' | b'}' | b'\\'));
                    at += usize::from(escaped && !box_behind(text, here + 1));
                }
            },
        }
        if at >= bytes.len() {
            break;
        }
    }
    let unclosed = open.first().map(|(start, ..)| *start);
    (found, unclosed)
}

/// What a box command opens.
enum Opening {
    /// The position of its brace.
    Brace(usize),
    /// One token without braces.
    Token((usize, usize)),
}

/// Whether a second backslash begins a box: text that was escaped once too often.
fn box_behind(text: &str, at: usize) -> bool {
    text.as_bytes().get(at) == Some(&b'\\') && box_opening(text, at).is_some()
}

/// The box command at a backslash.
fn box_opening(text: &str, backslash: usize) -> Option<Opening> {
    let name = &text[backslash + 1..];
    let rest = name.strip_prefix("boxed").or_else(|| name.strip_prefix("fbox"))?;
    let from = text.len() - rest.len();
    let token = rest.trim_start_matches(' ');
    let spaces = rest.len() - token.len();
    if token.starts_with('{') {
        return Some(Opening::Brace(from + spaces));
    }
    let len = token.find([' ', '$', '\n', '\\', '{', '}']).unwrap_or(token.len());
    (spaces > 0 && len > 0).then_some(Opening::Token((from + spaces, from + spaces + len)))
}

/// The last box with those that belong to the same answer.
pub(super) fn boxed(text: &str) -> Option<Candidate<'_>> {
    memmem::find(text.as_bytes(), b"box")?;
    let all = boxes(text).0;
    let last = *all.last()?;
    let mut first = all.len() - 1;
    while first > 0
        && all.len() - first < MOST_BOXES
        && joins(&text[all[first - 1].end..all[first].start])
    {
        first -= 1;
    }
    let span = (all[first].start, last.end);
    let suffix = unit_after(&text[last.end..]);
    if first == all.len() - 1 {
        let inner = &text[last.inner.0..last.inner.1];
        let text = match suffix {
            Some(unit) => format!("{} {unit}", inner.trim()).into(),
            None => inner.trim().into(),
        };
        return Some(Candidate { text, from: Extract::Boxed, span });
    }
    let parts: Vec<&str> = all[first..].iter().map(|b| text[b.inner.0..b.inner.1].trim()).collect();
    // A box that is repeated says the same thing twice.
    let joined = if parts.iter().all(|p| *p == parts[0]) {
        parts[0].into()
    } else {
        parts.join(" , ").into()
    };
    Some(Candidate { text: joined, from: Extract::Boxed, span })
}

/// Whether the text between two boxes makes one answer of them: short, in one sentence, with a connective.
fn joins(gap: &str) -> bool {
    if gap.len() > LONGEST_GAP || gap.contains("\n\n") || gap.contains('=') && !gap.contains("and")
    {
        return false;
    }
    let words = gap.replace(['$', '\\', '{', '}', '(', ')', '[', ']', '~'], " ");
    let sentence_ends = words.trim_end().ends_with('.') || words.contains(". ");
    let connective = words.contains(',')
        || words.contains(';')
        || words
            .split(|c: char| !c.is_ascii_alphabetic())
            .any(|w| matches!(w, "and" | "or" | "textand" | "textor"));
    !sentence_ends && connective
}
