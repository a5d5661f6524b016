//! Which group is open, and which have been.

use std::collections::HashMap;

/// Follows the groups of rows that come in order.
#[derive(Debug, Default)]
pub(crate) struct GroupTracker {
    open: Option<u64>,
    last_line: u64,
    first_row: u64,
    /// The line at which each closed group ended: about 35 bytes per group. Only looked up, never iterated.
    closed: HashMap<u64, u64>,
}

impl GroupTracker {
    /// Whether a row belongs to the open group. A row without a key is a group of its own.
    pub(crate) fn continues(&self, key: Option<u64>) -> bool {
        key.is_some() && key == self.open
    }

    /// Takes note of a row; the error is the line at which its group ended before.
    pub(crate) fn enter(&mut self, key: Option<u64>, line: u64, row: u64) -> Result<(), u64> {
        if !self.continues(key) {
            if let Some(open) = self.open {
                self.closed.insert(open, self.last_line);
            }
            if let Some(ended) = key.and_then(|key| self.closed.get(&key)) {
                return Err(*ended);
            }
            self.open = key;
            self.first_row = row;
        }
        self.last_line = line;
        Ok(())
    }

    /// The first row of the open group.
    pub(crate) fn first_row(&self) -> u64 {
        self.first_row
    }
}
