//! Seeded random tables for the laws of transforms.

use rand::RngExt as _;

use crate::seed::{Stream, stream};
use crate::{Column, Fine, Frame, Groups, Level};

/// One rollout of a table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// Where the row stood in the table as it was made.
    pub(super) origin: usize,
    /// The running column, which is also the column `a`.
    pub(super) current: Option<f64>,
    /// Values per step, token or turn of the running column; none where it is unscored.
    pub(super) fine: Vec<f64>,
    /// The other numeric columns, in the order of [`Table::names`].
    pub(super) others: Vec<Option<f64>>,
    /// The text columns, in the order of [`Table::text_names`].
    pub(super) texts: Vec<String>,
}

/// A table that can be cut and shuffled, and turned into a [`Frame`].
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Table {
    /// What is in it, for messages.
    pub(super) name: String,
    /// The rows of each group, with the group's name.
    pub(super) groups: Vec<(String, Vec<Row>)>,
    /// The numeric columns besides `a`.
    pub(super) names: Vec<String>,
    /// The text columns.
    pub(super) text_names: Vec<String>,
    /// The level of the fine values, if there are any.
    pub(super) level: Option<Level>,
    /// Whether the numbers are moderate and on a grid of 1/64, so that adding and scaling them is exact.
    pub(super) tame: bool,
}

/// How the values of a table are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Draw {
    Binary,
    Normal,
    Ties,
    Constant,
    Share,
    Huge,
    Denormal,
}

const DRAWS: [Draw; 7] = [
    Draw::Binary,
    Draw::Normal,
    Draw::Ties,
    Draw::Constant,
    Draw::Share,
    Draw::Huge,
    Draw::Denormal,
];

const LEVELS: [Option<Level>; 4] = [None, Some(Level::Step), Some(Level::Token), Some(Level::Turn)];

/// The columns that every table has, with the way they are drawn.
const COLUMNS: [(&str, Draw); 5] = [
    ("b", Draw::Normal),
    ("correct", Draw::Binary),
    ("length", Draw::Normal),
    ("tokens", Draw::Normal),
    ("score", Draw::Share),
];

/// All tables: every draw of the running column × every level, with and without unscored rows. `extra` names columns that the
/// method reads besides the usual ones; they are there as numbers and as texts.
pub(super) fn tables(extra: &[String]) -> Vec<Table> {
    let mut tables = Vec::new();
    for draw in DRAWS {
        for level in LEVELS {
            for gaps in [false, true] {
                tables.push(table(draw, level, gaps, extra));
            }
        }
    }
    tables
}

fn table(draw: Draw, level: Option<Level>, gaps: bool, extra: &[String]) -> Table {
    let level_name =
        level.map_or("no finer values".to_owned(), |level| format!("values per {level}"));
    let name = format!(
        "{draw:?} values, {level_name}, {}",
        if gaps { "some unscored" } else { "all scored" }
    );
    let mut rng = stream(0, &name);
    let new: Vec<&String> = extra
        .iter()
        .filter(|n| {
            !["a", "task"].contains(&n.as_str()) && COLUMNS.iter().all(|(known, _)| known != n)
        })
        .collect();
    let names = COLUMNS
        .iter()
        .map(|(n, _)| (*n).to_owned())
        .chain(new.iter().map(|n| (*n).clone()))
        .collect();
    let text_names =
        std::iter::once("task".to_owned()).chain(new.iter().map(|n| (*n).clone())).collect();
    let draws: Vec<Draw> =
        COLUMNS.iter().map(|(_, d)| *d).chain(new.iter().map(|_| Draw::Normal)).collect();
    let mut maker = Maker { rng: &mut rng, draw, level, gaps, draws, made: 0 };
    let groups = [1, 2, 3, 4, 8, 5]
        .iter()
        .enumerate()
        .map(|(g, &size)| (format!("group {g}"), maker.group(size)))
        .collect();
    let tame = !matches!(draw, Draw::Huge | Draw::Denormal);
    Table { name, groups, names, text_names, level, tame }
}

struct Maker<'a> {
    rng: &'a mut Stream,
    draw: Draw,
    level: Option<Level>,
    gaps: bool,
    draws: Vec<Draw>,
    made: usize,
}

