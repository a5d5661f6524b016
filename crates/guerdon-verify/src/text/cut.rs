//! Texts cut into tokens, in one pass over their bytes.
//!
//! The cuts equal those of sacrebleu and rouge-score: what they do by rewriting a text several times is decided here at
//! each byte from its neighbours (`stops`).

#![allow(clippy::cast_possible_truncation, reason = "texts beyond 2³¹ bytes are refused")]

use super::porter::Stems;
use super::tokens::is_space;

/// Bytes behind the text, so that eight may be read anywhere in it.
const PADDING: usize = 8;

/// How a text is cut into words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// At white space.
    Spaces,
    /// As mteval-v13a cuts Western languages.
    Mteval13a,
    /// As mteval-v14 cuts, ASCII only: any punctuation and symbol.
    International,
    /// At white space, with one punctuation mark cut off: the last character, or else the first.
    Marks,
    /// Runs of ASCII letters and digits, in lower case.
    Rouge {
        /// Words longer than three letters become their stems.
        stem: bool,
    },
}

/// A text and its tokens.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    bytes: Vec<u8>,
    /// Where each token begins and ends, one after the other.
    edges: Vec<u32>,
    /// One number a byte, 0 where a word cannot go on.
    flags: Vec<u8>,
}

/// A token: its first eight bytes as a number, its length, and all of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token<'a> {
    /// The first eight bytes; zeros behind the end.
    pub(crate) head: u64,
    /// The bytes.
    pub(crate) bytes: &'a [u8],
}

impl Tokens {
    /// Takes `text` in the place of what was there. `None` beyond 2³¹ bytes.
    pub(crate) fn cut(&mut self, text: &str, how: Cut, stems: &mut Stems) -> Option<()> {
        if text.len() > 1 << 31 {
            return None;
        }
        self.bytes.clear();
        self.edges.clear();
        self.flags.clear();
        if let Cut::Rouge { stem } = how {
            self.rouge(text);
            if stem {
                self.stem(stems);
            }
        } else {
            self.load(text);
            self.by_class(how);
        }
        self.bytes.extend_from_slice(&[0; PADDING]);
        Some(())
    }

    /// Number of tokens.
    pub(crate) fn len(&self) -> usize {
        self.edges.len() / 2
    }

