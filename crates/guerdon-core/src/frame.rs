//! Tables between signals and advantages: columns of numbers over rollouts that stand in groups.
//!
//! "Unscored" is never NaN: a [`Column`] says which rows hold a value, and [`View::dense`] hands a method only those rows,
//! so that an unscored rollout neither poisons its group nor counts as zero.

use std::fmt;
use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::nearest;
use crate::seed::{self, Stream};
use crate::{MethodError, Outcome};

/// What the values within one rollout belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// One value per token of the completion.
    Token,
    /// One value per step of the solution.
    Step,
    /// One value per turn of the episode.
    Turn,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token => "token",
            Self::Step => "step",
            Self::Turn => "turn",
        })
    }
}

/// Ragged values: several per row, end to end.
#[derive(Debug, Clone, PartialEq)]
pub struct Fine {
    /// What each value belongs to.
    pub level: Level,
    /// Row `i` owns `values[offsets[i]..offsets[i + 1]]`; one more entry than rows, starting at 0.
    pub offsets: Vec<usize>,
    /// The values of all rows, in row order. Finite.
    pub values: Vec<f64>,
}

impl Fine {
    /// Ragged values from one slice per row.
    pub fn from_rows<'a>(level: Level, rows: impl IntoIterator<Item = &'a [f64]>) -> Self {
        let mut fine = Self { level, offsets: vec![0], values: Vec::new() };
        for row in rows {
            fine.values.extend_from_slice(row);
            fine.offsets.push(fine.values.len());
        }
        fine
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The values of row `i`.
    pub fn row(&self, i: usize) -> &[f64] {
        &self.values[self.offsets[i]..self.offsets[i + 1]]
    }

    /// The rows named, in that order.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        Self::from_rows(self.level, rows.iter().map(|&i| self.row(i)))
    }
}

/// One number per rollout, or none where the rollout is unscored; optionally values per step, token or turn.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Column {
    values: Vec<f64>,
    scored: Vec<bool>,
    /// Values within each rollout. Rows that are unscored have none.
    pub fine: Option<Fine>,
}

impl Column {
    /// A column in which every row has a value. Values must be finite.
    pub fn full(values: Vec<f64>) -> Self {
        debug_assert!(values.iter().all(|v| v.is_finite()));
        Self { scored: vec![true; values.len()], values, fine: None }
    }

    /// A column from values that may be absent. A value that is not finite counts as absent.
    pub fn from_options(values: impl IntoIterator<Item = Option<f64>>) -> Self {
        let mut column = Self::default();
        for value in values {
            column.push(value);
        }
        column
    }

    /// A column from a signal's outcomes.
    pub fn from_outcomes(outcomes: &[Outcome]) -> Self {
        let mut column =
            Self::from_options(outcomes.iter().map(|o| o.as_ref().ok().map(crate::Score::value)));
        let level =
            outcomes.iter().find_map(|o| o.as_ref().ok()?.fine.as_ref().map(|(level, _)| *level));
        column.fine = level.map(|level| {
            Fine::from_rows(
                level,
                outcomes.iter().map(|o| match o.as_ref().ok().and_then(|s| s.fine.as_ref()) {
                    Some((own, values)) if *own == level => values.as_slice(),
                    _ => &[],
                }),
            )
        });
        column
    }

    fn push(&mut self, value: Option<f64>) {
        let value = value.filter(|v| v.is_finite());
        self.scored.push(value.is_some());
        self.values.push(value.unwrap_or(0.0));
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The value of row `i`, if it is scored.
    pub fn get(&self, i: usize) -> Option<f64> {
        self.scored[i].then(|| self.values[i])
    }

    /// The rows named, in that order.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        Self {
            values: rows.iter().map(|&i| self.values[i]).collect(),
            scored: rows.iter().map(|&i| self.scored[i]).collect(),
            fine: self.fine.as_ref().map(|fine| fine.take(rows)),
        }
    }

    /// With `value` (finite) in every row that is unscored.
    #[must_use]
    pub fn filled(mut self, value: f64) -> Self {
        for (slot, scored) in self.values.iter_mut().zip(&mut self.scored) {
            if !*scored {
                (*slot, *scored) = (value, true);
            }
        }
        self
    }

    /// The rows, as values or nothing.
    pub fn iter(&self) -> impl Iterator<Item = Option<f64>> + '_ {
        (0..self.len()).map(|i| self.get(i))
    }

    /// The indices of the scored rows.
    pub fn scored_rows(&self) -> Vec<usize> {
        (0..self.len()).filter(|&i| self.scored[i]).collect()
    }

    /// Whether every row is scored.
    pub fn is_full(&self) -> bool {
        self.scored.iter().all(|s| *s)
    }

    /// The values if every row is scored.
    pub fn as_full(&self) -> Option<&[f64]> {
        self.is_full().then_some(&self.values)
    }
}

