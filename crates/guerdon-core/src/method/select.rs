//! Selectors: candidates in, the chosen one out.

use serde::{Deserialize, Serialize};

use crate::Unscored;

/// The candidates for one prompt. All lists that are not empty are equally long.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Candidates {
    /// The answer of each candidate; `None` where none could be extracted.
    #[serde(default)]
    pub answers: Vec<Option<String>>,
    /// The score of each candidate (greater is better); empty when there are none.
    #[serde(default)]
    pub scores: Vec<Option<f64>>,
    /// Scores per step of each candidate; empty when there are none.
    #[serde(default)]
    pub step_scores: Vec<Vec<f64>>,
    /// Log-probability of each candidate; empty when unknown.
    #[serde(default)]
    pub logprobs: Vec<Option<f64>>,
}

impl Candidates {
    /// Number of candidates.
    pub fn len(&self) -> usize {
        self.answers
            .len()
            .max(self.scores.len())
            .max(self.step_scores.len())
            .max(self.logprobs.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Checks that all lists that are not empty are equally long and every number is finite.
    pub fn check(&self) -> Result<(), Unscored> {
        let n = self.len();
        let lens =
            [self.answers.len(), self.scores.len(), self.step_scores.len(), self.logprobs.len()];
        if lens.iter().any(|len| *len != 0 && *len != n) {
            return Err(Unscored::invalid(format!(
                "the candidates' lists differ in length: {lens:?}"
            )));
        }
        let numbers = self
            .scores
            .iter()
            .chain(&self.logprobs)
            .flatten()
            .chain(self.step_scores.iter().flatten());
        match numbers.into_iter().find(|x| !x.is_finite()) {
            Some(bad) => Err(Unscored::invalid(format!("a candidate's number is {bad}"))),
            None => Ok(()),
        }
    }
}

/// What a selector chose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Selection {
    /// Index of the chosen candidate.
    pub index: usize,
    /// How strongly it was chosen: its share of the votes or weight, 0 to 1, where the method has one.
    pub share: Option<f64>,
    /// Each distinct answer with its weight, strongest first, where the method counts answers.
    pub tally: Vec<(String, f64)>,
}

/// Chooses among given candidates.
pub trait Selector: Send + Sync {
    /// The chosen candidate; abstains when there is nothing to choose. `seed` breaks ties where the method says so.
    fn select(&self, candidates: &Candidates, seed: u64) -> Result<Selection, Unscored>;
}
