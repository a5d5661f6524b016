//! Do preferences run in circles? Cyclic triads, the Hodge decomposition, and a test of the one-strength model.
//!
//! # Formula
//!
//! ```text
//! majority: i beats j when it won more points;  a triad i, j, k that all met is cyclic when i beats j beats k beats i
//! flow: Y_ij = ln((points_ij + ½) / (points_ji + ½)), weighted by n_ij
//! Hodge: Y = grad s + curl + harmonic, orthogonal in the weighted inner product;  shares of |Y|² sum to 1
//! test: deviance of Bradley–Terry (decided comparisons) against one probability per pair, χ² with pairs − (n − groups)
//! ```
//!
//! The gradient is what strengths explain; the curl is circles of three; the harmonic part is longer circles.
//!
//! # When to use it
//!
//! Before a rating is trusted. A small p-value says that no single strength per contestant describes the comparisons.
//! Noise alone makes some triads cyclic and some flow curl: judge by the test, look at the cycles for who is involved.
//!
//! # Departures
//!
//! Half a point on either side keeps the flow finite. `curl` is missing when the triads are too many to project on (above
//! 300,000) and pairs are missing; when all pairs met there is no harmonic part, and the curl is what the gradient leaves.
//!
//! # Example
//!
//! ```yaml
//! use: rank.intransitivity
//! ```
//!
//! ```
//! use guerdon_core::method::Function as _;
//! use guerdon_rank::rank::intransitivity::Intransitivity;
//! use guerdon_rank::{Comparisons, Outcome};
//! let all = Comparisons::from_names(&["rock", "paper", "scissors"], &["scissors", "rock", "paper"], vec![Outcome::First; 3])?;
//! let out = Intransitivity::default().call(&all, 0)?;
//! assert_eq!((out.triads, out.cyclic), (1, 1));
//! assert!(out.gradient.abs() < 1e-12);
//! # Ok::<(), guerdon_core::MethodError>(())
//! ```
//!
//! # References
//!
//! Kendall and Babington Smith, "On the method of paired comparisons", 1940; Jiang, Lim, Yao and Ye, "Statistical ranking and
//! combinatorial Hodge theory", Mathematical Programming 127, 2011.

use std::collections::BTreeMap;

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fit::pair::sigmoid;
use crate::fit::{self, Options};
use crate::linalg::{Cholesky, Matrix, dot};
use crate::{Cell, Comparisons, Counts, graph};

/// Most contestants: all triads are looked at.
const MOST: usize = 500;
/// Most triads on which the flow is projected.
const MOST_TRIADS: usize = 300_000;

/// Parameters of `rank.intransitivity`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Intransitivity {
    /// How many of the surest cycles are listed; default 10.
    pub list: usize,
}

impl Default for Intransitivity {
    fn default() -> Self {
        Self { list: 10 }
    }
}

impl Params for Intransitivity {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("list", self.list as f64, 0.0, 10_000.0)
    }
}

/// A circle of three.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cycle {
    /// Each beats the next, the last beats the first.
    pub members: Vec<String>,
    /// Share of the points that each won against the next.
    pub shares: Vec<f64>,
    /// The weakest of its three majorities, in standard errors.
    pub z: f64,
}

/// How far the comparisons are from one strength per contestant.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Circles {
    /// Triads that all met, without an even pair.
    pub triads: u64,
    /// Cyclic ones among them.
    pub cyclic: u64,
    /// Share of the flow that strengths explain, 0 to 1.
    pub gradient: f64,
    /// Share that circles of three explain.
    pub curl: Option<f64>,
    /// Share that only longer circles explain.
    pub harmonic: Option<f64>,
    /// Deviance of the one-strength model; `None` where it has no finite fit.
    pub deviance: Option<f64>,
    /// Its degrees of freedom.
    pub freedom: Option<u64>,
    /// Probability of a deviance as great if the model held.
    pub p: Option<f64>,
    /// The surest cycles, by their weakest majority.
    pub cycles: Vec<Cycle>,
}

/// Measures the circles in `counts`; at most `list` cycles are listed.
pub fn measure(counts: &Counts, names: &[String], list: usize) -> Result<Circles, MethodError> {
    if counts.n() > MOST {
        return Err(MethodError::Budget(format!(
            "circles are counted among up to {MOST} contestants, not {}",
            counts.n()
        )));
    }
    super::needs_comparisons(counts)?;
    let edges = Edges::of(counts);
    let mut circles = edges.triads(names, list);
    edges.hodge(counts, &mut circles)?;
    if let Some((deviance, freedom)) = deviance(counts, names) {
        circles.deviance = Some(deviance);
        circles.freedom = Some(freedom);
        circles.p = (freedom > 0).then(|| guerdon_stats::dist::chi2_sf(deviance, freedom as f64));
    }
    Ok(circles)
}

