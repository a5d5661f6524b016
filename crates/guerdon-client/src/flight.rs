//! Single flight: identical calls that run at once are sent once.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use guerdon_core::method::Reply;
use tokio::sync::oneshot::{Receiver, Sender, channel};

use crate::error::CallError;
use crate::key::Key;

type Outcome = Result<Reply, CallError>;

/// The calls under way and who else waits for each.
#[derive(Default)]
pub(crate) struct Flights(Mutex<HashMap<Key, Vec<Sender<Outcome>>>>);

/// A call's part in a flight.
pub(crate) enum Seat<'a> {
    /// This call does the work.
    First(Lead<'a>),
    /// Another call does it. The channel closes without a word when that call is given up.
    Other(Receiver<Outcome>),
}

/// Leads a flight; when dropped without an outcome, one of those who wait takes over.
pub(crate) struct Lead<'a> {
    flights: &'a Flights,
    key: Key,
    landed: bool,
}

impl Flights {
    fn map(&self) -> MutexGuard<'_, HashMap<Key, Vec<Sender<Outcome>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn join(&self, key: Key) -> Seat<'_> {
        let mut map = self.map();
        if let Some(waiting) = map.get_mut(&key) {
            let (sender, receiver) = channel();
            waiting.push(sender);
            return Seat::Other(receiver);
        }
        map.insert(key, Vec::new());
        Seat::First(Lead { flights: self, key, landed: false })
    }
}

impl Lead<'_> {
    /// Tells everyone who waits.
    pub(crate) fn land(mut self, outcome: &Outcome) {
        // From here on the key may belong to another flight.
        self.landed = true;
        let waiting = self.flights.map().remove(&self.key).unwrap_or_default();
        for sender in waiting {
            // Whoever does not wait any more needs no reply.
            let _ = sender.send(outcome.clone());
        }
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        if !self.landed {
            self.flights.map().remove(&self.key);
        }
    }
}
