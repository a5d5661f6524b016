//! Words and letters that must or must not occur.

use guerdon_core::Unscored;
use regex::RegexBuilder;

use super::chars::is_word;

/// Longest keyword, in bytes.
const LONGEST: usize = 4096;

/// Whether `word` occurs, case aside; with `whole`, only between word boundaries.
pub(super) fn occurs(text: &str, word: &str, whole: bool) -> Result<bool, Unscored> {
    if let Some(plain) = plain(text, word) {
        return Ok(plain.iter().any(|&at| !whole || stands_alone(text, at, word.len())));
    }
    let pattern = if whole { format!(r"\b{word}\b") } else { word.to_owned() };
    Ok(build(&pattern, word)?.is_match(text))
}

/// How often `word` occurs without overlap, case aside.
pub(super) fn count(text: &str, word: &str) -> Result<usize, Unscored> {
    if let Some(plain) = plain(text, word) {
        let mut end = 0;
        return Ok(plain
            .iter()
            .filter(|&&at| {
                let free = at >= end;
                if free {
                    end = at + word.len();
                }
                free
            })
            .count());
    }
    Ok(build(word, word)?.find_iter(text).count())
}

/// How often the character `letter` occurs in the lower-cased text.
pub(super) fn count_letter(text: &str, letter: &str) -> usize {
    let mut chars = letter.chars().flat_map(char::to_lowercase);
    match (chars.next(), chars.next()) {
        (Some(own), None) => {
            text.chars().flat_map(char::to_lowercase).filter(|c| *c == own).count()
        }
        _ => 0,
    }
}

/// Keywords are regular expressions in the reference; one that is none is read as it stands.
fn build(pattern: &str, word: &str) -> Result<regex::Regex, Unscored> {
    if word.len() > LONGEST {
        return Err(Unscored::budget(format!("a keyword is longer than {LONGEST} bytes")));
    }
    let compile = |p: &str| RegexBuilder::new(p).case_insensitive(true).size_limit(1 << 20).build();
    compile(pattern)
        .or_else(|_| compile(&regex::escape(word)))
        .map_err(|_| Unscored::budget(format!("the keyword {word:?} is too complex")))
}

/// The positions of an ASCII word in an ASCII text; `None` where the general way is needed.
fn plain(text: &str, word: &str) -> Option<Vec<usize>> {
    let simple = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'_' | b'\'');
    if word.is_empty() || !word.bytes().all(simple) || word.len() > 64 || !text.is_ascii() {
        return None;
    }
    let (first, word) = (word.as_bytes()[0], word.as_bytes());
    let text = text.as_bytes();
    let starts = memchr::memchr2_iter(first.to_ascii_lowercase(), first.to_ascii_uppercase(), text);
    let fits =
        |at: &usize| text.get(*at..*at + word.len()).is_some_and(|t| t.eq_ignore_ascii_case(word));
    Some(starts.filter(fits).collect())
}

/// Word boundaries stand at both ends of the `len` bytes at `at`.
fn stands_alone(text: &str, at: usize, len: usize) -> bool {
    boundary(text, at) && boundary(text, at + len)
}

fn boundary(text: &str, at: usize) -> bool {
    let before = text[..at].chars().next_back().is_some_and(is_word);
    let after = text[at..].chars().next().is_some_and(is_word);
    before != after
}

#[cfg(test)]
mod tests {
    use super::{count, count_letter, occurs};

    fn check(text: &str, word: &str, expect: (bool, bool, usize)) {
        let found = (
            occurs(text, word, false).unwrap(),
            occurs(text, word, true).unwrap(),
            count(text, word).unwrap(),
        );
        assert_eq!(found, expect, "{word:?} in {text:?}");
    }

    #[test]
    fn occurrences_ignore_case_and_may_be_whole_words() {
        check("Rocks rock.", "rock", (true, true, 2));
        check("rocks", "ROCK", (true, false, 1));
        check("aaaa", "aa", (true, false, 2));
        check("Ärger ärger", "ärger", (true, true, 2));
        check("a.b", "(", (false, false, 0));
        assert_eq!(count_letter("Aa b!", "A"), 2);
    }
}
