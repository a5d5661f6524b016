//! Results of queries, and when two of them are equal.

use std::cmp::Ordering;

use rusqlite::types::ValueRef;

/// Most rows that are matched pair by pair where sorting does not decide.
const FEW: usize = 200;

/// Most orders of columns that are tried in full.
const MAX_ORDERS: usize = 500;

/// A value of a result.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Null,
    Whole(i64),
    Real(f64),
    Text(Box<[u8]>),
    Blob(Box<[u8]>),
}

/// A row of a result.
pub(super) type Row = Vec<Cell>;

impl Cell {
    pub(super) fn of(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(n) => Self::Whole(n),
            ValueRef::Real(x) => Self::Real(x),
            ValueRef::Text(bytes) => Self::Text(bytes.into()),
            ValueRef::Blob(bytes) => Self::Blob(bytes.into()),
        }
    }

    /// Bytes that it takes, about.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Text(bytes) | Self::Blob(bytes) => 16 + bytes.len(),
            _ => 16,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Whole(_) | Self::Real(_) => 1,
            Self::Text(_) => 2,
            Self::Blob(_) => 3,
        }
    }

    fn number(&self) -> f64 {
        match self {
            Self::Whole(n) => *n as f64,
            Self::Real(x) => *x,
            _ => 0.0,
        }
    }

    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) | (Self::Blob(a), Self::Blob(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()).then(self.number().total_cmp(&other.number())),
        }
    }

    /// Whether two values are the same: null is null, whole numbers exactly, others within the tolerance.
    pub(super) fn same(&self, other: &Self, tolerance: f64) -> bool {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => a == b,
            (Self::Whole(_) | Self::Real(_), Self::Whole(_) | Self::Real(_)) => {
                let (a, b) = (self.number(), other.number());
                a == b || (a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1.0)
            }
            _ => self == other,
        }
    }
}

/// Rows that may stand in any order among themselves, and how many of them belong to the result.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Run {
    pub(super) rows: Vec<Row>,
    pub(super) take: usize,
}

/// The rules of comparison.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) tolerance: f64,
    /// The order of rows counts, as far as the runs determine it.
    pub(super) ordered: bool,
    /// Equal rows count as often as they come.
    pub(super) duplicates: bool,
    /// The columns may stand in any order.
    pub(super) permuted: bool,
}

/// A row whose columns may be looked at in another order.
type View<'a> = Vec<&'a Cell>;

fn view<'a>(rows: &'a [Row], columns: &[usize]) -> Vec<View<'a>> {
    rows.iter().map(|row| columns.iter().map(|c| &row[*c]).collect()).collect()
}

fn order(a: &View<'_>, b: &View<'_>) -> Ordering {
    a.iter().zip(b).map(|(x, y)| x.order(y)).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
}

impl Rules {
    /// Whether `got`, rows of `columns` values, is a result that the runs allow.
    pub(super) fn equal(&self, runs: &[Run], got: &[Row], columns: usize) -> bool {
        let expected: usize = runs.iter().map(|run| run.take).sum();
        let in_order: Vec<usize> = (0..columns).collect();
        if self.duplicates && expected != got.len() {
            return false;
        }
        if self.holds(runs, &view(got, &in_order), &in_order) {
            return true;
        }
        self.permuted && (2..=50).contains(&columns) && self.any_order(runs, got, columns)
    }

    /// Whether some order of the columns of `got` makes it a result.
    fn any_order(&self, runs: &[Run], got: &[Row], columns: usize) -> bool {
        let fits: Vec<Vec<usize>> = (0..columns)
            .map(|mine| {
                (0..columns).filter(|theirs| self.column_fits(runs, got, mine, *theirs)).collect()
            })
            .collect();
        let (mut chosen, mut tried) = (Vec::with_capacity(columns), 0);
        let all: Vec<usize> = (0..columns).collect();
        search(&fits, &mut chosen, &mut tried, &mut |columns| {
            self.holds(runs, &view(got, columns), &all)
        })
    }

