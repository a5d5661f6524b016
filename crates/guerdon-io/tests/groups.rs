//! Groups that are not contiguous: the error, and the scan that gathers them.

mod common;

use common::{batches, error, input, reader, scanning, skipping};
use guerdon_io::{ReadOptions, Writer};
use serde_json::{Value, json};

fn grouped(groups: &[&str]) -> String {
    let rows = groups.iter().enumerate();
    let rows = rows.map(|(i, g)| format!("{{\"completion\": \"{i}\", \"group\": \"{g}\"}}\n"));
    rows.collect::<Vec<_>>().concat()
}

/// Group and completion of every rollout of a file, read with a group scan.
fn scanned(name: &str, bytes: &[u8], map: Value) -> Vec<(String, String)> {
    let input = input(name, bytes);
    let mut reader = reader(&input.path, map, &scanning()).unwrap();
    let batches = batches(&mut reader, 2).unwrap();
    let rollouts = batches.into_iter().flat_map(|b| b.rollouts);
    rollouts.map(|r| (r.group.clone(), r.text().to_owned())).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(g, c)| ((*g).to_owned(), (*c).to_owned())).collect()
}

#[test]
fn a_group_that_reappears_is_an_error() {
    assert_eq!(
        error(grouped(&["a", "a", "b", "a"])),
        "rollouts.jsonl:4: group `a` reappears after it ended at line 2: sort the rows by group, or let `--group-scan` \
         gather them in two passes"
    );
}

#[test]
fn a_prompt_that_reappears_is_an_error() {
    let text = ["p", "q", "p"]
        .map(|p| format!("{{\"prompt\": \"{p}\", \"completion\": \"x\"}}"))
        .join("\n");
    assert_eq!(
        error(text),
        "rollouts.jsonl:3: a group of equal prompts reappears after it ended at line 1: sort the rows by group, or let \
         `--group-scan` gather them in two passes"
    );
}

#[test]
fn a_group_that_reappears_in_another_batch_is_an_error() {
    let input = input("rollouts.jsonl", grouped(&["a", "b", "c", "a"]));
    let mut reader = reader(&input.path, json!({}), &ReadOptions::default()).unwrap();
    assert!(batches(&mut reader, 1).is_err());
}

#[test]
fn numbers_and_texts_name_the_same_group() {
    let text = "{\"completion\": \"x\", \"group\": 1}\n{\"completion\": \"y\", \"group\": \"1\"}";
    let input = input("rollouts.jsonl", text);
    let mut reader = reader(&input.path, json!({}), &ReadOptions::default()).unwrap();
    assert_eq!(reader.next_batch(1).unwrap().unwrap().groups.len(), 1);
}

const MIXED: [&str; 6] = ["b", "a", "b", "c", "a", "b"];
const GATHERED: [(&str, &str); 6] =
    [("b", "0"), ("b", "2"), ("b", "5"), ("a", "1"), ("a", "4"), ("c", "3")];

#[test]
fn a_scan_gathers_groups_in_order_of_first_appearance() {
    assert_eq!(scanned("r.jsonl", grouped(&MIXED).as_bytes(), json!({})), pairs(&GATHERED));
}

#[test]
fn a_scan_copes_with_marks_blank_lines_and_windows_line_ends() {
    let text = format!("\u{feff}\r\n{}", grouped(&MIXED).replace('\n', "\r\n\r\n"));
    assert_eq!(scanned("r.jsonl", text.as_bytes(), json!({})), pairs(&GATHERED));
}

#[test]
fn a_scan_gathers_compressed_rows() {
    let zstd = zstd::encode_all(grouped(&MIXED).as_bytes(), 0).unwrap();
    assert_eq!(scanned("r.jsonl.zst", &zstd, json!({})), pairs(&GATHERED));
}

#[test]
fn a_scan_gathers_parquet() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("r.parquet");
    let mut writer = Writer::create(&path).unwrap();
    for (i, group) in MIXED.iter().enumerate() {
        writer.write(&json!({"completion": i.to_string(), "group": group})).unwrap();
    }
    writer.finish().unwrap();
    assert_eq!(scanned("r.parquet", &std::fs::read(path).unwrap(), json!({})), pairs(&GATHERED));
}

#[test]
fn a_scan_gathers_equal_prompts() {
    let text = ["p", "q", "p"]
        .map(|p| format!("{{\"prompt\": \"{p}\", \"completion\": \"{p}\"}}"))
        .join("\n");
    assert_eq!(
        scanned("r.jsonl", text.as_bytes(), json!({})),
        pairs(&[("0", "p"), ("0", "p"), ("1", "q")])
    );
}

#[test]
fn a_scan_leaves_rows_alone_that_have_no_group() {
    let text = "{\"completion\": \"x\"}\n{\"completion\": \"y\"}";
    assert_eq!(scanned("r.jsonl", text.as_bytes(), json!({})), pairs(&[("0", "x"), ("1", "y")]));
}

#[test]
fn a_scan_counts_a_bad_row_once() {
    let input = input("r.jsonl", grouped(&["a", "b"]) + "3\n" + &grouped(&["a"]));
    let options = ReadOptions { group_scan: true, ..skipping() };
    let mut reader = reader(&input.path, json!({}), &options).unwrap();
    let batch = reader.next_batch(9).unwrap().unwrap();
    assert_eq!((batch.rollouts.len(), reader.skipped().total()), (3, 1));
    assert!(reader.next_batch(9).unwrap().is_none());
    let progress = reader.progress();
    assert_eq!(Some(progress.bytes), progress.total);
}

#[test]
fn a_scan_gathers_more_rows_than_a_chunk_holds() {
    let text =
        common::lines(10_000, |i| format!("{{\"completion\": \"{i}\", \"group\": {}}}", i % 700));
    let rows = scanned("r.jsonl", text.as_bytes(), json!({}));
    let mut expected: Vec<_> =
        (0..10_000).map(|i| ((i % 700).to_string(), i.to_string())).collect();
    expected
        .sort_by_key(|(group, row)| (group.parse::<u32>().unwrap(), row.parse::<u32>().unwrap()));
    assert_eq!(rows, expected);
}