    /// Size of the buffers, in bytes.
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity() + self.flags.capacity() + self.edges.capacity() * size_of::<u32>()
    }

    /// Token `at`; an empty one behind the last.
    pub(crate) fn get(&self, at: usize) -> Token<'_> {
        let edges = self.edges.get(2 * at..2 * at + 2).unwrap_or(&[0, 0]);
        self.between(edges[0] as usize, edges[1] as usize)
    }

    /// All tokens.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Token<'_>> {
        self.edges.chunks_exact(2).map(|e| self.between(e[0] as usize, e[1] as usize))
    }

    fn between(&self, start: usize, end: usize) -> Token<'_> {
        let head = self.bytes[start..].first_chunk::<8>().map_or(0, |b| u64::from_le_bytes(*b));
        let beyond = 8_usize.saturating_sub(end - start) * 8;
        let mask = if beyond < 64 { u64::MAX >> beyond } else { 0 };
        Token { head: head & mask, bytes: &self.bytes[start..end] }
    }

    fn push(&mut self, start: usize, end: usize) {
        if start < end {
            // The length was checked to fit.
            self.edges.extend([start as u32, end as u32]);
        }
    }

    /// Copies the text with ASCII spaces for all others, so that only bytes below 128 end a token.
    fn load(&mut self, text: &str) {
        if text.is_ascii() || !text.contains(|c: char| !c.is_ascii() && is_space(c)) {
            self.bytes.extend_from_slice(text.as_bytes());
            return;
        }
        let mut buffer = [0; 4];
        for c in text.chars() {
            let c = if is_space(c) { ' ' } else { c };
            self.bytes.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
        }
    }

    fn by_class(&mut self, how: Cut) {
        let plain = |b: &u8| u8::from(lower(*b) != 0 || *b >= 128);
        let mut flags = std::mem::take(&mut self.flags);
        flags.extend(self.bytes.iter().map(plain));
        // What is behind the text is no candidate.
        flags.resize(flags.len().next_multiple_of(64), 1);
        let bytes = std::mem::take(&mut self.bytes);
        match how {
            Cut::Mteval13a => self.stops(&bytes, &flags, &THIRTEEN_A, Class::Space),
            Cut::International => self.stops(&bytes, &flags, &INTERNATIONAL, Class::Digit),
            _ => self.words(&bytes, &flags, how == Cut::Marks),
        }
        (self.bytes, self.flags) = (bytes, flags);
    }

    fn words(&mut self, bytes: &[u8], flags: &[u8], marks: bool) {
        let mut start = 0;
        let mut word = |start: usize, end: usize| match mark(&bytes[start..end]).filter(|_| marks) {
            Some(inner) => {
                self.push(start, start + inner);
                self.push(start + inner, end);
            }
            None => self.push(start, end),
        };
        for_each_zero(flags, |i| {
            if THIRTEEN_A[usize::from(bytes[i])] == Class::Space {
                word(start, i);
                start = i + 1;
            }
        });
        word(start, bytes.len());
    }

    /// Cuts at white space, around symbols, around a `Stop` unless digits stand on both sides, and around a dash behind a
    /// digit. In a run of stops behind a digit every second one is cut for what stands before it, as in the originals,
    /// whose first pattern consumes two characters at a time. `edge` is what stands before and behind the text.
    fn stops(&mut self, bytes: &[u8], flags: &[u8], classes: &[Class; 256], edge: Class) {
        let class = |i: usize| bytes.get(i).map_or(edge, |b| classes[usize::from(*b)]);
        let mut start = 0;
        // Behind a stop that was cut for what stands before it, a stop must not be cut for the same reason.
        let mut free_from = 0;
        for_each_zero(flags, |i| {
            let before = class(i.wrapping_sub(1));
            let cut = match class(i) {
                Class::Other | Class::Digit => return,
                Class::Space => {
                    self.push(start, i);
                    start = i + 1;
                    return;
                }
                Class::Symbol => true,
                Class::Dash => before == Class::Digit,
                Class::Stop if before != Class::Digit && i >= free_from => {
                    free_from = i + 2;
                    true
                }
                Class::Stop => class(i + 1) != Class::Digit,
            };
            if cut {
                self.push(start, i);
                self.push(i, i + 1);
                start = i + 1;
            }
        });
        self.push(start, bytes.len());
    }

    fn rouge(&mut self, text: &str) {
        if folds_to_ascii(text) {
            self.bytes.extend(text.to_lowercase().bytes().map(lower));
        } else {
            self.bytes.extend(text.bytes().map(lower));
        }
        // At least one zero behind the text.
        self.bytes.resize((self.bytes.len() + 1).next_multiple_of(64), 0);
        let mut inside_before = 0;
        for (block, at) in self.bytes.chunks_exact(64).zip((0..).step_by(64)) {
            let inside = nonzero(block);
            // One bit where a word begins or ends.
            let mut turns = inside ^ (inside << 1 | inside_before);
            inside_before = inside >> 63;
            while turns != 0 {
                self.edges.push(at + turns.trailing_zeros());
                turns &= turns - 1;
            }
        }
    }

    fn stem(&mut self, stems: &mut Stems) {
        let (bytes, edges) = (std::mem::take(&mut self.bytes), std::mem::take(&mut self.edges));
        for edge in edges.chunks_exact(2) {
            let word = &bytes[edge[0] as usize..edge[1] as usize];
            let at = self.bytes.len();
            match std::str::from_utf8(word) {
                Ok(word) if word.len() > 3 => self.bytes.extend_from_slice(stems.of(word)),
                _ => self.bytes.extend_from_slice(word),
            }
            self.push(at, self.bytes.len());
        }
    }
}

/// An ASCII letter or digit in lower case, 0 for all else.
fn lower(b: u8) -> u8 {
    let letter = b | 0x20;
    if letter.wrapping_sub(b'a') < 26 {
        letter
    } else if b.wrapping_sub(b'0') < 10 {
        b
    } else {
        0
    }
}

/// Whether the text has one of the two characters beyond ASCII whose lower case has ASCII letters: the dotted capital I
/// and the sign of the kelvin.
fn folds_to_ascii(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr2_iter(0xc4, 0xe2, bytes)
        .any(|at| matches!(bytes[at..], [0xc4, 0xb0, ..] | [0xe2, 0x84, 0xaa, ..]))
}

/// Calls `f` with the place of every zero. The length is a multiple of 64, and all bytes are below 128.
fn for_each_zero(flags: &[u8], mut f: impl FnMut(usize)) {
    for (block, at) in flags.chunks_exact(64).zip((0..).step_by(64)) {
        let mut zeros = !nonzero(block);
        while zeros != 0 {
            f(at + zeros.trailing_zeros() as usize);
            zeros &= zeros - 1;
        }
    }
}

/// One bit for each of 64 bytes that is not zero; all are below 128.
fn nonzero(block: &[u8]) -> u64 {
    let chunks = block.as_chunks::<8>().0;
    chunks.iter().rev().fold(0, |bits, chunk| {
        let ones = u64::from_le_bytes(*chunk) + 0x7f7f_7f7f_7f7f_7f7f;
        let ones = (ones & 0x8080_8080_8080_8080) >> 7;
        bits << 8 | ones.wrapping_mul(0x0102_0408_1020_4080) >> 56
    })
}

/// Where a word falls in two: before its last character if that is a punctuation mark, or else behind its first.
fn mark(word: &[u8]) -> Option<usize> {
    let (first, last) = (*word.first()?, *word.last()?);
    let single = word.len() == 1 || word[1..].iter().all(|b| b & 0xc0 == 0x80);
    match () {
        () if single => None,
        () if last.is_ascii_punctuation() => Some(word.len() - 1),
        () if first.is_ascii_punctuation() => Some(1),
        () => None,
    }
}

