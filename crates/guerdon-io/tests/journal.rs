//! Runs that stop and go on.

mod common;

use std::fs;
use std::path::Path;
use std::time::Duration;

use guerdon_io::{Journal, Start};
use serde_json::{Value, json};

fn open(path: &Path, input: Option<&str>, spec: &str) -> (Journal, Start) {
    let (journal, start) = Journal::open(path, input, spec).unwrap();
    (journal.with_interval(Duration::ZERO), start)
}

/// A run of two batches that stops after the second checkpoint, with a row too many.
fn stopped(path: &Path) {
    let (mut journal, start) = open(path, Some("input"), "spec");
    assert_eq!(start, Start::Fresh { because: None });
    for i in 0..2 {
        journal.write(&json!({"row": i})).unwrap();
        assert!(journal.checkpoint(&json!({"sum": i}), i + 1).unwrap());
    }
    journal.write(&json!({"row": "lost"})).unwrap();
}

fn complete(path: &Path, mut journal: Journal) -> String {
    journal.write(&json!({"row": 2})).unwrap();
    journal.finish().unwrap();
    let names: Vec<_> =
        fs::read_dir(path.parent().unwrap()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, [path.file_name().unwrap()], "nothing else is left");
    fs::read_to_string(path).unwrap()
}

/// Changes something between two runs; returns how the second one starts and what it writes.
fn again(input: Option<&str>, spec: &str, change: impl Fn(&Path)) -> (Start, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out.jsonl");
    stopped(&path);
    change(&path);
    let (journal, start) = open(&path, input, spec);
    (start, complete(&path, journal))
}

fn anew(input: Option<&str>, spec: &str, change: impl Fn(&Path), why: &str) {
    let (start, text) = again(input, spec, change);
    let Start::Fresh { because: Some(because) } = start else { panic!("{start:?}") };
    assert!(because.ends_with(why), "{because}");
    assert_eq!(text, "{\"row\":2}\n");
}

const WHOLE: &str = "{\"row\":0}\n{\"row\":1}\n{\"row\":2}\n";

#[test]
fn a_stopped_run_goes_on_from_its_last_checkpoint() {
    let (start, text) = again(Some("input"), "spec", |_| ());
    assert_eq!(start, Start::Resumed { state: json!({"sum": 1}), rows: 2 });
    assert_eq!(text, WHOLE);
}

#[test]
fn half_a_row_behind_the_checkpoint_is_cut_off() {
    let tear = |path: &Path| {
        let partial = path.with_extension("jsonl.partial");
        let mut bytes = fs::read(&partial).unwrap();
        bytes.extend_from_slice(b"{\"row\":");
        fs::write(partial, bytes).unwrap();
    };
    assert_eq!(again(Some("input"), "spec", tear).1, WHOLE);
}

#[test]
fn what_has_changed_is_begun_anew_and_said() {
    anew(Some("other"), "spec", |_| (), "it was made from another input, or the input has changed");
    anew(Some("input"), "other", |_| (), "it was made with another spec");
    anew(None, "spec", |_| (), "this input cannot be recognised, so it cannot be continued");
    let journal = |path: &Path| path.with_extension("jsonl.partial.journal");
    anew(
        Some("input"),
        "spec",
        |p| fs::write(journal(p), "{").unwrap(),
        "its journal cannot be read",
    );
    let partial = |path: &Path| path.with_extension("jsonl.partial");
    anew(Some("input"), "spec", |p| fs::write(partial(p), "{").unwrap(), "some of it is missing");
}

#[test]
fn checkpoints_in_quick_succession_are_left_to_the_next_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out.jsonl");
    let (mut journal, _) = Journal::open(&path, Some("i"), "s").unwrap();
    journal = journal.with_interval(Duration::from_hours(1));
    let mut journal_of = |rows| {
        journal.write(&json!({"row": rows})).unwrap();
        journal.checkpoint(&Value::Null, rows).unwrap()
    };
    assert!(journal_of(1));
    assert!(!journal_of(2));
    drop(journal);
    let (_, start) = Journal::open(&path, Some("i"), "s").unwrap();
    assert_eq!(start, Start::Resumed { state: Value::Null, rows: 1 });
}

#[test]
fn every_format_is_made_of_the_rows_in_the_end() {
    for name in ["out.jsonl.gz", "out.jsonl.zst", "out.parquet"] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(name);
        let (mut journal, _) = open(&path, Some("i"), "s");
        journal.write(&json!({"completion": "x"})).unwrap();
        journal.finish().unwrap();
        let mut reader =
            common::reader(&path, json!({}), &guerdon_io::ReadOptions::default()).unwrap();
        assert_eq!(reader.next_batch(9).unwrap().unwrap().rollouts[0].text(), "x", "{name}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}

#[test]
fn the_fingerprint_follows_the_file_and_the_options() {
    let fingerprint = |text: &str, map: Value| {
        let input = common::input("r.jsonl", text);
        let file = fs::File::options().write(true).open(&input.path).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        common::reader(&input.path, map, &common::skipping()).unwrap().fingerprint().unwrap()
    };
    let text = "{\"completion\": \"x\"}";
    assert_eq!(fingerprint(text, json!({})), fingerprint(text, json!({})));
    assert_ne!(fingerprint(text, json!({})), fingerprint("{\"completion\": \"y\"}", json!({})));
    assert_ne!(fingerprint(text, json!({})), fingerprint(text, json!({"id": "completion"})));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let (mut journal, _) = open(Path::new("/dev/full"), Some("i"), "s");
    journal.write(&json!({"a": 1})).unwrap();
    assert!(journal.finish().unwrap_err().is_full());
}
