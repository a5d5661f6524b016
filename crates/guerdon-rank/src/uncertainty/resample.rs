//! Bootstrap resamples of the counts, without touching the rows.
//!
//! Rows that agree in pair, outcome and weight are exchangeable, so resampling N rows with replacement is one draw of a
//! multinomial over these *units*. It is drawn exactly: Poisson counts with a total N' that stays a little below N are a
//! multinomial of N', and the N − N' rows that are missing are added one by one. (Should N' exceed N, all rows are drawn
//! one by one.) With clusters, whole clusters are drawn instead.

use guerdon_core::MethodError;
use guerdon_core::seed::{self, Stream};
use hashbrown::HashMap;

use super::poisson::{Alias, Poisson};
use crate::fit::refit::LANES;
use crate::{Cell, Comparisons, Counts, Outcome};

/// Rows that agree in pair, outcome and weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unit {
    /// Index of the pair among the cells.
    pub cell: u32,
    /// Who won, `a` (the lower index) being the first.
    pub outcome: Outcome,
    /// Weight of each row.
    pub weight: f64,
    /// How many rows.
    pub rows: u64,
}

/// Draws resamples of a set of comparisons.
pub struct Resampler {
    n: usize,
    pairs: Vec<(u32, u32)>,
    units: Vec<Unit>,
    plan: Plan,
}

enum Plan {
    /// The rows are independent.
    Rows { total: u64, tables: Vec<Poisson>, table_of: Vec<u32>, alias: Alias },
    /// Per cluster, its units with the number of rows in each.
    Clusters(Vec<Vec<(u32, u32)>>),
}

/// How often each unit was drawn in each of [`LANES`] rounds.
pub type Draws = Vec<[u32; LANES]>;

impl Resampler {
    /// Resamples of the rows of `all`, or of its clusters.
    pub fn of(all: &Comparisons, counts: &Counts) -> Result<Self, MethodError> {
        match (all.weight(), all.cluster()) {
            (None, None) => Self::of_counts(counts),
            _ => Self::of_rows(all, counts),
        }
    }

    /// Resamples of unweighted rows, known by their counts (whole numbers).
    pub fn of_counts(counts: &Counts) -> Result<Self, MethodError> {
        let mut units = Vec::with_capacity(3 * counts.cells().len());
        for (cell, at) in counts.cells().iter().zip(0_u32..) {
            let sides = [
                (cell.wins_a, Outcome::First),
                (cell.wins_b, Outcome::Second),
                (cell.ties, Outcome::Tie),
            ];
            for (rows, outcome) in sides {
                let rows = whole(rows)?;
                if rows > 0 {
                    units.push(Unit { cell: at, outcome, weight: 1.0, rows });
                }
            }
        }
        Ok(Self::with_rows(counts, units))
    }

    fn of_rows(all: &Comparisons, counts: &Counts) -> Result<Self, MethodError> {
        let cell_of: HashMap<(u32, u32), u32> =
            counts.cells().iter().map(|c| (c.a, c.b)).zip(0_u32..).collect();
        let mut known: HashMap<(u32, Outcome, u64), u32> = HashMap::new();
        let mut units: Vec<Unit> = Vec::new();
        let mut unit_of_row = Vec::with_capacity(all.len());
        for (k, (first, second, outcome, weight)) in all.rows().enumerate() {
            let (a, b) = (all.first()[k].min(all.second()[k]), all.first()[k].max(all.second()[k]));
            // A pair all of whose rows weigh nothing has no cell.
            let Some(&cell) = cell_of.get(&(a, b)) else { continue };
            let outcome = if first < second { outcome } else { outcome.swapped() };
            let next = u32::try_from(units.len())
                .map_err(|_| MethodError::Budget("more than 2^32 units".into()))?;
            let unit = *known.entry((cell, outcome, weight.to_bits())).or_insert(next);
            if unit == next {
                units.push(Unit { cell, outcome, weight, rows: 0 });
            }
            units[unit as usize].rows += 1;
            unit_of_row.push((k, unit));
        }
        let Some(cluster) = all.cluster() else { return Ok(Self::with_rows(counts, units)) };
        let mut resampler = Self::bare(counts, units);
        resampler.plan = Plan::Clusters(by_cluster(&unit_of_row, cluster));
        Ok(resampler)
    }

