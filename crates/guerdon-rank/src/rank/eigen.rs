//! Principal eigenvector of the matrix of points: beating the strong counts for more.
//!
//! # Formula
//!
//! ```text
//! r ∝ M r,   M_ij = W_ij + T_ij / 2,   |r|₂ = 1
//! ```
//!
//! found by power iteration from equal values.
//!
//! # When to use it
//!
//! As a second opinion beside `rank.bradley_terry` in a league where everybody met everybody. Raw counts weigh frequent
//! pairs more. With an acyclic or disconnected graph the vector is concentrated on a few contestants.
//!
//! # Departures
//!
//! evalica 0.4.2 iterates the transposed matrix, so that losers score high: `orientation: losers` reproduces its numbers
//! (with `limit: 100`, `tolerance: 1e-6`); the default ranks winners high. The plain iteration may oscillate where nobody
//! meets within a half of the contestants; that is an error here, not a last iterate.
//!
//! # Example
//!
//! ```yaml
//! use: rank.eigen
//! ```
//!
//! ```
//! use guerdon_rank::rank::eigen::{Eigen, vector};
//! use guerdon_rank::{Cell, Counts};
//! let cell = |a, b, wins_a, wins_b| Cell { a, b, wins_a, wins_b, ties: 0.0 };
//! let counts = Counts::from_cells(3, [cell(0, 1, 3.0, 1.0), cell(0, 2, 3.0, 1.0), cell(1, 2, 2.0, 2.0)]);
//! let (r, _) = vector(&counts, &Eigen::default())?;
//! assert!(r[0] > r[1] && (r[1] - r[2]).abs() < 1e-9);
//! # Ok::<(), guerdon_core::MethodError>(())
//! ```
//!
//! # References
//!
//! Bonacich, "Power and centrality", 1987; Keener, "The Perron-Frobenius theorem and the ranking of football teams", 1993.

use guerdon_core::method::Params;
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Rate, log_strengths};
use crate::report::leaderboard::{Draft, Scale};
use crate::{Comparisons, Counts, Leaderboard};

/// Who scores high.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Orientation {
    /// Winners.
    #[default]
    Winners,
    /// Losers, as evalica 0.4.2 does.
    Losers,
}

/// Parameters of `rank.eigen`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Eigen {
    /// Who scores high. Default: winners.
    pub orientation: Orientation,
    /// Change of the vector (Euclidean norm) at which the iteration stops; greater than 0, default 1e-12.
    pub tolerance: f64,
    /// Most iterations, at least 1; default 10000.
    pub limit: usize,
    /// The last iterate is good enough when the limit is reached, as in evalica. Default: no, it is an error.
    pub last_iterate: bool,
}

impl Default for Eigen {
    fn default() -> Self {
        Self {
            orientation: Orientation::Winners,
            tolerance: 1e-12,
            limit: 10_000,
            last_iterate: false,
        }
    }
}

impl Params for Eigen {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::positive("tolerance", self.tolerance)?;
        ParamError::in_range("limit", self.limit as f64, 1.0, 1e9)
    }
}

/// The principal eigenvector (Euclidean norm 1) and the iterations used.
pub fn vector(counts: &Counts, params: &Eigen) -> Result<(Vec<f64>, usize), MethodError> {
    let n = counts.n();
    let mut vector = vec![1.0 / n as f64; n];
    for iteration in 1..=params.limit {
        let mut next = times(counts, &vector, params.orientation);
        let norm = next.iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm == 0.0 {
            return Err(MethodError::domain(
                "the powers of the matrix of points vanish (no cycle of wins): use `rank.bradley_terry` with `ridge`",
            ));
        }
        for x in &mut next {
            *x /= norm;
        }
        let change = next.iter().zip(&vector).map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt();
        vector = next;
        if change < params.tolerance || (params.last_iterate && iteration == params.limit) {
            return Ok((vector, iteration));
        }
    }
    Err(MethodError::Budget(format!(
        "the power iteration did not settle in {} steps: raise `limit`",
        params.limit
    )))
}

fn times(counts: &Counts, vector: &[f64], orientation: Orientation) -> Vec<f64> {
    let mut product = vec![0.0; vector.len()];
    for cell in counts.cells() {
        let (a, b) = (cell.a as usize, cell.b as usize);
        let (mut of_a, mut of_b) = (cell.points_a(), cell.total() - cell.points_a());
        if orientation == Orientation::Losers {
            std::mem::swap(&mut of_a, &mut of_b);
        }
        product[a] += of_a * vector[b];
        product[b] += of_b * vector[a];
    }
    product
}

impl Rate for Eigen {
    fn rate(
        &self,
        all: &Comparisons,
        counts: &Counts,
        _seed: u64,
    ) -> Result<Leaderboard, MethodError> {
        super::needs_comparisons(counts)?;
        let (vector, iterations) = vector(counts, self)?;
        let strengths = log_strengths(&vector);
        let scale = if strengths.is_some() { Scale::Strength } else { Scale::Score };
        let mut draft = Draft::new(
            METHOD.id,
            all.names(),
            counts,
            strengths.unwrap_or_else(|| vector.clone()),
            scale,
        );
        draft.scores = Some(vector);
        draft.fit.insert("iterations".into(), iterations as f64);
        draft.warnings = all.warnings().to_vec();
        Ok(draft.finish())
    }
}

function_of_comparisons!(Eigen);

guerdon_core::method! {
    Eigen: Function,
    id: "rank.eigen",
    papers: [],
    status: Verified(Reference("evalica 0.4.2 eigen (orientation losers)")),
    laws: [PermutationInvariant],
    exempt: [],
    samples: [
        r#"{"first": ["a", "b", "c", "a", "a"], "second": ["b", "c", "a", "c", "b"],
            "outcome": ["first", "tie", "first", "first", "first"]}"#
    ],
}

#[cfg(test)]
mod tests {
    use super::{Eigen, Orientation, vector};
    use crate::{Cell, Counts};

    #[test]
    fn a_cycle_is_level_and_a_chain_is_an_error() {
        let win = |a, b| Cell { a, b, wins_a: 1.0, ..Cell::default() };
        let cycle = Counts::from_cells(3, [win(0, 1), win(1, 2), win(2, 0)]);
        let (r, _) = vector(&cycle, &Eigen::default()).unwrap();
        assert!(r.iter().all(|x| (x - 1.0 / 3_f64.sqrt()).abs() < 1e-12));
        let chain = Counts::from_cells(3, [win(0, 1), win(1, 2), win(0, 2)]);
        assert!(vector(&chain, &Eigen::default()).is_err());
    }

    #[test]
    fn orientation_turns_the_order() {
        let cell = |a, b, wins_a, wins_b| Cell { a, b, wins_a, wins_b, ties: 1.0 };
        let counts = Counts::from_cells(
            3,
            [cell(0, 1, 3.0, 1.0), cell(0, 2, 3.0, 1.0), cell(1, 2, 4.0, 1.0)],
        );
        let top = |orientation| {
            let (r, _) = vector(&counts, &Eigen { orientation, ..Eigen::default() }).unwrap();
            crate::uncertainty::ranks::order(&r)[0]
        };
        assert_eq!((top(Orientation::Winners), top(Orientation::Losers)), (0, 2));
    }
}
