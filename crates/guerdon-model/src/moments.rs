//! Mean and population standard deviation, exact for constants.

/// Mean and population standard deviation of `values`; `None` when there are none or one of the two overflows.
///
/// Sums are taken relative to the first value: equal values have a deviation of exactly 0.
pub fn moments(values: &[f64]) -> Option<(f64, f64)> {
    let first = *values.first()?;
    let n = values.len() as f64;
    let offset = values.iter().map(|v| v - first).sum::<f64>() / n;
    let std = (values.iter().map(|v| (v - first - offset).powi(2)).sum::<f64>() / n).sqrt();
    Some((first + offset, std)).filter(|(mean, std)| mean.is_finite() && std.is_finite())
}

#[cfg(test)]
mod tests {
    use super::moments;

    #[test]
    fn constants_are_exact_and_overflow_is_nothing() {
        assert_eq!(moments(&[0.1; 7]), Some((0.1, 0.0)));
        assert_eq!(moments(&[1.0, 3.0]), Some((2.0, 1.0)));
        assert_eq!(moments(&[]), None);
        assert_eq!(moments(&[f64::MAX, -f64::MAX]), None);
    }
}