    fn bare(counts: &Counts, units: Vec<Unit>) -> Self {
        let pairs = counts.cells().iter().map(|cell| (cell.a, cell.b)).collect();
        Self { n: counts.n(), pairs, units, plan: Plan::Clusters(Vec::new()) }
    }

    fn with_rows(counts: &Counts, units: Vec<Unit>) -> Self {
        let total: u64 = units.iter().map(|unit| unit.rows).sum();
        let size = total as f64;
        let thinned = (1.0 - 4.0 / size.sqrt()).max(0.0);
        let mut known: HashMap<u64, u32> = HashMap::new();
        let mut tables = Vec::new();
        let table_of = units.iter().map(|unit| {
            *known.entry(unit.rows).or_insert_with(|| {
                tables.push(Poisson::new(unit.rows as f64 * thinned));
                u32::try_from(tables.len() - 1).unwrap_or(u32::MAX)
            })
        });
        let table_of = table_of.collect();
        let weights: Vec<f64> = units.iter().map(|unit| unit.rows as f64).collect();
        let plan = Plan::Rows { total, tables, table_of, alias: Alias::new(&weights) };
        Self { plan, ..Self::bare(counts, units) }
    }

    /// The units.
    pub fn units(&self) -> &[Unit] {
        &self.units
    }

    /// The pairs, by the index that units refer to.
    pub fn pairs(&self) -> &[(u32, u32)] {
        &self.pairs
    }

    /// The draws of the rounds `chunk · LANES ..`, which depend on `seed` and `chunk` alone.
    pub fn draw(&self, seed: u64, chunk: usize) -> Draws {
        let mut rng = seed::stream(seed, &format!("bootstrap {chunk}"));
        let mut draws = vec![[0; LANES]; self.units.len()];
        match &self.plan {
            Plan::Clusters(clusters) => draw_clusters(clusters, &mut draws, &mut rng),
            Plan::Rows { total, tables, table_of, alias } => {
                let mut sums = [0_u64; LANES];
                for (draws, &table) in draws.iter_mut().zip(table_of) {
                    let table = &tables[table as usize];
                    for (slot, sum) in draws.iter_mut().zip(&mut sums) {
                        *slot = table.draw(&mut rng);
                        *sum += u64::from(*slot);
                    }
                }
                for (lane, sum) in sums.into_iter().enumerate() {
                    complete(&mut draws, lane, sum, *total, alias, &mut rng);
                }
            }
        }
        draws
    }

    /// The counts of one lane of `draws`.
    pub fn counts(&self, draws: &Draws, lane: usize) -> Counts {
        let mut cells: Vec<Cell> =
            self.pairs.iter().map(|&(a, b)| Cell { a, b, ..Cell::default() }).collect();
        for (unit, drawn) in self.units.iter().zip(draws) {
            let value = unit.weight * f64::from(drawn[lane]);
            let cell = &mut cells[unit.cell as usize];
            match unit.outcome {
                Outcome::First => cell.wins_a += value,
                Outcome::Second => cell.wins_b += value,
                Outcome::Tie => cell.ties += value,
            }
        }
        cells.retain(|cell| cell.total() > 0.0);
        Counts::from_cells(self.n, cells)
    }
}

/// Brings a lane that has `sum` rows to `total` rows.
fn complete(draws: &mut Draws, lane: usize, sum: u64, total: u64, alias: &Alias, rng: &mut Stream) {
    let missing = total.checked_sub(sum).unwrap_or_else(|| {
        for draws in draws.iter_mut() {
            draws[lane] = 0;
        }
        total
    });
    for _ in 0..missing {
        draws[alias.draw(rng)][lane] += 1;
    }
}

fn draw_clusters(clusters: &[Vec<(u32, u32)>], draws: &mut Draws, rng: &mut Stream) {
    use rand::RngExt as _;
    if clusters.is_empty() {
        return;
    }
    for _ in 0..clusters.len() {
        let picked: [usize; LANES] = std::array::from_fn(|_| rng.random_range(0..clusters.len()));
        for (lane, cluster) in picked.into_iter().enumerate() {
            for &(unit, rows) in &clusters[cluster] {
                draws[unit as usize][lane] += rows;
            }
        }
    }
}