/// Cells by pair: `at[a * n + b]` is one more than the index of the cell, 0 where the pair never met.
struct Edges<'a> {
    n: usize,
    cells: &'a [Cell],
    at: Vec<u32>,
}

impl<'a> Edges<'a> {
    fn of(counts: &'a Counts) -> Self {
        let n = counts.n();
        let mut at = vec![0; n * n];
        for (cell, index) in counts.cells().iter().zip(1..) {
            at[cell.a as usize * n + cell.b as usize] = index;
        }
        Self { n, cells: counts.cells(), at }
    }

    fn edge(&self, a: usize, b: usize) -> Option<usize> {
        (self.at[a * self.n + b] as usize).checked_sub(1)
    }

    /// The triads `a < b < c` that all met, with the edges (ab, bc, ac).
    fn each_triad(&self, mut visit: impl FnMut([usize; 3], [usize; 3])) {
        for a in 0..self.n {
            for b in a + 1..self.n {
                let Some(ab) = self.edge(a, b) else { continue };
                for c in b + 1..self.n {
                    if let (Some(bc), Some(ac)) = (self.edge(b, c), self.edge(a, c)) {
                        visit([a, b, c], [ab, bc, ac]);
                    }
                }
            }
        }
    }

    fn triads(&self, names: &[String], list: usize) -> Circles {
        let mut circles = Circles::default();
        let z: Vec<f64> = self.cells.iter().map(majority).collect();
        let mut cycles: Vec<(f64, [usize; 3], [f64; 3])> = Vec::new();
        self.each_triad(|[a, b, c], [ab, bc, ac]| {
            let (x, y, w) = (z[ab], z[bc], z[ac]);
            if x == 0.0 || y == 0.0 || w == 0.0 {
                return;
            }
            circles.triads += 1;
            if (x > 0.0) == (y > 0.0) && (x > 0.0) != (w > 0.0) {
                circles.cyclic += 1;
                let share = |e: usize, upward: bool| {
                    let share = self.cells[e].points_a() / self.cells[e].total();
                    if upward { share } else { 1.0 - share }
                };
                let weakest = x.abs().min(y.abs()).min(w.abs());
                cycles.push(if x > 0.0 {
                    (weakest, [a, b, c], [share(ab, true), share(bc, true), share(ac, false)])
                } else {
                    (weakest, [a, c, b], [share(ac, true), share(bc, false), share(ab, false)])
                });
                if cycles.len() > 4 * list.max(64) {
                    keep(&mut cycles, list);
                }
            }
        });
        keep(&mut cycles, list);
        let named = |(z, members, shares): (f64, [usize; 3], [f64; 3])| Cycle {
            members: members.iter().map(|&i| names[i].clone()).collect(),
            shares: shares.to_vec(),
            z,
        };
        circles.cycles = cycles.into_iter().map(named).collect();
        circles
    }

    fn hodge(&self, counts: &Counts, circles: &mut Circles) -> Result<(), MethodError> {
        let flow: Vec<f64> = self
            .cells
            .iter()
            .map(|cell| ((cell.points_a() + 0.5) / (cell.total() - cell.points_a() + 0.5)).ln())
            .collect();
        let weight: Vec<f64> = self.cells.iter().map(Cell::total).collect();
        let size = |flow: &[f64]| flow.iter().zip(&weight).map(|(y, w)| w * y * y).sum::<f64>();
        let whole = size(&flow);
        let potential = self.potential(counts, &flow, &weight)?;
        let rest: Vec<f64> = self
            .cells
            .iter()
            .zip(&flow)
            .map(|(cell, y)| y - (potential[cell.a as usize] - potential[cell.b as usize]))
            .collect();
        if whole == 0.0 {
            (circles.gradient, circles.curl, circles.harmonic) = (1.0, Some(0.0), Some(0.0));
            return Ok(());
        }
        let left = (size(&rest) / whole).clamp(0.0, 1.0);
        circles.gradient = 1.0 - left;
        let complete = 2 * self.cells.len() == self.n * (self.n - 1);
        let curl = if complete {
            Some(left)
        } else {
            self.curl(&rest, &weight).map(|c| (size(&c) / whole).min(left))
        };
        circles.curl = curl;
        circles.harmonic = curl.map(|curl| (left - curl).max(0.0));
        Ok(())
    }

