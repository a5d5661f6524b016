//! Laws of transforms.

use rand::seq::SliceRandom as _;
use serde_json::Value;

use super::bounded::no_panic;
use super::every::{built, told};
use super::frames::{Row, Table, tables};
use super::verdict::{Duty, Finding, Pass, Says, Tally, Test, Verdict, judge};
use crate::method::{Build, Kind, Transform};
use crate::{Column, Frame, Groups, Law, Method, MethodError, View};

/// The laws that a transform may claim or be exempt from.
pub(super) const LAWS: &[Law] = &[
    Law::PermutationEquivariant,
    Law::ShiftInvariant,
    Law::ScaleInvariant,
    Law::OrderPreserving,
    Law::ZeroMean,
    Law::ConstantGroupZero,
    Law::GroupLocal,
];

/// The least number of tables on which a transform must succeed, so that its laws are put to the test.
const MIN_TABLES: usize = 4;

/// Differences below this share of the largest output are rounding.
const TOLERANCE: f64 = 1e-9;

const SEED: u64 = 7;

pub(super) fn laws(method: Method) -> Vec<Test> {
    let Kind::Transform(build) = method.kind else { return Vec::new() };
    let case = Case { method, build };
    let mut tests = vec![
        Test::new("total", move || case.total()),
        Test::new("works_on_enough_tables", move || case.works()),
        Test::new("deterministic", move || case.deterministic()),
        Test::new("unscored_rows_inert", move || case.unscored_rows_inert()),
        Test::new("save_restore_is_uninterrupted", move || case.save_restore()),
    ];
    for &law in LAWS {
        let duty = if law == Law::PermutationEquivariant { Duty::Mandatory } else { Duty::Claimed };
        tests.push(Test::new(law.name(), move || judge(method, law, duty, || case.find(law))));
    }
    tests
}

#[derive(Clone, Copy)]
struct Case {
    method: Method,
    build: Build<dyn Transform>,
}

/// A result: for each row its value and its finer values.
type Output = Vec<(Option<f64>, Vec<f64>)>;

impl Case {
    fn fresh(self) -> Result<Box<dyn Transform>, String> {
        built(self.method, self.build)
    }

    fn tables(self) -> Result<Vec<Table>, String> {
        Ok(tables(&self.fresh()?.reads()))
    }

    /// The output of a new instance, or the method's own error.
    fn output(self, table: &Table) -> Result<Result<Output, MethodError>, String> {
        apply(self.fresh()?.as_mut(), table)
    }

    fn total(self) -> Verdict {
        for table in self.tables()? {
            if let Ok(output) = self.output(&table)? {
                well_formed(&output, &table)?;
            }
            let (frame, _) = table.frame();
            let view = View { frame: &frame, current: None, seed: SEED };
            let mut transform = self.fresh()?;
            no_panic(|| transform.apply(&view).map(drop))
                .map_err(|p| format!("it panics without a running column:\n  {p}"))?
                .ok();
            no_panic(|| transform.contributions(&view))
                .map_err(|p| format!("`contributions` panics:\n  {p}"))?;
        }
        self.survives_bare_frames()
    }

    /// No rows, empty groups, and no columns at all.
    fn survives_bare_frames(self) -> Verdict {
        let full = self.tables()?.swap_remove(0);
        let empty = full.with_groups(Vec::clear);
        let none = Table { groups: Vec::new(), ..full.clone() };
        for table in [&empty, &none] {
            match self.output(table)? {
                Ok(output) if output.is_empty() => {}
                Ok(output) => {
                    return Err(format!("a table without rows gives {} rows", output.len()));
                }
                Err(error) => {
                    return Err(format!(
                        "a table without rows is an error, not an empty result: {error}"
                    ));
                }
            }
        }
        let frame = Frame::new(Groups::one(2));
        let current = Column::full(vec![0.0, 1.0]);
        let mut transform = self.fresh()?;
        let view = View { frame: &frame, current: Some(&current), seed: SEED };
        no_panic(|| transform.apply(&view).map(drop))
            .map_err(|p| format!("it panics when no other column is there:\n  {p}"))?
            .ok();
        Ok(Pass::Held)
    }

