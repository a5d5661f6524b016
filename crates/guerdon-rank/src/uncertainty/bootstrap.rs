//! Percentile intervals by the bootstrap on cell counts.

use std::thread;

use guerdon_core::MethodError;

use super::resample::{Draws, Resampler};
use crate::fit::pair::Ties;
use crate::fit::refit::{LANES, Lanes, Refit};
use crate::fit::{self, Fit, Options};
use crate::{Counts, Outcome};

/// Values of every contestant in every round of a bootstrap.
#[derive(Debug, Clone, PartialEq)]
pub struct Rounds {
    n: usize,
    values: Vec<f64>,
    /// Rounds whose strengths had no finite estimate and were fitted with a ridge of [`FALLBACK_RIDGE`].
    pub ridged: usize,
}

/// The ridge of a round in which someone never lost.
pub const FALLBACK_RIDGE: f64 = 0.1;

impl Rounds {
    /// Number of rounds.
    pub fn len(&self) -> usize {
        self.values.len().checked_div(self.n).unwrap_or(0)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The values of one round, contestant by contestant.
    pub fn round(&self, k: usize) -> &[f64] {
        &self.values[k * self.n..(k + 1) * self.n]
    }

    /// The values of one contestant, round by round, in ascending order.
    pub fn sorted(&self, i: usize) -> Vec<f64> {
        let mut values: Vec<f64> = (0..self.len()).map(|k| self.round(k)[i]).collect();
        values.sort_unstable_by(f64::total_cmp);
        values
    }

    /// Percentile interval of each contestant at `level` (0 to 1).
    pub fn intervals(&self, level: f64) -> Vec<(f64, f64)> {
        let tail = 0.5 * (1.0 - level);
        let quantiles = |i| {
            let sorted = self.sorted(i);
            (
                guerdon_stats::order::quantile_sorted(&sorted, tail),
                guerdon_stats::order::quantile_sorted(&sorted, 1.0 - tail),
            )
        };
        (0..self.n).map(quantiles).collect()
    }
}

/// Refits the model of `fit` to `rounds` resamples. `counts` are all rows, ties included, whatever `options.ties` says.
pub fn strengths(
    resampler: &Resampler,
    counts: &Counts,
    fit: &Fit,
    options: &Options,
    rounds: usize,
    seed: u64,
) -> Result<Rounds, MethodError> {
    if fit.model.has_tie_parameter() {
        return of(resampler, fit.theta.len(), rounds, seed, &|sample| full(sample, options));
    }
    let seen = fit::seen(counts, options.ties);
    let refit = Refit::new(&seen, fit, options)?;
    // The refit knows only the pairs that the fit saw.
    let mut slot = vec![None; resampler.pairs().len()];
    let mut at = 0;
    for (slot, pair) in slot.iter_mut().zip(resampler.pairs()) {
        if refit.pairs().get(at) == Some(pair) {
            *slot = Some(at);
            at += 1;
        }
    }
    let job = Chord { resampler, refit, slot, options, seed };
    let chunks = in_parallel(rounds.div_ceil(LANES), |chunk| job.chunk(chunk))?;
    Ok(collect(fit.theta.len(), rounds, chunks))
}

/// One value per contestant, and whether it took a ridge to have them.
pub type Lane = (Vec<f64>, bool);

/// The values that `method` gives for each of `rounds` resamples. `method` returns one value per contestant, and whether
/// it had to fall back on a ridge.
pub fn of(
    resampler: &Resampler,
    n: usize,
    rounds: usize,
    seed: u64,
    method: &(dyn Fn(&Counts) -> Result<Lane, MethodError> + Sync),
) -> Result<Rounds, MethodError> {
    let chunks = in_parallel(rounds.div_ceil(LANES), |chunk| {
        let draws = resampler.draw(seed, chunk);
        let lanes = (0..LANES.min(rounds - chunk * LANES))
            .map(|lane| method(&resampler.counts(&draws, lane)));
        lanes.collect::<Result<Vec<_>, _>>()
    })?;
    Ok(collect(n, rounds, chunks))
}

fn collect(n: usize, rounds: usize, chunks: Vec<Vec<Lane>>) -> Rounds {
    let lanes = chunks.into_iter().flatten().take(rounds);
    let mut all = Rounds { n, values: Vec::with_capacity(n * rounds), ridged: 0 };
    for (values, ridged) in lanes {
        all.values.extend(values);
        all.ridged += usize::from(ridged);
    }
    all
}

/// A full fit, with a ridge where there is no finite one.
fn full(sample: &Counts, options: &Options) -> Result<Lane, MethodError> {
    if let Ok(fit) = fit::fit(sample, &[], options) {
        return Ok((fit.theta, false));
    }
    let ridged = Options { ridge: options.ridge.max(FALLBACK_RIDGE), ..options.clone() };
    fit::fit(sample, &[], &ridged).map(|fit| (fit.theta, true))
}

struct Chord<'a> {
    resampler: &'a Resampler,
    refit: Refit,
    slot: Vec<Option<usize>>,
    options: &'a Options,
    seed: u64,
}

