//! The documents that a judge of steps may look into.

use guerdon_core::Unscored;
use guerdon_core::method::Case;
use serde_json::Value;

use crate::bm25;

/// The most documents of a row.
const MOST: usize = 10_000;

/// The documents in a column; none where it has no name, or the row lacks it.
pub(super) fn documents(case: &Case, column: &str) -> Result<Vec<String>, Unscored> {
    match case.fields.get(column).filter(|_| !column.is_empty()) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![text.clone()]),
        Some(Value::Array(items)) if items.len() > MOST => Err(Unscored::budget(format!(
            "{} documents in `{column}`, at most {MOST}",
            items.len()
        ))),
        Some(Value::Array(items)) => items.iter().map(|item| text(item, column)).collect(),
        Some(other) => Err(wrong(other, column)),
    }
}

fn text(item: &Value, column: &str) -> Result<String, Unscored> {
    let text = item.as_str().or_else(|| item.get("text")?.as_str());
    text.map(str::to_owned).ok_or_else(|| wrong(item, column))
}

fn wrong(item: &Value, column: &str) -> Unscored {
    let mut shown = item.to_string();
    shown.truncate(shown.floor_char_boundary(80));
    Unscored::invalid(format!(
        "the column `{column}` must hold a list of texts, or of objects with `text`, not {shown}"
    ))
}

/// The `k` documents that fit the query best, numbered in that order.
pub(super) fn chosen<'a>(query: &str, documents: &'a [String], k: usize) -> Vec<(String, &'a str)> {
    let texts: Vec<&str> = documents.iter().map(String::as_str).collect();
    let places = bm25::top(query, &texts, k);
    places.into_iter().enumerate().map(|(n, place)| ((n + 1).to_string(), texts[place])).collect()
}
