//! Rows of text to comparisons.

use guerdon_core::MethodError;

use super::columns::{Columns, Places, ScorePlaces};
use super::outcomes::{Meaning, meanings};
use super::{Fields, at_line};
use crate::Outcome;
use crate::comparisons::names::Names;
use crate::comparisons::scores::ScoreTable;
use crate::comparisons::{Comparisons, Style, retain};

/// Comparisons in the making.
pub(super) struct Rows<'a> {
    columns: &'a Columns,
    places: &'a Places,
    names: Names,
    first: Vec<u32>,
    second: Vec<u32>,
    /// Per row, which distinct value of the outcome column it has.
    value: Vec<u16>,
    /// Rows whose outcome is null: pairs that were not judged.
    unjudged: usize,
    values: Vec<String>,
    /// Line on which each distinct value was first seen.
    seen_at: Vec<u64>,
    weight: Vec<f64>,
    clusters: Names,
    cluster: Vec<u32>,
    styles: Vec<(Vec<f64>, Vec<f64>)>,
}

/// Most distinct values of the outcome column.
const MOST_VALUES: usize = u16::MAX as usize;

impl<'a> Rows<'a> {
    pub(super) fn new(columns: &'a Columns, places: &'a Places) -> Self {
        Self {
            columns,
            places,
            names: Names::default(),
            first: Vec::new(),
            second: Vec::new(),
            value: Vec::new(),
            unjudged: 0,
            values: Vec::new(),
            seen_at: Vec::new(),
            weight: Vec::new(),
            clusters: Names::default(),
            cluster: Vec::new(),
            styles: vec![(Vec::new(), Vec::new()); places.styles.len()],
        }
    }

    pub(super) fn push(&mut self, line: u64, fields: &impl Fields) -> Result<(), MethodError> {
        if self.places.winner.is_some_and(|at| fields.is_null(at)) {
            self.unjudged += 1;
            return Ok(());
        }
        let with_line = |error: MethodError| at_line(line, error);
        let field = |at: usize| fields.field(at).map_err(|message| at_line(line, message));
        self.first.push(
            self.names.id_of_bytes(field(self.places.first)?.trim_ascii()).map_err(with_line)?,
        );
        self.second.push(
            self.names.id_of_bytes(field(self.places.second)?.trim_ascii()).map_err(with_line)?,
        );
        if let Some(at) = self.places.winner {
            let value = self.value_id(field(at)?.trim_ascii(), line)?;
            self.value.push(value);
        }
        if let Some(at) = self.places.weight {
            self.weight.push(weight(field(at)?, line)?);
        }
        if let Some(at) = self.places.cluster {
            self.cluster.push(self.clusters.id_of_bytes(field(at)?).map_err(with_line)?);
        }
        for ((first, second), (a, b)) in self.styles.iter_mut().zip(&self.places.styles) {
            first.push(number(field(*a)?, "style value", line)?);
            second.push(number(field(*b)?, "style value", line)?);
        }
        Ok(())
    }

    fn value_id(&mut self, bytes: &[u8], line: u64) -> Result<u16, MethodError> {
        if let Some(at) = self.values.iter().position(|value| value.as_bytes() == bytes) {
            return Ok(u16::try_from(at).unwrap_or(u16::MAX));
        }
        if self.values.len() >= MOST_VALUES {
            return Err(at_line(
                line,
                "the outcome column has more than 65535 distinct values: is it the right one?",
            ));
        }
        self.values.push(String::from_utf8_lossy(bytes).into_owned());
        self.seen_at.push(line);
        Ok(u16::try_from(self.values.len() - 1).unwrap_or(u16::MAX))
    }

    pub(super) fn finish(self) -> Result<Comparisons, MethodError> {
        if self.first.is_empty() && self.unjudged > 0 {
            return Err(MethodError::domain(
                "no row has an outcome: the column is null everywhere",
            ));
        }
        if self.first.is_empty() {
            return Err(MethodError::domain("there are no rows below the header"));
        }
        let (names, unjudged) = (self.names.into_vec(), self.unjudged);
        let outcomes = Outcomes {
            columns: self.columns,
            names: &names,
            values: &self.values,
            seen_at: &self.seen_at,
            meanings: meanings(&self.values, self.columns)?,
        };
        let (outcome, known) = match self.places.winner {
            Some(_) => outcomes.of(&self.first, &self.second, &self.value)?,
            None => (vec![Outcome::First; self.first.len()], None),
        };
        drop(self.value);
        let mut rest = Rest { weight: self.weight, cluster: self.cluster, styles: self.styles };
        let (mut first, mut second) = (self.first, self.second);
        let mut skipped = 0;
        let mut outcome = outcome;
        if let Some(known) = known {
            skipped = known.iter().filter(|k| !**k).count();
            retain(&mut first, &known);
            retain(&mut second, &known);
            retain(&mut outcome, &known);
            rest.retain(&known);
        }
        if first.iter().zip(&second).any(|(a, b)| a == b) {
            let met: Vec<bool> = first.iter().zip(&second).map(|(a, b)| a != b).collect();
            rest.retain(&met);
        }
        let mut all = rest.add_to(
            Comparisons::new(names, first, second, outcome)?,
            self.places,
            self.columns,
        )?;
        if unjudged > 0 {
            all.warn(format!("{unjudged} rows without an outcome (null) were left out"));
        }
        if skipped > 0 {
            all.warn(format!("{skipped} rows with an unknown outcome were left out"));
        }
        Ok(all)
    }
}

