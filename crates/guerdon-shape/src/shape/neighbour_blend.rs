//! Blends a reward with the known rewards of similar examples, so that near prompts are judged alike.
//!
//! # Formula
//!
//! ```text
//! r'_i = (1 − w) · r_i + w · Σ_j sim_ij · b_ij / Σ_j sim_ij      over the k most similar neighbours j
//! ```
//!
//! `b_ij` are the rewards of neighbours (the columns `neighbours`: single values or lists), `sim_ij` their similarities (the
//! columns `similarities`, in the same shape; negative ones count as 0). Without `similarities` all count alike. A rollout
//! without neighbours keeps its reward.
//!
//! # When to use it
//!
//! With a learned reward that contradicts itself on paraphrases, and an index of training examples with trusted rewards.
//!
//! # Departures
//!
//! The paper blends with rewards of near training examples; weights and distance were not available to us: similarity
//! weights are our choice. Finding the neighbours is the user's: [`nearest`] does it for embeddings in memory.
//!
//! # Example
//!
//! ```yaml
//! use: shape.neighbour_blend
//! neighbours: near_rewards
//! similarities: near_similarities
//! weight: 0.5
//! ```
//!
//! ```
//! use guerdon_shape::shape::neighbour_blend::nearest;
//! let bank = [(vec![1.0, 0.0], 0.9), (vec![0.0, 1.0], 0.1)];
//! assert_eq!(nearest(&[2.0, 0.0], &bank, 1), [(1.0, 0.9)]);
//! ```
//!
//! # References
//!
//! Shen et al., "The Trickle-down Impact of Reward (In-)consistency on RLHF", 2023 (`RewardFusion`).

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, MethodError, ParamError, View};
use guerdon_stats::order::compare;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fine::settle;
use super::reference::{References, names};

/// Parameters of `shape.neighbour_blend`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NeighbourBlend {
    /// Columns with the rewards of similar examples: a name or a list. Default `neighbours`.
    #[serde(deserialize_with = "names")]
    pub neighbours: Vec<String>,
    /// Columns with their similarities, in the same shape. Default: all count alike.
    #[serde(deserialize_with = "names")]
    pub similarities: Vec<String>,
    /// Share w of the neighbours. 0 to 1; default 0.5.
    pub weight: f64,
    /// The most neighbours that count. At least 1; default 8.
    pub k: usize,
}

impl Default for NeighbourBlend {
    fn default() -> Self {
        Self {
            neighbours: vec!["neighbours".to_owned()],
            similarities: Vec::new(),
            weight: 0.5,
            k: 8,
        }
    }
}

impl Params for NeighbourBlend {
    fn validate(&self) -> Result<(), ParamError> {
        if self.neighbours.is_empty() {
            return Err(ParamError::new(
                "neighbours",
                "`neighbours` must name at least one column",
            ));
        }
        ParamError::in_range("weight", self.weight, 0.0, 1.0)?;
        ParamError::in_range("k", self.k as f64, 1.0, f64::INFINITY)
    }
}

/// Similarity (cosine) and reward of the `k` examples of `bank` nearest to `query`, nearest first, ties in input order.
pub fn nearest(query: &[f64], bank: &[(Vec<f64>, f64)], k: usize) -> Vec<(f64, f64)> {
    let mut scored: Vec<(f64, f64)> =
        bank.iter().map(|(embedding, reward)| (cosine(query, embedding), *reward)).collect();
    scored.sort_by(|a, b| compare(b.0, a.0));
    scored.truncate(k);
    scored
}

/// The cosine of two vectors; 0 where one of them has no direction.
fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(p, q)| p * q).sum::<f64>();
    let norms = (dot(a, a) * dot(b, b)).sqrt();
    if norms > 0.0 { dot(a, b) / norms } else { 0.0 }
}

impl NeighbourBlend {
    /// The blended reward; `neighbours` holds similarity and reward of each.
    pub fn value(&self, reward: f64, neighbours: &[(f64, f64)]) -> f64 {
        let mut near = neighbours.to_vec();
        near.sort_by(|a, b| compare(b.0, a.0));
        near.truncate(self.k);
        let total: f64 = near.iter().map(|(s, _)| s.max(0.0)).sum();
        if total <= 0.0 {
            return reward;
        }
        let known: f64 = near.iter().map(|(s, b)| s.max(0.0) / total * b).sum();
        (1.0 - self.weight) * reward + self.weight * known
    }
}

impl Transform for NeighbourBlend {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let current = view.current()?;
        let rewards = References::of(view, &self.neighbours, usize::MAX)?;
        let similarities = References::of(view, &self.similarities, usize::MAX)?;
        let (mut known, mut similar) = (Vec::new(), Vec::new());
        let mut out = Vec::with_capacity(current.len());
        for (row, reward) in current.iter().enumerate() {
            rewards.of_row(row, &mut known);
            similarities.of_row(row, &mut similar);
            if self.similarities.is_empty() {
                similar.resize(known.len(), 1.0);
            }
            MethodError::same_length(("similarities", similar.len()), ("neighbours", known.len()))?;
            let pairs: Vec<(f64, f64)> =
                similar.iter().copied().zip(known.iter().copied()).collect();
            out.push(reward.map(|r| self.value(r, &pairs)));
        }
        Ok(settle(current, Column::from_options(out)))
    }

    fn reads(&self) -> Vec<String> {
        self.neighbours.iter().chain(&self.similarities).cloned().collect()
    }

    fn scope(&self) -> Scope {
        Scope::Rollout
    }
}

guerdon_core::method! {
    NeighbourBlend: Transform,
    id: "shape.neighbour_blend",
    papers: ["contrast-instructions-2023"],
    status: Stable,
    laws: [GroupLocal],
    exempt: [],
    sample_params: r#"{"neighbours": ["b", "score"]}"#,
}

#[cfg(test)]
mod tests {
    use super::{NeighbourBlend, nearest};

    #[test]
    fn neighbours_count_by_similarity() {
        let blend = NeighbourBlend::default();
        assert_eq!(blend.value(1.0, &[(1.0, 0.0), (0.5, 3.0)]), 1.0);
        assert_eq!(blend.value(1.0, &[(1.0, 0.0), (-0.5, 3.0)]), 0.5);
        assert_eq!(blend.value(1.0, &[]), 1.0);
        let alone = NeighbourBlend { weight: 0.0, ..NeighbourBlend::default() };
        assert_eq!(alone.value(0.25, &[(1.0, 9.0)]), 0.25);
    }

    #[test]
    fn the_nearest_by_cosine() {
        let bank = [(vec![1.0, 0.0], 1.0), (vec![1.0, 1.0], 2.0), (vec![-1.0, 0.0], 3.0)];
        let own = nearest(&[3.0, 0.0], &bank, 2);
        assert_eq!((own[0], own[1].1), ((1.0, 1.0), 2.0));
        assert_eq!(nearest(&[0.0, 0.0], &bank, 1), [(0.0, 1.0)]);
    }
}
