//! Rollouts from rows that a program holds.

use std::sync::Arc;

use guerdon_core::Rollout;
use serde_json::{Map, Value};

use crate::error::{BadRow, Place, Problem, ReadError};
use crate::mapping::Mapping;
use crate::plan::Plan;
use crate::value;

/// Rollouts from rows (objects), mapped as a file's rows are. Rows of one group need not be neighbours: rows of the same
/// group column, or else of the same prompt, share a group, which bears the number of its first row where it has no name.
///
/// Without `needs_completion` rows may have no completion: then it is empty.
pub fn rollouts_from_values(
    rows: Vec<Value>,
    mapping: &Mapping,
    needs_completion: bool,
) -> Result<Vec<Rollout>, ReadError> {
    let place = |row: usize| Place { file: Arc::from("<rows>"), line: row as u64 + 1, table: true };
    let bad = |row, problem| ReadError::Row(BadRow { place: place(row), problem });
    let mut columns: Vec<Map<String, Value>> = Vec::with_capacity(rows.len());
    for (i, row) in rows.into_iter().enumerate() {
        match row {
            Value::Object(map) => columns.push(map),
            other => return Err(bad(i, Problem::NotObject { found: value::describe(&other) })),
        }
    }
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    let sample: Vec<_> = columns.iter().take(1024).collect();
    let plan = Plan::new(mapping, needs_completion, &sample, &place(0))?;
    let mut first_rows = std::collections::HashMap::new();
    let mut rollouts = Vec::with_capacity(columns.len());
    for (i, row) in columns.into_iter().enumerate() {
        let (mut rollout, key) = plan.rollout(row, i as u64).map_err(|problem| bad(i, problem))?;
        if plan.infers_groups() {
            let first = key.map_or(i, |key| *first_rows.entry(key).or_insert(i));
            rollout.group = first.to_string();
        }
        rollouts.push(rollout);
    }
    Ok(rollouts)
}
