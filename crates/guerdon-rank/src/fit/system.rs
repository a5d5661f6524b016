//! The equations of a fit: which strengths are free, their gradient and their information.

use crate::graph::Components;
use crate::linalg::{Cholesky, Matrix, dot, max_abs};
use crate::{Cell, Counts};

use super::Options;
use super::pair::{Model, Terms};

/// Up to this many free contestants the information matrix is factored.
const DENSE: usize = 384;

/// A likelihood over counts with its free parameters.
///
/// A point is the strengths of all contestants with τ behind them. Anchored strengths do not move. The likelihood does not
/// change when all strengths of a component move together; that direction is fixed by adding to the information a
/// multiple of the projection on it.
pub(crate) struct System<'a> {
    pub(crate) counts: &'a Counts,
    pub(crate) model: Model,
    pub(crate) ridge: f64,
    pub(crate) components: Components,
    pub(crate) anchored: Vec<bool>,
    /// Per component: its size where its level floats, `None` where an anchor holds it.
    pub(crate) floating: Vec<Option<f64>>,
}

/// Gradient and information at a point.
pub(crate) struct Local {
    pub(crate) value: f64,
    pub(crate) likelihood: f64,
    /// By every strength (0 for anchored ones), then by τ.
    pub(crate) gradient: Vec<f64>,
    pub(crate) terms: Vec<Terms>,
}

impl<'a> System<'a> {
    pub(crate) fn new(
        counts: &'a Counts,
        model: Model,
        options: &Options,
        components: Components,
    ) -> Self {
        let mut anchored = vec![false; counts.n()];
        let mut floating = vec![Some(0.0); components.count];
        for label in &components.label {
            if let Some(size) = &mut floating[*label] {
                *size += 1.0;
            }
        }
        for (i, _) in &options.anchors {
            anchored[*i] = true;
            floating[components.label[*i]] = None;
        }
        Self { counts, model, ridge: options.ridge, components, anchored, floating }
    }

    pub(crate) fn n(&self) -> usize {
        self.counts.n()
    }

    /// Number of parameters: strengths and, where the model has one, τ.
    pub(crate) fn size(&self) -> usize {
        self.n() + usize::from(self.model.has_tie_parameter())
    }

    fn tau(&self, point: &[f64]) -> f64 {
        point.get(self.n()).copied().unwrap_or(0.0)
    }

    fn cell_terms(&self, cell: &Cell, point: &[f64]) -> Terms {
        self.model.terms(cell, point[cell.a as usize] - point[cell.b as usize], self.tau(point))
    }

    /// The penalised log-likelihood at `point`.
    pub(crate) fn value(&self, point: &[f64]) -> f64 {
        if self.model == Model::RaoKupper && self.tau(point) <= 0.0 {
            return f64::NEG_INFINITY;
        }
        let likelihood: f64 =
            self.counts.cells().iter().map(|cell| self.cell_terms(cell, point).value).sum();
        likelihood - self.penalty(point)
    }

    fn penalty(&self, point: &[f64]) -> f64 {
        let strengths = &point[..self.n()];
        if self.ridge == 0.0 { 0.0 } else { 0.5 * self.ridge * dot(strengths, strengths) }
    }

    pub(crate) fn local(&self, point: &[f64]) -> Local {
        let mut gradient = vec![0.0; self.size()];
        let mut likelihood = 0.0;
        let cells = self.counts.cells().iter();
        let terms: Vec<Terms> = cells
            .map(|cell| {
                let terms = self.cell_terms(cell, point);
                likelihood += terms.value;
                gradient[cell.a as usize] += terms.by_d;
                gradient[cell.b as usize] -= terms.by_d;
                if self.model.has_tie_parameter() {
                    gradient[self.n()] += terms.by_tau;
                }
                terms
            })
            .collect();
        for i in 0..self.n() {
            gradient[i] = if self.anchored[i] { 0.0 } else { gradient[i] - self.ridge * point[i] };
        }
        Local { value: likelihood - self.penalty(point), likelihood, gradient, terms }
    }

    /// Terms of τ: −∂²/∂θ∂τ for every strength, and −∂²/∂τ².
    fn tau_column(&self, terms: &[Terms]) -> (Vec<f64>, f64) {
        let mut column = vec![0.0; self.n()];
        let mut corner = 0.0;
        for (cell, terms) in self.counts.cells().iter().zip(terms) {
            column[cell.a as usize] += terms.info_dt;
            column[cell.b as usize] -= terms.info_dt;
            corner += terms.info_tt;
        }
        for (value, anchored) in column.iter_mut().zip(&self.anchored) {
            if *anchored {
                *value = 0.0;
            }
        }
        (column, corner)
    }

    fn diagonal(&self, terms: &[Terms]) -> Vec<f64> {
        let mut diagonal = vec![self.ridge; self.n()];
        for (cell, terms) in self.counts.cells().iter().zip(terms) {
            diagonal[cell.a as usize] += terms.info_dd;
            diagonal[cell.b as usize] += terms.info_dd;
        }
        diagonal
    }

