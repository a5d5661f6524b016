//! Fitting many resamples of one data set at once.
//!
//! A resample differs little from the data, so the factor of the data's information serves all resamples (the chord
//! method): a step costs one pass over the pairs and two triangular solves. [`LANES`] resamples go side by side, so that
//! both run in vector registers.

use guerdon_core::MethodError;

use super::pair::Model;
use super::{Fit, Options, System};
use crate::Counts;
use crate::linalg::Cholesky;

/// Resamples that are fitted side by side.
pub const LANES: usize = 8;

/// One value per lane.
pub type Lanes = [f64; LANES];

/// Most chord steps before a lane is given up (to a full fit).
const STEPS: usize = 40;

/// A strength may move this far in one step.
const STRIDE: f64 = 2.0;

/// A fitted logistic model, ready to be refitted to resamples.
pub struct Refit {
    pairs: Vec<(u32, u32)>,
    theta: Vec<f64>,
    ridge: f64,
    anchored: Vec<bool>,
    factor: Cholesky,
}

impl Refit {
    /// Prepares refits of `fit` (of a [`Model::Logistic`]) to resamples of `counts` (as the fit saw them).
    pub fn new(counts: &Counts, fit: &Fit, options: &Options) -> Result<Self, MethodError> {
        let system = System::new(counts, Model::Logistic, options, fit.components.clone());
        let local = system.local(&fit.theta);
        let info = system.information(&local.terms, system.gauge(&local.terms));
        let factor = Cholesky::of(info).ok_or_else(|| {
            MethodError::domain("the information about the strengths is singular: set `ridge`")
        })?;
        let pairs = counts.cells().iter().map(|cell| (cell.a, cell.b)).collect();
        Ok(Self {
            pairs,
            theta: fit.theta.clone(),
            ridge: options.ridge,
            anchored: system.anchored,
            factor,
        })
    }

    /// The pairs, in the order of the counts.
    pub fn pairs(&self) -> &[(u32, u32)] {
        &self.pairs
    }

    /// Strengths of each lane, given the points of `a` and the total of each pair in each lane; contestant by contestant.
    /// The flags say which lanes converged; the others' strengths mean nothing.
    pub fn lanes(&self, points: &[Lanes], totals: &[Lanes]) -> (Vec<Lanes>, [bool; LANES]) {
        let mut theta: Vec<Lanes> = self.theta.iter().map(|&t| [t; LANES]).collect();
        let mut moved = [f64::INFINITY; LANES];
        for _ in 0..STEPS {
            let mut step = self.gradient(&theta, points, totals);
            self.factor.solve_lanes(&mut step);
            moved = apply(&mut theta, &step);
            if moved.iter().all(|m| m.is_nan() || *m <= TOLERANCE) {
                break;
            }
        }
        (theta, moved.map(|m| m <= TOLERANCE))
    }

    fn gradient(&self, theta: &[Lanes], points: &[Lanes], totals: &[Lanes]) -> Vec<Lanes> {
        let strength: Vec<Lanes> = theta.iter().map(|lanes| lanes.map(f64::exp)).collect();
        let mut gradient: Vec<Lanes> =
            theta.iter().map(|lanes| lanes.map(|t| -self.ridge * t)).collect();
        for ((&(a, b), points), totals) in self.pairs.iter().zip(points).zip(totals) {
            let (a, b) = (a as usize, b as usize);
            let (of_a, of_b) = (&strength[a], &strength[b]);
            let mut surplus = [0.0; LANES];
            for k in 0..LANES {
                surplus[k] = points[k] - totals[k] * of_a[k] / (of_a[k] + of_b[k]);
            }
            for k in 0..LANES {
                gradient[a][k] += surplus[k];
            }
            for k in 0..LANES {
                gradient[b][k] -= surplus[k];
            }
        }
        for (gradient, anchored) in gradient.iter_mut().zip(&self.anchored) {
            if *anchored {
                *gradient = [0.0; LANES];
            }
        }
        gradient
    }
}

/// Largest last move of a strength, in natural-log units, at which a lane counts as converged.
const TOLERANCE: f64 = 1e-9;

fn apply(theta: &mut [Lanes], step: &[Lanes]) -> Lanes {
    let mut moved = [0.0; LANES];
    for (theta, step) in theta.iter_mut().zip(step) {
        for k in 0..LANES {
            let by = step[k].clamp(-STRIDE, STRIDE);
            theta[k] += by;
            moved[k] = if by.abs() > moved[k] || by.is_nan() { by.abs() } else { moved[k] };
        }
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::{LANES, Refit};
    use crate::fit::{Options, fit};
    use crate::{Cell, Counts};

    #[test]
    fn a_refit_is_a_fit() {
        let cell = |a, b, wins_a, wins_b| Cell { a, b, wins_a, wins_b, ties: 0.0 };
        let names = ["a", "b", "c"].map(str::to_owned);
        let data = Counts::from_cells(
            3,
            [cell(0, 1, 30.0, 11.0), cell(0, 2, 25.0, 20.0), cell(1, 2, 9.0, 14.0)],
        );
        let other = Counts::from_cells(
            3,
            [cell(0, 1, 25.0, 16.0), cell(0, 2, 29.0, 10.0), cell(1, 2, 13.0, 16.0)],
        );
        let options = Options::default();
        let refit = Refit::new(&data, &fit(&data, &names, &options).unwrap(), &options).unwrap();
        let lanes =
            |f: fn(&Cell) -> f64| other.cells().iter().map(|c| [f(c); LANES]).collect::<Vec<_>>();
        let (theta, converged) = refit.lanes(&lanes(Cell::points_a), &lanes(Cell::total));
        let expected = fit(&other, &names, &options).unwrap().theta;
        assert!(converged.iter().all(|c| *c));
        assert!(theta.iter().zip(&expected).all(|(lanes, t)| (lanes[3] - t).abs() < 1e-8));
    }
}