    fn works(self) -> Verdict {
        let (mut worked, mut last_error) = (0, None);
        let tables = self.tables()?;
        for table in &tables {
            match self.output(table)? {
                Ok(output) if output.iter().any(|(value, _)| value.is_some()) => worked += 1,
                Ok(_) => {}
                Err(error) => last_error = Some(error),
            }
        }
        if worked >= MIN_TABLES {
            return Ok(Pass::Held);
        }
        let n = tables.len();
        let why =
            last_error.map_or_else(|| "all rows stay unscored".to_owned(), |error| told(&error));
        Err(format!(
            "it gives values on {worked} of {n} tables; {MIN_TABLES} are needed for its laws to mean something. {why}\n\
             Columns at hand: a, b, correct, length, tokens, score, task, and what `reads()` names. Set `sample_params` so \
             that the method works on them."
        ))
    }

    fn deterministic(self) -> Verdict {
        self.each_table(|_, table, output| {
            Ok(self.output(table)?.ok().and_then(|again| differ(output, &again, 0.0)).into())
        })?
        .verdict()
    }

    fn unscored_rows_inert(self) -> Verdict {
        self.each_table(|_, table, output| {
            if table.iter().all(|row| row.current.is_some()) {
                return Ok(Says::Nothing);
            }
            let without = table.with_groups(|rows| rows.retain(|row| row.current.is_some()));
            let kept: Output = table
                .iter()
                .zip(output)
                .filter(|(row, _)| row.current.is_some())
                .map(|(_, o)| o.clone())
                .collect();
            Ok(match self.output(&without)? {
                Ok(alone) => differ(&kept, &alone, TOLERANCE).into(),
                Err(error) => Says::Breaks(told(&error)),
            })
        })
        .and_then(|tally| match tally.finding() {
            Finding::Refuted(how) => {
                Err(format!("removing the unscored rows changes the others:\n{how}"))
            }
            _ => Ok(Pass::Held),
        })
    }

    fn save_restore(self) -> Verdict {
        let tables = self.tables()?;
        let mut tally = Tally::default();
        for pair in tables.windows(2) {
            let mut whole = self.fresh()?;
            if apply(whole.as_mut(), &pair[0])?.is_err() {
                continue;
            }
            let saved = no_panic(|| whole.save())?.to_string();
            let state: Value = serde_json::from_str(&saved)
                .map_err(|error| format!("the state is not JSON: {error}"))?;
            let mut resumed = self.fresh()?;
            no_panic(|| resumed.restore(&state))?
                .map_err(|error| format!("its own state is refused: {error}\n  {saved}"))?;
            let broken =
                match (apply(whole.as_mut(), &pair[1])?, apply(resumed.as_mut(), &pair[1])?) {
                    (Ok(a), Ok(b)) => differ(&a, &b, 0.0),
                    (a, b) => (a.is_ok() != b.is_ok())
                        .then(|| "one of the two runs is an error".to_owned()),
                };
            let states = no_panic(|| (whole.save(), resumed.save()))?;
            let broken = broken.or_else(|| {
                (states.0 != states.1).then(|| format!("the states differ: {states:?}"))
            });
            tally.add(&format!("{} / {}", pair[0].name, pair[1].name), broken);
        }
        match tally.finding() {
            Finding::Refuted(how) => Err(format!(
                "a run that was saved and restored differs from one that was not:\n{how}"
            )),
            _ => Ok(Pass::Held),
        }
    }

