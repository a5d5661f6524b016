//! Scores of models on tasks, and the comparisons that follow from them.

use guerdon_core::MethodError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Comparisons, Outcome};

/// Most comparisons that a table may become.
const MOST: usize = 100_000_000;

/// Scores of models on tasks: greater is better.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScoreTable {
    /// Names of the models.
    models: Vec<String>,
    /// Names of the tasks.
    tasks: Vec<String>,
    /// `scores[model][task]`; `None` where a model was not scored.
    scores: Vec<Vec<Option<f64>>>,
}

impl ScoreTable {
    /// A table from a full or partial matrix, `scores[model][task]`; finite.
    pub fn new(
        models: Vec<String>,
        tasks: Vec<String>,
        scores: Vec<Vec<Option<f64>>>,
    ) -> Result<Self, MethodError> {
        let table = Self { models, tasks, scores };
        table.check()?;
        Ok(table)
    }

    /// A table from rows `(model, task, score)`; several scores of one model on one task are averaged.
    pub fn from_rows(
        models: Vec<String>,
        tasks: Vec<String>,
        rows: &[(u32, u32, f64)],
    ) -> Result<Self, MethodError> {
        let cells = models.len().saturating_mul(tasks.len());
        if cells > MOST {
            return Err(MethodError::Budget(format!(
                "{cells} cells of models and tasks are more than {MOST}"
            )));
        }
        let mut sums = vec![vec![(0.0, 0.0); tasks.len()]; models.len()];
        for &(model, task, score) in rows {
            let cell: &mut (f64, f64) = sums
                .get_mut(model as usize)
                .and_then(|row| row.get_mut(task as usize))
                .ok_or_else(|| {
                    MethodError::domain("a row names a model or task that is not listed")
                })?;
            cell.0 += score;
            cell.1 += 1.0;
        }
        let mean = |(sum, count): (f64, f64)| (count > 0.0).then(|| sum / count);
        Self::new(
            models,
            tasks,
            sums.into_iter().map(|row| row.into_iter().map(mean).collect()).collect(),
        )
    }

    /// Checks sizes and values, for tables that were read.
    pub fn check(&self) -> Result<(), MethodError> {
        MethodError::same_length(("models", self.models.len()), ("scores", self.scores.len()))?;
        super::check_names(&self.models)?;
        for (row, model) in self.scores.iter().zip(&self.models) {
            MethodError::same_length(("tasks", self.tasks.len()), (model, row.len()))?;
            if let Some(bad) = row.iter().flatten().find(|x| !x.is_finite()) {
                return Err(MethodError::domain(format!(
                    "a score of `{model}` is {bad}: scores must be finite"
                )));
            }
        }
        Ok(())
    }

    /// Names of the models.
    pub fn models(&self) -> &[String] {
        &self.models
    }

    /// Names of the tasks.
    pub fn tasks(&self) -> &[String] {
        &self.tasks
    }

    /// The score of a model on a task, where there is one.
    pub fn score(&self, model: usize, task: usize) -> Option<f64> {
        self.scores[model][task]
    }

    /// Every two models scored on a task compared on it, tasks in order and as clusters: the greater score wins, scores
    /// that differ by `margin` or less tie.
    pub fn comparisons(&self, margin: f64) -> Result<Comparisons, MethodError> {
        ParamCheck::margin(margin)?;
        let n = self.models.len();
        let pairs = (0..self.tasks.len()).map(|task| {
            let scored = (0..n).filter(|&m| self.scores[m][task].is_some()).count();
            scored * scored.saturating_sub(1) / 2
        });
        let total: usize = pairs.sum();
        if total > MOST {
            return Err(MethodError::Budget(format!(
                "{total} comparisons are more than {MOST}: leave tasks out"
            )));
        }
        let mut columns = (
            Vec::with_capacity(total),
            Vec::with_capacity(total),
            Vec::with_capacity(total),
            Vec::new(),
        );
        for (task, cluster) in (0..self.tasks.len()).zip(0_u32..) {
            for (i, a) in (0..n).zip(0_u32..) {
                let Some(of_a) = self.scores[i][task] else { continue };
                for (j, b) in (i + 1..n).zip(a + 1..) {
                    let Some(of_b) = self.scores[j][task] else { continue };
                    columns.0.push(a);
                    columns.1.push(b);
                    columns.2.push(compare(of_a, of_b, margin));
                    columns.3.push(cluster);
                }
            }
        }
        Comparisons::new(self.models.clone(), columns.0, columns.1, columns.2)?
            .with_clusters(columns.3)
    }
}

struct ParamCheck;

impl ParamCheck {
    fn margin(margin: f64) -> Result<(), MethodError> {
        guerdon_core::ParamError::in_range("margin", margin, 0.0, f64::INFINITY)
            .map_err(MethodError::from)
    }
}

fn compare(a: f64, b: f64, margin: f64) -> Outcome {
    if (a - b).abs() <= margin {
        Outcome::Tie
    } else if a > b {
        Outcome::First
    } else {
        Outcome::Second
    }
}

#[cfg(test)]
mod tests {
    use super::ScoreTable;
    use crate::Outcome;

    #[test]
    fn repeated_scores_are_averaged_and_gaps_stay() {
        let names = |list: &[&str]| list.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let rows = [(0, 0, 1.0), (0, 0, 2.0), (1, 0, 1.4), (1, 1, 3.0)];
        let table = ScoreTable::from_rows(names(&["a", "b"]), names(&["t", "u"]), &rows).unwrap();
        assert_eq!((table.score(0, 0), table.score(0, 1)), (Some(1.5), None));
        assert_eq!(table.comparisons(0.0).unwrap().outcome(), [Outcome::First]);
        assert_eq!(table.comparisons(0.2).unwrap().outcome(), [Outcome::Tie]);
        assert!(table.comparisons(-1.0).is_err());
        assert!(ScoreTable::new(names(&["a"]), names(&["t"]), vec![vec![Some(f64::NAN)]]).is_err());
        assert!(ScoreTable::new(names(&["a"]), names(&["t"]), vec![vec![]]).is_err());
    }
}
