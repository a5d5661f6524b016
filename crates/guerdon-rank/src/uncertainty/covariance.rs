//! Covariance of fitted strengths: from the curvature of the likelihood (Fisher) or robust (sandwich).

use guerdon_core::MethodError;

use crate::comparisons::counts::Counts;
use crate::fit::pair::Ties;
use crate::fit::{self, Fit, Options, System};
use crate::linalg::{Cholesky, Matrix};
use crate::{Comparisons, Outcome};

/// Covariance matrix of the strengths, each component summing to zero (or held by its anchors).
#[derive(Debug, Clone, PartialEq)]
pub struct Covariance {
    matrix: Matrix,
    n: usize,
}

impl Covariance {
    /// Inverse of the information at the maximum, ridge included.
    ///
    /// With ties as half wins this overstates the error: a half win varies less than the model believes. The sandwich
    /// does not.
    pub fn fisher(counts: &Counts, fit: &Fit, options: &Options) -> Result<Self, MethodError> {
        let seen = fit::seen(counts, options.ties);
        let system = System::new(&seen, fit.model, options, fit.components.clone());
        Ok(Self { matrix: inverse(&system, fit)?, n: fit.theta.len() })
    }

    /// The sandwich `I⁻¹ (Σ s sᵀ) I⁻¹` over the scores `s` of the rows, or of the clusters where rows are clustered.
    pub fn sandwich(
        all: &Comparisons,
        counts: &Counts,
        fit: &Fit,
        options: &Options,
    ) -> Result<Self, MethodError> {
        let seen = fit::seen(counts, options.ties);
        let system = System::new(&seen, fit.model, options, fit.components.clone());
        let bread = inverse(&system, fit)?;
        let filling = Filling { fit, drop: options.ties == Ties::Drop, size: system.size() };
        let meat = match (all.cluster(), all.weight()) {
            (Some(cluster), _) => filling.clusters(all, cluster),
            (None, Some(_)) => filling.rows(&Counts::of_squares(all)),
            (None, None) => filling.rows(counts),
        };
        Ok(Self {
            matrix: bread.times_symmetric(&meat).times_symmetric(&bread),
            n: fit.theta.len(),
        })
    }

    /// Number of contestants.
    pub fn n(&self) -> usize {
        self.n
    }

    /// Covariance of two strengths.
    pub fn at(&self, i: usize, j: usize) -> f64 {
        self.matrix.at(i, j)
    }

    /// Standard error of a strength.
    pub fn error(&self, i: usize) -> f64 {
        self.at(i, i).max(0.0).sqrt()
    }

    /// Variance of the difference of two strengths.
    pub fn of_difference(&self, i: usize, j: usize) -> f64 {
        (self.at(i, i) + self.at(j, j) - 2.0 * self.at(i, j)).max(0.0)
    }
}

/// Inverse of the information without the gauge direction; rows and columns of anchored contestants are 0.
fn inverse(system: &System<'_>, fit: &Fit) -> Result<Matrix, MethodError> {
    let mut point = fit.theta.clone();
    if system.model.has_tie_parameter() {
        point.push(fit.tau);
    }
    let local = system.local(&point);
    let gauge = system.gauge(&local.terms);
    let info = system.information(&local.terms, gauge);
    let factor = Cholesky::of(info).ok_or_else(|| {
        MethodError::domain("the information about the strengths is singular: set `ridge`")
    })?;
    let mut inverse = factor.inverse();
    for (members, size) in system.components.members().iter().zip(&system.floating) {
        let Some(size) = size else { continue };
        let level = 1.0 / ((gauge + system.ridge) * size);
        for &i in members {
            for &j in members {
                inverse.add(i, j, -level);
            }
        }
    }
    for (i, anchored) in system.anchored.iter().enumerate() {
        if *anchored {
            inverse.add(i, i, -1.0);
        }
    }
    Ok(inverse)
}

struct Filling<'a> {
    fit: &'a Fit,
    drop: bool,
    size: usize,
}

