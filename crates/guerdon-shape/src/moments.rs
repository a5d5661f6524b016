//! Means and standard deviations, the arithmetic that most advantages share.
//!
//! Every sum is taken relative to the first value, so that a constant slice has exactly its value as mean and exactly 0
//! as standard deviation, however awkward the value. Where squares would overflow or vanish the slice is scaled first:
//! finite values never give an infinite or undefined moment, and only a constant slice has a deviation of 0.

/// Mean and standard deviation of one slice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// The mean; 0 for an empty slice.
    pub mean: f64,
    /// The standard deviation; 0 where there are not more than `ddof` values.
    pub std: f64,
}

/// The mean of `values`; 0 when there are none.
pub fn mean(values: &[f64]) -> f64 {
    moments(values, 0).mean
}

/// The standard deviation of `values`, with divisor `n − ddof`; 0 when there are not more than `ddof` of them.
pub fn std(values: &[f64], ddof: u8) -> f64 {
    moments(values, ddof).std
}

/// Mean and standard deviation (divisor `n − ddof`) of `values`.
pub fn moments(values: &[f64], ddof: u8) -> Moments {
    let plain = shifted(values, ddof, 1.0);
    let safe = 1e-140..1e150;
    if plain.std == 0.0 && values.iter().all(|v| *v == values[0]) || safe.contains(&plain.std) {
        return plain;
    }
    let largest = values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return plain;
    }
    // A power of two: scaling loses nothing. Halved twice, so that differences of opposite extremes stay finite.
    let scale = (-largest.log2().floor() - 2.0).clamp(-1000.0, 1000.0).exp2();
    let scaled = shifted(values, ddof, scale);
    Moments { mean: scaled.mean / scale, std: scaled.std / scale }
}

fn shifted(values: &[f64], ddof: u8, scale: f64) -> Moments {
    let Some(&first) = values.first() else { return Moments { mean: 0.0, std: 0.0 } };
    let n = values.len() as f64;
    let first = first * scale;
    let offset = values.iter().map(|v| v * scale - first).sum::<f64>() / n;
    let square = |v: &f64| (v * scale - first - offset) * (v * scale - first - offset);
    let free = n - f64::from(ddof);
    let std = if free > 0.0 { (values.iter().map(square).sum::<f64>() / free).sqrt() } else { 0.0 };
    Moments { mean: first + offset, std }
}

/// Running count, mean and sum of squared deviations (Welford's form: equal values have deviations of exactly 0).
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    n: f64,
    mean: f64,
    squares: f64,
}

impl Tally {
    fn with(self, value: f64) -> Self {
        self.merge(Self { n: 1.0, mean: value, squares: 0.0 })
    }

    fn merge(self, other: Self) -> Self {
        let n = self.n + other.n;
        if n == 0.0 {
            return self;
        }
        let apart = other.mean - self.mean;
        Self {
            n,
            mean: self.mean + apart * other.n / n,
            squares: self.squares + other.squares + apart * apart * self.n * other.n / n,
        }
    }

    fn moments(self, ddof: u8) -> Moments {
        let free = self.n - f64::from(ddof);
        Moments {
            mean: self.mean,
            std: if free > 0.0 { (self.squares / free).sqrt() } else { 0.0 },
        }
    }
}

/// Moments of every value's companions; one workspace serves all groups.
#[derive(Debug, Default)]
pub struct LeaveOneOut {
    behind: Vec<Tally>,
}

impl LeaveOneOut {
    /// Hands `f` every index of `values` with the moments of the slice without that value, in linear time.
    ///
    /// A slice of one has no companions: mean 0, deviation 0.
    pub fn each(&mut self, values: &[f64], ddof: u8, mut f: impl FnMut(usize, Moments)) {
        self.behind.clear();
        let mut tally = Tally::default();
        for value in values.iter().rev() {
            self.behind.push(tally);
            tally = tally.with(*value);
        }
        let mut before = Tally::default();
        for (i, value) in values.iter().enumerate() {
            f(i, before.merge(self.behind[values.len() - 1 - i]).moments(ddof));
            before = before.with(*value);
        }
    }
}

/// Moves `values` by `centre` and divides them by `by`, in place.
pub fn standardise(values: &mut [f64], centre: f64, by: f64) {
    for value in values {
        *value = (*value - centre) / by;
    }
}

