//! What was asked and what it cost, per tag and endpoint.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::budget::{Cost, PICO};
use crate::error::ErrorKind;

/// What was asked and what it cost.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Ledger {
    /// All lines together.
    pub total: Tally,
    /// One line per tag and endpoint, in the order of their names.
    pub lines: Vec<Line>,
}

/// What one tag asked of one endpoint.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// Who asked: the signal.
    pub tag: String,
    /// Who was asked: the endpoint's name in the spec.
    pub endpoint: String,
    /// How much.
    pub tally: Tally,
}

/// Counts of calls.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Tally {
    /// Calls, however they were answered.
    pub calls: u64,
    /// Requests sent, failed ones among them.
    pub attempts: u64,
    /// Calls answered from the cache.
    pub hits: u64,
    /// Calls answered by an identical call that was under way.
    pub shared: u64,
    /// Attempts that repeated a failed one.
    pub retries: u64,
    /// Calls without a reply, by kind.
    pub errors: BTreeMap<ErrorKind, u64>,
    /// Attempts without a reply, by kind; a later attempt may have succeeded.
    pub faults: BTreeMap<ErrorKind, u64>,
    /// Tokens of prompts that were paid for.
    pub input_tokens: u64,
    /// Generated tokens that were paid for.
    pub output_tokens: u64,
    /// Attempts whose server named no tokens, so that they are estimated at four bytes each.
    pub estimated: u64,
    /// What the tokens cost, in the currency of the prices.
    pub money: f64,
    /// Seconds that calls waited for limits, pauses and repetitions, summed over calls.
    pub waited: f64,
}

const KINDS: usize = ErrorKind::ALL.len();
const NAMES: [&str; 10] = [
    "calls",
    "attempts",
    "hits",
    "shared",
    "retries",
    "input_tokens",
    "output_tokens",
    "estimated",
    "pico",
    "waited_ns",
];

/// One count of [`Counts`].
#[derive(Debug, Clone, Copy)]
pub(crate) enum Item {
    Calls,
    Attempts,
    Hits,
    Shared,
    Retries,
    Input,
    Output,
    Estimated,
    Pico,
    WaitedNs,
    Error(ErrorKind),
    Fault(ErrorKind),
}

impl Item {
    fn index(self) -> usize {
        match self {
            Self::Calls => 0,
            Self::Attempts => 1,
            Self::Hits => 2,
            Self::Shared => 3,
            Self::Retries => 4,
            Self::Input => 5,
            Self::Output => 6,
            Self::Estimated => 7,
            Self::Pico => 8,
            Self::WaitedNs => 9,
            Self::Error(kind) => NAMES.len() + kind as usize,
            Self::Fault(kind) => NAMES.len() + KINDS + kind as usize,
        }
    }
}

/// The counts of a [`Tally`] as integers, so that sums do not depend on their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counts([u64; NAMES.len() + 2 * KINDS]);

impl Default for Counts {
    fn default() -> Self {
        Self([0; NAMES.len() + 2 * KINDS])
    }
}

impl Counts {
    pub(crate) fn add(&mut self, item: Item, count: u64) {
        let slot = &mut self.0[item.index()];
        *slot = slot.saturating_add(count);
    }

    fn get(&self, item: Item) -> u64 {
        self.0[item.index()]
    }

    fn merge(&mut self, other: &Self) {
        for (slot, more) in self.0.iter_mut().zip(&other.0) {
            *slot = slot.saturating_add(*more);
        }
    }

    /// The counts that are not 0, by name.
    pub(crate) fn items(&self) -> impl Iterator<Item = (String, u64)> {
        let counted = self.0.iter().enumerate().filter(|(_, count)| **count > 0);
        counted.map(|(index, count)| (item_name(index), *count))
    }

    /// Adds a count by its name. Names of other versions are passed over.
    pub(crate) fn add_named(&mut self, name: &str, count: u64) {
        if let Some(slot) = (0..self.0.len()).find(|index| item_name(*index) == name) {
            self.0[slot] = self.0[slot].saturating_add(count);
        }
    }

    pub(crate) fn tally(&self) -> Tally {
        let by_kind = |item: fn(ErrorKind) -> Item| {
            let counted = ErrorKind::ALL.into_iter().map(|kind| (kind, self.get(item(kind))));
            counted.filter(|(_, count)| *count > 0).collect()
        };
        Tally {
            calls: self.get(Item::Calls),
            attempts: self.get(Item::Attempts),
            hits: self.get(Item::Hits),
            shared: self.get(Item::Shared),
            retries: self.get(Item::Retries),
            errors: by_kind(Item::Error),
            faults: by_kind(Item::Fault),
            input_tokens: self.get(Item::Input),
            output_tokens: self.get(Item::Output),
            estimated: self.get(Item::Estimated),
            money: self.get(Item::Pico) as f64 / PICO,
            waited: self.get(Item::WaitedNs) as f64 / 1e9,
        }
    }
}

fn item_name(index: usize) -> String {
    match index.checked_sub(NAMES.len()) {
        None => NAMES[index].to_owned(),
        Some(at) if at < KINDS => format!("error.{}", ErrorKind::ALL[at].name()),
        Some(at) => format!("fault.{}", ErrorKind::ALL[at - KINDS].name()),
    }
}

