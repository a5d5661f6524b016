//! Tokenisers of sacrebleu, rouge-score and SQuAD, equal to the originals.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::LazyLock;

use regex::Regex;

/// White space as Python's `str.split` sees it.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// Python's `str.split()`.
#[cfg(test)]
pub(crate) fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// The text as mteval-v13a reads it: lines joined, four entities resolved.
pub(crate) fn joined(line: &str) -> Cow<'_, str> {
    if memchr::memchr3(b'\n', b'&', b'<', line.as_bytes()).is_none() {
        return line.into();
    }
    let mut line = line.replace("<skipped>", "").replace("-\n", "").replace('\n', " ");
    if line.contains('&') {
        for (entity, plain) in [("&quot;", "\""), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")] {
            line = line.replace(entity, plain);
        }
    }
    line.into()
}

static INTERNATIONAL: LazyLock<[(Regex, &str); 3]> = LazyLock::new(|| {
    #[allow(clippy::expect_used, reason = "the patterns are constant and a test compiles them")]
    let regex = |pattern| Regex::new(pattern).expect("a valid pattern");
    [
        (regex(r"(?s)(\P{N})(\p{P})"), "$1 $2 "),
        (regex(r"(?s)(\p{P})(\P{N})"), " $1 $2"),
        (regex(r"(\p{S})"), " $1 "),
    ]
});

/// The text with spaces around its tokens, as mteval-v14 cuts them.
pub(crate) fn international(line: &str) -> String {
    INTERNATIONAL
        .iter()
        .fold(line.to_owned(), |line, (regex, with)| regex.replace_all(&line, *with).into_owned())
}

/// Numbers for symbols: those of the references from 1 on, 0 for any other.
#[derive(Debug)]
pub(crate) struct Symbols<T> {
    ids: HashMap<T, u32, foldhash::fast::FixedState>,
}

impl<T: Hash + Eq> Symbols<T> {
    pub(crate) fn new() -> Self {
        Self { ids: HashMap::with_hasher(foldhash::fast::FixedState::with_seed(0)) }
    }

    /// Numbers that are new where needed.
    pub(crate) fn add(&mut self, symbols: impl IntoIterator<Item = T>) -> Vec<u32> {
        let number = |symbol| {
            let next = u32::try_from(self.ids.len()).map_or(0, |n| n.saturating_add(1));
            *self.ids.entry(symbol).or_insert(next)
        };
        symbols.into_iter().map(number).collect()
    }

    /// Numbers of known symbols, 0 for the others.
    pub(crate) fn find(&self, symbols: impl IntoIterator<Item = T>) -> Vec<u32> {
        symbols.into_iter().map(|s| self.ids.get(&s).copied().unwrap_or(0)).collect()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{international, joined, split};

    /// The text with spaces around its tokens: mteval-v13a's patterns one after the other, which `cut` is tested against.
    pub(crate) fn mteval13a(line: &str) -> String {
        let line = spaced_symbols(&format!(" {line} "));
        let line = pairs(&line, |a, b| !a.is_ascii_digit() && is_stop(b), (false, true, true));
        let line = pairs(&line, |a, b| is_stop(a) && !b.is_ascii_digit(), (true, true, false));
        pairs(&line, |a, b| a.is_ascii_digit() && b == '-', (false, true, true))
    }

    fn is_stop(c: char) -> bool {
        c == '.' || c == ','
    }

    fn spaced_symbols(line: &str) -> String {
        let mut out = String::with_capacity(line.len() * 2);
        for c in line.chars() {
            if c.is_ascii_punctuation() && !matches!(c, '\'' | ',' | '-' | '.') {
                out.extend([' ', c, ' ']);
            } else {
                out.push(c);
            }
        }
        out
    }

    /// Writes spaces (before, between, behind) where two neighbours fulfil `test`, left to right, without overlap.
    fn pairs(line: &str, test: impl Fn(char, char) -> bool, spaces: (bool, bool, bool)) -> String {
        let mut out = String::with_capacity(line.len() + line.len() / 4);
        let mut chars = line.chars().peekable();
        while let Some(a) = chars.next() {
            match chars.next_if(|b| test(a, *b)) {
                None => out.push(a),
                Some(b) => {
                    out.extend(spaces.0.then_some(' '));
                    out.push(a);
                    out.extend(spaces.1.then_some(' '));
                    out.push(b);
                    out.extend(spaces.2.then_some(' '));
                }
            }
        }
        out
    }

    fn check(text: &str, expect: &str) {
        let cut = mteval13a(&joined(text));
        assert_eq!(split(&cut).collect::<Vec<_>>().join(" "), expect);
    }

    #[test]
    fn thirteen_a() {
        check("Hello, world (it's 3.5% of 1,000).", "Hello , world ( it's 3.5 % of 1,000 ) .");
        check("a..b 5-6 &quot;x&quot;", "a . . b 5 - 6 \" x \"");
    }

    #[test]
    fn international_cuts_any_punctuation() {
        let cut = international("«Oui», 3.5€");
        assert_eq!(split(&cut).collect::<Vec<_>>(), ["«", "Oui", "»", ",", "3.5", "€"]);
    }
}
