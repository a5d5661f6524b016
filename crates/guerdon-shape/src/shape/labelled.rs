//! Pairs of a score and its label, gathered over a run: what calibrating shapes are fitted on.

use guerdon_core::{Column, MethodError, View};
use serde::{Deserialize, Serialize};

/// The most pairs that are kept, the first ones.
pub const MOST: usize = 100_000;

/// Pairs of a score and its label.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Labelled {
    /// Score, label.
    pub pairs: Vec<(f64, f64)>,
}

impl Labelled {
    /// Adds the rows of the batch in which both the running reward and the column `label` are scored.
    pub fn gather(&mut self, view: &View<'_>, label: &str) -> Result<(), MethodError> {
        let (current, labels): (&Column, &Column) = (view.current()?, view.frame.column(label)?);
        let rows = current.iter().zip(labels.iter()).filter_map(|(score, label)| score.zip(label));
        self.pairs.extend(rows.take(MOST.saturating_sub(self.pairs.len())));
        Ok(())
    }

    /// An error that says that there is nothing to fit on, unless there is, or nothing to shape.
    pub fn needed(&self, current: &Column, label: &str) -> Result<(), MethodError> {
        if self.pairs.is_empty() && current.iter().flatten().next().is_some() {
            return Err(MethodError::domain(format!(
                "no rollout so far has both a score and a value in `{label}`: put labelled rollouts first, or into the first batch"
            )));
        }
        Ok(())
    }

    /// The scores and the labels.
    pub fn columns(&self) -> (Vec<f64>, Vec<f64>) {
        self.pairs.iter().copied().unzip()
    }
}