impl Chord<'_> {
    fn chunk(&self, chunk: usize) -> Result<Vec<Lane>, MethodError> {
        let draws = self.resampler.draw(self.seed, chunk);
        let (points, totals) = self.sums(&draws);
        let (theta, converged) = self.refit.lanes(&points, &totals);
        let lanes = (0..LANES).map(|lane| {
            if converged[lane] {
                return Ok((theta.iter().map(|lanes| lanes[lane]).collect(), false));
            }
            full(&self.resampler.counts(&draws, lane), self.options)
        });
        lanes.collect()
    }

    fn sums(&self, draws: &Draws) -> (Vec<Lanes>, Vec<Lanes>) {
        let pairs = self.refit.pairs().len();
        let (mut points, mut totals) = (vec![[0.0; LANES]; pairs], vec![[0.0; LANES]; pairs]);
        for (unit, drawn) in self.resampler.units().iter().zip(draws) {
            if unit.outcome == Outcome::Tie && self.options.ties == Ties::Drop {
                continue;
            }
            let Some(at) = self.slot[unit.cell as usize] else { continue };
            let gain = unit.weight * unit.outcome.points();
            for k in 0..LANES {
                let count = f64::from(drawn[k]);
                points[at][k] += gain * count;
                totals[at][k] += unit.weight * count;
            }
        }
        (points, totals)
    }
}

/// Runs `job` for `0..count` on all cores; results in order, the first error wins.
fn in_parallel<T: Send>(
    count: usize,
    job: impl Fn(usize) -> Result<T, MethodError> + Sync,
) -> Result<Vec<T>, MethodError> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(count.max(1));
    let job = &job;
    thread::scope(|scope| {
        let share =
            |start| move || (start..count).step_by(threads).map(job).collect::<Result<Vec<T>, _>>();
        let workers: Vec<_> = (0..threads).map(|start| scope.spawn(share(start))).collect();
        let mut shares = Vec::with_capacity(threads);
        for worker in workers {
            let done = worker
                .join()
                .map_err(|_| MethodError::domain("a bootstrap worker ended early"))??;
            shares.push(done.into_iter());
        }
        Ok((0..count).filter_map(|k| shares[k % threads].next()).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::{Resampler, strengths};
    use crate::fit::{Options, Ties, fit};
    use crate::{Cell, Counts};

    fn data() -> Counts {
        let cell = |a, b, wins_a, wins_b, ties| Cell { a, b, wins_a, wins_b, ties };
        let cells = [
            cell(0, 1, 60.0, 30.0, 10.0),
            cell(0, 2, 70.0, 20.0, 30.0),
            cell(1, 2, 50.0, 45.0, 5.0),
        ];
        Counts::from_cells(3, cells)
    }

    #[test]
    fn the_spread_is_about_the_standard_error() {
        for (ties, expected) in [(Ties::Half, 0.091), (Ties::Drop, 0.104), (Ties::Davidson, 0.104)]
        {
            let (counts, options) = (data(), Options { ties, ..Options::default() });
            let names = ["a", "b", "c"].map(str::to_owned);
            let fitted = fit(&counts, &names, &options).unwrap();
            let resampler = Resampler::of_counts(&counts).unwrap();
            let rounds = strengths(&resampler, &counts, &fitted, &options, 800, 7).unwrap();
            assert_eq!(rounds.len(), 800);
            let (low, high) = rounds.intervals(0.95)[0];
            let spread = (high - low) / (2.0 * 1.96);
            assert!(low < fitted.theta[0] && fitted.theta[0] < high);
            assert!((spread / expected - 1.0).abs() < 0.15, "{ties:?} {spread}");
        }
    }

    #[test]
    fn rounds_without_a_finite_fit_are_counted() {
        let counts =
            Counts::from_cells(2, [Cell { a: 0, b: 1, wins_a: 4.0, wins_b: 1.0, ties: 0.0 }]);
        let names = ["a", "b"].map(str::to_owned);
        let options = Options::default();
        let fitted = fit(&counts, &names, &options).unwrap();
        let resampler = Resampler::of_counts(&counts).unwrap();
        let rounds = strengths(&resampler, &counts, &fitted, &options, 100, 7).unwrap();
        // P(no win of b in five) = 0.8^5 = 0.33.
        assert!((20..48).contains(&rounds.ridged), "{}", rounds.ridged);
        assert!(
            rounds.intervals(0.95).iter().all(|(low, high)| low.is_finite() && high.is_finite())
        );
    }
}
