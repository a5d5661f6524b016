//! One output row.

use guerdon_core::{Column, Fine};
use serde_json::{Map, Value, json};

use super::Scored;
use crate::Spec;

/// What an output row holds besides the results.
#[derive(Debug, Clone, Copy, Default)]
pub struct RowOptions {
    /// The input columns come along. One that bears the name of a result is renamed `input_<name>`.
    pub keep: bool,
    /// The conversations with models come along, as `asked`: every prompt and every reply, word for word.
    pub transcripts: bool,
}

/// The row of rollout `i`:
/// `{id, group, signals: {name: value or null}, errors: {name: reason}, reward, advantage}`, and where there are any,
/// `contributions: {name: value}` and per-token, per-step or per-turn values (`advantage_tokens`, `reward_steps`, ...).
pub fn output_row(
    spec: &Spec,
    scored: &Scored,
    i: usize,
    options: RowOptions,
) -> Map<String, Value> {
    let rollout = &scored.rollouts[i];
    let mut row = Map::new();
    row.insert("id".into(), rollout.id.as_str().into());
    row.insert("group".into(), rollout.group.as_str().into());
    let names = || spec.signals.iter().map(|s| s.name.clone());
    row.insert(
        "signals".into(),
        names()
            .zip(&scored.signals)
            .map(|(name, c)| (name, number(c, i)))
            .collect::<Map<_, _>>()
            .into(),
    );
    let reasons = names().zip(&scored.outcomes).filter_map(|(name, own)| {
        own[i].as_ref().err().map(|reason| (name, Value::String(reason.to_string())))
    });
    row.insert("errors".into(), reasons.collect::<Map<_, _>>().into());
    row.insert("reward".into(), scored.reward.as_ref().map_or(Value::Null, |c| number(c, i)));
    row.insert("advantage".into(), scored.advantage.as_ref().map_or(Value::Null, |c| number(c, i)));
    if scored.contributions.len() > 1 {
        let parts = scored.contributions.iter().map(|(name, c)| (name.clone(), number(c, i)));
        row.insert("contributions".into(), parts.collect::<Map<_, _>>().into());
    }
    for (name, column) in [("reward", &scored.reward), ("advantage", &scored.advantage)] {
        if let Some(fine) = column.as_ref().and_then(|c| c.fine.as_ref()) {
            row.insert(format!("{name}_{}s", fine.level), fine_values(fine, i));
        }
    }
    if options.transcripts {
        let own = scored.conversations.get(i).map_or(&[][..], Vec::as_slice);
        let told = own.iter().map(|talk| {
            let ids: Vec<&str> =
                talk.rows.iter().map(|row| scored.rollouts[*row].id.as_str()).collect();
            json!({"signal": talk.signal, "ids": ids, "rounds": talk.rounds})
        });
        row.insert("asked".into(), told.collect::<Vec<_>>().into());
    }
    if options.keep { keep(row, &rollout.columns) } else { row }
}

fn number(column: &Column, i: usize) -> Value {
    column.get(i).map_or(Value::Null, |value| json!(value))
}

fn fine_values(fine: &Fine, i: usize) -> Value {
    fine.row(i).to_vec().into()
}

pub(super) fn keep(
    results: Map<String, Value>,
    columns: &Map<String, Value>,
) -> Map<String, Value> {
    let mut row = Map::new();
    for (name, value) in columns {
        let name = if results.contains_key(name) { format!("input_{name}") } else { name.clone() };
        row.insert(name, value.clone());
    }
    row.extend(results);
    row
}