impl Filling<'_> {
    /// Σ s sᵀ over independent rows; `squares` holds the summed squared weights.
    fn rows(&self, squares: &Counts) -> Matrix {
        let mut meat = Matrix::zeros(self.size);
        for cell in squares.cells() {
            let (a, b) = (cell.a as usize, cell.b as usize);
            let scores = self.fit.model.scores(self.fit.theta[a] - self.fit.theta[b], self.fit.tau);
            let ties = if self.drop { 0.0 } else { cell.ties };
            for ((by_d, by_tau), count) in scores.into_iter().zip([cell.wins_a, cell.wins_b, ties])
            {
                if count == 0.0 {
                    continue;
                }
                meat.add_edge(a, b, count * by_d * by_d);
                if self.fit.model.has_tie_parameter() {
                    self.add_tau(&mut meat, (a, b), count, by_d, by_tau);
                }
            }
        }
        meat
    }

    fn add_tau(
        &self,
        meat: &mut Matrix,
        (a, b): (usize, usize),
        count: f64,
        by_d: f64,
        by_tau: f64,
    ) {
        let last = self.size - 1;
        let cross = count * by_d * by_tau;
        for (i, value) in [(a, cross), (b, -cross)] {
            meat.add(i, last, value);
            meat.add(last, i, value);
        }
        meat.add(last, last, count * by_tau * by_tau);
    }

    /// Σ s sᵀ over clusters, `s` the summed score of a cluster.
    fn clusters(&self, all: &Comparisons, cluster: &[u32]) -> Matrix {
        let mut order: Vec<usize> = (0..all.len()).collect();
        order.sort_by_key(|&k| cluster[k]);
        let rows: Vec<_> = all.rows().collect();
        let mut meat = Matrix::zeros(self.size);
        for members in order.chunk_by(|&x, &y| cluster[x] == cluster[y]) {
            let mut score = vec![0.0; self.size];
            for &k in members {
                self.add_row(&mut score, rows[k]);
            }
            meat.add_outer(&score, 1.0);
        }
        meat
    }

    fn add_row(&self, score: &mut [f64], (a, b, outcome, weight): (usize, usize, Outcome, f64)) {
        let scores = self.fit.model.scores(self.fit.theta[a] - self.fit.theta[b], self.fit.tau);
        let (by_d, by_tau) = match outcome {
            Outcome::First => scores[0],
            Outcome::Second => scores[1],
            Outcome::Tie if self.drop => return,
            Outcome::Tie => scores[2],
        };
        score[a] += weight * by_d;
        score[b] -= weight * by_d;
        if self.fit.model.has_tie_parameter() {
            score[self.size - 1] += weight * by_tau;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Covariance;
    use crate::fit::{Options, fit};
    use crate::{Comparisons, Outcome};

    /// A:B 3–1, B:C 3–1, A:C 4–1.
    fn example() -> Comparisons {
        use Outcome::{First, Second};
        let rows = [
            (0, 1, First, 3),
            (0, 1, Second, 1),
            (1, 2, First, 3),
            (1, 2, Second, 1),
            (0, 2, First, 4),
            (0, 2, Second, 1),
        ];
        let each = rows.iter().flat_map(|&(a, b, o, times)| std::iter::repeat_n((a, b, o), times));
        let (mut first, mut second, mut outcome) = (vec![], vec![], vec![]);
        for (a, b, o) in each {
            first.push(a);
            second.push(b);
            outcome.push(o);
        }
        Comparisons::new(["A", "B", "C"].map(str::to_owned).to_vec(), first, second, outcome)
            .unwrap()
    }

    #[test]
    fn the_worked_example() {
        let (all, options) = (example(), Options::default());
        let counts = all.counts();
        let fitted = fit(&counts, all.names(), &options).unwrap();
        let fisher = Covariance::fisher(&counts, &fitted, &options).unwrap();
        for (i, expected) in [0.5438, 0.5132, 0.5438].into_iter().enumerate() {
            assert!((fisher.error(i) - expected).abs() < 5e-5, "{}", fisher.error(i));
        }
        let row_sum: f64 = (0..3).map(|j| fisher.at(0, j)).sum();
        assert!(row_sum.abs() < 1e-12);
    }

    #[test]
    fn clusters_of_one_row_are_rows() {
        let (all, options) = (example(), Options::default());
        let counts = all.counts();
        let fitted = fit(&counts, all.names(), &options).unwrap();
        let rows = Covariance::sandwich(&all, &counts, &fitted, &options).unwrap();
        let single = all.clone().with_clusters((0..13).collect()).unwrap();
        let clusters = Covariance::sandwich(&single, &counts, &fitted, &options).unwrap();
        let weighted = all.with_weights(vec![1.0; 13]).unwrap();
        let squares = Covariance::sandwich(&weighted, &counts, &fitted, &options).unwrap();
        for i in 0..3 {
            assert!((rows.error(i) - clusters.error(i)).abs() < 1e-12);
            assert!((rows.error(i) - squares.error(i)).abs() < 1e-12);
        }
    }

    #[test]
    fn what_is_anchored_has_no_error() {
        let all = example();
        let options = Options { anchors: vec![(1, 0.0)], ..Options::default() };
        let counts = all.counts();
        let fitted = fit(&counts, all.names(), &options).unwrap();
        let fisher = Covariance::fisher(&counts, &fitted, &options).unwrap();
        assert_eq!(fisher.error(1), 0.0);
        assert!(fisher.error(0) > 0.0);
    }
}
