//! The allowance of work of one comparison, and what stops an evaluation.

use std::cell::Cell;

use super::Budget;

/// Why a parse or an evaluation ended without a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// An allowance is spent; the name is the field of [`Budget`].
    Budget(&'static str),
    /// The expression has no value here (division by zero, the logarithm of zero, a free symbol).
    Undefined,
}

pub(crate) type Outcome<T> = Result<T, Stop>;

/// Counts down the allowances of a [`Budget`]. Shared by reference: a comparison runs on one thread.
#[derive(Debug)]
pub(crate) struct Meter {
    nodes: Cell<usize>,
    steps: Cell<u64>,
    pub(crate) depth: usize,
    pub(crate) bits: u64,
}

impl Meter {
    pub(crate) fn new(budget: &Budget) -> Self {
        Self {
            nodes: Cell::new(budget.nodes),
            steps: Cell::new(budget.steps),
            depth: budget.depth,
            bits: budget.bits,
        }
    }

    /// Takes `n` expression nodes.
    pub(crate) fn node(&self, n: usize) -> Outcome<()> {
        let left = self.nodes.get().checked_sub(n).ok_or(Stop::Budget("nodes"))?;
        self.nodes.set(left);
        Ok(())
    }

    /// Takes `n` evaluation steps; a step is about one machine-word operation of ten nanoseconds.
    pub(crate) fn step(&self, n: u64) -> Outcome<()> {
        let left = self.steps.get().checked_sub(n).ok_or(Stop::Budget("steps"))?;
        self.steps.set(left);
        Ok(())
    }

    /// Refuses an integer of more than the allowed number of bits, before it is computed.
    pub(crate) fn bits(&self, bits: u64) -> Outcome<()> {
        if bits > self.bits { Err(Stop::Budget("bits")) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allowances_run_out_and_say_which() {
        let meter = Meter::new(&Budget { nodes: 2, steps: 3, ..Budget::default() });
        assert_eq!(meter.node(2), Ok(()));
        assert_eq!(meter.node(1), Err(Stop::Budget("nodes")));
        assert_eq!(meter.step(4), Err(Stop::Budget("steps")));
        assert_eq!(meter.step(3), Ok(()));
        assert_eq!(meter.bits(u64::MAX), Err(Stop::Budget("bits")));
    }
}
