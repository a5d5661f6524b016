//! Correlation with ties: Pearson, Spearman, Kendall's τ-b and τ-c.
//!
//! `None` means undefined: fewer than two pairs, or a side that is constant.

use guerdon_core::MethodError;

use crate::moments::{check_pair, mean};
use crate::order::{argsort, compare, ranks, runs, tie_sizes};

/// Pearson's r, −1 to 1.
pub fn pearson(x: &[f64], y: &[f64]) -> Result<Option<f64>, MethodError> {
    check_pair(("x", x), ("y", y))?;
    let (x, y) = (unit(x), unit(y));
    Ok(match (x, y) {
        (Some(x), Some(y)) => {
            Some(x.iter().zip(&y).map(|(a, b)| a * b).sum::<f64>().clamp(-1.0, 1.0))
        }
        _ => None,
    })
}

/// The deviations from the mean, scaled to length 1; `None` for a constant. Dividing by the largest deviation first
/// keeps the squares in range.
fn unit(values: &[f64]) -> Option<Vec<f64>> {
    let scale = values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    if scale == 0.0 || values.iter().all(|v| *v == values[0]) {
        return None;
    }
    let scaled: Vec<f64> = values.iter().map(|v| v / scale).collect();
    let centre = mean(&scaled);
    let reach = scaled.iter().fold(0.0_f64, |m, v| m.max((v - centre).abs()));
    let deviations: Vec<f64> = scaled.iter().map(|v| (v - centre) / reach).collect();
    let length = deviations.iter().map(|d| d * d).sum::<f64>().sqrt();
    (length.is_finite() && length > 0.0).then(|| deviations.iter().map(|d| d / length).collect())
}

/// Spearman's ρ: Pearson's r of the average ranks.
pub fn spearman(x: &[f64], y: &[f64]) -> Result<Option<f64>, MethodError> {
    check_pair(("x", x), ("y", y))?;
    pearson(&ranks(x), &ranks(y))
}

/// What all of Kendall's coefficients are made of: counts of pairs of observations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KendallCounts {
    /// Observations.
    pub n: usize,
    /// Concordant minus discordant pairs.
    pub excess: f64,
    /// Discordant pairs.
    pub discordant: f64,
    /// All pairs.
    pub pairs: f64,
    /// Pairs tied in x.
    pub tied_x: f64,
    /// Pairs tied in y.
    pub tied_y: f64,
    /// Pairs tied in both.
    pub tied_both: f64,
    /// Distinct values of x and of y.
    pub distinct: (usize, usize),
}

impl KendallCounts {
    /// Counts in O(n log n) (Knight's merge sort).
    pub fn new(x: &[f64], y: &[f64]) -> Result<Self, MethodError> {
        check_pair(("x", x), ("y", y))?;
        let mut order = argsort(x);
        order.sort_by(|&a, &b| compare(x[a], x[b]).then(compare(y[a], y[b])));
        let both = runs(&order, |a, b| compare(x[a], x[b]).is_eq() && compare(y[a], y[b]).is_eq());
        let tied_both = pairs_in(both.map(|run| run.len()));
        let mut sequence: Vec<f64> = order.iter().map(|&i| y[i]).collect();
        let discordant = inversions(&mut sequence);
        let (ties_x, ties_y) = (tie_sizes(x), tie_sizes(y));
        let distinct = (ties_x.len(), ties_y.len());
        let (tied_x, tied_y) = (pairs_in(ties_x.into_iter()), pairs_in(ties_y.into_iter()));
        let pairs = pairs_in(std::iter::once(x.len()));
        let excess = pairs - tied_x - tied_y + tied_both - 2.0 * discordant;
        Ok(Self { n: x.len(), excess, discordant, pairs, tied_x, tied_y, tied_both, distinct })
    }

    /// τ-b: the excess over the geometric mean of the pairs untied in x and in y.
    pub fn tau_b(&self) -> Option<f64> {
        let product = (self.pairs - self.tied_x) * (self.pairs - self.tied_y);
        (product > 0.0).then(|| (self.excess / product.sqrt()).clamp(-1.0, 1.0))
    }

    /// τ-c (Stuart): the excess over the largest possible with the given numbers of distinct values.
    pub fn tau_c(&self) -> Option<f64> {
        let classes = self.distinct.0.min(self.distinct.1) as f64;
        let n = self.n as f64;
        (classes > 1.0)
            .then(|| (2.0 * self.excess * classes / (n * n * (classes - 1.0))).clamp(-1.0, 1.0))
    }

