//! Ranking quality: mean reciprocal rank, recall and hit rate at k, NDCG.
//!
//! # Formula
//!
//! ```text
//! RR = 1 / rank of the first relevant item      hit@k = 1 if a relevant item is among the first k
//! recall@k = relevant among the first k / all relevant      NDCG@k = Σ g_i/log2(i + 1) over the same for the ideal order
//! ```
//!
//! Items are ranked by falling score, ties by their place in the list; `g` is the relevance. Values are means over queries.
//!
//! # When to use it
//!
//! For a scorer that orders candidates with known right ones: reciprocal rank when only the first hit matters, NDCG with
//! graded relevance.
//!
//! # Departures
//!
//! Some harnesses call hit@k recall. A query without a relevant item has no value and is counted apart, not as 0.
//!
//! # Example
//!
//! ```yaml
//! use: stats.retrieval
//! k: 3
//! ```
//!
//! ```
//! use guerdon_stats::stats::retrieval::reciprocal_rank;
//! assert_eq!(reciprocal_rank(&[0.8, 0.1, 0.5], &[0.0, 0.0, 1.0]), Some(0.5));
//! ```
//!
//! # References
//!
//! Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", 2002.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::moments::{at_least, check_pair, finite};
use crate::order::compare;

/// Parameters of `stats.retrieval`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retrieval {
    /// How many of the first items count, at least 1. Default 10.
    pub k: usize,
}

impl Default for Retrieval {
    fn default() -> Self {
        Self { k: 10 }
    }
}

impl Params for Retrieval {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("k", self.k as f64, 1.0, f64::INFINITY)
    }
}

/// Input of `stats.retrieval`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Per query, the score of each item, finite.
    pub scores: Vec<Vec<f64>>,
    /// Per query, the relevance of each item, at least 0; above 0 is relevant.
    pub relevance: Vec<Vec<f64>>,
}

/// Output of `stats.retrieval`: means over the queries that have a relevant item; null when none has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Mean reciprocal rank.
    pub mrr: Option<f64>,
    /// Share of queries with a relevant item among the first k.
    pub hit: Option<f64>,
    /// Mean share of the relevant items that are among the first k.
    pub recall: Option<f64>,
    /// Mean NDCG at k.
    pub ndcg: Option<f64>,
    /// Queries with a relevant item.
    pub queries: usize,
}

/// The relevances in the order of falling score.
fn ranked(scores: &[f64], relevance: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| compare(scores[b], scores[a]));
    order.into_iter().map(|i| relevance[i]).collect()
}

/// 1 / rank of the first relevant item; `None` without one. Slices are equally long.
pub fn reciprocal_rank(scores: &[f64], relevance: &[f64]) -> Option<f64> {
    ranked(scores, relevance).iter().position(|g| *g > 0.0).map(|at| 1.0 / (at + 1) as f64)
}

fn gain(relevance: &[f64], k: usize) -> f64 {
    relevance.iter().take(k).enumerate().map(|(i, g)| g / (i as f64 + 2.0).log2()).sum()
}

impl Function for Retrieval {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        MethodError::same_length(
            ("scores", input.scores.len()),
            ("relevance", input.relevance.len()),
        )?;
        at_least("scores", input.scores.len(), 1)?;
        let (mut sums, mut queries) = ([0.0; 4], 0);
        for (scores, relevance) in input.scores.iter().zip(&input.relevance) {
            check_pair(("scores of a query", scores), ("relevance of a query", relevance))?;
            if relevance.iter().any(|g| *g < 0.0) {
                return Err(MethodError::domain("`relevance` must not be negative"));
            }
            let Some(reciprocal) = reciprocal_rank(scores, relevance) else { continue };
            let ranked = ranked(scores, relevance);
            let mut ideal = relevance.clone();
            ideal.sort_by(|a, b| compare(*b, *a));
            let relevant = |list: &[f64]| list.iter().filter(|g| **g > 0.0).count() as f64;
            let found = relevant(&ranked[..self.k.min(ranked.len())]);
            let ndcg =
                finite("ndcg", gain(&ranked, self.k))? / finite("ndcg", gain(&ideal, self.k))?;
            let own =
                [reciprocal, f64::from(u8::from(found > 0.0)), found / relevant(relevance), ndcg];
            (0..4).for_each(|i| sums[i] += own[i]);
            queries += 1;
        }
        let mean = |i: usize| (queries > 0).then(|| sums[i] / queries as f64);
        Ok(Output { mrr: mean(0), hit: mean(1), recall: mean(2), ndcg: mean(3), queries })
    }
}

guerdon_core::method! {
    Retrieval: Function,
    id: "stats.retrieval",
    papers: [],
    status: Verified(Reference("lighteval mrr and recall@k")),
    laws: [PermutationInvariant],
    exempt: [],
    samples: [
        r#"{"scores": [[0.8, 0.1, 0.5], [0.2, 0.9, 0.4]], "relevance": [[0, 0, 1], [2, 0, 1]]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Input, Retrieval};
    use guerdon_core::method::Function as _;

    #[test]
    fn a_query_without_a_relevant_item_is_left_out() {
        let input = Input {
            scores: vec![vec![1.0, 2.0], vec![1.0]],
            relevance: vec![vec![1.0, 0.0], vec![0.0]],
        };
        let out = Retrieval { k: 1 }.call(&input, 0).unwrap();
        assert_eq!(
            (out.mrr, out.hit, out.recall, out.queries),
            (Some(0.5), Some(0.0), Some(0.0), 1)
        );
    }

    #[test]
    fn the_ideal_order_has_ndcg_one() {
        let input =
            Input { scores: vec![vec![3.0, 2.0, 1.0]], relevance: vec![vec![2.0, 1.0, 0.0]] };
        assert_eq!(Retrieval::default().call(&input, 0).unwrap().ndcg, Some(1.0));
    }
}