/// The columns beside contestants and outcome.
struct Rest {
    weight: Vec<f64>,
    cluster: Vec<u32>,
    styles: Vec<(Vec<f64>, Vec<f64>)>,
}

impl Rest {
    fn retain(&mut self, keep: &[bool]) {
        retain(&mut self.weight, keep);
        retain(&mut self.cluster, keep);
        for (first, second) in &mut self.styles {
            retain(first, keep);
            retain(second, keep);
        }
    }

    fn add_to(
        self,
        mut all: Comparisons,
        places: &Places,
        columns: &Columns,
    ) -> Result<Comparisons, MethodError> {
        if places.weight.is_some() {
            all = all.with_weights(self.weight)?;
        }
        if places.cluster.is_some() {
            all = all.with_clusters(self.cluster)?;
        }
        for ((first, second), (name, _, _)) in self.styles.into_iter().zip(&columns.styles) {
            all = all.with_style(Style { name: name.clone(), first, second })?;
        }
        Ok(all)
    }
}

struct Outcomes<'a> {
    columns: &'a Columns,
    names: &'a [String],
    values: &'a [String],
    seen_at: &'a [u64],
    meanings: Vec<Meaning>,
}

impl Outcomes<'_> {
    /// The outcome of each row, and which rows have one (where some have none).
    fn of(
        &self,
        first: &[u32],
        second: &[u32],
        value: &[u16],
    ) -> Result<(Vec<Outcome>, Option<Vec<bool>>), MethodError> {
        let mut outcomes = Vec::with_capacity(value.len());
        let mut known: Option<Vec<bool>> = None;
        for (k, &value) in value.iter().enumerate() {
            let value = usize::from(value);
            let outcome = match self.meanings[value] {
                Meaning::Known(outcome) => Some(outcome),
                Meaning::Unknown => self.by_name(&self.values[value], first[k], second[k]),
            };
            if outcome.is_none() {
                if !self.columns.skip_unknown {
                    return Err(self.unknown(value));
                }
                known.get_or_insert_with(|| vec![true; first.len()])[k] = false;
            }
            outcomes.push(outcome.unwrap_or(Outcome::Tie));
        }
        Ok((outcomes, known))
    }

    fn by_name(&self, value: &str, first: u32, second: u32) -> Option<Outcome> {
        match (self.names[first as usize] == value, self.names[second as usize] == value) {
            (true, false) => Some(Outcome::First),
            (false, true) => Some(Outcome::Second),
            _ => None,
        }
    }

    fn unknown(&self, value: usize) -> MethodError {
        at_line(
            self.seen_at[value],
            format!(
                "the outcome `{}` is not known: say what it means with `first_wins`, `second_wins` or `tie`, or leave such \
                 rows out with `skip_unknown`",
                self.values[value]
            ),
        )
    }
}

fn weight(bytes: &[u8], line: u64) -> Result<f64, MethodError> {
    let weight = number(bytes, "weight", line)?;
    if weight < 0.0 {
        return Err(at_line(
            line,
            format!("the weight `{weight}` is negative: weights must be at least 0"),
        ));
    }
    Ok(weight)
}

fn number(bytes: &[u8], what: &str, line: u64) -> Result<f64, MethodError> {
    let text = String::from_utf8_lossy(bytes);
    match text.trim().parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(at_line(line, format!("the {what} `{text}` is not a finite number"))),
    }
}

/// A table of scores in the making.
#[derive(Default)]
pub(super) struct Table {
    models: Names,
    tasks: Names,
    rows: Vec<(u32, u32, f64)>,
}

impl Table {
    pub(super) fn push(
        &mut self,
        line: u64,
        places: &ScorePlaces,
        fields: &impl Fields,
    ) -> Result<(), MethodError> {
        let with_line = |error: MethodError| at_line(line, error);
        let field = |at: usize| fields.field(at).map_err(|message| at_line(line, message));
        let model =
            self.models.id_of_bytes(field(places.model)?.trim_ascii()).map_err(with_line)?;
        let task = self.tasks.id_of_bytes(field(places.task)?.trim_ascii()).map_err(with_line)?;
        self.rows.push((model, task, number(field(places.score)?, "score", line)?));
        Ok(())
    }

    pub(super) fn finish(self) -> Result<ScoreTable, MethodError> {
        if self.rows.is_empty() {
            return Err(MethodError::domain("there are no rows below the header"));
        }
        ScoreTable::from_rows(self.models.into_vec(), self.tasks.into_vec(), &self.rows)
    }
}
