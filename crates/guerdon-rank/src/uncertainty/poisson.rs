//! Drawing from Poisson distributions by table, and from a fixed discrete distribution by alias.

use rand::{Rng, RngExt as _};

/// Draws from one Poisson distribution by inversion with a guide table: constant expected time, whatever the mean.
#[derive(Debug, Clone)]
pub(super) struct Poisson {
    /// Value of the first entry of `cumulative`.
    low: u32,
    cumulative: Vec<f64>,
    guide: Vec<u32>,
}

impl Poisson {
    /// The distribution with mean `mean` (finite, at least 0, below 2^31). Tails below 2^-53 are cut off.
    pub(super) fn new(mean: f64) -> Self {
        let spread = 9.0 * mean.sqrt() + 24.0;
        let low = whole((mean - spread).max(0.0));
        let high = whole(mean + spread);
        let mode = whole(mean).max(low);
        // Masses relative to that of the mode, by the ratio p(k) / p(k − 1) = mean / k.
        let mut mass = vec![0.0; (high - low) as usize + 1];
        mass[(mode - low) as usize] = 1.0;
        for k in mode + 1..=high {
            mass[(k - low) as usize] = mass[(k - low) as usize - 1] * mean / f64::from(k);
        }
        for k in (low..mode).rev() {
            mass[(k - low) as usize] = mass[(k - low) as usize + 1] * f64::from(k + 1) / mean;
        }
        Self { low, guide: guide(&mut mass), cumulative: mass }
    }

    pub(super) fn draw(&self, rng: &mut impl Rng) -> u32 {
        let u: f64 = rng.random();
        let mut at = self.guide[below(u, self.guide.len())];
        while u >= self.cumulative[at as usize] {
            at += 1;
        }
        self.low + at
    }
}

/// Turns masses into cumulative probabilities (the last is 1) and says for each of as many equal parts of the unit interval
/// where a search may start.
fn guide(mass: &mut [f64]) -> Vec<u32> {
    let total: f64 = mass.iter().sum();
    let mut sum = 0.0;
    for m in mass.iter_mut() {
        sum += *m;
        *m = sum / total;
    }
    let parts = mass.len();
    if let Some(last) = mass.last_mut() {
        *last = 1.0;
    }
    let mut at = 0;
    let starts = (0..parts).map(|part| {
        while mass[at as usize] <= part as f64 / parts as f64 && (at as usize) + 1 < parts {
            at += 1;
        }
        at
    });
    starts.collect()
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "callers keep it in 0..2^32"
)]
fn whole(x: f64) -> u32 {
    x as u32
}

/// `⌊u · len⌋` for `u` in [0, 1).
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "0 ≤ u < 1, so the product is below len"
)]
fn below(u: f64, len: usize) -> usize {
    ((u * len as f64) as usize).min(len - 1)
}

/// Draws an index with probability proportional to its weight (Walker's alias method).
#[derive(Debug, Clone)]
pub(super) struct Alias {
    keep: Vec<f64>,
    other: Vec<u32>,
}

impl Alias {
    /// At least one weight must be positive.
    pub(super) fn new(weights: &[f64]) -> Self {
        let mean = weights.iter().sum::<f64>() / weights.len() as f64;
        let mut keep: Vec<f64> = weights.iter().map(|w| w / mean).collect();
        let mut other: Vec<u32> = (0..).take(weights.len()).collect();
        let (mut small, mut large): (Vec<u32>, Vec<u32>) =
            other.iter().partition(|&&i| keep[i as usize] < 1.0);
        while let (Some(&needy), Some(&rich)) = (small.last(), large.last()) {
            small.pop();
            other[needy as usize] = rich;
            keep[rich as usize] -= 1.0 - keep[needy as usize];
            if keep[rich as usize] < 1.0 {
                large.pop();
                small.push(rich);
            }
        }
        // What is left over is 1 up to rounding.
        for i in small.into_iter().chain(large) {
            keep[i as usize] = 1.0;
        }
        Self { keep, other }
    }

    pub(super) fn draw(&self, rng: &mut impl Rng) -> usize {
        let scaled = rng.random::<f64>() * self.keep.len() as f64;
        let at = below(scaled / self.keep.len() as f64, self.keep.len());
        if scaled - (at as f64) < self.keep[at] { at } else { self.other[at] as usize }
    }
}

#[cfg(test)]
mod tests {
    use super::{Alias, Poisson};
    use guerdon_core::seed;

    fn moments(mean: f64) -> (f64, f64) {
        let (table, mut rng) = (Poisson::new(mean), seed::stream(1, "test"));
        let draws: Vec<f64> = (0..40_000).map(|_| f64::from(table.draw(&mut rng))).collect();
        let average = draws.iter().sum::<f64>() / 4e4;
        (average, draws.iter().map(|d| (d - average).powi(2)).sum::<f64>() / 4e4)
    }

    #[test]
    fn mean_and_variance_are_those_of_the_distribution() {
        for mean in [0.3, 4.0, 67.0, 25_000.0] {
            let (average, variance) = moments(mean);
            assert!((average - mean).abs() < 4.0 * (mean / 4e4).sqrt(), "{mean} {average}");
            assert!((variance / mean - 1.0).abs() < 0.06, "{mean} {variance}");
        }
        assert_eq!(moments(0.0), (0.0, 0.0));
    }

    #[test]
    fn the_alias_follows_the_weights() {
        let (table, mut rng) = (Alias::new(&[1.0, 0.0, 3.0]), seed::stream(2, "test"));
        let mut seen = [0_u32; 3];
        for _ in 0..40_000 {
            seen[table.draw(&mut rng)] += 1;
        }
        assert_eq!(seen[1], 0);
        assert!((f64::from(seen[2]) / 4e4 - 0.75).abs() < 0.01);
    }
}
