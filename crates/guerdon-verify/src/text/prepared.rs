//! References, prepared once for all texts that are compared with them, in memory that lasts from call to call.

use std::cell::RefCell;
use std::collections::HashMap;

use super::cut::{Cut, Tokens};
use super::ngrams::Grams;
use super::porter::Stems;
use super::table::Table;
use super::tokens::is_space;

/// Buffers above this size, in bytes, are not kept for the next call.
const KEPT: usize = 1 << 23;

/// The number of a character that does not count.
const SKIPPED: u32 = u32::MAX;

/// References as numbered words, and one text beside them.
#[derive(Debug, Default)]
pub(crate) struct Words {
    /// What `refs` holds; nothing after a failure.
    of: Option<(Cut, usize)>,
    texts: Vec<String>,
    tokens: Vec<Tokens>,
    table: Table,
    /// The words of the references: numbers from 1 on.
    pub(crate) refs: Vec<Vec<u32>>,
    /// The words of the text; 0 for those that no reference has.
    pub(crate) own: Vec<u32>,
    own_tokens: Tokens,
    stems: Stems,
    /// The references' n-grams.
    pub(crate) grams: Grams,
}

impl Words {
    /// Prepares the references, unless they are those of the last call, and numbers the words of `own`. n-grams are
    /// prepared up to `order`, with 0 none. `None` when there are too many words.
    pub(crate) fn compare(
        &mut self,
        own: &str,
        refs: &[&str],
        cut: Cut,
        order: usize,
    ) -> Option<()> {
        if self.of != Some((cut, order)) || self.texts != refs {
            self.of = None;
            self.prepare(refs, cut, order)?;
            self.of = Some((cut, order));
        }
        self.own_tokens.cut(own, cut, &mut self.stems)?;
        self.table.find(&self.tokens, &self.own_tokens, &mut self.own);
        Some(())
    }

    /// Number of different words in the references.
    pub(crate) fn symbols(&self) -> usize {
        self.table.len()
    }

    fn prepare(&mut self, refs: &[&str], cut: Cut, order: usize) -> Option<()> {
        self.texts.clear();
        self.texts.extend(refs.iter().map(|&text| text.to_owned()));
        self.tokens.resize_with(refs.len(), Tokens::default);
        self.refs.resize_with(refs.len(), Vec::new);
        for (tokens, text) in self.tokens.iter_mut().zip(refs) {
            tokens.cut(text, cut, &mut self.stems)?;
        }
        let total: usize = self.tokens.iter().map(Tokens::len).sum();
        if total > 1 << 31 {
            return None;
        }
        self.table.reset(total);
        for (which, ids) in self.refs.iter_mut().enumerate() {
            self.table.add(&self.tokens, which, ids);
        }
        if order == 0 { Some(()) } else { self.grams.prepare(&self.refs, self.table.len(), order) }
    }

    fn capacity(&self) -> usize {
        let tokens: usize = self.tokens.iter().map(Tokens::capacity).sum();
        tokens + self.own_tokens.capacity() + self.table.capacity() + self.grams.capacity()
    }
}

/// A reference as numbered characters, and one text beside it.
#[derive(Debug)]
pub(crate) struct Letters {
    of: Option<(bool, usize)>,
    text: String,
    ascii: [u32; 128],
    others: HashMap<char, u32, foldhash::fast::FixedState>,
    known: u32,
    /// The characters of the reference: numbers from 1 on.
    pub(crate) reference: Vec<u32>,
    /// The characters of the text; 0 for those that the reference lacks.
    pub(crate) own: Vec<u32>,
    /// The reference's n-grams.
    pub(crate) grams: Grams,
}

impl Default for Letters {
    fn default() -> Self {
        Self {
            of: None,
            text: String::new(),
            ascii: [0; 128],
            others: HashMap::with_hasher(foldhash::fast::FixedState::with_seed(0)),
            known: 0,
            reference: Vec::new(),
            own: Vec::new(),
            grams: Grams::default(),
        }
    }
}

impl Letters {
    /// As [`Words::compare`], for characters; white space counts where `spaces` is true.
    pub(crate) fn compare(
        &mut self,
        own: &str,
        reference: &str,
        spaces: bool,
        order: usize,
    ) -> Option<()> {
        if self.of != Some((spaces, order)) || self.text != reference {
            self.of = None;
            self.prepare(reference, spaces, order)?;
            self.of = Some((spaces, order));
        }
        let mut ids = std::mem::take(&mut self.own);
        self.find(own, spaces, &mut ids);
        self.own = ids;
        Some(())
    }

    fn prepare(&mut self, reference: &str, spaces: bool, order: usize) -> Option<()> {
        self.text.clear();
        self.text.push_str(reference);
        self.others.clear();
        self.known = 0;
        self.ascii = std::array::from_fn(|byte| {
            let space = u8::try_from(byte).is_ok_and(|b| is_space(char::from(b)));
            if space && !spaces { SKIPPED } else { 0 }
        });
        if reference.is_ascii() {
            reference.bytes().for_each(|byte| self.number(char::from(byte)));
        } else {
            let counts = |c: &char| spaces || !is_space(*c);
            reference.chars().filter(counts).for_each(|c| self.number(c));
        }
        let mut ids = std::mem::take(&mut self.reference);
        self.find(reference, spaces, &mut ids);
        self.reference = ids;
        self.grams.prepare(std::slice::from_ref(&self.reference), self.known as usize, order)
    }

    /// Gives the character a number if it has none.
    fn number(&mut self, c: char) {
        let next = self.known + 1;
        let id = match self.ascii.get_mut(c as usize) {
            Some(id) => id,
            None => self.others.entry(c).or_insert(0),
        };
        if *id == 0 {
            *id = next;
            self.known = next;
        }
    }

    fn find(&self, text: &str, spaces: bool, ids: &mut Vec<u32>) {
        ids.clear();
        if !text.is_ascii() {
            let counts = |c: &char| spaces || !is_space(*c);
            ids.extend(text.chars().filter(counts).map(|c| match self.ascii.get(c as usize) {
                Some(id) => *id,
                None => self.others.get(&c).copied().unwrap_or(0),
            }));
            return;
        }
        ids.resize(text.len(), 0);
        let mut len = 0;
        for byte in text.bytes() {
            let id = self.ascii[usize::from(byte & 127)];
            ids[len] = id;
            len += usize::from(id != SKIPPED);
        }
        ids.truncate(len);
    }
}

thread_local! {
    static WORDS: RefCell<Words> = RefCell::default();
    static LETTERS: RefCell<Letters> = RefCell::default();
}

/// Runs `f` with this thread's words. `f` must not call it again.
pub(crate) fn with_words<R>(f: impl FnOnce(&mut Words) -> R) -> R {
    WORDS.with_borrow_mut(|words| {
        let result = f(words);
        if words.capacity() > KEPT {
            *words = Words::default();
        }
        result
    })
}

/// Runs `f` with this thread's letters. `f` must not call it again.
pub(crate) fn with_letters<R>(f: impl FnOnce(&mut Letters) -> R) -> R {
    LETTERS.with_borrow_mut(|letters| {
        let result = f(letters);
        if letters.grams.capacity() + 4 * letters.own.capacity() > KEPT {
            *letters = Letters::default();
        }
        result
    })
}
