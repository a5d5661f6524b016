//! Resampling: seeded bootstrap by counts, and the intervals made of its replicates.
//!
//! A resample is never built: it is a count per unit (row, cluster or cell of a table), so that a statistic is computed
//! from weights. The same seed and label give the same counts on any machine and number of threads.

use guerdon_core::{MethodError, seed};
use rand::{Rng, RngExt as _};
use rand_distr::{Binomial, Distribution as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dist::{normal_cdf, normal_quantile};
use crate::moments::{at_least, finite, mean};
use crate::order::{quantile_sorted, sorted};

/// The greatest number of rounds that a method accepts.
pub const MAX_ROUNDS: u32 = 1_000_000;

/// The most unit draws (rounds × units) that one call may take.
pub const MAX_DRAWS: u64 = 20_000_000_000;

/// An interval with its level.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// How an interval is read off the replicates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IntervalKind {
    /// The quantiles of the replicates.
    #[default]
    Percentile,
    /// The quantiles of the replicates, mirrored at the estimate.
    Basic,
    /// Bias-corrected and accelerated: quantiles shifted for bias and skewness (needs the jackknife).
    Bca,
}

/// Draws `counts.len()` units uniformly with replacement and counts how often each was drawn.
pub fn draw_counts(rng: &mut impl Rng, counts: &mut [u32]) {
    counts.fill(0);
    for _ in 0..counts.len() {
        let drawn = rng.random_range(0..counts.len());
        counts[drawn] += 1;
    }
}

/// Draws as many observations as `cells` hold in all, each from a cell with probability proportional to its count.
///
/// One binomial draw per cell, whatever the counts: the bootstrap of a table costs its cells, not its rows.
pub fn draw_cells(rng: &mut impl Rng, cells: &[u64], out: &mut [u64]) {
    let mut left: u64 = cells.iter().sum();
    let mut draws = left;
    for (&cell, out) in cells.iter().zip(out) {
        *out = if cell == left { draws } else { binomial(rng, draws, cell as f64 / left as f64) };
        draws -= *out;
        left -= cell;
    }
}

fn binomial(rng: &mut impl Rng, n: u64, p: f64) -> u64 {
    if n == 0 || p <= 0.0 {
        return 0;
    }
    // `p` is a share of counts: it lies in [0, 1], where the constructor cannot fail.
    Binomial::new(n, p.min(1.0)).map_or(0, |d| d.sample(rng))
}

/// Replicates of a statistic: `rounds` times `units` drawn with replacement and handed over as counts.
///
/// Rounds in which the statistic is undefined (`None`) are left out; the caller sees it by the length.
pub fn replicates(
    units: usize,
    rounds: u32,
    seed: u64,
    mut statistic: impl FnMut(&[u32]) -> Option<f64>,
) -> Result<Vec<f64>, MethodError> {
    at_least("units", units, 1)?;
    budget(rounds, units as u64)?;
    let mut rng = seed::stream(seed, "bootstrap");
    let mut counts = vec![0; units];
    let mut replicates = Vec::with_capacity(rounds as usize);
    for _ in 0..rounds {
        draw_counts(&mut rng, &mut counts);
        if let Some(value) = statistic(&counts) {
            replicates.push(finite("replicate", value)?);
        }
    }
    Ok(replicates)
}

/// Checks that `rounds` × `units` draws stay within the budget.
pub fn budget(rounds: u32, units: u64) -> Result<(), MethodError> {
    if u64::from(rounds).saturating_mul(units) <= MAX_DRAWS && rounds <= MAX_ROUNDS {
        return Ok(());
    }
    Err(MethodError::Budget(format!(
        "{rounds} rounds of {units} draws exceed {MAX_DRAWS} draws or {MAX_ROUNDS} rounds; lower `rounds`"
    )))
}

/// The statistic with each unit left out in turn.
pub fn jackknife(units: usize, mut statistic: impl FnMut(&[u32]) -> Option<f64>) -> Vec<f64> {
    let mut counts = vec![1; units];
    let mut values = Vec::with_capacity(units);
    for unit in 0..units {
        counts[unit] = 0;
        values.extend(statistic(&counts));
        counts[unit] = 1;
    }
    values
}