    /// What is added to the information along each floating component's common level.
    pub(crate) fn gauge(&self, terms: &[Terms]) -> f64 {
        let diagonal = self.diagonal(terms);
        (diagonal.iter().sum::<f64>() / diagonal.len() as f64).max(f64::MIN_POSITIVE)
    }

    /// The information about the strengths and τ, with the gauge; anchored strengths have a unit diagonal alone.
    pub(crate) fn information(&self, terms: &[Terms], gauge: f64) -> Matrix {
        let mut info = Matrix::zeros(self.size());
        for (cell, terms) in self.counts.cells().iter().zip(terms) {
            self.add_edge(&mut info, cell.a as usize, cell.b as usize, terms.info_dd);
        }
        for i in 0..self.n() {
            info.add(i, i, if self.anchored[i] { 1.0 } else { self.ridge });
        }
        for (members, size) in self.components.members().iter().zip(&self.floating) {
            let Some(size) = size else { continue };
            for &i in members {
                for &j in members {
                    info.add(i, j, gauge / size);
                }
            }
        }
        if self.model.has_tie_parameter() {
            let (column, corner) = self.tau_column(terms);
            let last = self.n();
            for (i, value) in column.into_iter().enumerate() {
                info.add(i, last, value);
                info.add(last, i, value);
            }
            info.add(last, last, corner);
        }
        info
    }

    fn add_edge(&self, info: &mut Matrix, a: usize, b: usize, value: f64) {
        match (self.anchored[a], self.anchored[b]) {
            (false, false) => info.add_edge(a, b, value),
            (false, true) => info.add(a, a, value),
            (true, false) => info.add(b, b, value),
            (true, true) => {}
        }
    }

    /// The Newton step at a point; `None` when the information is not positive definite.
    pub(crate) fn step(&self, local: &Local) -> Option<Vec<f64>> {
        if self.n() <= DENSE {
            let info = self.information(&local.terms, self.gauge(&local.terms));
            return Some(Cholesky::of(info)?.solve(&local.gradient));
        }
        let n = self.n();
        let mut step = self.conjugate_gradients(&local.terms, &local.gradient[..n]);
        if self.model.has_tie_parameter() {
            let (column, corner) = self.tau_column(&local.terms);
            let across = self.conjugate_gradients(&local.terms, &column);
            let schur = corner - dot(&column, &across);
            if schur.is_nan() || schur <= 0.0 {
                return None;
            }
            let by_tau = (local.gradient[n] - dot(&column, &step)) / schur;
            for (value, across) in step.iter_mut().zip(&across) {
                *value -= by_tau * across;
            }
            step.push(by_tau);
        }
        Some(step)
    }

    /// Solves for the strengths with the Jacobi-preconditioned conjugate gradient method. The right-hand side is
    /// orthogonal to every floating level up to rounding; the rounding is taken out first, since no step could reduce it.
    fn conjugate_gradients(&self, terms: &[Terms], rhs: &[f64]) -> Vec<f64> {
        let diagonal = self.diagonal(terms);
        let scaled = |r: &[f64]| -> Vec<f64> {
            r.iter().zip(&diagonal).map(|(r, d)| if *d > 0.0 { r / d } else { 0.0 }).collect()
        };
        let mut x = vec![0.0; rhs.len()];
        let mut r = rhs.to_vec();
        self.center(&mut r);
        let mut z = scaled(&r);
        let mut p = z.clone();
        let mut rz = dot(&r, &z);
        let goal = 1e-9 * max_abs(&r);
        for _ in 0..2 * rhs.len() {
            if max_abs(&r) <= goal {
                break;
            }
            let ap = self.times(terms, &p);
            let curvature = dot(&p, &ap);
            if curvature.is_nan() || curvature <= 0.0 {
                break;
            }
            let alpha = rz / curvature;
            for i in 0..x.len() {
                x[i] += alpha * p[i];
                r[i] -= alpha * ap[i];
            }
            z = scaled(&r);
            let next = dot(&r, &z);
            for (p, z) in p.iter_mut().zip(&z) {
                *p = z + next / rz * *p;
            }
            rz = next;
        }
        self.center(&mut x);
        x
    }

    fn times(&self, terms: &[Terms], v: &[f64]) -> Vec<f64> {
        let mut product: Vec<f64> = v.iter().map(|v| self.ridge * v).collect();
        for (cell, terms) in self.counts.cells().iter().zip(terms) {
            let (a, b) = (cell.a as usize, cell.b as usize);
            let flow = terms.info_dd * (v[a] - v[b]);
            product[a] += flow;
            product[b] -= flow;
        }
        for (value, anchored) in product.iter_mut().zip(&self.anchored) {
            if *anchored {
                *value = 0.0;
            }
        }
        product
    }

    /// Takes its mean from every floating component.
    pub(crate) fn center(&self, point: &mut [f64]) {
        let mut means = vec![0.0; self.floating.len()];
        for (label, value) in self.components.label.iter().zip(point.iter()) {
            means[*label] += value;
        }
        for (label, value) in self.components.label.iter().zip(point) {
            if let Some(size) = self.floating[*label] {
                *value -= means[*label] / size;
            }
        }
    }
}
