//! Fast fixed-point iteration for strengths with ties: the Davidson model by Newman's update.
//!
//! # Formula
//!
//! ```text
//! P(a) = p_a / D, P(tie) = 2 v √(p_a p_b) / D,   D = p_a + p_b + 2 v √(p_a p_b)
//! p_i ← Σ_j w_ij (p_j + v √(p_i p_j)) / D_ij  /  Σ_j w_ji (1 + v √(p_j / p_i)) / D_ij,        w = W + T / 2
//! v   ← ½ Σ_ij T_ij (p_i + p_j) / D_ij  /  2 Σ_ij W_ij √(p_i p_j) / D_ij,                     T symmetric
//! ```
//!
//! # When to use it
//!
//! To reproduce evalica's `newman`, or as a check on `rank.bradley_terry` with `ties: davidson`, which has the same maximum
//! (ν = 2v), finds it by Newton's method and gives intervals.
//!
//! # Departures
//!
//! The update leaves the scale of `p` free, and evalica reports it as it falls: `score` here is that raw value, `strength`
//! its centred logarithm. The default tolerance is 1e-12 where evalica stops at 1e-6 or after 100 steps; `preset: evalica`
//! stops where it does. A contestant without a point or without a loss is an error, where evalica writes 1e-6.
//!
//! # Example
//!
//! ```yaml
//! use: rank.newman
//! ```
//!
//! ```
//! use guerdon_rank::rank::newman::{Newman, iterate};
//! use guerdon_rank::{Cell, Counts};
//! let counts = Counts::from_cells(2, [Cell { a: 0, b: 1, wins_a: 3.0, wins_b: 1.0, ties: 2.0 }]);
//! let found = iterate(&counts, &Newman::default())?;
//! assert!((found.scores[0] / found.scores[1] - 3.0).abs() < 1e-9);
//! # Ok::<(), guerdon_core::MethodError>(())
//! ```
//!
//! # References
//!
//! Newman, "Efficient computation of rankings from pairwise comparisons", Journal of Machine Learning Research 24, 2023.

use guerdon_core::method::Params;
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Rate, log_strengths};
use crate::report::leaderboard::{Draft, Scale};
use crate::{Comparisons, Counts, Leaderboard, graph};

/// When the iteration stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// At `tolerance`; reaching `limit` is an error.
    #[default]
    Converged,
    /// At a change of 1e-6 or after 100 steps, whichever comes first, as evalica does.
    Evalica,
}

/// Parameters of `rank.newman`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Newman {
    /// When the iteration stops. Default: converged.
    pub preset: Preset,
    /// Where `v` starts; greater than 0, default 0.5.
    pub v: f64,
    /// Change of the strengths (Euclidean norm) at which the iteration stops; greater than 0, default 1e-12.
    pub tolerance: f64,
    /// Most iterations, at least 1; default 100000.
    pub limit: usize,
}

impl Default for Newman {
    fn default() -> Self {
        Self { preset: Preset::Converged, v: 0.5, tolerance: 1e-12, limit: 100_000 }
    }
}

impl Params for Newman {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::positive("v", self.v)?;
        ParamError::positive("tolerance", self.tolerance)?;
        ParamError::in_range("limit", self.limit as f64, 1.0, 1e9)
    }
}

/// Where the iteration ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Strengths `p`, positive, of free scale.
    pub scores: Vec<f64>,
    /// The tie parameter; ν = 2v.
    pub v: f64,
    /// Iterations used.
    pub iterations: usize,
}

/// Runs the iteration from equal strengths.
pub fn iterate(counts: &Counts, params: &Newman) -> Result<Found, MethodError> {
    let (tolerance, limit) = match params.preset {
        Preset::Converged => (params.tolerance, params.limit),
        Preset::Evalica => (1e-6, 100),
    };
    if let Some(found) = graph::separation(counts, &[]) {
        return Err(MethodError::domain(format!(
            "{} of {} contestants never lost to the others: their strengths have no finite estimate; use \
             `rank.bradley_terry` with `ridge`",
            found.above.len(),
            counts.n()
        )));
    }
    let mut roots = vec![1.0; counts.n()];
    let mut next_v = params.v;
    for iterations in 1..=limit {
        let v = next_v;
        let (next, updated) = step(counts, &roots, v);
        next_v = updated;
        let change =
            next.iter().zip(&roots).map(|(x, root)| (x - root * root).powi(2)).sum::<f64>().sqrt();
        roots = next.iter().map(|x| x.sqrt()).collect();
        if change < tolerance || (params.preset == Preset::Evalica && iterations == limit) {
            return Ok(Found { scores: next, v, iterations });
        }
        if !change.is_finite() {
            break;
        }
    }
    Err(MethodError::Budget(format!(
        "the iteration did not settle in {limit} steps: raise `limit`"
    )))
}

