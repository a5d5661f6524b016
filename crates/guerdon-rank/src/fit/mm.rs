//! The classic fixed-point iteration for Bradley–Terry (Zermelo 1929; Hunter 2004), kept as an independent check of
//! Newton's method and for its bounded memory.

use crate::Counts;

/// Natural-log strengths (mean 0) with ties as half wins, and the iterations used; `None` when `limit` iterations do not
/// bring the largest change of a strength to `tolerance`.
///
/// `p_i ← W_i / Σ_j n_ij / (p_i + p_j)`. Every contestant needs at least one point and one lost point.
pub fn bradley_terry(counts: &Counts, tolerance: f64, limit: usize) -> Option<(Vec<f64>, usize)> {
    let n = counts.n();
    let mut points = vec![0.0; n];
    for cell in counts.cells() {
        points[cell.a as usize] += cell.points_a();
        points[cell.b as usize] += cell.total() - cell.points_a();
    }
    let mut strength = vec![1.0; n];
    for iteration in 1..=limit {
        let mut sums = vec![0.0; n];
        for cell in counts.cells() {
            let (a, b) = (cell.a as usize, cell.b as usize);
            let share = cell.total() / (strength[a] + strength[b]);
            sums[a] += share;
            sums[b] += share;
        }
        let mut theta: Vec<f64> = points.iter().zip(&sums).map(|(w, s)| (w / s).ln()).collect();
        let mean = theta.iter().sum::<f64>() / n as f64;
        let mut change = 0.0_f64;
        for (theta, strength) in theta.iter_mut().zip(&mut strength) {
            *theta -= mean;
            change = change.max((*theta - strength.ln()).abs());
            *strength = theta.exp();
        }
        if theta.iter().any(|theta| !theta.is_finite()) {
            return None;
        }
        if change <= tolerance {
            return Some((theta, iteration));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::bradley_terry;
    use crate::{Cell, Counts};

    #[test]
    fn three_of_four_is_ln_three() {
        let cell = Cell { a: 0, b: 1, wins_a: 3.0, wins_b: 1.0, ties: 0.0 };
        let (theta, _) = bradley_terry(&Counts::from_cells(2, [cell]), 1e-13, 1000).unwrap();
        assert!((theta[0] - theta[1] - 3_f64.ln()).abs() < 1e-12);
        let never_lost = Cell { wins_b: 0.0, ..cell };
        assert!(bradley_terry(&Counts::from_cells(2, [never_lost]), 1e-13, 1000).is_none());
    }
}
