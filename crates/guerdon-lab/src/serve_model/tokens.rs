//! The tokenizer of the simulated models. It is simple enough to be checked by hand, and loses nothing: the tokens of a
//! text, put together, are the text.
//!
//! A token is a run of up to 8 letters or of up to 3 digits, each with at most one space before it; or a run of up to 8
//! times the same other character (a space, a line break, `[[`); or one character of a script that is written without
//! spaces between words. English prose has about 1.3 tokens per word, as with real tokenizers.

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Digit,
    /// One token per character.
    Alone,
    Other(char),
}

impl Class {
    fn of(c: char) -> Self {
        match c {
            'a'..='z' | 'A'..='Z' => Self::Letter,
            '0'..='9' => Self::Digit,
            '\u{2e80}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}' => {
                Self::Alone
            }
            c if c.is_alphabetic() => Self::Letter,
            c => Self::Other(c),
        }
    }

    fn longest(self) -> usize {
        match self {
            Self::Letter | Self::Other(_) => 8,
            Self::Digit => 3,
            Self::Alone => 1,
        }
    }
}

/// The tokens of a text, in order.
pub(crate) fn split(text: &str) -> Vec<&str> {
    let mut tokens = Vec::with_capacity(text.len() / 4 + 1);
    let mut rest = text;
    while !rest.is_empty() {
        let (token, tail) = rest.split_at(first(rest));
        tokens.push(token);
        rest = tail;
    }
    tokens
}

/// How many tokens a text has.
pub(crate) fn count(text: &str) -> usize {
    let (mut n, mut rest) = (0, text);
    while !rest.is_empty() {
        rest = &rest[first(rest)..];
        n += 1;
    }
    n
}

/// The length in bytes of the first token of a text that is not empty.
pub(crate) fn first(text: &str) -> usize {
    let mut chars = text.chars();
    let Some(head) = chars.next() else { return 0 };
    let next = chars.next().map(Class::of);
    // One space belongs to the word after it.
    let (lead, class) = match (head, next) {
        (' ', Some(class @ (Class::Letter | Class::Digit))) => (1, class),
        _ => (0, Class::of(head)),
    };
    let body = &text[lead..];
    let run = body.chars().take(class.longest()).take_while(|c| Class::of(*c) == class);
    let length: usize = run.map(char::len_utf8).sum();
    // In a run of spaces the last one belongs to the word behind.
    if head == ' ' && lead == 0 && length > 1 && joins(&text[length..]) {
        length - 1
    } else {
        lead + length
    }
}

fn joins(rest: &str) -> bool {
    rest.chars().next().is_some_and(|c| matches!(Class::of(c), Class::Letter | Class::Digit))
}

#[cfg(test)]
mod tests {
    use super::{count, split};

    #[test]
    fn tokens_are_as_documented() {
        assert_eq!(split("[[A]]"), ["[[", "A", "]]"]);
        assert_eq!(split("Score: 10, not 1234"), ["Score", ":", " 10", ",", " not", " 123", "4"]);
        assert_eq!(split("understanding"), ["understa", "nding"]);
        assert_eq!(split("a   b\n\nc"), ["a", "  ", " b", "\n\n", "c"]);
        assert_eq!(split("奖励 é"), ["奖", "励", " é"]);
    }

    #[test]
    fn nothing_is_lost() {
        let texts = ["", " ", "  ", "a  ", "x\u{301}\u{0}🙂 🙂🙂\t\t1.5e-3  \u{a0}y"];
        for text in texts {
            assert_eq!(split(text).concat(), text);
            assert_eq!(split(text).len(), count(text));
        }
    }
}
