//! Newton's method with step halving: every likelihood here is concave.

use guerdon_core::MethodError;

use super::pair::Model;
use super::{Fit, Options, System};
use crate::linalg::max_abs;

/// Where a fit begins.
pub(super) struct Start(Vec<f64>);

impl Start {
    /// Anchored strengths at their values, all others at 0; τ from the share of ties.
    pub(super) fn new(system: &System<'_>, options: &Options) -> Self {
        let mut point = vec![0.0; system.n()];
        for &(i, strength) in &options.anchors {
            point[i] = strength;
        }
        let share = system.counts.ties() / system.counts.total();
        match system.model {
            Model::Logistic => {}
            Model::Davidson => point.push((2.0 * share / (1.0 - share)).ln()),
            // Between equals P(tie) = (κ − 1) / (κ + 1).
            Model::RaoKupper => point.push(((1.0 + share) / (1.0 - share)).ln()),
        }
        Self(point)
    }
}

/// Most halvings of one step.
const HALVINGS: usize = 40;

pub(super) fn run(system: &System<'_>, start: Start, limit: usize) -> Result<Fit, MethodError> {
    let Start(mut point) = start;
    let mut local = system.local(&point);
    let mut iterations = 0;
    while iterations < limit {
        iterations += 1;
        let step = system.step(&local).ok_or_else(|| not_definite(iterations))?;
        let moved = advance(system, &mut point, &step, local.value);
        local = system.local(&point);
        if moved <= 1e-11 * (1.0 + max_abs(&point)) {
            return Ok(finish(system, &point, &local, iterations));
        }
    }
    Err(MethodError::Budget(format!(
        "the fit did not converge in {limit} steps (largest gradient {:e}): raise `limit` or set `ridge`",
        max_abs(&local.gradient)
    )))
}

fn not_definite(iterations: usize) -> MethodError {
    MethodError::domain(format!(
        "the information about the strengths is singular at step {iterations}: set `ridge` (for example 0.1)"
    ))
}

/// Moves `point` along `step`, halved until the value does not fall; gives the size of the move.
fn advance(system: &System<'_>, point: &mut Vec<f64>, step: &[f64], value: f64) -> f64 {
    let mut scale = 1.0;
    for _ in 0..HALVINGS {
        let mut next: Vec<f64> = point.iter().zip(step).map(|(x, s)| x + scale * s).collect();
        system.center(&mut next);
        // Rounding of the sum may hide a true gain near the maximum.
        if system.value(&next) >= value - 1e-12 * value.abs() {
            *point = next;
            return scale * max_abs(step);
        }
        scale *= 0.5;
    }
    0.0
}

fn finish(
    system: &System<'_>,
    point: &[f64],
    local: &super::system::Local,
    iterations: usize,
) -> Fit {
    let n = system.n();
    Fit {
        model: system.model,
        theta: point[..n].to_vec(),
        tau: point.get(n).copied().unwrap_or(0.0),
        log_likelihood: local.likelihood,
        gradient: max_abs(&local.gradient),
        iterations,
        components: system.components.clone(),
        warnings: Vec::new(),
    }
}
