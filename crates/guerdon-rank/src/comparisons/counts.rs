//! Comparisons added up per pair.

use super::{Comparisons, Outcome};

/// What happened between two contestants, `a < b`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cell {
    /// Index of one contestant.
    pub a: u32,
    /// Index of the other; greater than `a`.
    pub b: u32,
    /// Summed weight of the wins of `a`.
    pub wins_a: f64,
    /// Summed weight of the wins of `b`.
    pub wins_b: f64,
    /// Summed weight of the ties.
    pub ties: f64,
}

impl Cell {
    /// Summed weight of all comparisons of the pair.
    pub fn total(&self) -> f64 {
        self.wins_a + self.wins_b + self.ties
    }

    /// Points of `a` with a tie worth half.
    pub fn points_a(&self) -> f64 {
        self.wins_a + 0.5 * self.ties
    }

    fn add(&mut self, outcome: Outcome, weight: f64) {
        match outcome {
            Outcome::First => self.wins_a += weight,
            Outcome::Second => self.wins_b += weight,
            Outcome::Tie => self.ties += weight,
        }
    }
}

/// Comparisons added up per pair: the sufficient statistic of every batch method.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Counts {
    n: usize,
    cells: Vec<Cell>,
}

/// Up to this many contestants the rows are added into a table of all pairs; beyond it they are sorted.
const DENSE: usize = 2048;

impl Counts {
    /// The comparisons added up per pair, pairs in order.
    pub fn of(all: &Comparisons) -> Self {
        let n = all.names().len();
        let countable = all.weight().is_none() && u32::try_from(all.len()).is_ok();
        let cells = match (n <= DENSE, countable) {
            (true, true) => dense_unit(all, n),
            (true, false) => dense_weighted(all, n),
            (false, _) => sorted(all),
        };
        Self { n, cells }
    }

    /// As [`Counts::of`], with every weight squared: what the variance of a weighted sum is made of.
    pub fn of_squares(all: &Comparisons) -> Self {
        let cells = all.rows().zip(all.first().iter().zip(all.second())).map(
            |((_, _, outcome, weight), (&a, &b))| {
                let mut cell = Cell { a, b, ..Cell::default() };
                cell.add(outcome, weight * weight);
                cell
            },
        );
        Self::from_cells(all.names().len(), cells)
    }

    /// Counts from cells between `n` contestants. Cells are sorted and cells of one pair added up; a cell with `a > b` is
    /// mirrored, and one with `a == b` or an index outside `n` is left out.
    pub fn from_cells(n: usize, cells: impl IntoIterator<Item = Cell>) -> Self {
        let inside = |cell: &Cell| cell.a != cell.b && (cell.a.max(cell.b) as usize) < n;
        let mirrored = |cell: Cell| {
            if cell.a < cell.b {
                return cell;
            }
            Cell { a: cell.b, b: cell.a, wins_a: cell.wins_b, wins_b: cell.wins_a, ties: cell.ties }
        };
        let mut cells: Vec<Cell> = cells.into_iter().filter(inside).map(mirrored).collect();
        cells.sort_by_key(|cell| (cell.a, cell.b));
        cells.dedup_by(|next, kept| {
            let same = (next.a, next.b) == (kept.a, kept.b);
            if same {
                kept.wins_a += next.wins_a;
                kept.wins_b += next.wins_b;
                kept.ties += next.ties;
            }
            same
        });
        Self { n, cells }
    }

    /// Number of contestants.
    pub fn n(&self) -> usize {
        self.n
    }

    /// The pairs that met, in order.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// Summed weight of all comparisons.
    pub fn total(&self) -> f64 {
        self.cells.iter().map(Cell::total).sum()
    }

    /// Summed weight of all ties.
    pub fn ties(&self) -> f64 {
        self.cells.iter().map(|cell| cell.ties).sum()
    }

    /// Wins, losses and ties of each contestant.
    pub fn records(&self) -> Vec<[f64; 3]> {
        let mut records = vec![[0.0; 3]; self.n];
        for cell in &self.cells {
            let (a, b) = (cell.a as usize, cell.b as usize);
            for (slot, value) in [cell.wins_a, cell.wins_b, cell.ties].into_iter().enumerate() {
                records[a][slot] += value;
            }
            for (slot, value) in [cell.wins_b, cell.wins_a, cell.ties].into_iter().enumerate() {
                records[b][slot] += value;
            }
        }
        records
    }

    /// The same pairs without their ties; pairs that only tied disappear.
    #[must_use]
    pub fn without_ties(&self) -> Self {
        let decided = self.cells.iter().map(|cell| Cell { ties: 0.0, ..*cell });
        Self { n: self.n, cells: decided.filter(|cell| cell.total() > 0.0).collect() }
    }

    /// Points of the row against the column, a tie worth half: `n × n`, row by row. For small `n`.
    pub fn points_matrix(&self) -> Vec<f64> {
        let mut matrix = vec![0.0; self.n * self.n];
        for cell in &self.cells {
            let (a, b) = (cell.a as usize, cell.b as usize);
            matrix[a * self.n + b] = cell.points_a();
            matrix[b * self.n + a] = cell.total() - cell.points_a();
        }
        matrix
    }
}