    /// The weighted least-squares potential of the flow.
    fn potential(
        &self,
        counts: &Counts,
        flow: &[f64],
        weight: &[f64],
    ) -> Result<Vec<f64>, MethodError> {
        let components = graph::connected(counts, &[]);
        let (mut laplacian, mut divergence) = (Matrix::zeros(self.n), vec![0.0; self.n]);
        for ((cell, y), w) in self.cells.iter().zip(flow).zip(weight) {
            let (a, b) = (cell.a as usize, cell.b as usize);
            laplacian.add_edge(a, b, *w);
            divergence[a] += w * y;
            divergence[b] -= w * y;
        }
        let level = weight.iter().sum::<f64>() / self.n as f64;
        for members in components.members() {
            for &i in &members {
                for &j in &members {
                    laplacian.add(i, j, level / members.len() as f64);
                }
            }
        }
        let factor = Cholesky::of(laplacian).ok_or_else(|| {
            MethodError::domain("the weights differ too much to solve for strengths")
        })?;
        Ok(factor.solve(&divergence))
    }

    /// The projection of `rest` on circles of three, by conjugate gradients on the triads; `None` when they are too many.
    fn curl(&self, rest: &[f64], weight: &[f64]) -> Option<Vec<f64>> {
        let mut triads = Vec::new();
        self.each_triad(|_, edges| {
            if triads.len() <= MOST_TRIADS {
                triads.push(edges);
            }
        });
        if triads.len() > MOST_TRIADS {
            return None;
        }
        let around = |flow: &[f64]| -> Vec<f64> {
            triads.iter().map(|&[ab, bc, ac]| flow[ab] + flow[bc] - flow[ac]).collect()
        };
        let spread = |z: &[f64]| {
            let mut flow = vec![0.0; rest.len()];
            for (&[ab, bc, ac], z) in triads.iter().zip(z) {
                flow[ab] += z;
                flow[bc] += z;
                flow[ac] -= z;
            }
            flow.iter_mut().zip(weight).for_each(|(f, w)| *f /= w);
            flow
        };
        let mut z = vec![0.0; triads.len()];
        let mut r = around(rest);
        let mut p = r.clone();
        let mut rr = dot(&r, &r);
        let goal = 1e-22 * rr;
        for _ in 0..500 {
            if rr <= goal {
                break;
            }
            let ap = around(&spread(&p));
            let curvature = dot(&p, &ap);
            if curvature <= 0.0 {
                break;
            }
            let alpha = rr / curvature;
            z.iter_mut().zip(&p).for_each(|(z, p)| *z += alpha * p);
            r.iter_mut().zip(&ap).for_each(|(r, a)| *r -= alpha * a);
            let next = dot(&r, &r);
            p.iter_mut().zip(&r).for_each(|(p, r)| *p = r + next / rr * *p);
            rr = next;
        }
        Some(spread(&z))
    }
}

/// The majority of a pair in standard errors: positive when `a` won more points.
fn majority(cell: &Cell) -> f64 {
    (2.0 * cell.points_a() - cell.total()) / cell.total().sqrt()
}

/// Keeps the `list` cycles of greatest weakest majority; equal ones in the order of their members.
fn keep(cycles: &mut Vec<(f64, [usize; 3], [f64; 3])>, list: usize) {
    cycles.sort_by(|x, y| y.0.total_cmp(&x.0).then(x.1.cmp(&y.1)));
    cycles.truncate(list);
}

/// Deviance of the decided comparisons from Bradley–Terry, and its degrees of freedom.
fn deviance(counts: &Counts, names: &[String]) -> Option<(f64, u64)> {
    let decided = counts.without_ties();
    let fit = fit::fit(&decided, names, &Options::default()).ok()?;
    let term = |won: f64, p: f64, total: f64| {
        if won == 0.0 { 0.0 } else { won * (won / (total * p)).ln() }
    };
    let cells = decided.cells().iter().map(|cell| {
        let d = fit.theta[cell.a as usize] - fit.theta[cell.b as usize];
        term(cell.wins_a, sigmoid(d), cell.total()) + term(cell.wins_b, sigmoid(-d), cell.total())
    });
    let deviance = 2.0 * cells.sum::<f64>();
    let free = (counts.n() - fit.components.count) as u64;
    Some((deviance.max(0.0), (decided.cells().len() as u64).saturating_sub(free)))
}

