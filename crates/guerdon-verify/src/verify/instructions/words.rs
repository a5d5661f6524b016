//! Tokens in capitals, after the Treebank tokeniser: punctuation and contractions are tokens of their own.

use super::chars::{is_space, is_upper};

const SPLITTING: &[char] = &[
    ';', '@', '#', '$', '%', '&', '?', '!', '*', '[', ']', '(', ')', '{', '}', '<', '>', '"', '“',
    '”', '«', '»', '‘', '’', '„', '‒', '–', '—', '―',
];

/// Endings that the tokeniser cuts off.
const ENDINGS: [&str; 7] = ["N'T", "'LL", "'RE", "'VE", "'S", "'M", "'D"];

/// Words that the tokeniser cuts in two.
const DOUBLE: [&str; 6] = ["CANNOT", "GIMME", "GONNA", "GOTTA", "LEMME", "WANNA"];

/// Number of tokens in capitals.
pub(super) fn capitals(text: &str) -> usize {
    text.split(|c| is_space(c) || SPLITTING.contains(&c)).map(in_word).sum()
}

fn in_word(word: &str) -> usize {
    if !word.contains(char::is_uppercase) {
        return 0;
    }
    word.split("--").flat_map(|part| part.split("..")).map(at_commas).sum()
}

/// Commas and colons split unless a digit follows.
fn at_commas(word: &str) -> usize {
    let mut total = 0;
    let mut start = 0;
    for (i, _) in word.match_indices([',', ':']) {
        if !word[i + 1..].starts_with(|c: char| c.is_ascii_digit()) {
            total += token(&word[start..i]);
            start = i + 1;
        }
    }
    total + token(&word[start..])
}

/// A token counts once, and once more for what is cut off.
fn token(word: &str) -> usize {
    let word = word.trim_end_matches('.');
    if DOUBLE.contains(&word) {
        return 2;
    }
    let cut = ENDINGS.iter().find_map(|e| word.strip_suffix(e)).filter(|stem| !stem.is_empty());
    cut.map_or_else(|| usize::from(is_upper(word)), |stem| 1 + usize::from(is_upper(stem)))
}

#[cfg(test)]
mod tests {
    use super::capitals;

    #[test]
    fn tokens_in_capitals() {
        assert_eq!(capitals("NASA and the FBI"), 2);
        assert_eq!(capitals("DON'T A,B \"U.S.\" Ab 4X4"), 6);
        assert_eq!(capitals("CANNOT"), 2);
    }
}
