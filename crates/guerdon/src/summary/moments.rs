//! Running moments (Welford), of one column and of two.

use serde::{Deserialize, Serialize};

/// Count, mean, spread and range.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Moments {
    /// Number of values.
    pub count: u64,
    /// Mean; 0 for none.
    pub mean: f64,
    m2: f64,
    /// Least value; 0 for none.
    pub min: f64,
    /// Greatest value; 0 for none.
    pub max: f64,
}

impl Moments {
    /// Adds a value.
    pub fn add(&mut self, value: f64) {
        self.min = if self.count == 0 { value } else { self.min.min(value) };
        self.max = if self.count == 0 { value } else { self.max.max(value) };
        self.count += 1;
        let delta = value - self.mean;
        self.mean += delta / self.count as f64;
        self.m2 += delta * (value - self.mean);
    }

    /// The standard deviation (of the sample, n − 1); `None` below two values.
    pub fn spread(&self) -> Option<f64> {
        (self.count > 1).then(|| (self.m2 / (self.count - 1) as f64).sqrt())
    }

    /// The moments of both together.
    #[must_use]
    pub fn merged(&self, other: &Self) -> Self {
        if self.count == 0 || other.count == 0 {
            return if self.count == 0 { *other } else { *self };
        }
        let count = self.count + other.count;
        let delta = other.mean - self.mean;
        let share = other.count as f64 / count as f64;
        Self {
            count,
            mean: self.mean + delta * share,
            m2: self.m2 + other.m2 + delta * delta * self.count as f64 * share,
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }
}

/// Moments of two columns together.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Pair {
    count: u64,
    mean: [f64; 2],
    m2: [f64; 2],
    cross: f64,
}

impl Pair {
    /// Adds a pair of values.
    pub fn add(&mut self, x: f64, y: f64) {
        self.count += 1;
        let n = self.count as f64;
        let (dx, dy) = (x - self.mean[0], y - self.mean[1]);
        self.mean[0] += dx / n;
        self.mean[1] += dy / n;
        self.m2[0] += dx * (x - self.mean[0]);
        self.m2[1] += dy * (y - self.mean[1]);
        self.cross += dx * (y - self.mean[1]);
    }

    /// Pearson's correlation; `None` where either side does not vary.
    pub fn correlation(&self) -> Option<f64> {
        let scale = (self.m2[0] * self.m2[1]).sqrt();
        (self.count > 1 && scale > 0.0).then(|| (self.cross / scale).clamp(-1.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::{Moments, Pair};

    fn moments(values: &[f64]) -> Moments {
        let mut m = Moments::default();
        for v in values {
            m.add(*v);
        }
        m
    }

    #[test]
    fn known_moments() {
        let m = moments(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        assert_eq!((m.mean, m.min, m.max), (5.0, 2.0, 9.0));
        assert!((m.spread().unwrap() - (32.0_f64 / 7.0).sqrt()).abs() < 1e-12);
        assert_eq!(moments(&[1.0]).spread(), None);
    }

    #[test]
    fn merging_equals_adding() {
        let (a, b) = (moments(&[1.0, 5.0, 2.0]), moments(&[-3.0, 8.0]));
        let both = moments(&[1.0, 5.0, 2.0, -3.0, 8.0]);
        let merged = a.merged(&b);
        assert!((merged.mean - both.mean).abs() < 1e-12 && (merged.m2 - both.m2).abs() < 1e-12);
    }

    #[test]
    fn correlation_of_a_line_is_one_and_of_a_constant_is_none() {
        let mut line = Pair::default();
        (0..5).for_each(|i| line.add(f64::from(i), 3.0 - 2.0 * f64::from(i)));
        assert!((line.correlation().unwrap() + 1.0).abs() < 1e-12);
        let mut flat = Pair::default();
        (0..5).for_each(|i| flat.add(f64::from(i), 1.0));
        assert_eq!(flat.correlation(), None);
    }
}