/// The numbers of `circles` by name, for tables.
pub fn numbers(circles: &Circles) -> BTreeMap<String, f64> {
    let some = [("curl", circles.curl), ("harmonic", circles.harmonic), ("p", circles.p)];
    let mut numbers: BTreeMap<String, f64> =
        some.into_iter().filter_map(|(k, v)| Some((k.to_owned(), v?))).collect();
    numbers.insert("gradient".into(), circles.gradient);
    numbers.insert("cyclic triads".into(), circles.cyclic as f64);
    numbers
}

impl Function for Intransitivity {
    type Input = Comparisons;
    type Output = Circles;

    fn call(&self, input: &Comparisons, _seed: u64) -> Result<Circles, MethodError> {
        measure(&input.counts(), input.names(), self.list)
    }
}

guerdon_core::method! {
    Intransitivity: Function,
    id: "rank.intransitivity",
    papers: [],
    status: Verified(ClosedForm("rock, paper, scissors is all curl; flows that are differences of strengths are all gradient")),
    laws: [PermutationInvariant],
    exempt: [
        Symmetric: "a listed cycle is read the other way round when the sides are swapped; the sample is too short to list one."
    ],
    samples: [
        r#"{"first": ["a", "b", "d", "a", "b"], "second": ["b", "c", "c", "d", "a"],
            "outcome": ["first", "first", "tie", "first", "tie"]}"#
    ],
}

#[cfg(test)]
mod tests {
    use super::measure;
    use crate::{Cell, Counts};

    fn names(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("m{i}")).collect()
    }

    fn cell(a: u32, b: u32, wins_a: f64, wins_b: f64) -> Cell {
        Cell { a, b, wins_a, wins_b, ties: 0.0 }
    }

    #[test]
    fn a_circle_of_three_is_curl_and_one_of_four_is_harmonic() {
        let three = Counts::from_cells(
            3,
            [cell(0, 1, 9.0, 1.0), cell(1, 2, 9.0, 1.0), cell(0, 2, 1.0, 9.0)],
        );
        let out = measure(&three, &names(3), 5).unwrap();
        assert!((out.curl.unwrap() - 1.0).abs() < 1e-9 && out.p.unwrap() < 0.01);
        assert_eq!(out.cycles[0].members, ["m0", "m1", "m2"]);
        assert_eq!(out.cycles[0].shares, [0.9, 0.9, 0.9]);
        let four = [
            cell(0, 1, 9.0, 1.0),
            cell(1, 2, 9.0, 1.0),
            cell(2, 3, 9.0, 1.0),
            cell(0, 3, 1.0, 9.0),
        ];
        let out = measure(&Counts::from_cells(4, four), &names(4), 5).unwrap();
        assert_eq!((out.triads, out.curl), (0, Some(0.0)));
        assert!((out.harmonic.unwrap() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn strengths_alone_are_gradient() {
        let strength = [8.0, 4.0, 2.0, 1.0];
        let pairs = (0..4_u32).flat_map(|a| (a + 1..4).map(move |b| (a, b)));
        let cells =
            pairs.map(|(a, b)| cell(a, b, 1e6 * strength[a as usize], 1e6 * strength[b as usize]));
        let out = measure(&Counts::from_cells(4, cells), &names(4), 5).unwrap();
        assert!(out.gradient > 1.0 - 1e-9);
        assert_eq!((out.cyclic, out.triads, out.freedom), (0, 4, Some(3)));
        assert!(out.deviance.unwrap() < 1e-6);
    }

    /// Of a flow with missing pairs, the three parts sum to one and the curl is found by projection.
    #[test]
    fn the_parts_sum_to_one() {
        let cells = [
            cell(0, 1, 7.0, 2.0),
            cell(1, 2, 6.0, 3.0),
            cell(0, 2, 2.0, 7.0),
            cell(2, 3, 5.0, 1.0),
            cell(3, 4, 4.0, 2.0),
            cell(0, 4, 1.0, 6.0),
        ];
        let out = measure(&Counts::from_cells(5, cells), &names(5), 5).unwrap();
        let (curl, harmonic) = (out.curl.unwrap(), out.harmonic.unwrap());
        assert!((out.gradient + curl + harmonic - 1.0).abs() < 1e-12);
        assert!(curl > 0.05 && harmonic > 0.05);
    }
}
