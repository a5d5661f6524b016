//! How several samples of scores become one.

/// The sum of the samples, per response. Every sample has one score per response.
pub fn sum(samples: &[Vec<f64>]) -> Vec<f64> {
    let n = samples.first().map_or(0, Vec::len);
    (0..n)
        .map(|i| samples.iter().map(|scores| scores.get(i).copied().unwrap_or(0.0)).sum())
        .collect()
}

/// The share of samples in which each response is the best; equally good ones share the sample's vote.
pub fn majority(samples: &[Vec<f64>]) -> Vec<f64> {
    let votes: Vec<Vec<f64>> = samples
        .iter()
        .map(|scores| {
            let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let winners = scores.iter().filter(|score| **score == most).count();
            scores.iter().map(|s| if *s == most { 1.0 / winners as f64 } else { 0.0 }).collect()
        })
        .collect();
    sum(&votes).into_iter().map(|votes| votes / samples.len().max(1) as f64).collect()
}

/// The best-graded share of the samples, at least one; of equal ones the earlier. In the samples' order.
pub fn keep(grades: &[f64], share: f64) -> Vec<usize> {
    let wanted = grades.len() as f64 * share;
    let count = (1..=grades.len()).filter(|k| *k as f64 - 0.5 <= wanted).count().max(1);
    let mut order: Vec<usize> = (0..grades.len()).collect();
    order.sort_by(|a, b| grades[*b].total_cmp(&grades[*a]));
    order.truncate(count);
    order.sort_unstable();
    order
}

#[cfg(test)]
mod tests {
    use super::{keep, majority, sum};

    #[test]
    fn sums_and_the_meta_filter() {
        let samples = vec![vec![7.0, 6.0, 4.0], vec![8.0, 5.0, 5.0], vec![4.0, 9.0, 5.0]];
        assert_eq!(sum(&samples), [19.0, 20.0, 14.0]);
        assert_eq!(keep(&[0.9, 0.8, 0.2], 0.5), [0, 1]);
        let kept: Vec<Vec<f64>> =
            keep(&[0.9, 0.8, 0.2], 0.5).into_iter().map(|k| samples[k].clone()).collect();
        assert_eq!(sum(&kept), [15.0, 11.0, 9.0]);
    }

    #[test]
    fn the_majority_shares_ties() {
        let samples = vec![vec![7.0, 6.0], vec![5.0, 5.0], vec![2.0, 9.0], vec![1.0, 3.0]];
        assert_eq!(majority(&samples), [0.375, 0.625]);
        assert_eq!(keep(&[1.0, 1.0, 1.0, 1.0], 0.5), [0, 1]);
        assert_eq!((sum(&[]), majority(&[])), (vec![], vec![]));
    }
}