fn dense_unit(all: &Comparisons, n: usize) -> Vec<Cell> {
    // At most 2^32 - 1 rows come here, so that no counter overflows.
    let mut wins = vec![0_u32; n * n];
    let mut ties = vec![0_u32; n * n];
    let rows = all.first().iter().zip(all.second()).zip(all.outcome());
    for ((&first, &second), outcome) in rows {
        let (a, b) = (first as usize, second as usize);
        match outcome {
            Outcome::First => wins[a * n + b] += 1,
            Outcome::Second => wins[b * n + a] += 1,
            Outcome::Tie => ties[a.min(b) * n + a.max(b)] += 1,
        }
    }
    upper(n, |a, b| {
        (f64::from(wins[a * n + b]), f64::from(wins[b * n + a]), f64::from(ties[a * n + b]))
    })
}

fn dense_weighted(all: &Comparisons, n: usize) -> Vec<Cell> {
    let mut wins = vec![0.0_f64; n * n];
    let mut ties = vec![0.0_f64; n * n];
    for (a, b, outcome, weight) in all.rows() {
        match outcome {
            Outcome::First => wins[a * n + b] += weight,
            Outcome::Second => wins[b * n + a] += weight,
            Outcome::Tie => ties[a.min(b) * n + a.max(b)] += weight,
        }
    }
    upper(n, |a, b| (wins[a * n + b], wins[b * n + a], ties[a * n + b]))
}

/// The cells of all pairs `a < b` that met. `n` is at most [`DENSE`], so indices fit.
fn upper(n: usize, at: impl Fn(usize, usize) -> (f64, f64, f64)) -> Vec<Cell> {
    let mut cells = Vec::new();
    for (a, wide_a) in (0..n).zip(0_u32..) {
        for (b, wide_b) in (a + 1..n).zip(wide_a + 1..) {
            let (wins_a, wins_b, ties) = at(a, b);
            if wins_a + wins_b + ties > 0.0 {
                cells.push(Cell { a: wide_a, b: wide_b, wins_a, wins_b, ties });
            }
        }
    }
    cells
}

fn sorted(all: &Comparisons) -> Vec<Cell> {
    let mut order: Vec<(u64, usize)> = Vec::with_capacity(all.len());
    for ((&first, &second), row) in all.first().iter().zip(all.second()).zip(0..) {
        order.push((u64::from(first.min(second)) << 32 | u64::from(first.max(second)), row));
    }
    order.sort_unstable();
    let mut cells: Vec<Cell> = Vec::new();
    for (_, k) in order {
        let (first, second) = (all.first()[k], all.second()[k]);
        let (a, b) = (first.min(second), first.max(second));
        let outcome = if first < second { all.outcome()[k] } else { all.outcome()[k].swapped() };
        let weight = all.weight().map_or(1.0, |w| w[k]);
        if cells.last().is_none_or(|last| (last.a, last.b) != (a, b)) {
            cells.push(Cell { a, b, ..Cell::default() });
        }
        if let Some(last) = cells.last_mut() {
            last.add(outcome, weight);
        }
    }
    cells.retain(|cell| cell.total() > 0.0);
    cells
}

#[cfg(test)]
mod tests {
    use super::{Cell, Counts, dense_unit, dense_weighted, sorted};
    use crate::{Comparisons, Outcome};

    fn sample() -> Comparisons {
        use Outcome::{First, Second, Tie};
        let names = ["a", "b", "c"].map(str::to_owned).to_vec();
        let all = Comparisons::new(
            names,
            vec![0, 1, 0, 2, 1],
            vec![1, 0, 2, 0, 0],
            vec![First, First, Tie, Tie, Second],
        );
        all.unwrap()
    }

    #[test]
    fn rows_are_added_up_from_either_side() {
        let expected = [
            Cell { a: 0, b: 1, wins_a: 2.0, wins_b: 1.0, ties: 0.0 },
            Cell { a: 0, b: 2, wins_a: 0.0, wins_b: 0.0, ties: 2.0 },
        ];
        let all = sample();
        assert_eq!(Counts::of(&all).cells(), expected);
        assert_eq!(dense_unit(&all, 3), sorted(&all));
        let weighted = all.with_weights(vec![1.0; 5]).unwrap();
        assert_eq!(dense_weighted(&weighted, 3), expected);
    }

    #[test]
    fn cells_are_mirrored_and_merged() {
        let cells = [
            Cell { a: 1, b: 0, wins_a: 1.0, wins_b: 2.0, ties: 0.0 },
            Cell { a: 0, b: 1, wins_a: 1.0, wins_b: 0.0, ties: 0.5 },
            Cell { a: 1, b: 1, wins_a: 9.0, wins_b: 0.0, ties: 0.0 },
        ];
        let counts = Counts::from_cells(2, cells);
        assert_eq!(counts.cells(), [Cell { a: 0, b: 1, wins_a: 3.0, wins_b: 1.0, ties: 0.5 }]);
        assert_eq!(counts.records(), [[3.0, 1.0, 0.5], [1.0, 3.0, 0.5]]);
        assert_eq!(counts.points_matrix(), [0.0, 3.25, 1.25, 0.0]);
    }
}
