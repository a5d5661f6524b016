//! What a server counts.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// What a server has done since its start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Calls that arrived whole.
    pub requests: u64,
    /// By path.
    pub by_path: BTreeMap<String, u64>,
    /// By model, where a known one was named.
    pub by_model: BTreeMap<String, u64>,
    /// By status; calls whose connection was closed without an answer are under `dropped`.
    pub by_status: BTreeMap<String, u64>,
    /// Faults that struck, by name.
    pub faults: BTreeMap<String, u64>,
    /// Calls with different path or body.
    pub distinct: u64,
    /// Calls that had come before, word for word.
    pub repeats: u64,
    /// Calls that got their whole answer.
    pub answered: u64,
    /// Of these, calls that had got it before: what a client with a cache never pays for.
    pub answered_again: u64,
    /// Calls in work.
    pub in_flight: u64,
    /// The most calls in work at the same time.
    pub most_in_flight: u64,
    /// Connections that were opened.
    pub connections: u64,
    /// Tokens of the prompts of answered calls.
    pub prompt_tokens: u64,
    /// Tokens of the replies of answered calls.
    pub completion_tokens: u64,
}

/// The counters of a server.
#[derive(Debug, Default)]
pub(super) struct Counters(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    stats: Stats,
    /// How often each request came, and whether it was answered.
    known: HashMap<u64, (u64, bool)>,
    /// How often each fault was considered.
    turns: HashMap<usize, u64>,
}

impl Counters {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn read(&self) -> Stats {
        self.lock().stats.clone()
    }

    pub(super) fn reset(&self) {
        let mut inner = self.lock();
        let in_flight = inner.stats.in_flight;
        *inner = Inner::default();
        inner.stats.in_flight = in_flight;
    }

    pub(super) fn connected(&self) {
        self.lock().stats.connections += 1;
    }

    /// A call with this key has arrived; how often it had come before.
    pub(super) fn arrived(&self, path: &str, key: u64) -> u64 {
        let mut inner = self.lock();
        let Inner { stats, known, .. } = &mut *inner;
        let (times, _) = known.entry(key).or_insert((0, false));
        let before = *times;
        *times += 1;
        stats.requests += 1;
        bump(&mut stats.by_path, path);
        stats.distinct += u64::from(before == 0);
        stats.repeats += u64::from(before > 0);
        stats.in_flight += 1;
        stats.most_in_flight = stats.most_in_flight.max(stats.in_flight);
        before
    }

    pub(super) fn left(&self) {
        let mut inner = self.lock();
        inner.stats.in_flight = inner.stats.in_flight.saturating_sub(1);
    }

    pub(super) fn model(&self, name: &str) {
        bump(&mut self.lock().stats.by_model, name);
    }

    /// How often a fault was considered before.
    pub(super) fn turn(&self, fault: usize) -> u64 {
        let mut inner = self.lock();
        let turn = inner.turns.entry(fault).or_insert(0);
        *turn += 1;
        *turn - 1
    }

    pub(super) fn struck(&self, fault: &str) {
        bump(&mut self.lock().stats.faults, fault);
    }

    pub(super) fn status(&self, status: &str) {
        bump(&mut self.lock().stats.by_status, status);
    }

    /// The call with this key has got its whole answer.
    pub(super) fn answered(&self, key: u64, (prompt, completion): (usize, usize)) {
        let mut inner = self.lock();
        let Inner { stats, known, .. } = &mut *inner;
        let (_, before) = known.entry(key).or_insert((1, false));
        stats.answered += 1;
        stats.answered_again += u64::from(*before);
        stats.prompt_tokens += prompt as u64;
        stats.completion_tokens += completion as u64;
        *before = true;
    }
}

/// Counts a name; the map keeps at most a thousand of them.
fn bump(map: &mut BTreeMap<String, u64>, name: &str) {
    if let Some(count) = map.get_mut(name) {
        *count += 1;
    } else if map.len() < 1000 {
        map.insert(name.to_owned(), 1);
    }
}
