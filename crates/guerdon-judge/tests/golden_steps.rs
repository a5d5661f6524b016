//! Recorded step labels, read from the shared golden files; skipped with a message where they are absent.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use guerdon_core::method::{Case, Judge, Next, Reply};
use guerdon_judge::judge::step::{Ask, Step};
use serde_json::Value;

fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(path);
    if path.exists() {
        return Some(path);
    }
    #[allow(clippy::print_stderr, reason = "a skipped test says so")]
    {
        eprintln!("skipped: {} is not here", path.display());
    }
    None
}

/// The rows of a part of `ProcessBench`, by id.
fn problems(part: &str) -> Option<BTreeMap<String, Value>> {
    let file = fs::File::open(shared(&format!("data/judge/processbench/{part}.json.gz"))?).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
    Some(rows.into_iter().map(|row| (row["id"].as_str().unwrap().to_owned(), row)).collect())
}

fn case(row: &Value) -> Case {
    let steps: Vec<String> = serde_json::from_value(row["steps"].clone()).unwrap();
    let prompt = row["problem"].as_str().unwrap().into();
    Case { prompt, responses: vec![steps.join("\n\n")], steps, ..Case::default() }
}

/// What a judge that predicts this place would write, in the way that is asked for.
fn reply(ask: Ask, prediction: Option<i64>, steps: usize) -> Reply {
    let Some(place) = prediction else { return "I cannot tell.".into() };
    if ask == Ask::FirstError {
        return Reply::from(format!("I went through them.\nScore: {}", place + 1).as_str());
    }
    let word = |step: i64| if step == place { "NO" } else { "YES" };
    let lines = (0..i64::try_from(steps).unwrap()).map(|k| format!("{}. {}", k + 1, word(k)));
    Reply::from(lines.collect::<Vec<_>>().join("\n").as_str())
}

/// The place that the judge reads, or none.
fn read(ask: Ask, case: &Case, prediction: Option<i64>) -> Option<i64> {
    let judge = Step { ask, retries: 0, ..Step::default() };
    let rounds = [vec![reply(ask, prediction, case.steps.len())]];
    match judge.next(case, &rounds, 1) {
        Ok(Next::Done(told)) => told.made["first_error"].as_i64(),
        Ok(Next::Ask(_)) => panic!("it asks again"),
        Err(_) => None,
    }
}

/// Predictions go through the protocol and come out as they were; the accuracies over them are the recorded ones, an
/// unreadable reply being a miss.
#[test]
fn process_bench_labels_are_read() {
    let Some(path) = shared("golden/judge/processbench/predictions.jsonl") else { return };
    let text = fs::read_to_string(path).unwrap();
    let expected = shared("golden/judge/processbench/expected.json").unwrap();
    let expected: Value = serde_json::from_str(&fs::read_to_string(expected).unwrap()).unwrap();
    for part in ["gsm8k", "math", "olympiadbench", "omnimath"] {
        let Some(problems) = problems(part) else { return };
        let (mut hits, mut of) = ([0.0; 2], [0.0; 2]);
        for line in text.lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            if row["config"] != part {
                continue;
            }
            let case = case(&problems[row["id"].as_str().unwrap()]);
            let (label, prediction) = (row["label"].as_i64().unwrap(), row["prediction"].as_i64());
            // A place behind the last step cannot be said here: no step bears that number.
            let steps = i64::try_from(case.steps.len()).unwrap();
            let sayable = prediction.filter(|place| *place < steps);
            let found = read(Ask::FirstError, &case, prediction);
            assert_eq!(found, sayable, "{row}");
            assert_eq!(read(Ask::All, &case, sayable), sayable, "{row}");
            let side = usize::from(label == -1);
            of[side] += 1.0;
            hits[side] += f64::from(u8::from(found == Some(label)));
        }
        for (side, name) in ["acc_error", "acc_correct"].into_iter().enumerate() {
            let accuracy = 100.0 * hits[side] / of[side];
            let expect = expected[part][name].as_f64().unwrap();
            assert!(
                (accuracy - expect).abs() < 1e-9,
                "{part} {name}: {accuracy}, recorded {expect}"
            );
        }
    }
}
