//! Profile-likelihood intervals (Venzon and Moolgavkar 1988): the strengths at which the likelihood, maximised over all
//! others, has fallen by half the quantile of χ² with one degree of freedom.

use guerdon_core::MethodError;

use crate::Counts;
use crate::fit::{self, Fit, Options, System};
use crate::linalg::{Cholesky, dot};

use super::covariance::Covariance;

/// Most contestants: every bound of every contestant is a fit of its own.
const MOST: usize = 400;
/// Most steps per bound.
const STEPS: usize = 60;

/// The interval of each strength at `level` (0 to 1), each component's mean held at 0. Anchored strengths get `None`.
///
/// Errors: more than 400 contestants; a bound that is not found (separable data with a tiny ridge).
pub fn intervals(
    counts: &Counts,
    fit: &Fit,
    options: &Options,
    level: f64,
) -> Result<Vec<Option<(f64, f64)>>, MethodError> {
    if fit.theta.len() > MOST {
        return Err(MethodError::Budget(format!(
            "profile intervals serve up to {MOST} contestants: use `sandwich`"
        )));
    }
    let seen = fit::seen(counts, options.ties);
    let system = System::new(&seen, fit.model, options, fit.components.clone());
    let fisher = Covariance::fisher(counts, fit, options)?;
    let z = guerdon_stats::dist::two_sided_z(level);
    let mut top = fit.theta.clone();
    if system.model.has_tie_parameter() {
        top.push(fit.tau);
    }
    let goal = system.value(&top) - 0.5 * z * z;
    let bound = |i: usize, side: f64| {
        let search = Search { system: &system, index: i, side, goal };
        search.run(&top, &fisher, z).ok_or_else(|| {
            MethodError::domain(format!(
                "no profile bound was found for contestant {i}: use `interval: sandwich`"
            ))
        })
    };
    let both = |i: usize| {
        Ok(if system.anchored[i] { None } else { Some((bound(i, -1.0)?, bound(i, 1.0)?)) })
    };
    (0..fit.theta.len()).map(both).collect()
}

struct Search<'a> {
    system: &'a System<'a>,
    index: usize,
    /// −1 for the lower bound, 1 for the upper.
    side: f64,
    goal: f64,
}

impl Search<'_> {
    fn run(&self, top: &[f64], fisher: &Covariance, z: f64) -> Option<f64> {
        let variance = fisher.at(self.index, self.index);
        // The quadratic guess: along the column of the covariance.
        let scale = self.side * z / variance.sqrt();
        let mut point: Vec<f64> = top
            .iter()
            .enumerate()
            .map(|(j, x)| if j < fisher.n() { x + scale * fisher.at(j, self.index) } else { *x })
            .collect();
        for _ in 0..STEPS {
            let moved = self.step(&mut point)?;
            if moved < 1e-9 {
                return Some(point[self.index]);
            }
        }
        None
    }

    /// One step towards the point where the value is the goal and every other parameter is at its best.
    fn step(&self, point: &mut [f64]) -> Option<f64> {
        let local = self.system.local(point);
        let gauge = self.system.gauge(&local.terms);
        let factor = Cholesky::of(self.system.information(&local.terms, gauge))?;
        let mut unit = vec![0.0; point.len()];
        unit[self.index] = 1.0;
        self.system.center(&mut unit);
        let newton = factor.solve(&local.gradient);
        let along = factor.solve(&unit);
        let curvature = dot(&unit, &along);
        let square = (2.0 * (local.value - self.goal) + dot(&local.gradient, &newton)) / curvature;
        let push = self.side * square.max(0.0).sqrt();
        let step: Vec<f64> = newton.iter().zip(&along).map(|(n, a)| n + push * a).collect();
        let size = crate::linalg::max_abs(&step);
        let scale = if size > 2.0 { 2.0 / size } else { 1.0 };
        for (x, s) in point.iter_mut().zip(&step) {
            *x += scale * s;
        }
        self.system.center(point);
        size.is_finite().then_some(size)
    }
}

#[cfg(test)]
mod tests {
    use super::intervals;
    use crate::fit::{Options, Ties, fit};
    use crate::{Cell, Counts};

    /// With two contestants the profile is the binomial likelihood itself.
    #[test]
    fn two_contestants_have_the_binomial_interval() {
        let counts =
            Counts::from_cells(2, [Cell { a: 0, b: 1, wins_a: 30.0, wins_b: 10.0, ties: 0.0 }]);
        let names = ["a", "b"].map(str::to_owned);
        let options = Options::default();
        let fitted = fit(&counts, &names, &options).unwrap();
        let (low, high) = intervals(&counts, &fitted, &options, 0.95).unwrap()[0].unwrap();
        let value = |theta: f64| {
            let p = 1.0 / (1.0 + (-2.0 * theta).exp());
            30.0 * p.ln() + 10.0 * (1.0 - p).ln()
        };
        for bound in [low, high] {
            let drop = 2.0 * (value(fitted.theta[0]) - value(bound));
            assert!((drop - 3.841_458_820_694_124).abs() < 1e-6, "{drop}");
        }
    }

    #[test]
    fn many_rows_bring_it_to_the_fisher_interval() {
        let cell = |a, b, wins_a: f64, wins_b: f64, ties: f64| Cell {
            a,
            b,
            wins_a: 400.0 * wins_a,
            wins_b: 400.0 * wins_b,
            ties: 400.0 * ties,
        };
        let counts = Counts::from_cells(
            3,
            [cell(0, 1, 3.0, 1.0, 2.0), cell(1, 2, 3.0, 1.0, 2.0), cell(0, 2, 4.0, 1.0, 1.0)],
        );
        let names = ["a", "b", "c"].map(str::to_owned);
        for ties in [Ties::Half, Ties::Davidson, Ties::RaoKupper] {
            let options = Options { ties, ..Options::default() };
            let fitted = fit(&counts, &names, &options).unwrap();
            let (low, high) = intervals(&counts, &fitted, &options, 0.95).unwrap()[0].unwrap();
            let error = super::Covariance::fisher(&counts, &fitted, &options).unwrap().error(0);
            assert!(((high - low) / (2.0 * 1.959_964 * error) - 1.0).abs() < 1e-3, "{ties:?}");
        }
    }
}