/// What a byte is to a tokeniser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Other,
    Space,
    Digit,
    Symbol,
    Stop,
    Dash,
}

const THIRTEEN_A: [Class; 256] = classes(b",.", b"'", b"-");
const INTERNATIONAL: [Class; 256] = classes(b"!\"#%&'()*,-./:;?@[\\]_{}", b"", b"");

/// The classes of all bytes: of the ASCII punctuation marks those of `stops`, those that are not special, and dashes.
const fn classes(stops: &[u8], plain: &[u8], dashes: &[u8]) -> [Class; 256] {
    let mut classes = [Class::Other; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        classes[byte as usize] = match byte {
            b'0'..=b'9' => Class::Digit,
            b'\t'..=b'\r' | 0x1c..=0x1f | b' ' => Class::Space,
            _ if has(stops, byte) => Class::Stop,
            _ if has(dashes, byte) => Class::Dash,
            _ if byte.is_ascii_punctuation() && !has(plain, byte) => Class::Symbol,
            _ => Class::Other,
        };
        byte += 1;
    }
    classes
}

const fn has(list: &[u8], byte: u8) -> bool {
    let mut i = 0;
    while i < list.len() {
        if list[i] == byte {
            return true;
        }
        i += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::porter::Stems;
    use super::super::tokens::tests::mteval13a;
    use super::super::tokens::{international, is_space, split};
    use super::{Cut, Tokens};

    fn cut(text: &str, how: Cut) -> Vec<String> {
        let mut tokens = Tokens::default();
        tokens.cut(text, how, &mut Stems::default()).unwrap();
        (0..tokens.len())
            .map(|i| String::from_utf8(tokens.get(i).bytes.to_vec()).unwrap())
            .collect()
    }

    /// Seeded texts from few characters, so that every neighbourhood comes up.
    fn texts(alphabet: &[char]) -> Vec<String> {
        let mut state = 5_u32;
        let mut draw = |n: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as usize % n
        };
        (0..4000).map(|_| (0..draw(40)).map(|_| alphabet[draw(alphabet.len())]).collect()).collect()
    }

    #[test]
    fn mteval_equals_the_rewriting_one() {
        for text in texts(&['a', '1', '.', ',', '-', ' ', '\'', '(', '$', 'é', '\u{3000}', '\0']) {
            let expect = mteval13a(&text);
            assert_eq!(cut(&text, Cut::Mteval13a), split(&expect).collect::<Vec<_>>(), "{text:?}");
        }
    }

    #[test]
    fn international_equals_the_rewriting_one() {
        for text in texts(&['a', '1', '.', '-', ' ', '\'', '(', '$', '_', '\t', '\0']) {
            let expect = international(&text);
            let expect: Vec<_> = split(&expect).collect();
            assert_eq!(cut(&text, Cut::International), expect, "{text:?}");
        }
    }

    #[test]
    fn words_equal_those_of_split() {
        for text in texts(&['a', 'é', '.', ' ', '\u{85}', '\u{1d}', '日']) {
            assert_eq!(cut(&text, Cut::Spaces), split(&text).collect::<Vec<_>>(), "{text:?}");
            let marks = cut(&text, Cut::Marks).concat();
            assert_eq!(marks, text.replace(is_space, ""));
        }
        assert_eq!(
            cut("(hi) \"a b. . é. é", Cut::Marks),
            ["(hi", ")", "\"", "a", "b", ".", ".", "é", ".", "é"]
        );
    }

    #[test]
    fn rouge_words() {
        let stemmed = cut("It's  RUNNING—fast", Cut::Rouge { stem: true });
        assert_eq!(stemmed, ["it", "s", "run", "fast"]);
        for text in texts(&['a', 'B', '1', ' ', '.', 'İ', 'é', '\u{212a}']) {
            let lower = text.to_lowercase();
            let words = lower.split(|c: char| !c.is_ascii_alphanumeric());
            let expect: Vec<_> = words.filter(|w| !w.is_empty()).collect();
            assert_eq!(cut(&text, Cut::Rouge { stem: false }), expect, "{text:?}");
        }
    }

    #[test]
    fn two_characters_fold_to_ascii() {
        for c in ('\u{80}'..=char::MAX).filter(|c| c.to_lowercase().any(|l| l.is_ascii())) {
            assert!(super::folds_to_ascii(&format!("ä{c}")), "{c}");
        }
        assert!(!super::folds_to_ascii("ÄÖ— ←日"));
    }

    #[test]
    fn heads_are_the_first_bytes() {
        let mut tokens = Tokens::default();
        tokens.cut("ab abcdefghi", Cut::Spaces, &mut Stems::default()).unwrap();
        assert_eq!(tokens.get(0).head, u64::from(b'a') | u64::from(b'b') << 8);
        assert_eq!(tokens.get(1).head, u64::from_le_bytes(*b"abcdefgh"));
        assert_eq!(tokens.get(2).head, 0);
    }
}