/// Rows that belong together: consecutive runs of rollouts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// Group `g` is rows `offsets[g]..offsets[g + 1]`.
    offsets: Vec<usize>,
}

impl Groups {
    /// Groups of equal size; the last one may be smaller. A size of 0 counts as 1.
    pub fn equal(rows: usize, size: usize) -> Self {
        let size = size.max(1);
        let mut offsets: Vec<_> = (0..rows).step_by(size).collect();
        offsets.push(rows);
        Self { offsets }
    }

    /// All rows in one group.
    pub fn one(rows: usize) -> Self {
        Self { offsets: if rows == 0 { vec![0] } else { vec![0, rows] } }
    }

    /// Groups from their sizes. Empty groups are allowed.
    pub fn from_sizes(sizes: impl IntoIterator<Item = usize>) -> Self {
        let mut offsets = vec![0];
        for size in sizes {
            offsets.push(offsets[offsets.len() - 1] + size);
        }
        Self { offsets }
    }

    /// Runs of equal neighbours.
    pub fn from_runs<K: PartialEq>(keys: &[K]) -> Self {
        let mut offsets = vec![0];
        offsets.extend((1..keys.len()).filter(|&i| keys[i] != keys[i - 1]));
        if !keys.is_empty() {
            offsets.push(keys.len());
        }
        Self { offsets }
    }

    /// Groups from keys in any order: the groups, and the permutation `order` that brings rows of a group together
    /// (`row k` of the grouped table is `order[k]` of the input), groups in order of first appearance.
    pub fn from_keys<K: std::hash::Hash + Eq>(keys: &[K]) -> (Self, Vec<usize>) {
        let mut ids = std::collections::HashMap::new();
        let numbered: Vec<usize> = keys
            .iter()
            .map(|key| {
                let next = ids.len();
                *ids.entry(key).or_insert(next)
            })
            .collect();
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_by_key(|&i| numbered[i]);
        let sorted: Vec<usize> = order.iter().map(|&i| numbered[i]).collect();
        (Self::from_runs(&sorted), order)
    }

    /// Number of groups.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there are no groups.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.offsets[self.offsets.len() - 1]
    }

    /// The rows of group `g`.
    pub fn range(&self, g: usize) -> Range<usize> {
        self.offsets[g]..self.offsets[g + 1]
    }

    /// The row ranges of all groups, in order.
    pub fn iter(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        self.offsets.windows(2).map(|w| w[0]..w[1])
    }

    /// The groups that remain when only `rows` (ascending) are kept; groups may become empty, their number stays.
    #[must_use]
    pub fn restrict(&self, rows: &[usize]) -> Self {
        let mut kept = rows.iter().copied().peekable();
        Self::from_sizes(self.iter().map(|range| {
            let mut size = 0;
            while kept.next_if(|row| range.contains(row)).is_some() {
                size += 1;
            }
            size
        }))
    }
}

/// All columns of a batch of rollouts.
#[derive(Debug, Clone)]
pub struct Frame {
    /// How the rows are grouped.
    pub groups: Groups,
    /// A name per group, for seeds and messages; empty where groups are anonymous.
    pub group_names: Vec<String>,
    columns: Vec<(String, Column)>,
    texts: Vec<(String, Vec<Option<String>>)>,
}

impl Frame {
    /// A frame without columns.
    pub fn new(groups: Groups) -> Self {
        Self { groups, group_names: Vec::new(), columns: Vec::new(), texts: Vec::new() }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.groups.rows()
    }

    /// Adds a numeric column, or replaces the one of that name.
    pub fn insert(&mut self, name: &str, column: Column) -> Result<(), MethodError> {
        MethodError::same_length((name, column.len()), ("rows", self.rows()))?;
        match self.columns.iter_mut().find(|(n, _)| n == name) {
            Some((_, old)) => *old = column,
            None => self.columns.push((name.to_owned(), column)),
        }
        Ok(())
    }

