//! `verify.code_tests` on recorded benchmark rows: solutions pass; mutated, empty and cheating ones fail.
//!
//! The data is not part of the repository; without it, or on a machine that does not isolate, the tests skip.

#![allow(clippy::print_stderr, reason = "skips and counts are reported")]

use std::path::PathBuf;

use guerdon_core::method::{Kind, Signal};
use guerdon_core::{Outcome, Rollout};
use guerdon_sandbox::{Config, Sandbox};
use guerdon_verify::verify::code_tests::METHOD;
use serde_json::{Value, json};

fn rows(name: &str) -> Vec<Value> {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/code");
    let path = PathBuf::from(dir).join(format!("code_eval_{name}.jsonl"));
    if !Sandbox::probe(&Config::default()).isolated {
        eprintln!("skipped: this machine does not isolate untrusted code");
        return Vec::new();
    }
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: no {}", path.display());
        return Vec::new();
    };
    text.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
}

fn signal(params: Value) -> Box<dyn Signal> {
    let Kind::Signal(build) = METHOD.kind else { panic!("a signal") };
    build(params).expect("valid parameters")
}

fn score(signal: &dyn Signal, row: &Value, code: &str) -> Outcome {
    let columns = row.as_object().expect("an object").clone();
    let completion = format!("Here it is.\n\n````python\n{code}\n````\n");
    signal.score(&Rollout { columns, ..Rollout::new("", &completion, "") })
}

#[track_caller]
fn check(signal: &dyn Signal, row: &Value, code: &str, expect: f64) {
    let outcome = score(signal, row, code);
    let value = outcome.as_ref().map(guerdon_core::Score::value);
    assert_eq!(value, Ok(expect), "{outcome:?}\n{code}");
}

/// `name` answers, but each answer is changed into another.
fn mutated(source: &str, name: &str) -> String {
    format!("{source}\n_honest = {name}\ndef {name}(*args):\n    return [_honest(*args), 'x']\n")
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_else(|| panic!("no {key} in {row}"))
}

#[test]
fn mbpp_rows() {
    let signal = signal(json!({"tests": "test_list", "setup": "labels.test_setup_code"}));
    let rows = rows("mbpp");
    for row in rows.iter().take(8) {
        let solution = text(row, "canonical_solution");
        let call = row["test_list"][0].as_str().expect("an assert").trim_start_matches("assert ");
        let name = call.split('(').next().expect("a call");
        check(signal.as_ref(), row, solution, 1.0);
        check(signal.as_ref(), row, &mutated(solution, name), 0.0);
        check(signal.as_ref(), row, "import os\nos._exit(0)", 0.0);
        check(signal.as_ref(), row, "", 0.0);
    }
    eprintln!("mbpp: {} rows", rows.len().min(8));
}

const CLOSE: &str = "def has_close_elements(numbers, threshold):
    s = sorted(numbers)
    return any(b - a < threshold for a, b in zip(s, s[1:]))
";

#[test]
fn humaneval_row() {
    let parsed = |row: &Value, key: &str| -> Value {
        serde_json::from_str(text(row, key)).expect("JSON in a text")
    };
    let rows = rows("humanevalds_v1_en");
    let Some(row) = rows.iter().find(|row| {
        parsed(row, "labels")["programming_language"] == "python"
            && text(row, "content").contains("has_close_elements")
    }) else {
        return;
    };
    let row = json!({
        "tests": {"test": parsed(row, "test")["code"], "entry_point": "has_close_elements"},
        "trap": row["canonical_solution"],
    });
    let signal = signal(json!({"tests": "tests"}));
    check(signal.as_ref(), &row, CLOSE, 1.0);
    check(signal.as_ref(), &row, &mutated(CLOSE, "has_close_elements"), 0.0);
    check(signal.as_ref(), &row, text(&row, "trap"), 0.0);
}

const MULTISETS: &str = "from collections import Counter
n = int(input())
a = Counter(input().strip() for _ in range(n))
b = Counter(input().strip() for _ in range(n))
print(sum((a - b).values()))
";

#[test]
fn code_contests_row() {
    let rows = rows("code_contests");
    let Some(row) = rows.get(3) else { return };
    let signal = signal(json!({
        "tests": "test", "compare": "words", "score": "first_k", "k": 8,
    }));
    check(signal.as_ref(), row, MULTISETS, 1.0);
    check(signal.as_ref(), row, &format!("{MULTISETS}print(0)"), 0.0);
    check(signal.as_ref(), row, "import sys\nsys.exit(0)", 0.0);
}

#[test]
fn many_threads_share_one_sandbox() {
    let rows = rows("mbpp");
    let Some(row) = rows.first() else { return };
    let signal = signal(json!({"tests": "test_list"}));
    let solution = text(row, "canonical_solution");
    let start = std::time::Instant::now();
    std::thread::scope(|scope| {
        for k in 0..8 {
            let signal = signal.as_ref();
            let (code, expect) = if k % 2 == 0 { (solution, 1.0) } else { ("x = 1", 0.0) };
            scope.spawn(move || (0..10).for_each(|_| check(signal, row, code, expect)));
        }
    });
    eprintln!("80 completions from 8 threads: {:?}", start.elapsed());
}

/// The example's rollouts, four problems of six: two right, a mistake, endless or slow, a cheat, no code.
#[test]
fn the_example() {
    if !Sandbox::probe(&Config::default()).isolated {
        eprintln!("skipped: this machine does not isolate untrusted code");
        return;
    }
    let text = include_str!("../../../examples/code/rollouts.jsonl");
    let signal = signal(json!({"limits": {"wall_s": 1, "cpu_s": 1, "memory_mb": 256}}));
    let mut values = Vec::new();
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).expect("a JSON line");
        let completion = row["completion"].as_str().expect("a text");
        let reference = row["tests"].clone();
        let outcome = signal.score(&Rollout { reference, ..Rollout::new("", completion, "") });
        eprintln!("{}: {outcome:?}", row["id"]);
        values.push(outcome.expect("scored").value());
    }
    let honest: Vec<&[f64]> = values.chunks(6).map(|six| &six[..2]).collect();
    assert_eq!(honest, [[1.0, 1.0]; 4]);
    assert!(values.chunks(6).all(|six| six[2] < 1.0 && six[3] < 1.0));
    // The list that claims to equal every list is judged as the empty list it is: right in one test of four.
    let cheats: Vec<f64> = values.chunks(6).map(|six| six[4]).collect();
    assert_eq!(cheats, [0.0, 0.0, 0.25, 0.0]);
    assert!(values.chunks(6).all(|six| six[5] == 0.0), "{values:?}");
}
