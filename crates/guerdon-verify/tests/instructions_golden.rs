//! Instruction checks against recorded verdicts of the reference implementation, where they are at hand.
//!
//! `GUERDON_IFEVAL` may name the file: one JSON object a line with `instruction_id_list`, `kwargs`, `completion`,
//! `strict` and `loose`.
#![allow(
    clippy::print_stderr,
    reason = "a skipped comparison says so, and a run one says its numbers"
)]

use std::collections::BTreeMap;

use guerdon_core::Rollout;
use guerdon_core::method::Signal as _;
use guerdon_verify::verify::instructions::{Instructions, Mode};
use serde_json::{Value, json};

const SHARED: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/golden/ifeval/responses.jsonl");

/// Compared and differing verdicts per instruction.
type Table = BTreeMap<String, (usize, usize)>;

/// Where the two are meant to differ: `NaN` is no JSON here, and the reference replaces a sign by a letter drawn at random.
fn departs(id: &str, args: &Value, text: &str) -> bool {
    match id {
        "detectable_format:json_format" => text.contains("NaN"),
        "keywords:letter_frequency" => {
            !args["letter"].as_str().unwrap().starts_with(|c: char| c.is_ascii_alphabetic())
        }
        _ => false,
    }
}

fn compare(row: &Value, mode: Mode, field: &str, table: &mut Table) {
    let signal = Instructions { mode, ..Instructions::default() };
    let ids = row["instruction_id_list"].as_array().unwrap();
    for (i, id) in ids.iter().enumerate() {
        if departs(id.as_str().unwrap(), &row["kwargs"][i], row["completion"].as_str().unwrap()) {
            continue;
        }
        let mut rollout = Rollout::new("", row["completion"].as_str().unwrap(), "");
        rollout.columns.insert("instruction_id_list".into(), json!([id]));
        rollout.columns.insert("kwargs".into(), json!([row["kwargs"][i]]));
        let Ok(score) = signal.score(&rollout) else { continue };
        let entry = table.entry(id.as_str().unwrap().to_owned()).or_default();
        entry.0 += 1;
        if (score.value() > 0.5) != row[field][i].as_bool().unwrap() {
            entry.1 += 1;
            if std::env::var_os("GUERDON_IFEVAL_SHOW").is_some() {
                eprintln!("{id} {} ours {} {}", row["kwargs"][i], score.value(), row["completion"]);
            }
        }
    }
}

#[test]
fn verdicts_equal_the_reference() {
    let path = std::env::var("GUERDON_IFEVAL").unwrap_or_else(|_| SHARED.to_owned());
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: no recorded verdicts at {path}");
        return;
    };
    let mut table = Table::new();
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        compare(&row, Mode::Strict, "strict", &mut table);
        compare(&row, Mode::Loose, "loose", &mut table);
    }
    let mut bad = Vec::new();
    for (id, (compared, differing)) in &table {
        eprintln!("{id}: {differing} of {compared} differ");
        let exact =
            !id.contains("language") && !id.contains("english") && !id.contains("sentences");
        let allowed = if exact { 0 } else { compared / 20 };
        if *differing > allowed {
            bad.push(id);
        }
    }
    assert!(bad.is_empty(), "too many verdicts differ: {bad:?}");
}
