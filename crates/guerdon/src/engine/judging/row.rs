//! One row of judgements.

use guerdon_core::method::Judgement;
use serde_json::{Map, Value, json};

use super::Answered;
use crate::engine::RowOptions;
use crate::spec::{Label, PairMapping};

/// The most characters of the judge's words that a row holds.
const WORDS: usize = 20_000;

/// `{id, model_a, model_b, winner, p_first, p_tie, p_second, ...}` of a pair, ready for `guerdon rank`; `{id, values, ...}`
/// of other judgements; `{id, output}` of other protocols. What could not be judged has an `error`.
pub(super) fn row(pairs: &PairMapping, one: &Answered, options: RowOptions) -> Map<String, Value> {
    let mut row = Map::from_iter([("id".to_owned(), Value::from(one.rollout.id.as_str()))]);
    match &one.ended.result {
        Ok(output) => match serde_json::from_value::<Judgement>(output.clone()) {
            Ok(told) => judgement(&mut row, pairs, one, &told),
            Err(_) => drop(row.insert("output".into(), output.clone())),
        },
        Err(reason) => {
            if pairs.case(&one.rollout).is_some_and(|case| case.responses.len() == 2) {
                sides(&mut row, pairs, one);
            }
            row.insert("error".into(), reason.to_string().into());
        }
    }
    let words = crate::ask::words(&one.ended.turns);
    let end = words.floor_char_boundary(WORDS);
    row.insert("words".into(), words[..end].into());
    if options.transcripts {
        row.insert("asked".into(), json!(one.ended.turns));
    }
    if options.keep { crate::engine::row::keep(row, &one.rollout.columns) } else { row }
}

fn sides(row: &mut Map<String, Value>, pairs: &PairMapping, one: &Answered) {
    let (first, second) = pairs.names(&one.rollout);
    row.insert("model_a".into(), first.into());
    row.insert("model_b".into(), second.into());
    row.insert("winner".into(), Value::Null);
    if let Some(label) = pairs.label(&one.rollout) {
        row.insert("label".into(), label.name().into());
    }
}

fn judgement(row: &mut Map<String, Value>, pairs: &PairMapping, one: &Answered, told: &Judgement) {
    if let Some(preference) = told.compared() {
        sides(row, pairs, one);
        row.insert("winner".into(), Label::of(preference).name().into());
        row.insert("p_first".into(), json!(preference.first));
        row.insert("p_tie".into(), json!(preference.tie));
        row.insert("p_second".into(), json!(preference.second));
    }
    match told.values.as_slice() {
        [value] => row.insert("value".into(), json!(value)),
        values => row.insert("values".into(), json!(values)),
    };
    let mut more = |name: &str, value: Value| drop(row.insert(name.to_owned(), value));
    if let Some(confidence) = told.confidence {
        more("confidence", json!(confidence));
    }
    if !told.steps.is_empty() {
        more("steps", json!(told.steps));
    }
    if !told.parts.is_empty() {
        more("parts", json!(told.parts));
    }
    if !told.made.is_empty() {
        more("made", json!(told.made));
    }
    if !told.explanation.is_empty() {
        more("explanation", json!(told.explanation));
    }
}
