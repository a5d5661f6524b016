//! Dense symmetric matrices: factor, solve, invert.

/// A square matrix, row by row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Matrix {
    n: usize,
    data: Vec<f64>,
}

impl Matrix {
    pub(crate) fn zeros(n: usize) -> Self {
        Self { n, data: vec![0.0; n * n] }
    }

    pub(crate) fn n(&self) -> usize {
        self.n
    }

    pub(crate) fn row(&self, i: usize) -> &[f64] {
        &self.data[i * self.n..(i + 1) * self.n]
    }

    pub(crate) fn at(&self, i: usize, j: usize) -> f64 {
        self.data[i * self.n + j]
    }

    pub(crate) fn add(&mut self, i: usize, j: usize, value: f64) {
        self.data[i * self.n + j] += value;
    }

    /// Adds `value · v vᵀ` for `v = e_i − e_j`.
    pub(crate) fn add_edge(&mut self, i: usize, j: usize, value: f64) {
        self.add(i, i, value);
        self.add(j, j, value);
        self.add(i, j, -value);
        self.add(j, i, -value);
    }

    /// Adds `scale · v vᵀ`.
    pub(crate) fn add_outer(&mut self, v: &[f64], scale: f64) {
        for (row, &x) in self.data.chunks_exact_mut(self.n.max(1)).zip(v) {
            if x != 0.0 {
                axpy(row, scale * x, v);
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn times(&self, v: &[f64]) -> Vec<f64> {
        (0..self.n).map(|i| dot(self.row(i), v)).collect()
    }

    /// `self · other` where `other` is symmetric.
    pub(crate) fn times_symmetric(&self, other: &Self) -> Self {
        let mut product = Self::zeros(self.n);
        for i in 0..self.n {
            for j in 0..self.n {
                product.data[i * self.n + j] = dot(self.row(i), other.row(j));
            }
        }
        product
    }
}

/// The Cholesky factor of a symmetric positive definite matrix: the lower triangle `L` with `L Lᵀ = A`.
#[derive(Debug, Clone)]
pub(crate) struct Cholesky {
    lower: Matrix,
}

impl Cholesky {
    /// Factors `a` (of which only the lower triangle is read); `None` when it is not positive definite.
    pub(crate) fn of(mut a: Matrix) -> Option<Self> {
        let n = a.n;
        for i in 0..n {
            let (above, rest) = a.data.split_at_mut(i * n);
            let row = &mut rest[..=i];
            for j in 0..i {
                let pivot_row = &above[j * n..=(j * n + j)];
                let sum = row[j] - dot(&row[..j], &pivot_row[..j]);
                row[j] = sum / pivot_row[j];
            }
            let pivot = row[i] - dot(&row[..i], &row[..i]);
            if pivot.is_nan() || pivot <= 1e-14 * row[i].abs() {
                return None;
            }
            row[i] = pivot.sqrt();
        }
        Some(Self { lower: a })
    }

    /// Solves `A x = b`.
    pub(crate) fn solve(&self, b: &[f64]) -> Vec<f64> {
        let mut x = b.to_vec();
        self.solve_in_place(&mut x);
        x
    }

    pub(crate) fn solve_in_place(&self, x: &mut [f64]) {
        let n = self.lower.n;
        for i in 0..n {
            let row = self.lower.row(i);
            x[i] = (x[i] - dot(&row[..i], &x[..i])) / row[i];
        }
        for i in (0..n).rev() {
            let row = self.lower.row(i);
            x[i] /= row[i];
            let (before, at) = x.split_at_mut(i);
            axpy(before, -at[0], &row[..i]);
        }
    }

    /// Solves `A x = b` for several right-hand sides at once, in place; `x[i]` holds the `i`-th entry of each.
    pub(crate) fn solve_lanes<const K: usize>(&self, x: &mut [[f64; K]]) {
        for i in 0..self.lower.n {
            let row = self.lower.row(i);
            let (before, at) = x.split_at_mut(i);
            let mut sum = at[0];
            for (value, &factor) in before.iter().zip(row) {
                for k in 0..K {
                    sum[k] -= factor * value[k];
                }
            }
            at[0] = sum.map(|s| s / row[i]);
        }
        for i in (0..self.lower.n).rev() {
            let row = self.lower.row(i);
            let (before, at) = x.split_at_mut(i);
            let solved = at[0].map(|s| s / row[i]);
            at[0] = solved;
            for (value, &factor) in before.iter_mut().zip(row) {
                for k in 0..K {
                    value[k] -= factor * solved[k];
                }
            }
        }
    }

    /// The inverse of `A`.
    pub(crate) fn inverse(&self) -> Matrix {
        let n = self.lower.n;
        // Column j of L⁻¹ is kept as row j of `columns`, so that every inner loop runs along a row.
        let mut columns = Matrix::zeros(n);
        for j in 0..n {
            let column = &mut columns.data[j * n..(j + 1) * n];
            column[j] = 1.0 / self.lower.at(j, j);
            for i in j + 1..n {
                let row = self.lower.row(i);
                column[i] = -dot(&row[j..i], &column[j..i]) / row[i];
            }
        }
        let mut inverse = Matrix::zeros(n);
        for i in 0..n {
            for j in 0..=i {
                let value = dot(&columns.row(i)[i..], &columns.row(j)[i..]);
                inverse.data[i * n + j] = value;
                inverse.data[j * n + i] = value;
            }
        }
        inverse
    }
}

/// The inner product, in eight lanes so that it runs in vector registers; the order of the sum is fixed.
pub(crate) fn dot(x: &[f64], y: &[f64]) -> f64 {
    let n = x.len().min(y.len());
    let (x, y) = (&x[..n], &y[..n]);
    let mut lanes = [0.0; 8];
    let (xs, ys) = (x.chunks_exact(8), y.chunks_exact(8));
    let rest: f64 = xs.remainder().iter().zip(ys.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in xs.zip(ys) {
        for (lane, (p, q)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += p * q;
        }
    }
    lanes.iter().sum::<f64>() + rest
}

fn axpy(y: &mut [f64], scale: f64, x: &[f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += scale * x;
    }
}

/// The largest absolute value.
pub(crate) fn max_abs(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most: f64, value| most.max(value.abs()))
}

#[cfg(test)]
mod tests {
    use super::{Cholesky, Matrix, dot};

    fn sample(n: usize) -> Matrix {
        let mut a = Matrix::zeros(n);
        for i in 0..n {
            let v: Vec<f64> = (0..n).map(|j| ((i * 7 + j * 3) % 11) as f64 - 4.0).collect();
            a.add_outer(&v, 1.0);
            a.add(i, i, 1.0);
        }
        a
    }

    #[test]
    fn solving_and_inverting_undo_the_matrix() {
        let a = sample(13);
        let x: Vec<f64> = (0..13_u8).map(|i| f64::from(i) - 5.5).collect();
        let factor = Cholesky::of(a.clone()).unwrap();
        let solved = factor.solve(&a.times(&x));
        assert!(solved.iter().zip(&x).all(|(s, x)| (s - x).abs() < 1e-10));
        let mut lanes: Vec<[f64; 2]> = a.times(&x).iter().map(|&v| [v, 2.0 * v]).collect();
        factor.solve_lanes(&mut lanes);
        assert!(
            lanes
                .iter()
                .zip(&x)
                .all(|(l, x)| (l[0] - x).abs() < 1e-10 && (l[1] - 2.0 * x).abs() < 1e-10)
        );
        let product = a.times_symmetric(&factor.inverse());
        for i in 0..13 {
            for j in 0..13 {
                assert!((product.at(i, j) - f64::from(u8::from(i == j))).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn what_is_not_positive_definite_is_refused() {
        let mut a = Matrix::zeros(2);
        a.add_edge(0, 1, 1.0);
        assert!(Cholesky::of(a).is_none());
        assert!(Cholesky::of(Matrix::zeros(1)).is_none());
    }

    #[test]
    fn the_dot_product_uses_every_value() {
        let x: Vec<f64> = (1..=19_u8).map(f64::from).collect();
        assert_eq!(dot(&x, &x), 2470.0);
    }
}
