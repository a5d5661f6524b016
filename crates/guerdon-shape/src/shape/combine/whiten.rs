//! Weights that are uniform in whitened space: Σ^(−1/2)·1.

use guerdon_core::MethodError;

/// The most signals that are whitened together: the work grows with the third power.
pub(super) const MAX_SIGNALS: usize = 64;

/// Population covariance of the columns of `rows` (each row has `k` values).
pub(super) fn covariance(rows: &[Vec<f64>], k: usize) -> Vec<Vec<f64>> {
    let n = rows.len().max(1) as f64;
    let mean: Vec<f64> = (0..k).map(|j| rows.iter().map(|row| row[j]).sum::<f64>() / n).collect();
    let cell = |i: usize, j: usize| {
        rows.iter().map(|r| (r[i] - mean[i]) * (r[j] - mean[j])).sum::<f64>() / n
    };
    (0..k).map(|i| (0..k).map(|j| cell(i, j)).collect()).collect()
}

/// The weights Σ^(−1/2)·1, scaled to sum 1. `ridge` is added to the diagonal.
///
/// A covariance that is not positive definite even with the ridge is an error.
pub(super) fn weights(covariance: &[Vec<f64>], ridge: f64) -> Result<Vec<f64>, MethodError> {
    let k = covariance.len();
    let mut matrix = covariance.to_vec();
    for (i, row) in matrix.iter_mut().enumerate() {
        row[i] += ridge;
    }
    let (values, vectors) = eigen(matrix);
    if let Some(bad) = values.iter().find(|v| !(v.is_finite() && **v > 0.0)) {
        return Err(MethodError::domain(format!(
            "the covariance of the signals has the eigenvalue {bad}: raise `ridge`, or leave out a signal that repeats others"
        )));
    }
    let loads: Vec<f64> =
        (0..k).map(|e| (0..k).map(|i| vectors[i][e]).sum::<f64>() / values[e].sqrt()).collect();
    let raw: Vec<f64> = (0..k).map(|i| (0..k).map(|e| vectors[i][e] * loads[e]).sum()).collect();
    let total: f64 = raw.iter().sum();
    Ok(raw.iter().map(|w| w / total).collect())
}

/// Eigenvalues and eigenvectors (columns) of a symmetric matrix, by Jacobi's rotations.
fn eigen(mut a: Vec<Vec<f64>>) -> (Vec<f64>, Vec<Vec<f64>>) {
    const SWEEPS: usize = 64;
    let k = a.len();
    let mut v: Vec<Vec<f64>> =
        (0..k).map(|i| (0..k).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    for _ in 0..SWEEPS {
        let off: f64 =
            (0..k).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| a[i][j].abs()).sum();
        if off == 0.0 {
            break;
        }
        for p in 0..k {
            for q in p + 1..k {
                rotate(&mut a, &mut v, p, q);
            }
        }
    }
    ((0..k).map(|i| a[i][i]).collect(), v)
}

/// The rotation in the plane of `p` and `q` that makes `a[p][q]` zero.
fn rotate(a: &mut [Vec<f64>], v: &mut [Vec<f64>], p: usize, q: usize) {
    if a[p][q] == 0.0 {
        return;
    }
    let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
    let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
    let t = if theta == 0.0 { 1.0 } else { t };
    let c = 1.0 / t.hypot(1.0);
    let s = t * c;
    for row in 0..a.len() {
        let (x, y) = (a[row][p], a[row][q]);
        (a[row][p], a[row][q]) = (c * x - s * y, s * x + c * y);
        let (x, y) = (v[row][p], v[row][q]);
        (v[row][p], v[row][q]) = (c * x - s * y, s * x + c * y);
    }
    let (row_p, row_q) = (a[p].clone(), a[q].clone());
    a[p] = row_p.iter().zip(&row_q).map(|(x, y)| c * x - s * y).collect();
    a[q] = row_p.iter().zip(&row_q).map(|(x, y)| s * x + c * y).collect();
    (a[p][q], a[q][p]) = (0.0, 0.0);
}

#[cfg(test)]
mod tests {
    use super::{covariance, weights};

    #[test]
    fn correlated_signals_share_their_weight() {
        let sigma = vec![vec![1.0, 0.8, 0.0], vec![0.8, 1.0, 0.0], vec![0.0, 0.0, 1.0]];
        let own = weights(&sigma, 0.0).unwrap();
        for (w, expect) in own.iter().zip([0.2993, 0.2993, 0.4015]) {
            assert!((w - expect).abs() < 5e-5, "{own:?}");
        }
    }

    #[test]
    fn the_identity_is_uniform_and_a_copy_needs_a_ridge() {
        let own = weights(&[vec![1.0, 0.0], vec![0.0, 1.0]], 0.0).unwrap();
        assert_eq!(own, [0.5, 0.5]);
        let copies = vec![vec![1.0, 1.0], vec![1.0, 1.0]];
        assert!(weights(&copies, 0.0).is_err() && weights(&copies, 0.1).is_ok());
    }

    #[test]
    fn population_covariance() {
        let own = covariance(&[vec![1.0, 2.0], vec![3.0, 6.0]], 2);
        assert_eq!(own, [[1.0, 2.0], [2.0, 4.0]]);
    }
}