    fn find(self, law: Law) -> Result<Finding, String> {
        let tally = self.each_table(|k, table, output| {
            if !table.tame {
                return Ok(Says::Nothing);
            }
            match law {
                Law::PermutationEquivariant => self.permutation(k, table, output),
                Law::ShiftInvariant => self.unmoved(table, output, &[(1.0, 3.5), (1.0, -1.25)]),
                Law::ScaleInvariant => self.unmoved(table, output, &[(2.0, 0.0), (0.25, 0.0)]),
                Law::OrderPreserving => Ok(order(table, output)),
                Law::ZeroMean => Ok(zero_mean(table, output)),
                Law::ConstantGroupZero => Ok(constant_group_zero(table, output)),
                Law::GroupLocal => self.group_local(table, output),
                _ => Ok(Says::Nothing),
            }
        })?;
        Ok(tally.finding())
    }

    /// Runs `check` on every table on which the method succeeds.
    fn each_table(
        self,
        check: impl Fn(usize, &Table, &Output) -> Result<Says, String>,
    ) -> Result<Tally, String> {
        let mut tally = Tally::default();
        for (k, table) in self.tables()?.iter().enumerate() {
            let Ok(output) = self.output(table)? else { continue };
            tally.add(&table.name, check(k, table, &output)?);
        }
        Ok(tally)
    }

    fn permutation(self, k: usize, table: &Table, output: &Output) -> Result<Says, String> {
        let mut rng = crate::seed::stream(k as u64, "permutation");
        let shuffled = table.with_groups(|rows| rows.shuffle(&mut rng));
        let expected: Output = shuffled.iter().map(|row| output[row.origin].clone()).collect();
        Ok(match self.output(&shuffled)? {
            Ok(moved) => differ(&expected, &moved, TOLERANCE).into(),
            Err(error) => Says::Breaks(told(&error)),
        })
    }

    /// Whether `x → scale · x + shift` leaves the output as it is.
    fn unmoved(self, table: &Table, output: &Output, maps: &[(f64, f64)]) -> Result<Says, String> {
        for &(scale, shift) in maps {
            let broken = match self.output(&table.map(|x| scale * x + shift))? {
                Ok(moved) => differ(output, &moved, TOLERANCE),
                Err(error) => Some(told(&error)),
            };
            if let Some(how) = broken {
                return Ok(Says::Breaks(format!("after x → {scale}·x + {shift}: {how}")));
            }
        }
        Ok(Says::Obeys)
    }

    fn group_local(self, table: &Table, output: &Output) -> Result<Says, String> {
        let mut start = 0;
        for g in 0..table.groups.len() {
            let one = table.only(g);
            let expected = output[start..start + one.rows()].to_vec();
            start += one.rows();
            let broken = match self.output(&one)? {
                Ok(alone) => differ(&expected, &alone, TOLERANCE),
                Err(error) => Some(told(&error)),
            };
            if let Some(how) = broken {
                return Ok(Says::Breaks(format!("`{}` alone: {how}", table.groups[g].0)));
            }
        }
        Ok(Says::Obeys)
    }
}

fn apply(
    transform: &mut dyn Transform,
    table: &Table,
) -> Result<Result<Output, MethodError>, String> {
    let (frame, current) = table.frame();
    let view = View { frame: &frame, current: Some(&current), seed: SEED };
    let result = no_panic(|| transform.apply(&view))
        .map_err(|p| format!("it panics on the table with {}:\n  {p}", table.name))?;
    Ok(result.map(|column| {
        let fine = |row| column.fine.as_ref().map_or_else(Vec::new, |fine| fine.row(row).to_vec());
        column.iter().enumerate().map(|(row, value)| (value, fine(row))).collect()
    }))
}

fn well_formed(output: &Output, table: &Table) -> Result<(), String> {
    if output.len() != table.rows() {
        return Err(format!(
            "{} rows give {} values on the table with {}",
            table.rows(),
            output.len(),
            table.name
        ));
    }
    let bad = output.iter().position(|(v, fine)| v.iter().chain(fine).any(|x| !x.is_finite()));
    match bad {
        Some(row) => Err(format!(
            "row {row} gets {:?}, which is not finite, on the table with {}",
            output[row], table.name
        )),
        None => Ok(()),
    }
}

