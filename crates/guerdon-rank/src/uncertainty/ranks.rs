//! Ranks with their uncertainty, and groups of contestants that cannot be told apart.

use super::bootstrap::Rounds;
use super::covariance::Covariance;

/// What is known about how strengths vary together.
#[derive(Debug, Clone, PartialEq)]
pub enum Spread {
    /// A covariance matrix: differences are taken as normal.
    Covariance(Covariance),
    /// The rounds of a bootstrap: differences are compared round by round.
    Rounds(Rounds),
}

impl Spread {
    /// Probability that the strength of `i` exceeds that of `j`, given the estimates `theta`.
    pub fn above(&self, theta: &[f64], i: usize, j: usize) -> f64 {
        let difference = theta[i] - theta[j];
        match self {
            Self::Covariance(covariance) => {
                let variance = covariance.of_difference(i, j);
                if variance == 0.0 {
                    return if difference == 0.0 {
                        0.5
                    } else {
                        f64::from(u8::from(difference > 0.0))
                    };
                }
                guerdon_stats::dist::normal_cdf(difference / variance.sqrt())
            }
            Self::Rounds(rounds) => {
                let points = (0..rounds.len()).map(|k| {
                    let round = rounds.round(k);
                    if round[i] == round[j] {
                        0.5
                    } else {
                        f64::from(u8::from(round[i] > round[j]))
                    }
                });
                points.sum::<f64>() / rounds.len().max(1) as f64
            }
        }
    }

    /// In which rounds each contestant was strictly first, as shares; `None` without rounds.
    pub fn best(&self, n: usize) -> Option<Vec<f64>> {
        let Self::Rounds(rounds) = self else { return None };
        let mut wins = vec![0.0; n];
        for k in 0..rounds.len() {
            let round = rounds.round(k);
            let top = (0..n).max_by(|&i, &j| round[i].total_cmp(&round[j]))?;
            wins[top] += 1.0 / rounds.len() as f64;
        }
        Some(wins)
    }
}

/// Ranks of contestants: 1 is best.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranks {
    /// Rank by the estimate alone; equal estimates share the better rank.
    pub rank: Vec<usize>,
    /// Best rank that the uncertainty allows: 1 + the number of contestants that are surely better.
    pub low: Vec<usize>,
    /// Worst rank that it allows: n − the number of contestants that are surely worse.
    pub high: Vec<usize>,
    /// Groups that cannot be told apart: maximal runs, in order of the estimates, in which no pair is decided.
    pub groups: Vec<Vec<usize>>,
}

/// Indices from the greatest value to the least; equal values keep their order.
pub fn order(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&i, &j| values[j].total_cmp(&values[i]));
    order
}

/// Ranks by value alone, within each label of `component`; equal values share the better rank.
pub fn plain(values: &[f64], component: &[usize]) -> Vec<usize> {
    let better = |i: usize| {
        let same = |j: &usize| component.get(*j) == component.get(i) && values[*j] > values[i];
        (0..values.len()).filter(same).count()
    };
    if component.iter().all(|c| *c == 0) {
        return of_order(values);
    }
    (0..values.len()).map(|i| 1 + better(i)).collect()
}

fn of_order(values: &[f64]) -> Vec<usize> {
    let mut ranks = vec![0; values.len()];
    let mut last = (0, f64::NAN);
    for (place, i) in order(values).into_iter().enumerate() {
        if values[i] != last.1 {
            last = (place + 1, values[i]);
        }
        ranks[i] = last.0;
    }
    ranks
}

/// Ranks within each component. A pair counts as decided when one exceeds the other with probability above
/// 1 − (1 − `level`) / 2.
pub fn ranks(theta: &[f64], component: &[usize], spread: &Spread, level: f64) -> Ranks {
    let n = theta.len();
    let sure = 1.0 - 0.5 * (1.0 - level);
    let order = order(theta);
    let mut ranks = Ranks {
        rank: plain(theta, component),
        low: vec![1; n],
        high: vec![0; n],
        groups: Vec::new(),
    };
    for i in 0..n {
        ranks.high[i] = component.iter().filter(|c| **c == component[i]).count();
    }
    // first_decided[p]: the first place below p whose contestant is decided against the one at p.
    let mut first_decided = vec![n; n];
    for (place, &i) in order.iter().enumerate() {
        for (below, &j) in order.iter().enumerate().skip(place + 1) {
            let apart = component[i] != component[j];
            let decided = !apart && spread.above(theta, i, j) > sure;
            if decided {
                ranks.low[j] += 1;
                ranks.high[i] -= 1;
            }
            if decided || apart {
                first_decided[place] = first_decided[place].min(below);
            }
        }
    }
    ranks.groups =
        runs(&first_decided).into_iter().map(|(from, to)| order[from..to].to_vec()).collect();
    ranks
}

/// Maximal runs of places without a decided pair.
fn runs(first_decided: &[usize]) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for from in 0..first_decided.len() {
        let to = first_decided[from..].iter().copied().enumerate().fold(
            usize::MAX,
            |end, (k, decided)| {
                // Places that lie beyond the end of the run do not limit it.
                if from + k < end { end.min(decided) } else { end }
            },
        );
        let to = to.min(first_decided.len());
        if runs.last().is_none_or(|&(_, last)| to > last) {
            runs.push((from, to));
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::{order, plain, runs};

    #[test]
    fn equal_values_share_the_better_rank() {
        assert_eq!(plain(&[1.0, 3.0, 3.0, 0.0], &[0; 4]), [3, 1, 1, 4]);
        assert_eq!(plain(&[1.0, 3.0, 2.0, 0.0], &[0, 1, 0, 1]), [2, 1, 1, 2]);
        assert_eq!(order(&[1.0, 3.0, 3.0, 0.0]), [1, 2, 0, 3]);
    }

    #[test]
    fn runs_are_maximal_and_overlap() {
        // 0 is decided against 2 and beyond, 1 against 3 and beyond, 2 and 3 against nobody.
        assert_eq!(runs(&[2, 3, 4, 4]), [(0, 2), (1, 3), (2, 4)]);
        assert_eq!(runs(&[3, 3, 3]), [(0, 3)]);
        assert_eq!(runs(&[1, 2]), [(0, 1), (1, 2)]);
        assert!(runs(&[]).is_empty());
    }
}
