//! Shares of a whole: how many items a share is, and whole numbers that add up to a total.

/// The number of items that `share` (0 to 1) of `n` is, rounded to the nearest, at least one where share and n are positive.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and n")]
pub fn count(share: f64, n: usize) -> usize {
    let wanted = (share.clamp(0.0, 1.0) * n as f64).round() as usize;
    wanted.clamp(usize::from(share > 0.0 && n > 0), n)
}

/// Whole numbers in proportion to `weights` that add up to `total`: each gets its whole part, the greatest remainders one more.
///
/// Weights that are negative or not finite count as 0; without any weight all get 0. Equal remainders go by order.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and total")]
pub fn largest_remainder(weights: &[f64], total: usize) -> Vec<usize> {
    let clean: Vec<f64> =
        weights.iter().map(|w| if w.is_finite() { w.max(0.0) } else { 0.0 }).collect();
    let largest = clean.iter().copied().fold(0.0, f64::max);
    if largest == 0.0 {
        return vec![0; weights.len()];
    }
    // Relative to the largest first: a sum of huge weights stays finite, tiny weights stay apart.
    let relative: Vec<f64> = clean.iter().map(|w| w / largest).collect();
    let sum: f64 = relative.iter().sum();
    let exact: Vec<f64> = relative.iter().map(|w| w / sum * total as f64).collect();
    let mut counts: Vec<usize> = exact.iter().map(|x| x.floor() as usize).collect();
    let mut order: Vec<usize> = (0..exact.len()).filter(|&i| clean[i] > 0.0).collect();
    order.sort_by(|&a, &b| exact[b].fract().total_cmp(&exact[a].fract()));
    let left = total.saturating_sub(counts.iter().sum());
    for &i in order.iter().cycle().take(left) {
        counts[i] += 1;
    }
    counts
}

/// Indices of `scores` from the greatest to the least; equal ones by order.
pub fn descending(scores: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    order
}

/// Indices of `scores` from the least to the greatest; equal ones by order.
pub fn ascending(scores: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    order
}

#[cfg(test)]
mod tests {
    use super::{ascending, count, descending, largest_remainder};

    #[test]
    fn a_share_is_at_least_one() {
        assert_eq!((count(0.3, 10), count(0.01, 10), count(0.0, 10), count(1.0, 0)), (3, 1, 0, 0));
    }

    #[test]
    fn remainders_go_to_the_greatest() {
        assert_eq!(largest_remainder(&[1.0, 1.0, 1.0], 10), [4, 3, 3]);
        assert_eq!(largest_remainder(&[0.5, 0.3, 0.2], 7), [4, 2, 1]);
        assert_eq!(largest_remainder(&[0.0, 0.0], 7), [0, 0]);
        assert_eq!(largest_remainder(&[f64::MAX, f64::MAX, 0.0], 3), [2, 1, 0]);
    }

    #[test]
    fn ties_keep_their_order() {
        assert_eq!(descending(&[1.0, 2.0, 1.0]), [1, 0, 2]);
        assert_eq!(ascending(&[1.0, 2.0, 1.0]), [0, 2, 1]);
    }
}