/// The mean of `values` weighted by `counts`; `None` when all counts are 0.
pub fn weighted_mean(values: &[f64], counts: &[u32]) -> Option<f64> {
    let total: u32 = counts.iter().sum();
    let sum: f64 = values.iter().zip(counts).map(|(v, c)| v * f64::from(*c)).sum();
    (total > 0).then(|| sum / f64::from(total))
}

/// The interval of `level` around `estimate`. `jackknife` is read by [`IntervalKind::Bca`] alone.
///
/// `None` when there are no replicates, or when BCa is undefined (all replicates on one side, no jackknife).
pub fn interval(
    kind: IntervalKind,
    estimate: f64,
    replicates: &[f64],
    jackknife: &[f64],
    level: f64,
) -> Option<Interval> {
    if replicates.is_empty() {
        return None;
    }
    let tail = (1.0 - level) / 2.0;
    let (low, high) = match kind {
        IntervalKind::Percentile | IntervalKind::Basic => (tail, 1.0 - tail),
        IntervalKind::Bca => bca_tails(estimate, replicates, jackknife, tail)?,
    };
    let sorted = sorted(replicates);
    let (low, high) = (quantile_sorted(&sorted, low), quantile_sorted(&sorted, high));
    Some(match kind {
        IntervalKind::Basic => Interval { low: 2.0 * estimate - high, high: 2.0 * estimate - low },
        _ => Interval { low, high },
    })
}

/// The tail probabilities of BCa (Efron 1987); ties with the estimate count half.
fn bca_tails(
    estimate: f64,
    replicates: &[f64],
    jackknife: &[f64],
    tail: f64,
) -> Option<(f64, f64)> {
    let below = replicates.iter().filter(|r| **r < estimate).count();
    let tied = replicates.iter().filter(|r| **r == estimate).count();
    if tied == replicates.len() {
        return Some((tail, 1.0 - tail));
    }
    let bias = normal_quantile((below as f64 + tied as f64 / 2.0) / replicates.len() as f64);
    let acceleration = acceleration(jackknife)?;
    let shift = |p: f64| {
        let z = bias + normal_quantile(p);
        normal_cdf(bias + z / (1.0 - acceleration * z))
    };
    let tails = (shift(tail), shift(1.0 - tail));
    (bias.is_finite() && tails.0.is_finite() && tails.1.is_finite()).then_some(tails)
}

fn acceleration(jackknife: &[f64]) -> Option<f64> {
    if jackknife.len() < 2 {
        return None;
    }
    let centre = mean(jackknife);
    let (mut square, mut cube) = (0.0, 0.0);
    for value in jackknife {
        let d = centre - value;
        square += d * d;
        cube += d * d * d;
    }
    if square == 0.0 { Some(0.0) } else { Some(cube / (6.0 * square.powf(1.5))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_seeded_and_complete() {
        let draw = |seed| {
            let mut counts = [0; 5];
            draw_counts(&mut seed::stream(seed, "x"), &mut counts);
            counts
        };
        assert_eq!(draw(3), draw(3));
        assert_eq!(draw(3).iter().sum::<u32>(), 5);
    }

    #[test]
    fn cells_keep_their_total_and_their_mean() {
        let (cells, mut out, mut sums) = ([30, 0, 70], [0; 3], [0; 3]);
        let mut rng = seed::stream(1, "x");
        for _ in 0..2000 {
            draw_cells(&mut rng, &cells, &mut out);
            assert_eq!(out.iter().sum::<u64>(), 100);
            (0..3).for_each(|i| sums[i] += out[i]);
        }
        assert_eq!(sums[1], 0);
        assert!((sums[0] as f64 / 2000.0 - 30.0).abs() < 0.5);
    }

    #[test]
    fn the_interval_of_a_constant_is_a_point() {
        for kind in [IntervalKind::Percentile, IntervalKind::Basic, IntervalKind::Bca] {
            let interval = interval(kind, 2.0, &[2.0; 9], &[2.0; 4], 0.95);
            assert_eq!(interval, Some(Interval { low: 2.0, high: 2.0 }));
        }
    }

    #[test]
    fn too_much_work_is_refused() {
        assert!(matches!(budget(1_000_000, 1 << 40), Err(MethodError::Budget(_))));
    }
}