impl Maker<'_> {
    fn group(&mut self, size: usize) -> Vec<Row> {
        let constant = self.value(Draw::Normal);
        (0..size).map(|_| self.row(constant)).collect()
    }

    fn row(&mut self, constant: f64) -> Row {
        let scored = !(self.gaps && self.rng.random_range(0..4) == 0);
        let current = if self.draw == Draw::Constant { constant } else { self.value(self.draw) };
        let fine = if scored && self.level.is_some() { self.fine(current) } else { Vec::new() };
        let others = self
            .draws
            .clone()
            .into_iter()
            .enumerate()
            .map(|(k, draw)| Some(self.other(k, draw)))
            .collect();
        let task = ["math", "code", "chat"][self.rng.random_range(0..3)].to_owned();
        let texts = std::iter::repeat_n(task, 1 + self.draws.len() - COLUMNS.len()).collect();
        let origin = self.made;
        self.made += 1;
        Row { origin, current: scored.then_some(current), fine, others, texts }
    }

    fn fine(&mut self, last: f64) -> Vec<f64> {
        let n = self.rng.random_range(1..5);
        let draw = if self.draw == Draw::Constant { Draw::Normal } else { self.draw };
        (1..n).map(|_| self.value(draw)).chain([last]).collect()
    }

    fn other(&mut self, k: usize, draw: Draw) -> f64 {
        match COLUMNS.get(k).map(|(name, _)| *name) {
            Some("length" | "tokens") => f64::from(self.rng.random_range(1..400)),
            _ => self.value(draw),
        }
    }

    fn value(&mut self, draw: Draw) -> f64 {
        let sign = if self.rng.random::<bool>() { 1.0 } else { -1.0 };
        match draw {
            Draw::Binary => f64::from(self.rng.random_range(0..2)),
            Draw::Ties => f64::from(self.rng.random_range(-1..2)) / 2.0,
            Draw::Share => f64::from(self.rng.random_range(0..65)) / 64.0,
            // The sum of four uniform grid points: bell-shaped, between -6 and 6, a multiple of 1/64.
            Draw::Normal | Draw::Constant => {
                (0..4).map(|_| f64::from(self.rng.random_range(-96..97)) / 64.0).sum()
            }
            Draw::Huge => sign * [1e300, f64::MAX, 1e154, 1.0][self.rng.random_range(0..4)],
            Draw::Denormal => {
                sign * [f64::MIN_POSITIVE, 5e-324, 1e-310, 0.0][self.rng.random_range(0..4)]
            }
        }
    }
}

impl Table {
    /// Number of rows.
    pub(super) fn rows(&self) -> usize {
        self.groups.iter().map(|(_, rows)| rows.len()).sum()
    }

    /// The rows, group after group.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Row> {
        self.groups.iter().flat_map(|(_, rows)| rows)
    }

    /// A copy in which `change` has been at every group.
    pub(super) fn with_groups(&self, mut change: impl FnMut(&mut Vec<Row>)) -> Self {
        let mut copy = self.clone();
        for (_, rows) in &mut copy.groups {
            change(rows);
        }
        copy
    }

    /// A copy in which the running column (and `a`, and the finer values) went through `f`.
    pub(super) fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        self.with_groups(|rows| {
            for row in rows {
                row.current = row.current.map(&f);
                row.fine.iter_mut().for_each(|value| *value = f(*value));
            }
        })
    }

    /// A copy that holds only group `g`.
    pub(super) fn only(&self, g: usize) -> Self {
        Self { groups: vec![self.groups[g].clone()], ..self.clone() }
    }

    /// The frame, and the running column.
    pub(super) fn frame(&self) -> (Frame, Column) {
        let groups = Groups::from_sizes(self.groups.iter().map(|(_, rows)| rows.len()));
        let mut frame = Frame::new(groups);
        frame.group_names = self.groups.iter().map(|(name, _)| name.clone()).collect();
        let mut current = Column::from_options(self.iter().map(|row| row.current));
        current.fine = self
            .level
            .map(|level| Fine::from_rows(level, self.iter().map(|row| row.fine.as_slice())));
        insert(&mut frame, "a", current.clone());
        for (k, name) in self.names.iter().enumerate() {
            insert(&mut frame, name, Column::from_options(self.iter().map(|row| row.others[k])));
        }
        for (k, name) in self.text_names.iter().enumerate() {
            let texts = self.iter().map(|row| Some(row.texts[k].clone())).collect();
            assert!(frame.insert_text(name, texts).is_ok(), "a text per row");
        }
        (frame, current)
    }
}

fn insert(frame: &mut Frame, name: &str, column: Column) {
    assert!(frame.insert(name, column).is_ok(), "a value per row");
}

#[cfg(test)]
mod tests {
    use super::tables;

    #[test]
    fn tables_are_stable_and_hold_what_is_asked_for() {
        let all = tables(&["reference_score".to_owned(), "length".to_owned()]);
        assert_eq!(all, tables(&["reference_score".to_owned(), "length".to_owned()]));
        let (frame, current) = all[1].frame();
        assert_eq!((frame.rows(), current.len()), (23, 23));
        assert!(frame.column("reference_score").is_ok() && frame.text("reference_score").is_ok());
        assert!(all.iter().any(|t| t.iter().any(|row| row.current.is_none())));
        assert!(
            all.iter()
                .filter(|t| t.tame)
                .all(|t| t.iter().filter_map(|r| r.current).all(|v| (v * 64.0).fract() == 0.0))
        );
    }
}