    /// Adds a column of texts, or replaces the one of that name.
    pub fn insert_text(
        &mut self,
        name: &str,
        texts: Vec<Option<String>>,
    ) -> Result<(), MethodError> {
        MethodError::same_length((name, texts.len()), ("rows", self.rows()))?;
        match self.texts.iter_mut().find(|(n, _)| n == name) {
            Some((_, old)) => *old = texts,
            None => self.texts.push((name.to_owned(), texts)),
        }
        Ok(())
    }

    /// Whether a numeric or text column of that name is there.
    pub fn has(&self, name: &str) -> bool {
        self.columns.iter().any(|(n, _)| n == name) || self.texts.iter().any(|(n, _)| n == name)
    }

    /// The numeric columns, in the order they were added.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &Column)> {
        self.columns.iter().map(|(name, column)| (name.as_str(), column))
    }

    /// The numeric column of that name.
    pub fn column(&self, name: &str) -> Result<&Column, MethodError> {
        self.columns
            .iter()
            .find_map(|(n, column)| (n == name).then_some(column))
            .ok_or_else(|| missing(name, self.columns.iter().map(|(n, _)| n.as_str())))
    }

    /// The text column of that name.
    pub fn text(&self, name: &str) -> Result<&[Option<String>], MethodError> {
        self.texts
            .iter()
            .find_map(|(n, texts)| (n == name).then_some(texts.as_slice()))
            .ok_or_else(|| missing(name, self.texts.iter().map(|(n, _)| n.as_str())))
    }
}

fn missing<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> MethodError {
    MethodError::MissingColumn {
        name: name.to_owned(),
        near: nearest(name, known.clone()).map(str::to_owned),
        known: known.map(str::to_owned).collect(),
    }
}

/// What a transform sees: the whole frame, the running column, and its own randomness.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// All columns: signals by their names in the spec, and what [`crate::method::Transform::reads`] asks for.
    pub frame: &'a Frame,
    /// The running reward; `None` before the first transform of a chain that starts from several signals.
    pub current: Option<&'a Column>,
    /// Seed of this transform in this run.
    pub seed: u64,
}

/// The scored rows of the running column, closed up.
#[derive(Debug, Clone)]
pub struct Dense<'a> {
    /// Their values.
    pub values: Vec<f64>,
    /// Their groups (a group without scored rows is empty).
    pub groups: Groups,
    /// Their rows in the frame, ascending.
    pub rows: Vec<usize>,
    /// Their values per step, token or turn.
    pub fine: Option<Fine>,
    /// The auxiliary columns asked for, in that order.
    pub aux: Vec<Vec<f64>>,
    view: View<'a>,
}

impl Dense<'_> {
    /// The random stream of group `g`: the same whatever the batching.
    pub fn stream(&self, g: usize) -> Stream {
        let name = self.view.frame.group_names.get(g).map_or_else(|| g.to_string(), Clone::clone);
        seed::stream(self.view.seed, &name)
    }
}

