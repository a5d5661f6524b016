//! Characters as the reference's language classes them: white space, word characters, case.

use std::sync::LazyLock;

use regex::Regex;

static WORD: LazyLock<Regex> = LazyLock::new(|| compile(r"[\p{L}\p{N}_]+"));

/// A regular expression of this module, known to be well formed.
pub(super) fn compile(pattern: &str) -> Regex {
    #[allow(clippy::expect_used, reason = "invariant: the patterns are constants of this module")]
    Regex::new(pattern).expect("a constant pattern compiles")
}

/// White space, with the four information separators that Unicode's property leaves out.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// The text without white space at its ends.
pub(super) fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// Letters, numbers and the underscore; combining marks do not count.
pub(super) fn is_word(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    WORD.is_match(c.encode_utf8(&mut [0; 4]))
}

/// Number of runs of word characters.
pub(super) fn count_words(text: &str) -> usize {
    if text.is_ascii() {
        let word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
        return text.as_bytes().split(|b| !word(b)).filter(|run| !run.is_empty()).count();
    }
    WORD.find_iter(text).count()
}

/// At least one cased letter, and none in lower case.
pub(super) fn is_upper(text: &str) -> bool {
    !text.contains(char::is_lowercase) && text.contains(char::is_uppercase)
}

/// At least one cased letter, and none in upper case.
pub(super) fn is_lower(text: &str) -> bool {
    !text.contains(char::is_uppercase) && text.contains(char::is_lowercase)
}

#[cfg(test)]
mod tests {
    use super::{count_words, is_lower, is_upper};

    #[test]
    fn words_are_runs_of_letters_and_numbers() {
        assert_eq!(count_words("don't x-y a_b 3.5"), 7);
        assert_eq!(count_words("Größe, né"), 2);
        assert_eq!(count_words("हिन्दी"), 3);
    }

    #[test]
    fn case_needs_a_cased_letter() {
        assert!(is_upper("A 1!") && !is_upper("1!") && !is_upper("Ab"));
        assert!(is_lower("a 1!") && !is_lower("1!") && !is_lower("Ab"));
    }
}
