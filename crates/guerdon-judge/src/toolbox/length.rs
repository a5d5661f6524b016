//! How long a text is: characters, words, sentences, lines, paragraphs.

use guerdon_core::method::Case;

/// Counts of the response, the question or the reference, named by the input; of the input itself where it is none of them.
pub(super) fn run(input: &str, case: &Case) -> String {
    match input.trim() {
        "response" => counts(case.responses.first().map_or("", String::as_str)),
        "question" => counts(&crate::question(case)),
        "reference" => counts(case.reference.as_deref().unwrap_or_default()),
        text => counts(text),
    }
}

fn counts(text: &str) -> String {
    let words = text.split_whitespace().count();
    let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
    format!(
        "{} characters, {words} words, {} sentences, {lines} lines, {} paragraphs",
        text.trim().chars().count(),
        sentences(text),
        paragraphs(text),
    )
}

/// Runs of text that end in `.`, `!` or `?` before a space, at a blank line, or at the end.
fn sentences(text: &str) -> usize {
    let (mut count, mut open) = (0, false);
    for line in text.lines() {
        let mut chars = line.chars().peekable();
        while let Some(c) = chars.next() {
            let ends = matches!(c, '.' | '!' | '?' | '。' | '！' | '？')
                && chars.peek().is_none_or(|next| next.is_whitespace());
            count += usize::from(ends && open);
            open = (open && !ends) || c.is_alphanumeric();
        }
        if line.trim().is_empty() {
            count += usize::from(open);
            open = false;
        }
    }
    count + usize::from(open)
}

/// Runs of lines between blank ones.
fn paragraphs(text: &str) -> usize {
    let blanks = text.lines().map(|line| line.trim().is_empty());
    let starts = blanks.scan(true, |before, blank| {
        let starts = *before && !blank;
        *before = blank;
        Some(starts)
    });
    starts.filter(|starts| *starts).count()
}

#[cfg(test)]
mod tests {
    use super::{counts, run};
    use guerdon_core::method::Case;

    #[test]
    fn texts_are_counted() {
        let text = "One two. Three costs 3.50!\nFour\n\nFive?";
        assert_eq!(counts(text), "38 characters, 7 words, 4 sentences, 3 lines, 2 paragraphs");
        assert_eq!(counts(" "), "0 characters, 0 words, 0 sentences, 0 lines, 0 paragraphs");
    }

    #[test]
    fn names_stand_for_texts() {
        let case = Case { responses: vec!["a b".into()], ..Case::default() };
        assert!(run("response", &case).starts_with("3 characters, 2 words"));
        assert!(run("the response", &case).starts_with("12 characters"));
    }
}
