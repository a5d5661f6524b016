//! The frame that transforms see: signals, and what else they ask for.

use guerdon_core::{Column, Fine, Frame, Groups, Level, MethodError, Rollout};
use serde_json::Value;

use super::RunError;
use crate::Spec;

/// Builds frames and remembers which data columns have been seen, so that a batch without one is unscored, not an error.
pub(super) struct FrameBuilder {
    reads: Vec<String>,
    seen: Vec<bool>,
}

impl FrameBuilder {
    pub(super) fn new(spec: &Spec) -> Self {
        let reads = spec.reads();
        Self { seen: vec![false; reads.len()], reads }
    }

    pub(super) fn save(&self) -> Value {
        self.seen.clone().into()
    }

    pub(super) fn restore(&mut self, state: &Value) {
        for (i, seen) in self.seen.iter_mut().enumerate() {
            *seen = state[i].as_bool().unwrap_or(false);
        }
    }

    pub(super) fn frame(
        &mut self,
        spec: &Spec,
        rollouts: &[Rollout],
        groups: Groups,
        signals: &[Column],
    ) -> Result<Frame, RunError> {
        let mut frame = Frame::new(groups);
        frame.group_names = frame
            .groups
            .iter()
            .map(|r| rollouts.get(r.start).map_or_else(String::new, |x| x.group.clone()))
            .collect();
        self.fill(&mut frame, spec, rollouts, signals).map_err(|error| RunError::Transform {
            section: "signals",
            method: "frame",
            error,
        })?;
        Ok(frame)
    }

    fn fill(
        &mut self,
        frame: &mut Frame,
        spec: &Spec,
        rollouts: &[Rollout],
        signals: &[Column],
    ) -> Result<(), MethodError> {
        for (stage, column) in spec.signals.iter().zip(signals) {
            frame.insert(&stage.name, column.clone())?;
        }
        for (name, seen) in self.reads.iter().zip(&mut self.seen) {
            if let Some(column) = built_in(name, rollouts) {
                frame.insert(name, column)?;
                continue;
            }
            let values: Vec<&Value> = rollouts.iter().map(|r| data(r, name)).collect();
            *seen |= values.iter().any(|v| !v.is_null());
            if values.iter().any(|v| v.is_string()) {
                frame.insert_text(
                    name,
                    values.iter().map(|v| v.as_str().map(str::to_owned)).collect(),
                )?;
            }
            if *seen {
                frame.insert(name, numbers(&values))?;
            }
        }
        Ok(())
    }
}

/// What a rollout records of itself.
fn built_in(name: &str, rollouts: &[Rollout]) -> Option<Column> {
    let column =
        |f: fn(&Rollout) -> Option<f64>| Some(Column::from_options(rollouts.iter().map(f)));
    match name {
        "length" => column(|r| Some(r.length())),
        "tokens" => column(|r| r.tokens.map(|n| n as f64)),
        "confidence" if rollouts.iter().any(|r| r.confidence.is_some()) => column(|r| r.confidence),
        "logprobs" | "ref_logprobs" if rollouts.iter().any(|r| r.logprobs.is_some()) => {
            let reference = name == "ref_logprobs";
            let row = |r: &'_ Rollout| -> Vec<f64> {
                let lp = r.logprobs.as_ref();
                lp.map_or_else(Vec::new, |lp| {
                    if reference { lp.reference.clone() } else { lp.policy.clone() }
                })
            };
            Some(ragged(Level::Token, &rollouts.iter().map(row).collect::<Vec<_>>()))
        }
        _ => None,
    }
}

fn data<'a>(rollout: &'a Rollout, path: &str) -> &'a Value {
    guerdon_verify::verify::column::lookup(rollout, path).unwrap_or(&Value::Null)
}

/// Numbers as they are, booleans as 0 and 1; a list of numbers counts as its mean, with the list as its fine values.
fn numbers(values: &[&Value]) -> Column {
    if values.iter().any(|v| v.is_array()) {
        let rows: Vec<Vec<f64>> = values
            .iter()
            .map(|v| match v {
                Value::Array(items) => items.iter().filter_map(number).collect(),
                other => number(other).into_iter().collect(),
            })
            .collect();
        return ragged(Level::Step, &rows);
    }
    Column::from_options(values.iter().map(|v| number(v)))
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        other => other.as_f64(),
    }
}

fn ragged(level: Level, rows: &[Vec<f64>]) -> Column {
    let mean =
        |row: &Vec<f64>| (!row.is_empty()).then(|| row.iter().sum::<f64>() / row.len() as f64);
    let mut column = Column::from_options(rows.iter().map(mean));
    column.fine = Some(Fine::from_rows(level, rows.iter().map(Vec::as_slice)));
    column
}