/// The first row in which two outputs differ by more than `tolerance` of the largest value.
fn differ(a: &Output, b: &Output, tolerance: f64) -> Option<String> {
    if a.len() != b.len() {
        return Some(format!("{} rows against {}", a.len(), b.len()));
    }
    let close = |x: &f64, y: &f64| x == y || (x - y).abs() <= tolerance * largest(a).max(1.0);
    let row = (0..a.len()).find(|&i| {
        let values = match (a[i].0, b[i].0) {
            (Some(x), Some(y)) => close(&x, &y),
            (x, y) => x == y,
        };
        let fine =
            a[i].1.len() == b[i].1.len() && a[i].1.iter().zip(&b[i].1).all(|(x, y)| close(x, y));
        !(values && fine)
    })?;
    Some(format!("row {row}: {} against {}", show(&a[row]), show(&b[row])))
}

fn show((value, fine): &(Option<f64>, Vec<f64>)) -> String {
    let value = value.map_or("unscored".to_owned(), |v| v.to_string());
    if fine.is_empty() { value } else { format!("{value} with {fine:?}") }
}

fn largest(output: &Output) -> f64 {
    output
        .iter()
        .flat_map(|(v, fine)| v.iter().chain(fine))
        .fold(0.0, |most, x| f64::max(most, x.abs()))
}

/// The name of a group, and its rows with their outputs.
type GroupOutput<'a> = (&'a str, Vec<(&'a Row, Option<f64>)>);

fn by_group<'a>(table: &'a Table, output: &'a Output) -> Vec<GroupOutput<'a>> {
    let mut values = output.iter().map(|(value, _)| *value);
    table
        .groups
        .iter()
        .map(|(name, rows)| (name.as_str(), rows.iter().zip(values.by_ref()).collect()))
        .collect()
}

fn order(table: &Table, output: &Output) -> Says {
    let slack = TOLERANCE * largest(output).max(1.0);
    let mut tried = false;
    for (name, rows) in by_group(table, output) {
        let scored: Vec<(f64, f64)> =
            rows.iter().filter_map(|(row, out)| Some((row.current?, (*out)?))).collect();
        for (x, fx) in &scored {
            for (y, fy) in scored.iter().filter(|(y, _)| y < x) {
                tried = true;
                if *fx < fy - slack {
                    return Says::Breaks(format!(
                        "`{name}`: {x} > {y}, but {x} → {fx} and {y} → {fy}"
                    ));
                }
            }
        }
    }
    Says::obeys_if(tried)
}

fn zero_mean(table: &Table, output: &Output) -> Says {
    let slack = TOLERANCE * largest(output).max(1.0);
    let mut tried = false;
    for (name, rows) in by_group(table, output) {
        let values: Vec<f64> = rows.iter().filter_map(|(_, out)| *out).collect();
        let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
        tried |= values.iter().any(|v| *v != 0.0);
        if mean.abs() > slack {
            return Says::Breaks(format!("`{name}` has mean {mean}: {values:?}"));
        }
    }
    Says::obeys_if(tried)
}

fn constant_group_zero(table: &Table, output: &Output) -> Says {
    let mut tried = false;
    for (name, rows) in by_group(table, output) {
        let scored: Vec<(f64, f64)> =
            rows.iter().filter_map(|(row, out)| Some((row.current?, (*out)?))).collect();
        if scored.is_empty() || scored.iter().any(|(x, _)| *x != scored[0].0) {
            continue;
        }
        tried = true;
        if let Some((x, out)) = scored.iter().find(|(_, out)| out.abs() > TOLERANCE) {
            return Says::Breaks(format!(
                "all values of `{name}` are {x}, but one of them gets {out}"
            ));
        }
    }
    Says::obeys_if(tried)
}