impl<'a> View<'a> {
    /// The running column.
    pub fn current(&self) -> Result<&'a Column, MethodError> {
        self.current.ok_or_else(|| {
            MethodError::domain(
                "there are several signals and no reward yet: start the chain with `shape.combine` or name a column",
            )
        })
    }

    /// Applies `f` to the rows where the running column and all of `aux` are scored; the other rows stay unscored.
    pub fn dense(
        &self,
        aux: &[&str],
        f: impl FnOnce(&Dense<'_>) -> Result<Vec<f64>, MethodError>,
    ) -> Result<Column, MethodError> {
        let dense = self.close_up(aux)?;
        let out = f(&dense)?;
        MethodError::same_length(("result", out.len()), ("scored rows", dense.rows.len()))?;
        Ok(scatter(self.frame.rows(), &dense.rows, &out))
    }

    /// Like [`View::dense`], for methods that work within rollouts: `f` returns a value per rollout and ragged values.
    pub fn dense_fine(
        &self,
        aux: &[&str],
        f: impl FnOnce(&Dense<'_>) -> Result<(Vec<f64>, Fine), MethodError>,
    ) -> Result<Column, MethodError> {
        let dense = self.close_up(aux)?;
        let (out, fine) = f(&dense)?;
        MethodError::same_length(("result", out.len()), ("scored rows", dense.rows.len()))?;
        MethodError::same_length(("fine result", fine.rows()), ("scored rows", dense.rows.len()))?;
        let mut column = scatter(self.frame.rows(), &dense.rows, &out);
        let mut inner = dense.rows.iter().enumerate().peekable();
        let rows = (0..self.frame.rows()).map(|row| match inner.next_if(|(_, r)| **r == row) {
            Some((k, _)) if column.scored[row] => fine.row(k),
            _ => &[],
        });
        column.fine = Some(Fine::from_rows(fine.level, rows));
        Ok(column)
    }

    /// The scored rows of the running column and of all of `aux`, closed up.
    pub fn close_up(&self, aux: &[&str]) -> Result<Dense<'a>, MethodError> {
        let current = self.current()?;
        let extra: Vec<&Column> =
            aux.iter().map(|name| self.frame.column(name)).collect::<Result<_, _>>()?;
        let rows: Vec<usize> = current
            .scored_rows()
            .into_iter()
            .filter(|&i| extra.iter().all(|c| c.scored[i]))
            .collect();
        Ok(Dense {
            values: rows.iter().map(|&i| current.values[i]).collect(),
            groups: self.frame.groups.restrict(&rows),
            fine: current.fine.as_ref().map(|fine| fine.take(&rows)),
            aux: extra.iter().map(|c| rows.iter().map(|&i| c.values[i]).collect()).collect(),
            rows,
            view: *self,
        })
    }
}

/// A value that is not finite leaves its row unscored: a transform cannot smuggle NaN or infinity onwards.
fn scatter(len: usize, rows: &[usize], values: &[f64]) -> Column {
    let mut column = Column { values: vec![0.0; len], scored: vec![false; len], fine: None };
    for (&row, &value) in rows.iter().zip(values).filter(|(_, v)| v.is_finite()) {
        column.values[row] = value;
        column.scored[row] = true;
    }
    column
}

#[cfg(test)]
mod tests {
    use super::{Column, Fine, Frame, Groups, Level, View};

    #[test]
    fn groups_by_runs_keys_and_size() {
        assert_eq!(Groups::from_runs(&["a", "a", "b"]), Groups::from_sizes([2, 1]));
        assert_eq!(Groups::from_runs::<u8>(&[]).len(), 0);
        assert_eq!(Groups::equal(5, 2), Groups::from_sizes([2, 2, 1]));
        let (groups, order) = Groups::from_keys(&["p", "q", "p"]);
        assert_eq!((groups, order), (Groups::from_sizes([2, 1]), vec![0, 2, 1]));
    }

    #[test]
    fn restricting_keeps_the_number_of_groups() {
        assert_eq!(Groups::from_sizes([2, 2, 1]).restrict(&[1, 4]), Groups::from_sizes([1, 0, 1]));
    }

    #[test]
    fn unscored_rows_stay_out_and_stay_unscored() {
        let frame = Frame::new(Groups::equal(4, 2));
        let current = Column::from_options([Some(1.0), None, Some(3.0), Some(f64::NAN)]);
        let view = View { frame: &frame, current: Some(&current), seed: 0 };
        let out = view.dense(&[], |d| {
            assert_eq!(d.groups, Groups::from_sizes([1, 1]));
            Ok(d.values.iter().map(|v| v * 10.0).collect())
        });
        assert_eq!(out.unwrap(), Column::from_options([Some(10.0), None, Some(30.0), None]));
    }

    #[test]
    fn ragged_values_follow_their_rows() {
        let frame = Frame::new(Groups::one(2));
        let mut current = Column::from_options([None, Some(1.0)]);
        current.fine = Some(Fine::from_rows(Level::Step, [&[][..], &[0.5, 0.25]]));
        let view = View { frame: &frame, current: Some(&current), seed: 0 };
        let out =
            view.dense_fine(&[], |d| Ok((d.values.clone(), d.fine.clone().unwrap()))).unwrap();
        assert_eq!(out, current);
    }

    #[test]
    fn a_missing_column_suggests_the_near_name() {
        let mut frame = Frame::new(Groups::one(1));
        frame.insert("length", Column::full(vec![1.0])).unwrap();
        let error = frame.column("lenght").unwrap_err();
        assert_eq!(error.to_string(), "there is no column `lenght`; did you mean `length`?");
    }
}