/// Counts per tag, and per endpoint by its number.
pub(crate) type Pages = BTreeMap<String, Vec<Counts>>;

/// A ledger out of counts.
pub(crate) fn ledger(pages: &Pages, endpoints: &[String]) -> Ledger {
    let mut total = Counts::default();
    let mut lines = Vec::new();
    for (tag, row) in pages {
        let used = row.iter().zip(endpoints).filter(|(counts, _)| **counts != Counts::default());
        for (counts, endpoint) in used {
            total.merge(counts);
            lines.push(Line {
                tag: tag.clone(),
                endpoint: endpoint.clone(),
                tally: counts.tally(),
            });
        }
    }
    Ledger { total: total.tally(), lines }
}

/// The counts of a running client: all of them, and those that are not in the cache's file yet.
pub(crate) struct Book {
    pub(crate) endpoints: Vec<String>,
    keeps: bool,
    pages: Mutex<(Pages, Pages)>,
}

impl Book {
    /// With `keeps`, counts gather for [`Self::take_unsaved`].
    pub(crate) fn new(endpoints: Vec<String>, keeps: bool) -> Self {
        Self { endpoints, keeps, pages: Mutex::default() }
    }

    fn pages(&self) -> MutexGuard<'_, (Pages, Pages)> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn ledger(&self) -> Ledger {
        ledger(&self.pages().0, &self.endpoints)
    }

    /// What was posted since the last time.
    pub(crate) fn take_unsaved(&self) -> Pages {
        std::mem::take(&mut self.pages().1)
    }

    /// Puts back what could not be saved.
    pub(crate) fn put_back(&self, unsaved: Pages) {
        let mut pages = self.pages();
        for (tag, row) in unsaved {
            for (endpoint, counts) in row.iter().enumerate() {
                self.merge(&mut pages.1, &tag, endpoint, counts);
            }
        }
    }

    fn post(&self, tag: &str, endpoint: usize, counts: &Counts) {
        let mut pages = self.pages();
        self.merge(&mut pages.0, tag, endpoint, counts);
        if self.keeps {
            self.merge(&mut pages.1, tag, endpoint, counts);
        }
    }

    fn merge(&self, pages: &mut Pages, tag: &str, endpoint: usize, counts: &Counts) {
        if let Some(row) = pages.get_mut(tag) {
            row[endpoint].merge(counts);
            return;
        }
        let mut row = vec![Counts::default(); self.endpoints.len()];
        row[endpoint].merge(counts);
        pages.insert(tag.to_owned(), row);
    }
}

/// The counts of one call; posted to the book at the latest when it is dropped, so that a call that is given up counts.
pub(crate) struct Slip<'a> {
    book: &'a Book,
    tag: &'a str,
    endpoint: usize,
    counts: Counts,
}

impl<'a> Slip<'a> {
    pub(crate) fn new(book: &'a Book, tag: &'a str, endpoint: usize) -> Self {
        let mut slip = Self { book, tag, endpoint, counts: Counts::default() };
        slip.add(Item::Calls, 1);
        slip
    }

    pub(crate) fn tag(&self) -> &'a str {
        self.tag
    }

    pub(crate) fn add(&mut self, item: Item, count: u64) {
        self.counts.add(item, count);
    }

    pub(crate) fn tokens(&mut self, input: u64, output: u64, cost: Cost) {
        self.add(Item::Input, input);
        self.add(Item::Output, output);
        self.add(Item::Pico, cost.pico);
    }

    /// Posts what was counted so far.
    pub(crate) fn post(&mut self) {
        let counts = std::mem::take(&mut self.counts);
        if counts != Counts::default() {
            self.book.post(self.tag, self.endpoint, &counts);
        }
    }
}

impl Drop for Slip<'_> {
    fn drop(&mut self) {
        self.post();
    }
}

#[cfg(test)]
mod tests {
    use super::{Book, Counts, Item, Slip, item_name};
    use crate::budget::Cost;
    use crate::error::ErrorKind;

    #[test]
    fn a_call_is_posted_once_wherever_it_ends() {
        let book = Book::new(vec!["a".into(), "b".into()], true);
        {
            let mut slip = Slip::new(&book, "helpful", 1);
            slip.tokens(10, 5, Cost { tokens: 15, pico: 2_000_000_000_000 });
            slip.post();
            slip.add(Item::Error(ErrorKind::Timeout), 1);
        }
        let ledger = book.ledger();
        assert_eq!(
            (ledger.total.calls, ledger.total.input_tokens, ledger.total.money),
            (1, 10, 2.0)
        );
        assert_eq!(ledger.total.errors[&ErrorKind::Timeout], 1);
        assert_eq!((ledger.lines.len(), ledger.lines[0].endpoint.as_str()), (1, "b"));
        let unsaved = book.take_unsaved();
        assert_eq!(book.take_unsaved().len(), 0);
        book.put_back(unsaved.clone());
        assert_eq!(book.take_unsaved(), unsaved);
    }

    #[test]
    fn names_are_unique_and_lead_back() {
        let mut counts = Counts::default();
        for index in 0..counts.0.len() {
            counts.add_named(&item_name(index), index as u64 + 1);
        }
        assert!(counts.0.iter().enumerate().all(|(index, count)| *count == index as u64 + 1));
        for (at, kind) in ErrorKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, at);
        }
    }
}
