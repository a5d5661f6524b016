//! maj@k: how often the majority answer of k samples is right.
//!
//! # Formula
//!
//! ```text
//! maj@k = mean over tasks of [ majority(answers drawn) = reference ]
//! ```
//!
//! With `draws: 0` the first k answers of a task vote; otherwise `draws` random choices of k of its answers do, and the value
//! is the share of them that end right. Ties go to the answer seen first.
//!
//! # When to use it
//!
//! For what self-consistency would score at a budget of k, read off a larger pool. The ceiling over any choice is
//! `stats.pass_at_k`.
//!
//! # Departures
//!
//! None from the plain definition for `draws: 0` (the reference implementation's). A task with fewer than k answers has no
//! value. Missing answers do not vote; if all are missing the task counts wrong.
//!
//! # Example
//!
//! ```yaml
//! use: stats.maj_at_k
//! k: [4]
//! ```
//!
//! ```
//! use guerdon_stats::stats::maj_at_k::majority;
//! assert_eq!(majority(["b", "a", "a", "b"].map(Some)), Some("b"));
//! ```
//!
//! # References
//!
//! Wang et al., "Self-Consistency Improves Chain of Thought Reasoning in Language Models", 2023.

use super::bootstrap::{check_level, check_rounds};
use super::pass_at_k::{AtK, check_k, summarise};
use crate::moments::at_least;
use crate::resample::budget;
use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError, seed};
use rand::RngExt as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Parameters of `stats.maj_at_k`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MajAtK {
    /// Numbers of answers that vote, each at least 1. Default `[1]`.
    pub k: Vec<u64>,
    /// Random choices of k answers per task, 0 to 1,000,000. Default 0: the first k vote.
    pub draws: u32,
    /// Bootstrap resamples of the tasks, 0 (no interval) to 1,000,000. Default 1000.
    pub rounds: u32,
    /// Confidence level, between 0 and 1. Default 0.95.
    pub level: f64,
}

impl Default for MajAtK {
    fn default() -> Self {
        Self { k: vec![1], draws: 0, rounds: 1000, level: 0.95 }
    }
}

impl Params for MajAtK {
    fn validate(&self) -> Result<(), ParamError> {
        check_k(&self.k)?;
        ParamError::in_range("draws", f64::from(self.draws), 0.0, 1e6)?;
        check_rounds(self.rounds.max(1))?;
        check_level(self.level)
    }
}

/// Input of `stats.maj_at_k`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Per task, the answers in their order; null where none could be read. At least one task.
    pub answers: Vec<Vec<Option<String>>>,
    /// Per task, the right answer, compared as text.
    pub references: Vec<String>,
}

/// Output of `stats.maj_at_k`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// One entry per `k`, in the order asked for.
    pub at: Vec<AtK>,
}

/// The most frequent answer; ties go to the one seen first, missing answers do not vote.
pub fn majority<'a>(answers: impl IntoIterator<Item = Option<&'a str>>) -> Option<&'a str> {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for answer in answers.into_iter().flatten() {
        match counts.iter_mut().find(|(known, _)| *known == answer) {
            Some((_, count)) => *count += 1,
            None => counts.push((answer, 1)),
        }
    }
    // Of equal counts `max_by_key` takes the last, hence the reversal.
    counts.iter().rev().max_by_key(|(_, count)| *count).map(|(answer, _)| *answer)
}

impl MajAtK {
    /// The share of votes of `k` of `answers` that end at `reference`; `None` for too few answers.
    fn task(
        &self,
        answers: &[Option<String>],
        reference: &str,
        k: u64,
        label: &str,
        seed: u64,
    ) -> Option<f64> {
        let k = usize::try_from(k).ok().filter(|k| *k <= answers.len())?;
        let right = |order: &[usize]| {
            f64::from(u8::from(
                majority(order.iter().map(|&i| answers[i].as_deref())) == Some(reference),
            ))
        };
        let mut order: Vec<usize> = (0..answers.len()).collect();
        if self.draws == 0 {
            return Some(right(&order[..k]));
        }
        let mut rng = seed::stream(seed, label);
        let hits: f64 = (0..self.draws)
            .map(|_| {
                for i in 0..k {
                    let j = rng.random_range(i..order.len());
                    order.swap(i, j);
                }
                right(&order[..k])
            })
            .sum();
        Some(hits / f64::from(self.draws))
    }
}

impl Function for MajAtK {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, seed: u64) -> Result<Output, MethodError> {
        let tasks = input.answers.len();
        MethodError::same_length(("answers", tasks), ("references", input.references.len()))?;
        at_least("answers", tasks, 1)?;
        let draws: u64 =
            self.k.iter().map(|k| k.saturating_mul(tasks as u64)).fold(0, u64::saturating_add);
        if self.draws > 0 {
            budget(self.draws, draws)?;
        }
        let for_k = |&k: &u64| {
            let rows = input.answers.iter().zip(&input.references).enumerate();
            let per_task = rows
                .map(|(t, (a, r))| self.task(a, r, k, &format!("maj_at_k {k} {t}"), seed))
                .collect();
            summarise(k, per_task, self.rounds, self.level, seed)
        };
        Ok(Output { at: self.k.iter().map(for_k).collect::<Result<_, _>>()? })
    }
}

guerdon_core::method! {
    MajAtK: Function,
    id: "stats.maj_at_k",
    papers: [],
    status: Verified(Reference("lighteval maj_at_k")),
    laws: [],
    exempt: [PermutationInvariant: "values per task follow the order of the tasks; the means do not depend on it."],
    sample_params: r#"{"k": [1, 2]}"#,
    samples: [r#"{"answers": [["a", "b", "a"], [null, "b", "c"]], "references": ["a", "c"]}"#],
}

#[cfg(test)]
mod tests {
    use super::{Input, MajAtK, majority};
    use guerdon_core::method::Function as _;

    fn at(params: &MajAtK, answers: &[&str], reference: &str) -> Option<f64> {
        let answers = vec![answers.iter().map(|a| Some((*a).to_owned())).collect()];
        let input = Input { answers, references: vec![reference.to_owned()] };
        params.call(&input, 1).unwrap().at[0].mean
    }

    #[test]
    fn the_first_k_vote() {
        let k = |k| MajAtK { k: vec![k], ..MajAtK::default() };
        assert_eq!(at(&k(3), &["a", "b", "b"], "b"), Some(1.0));
        assert_eq!(at(&k(2), &["a", "b", "b"], "b"), Some(0.0));
        assert_eq!(at(&k(4), &["a", "b", "b"], "b"), None);
        assert_eq!(majority([None, None]), None);
    }

    #[test]
    fn drawn_votes_of_one_are_the_accuracy() {
        let params = MajAtK { draws: 20_000, ..MajAtK::default() };
        assert!((at(&params, &["a", "b", "b", "c"], "b").unwrap() - 0.5).abs() < 0.02);
    }
}