    fn column_fits(&self, runs: &[Run], got: &[Row], mine: usize, theirs: usize) -> bool {
        let pool: Vec<View<'_>> = runs.iter().flat_map(|run| view(&run.rows, &[mine])).collect();
        self.within(&view(got, &[theirs]), &pool)
    }

    fn holds(&self, runs: &[Run], got: &[View<'_>], columns: &[usize]) -> bool {
        if !self.duplicates {
            let pool: Vec<View<'_>> =
                runs.iter().flat_map(|run| view(&run.rows, columns)).collect();
            let whole = runs.iter().all(|run| run.take == run.rows.len());
            return self.within(got, &pool) && (!whole || self.within(&pool, got));
        }
        if self.ordered {
            let mut rest = got;
            return runs.iter().all(|run| {
                let (here, after) = rest.split_at(run.take.min(rest.len()));
                rest = after;
                self.within(here, &view(&run.rows, columns))
            });
        }
        let pool: Vec<View<'_>> = runs.iter().flat_map(|run| view(&run.rows, columns)).collect();
        let full = runs.iter().filter(|run| run.take == run.rows.len());
        let full: Vec<View<'_>> = full.flat_map(|run| view(&run.rows, columns)).collect();
        self.within(got, &pool) && (full.len() == pool.len() || self.within(&full, got))
    }

    /// Whether every row of `few` has a partner of its own in `pool` (any partner where duplicates do not count).
    fn within(&self, few: &[View<'_>], pool: &[View<'_>]) -> bool {
        let mut few: Vec<&View<'_>> = few.iter().collect();
        let mut pool: Vec<&View<'_>> = pool.iter().collect();
        few.sort_by(|a, b| order(a, b));
        pool.sort_by(|a, b| order(a, b));
        if self.merge(&few, &pool) {
            return true;
        }
        few.len() <= FEW && pool.len() <= FEW && self.pairs(&few, &pool)
    }

    fn same(&self, a: &View<'_>, b: &View<'_>) -> bool {
        a.iter().zip(b).all(|(x, y)| x.same(y, self.tolerance))
    }

    /// Partners found by walking through both in order.
    fn merge(&self, few: &[&View<'_>], pool: &[&View<'_>]) -> bool {
        let mut at = 0;
        for (i, row) in few.iter().enumerate() {
            if !self.duplicates && i > 0 && self.same(few[i - 1], row) {
                continue;
            }
            match pool[at..].iter().position(|other| self.same(row, other)) {
                Some(found) => at += found + 1,
                None => return false,
            }
        }
        true
    }

    /// Partners found by augmenting paths: tolerances can make the order of near-equal rows differ.
    fn pairs(&self, few: &[&View<'_>], pool: &[&View<'_>]) -> bool {
        let edges: Vec<Vec<usize>> = few
            .iter()
            .map(|row| (0..pool.len()).filter(|j| self.same(row, pool[*j])).collect())
            .collect();
        if !self.duplicates {
            return edges.iter().all(|edges| !edges.is_empty());
        }
        let mut partner: Vec<Option<usize>> = vec![None; pool.len()];
        (0..few.len()).all(|i| augment(i, &edges, &mut partner, &mut vec![false; pool.len()]))
    }
}

/// The recursion is no deeper than [`FEW`].
fn augment(
    i: usize,
    edges: &[Vec<usize>],
    partner: &mut [Option<usize>],
    seen: &mut [bool],
) -> bool {
    for j in &edges[i] {
        if !std::mem::replace(&mut seen[*j], true)
            && partner[*j].is_none_or(|other| augment(other, edges, partner, seen))
        {
            partner[*j] = Some(i);
            return true;
        }
    }
    false
}

/// Tries orders of columns that `fits` allows, until one holds. The recursion is as deep as there are columns.
fn search(
    fits: &[Vec<usize>],
    chosen: &mut Vec<usize>,
    tried: &mut usize,
    holds: &mut dyn FnMut(&[usize]) -> bool,
) -> bool {
    if chosen.len() == fits.len() {
        *tried += 1;
        return holds(chosen);
    }
    for column in &fits[chosen.len()] {
        if *tried < MAX_ORDERS && !chosen.contains(column) {
            chosen.push(*column);
            if search(fits, chosen, tried, holds) {
                return true;
            }
            chosen.pop();
            // Dead ends cost as well.
            *tried += 1;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{Cell, Row, Rules, Run};

    fn cell(text: &str) -> Cell {
        if text == "null" {
            return Cell::Null;
        }
        let real = || text.parse().map(Cell::Real);
        text.parse()
            .map(Cell::Whole)
            .or_else(|_| real())
            .unwrap_or(Cell::Text(text.as_bytes().into()))
    }

    fn rows(text: &str) -> Vec<Row> {
        text.split('|')
            .filter(|t| !t.is_empty())
            .map(|row| row.split(' ').map(cell).collect())
            .collect()
    }

    const PLAIN: Rules =
        Rules { tolerance: 1e-6, ordered: false, duplicates: true, permuted: false };

    fn check(rules: Rules, runs: &[(&str, usize)], got: &str, expect: bool) {
        let runs: Vec<Run> =
            runs.iter().map(|(r, take)| Run { rows: rows(r), take: *take }).collect();
        let columns = runs[0].rows[0].len();
        assert_eq!(rules.equal(&runs, &rows(got), columns), expect, "{runs:?} {got}");
    }

    #[test]
    fn multisets_and_sets() {
        check(PLAIN, &[("1 a|2 b|2 b", 3)], "2 b|1 a|2 b", true);
        check(PLAIN, &[("1 a|2 b|2 b", 3)], "2 b|1 a|1 a", false);
        check(PLAIN, &[("1 null", 1)], "1 null", true);
        check(PLAIN, &[("1 null", 1)], "1 0", false);
        let set = Rules { duplicates: false, ..PLAIN };
        check(set, &[("1 a|2 b|2 b", 3)], "2 b|1 a|1 a", true);
        check(set, &[("1 a|2 b", 2)], "1 a", false);
    }

    #[test]
    fn numbers_within_the_tolerance() {
        check(PLAIN, &[("1", 1)], "1.0000000001", true);
        check(PLAIN, &[("1", 1)], "1.001", false);
        check(PLAIN, &[("9007199254740993", 1)], "9007199254740992", false);
        check(PLAIN, &[("0.3 a|0.3000000001 b", 2)], "0.3000000001 a|0.3 b", true);
        check(PLAIN, &[("1000000000000000.5 x", 1)], "1000000000000000.0 x", true);
    }

    #[test]
    fn orders_as_far_as_they_are_determined() {
        let ordered = Rules { ordered: true, ..PLAIN };
        check(ordered, &[("1", 1), ("2", 1)], "2|1", false);
        check(ordered, &[("1|2", 2), ("3", 1)], "2|1|3", true);
        check(ordered, &[("9", 1), ("1|2|3", 1)], "9|3", true);
        check(ordered, &[("9", 1), ("1|2|3", 1)], "3|9", false);
        check(PLAIN, &[("9", 1), ("1|2|3", 1)], "3|9", true);
        check(PLAIN, &[("9", 1), ("1|2|3", 1)], "3|1", false);
    }

    #[test]
    fn columns_in_any_order() {
        let permuted = Rules { permuted: true, ..PLAIN };
        check(permuted, &[("1 a x|2 b x", 2)], "x 1 a|x 2 b", true);
        check(permuted, &[("1 2|2 1|3 4", 3)], "2 1|1 2|4 3", true);
        check(permuted, &[("1 2|3 4", 2)], "2 3|4 1", false);
        check(PLAIN, &[("1 a", 1)], "a 1", false);
    }
}