fn by_cluster(unit_of_row: &[(usize, u32)], cluster: &[u32]) -> Vec<Vec<(u32, u32)>> {
    let mut pairs: Vec<(u32, u32)> =
        unit_of_row.iter().map(|&(row, unit)| (cluster[row], unit)).collect();
    pairs.sort_unstable();
    let mut clusters: Vec<Vec<(u32, u32)>> = Vec::new();
    let mut last = None;
    for (cluster, unit) in pairs {
        if last.replace(cluster) != Some(cluster) {
            clusters.push(Vec::new());
        }
        let Some(units) = clusters.last_mut() else { continue };
        match units.last_mut() {
            Some((known, rows)) if *known == unit => *rows += 1,
            _ => units.push((unit, 1)),
        }
    }
    clusters
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be a whole number below 2^31"
)]
fn whole(rows: f64) -> Result<u64, MethodError> {
    if rows.fract() == 0.0 && (0.0..2_147_483_648.0).contains(&rows) {
        return Ok(rows as u64);
    }
    Err(MethodError::domain(format!(
        "a bootstrap of counts needs whole counts below 2^31, not {rows}: give the rows with their weights"
    )))
}

#[cfg(test)]
mod tests {
    use super::Resampler;
    use crate::fit::refit::LANES;
    use crate::{Comparisons, Outcome};

    fn rows(n: usize) -> Comparisons {
        let first: Vec<u32> = (0..n).map(|k| u32::from(k % 3 == 0)).collect();
        let second = first.iter().map(|f| f + 1).collect();
        let outcome = (0..n)
            .map(|k| [Outcome::First, Outcome::Second, Outcome::Tie, Outcome::First][k % 4])
            .collect();
        Comparisons::new(["a", "b", "c"].map(str::to_owned).to_vec(), first, second, outcome)
            .unwrap()
    }

    #[test]
    fn every_round_has_as_many_rows() {
        for n in [1, 5, 1000] {
            let all = rows(n);
            let resampler = Resampler::of(&all, &all.counts()).unwrap();
            let draws = resampler.draw(3, 0);
            for lane in 0..LANES {
                assert_eq!(draws.iter().map(|d| d[lane] as usize).sum::<usize>(), n);
                assert_eq!(resampler.counts(&draws, lane).total(), n as f64);
            }
            assert_eq!(draws, resampler.draw(3, 0));
        }
    }

    /// Variance and covariance of the unit counts are those of a multinomial.
    #[test]
    fn the_draws_are_multinomial() {
        let all = rows(400);
        let resampler = Resampler::of(&all, &all.counts()).unwrap();
        let chunks = 500;
        let mut sums = [0.0; 3];
        for chunk in 0..chunks {
            let lanes = resampler.draw(9, chunk);
            for (&x, &y) in lanes[0].iter().zip(&lanes[1]) {
                let mean = |u: usize| resampler.units()[u].rows as f64;
                let (x, y) = (f64::from(x) - mean(0), f64::from(y) - mean(1));
                sums[0] += x;
                sums[1] += x * x;
                sums[2] += x * y;
            }
        }
        let rounds = (chunks * LANES) as f64;
        let (p, q) =
            (resampler.units()[0].rows as f64 / 400.0, resampler.units()[1].rows as f64 / 400.0);
        let variance = 400.0 * p * (1.0 - p);
        assert!((sums[0] / rounds).abs() < 4.0 * (variance / rounds).sqrt());
        assert!((sums[1] / rounds / variance - 1.0).abs() < 0.1);
        assert!((sums[2] / rounds + 400.0 * p * q).abs() < 0.15 * variance);
    }

    #[test]
    fn weighted_and_clustered_rows_are_drawn_whole() {
        let weighted =
            rows(12).with_weights((0..12_u8).map(|k| f64::from(k % 2)).collect()).unwrap();
        let resampler = Resampler::of(&weighted, &weighted.counts()).unwrap();
        assert_eq!(resampler.units().iter().map(|u| u.rows).sum::<u64>(), 12);
        let clustered = rows(12).with_clusters((0..12).map(|k| k / 4).collect()).unwrap();
        let resampler = Resampler::of(&clustered, &clustered.counts()).unwrap();
        let draws = resampler.draw(1, 0);
        assert_eq!(draws.iter().map(|d| d[0]).sum::<u32>(), 12);
    }
}