    /// τ-a: the excess over all pairs; ties count as no order.
    pub fn tau_a(&self) -> Option<f64> {
        (self.pairs > 0.0).then(|| self.excess / self.pairs)
    }

    /// Somers' D of y given x: the excess over the pairs untied in x.
    pub fn somers_d(&self) -> Option<f64> {
        (self.pairs > self.tied_x).then(|| self.excess / (self.pairs - self.tied_x))
    }
}

/// Kendall's τ-b, −1 to 1, ties taken off both sides.
pub fn kendall_tau_b(x: &[f64], y: &[f64]) -> Result<Option<f64>, MethodError> {
    Ok(KendallCounts::new(x, y)?.tau_b())
}

/// Kendall's τ-c (Stuart), −1 to 1, for tables that are not square.
pub fn kendall_tau_c(x: &[f64], y: &[f64]) -> Result<Option<f64>, MethodError> {
    Ok(KendallCounts::new(x, y)?.tau_c())
}

fn pairs_in(sizes: impl Iterator<Item = usize>) -> f64 {
    sizes.map(|t| t as f64 * (t as f64 - 1.0) / 2.0).sum()
}

/// Number of strict inversions; leaves `values` sorted. Bottom-up merge sort: no recursion.
fn inversions(values: &mut [f64]) -> f64 {
    let n = values.len();
    let mut buffer = values.to_vec();
    let mut count = 0.0;
    let mut width = 1;
    while width < n {
        for start in (0..n).step_by(2 * width) {
            let (middle, end) = ((start + width).min(n), (start + 2 * width).min(n));
            count += merge(&values[start..middle], &values[middle..end], &mut buffer[start..end]);
        }
        values.copy_from_slice(&buffer);
        width *= 2;
    }
    count
}

/// Merges two ascending runs and counts the pairs out of order between them.
fn merge(left: &[f64], right: &[f64], out: &mut [f64]) -> f64 {
    let (mut i, mut j, mut count) = (0, 0, 0.0);
    for slot in out {
        if j == right.len() || (i < left.len() && compare(left[i], right[j]).is_le()) {
            *slot = left[i];
            i += 1;
        } else {
            *slot = right[j];
            j += 1;
            count += (left.len() - i) as f64;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rankings_of_five() {
        let (x, y) = ([5.0, 4.0, 3.0, 2.0, 1.0], [5.0, 3.0, 4.0, 1.0, 2.0]);
        assert!((kendall_tau_b(&x, &y).unwrap().unwrap() - 0.6).abs() < 1e-15);
        assert!((spearman(&x, &y).unwrap().unwrap() - 0.8).abs() < 1e-15);
    }

    #[test]
    fn a_constant_has_no_correlation() {
        for f in [pearson, spearman, kendall_tau_b, kendall_tau_c] {
            assert_eq!(f(&[1.0, 1.0], &[1.0, 2.0]).unwrap(), None);
            assert_eq!(f(&[1.0], &[2.0]).unwrap(), None);
            assert!(f(&[], &[]).is_err());
            assert!(f(&[1.0], &[1.0, 2.0]).is_err());
            assert!(f(&[f64::NAN], &[1.0]).is_err());
        }
    }

    #[test]
    fn extreme_scales_do_not_overflow() {
        assert!(
            (pearson(&[-1e308, 0.0, 1e308], &[1e-300, 2e-300, 3e-300]).unwrap().unwrap() - 1.0)
                .abs()
                < 1e-12
        );
        assert!((pearson(&[5e-324, 0.0], &[1.0, 2.0]).unwrap().unwrap() + 1.0).abs() < 1e-12);
    }

    #[test]
    fn fast_counting_equals_counting_pairs() {
        let x = [1.0, 3.0, 2.0, 3.0, 1.0, 5.0, 2.0];
        let y = [2.0, 2.0, 1.0, 4.0, 2.0, 0.0, 1.0];
        let mut excess = 0.0;
        for i in 0..x.len() {
            for j in 0..i {
                let (dx, dy): (f64, f64) = (x[i] - x[j], y[i] - y[j]);
                excess += if dx * dy == 0.0 { 0.0 } else { (dx * dy).signum() };
            }
        }
        assert_eq!(KendallCounts::new(&x, &y).unwrap().excess, excess);
    }
}
