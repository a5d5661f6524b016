//! The account of rows that were left out.

use crate::error::BadRow;

/// The rows that were left out, by sort of problem.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Skipped {
    /// One entry per sort of problem, in order of first appearance.
    pub reasons: Vec<SkippedRows>,
}

/// The rows that were left out for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedRows {
    /// The sort of problem ([`Problem::kind`](crate::Problem::kind)).
    pub kind: &'static str,
    /// How many rows.
    pub count: u64,
    /// The first of them, at most [`Skipped::EXAMPLES`].
    pub examples: Vec<BadRow>,
}

impl Skipped {
    /// How many rows are kept as examples per reason.
    pub const EXAMPLES: usize = 3;

    /// How many rows were left out in all.
    pub fn total(&self) -> u64 {
        self.reasons.iter().map(|reason| reason.count).sum()
    }

    pub(crate) fn add(&mut self, row: BadRow) {
        let kind = row.problem.kind();
        let known = self.reasons.iter().position(|reason| reason.kind == kind);
        let at = known.unwrap_or_else(|| {
            self.reasons.push(SkippedRows { kind, count: 0, examples: Vec::new() });
            self.reasons.len() - 1
        });
        let reason = &mut self.reasons[at];
        reason.count += 1;
        if reason.examples.len() < Self::EXAMPLES {
            reason.examples.push(row);
        }
    }
}
