//! PageRank on losses: every contestant hands its mass to those who beat it.
//!
//! # Formula
//!
//! ```text
//! r_i = (1 − d) / n + d · Σ_j r_j · M_ij / Σ_k M_kj,   M_ij = W_ij + T_ij / 2,   Σ r = 1
//! ```
//!
//! `d` is the damping. A contestant that never lost hands its mass to all alike.
//!
//! # When to use it
//!
//! For sparse, one-sided comparison graphs where likelihood fits do not exist. Mass grows with the number of games, so
//! busy contestants rank high: prefer `rank.bradley_terry` where it has a finite fit.
//!
//! # Departures
//!
//! evalica normalises by the Euclidean norm while it iterates and stops after 100 steps; both have the same fixed point,
//! which is what is found here (to 1e-13).
//!
//! # Example
//!
//! ```yaml
//! use: rank.pagerank
//! damping: 0.85
//! ```
//!
//! ```
//! use guerdon_rank::rank::pagerank::{PageRank, mass};
//! use guerdon_rank::{Cell, Counts};
//! let counts = Counts::from_cells(2, [Cell { a: 0, b: 1, wins_a: 3.0, wins_b: 3.0, ties: 0.0 }]);
//! assert_eq!(mass(&counts, &PageRank::default())?.0, [0.5, 0.5]);
//! # Ok::<(), guerdon_core::MethodError>(())
//! ```
//!
//! # References
//!
//! Brin and Page, "The anatomy of a large-scale hypertextual web search engine", 1998.

use guerdon_core::method::Params;
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Rate, log_strengths};
use crate::report::leaderboard::{Draft, Scale};
use crate::{Comparisons, Counts, Leaderboard};

/// Parameters of `rank.pagerank`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PageRank {
    /// Share of the mass that follows the losses, from 0 to below 1; default 0.85.
    pub damping: f64,
    /// Change of the mass (sum of absolute values) at which the iteration stops; greater than 0, default 1e-13.
    pub tolerance: f64,
    /// Most iterations, at least 1; default 10000.
    pub limit: usize,
}

impl Default for PageRank {
    fn default() -> Self {
        Self { damping: 0.85, tolerance: 1e-13, limit: 10_000 }
    }
}

impl Params for PageRank {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("damping", self.damping, 0.0, 0.999_999)?;
        ParamError::positive("tolerance", self.tolerance)?;
        ParamError::in_range("limit", self.limit as f64, 1.0, 1e9)
    }
}

/// The mass of every contestant (sums to 1) and the iterations used.
pub fn mass(counts: &Counts, params: &PageRank) -> Result<(Vec<f64>, usize), MethodError> {
    let n = counts.n();
    let mut lost = vec![0.0; n];
    for cell in counts.cells() {
        lost[cell.a as usize] += cell.total() - cell.points_a();
        lost[cell.b as usize] += cell.points_a();
    }
    let mut mass = vec![1.0 / n as f64; n];
    for iteration in 1..=params.limit {
        let next = step(counts, &lost, &mass, params.damping);
        let change: f64 = next.iter().zip(&mass).map(|(x, y)| (x - y).abs()).sum();
        mass = next;
        if change < params.tolerance {
            return Ok((mass, iteration));
        }
    }
    Err(MethodError::Budget(format!(
        "the iteration did not settle in {} steps: raise `limit`",
        params.limit
    )))
}

fn step(counts: &Counts, lost: &[f64], mass: &[f64], damping: f64) -> Vec<f64> {
    let n = mass.len() as f64;
    let handed: Vec<f64> =
        mass.iter().zip(lost).map(|(m, l)| if *l > 0.0 { m / l } else { 0.0 }).collect();
    let kept: f64 = mass.iter().zip(lost).filter(|(_, l)| **l <= 0.0).map(|(m, _)| m).sum();
    let mut next = vec![(1.0 - damping) / n + damping * kept / n; mass.len()];
    for cell in counts.cells() {
        let (a, b) = (cell.a as usize, cell.b as usize);
        next[a] += damping * cell.points_a() * handed[b];
        next[b] += damping * (cell.total() - cell.points_a()) * handed[a];
    }
    // Rounding must not let the total drift over thousands of steps.
    let total: f64 = next.iter().sum();
    for x in &mut next {
        *x /= total;
    }
    next
}

impl Rate for PageRank {
    fn rate(
        &self,
        all: &Comparisons,
        counts: &Counts,
        _seed: u64,
    ) -> Result<Leaderboard, MethodError> {
        super::needs_comparisons(counts)?;
        let (mass, iterations) = mass(counts, self)?;
        let strengths = log_strengths(&mass);
        let scale = if strengths.is_some() { Scale::Strength } else { Scale::Score };
        let mut draft = Draft::new(
            METHOD.id,
            all.names(),
            counts,
            strengths.unwrap_or_else(|| mass.clone()),
            scale,
        );
        draft.scores = Some(mass);
        draft.fit.insert("iterations".into(), iterations as f64);
        draft.warnings = all.warnings().to_vec();
        Ok(draft.finish())
    }
}

function_of_comparisons!(PageRank);

guerdon_core::method! {
    PageRank: Function,
    id: "rank.pagerank",
    papers: [],
    status: Verified(Reference("evalica 0.4.2 pagerank")),
    laws: [PermutationInvariant],
    exempt: [],
    samples: [
        r#"{"first": ["a", "b", "c", "a", "a"], "second": ["b", "c", "a", "c", "b"],
            "outcome": ["first", "tie", "first", "first", "first"]}"#
    ],
}

#[cfg(test)]
mod tests {
    use super::{PageRank, mass};
    use crate::{Cell, Counts};

    /// a beat b and c once each, b beat c: the order is plain, the mass sums to one, and without damping all are equal.
    #[test]
    fn a_chain_is_ordered() {
        let win = |a, b| Cell { a, b, wins_a: 1.0, ..Cell::default() };
        let counts = Counts::from_cells(3, [win(0, 1), win(0, 2), win(1, 2)]);
        let (r, _) = mass(&counts, &PageRank::default()).unwrap();
        assert!(r[0] > r[1] && r[1] > r[2]);
        assert!((r.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        // The values that evalica 0.4.2 gives for this chain.
        for (mine, theirs) in r.iter().zip([
            0.520_869_287_239_107_3,
            0.281_551_108_740_397_9,
            0.197_579_593_732_285_86,
        ]) {
            assert!((mine - theirs).abs() < 1e-6);
        }
        let (flat, _) = mass(&counts, &PageRank { damping: 0.0, ..PageRank::default() }).unwrap();
        assert!(flat.iter().all(|x| (x - 1.0 / 3.0).abs() < 1e-15));
    }
}
