//! Results: what is written is read again, and appears whole or not at all.

mod common;

use std::fs;
use std::path::Path;

use common::{batches, random_row, reader};
use guerdon_io::{Format, ReadOptions, Writer};
use serde_json::{Map, Value, json};

/// Writes rows and returns the columns that are read again.
fn round_trip(name: &str, rows: &[Value]) -> Vec<Value> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    write(&path, rows);
    let listing: Vec<_> =
        fs::read_dir(directory.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(listing, [name], "nothing else is left");
    read_back(&path)
}

fn write(path: &Path, rows: &[Value]) {
    let mut writer = Writer::create(path).unwrap();
    for row in rows {
        writer.write(row).unwrap();
        assert!(!path.exists());
    }
    assert_eq!(writer.rows(), rows.len() as u64);
    writer.finish().unwrap();
}

fn read_back(path: &Path) -> Vec<Value> {
    let mut reader = reader(path, json!({}), &ReadOptions::default()).unwrap();
    let batches = batches(&mut reader, 1000).unwrap();
    batches.into_iter().flat_map(|b| b.rollouts).map(|r| Value::Object(r.columns)).collect()
}

#[test]
fn any_rows_come_back_as_they_were() {
    let rows: Vec<Value> = (0..500).map(random_row).collect();
    for name in ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"] {
        assert_eq!(round_trip(name, &rows), rows, "{name}");
    }
}

#[test]
fn formats_go_by_the_extension_and_are_told_by_their_first_bytes() {
    assert_eq!(Format::of("a.jsonl".as_ref()), Format::Jsonl);
    assert_eq!(Format::of("a.parquet".as_ref()), Format::Parquet);
    let rows = [json!({"completion": "x"})];
    for name in ["a.gz", "a.zst", "a.parquet"] {
        let directory = tempfile::tempdir().unwrap();
        let (named, plain) = (directory.path().join(name), directory.path().join("plain"));
        write(&named, &rows);
        fs::rename(named, &plain).unwrap();
        assert_eq!(read_back(&plain), rows, "{name}");
    }
}

/// What a column holds when it comes back from Parquet.
fn parquet(written: Value, expected: &Value) {
    let Value::Array(values) = written else { panic!() };
    let rows: Vec<_> = values.into_iter().map(|v| json!({"completion": "", "c": v})).collect();
    let read: Vec<Value> =
        round_trip("a.parquet", &rows).into_iter().map(|row| row["c"].clone()).collect();
    assert_eq!(&Value::Array(read), expected);
}

#[test]
fn parquet_columns_of_one_type_come_back_as_they_were() {
    for column in [
        json!([true, null, false]),
        json!([1, -5, i64::MAX, null]),
        json!([0.1, 1e300, null, -0.0]),
        json!(["a", "", null, "\u{1f600}\n"]),
        json!([[1, 2], [], null, [null, 3]]),
        json!([[["a"], []], [[null]]]),
        json!([{"a": 1, "b": {"c": "x"}}, null, {"a": null, "b": null}]),
        json!([[{"role": "user", "content": "hi"}], []]),
        json!([null, null]),
    ] {
        parquet(column.clone(), &column);
    }
}

#[test]
fn parquet_columns_of_several_types_are_widened() {
    parquet(json!([1, 0.5]), &json!([1.0, 0.5]));
    parquet(json!([1, "a", null]), &json!(["1", "\"a\"", null]));
    parquet(json!([{"a": 1}, {"b": 2}]), &json!([{"a": 1, "b": null}, {"a": null, "b": 2}]));
    parquet(json!([{}, {}]), &json!(["{}", "{}"]));
    parquet(json!([u64::MAX, 1]), &json!(["18446744073709551615", "1"]));
    parquet(json!([[1], 2]), &json!(["[1]", "2"]));
}

#[test]
fn a_parquet_object_with_very_many_keys_is_kept_as_text() {
    let many: Map<_, _> = (0..600).map(|i| (format!("k{i}"), json!(i))).collect();
    let text = Value::Object(many.clone()).to_string();
    parquet(json!([many]), &json!([text]));
}

#[test]
fn parquet_holds_more_rows_than_a_batch() {
    let rows: Vec<_> = (0..10_000).map(|i| json!({"completion": i.to_string(), "i": i})).collect();
    assert_eq!(round_trip("a.parquet", &rows), rows);
}

#[test]
fn an_output_without_rows() {
    for name in ["a.jsonl", "a.jsonl.gz", "a.parquet"] {
        let directory = tempfile::tempdir().unwrap();
        write(&directory.path().join(name), &[]);
        assert!(directory.path().join(name).exists());
    }
}

#[test]
fn an_abandoned_output_leaves_the_old_one_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.jsonl");
    fs::write(&path, "old").unwrap();
    let mut writer = Writer::create(&path).unwrap();
    writer.write(&json!({"a": 1})).unwrap();
    drop(writer);
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    write_over(&path);
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"b\":2}\n");
}

fn write_over(path: &Path) {
    let mut writer = Writer::create(path).unwrap();
    writer.write(&json!({"b": 2})).unwrap();
    writer.finish().unwrap();
}

fn refused(path: &Path) -> String {
    Writer::create(path).err().unwrap().to_string()
}

#[test]
fn outputs_that_cannot_be_written() {
    let directory = tempfile::tempdir().unwrap();
    let missing = refused(&directory.path().join("no/such/a.jsonl"));
    assert!(missing.ends_with("make the directory first"), "{missing}");
    assert!(refused(directory.path()).ends_with("cannot be created: is a directory"));
    let under_a_file = directory.path().join("file");
    fs::write(&under_a_file, "").unwrap();
    assert!(refused(&under_a_file.join("a.jsonl")).contains("cannot be created"));
}

#[test]
fn two_runs_cannot_write_one_output() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.jsonl");
    let first = Writer::create(&path).unwrap();
    assert!(refused(&path).ends_with("another run is writing this file"));
    drop(first);
    assert!(Writer::create(&path).is_ok());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let full = Path::new("/dev/full");
    let mut writer = Writer::create(full).unwrap();
    let rows =
        (0..10_000).try_for_each(|i| writer.write(&json!({"i": i, "text": "x".repeat(100)})));
    let error = rows.and_then(|()| writer.finish()).unwrap_err();
    assert!(error.is_full() && !error.is_broken_pipe());
    assert!(error.to_string().ends_with("make room and start again"), "{error}");
    let mut small = Writer::create(full).unwrap();
    small.write(&json!({"fits": "in the buffer"})).unwrap();
    assert!(small.finish().unwrap_err().is_full());
}