/// One update: the new strengths and the new `v`. `roots` are the square roots of the strengths.
fn step(counts: &Counts, roots: &[f64], v: f64) -> (Vec<f64>, f64) {
    let mut sums = vec![(0.0, 0.0); roots.len()];
    let (mut tied, mut won) = (0.0, 0.0);
    for cell in counts.cells() {
        let (a, b) = (cell.a as usize, cell.b as usize);
        let (of_a, of_b, both) = (roots[a] * roots[a], roots[b] * roots[b], roots[a] * roots[b]);
        let share = 1.0 / (of_a + of_b + 2.0 * v * both);
        let (points_a, points_b) = (cell.wins_a + 0.5 * cell.ties, cell.wins_b + 0.5 * cell.ties);
        sums[a].0 += points_a * (of_b + v * both) * share;
        sums[b].0 += points_b * (of_a + v * both) * share;
        sums[a].1 += points_b * (1.0 + v * roots[b] / roots[a]) * share;
        sums[b].1 += points_a * (1.0 + v * roots[a] / roots[b]) * share;
        // The symmetric matrix of ties holds each tie twice, which the factor ½ takes back.
        tied += cell.ties * (of_a + of_b) * share;
        won += 2.0 * (cell.wins_a + cell.wins_b) * both * share;
    }
    let scores =
        sums.into_iter().map(|(up, down)| if down > 0.0 { up / down } else { 1.0 }).collect();
    (scores, if won > 0.0 { tied / won } else { v })
}

impl Rate for Newman {
    fn rate(
        &self,
        all: &Comparisons,
        counts: &Counts,
        _seed: u64,
    ) -> Result<Leaderboard, MethodError> {
        super::needs_comparisons(counts)?;
        let found = iterate(counts, self)?;
        let strengths = log_strengths(&found.scores)
            .ok_or_else(|| MethodError::domain("a strength vanished"))?;
        let mut draft = Draft::new(METHOD.id, all.names(), counts, strengths, Scale::Strength);
        let components = graph::connected(counts, &[]);
        components.center(&mut draft.values);
        draft.component = components.label;
        draft.scores = Some(found.scores);
        draft.fit.insert("v".into(), found.v);
        draft.fit.insert("iterations".into(), found.iterations as f64);
        draft.warnings = all.warnings().to_vec();
        Ok(draft.finish())
    }
}

function_of_comparisons!(Newman);

guerdon_core::method! {
    Newman: Function,
    id: "rank.newman",
    papers: [],
    status: Verified(Reference("evalica 0.4.2 newman")),
    laws: [PermutationInvariant],
    exempt: [],
    samples: [
        r#"{"first": ["a", "b", "c", "a", "a"], "second": ["b", "c", "a", "c", "b"],
            "outcome": ["first", "tie", "first", "first", "first"]}"#
    ],
}

#[cfg(test)]
mod tests {
    use super::{Newman, iterate};
    use crate::fit::{Options, Ties, fit};
    use crate::rank::log_strengths;
    use crate::{Cell, Counts};

    #[test]
    fn it_is_the_davidson_fit() {
        let cell = |a, b, wins_a, wins_b, ties| Cell { a, b, wins_a, wins_b, ties };
        let cells =
            [cell(0, 1, 3.0, 1.0, 2.0), cell(1, 2, 3.0, 1.0, 2.0), cell(0, 2, 4.0, 1.0, 1.0)];
        let counts = Counts::from_cells(3, cells);
        let found = iterate(&counts, &Newman::default()).unwrap();
        let names = ["a", "b", "c"].map(str::to_owned);
        let davidson =
            fit(&counts, &names, &Options { ties: Ties::Davidson, ..Options::default() }).unwrap();
        let strengths = log_strengths(&found.scores).unwrap();
        assert!(strengths.iter().zip(&davidson.theta).all(|(x, y)| (x - y).abs() < 1e-9));
        assert!((2.0 * found.v - davidson.tau.exp()).abs() < 1e-9);
    }

    #[test]
    fn a_sweep_is_an_error() {
        let counts = Counts::from_cells(2, [Cell { a: 0, b: 1, wins_a: 3.0, ..Cell::default() }]);
        assert!(
            iterate(&counts, &Newman::default()).unwrap_err().to_string().contains("never lost")
        );
    }
}
