//! What the reference query allows as a result, ties included.

use super::Budget;
use super::rows::{Row, Run};
use super::run::{Database, Stop, Table};
use super::text::{Key, Shape, shape};

/// The result of a reference query, cut into runs of rows whose order it leaves open.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expected {
    pub(super) columns: usize,
    pub(super) runs: Vec<Run>,
    /// Whether the query orders its rows at all.
    pub(super) ordered: bool,
    pub(super) empty: bool,
}

impl Expected {
    /// Runs the reference query, and where it has ties runs it again without its limit.
    pub(super) fn of(
        database: &Database,
        sql: &str,
        ties: bool,
        budget: &Budget,
    ) -> Result<Self, Stop> {
        let table = database.query(sql, budget)?;
        let shape = shape(sql).unwrap_or_default();
        let ordered = !shape.keys.is_empty();
        let open = ties && (ordered || shape.limited);
        let found = if open { tied(database, &shape, &table, budget) } else { None };
        let runs = found.unwrap_or_else(|| plain(&table.rows, ordered));
        Ok(Self { columns: table.columns.len(), runs, ordered, empty: table.rows.is_empty() })
    }
}

/// Without ties: every row a run of its own where the order counts, else one run.
fn plain(rows: &[Row], ordered: bool) -> Vec<Run> {
    if ordered {
        return rows.iter().map(|row| Run { rows: vec![row.clone()], take: 1 }).collect();
    }
    vec![Run { rows: rows.to_vec(), take: rows.len() }]
}

/// Where the value of a term of the order stands in a row.
fn places(shape: &Shape<'_>, table: &Table) -> Option<(Vec<usize>, Vec<String>)> {
    let mut more = Vec::new();
    let mut places = Vec::new();
    for key in &shape.keys {
        let named = |name: &str| table.columns.iter().position(|c| c.eq_ignore_ascii_case(name));
        let (column, written) = match key {
            Key::Column(index) => (Some(*index).filter(|i| *i < table.columns.len()), None),
            Key::Name(name) => (named(name), Some(format!("\"{}\"", name.replace('"', "")))),
            Key::Expression(text) => (named(text), Some(format!("({text})"))),
        };
        places.push(match (column, written) {
            (Some(column), _) => column,
            (None, written) => {
                more.push(written?);
                table.columns.len() + more.len() - 1
            }
        });
    }
    Some((places, more))
}

/// The runs of equal keys, of which the last, and with an offset the first, may be cut. None where they cannot be found.
fn tied(
    database: &Database,
    shape: &Shape<'_>,
    table: &Table,
    budget: &Budget,
) -> Option<Vec<Run>> {
    let (places, more) = places(shape, table)?;
    let sql = if more.is_empty() {
        shape.unlimited.to_owned()
    } else {
        let (before, after) = shape.unlimited.split_at_checked(shape.gap?)?;
        format!("{before}, {} {after}", more.join(", "))
    };
    let (take, skip) = match (shape.limited, shape.window) {
        (false, _) => (usize::MAX, 0),
        (true, window) => window?,
    };
    let full = database.query(&sql, budget).ok()?.rows;
    let window: Vec<&Row> = full.iter().skip(skip).take(take).collect();
    let columns = table.columns.len();
    // The longer query must be the same query.
    let same = window.len() == table.rows.len()
        && window.iter().zip(&table.rows).all(|(a, b)| {
            shape.keys.is_empty() || places.iter().filter(|p| **p < columns).all(|p| a[*p] == b[*p])
        });
    same.then(|| cut(&full, &places, columns, skip, take))
}

fn cut(full: &[Row], places: &[usize], columns: usize, skip: usize, take: usize) -> Vec<Run> {
    let end = skip.saturating_add(take).min(full.len());
    let mut runs = Vec::new();
    let mut start = 0;
    while start < full.len() {
        let tie = |row: &&Row| places.iter().all(|p| row[*p] == full[start][*p]);
        let stop = start + full[start..].iter().take_while(tie).count();
        let taken = stop.min(end).saturating_sub(start.max(skip));
        if taken > 0 {
            let rows = full[start..stop].iter().map(|row| row[..columns].to_vec()).collect();
            runs.push(Run { rows, take: taken });
        }
        start = stop;
    }
    runs
}
