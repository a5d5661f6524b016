//! Order statistics: sorting indices, ranks with ties, quantiles.

use guerdon_core::MethodError;

/// The indices of `values` in ascending order of value; equal values keep their order. −0 equals 0.
pub fn argsort(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| compare(values[a], values[b]));
    order
}

/// Ascending order with −0 equal to 0. Values are expected finite; NaN sorts last.
pub fn compare(a: f64, b: f64) -> std::cmp::Ordering {
    (a + 0.0).total_cmp(&(b + 0.0))
}

/// `values` in ascending order.
pub fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| compare(*a, *b));
    sorted
}

/// Ranks from 1, ascending; tied values share the mean of their places.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let order = argsort(values);
    let mut ranks = vec![0.0; values.len()];
    for run in runs(&order, |a, b| compare(values[a], values[b]).is_eq()) {
        let mean = (run.start + run.end + 1) as f64 / 2.0;
        for &index in &order[run] {
            ranks[index] = mean;
        }
    }
    ranks
}

/// The sizes of the sets of tied values, ascending in value; values without ties count 1.
pub fn tie_sizes(values: &[f64]) -> Vec<usize> {
    let order = argsort(values);
    runs(&order, |a, b| compare(values[a], values[b]).is_eq()).map(|run| run.len()).collect()
}

/// Cuts `items` into maximal runs of neighbours that are `same`.
pub(crate) fn runs<T: Copy>(
    items: &[T],
    same: impl Fn(T, T) -> bool,
) -> impl Iterator<Item = std::ops::Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        if start >= items.len() {
            return None;
        }
        let first = items[start];
        let end =
            start + items[start..].iter().take_while(|&&item| same(first, item)).count().max(1);
        let run = start..end;
        start = end;
        Some(run)
    })
}

/// `x` as an index: rounded towards 0; negative is 0, too large the largest.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "float to integer casts saturate, which is what is meant"
)]
pub fn index(x: f64) -> usize {
    x as usize
}

/// The `q` quantile (0 to 1) of ascending values, linear between neighbours (numpy's default, R's type 7).
///
/// # Panics
///
/// When `sorted` is empty.
pub fn quantile_sorted(sorted: &[f64], q: f64) -> f64 {
    let at = q.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let (below, above) = (index(at.floor()), index(at.ceil()));
    sorted[below] + (sorted[above] - sorted[below]) * at.fract()
}

/// The `q` quantile (0 to 1) of `values`, linear between neighbours.
pub fn quantile(values: &[f64], q: f64) -> Result<f64, MethodError> {
    crate::moments::check("values", values)?;
    Ok(quantile_sorted(&sorted(values), q))
}

#[cfg(test)]
mod tests {
    use super::{quantile_sorted, ranks, tie_sizes};

    #[test]
    fn ties_share_the_mean_of_their_places() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
        assert_eq!(ranks(&[-0.0, 0.0]), [1.5, 1.5]);
        assert_eq!(tie_sizes(&[3.0, 1.0, 3.0]), [1, 2]);
        assert!(ranks(&[]).is_empty());
    }

    #[test]
    fn quantiles_are_linear_between_neighbours() {
        assert_eq!(quantile_sorted(&[1.0, 2.0, 4.0], 0.75), 3.0);
        assert_eq!(quantile_sorted(&[7.0], 0.3), 7.0);
    }
}
