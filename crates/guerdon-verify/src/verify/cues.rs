//! Finding set phrases in a text: what `verify.refusal` and `verify.abstain` share.

/// A text in the form in which phrases are sought: lower case, straight apostrophes, single spaces.
pub(super) fn normalise(text: &str) -> String {
    let straight: String =
        text.chars().map(|c| if matches!(c, '\u{2019}' | '\u{02bc}') { '\'' } else { c }).collect();
    straight.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first of `phrases` that stands in the normalised `text` at the borders of words.
pub(super) fn find<'a>(text: &str, phrases: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    phrases.into_iter().find(|phrase| at_words(text, phrase))
}

fn at_words(text: &str, phrase: &str) -> bool {
    text.match_indices(phrase).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let after = text[start + phrase.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

/// The first `words` words of a normalised text.
pub(super) fn opening(text: &str, words: usize) -> &str {
    match text.match_indices(' ').nth(words.saturating_sub(1)) {
        Some((end, _)) if words > 0 => &text[..end],
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::{find, normalise, opening};

    #[test]
    fn phrases_stand_at_the_borders_of_words() {
        assert_eq!(normalise(" I\u{2019}m  SORRY\n"), "i'm sorry");
        assert_eq!(find("i'm sorry.", ["sorry"]), Some("sorry"));
        assert_eq!(find("i'm sorryish", ["sorry"]), None);
        assert_eq!(opening("a b c", 2), "a b");
        assert_eq!(opening("a b", 5), "a b");
    }
}