/// Whitens `values` in place: mean 0, standard deviation 1 (`(x − μ) / denominator(σ)`).
pub fn whiten(values: &mut [f64], ddof: u8, denominator: impl Fn(f64) -> f64) {
    let Moments { mean, std } = moments(values, ddof);
    standardise(values, mean, denominator(std));
}

/// Moments of `values` of which each counts `weights` times (a count, at least 0); divisor `Σ weights − ddof`.
///
/// Both slices are equally long. Without weight the mean is 0 and so is the deviation.
pub fn weighted(values: &[f64], weights: &[f64], ddof: u8) -> Moments {
    let total: f64 = weights.iter().sum();
    let Some(&first) = values.first().filter(|_| total > 0.0) else {
        return Moments { mean: 0.0, std: 0.0 };
    };
    let pairs = || values.iter().zip(weights);
    let offset = pairs().map(|(v, w)| w * (v - first)).sum::<f64>() / total;
    let squares: f64 = pairs().map(|(v, w)| w * (v - first - offset).powi(2)).sum();
    let free = total - f64::from(ddof);
    Moments { mean: first + offset, std: if free > 0.0 { (squares / free).sqrt() } else { 0.0 } }
}

/// Moves values beyond `±bound` to the bound, in place; without a bound nothing happens.
pub fn clip(values: &mut [f64], bound: Option<f64>) {
    if let Some(bound) = bound {
        for value in values {
            *value = value.clamp(-bound, bound);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LeaveOneOut, Moments, mean, moments, std, weighted, whiten};

    fn check(values: &[f64], ddof: u8, expect: (f64, f64)) {
        let Moments { mean, std } = moments(values, ddof);
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-14 * b.abs();
        assert!(
            close(mean, expect.0) && close(std, expect.1),
            "{values:?}: {mean}, {std}, not {expect:?}"
        );
    }

    #[test]
    fn both_divisors() {
        check(&[1.0, 2.0, 3.0, 4.0], 1, (2.5, (5.0_f64 / 3.0).sqrt()));
        check(&[1.0, 2.0, 3.0, 4.0], 0, (2.5, 1.25_f64.sqrt()));
    }

    #[test]
    fn none_and_one() {
        check(&[], 1, (0.0, 0.0));
        check(&[7.0], 1, (7.0, 0.0));
        check(&[7.0], 0, (7.0, 0.0));
    }

    #[test]
    fn a_constant_slice_is_exact() {
        assert_eq!(moments(&[0.1; 7], 1), Moments { mean: 0.1, std: 0.0 });
        assert_eq!(moments(&[f64::MAX; 3], 1), Moments { mean: f64::MAX, std: 0.0 });
    }

    #[test]
    fn extremes_neither_overflow_nor_vanish() {
        check(&[f64::MAX, -f64::MAX], 0, (0.0, f64::MAX));
        check(&[1e300, 3e300], 0, (2e300, 1e300));
        check(&[0.0, 2e-200], 0, (1e-200, 1e-200));
        assert!(std(&[0.0, f64::from_bits(2)], 0) > 0.0);
    }

    #[test]
    fn companions_of_each() {
        let mut seen = Vec::new();
        let mut workspace = LeaveOneOut::default();
        workspace.each(&[1.0, 0.0, 0.0, 0.0], 1, |i, m| seen.push((i, m.mean, m.std)));
        assert_eq!(seen[0], (0, 0.0, 0.0));
        assert!(
            (seen[3].1 - 1.0 / 3.0).abs() < 1e-15
                && (seen[3].2 - 1.0 / 3.0_f64.sqrt()).abs() < 1e-15
        );
        workspace.each(&[5.0], 1, |_, m| assert_eq!(m, Moments { mean: 0.0, std: 0.0 }));
        workspace.each(&[0.1, 0.1, 0.1, 7.0], 1, |i, m| assert_eq!(m.std == 0.0, i == 3));
    }

    #[test]
    fn a_weight_is_a_repetition() {
        let once = moments(&[1.0, 3.0, 3.0, 3.0], 1);
        assert_eq!(weighted(&[1.0, 3.0], &[1.0, 3.0], 1), once);
        assert_eq!(weighted(&[1.0, 3.0], &[0.0, 0.0], 1), Moments { mean: 0.0, std: 0.0 });
    }

    #[test]
    fn whitened_values_have_unit_moments() {
        let mut values = [3.0, -1.0, 4.0, 1.0];
        whiten(&mut values, 1, |std| std);
        assert!(mean(&values).abs() < 1e-15 && (std(&values, 1) - 1.0).abs() < 1e-15);
    }
}
