//! Coverage: what several models solve together, alone and in common.
//!
//! # Formula
//!
//! ```text
//! union = |∪ S_m|,  unique = tasks solved by exactly one model,  Jaccard(a, b) = |S_a ∩ S_b| / |S_a ∪ S_b|
//! ```
//!
//! `S_m` is the set of tasks that model m solves.
//!
//! # When to use it
//!
//! To see whether routing between models pays: a union well above the best model, little overlap. Independent models of equal
//! rate p have the union 1 − (1 − p)^k.
//!
//! # Departures
//!
//! The Jaccard of two models that solve nothing is left out of the mean (null if no pair has one).
//!
//! # Example
//!
//! ```yaml
//! use: stats.coverage
//! ```
//!
//! ```
//! use guerdon_stats::stats::coverage::coverage;
//! let a = vec![true, true, true, false, true];
//! let b = vec![false, true, true, true, false];
//! let out = coverage(&[a, b]).unwrap();
//! assert_eq!((out.union, out.unique, out.mean_jaccard), (5, 3, Some(0.4)));
//! ```
//!
//! # References
//!
//! "KWBench: Measuring Unprompted Problem Recognition in Knowledge Work", 2026.

use guerdon_core::MethodError;
use guerdon_core::method::{Function, Params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::moments::at_least;

/// Parameters of `stats.coverage`: none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Coverage {}

impl Params for Coverage {}

/// Input of `stats.coverage`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Per model, whether it solves each task; at least one model, all on the same tasks.
    pub solved: Vec<Vec<bool>>,
}

/// Output of `stats.coverage`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Tasks solved by at least one model.
    pub union: usize,
    /// Tasks solved by every model.
    pub intersection: usize,
    /// Tasks solved by exactly one model.
    pub unique: usize,
    /// Tasks in all.
    pub tasks: usize,
    /// Tasks that each model solves.
    pub solved: Vec<usize>,
    /// Tasks that each model alone solves.
    pub unique_to: Vec<usize>,
    /// Mean Jaccard index over pairs of models; null for one model.
    pub mean_jaccard: Option<f64>,
}

/// Most pairs × tasks.
const LIMIT: usize = 1_000_000_000;

/// The coverage of models × tasks.
pub fn coverage(solved: &[Vec<bool>]) -> Result<Output, MethodError> {
    at_least("solved", solved.len(), 1)?;
    let tasks = solved[0].len();
    at_least("solved[0]", tasks, 1)?;
    for row in solved {
        MethodError::same_length(("solved[0]", tasks), ("a row of solved", row.len()))?;
    }
    let models = solved.len();
    if models.saturating_mul(models).saturating_mul(tasks) > LIMIT {
        return Err(MethodError::Budget(format!(
            "{models} models on {tasks} tasks: too many pairs"
        )));
    }
    let by: Vec<usize> = (0..tasks).map(|t| solved.iter().filter(|row| row[t]).count()).collect();
    let count = |f: &dyn Fn(usize) -> bool| (0..tasks).filter(|t| f(*t)).count();
    let jaccard = |a: &Vec<bool>, b: &Vec<bool>| {
        let any = count(&|t| a[t] || b[t]);
        (any > 0).then(|| count(&|t| a[t] && b[t]) as f64 / any as f64)
    };
    let pairs = (0..models).flat_map(|i| (0..i).map(move |j| (i, j)));
    let all: Vec<f64> = pairs.filter_map(|(i, j)| jaccard(&solved[i], &solved[j])).collect();
    Ok(Output {
        union: count(&|t| by[t] > 0),
        intersection: count(&|t| by[t] == models),
        unique: count(&|t| by[t] == 1),
        tasks,
        solved: solved.iter().map(|row| count(&|t| row[t])).collect(),
        unique_to: solved.iter().map(|row| count(&|t| row[t] && by[t] == 1)).collect(),
        mean_jaccard: (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64),
    })
}

impl Function for Coverage {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        coverage(&input.solved)
    }
}

guerdon_core::method! {
    Coverage: Function,
    id: "stats.coverage",
    papers: ["kwbench-2026"],
    status: Verified(Worked("{1,2,3,5}, {2,3,4}: Jaccard 2/5, union 5, unique 3")),
    laws: [],
    exempt: [],
    samples: [r#"{"solved": [[true, true, false], [false, true, false]]}"#],
}

#[cfg(test)]
mod tests {
    use super::coverage;

    #[test]
    fn models_that_solve_nothing() {
        let out = coverage(&[vec![false; 3], vec![false; 3]]).unwrap();
        assert_eq!((out.union, out.mean_jaccard), (0, None));
        assert!(coverage(&[]).is_err() && coverage(&[vec![true], vec![]]).is_err());
    }

    #[test]
    fn the_union_splits_into_unique_and_shared() {
        let out = coverage(&[vec![true, true, false], vec![true, false, false]]).unwrap();
        assert_eq!((out.union, out.intersection, out.unique_to), (2, 1, vec![1, 0]));
    }
}
