//! Solving small symmetric positive systems, for kernels and covariances.

use guerdon_core::MethodError;

/// Most rows of a dense system.
pub const MAX_ROWS: usize = 2000;

/// The Cholesky factor of a symmetric positive definite matrix, row by row.
#[derive(Debug, Clone)]
pub struct Cholesky {
    n: usize,
    lower: Vec<f64>,
}

impl Cholesky {
    /// Factors `a` (n × n, row by row; the lower half is read).
    pub fn new(a: &[f64], n: usize) -> Result<Self, MethodError> {
        if n > MAX_ROWS {
            return Err(MethodError::Budget(format!(
                "a system of {n} rows: at most {MAX_ROWS} are solved"
            )));
        }
        let mut lower = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                let dot: f64 = (0..j).map(|k| lower[i * n + k] * lower[j * n + k]).sum();
                let rest = a[i * n + j] - dot;
                if i == j {
                    if !(rest > 0.0 && rest.is_finite()) {
                        return Err(MethodError::domain(
                            "the matrix is not positive definite: drop columns that repeat others, or add a ridge",
                        ));
                    }
                    lower[i * n + i] = rest.sqrt();
                } else {
                    lower[i * n + j] = rest / lower[j * n + j];
                }
            }
        }
        Ok(Self { n, lower })
    }

    /// ln of the determinant.
    pub fn log_det(&self) -> f64 {
        (0..self.n).map(|i| 2.0 * self.lower[i * self.n + i].ln()).sum()
    }

    /// L⁻¹·b for a = L·Lᵀ: its squared length is bᵀ·a⁻¹·b.
    pub fn forward(&self, b: &[f64]) -> Vec<f64> {
        let (n, l) = (self.n, &self.lower);
        let mut x = b.to_vec();
        for i in 0..n {
            let dot: f64 = (0..i).map(|k| l[i * n + k] * x[k]).sum();
            x[i] = (x[i] - dot) / l[i * n + i];
        }
        x
    }

    /// Solves a·x = b.
    pub fn solve(&self, b: &[f64]) -> Vec<f64> {
        let (n, l) = (self.n, &self.lower);
        let mut x = self.forward(b);
        for i in (0..n).rev() {
            let dot: f64 = (i + 1..n).map(|k| l[k * n + i] * x[k]).sum();
            x[i] = (x[i] - dot) / l[i * n + i];
        }
        x
    }
}

/// Ridge regression with an intercept that is not penalised: coefficients, intercept last.
pub fn ridge(rows: &[&[f64]], y: &[f64], penalty: f64) -> Result<Vec<f64>, MethodError> {
    let d = rows.first().map_or(0, |r| r.len());
    let at = |row: &[f64], j: usize| if j < d { row[j] } else { 1.0 };
    let mut a = vec![0.0; (d + 1) * (d + 1)];
    let mut b = vec![0.0; d + 1];
    for (row, y) in rows.iter().zip(y) {
        for i in 0..=d {
            b[i] += at(row, i) * y;
            for j in 0..=d {
                a[i * (d + 1) + j] += at(row, i) * at(row, j);
            }
        }
    }
    for i in 0..d {
        a[i * (d + 1) + i] += penalty;
    }
    Ok(Cholesky::new(&a, d + 1)?.solve(&b))
}

#[cfg(test)]
mod tests {
    use super::{Cholesky, ridge};

    #[test]
    fn a_system_is_solved() {
        let x = Cholesky::new(&[4.0, 2.0, 2.0, 3.0], 2).unwrap().solve(&[2.0, 5.0]);
        assert!(
            (4.0 * x[0] + 2.0 * x[1] - 2.0).abs() < 1e-12
                && (2.0 * x[0] + 3.0 * x[1] - 5.0).abs() < 1e-12
        );
        assert!(Cholesky::new(&[1.0, 1.0, 1.0, 1.0], 2).is_err());
    }

    #[test]
    fn a_line_is_recovered() {
        let rows: Vec<[f64; 1]> = (0..5).map(|i| [f64::from(i)]).collect();
        let rows: Vec<&[f64]> = rows.iter().map(|r| &r[..]).collect();
        let w = ridge(&rows, &[1.0, 3.0, 5.0, 7.0, 9.0], 1e-12).unwrap();
        assert!((w[0] - 2.0).abs() < 1e-9 && (w[1] - 1.0).abs() < 1e-9);
    }
}
