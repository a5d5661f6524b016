//! ToolRL's format and correctness.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use guerdon_core::ToolCall;
use regex::Regex;
use serde_json::{Map, Value};

use super::{Granularity, read, same_call};
use crate::verify::passage;

/// The calls in the first `<tool_call>` block; nothing when it is missing or unreadable.
pub(super) fn calls(text: &str) -> Option<Vec<ToolCall>> {
    let (_, rest) = text.split_once("<tool_call>")?;
    let end = rest.find("</tool_call>")?;
    read::block(rest[..end].trim()).ok().filter(|calls| calls.len() <= 256)
}

/// What the format must hold besides `<think>`: a tool call, a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Demands {
    call: bool,
    response: bool,
}

/// The blocks that the reference has; a list of calls demands a tool call.
pub(super) fn demands(reference: &Value, calls: bool) -> Demands {
    let text = reference.as_str().unwrap_or("");
    Demands { call: calls || text.contains("<tool_call>"), response: text.contains("<response>") }
}

static PATTERNS: LazyLock<[Option<Regex>; 4]> = LazyLock::new(|| {
    let call = "\n<tool_call>\n.*?\n</tool_call>";
    let response = "\n<response>.*?</response>";
    [String::new(), response.to_owned(), call.to_owned(), format!("{call}{response}")]
        .map(|blocks| Regex::new(&format!(r"(?s)\A<think>.*?</think>{blocks}\n?\z")).ok())
});

/// Whether the text has the demanded blocks, in order, each once.
pub(super) fn well_formed(text: &str, demands: Demands) -> bool {
    let which = usize::from(demands.call) * 2 + usize::from(demands.response);
    let once = |tag: &str, asked: bool| {
        let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
        !asked || text.matches(&open).count() == 1 && text.matches(&close).count() == 1
    };
    once("tool_call", demands.call)
        && once("response", demands.response)
        && PATTERNS[which].as_ref().is_some_and(|pattern| pattern.is_match(text))
}

/// ToolRL's correctness, from minus `scale` to `scale`.
pub fn toolrl_correctness(
    reference: &[ToolCall],
    calls: &[ToolCall],
    granularity: Granularity,
    scale: f64,
) -> f64 {
    if super::same_calls(calls, reference, true) {
        return scale;
    }
    if granularity == Granularity::Coarse {
        return -scale;
    }
    let names = |calls: &[ToolCall]| calls.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
    let mut score = overlap(&names(reference), &names(calls), granularity);
    let mut most = 1.0;
    let mut used = vec![false; calls.len()];
    for wanted in reference {
        most += match granularity {
            Granularity::Intermediate => 1.0,
            _ => 1.0 + keys(wanted).len() as f64,
        };
        if let Some((best, value)) = best_call(wanted, calls, &used, granularity) {
            used[best] = true;
            score += value;
        }
    }
    2.0 * scale * score / most - scale
}

/// The unused call of the same name that earns most, the first of equals, if it earns anything.
fn best_call(
    wanted: &ToolCall,
    calls: &[ToolCall],
    used: &[bool],
    granularity: Granularity,
) -> Option<(usize, f64)> {
    let candidates =
        calls.iter().enumerate().filter(|(i, call)| !used[*i] && call.name == wanted.name);
    candidates.fold(None, |best: Option<(usize, f64)>, (i, call)| {
        let value = credit(wanted, call, granularity);
        if value > best.map_or(0.0, |(_, v)| v) { Some((i, value)) } else { best }
    })
}

fn credit(wanted: &ToolCall, call: &ToolCall, granularity: Granularity) -> f64 {
    if granularity == Granularity::Intermediate {
        return f64::from(u8::from(same_call(wanted, call)));
    }
    let empty = Map::new();
    let own = call.arguments.as_object().unwrap_or(&empty);
    let values = wanted.arguments.as_object().unwrap_or(&empty);
    let right = values.iter().filter(|(key, value)| {
        own.get(key.as_str()).is_some_and(|other| passage::equal(value, other))
    });
    overlap(&keys(wanted), &keys(call), granularity) + right.count() as f64
}

fn keys(call: &ToolCall) -> Vec<String> {
    call.arguments.as_object().map(|o| o.keys().cloned().collect()).unwrap_or_default()
}

/// Multiset Jaccard; with `strict` 1 for equal lists, else 0.
fn overlap(a: &[String], b: &[String], granularity: Granularity) -> f64 {
    if a == b {
        return 1.0;
    }
    if granularity == Granularity::Strict || a.is_empty() || b.is_empty() {
        return 0.0;
    }
    let (a_counts, b_counts) = (counts(a), counts(b));
    let shared: usize =
        a_counts.iter().map(|(key, n)| (*n).min(b_counts.get(key).copied().unwrap_or(0))).sum();
    shared as f64 / (a.len() + b.len() - shared) as f64
}

fn counts(items: &[String]) -> BTreeMap<&str, usize> {
    items.iter().fold(BTreeMap::new(), |mut counts, item| {
        *counts.entry(item.as_str()).or_default() += 1;
        counts
    })
}
