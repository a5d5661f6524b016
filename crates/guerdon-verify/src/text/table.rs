//! Numbers for the tokens of references, in a flat table.

#![allow(clippy::cast_possible_truncation, reason = "texts beyond 2³¹ bytes are refused")]

use super::cut::{Token, Tokens};

/// Odd, with its bits well mixed (the golden ratio).
pub(crate) const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    /// The token's hash; of up to eight bytes the token itself.
    key: u64,
    /// Its length in bytes.
    len: u32,
    /// Its number; 0 in an empty slot.
    id: u32,
}

/// Numbers of tokens, from 1 on.
#[derive(Debug, Default)]
pub(crate) struct Table {
    slots: Vec<Slot>,
    shift: u32,
    /// Which token of which text has the number, less one.
    first: Vec<(u32, u32)>,
}

impl Table {
    /// An empty table for up to `tokens` tokens, in the memory of the old one.
    pub(crate) fn reset(&mut self, tokens: usize) {
        let size = (tokens * 3).next_power_of_two().max(16);
        self.slots.clear();
        self.slots.resize(size, Slot::default());
        self.shift = 64 - size.trailing_zeros();
        self.first.clear();
    }

    /// How many numbers there are.
    pub(crate) fn len(&self) -> usize {
        self.first.len()
    }

    /// Size of the buffers, in bytes.
    pub(crate) fn capacity(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>()
    }

    /// Numbers of all tokens of text `which` of `texts`, new ones where needed. The table was made large enough.
    pub(crate) fn add(&mut self, texts: &[Tokens], which: usize, ids: &mut Vec<u32>) {
        ids.clear();
        let tokens = &texts[which];
        for (i, token) in tokens.iter().enumerate() {
            let key = key(token);
            let at = self.slot(texts, token, key);
            let slot = &mut self.slots[at];
            if slot.id == 0 {
                self.first.push((which as u32, i as u32));
                *slot = Slot { key, len: token.bytes.len() as u32, id: self.first.len() as u32 };
            }
            ids.push(slot.id);
        }
    }

    /// Numbers of all tokens of `own`; 0 for those that no text of `texts` has.
    pub(crate) fn find(&self, texts: &[Tokens], own: &Tokens, ids: &mut Vec<u32>) {
        ids.clear();
        ids.extend(own.iter().map(|token| self.slots[self.slot(texts, token, key(token))].id));
    }

    /// The slot of the token, or the empty one where it belongs.
    #[inline]
    fn slot(&self, texts: &[Tokens], token: Token<'_>, key: u64) -> usize {
        let len = token.bytes.len();
        let mut at = (key.wrapping_mul(MULTIPLIER) >> self.shift) as usize;
        loop {
            let slot = self.slots[at];
            // Arithmetic, not branches: whether a word is known cannot be foretold.
            let differs = (slot.key ^ key) | u64::from(slot.len ^ len as u32);
            let full = u64::from(slot.id != 0).wrapping_neg();
            if differs & full == 0 && (len <= 8 || slot.id == 0 || self.is(texts, slot.id, token)) {
                return at;
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    #[cold]
    #[inline(never)]
    fn is(&self, texts: &[Tokens], id: u32, token: Token<'_>) -> bool {
        let (which, i) = self.first[id as usize - 1];
        texts[which as usize].get(i as usize).bytes == token.bytes
    }
}

/// A number that equal tokens share; tokens of the same length up to eight have it to themselves.
fn key(token: Token<'_>) -> u64 {
    let rest = token.bytes.get(8..).unwrap_or_default();
    rest.chunks(8).fold(token.head, |key, chunk| {
        let word = chunk.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        (key.rotate_left(23) ^ word).wrapping_mul(MULTIPLIER)
    })
}

#[cfg(test)]
mod tests {
    use super::super::cut::{Cut, Tokens};
    use super::super::porter::Stems;
    use super::Table;

    fn cut(text: &str) -> Tokens {
        let mut tokens = Tokens::default();
        tokens.cut(text, Cut::Spaces, &mut Stems::default()).unwrap();
        tokens
    }

    #[test]
    fn equal_tokens_share_a_number() {
        let texts = [cut("a b a a\0 abcdefghijk"), cut("b c abcdefghijk abcdefghijX")];
        let mut table = Table::default();
        table.reset(9);
        let mut ids = Vec::new();
        table.add(&texts, 0, &mut ids);
        assert_eq!(ids, [1, 2, 1, 3, 4]);
        table.add(&texts, 1, &mut ids);
        assert_eq!(ids, [2, 5, 4, 6]);
        table.find(&texts, &cut("x a abcdefghijX abcdefghijY"), &mut ids);
        assert_eq!((ids, table.len()), (vec![0, 1, 6, 0], 6));
    }

    #[test]
    fn many_tokens() {
        let text: Vec<String> = (0..5000).map(|i| format!("w{}", i % 1777)).collect();
        let texts = [cut(&text.join(" "))];
        let mut table = Table::default();
        table.reset(texts[0].len());
        let mut ids = Vec::new();
        table.add(&texts, 0, &mut ids);
        assert_eq!(table.len(), 1777);
        assert!(ids.iter().enumerate().all(|(i, id)| *id as usize == i % 1777 + 1));
    }
}
