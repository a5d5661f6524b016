//! Shapes: placeholders, bullets, highlights, sections, paragraphs, titles, postscripts, JSON, two responses.

use std::sync::LazyLock;

use guerdon_core::Unscored;
use regex::Regex;
use serde::de::IgnoredAny;

use super::chars::{compile, strip};

/// Number of texts in square brackets on one line.
pub(super) fn placeholders(text: &str) -> usize {
    static P: LazyLock<Regex> = LazyLock::new(|| compile(r"\[.*?\]"));
    if memchr::memchr(b'[', text.as_bytes()).is_none() { 0 } else { P.find_iter(text).count() }
}

/// Number of lines that open with `*` (not `**`) or `-`.
pub(super) fn bullets(text: &str) -> usize {
    static STAR: LazyLock<Regex> = LazyLock::new(|| compile(r"(?m)^[\s\x1c-\x1f]*\*[^*](?-m:.*)$"));
    static DASH: LazyLock<Regex> = LazyLock::new(|| compile(r"(?m)^[\s\x1c-\x1f]*-.*$"));
    STAR.find_iter(text).count() + DASH.find_iter(text).count()
}

/// Number of highlights that are not blank: `*so*`, and `**so**` once more.
pub(super) fn highlights(text: &str) -> usize {
    static ONE: LazyLock<Regex> = LazyLock::new(|| compile(r"\*[^\n*]*\*"));
    static TWO: LazyLock<Regex> = LazyLock::new(|| compile(r"\*\*[^\n*]*\*\*"));
    let full = |p: &Regex| {
        p.find_iter(text).filter(|m| !strip(m.as_str().trim_matches('*')).is_empty()).count()
    };
    full(&ONE) + full(&TWO)
}

/// Number of section heads: the word with a number behind it.
pub(super) fn sections(text: &str, word: &str) -> Result<usize, Unscored> {
    let pattern = format!(r"\s?{}\s?\d+\s?", regex::escape(word));
    let head = Regex::new(&pattern)
        .map_err(|_| Unscored::budget("the section word is too long".to_owned()))?;
    Ok(head.find_iter(text).count())
}

/// Number of paragraphs between `***` dividers; `None` if one in the middle is blank.
pub(super) fn paragraphs(text: &str) -> Option<usize> {
    static DIVIDER: LazyLock<Regex> = LazyLock::new(|| compile(r"\s?\*\*\*\s?"));
    let parts: Vec<bool> = DIVIDER.split(text).map(|p| strip(p).is_empty()).collect();
    let inner = parts.get(1..parts.len().saturating_sub(1)).unwrap_or_default();
    let blank = parts.iter().filter(|b| **b).count();
    (!inner.contains(&true)).then(|| parts.len() - blank)
}

/// Exactly `count` paragraphs between empty lines, and the one numbered `nth` (from 1) opens with `first`.
pub(super) fn nth_paragraph(text: &str, count: usize, nth: usize, first: &str) -> bool {
    let parts: Vec<&str> = text.split("\n\n").map(strip).collect();
    let full = parts.iter().filter(|p| !p.is_empty()).count();
    // Blank paragraphs keep their number in the reference, though they are not counted.
    let Some(own) = nth.checked_sub(1).and_then(|i| parts.get(i)).filter(|_| nth <= full) else {
        return false;
    };
    let word = own.split(super::chars::is_space).next().unwrap_or_default();
    let word = word.trim_start_matches('\'').trim_start_matches('"');
    let word = word.split(['.', ',', '?', '!', '\'', '"']).next().unwrap_or_default();
    !own.is_empty() && full == count && word.to_lowercase() == first.to_lowercase()
}

/// A line holds the postscript's marker, case aside.
pub(super) fn postscript(text: &str, marker: &str) -> bool {
    static PPS: LazyLock<Regex> = LazyLock::new(|| compile(r"p\.\s?p\.\s?s"));
    static PS: LazyLock<Regex> = LazyLock::new(|| compile(r"p\.\s?s\."));
    let text = text.to_lowercase();
    match marker {
        "P.P.S" => PPS.is_match(&text),
        "P.S." => PS.is_match(&text),
        other => text.contains(&other.to_lowercase()),
    }
}

/// A title in double angle brackets that is not blank.
pub(super) fn title(text: &str) -> bool {
    static TITLE: LazyLock<Regex> = LazyLock::new(|| compile(r"<<[^\n]+>>"));
    TITLE.find_iter(text).any(|m| {
        let inner = m.as_str().trim_start_matches('<').trim_end_matches('>');
        !strip(inner).is_empty()
    })
}

/// JSON and nothing else, with or without a code fence.
pub(super) fn json(text: &str) -> bool {
    let mut body = strip(text);
    for fence in ["```json", "```Json", "```JSON", "```"] {
        body = body.strip_prefix(fence).unwrap_or(body);
    }
    let body = strip(body.strip_suffix("```").unwrap_or(body));
    serde_json::from_str::<IgnoredAny>(body).is_ok()
}

/// Two different responses, six asterisks between them.
pub(super) fn two_responses(text: &str) -> bool {
    let parts: Vec<&str> = text.split("******").map(strip).collect();
    let inner = parts.get(1..parts.len().saturating_sub(1)).unwrap_or_default();
    let full: Vec<&&str> = parts.iter().filter(|p| !p.is_empty()).collect();
    !inner.contains(&"") && full.len() == 2 && full[0] != full[1]
}

#[cfg(test)]
mod tests {
    use super::{bullets, highlights, json, nth_paragraph, paragraphs, postscript, title};
    use super::{placeholders, sections, two_responses};

    #[test]
    fn counts() {
        assert_eq!(placeholders("[a] [b\n] []"), 2);
        assert_eq!(bullets("* a\n** b\n - c\n*d"), 3);
        assert_eq!(highlights("*a* **b** ** ** *c"), 2);
        assert_eq!(sections("Section 1\nx Section 2", "Section"), Ok(2));
        assert_eq!(paragraphs("a\n***\nb\n***\n"), Some(2));
        assert_eq!(paragraphs("a\n***\n***\nb"), None);
    }

    #[test]
    fn shapes() {
        assert!(nth_paragraph("a\n\n'Word, b", 2, 2, "word"));
        assert!(!nth_paragraph("\n\nword b", 1, 1, "word"));
        assert!(postscript("x p. s. y", "P.S.") && !postscript("ps", "P.S."));
        assert!(title("<<a>>") && !title("<< >>") && !title("<<a\n>>"));
        assert!(json("```json\n{\"a\": 1}\n```") && !json("{a}") && !json(""));
        assert!(two_responses("a******b") && !two_responses("a******a"));
    }
}
