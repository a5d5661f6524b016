//! Means, variances and the checks that every statistic begins and ends with.

use guerdon_core::MethodError;

/// Checks that `values` holds something and everything in it is finite.
pub fn check(name: &str, values: &[f64]) -> Result<(), MethodError> {
    at_least(name, values.len(), 1)?;
    MethodError::all_finite(name, values)
}

/// Checks that two lists hold something, are equally long and finite.
pub fn check_pair(left: (&str, &[f64]), right: (&str, &[f64])) -> Result<(), MethodError> {
    MethodError::same_length((left.0, left.1.len()), (right.0, right.1.len()))?;
    check(left.0, left.1)?;
    check(right.0, right.1)
}

/// Checks that a list has at least `need` values.
pub fn at_least(name: &str, len: usize, need: usize) -> Result<(), MethodError> {
    if len >= need {
        return Ok(());
    }
    Err(MethodError::domain(format!("`{name}` has {len} values; at least {need} are needed")))
}

/// Reads outcomes that must each be 0 or 1, at least one.
pub fn binary(name: &str, values: &[f64]) -> Result<Vec<bool>, MethodError> {
    at_least(name, values.len(), 1)?;
    match values.iter().position(|v| *v != 0.0 && *v != 1.0) {
        None => Ok(values.iter().map(|v| *v == 1.0).collect()),
        Some(at) => Err(MethodError::domain(format!(
            "`{name}` must hold 0 and 1 only, but value {at} is {}",
            values[at]
        ))),
    }
}

/// Passes a finite result on; an overflow becomes an error.
pub fn finite(name: &str, value: f64) -> Result<f64, MethodError> {
    if value.is_finite() {
        return Ok(value);
    }
    Err(MethodError::domain(format!("`{name}` overflows: the values are too large; rescale them")))
}

/// The mean; NaN of nothing (callers check first).
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The sum of squared deviations from the mean.
pub fn squares(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|x| (x - mean) * (x - mean)).sum()
}

/// The variance with `ddof` taken off the count (1: sample, 0: population); `None` when that leaves nothing.
pub fn variance(values: &[f64], ddof: usize) -> Option<f64> {
    (values.len() > ddof).then(|| squares(values) / (values.len() - ddof) as f64)
}

/// The standard error of the mean; `None` for fewer than two values.
pub fn standard_error(values: &[f64]) -> Option<f64> {
    variance(values, 1).map(|v| (v / values.len() as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::{check, finite, mean, standard_error, variance};

    #[test]
    fn moments_of_three() {
        assert_eq!(mean(&[1.0, 2.0, 6.0]), 3.0);
        assert_eq!(variance(&[1.0, 2.0, 6.0], 1), Some(7.0));
        assert_eq!(variance(&[1.0], 1), None);
        assert_eq!(standard_error(&[1.0, 3.0]), Some(1.0));
    }

    #[test]
    fn nothing_and_nan_are_errors() {
        assert!(check("x", &[]).is_err());
        assert!(check("x", &[1.0, f64::NAN]).is_err());
        assert!(finite("x", f64::INFINITY).is_err());
    }
}
