//! Bad input: each kind gives its error, or is skipped and counted.

mod common;

use std::io::Write;

use common::{batches, error, error_with, input, reader, skipping};
use guerdon_io::{ReadError, ReadOptions};
use serde_json::{Value, json};

const GOOD: &str = r#"{"completion": "x", "gold": 1}"#;

/// `second` stands on the second line of three; the others are good.
fn amid(second: impl AsRef<[u8]>) -> Vec<u8> {
    [GOOD.as_bytes(), second.as_ref(), GOOD.as_bytes()].join(&b'\n')
}

/// The error of a bad second line, and the kind it is counted under when it is skipped.
fn check(second: impl AsRef<[u8]>, message: &str, kind: &str) {
    let text = amid(second);
    assert_eq!(error(&text), format!("rollouts.jsonl:2{message}"));
    let input = input("rollouts.jsonl", &text);
    let mut reader = reader(&input.path, json!({}), &skipping()).unwrap();
    let rows: usize = batches(&mut reader, 1).unwrap().iter().map(|b| b.rollouts.len()).sum();
    let skipped = reader.skipped();
    assert_eq!((rows, skipped.total()), (2, 1));
    let [reason] = &skipped.reasons[..] else { panic!() };
    assert_eq!((reason.kind, reason.count, reason.examples[0].place.line), (kind, 1, 2));
}

#[test]
fn broken_json() {
    check(r#"{"completion": "x",}"#, ":20: broken JSON: trailing comma", "broken JSON");
    check(r#"{"completion" 1}"#, ":15: broken JSON: expected `:`", "broken JSON");
}

#[test]
fn a_row_over_several_lines() {
    check(
        "{",
        ":1: broken JSON: EOF while parsing an object: the row must stand on one line",
        "broken JSON",
    );
}

#[test]
fn a_row_that_is_no_object() {
    let tail = r#"expected an object like {"prompt": ..., "completion": ...}"#;
    check("3", &format!(": the row is a number (3), {tail}"), "not an object");
    check("[1]", &format!(": the row is a list that holds a number (1), {tail}"), "not an object");
    check("null", &format!(": the row is null, {tail}"), "not an object");
}

#[test]
fn numbers_that_json_does_not_have() {
    let tail = "is not JSON: write null where there is no number";
    for literal in ["NaN", "nan", "Infinity", "-Infinity", "-inf", "-nan"] {
        let row = format!(r#"{{"completion": "x", "y": {literal}}}"#);
        check(row, &format!(":26: {literal} {tail}"), "not a finite number");
    }
    let row = r#"{"completion": "x", "y": 1e999}"#;
    check(row, ":30: broken JSON: number out of range", "broken JSON");
}

#[test]
fn a_text_that_says_nan_is_a_text() {
    assert_eq!(common::read(r#"{"completion": "NaN", "gold": "Infinity"}"#)[0].text(), "NaN");
}

#[test]
fn invalid_utf8() {
    let row = b"{\"completion\": \"\xff\"}";
    check(row, ":17: invalid UTF-8: convert the file to UTF-8", "invalid UTF-8");
}

#[test]
fn a_missing_completion() {
    let tail = "expected text or a list of messages; map another column with `rollouts: {completion: ...}`";
    check(r#"{"gold": 1}"#, &format!(": column `completion` is missing, {tail}"), "missing column");
    check(
        r#"{"completion": null}"#,
        &format!(": column `completion` is null, {tail}"),
        "missing column",
    );
}

#[test]
fn a_mistyped_completion() {
    let tail = "expected text or a list of messages; map another column with `rollouts: {completion: ...}`";
    let typed = |value: &str, found: &str| {
        let row = format!(r#"{{"completion": {value}}}"#);
        check(row, &format!(": column `completion` is {found}, {tail}"), "mistyped column");
    };
    typed("3", "a number (3)");
    typed("true", "a boolean (true)");
    typed(r#"["a"]"#, "a list that holds text (\"a\")");
    typed(r#"[{"content": "a"}]"#, "a list that holds objects of another shape");
    typed(r#"{"text": "a"}"#, "an object");
}

/// A mapped column of another type is a bad row.
fn mistyped(key: &str, value: &Value, message: &str) {
    let row = json!({"completion": "x", "c": value}).to_string();
    let text = error_with(row, json!({key: "c"}), &ReadOptions::default());
    assert_eq!(
        text,
        format!(
            "rollouts.jsonl:1: column `c` is {message}; map another column with `rollouts: {{{key}: ...}}`"
        )
    );
}

#[test]
fn mapped_columns_of_another_type() {
    mistyped("prompt", &json!(1), "a number (1), expected text or a list of messages");
    mistyped("group", &json!([]), "an empty list, expected text, a number or a boolean");
    mistyped("group", &json!(null), "null, expected text, a number or a boolean");
    mistyped("id", &json!({}), "an object, expected text or a number");
    mistyped(
        "steps",
        &json!("s"),
        "text (\"s\"), expected a list of texts, or of objects with `text` and `label`",
    );
    mistyped(
        "turns",
        &json!(1),
        "a number (1), expected a list of messages with `role` and `content`",
    );
    mistyped(
        "tool_calls",
        &json!(1),
        "a number (1), expected a list of calls with `name` and `arguments`",
    );
    mistyped(
        "logprobs",
        &json!([0.5]),
        "a list that holds a number (0.5), expected a list of numbers of at most 0",
    );
    mistyped("tokens", &json!(1.5), "a number (1.5), expected a whole number or a list");
    mistyped("confidence", &json!(90), "a number (90), expected a number from 0 to 1");
}

#[test]
fn a_mapped_column_that_no_row_has() {
    let error = |map| error_with(amid(GOOD), map, &ReadOptions::default());
    assert_eq!(
        error(json!({"reference": "golf"})),
        "rollouts.jsonl:1: there is no column `golf` (mapped as `reference`); did you mean `gold`?"
    );
    assert_eq!(
        error(json!({"completion": "text"})),
        "rollouts.jsonl:1: there is no column `text` (mapped as `completion`); there are: completion, gold"
    );
}

#[test]
fn no_column_is_known_to_hold_the_completion() {
    assert_eq!(
        error(r#"{"a": 1, "b": 2}"#),
        "rollouts.jsonl:1: no column is known to hold the completion: map one with `rollouts: {completion: ...}`; \
         there are: a, b"
    );
}

#[test]
fn a_conversation_without_an_answer() {
    let row = r#"{"messages": [{"role": "user", "content": "hi"}]}"#;
    assert_eq!(
        error(row),
        "rollouts.jsonl:1: column `messages` is a conversation without a message of the assistant, expected one whose \
         last such message is the completion; map another column with `rollouts: {completion: ...}`"
    );
}

#[test]
fn a_line_of_a_hundred_megabytes() {
    let long = format!(r#"{{"completion": "{}"}}"#, "x".repeat(100 << 20));
    let message = ": the row is longer than 67108864 bytes: raise the limit (`max_row_bytes`) or split the row";
    check(long, message, "too long");
}

#[test]
fn a_line_at_the_limit_and_one_above() {
    let options = ReadOptions { max_row_bytes: GOOD.len(), ..ReadOptions::default() };
    assert!(common::read_with(format!("{GOOD}\n{GOOD}"), json!({}), &options).is_ok());
    let longer = format!("{GOOD} \n");
    assert!(error_with(longer, json!({}), &options).contains("longer than 30 bytes"));
}

#[test]
fn nesting_without_end() {
    let deep =
        format!(r#"{{"completion": "x", "y": {}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    check(deep, ":152: broken JSON: recursion limit exceeded", "broken JSON");
}

#[test]
fn an_empty_file() {
    assert_eq!(error(""), "rollouts.jsonl: there are no rows in it");
    assert_eq!(error("\n \r\n\n"), "rollouts.jsonl: there are no rows in it");
}

#[test]
fn blank_lines_count_as_lines_and_not_as_rows() {
    let text = format!("\n{GOOD}\n\n  \n{GOOD}");
    let ids: Vec<_> = common::read(&text).into_iter().map(|r| r.id).collect();
    assert_eq!(ids, ["0", "1"]);
    assert!(error(format!("\n{GOOD}\n\n3")).starts_with("rollouts.jsonl:4: "));
}

#[test]
fn windows_line_ends_and_a_byte_order_mark() {
    let text = format!("\u{feff}{GOOD}\r\n{GOOD}\r\n");
    assert_eq!(common::read(text).len(), 2);
}

#[test]
fn a_json_list() {
    assert_eq!(
        error(format!("[{GOOD},\n{GOOD}]")),
        "rollouts.jsonl: this is a JSON list; rollouts are JSONL, one object a line: convert it with `jq -c '.[]' \
         rollouts.jsonl`"
    );
}

#[test]
fn of_equal_keys_the_last_counts() {
    assert_eq!(common::read(r#"{"completion": "a", "completion": "b"}"#)[0].text(), "b");
}

#[test]
fn everything_is_bad_and_skipped() {
    let input = input("rollouts.jsonl", "1\n2\n3\n4\n5");
    let mut reader = reader(&input.path, json!({}), &skipping()).unwrap();
    assert!(reader.next_batch(10).unwrap().is_none());
    assert_eq!((reader.skipped().total(), reader.skipped().reasons[0].examples.len()), (5, 3));
}

#[test]
fn whole_batches_before_a_bad_row_are_handed_out() {
    let input = input("rollouts.jsonl", format!("{GOOD}\n{GOOD}\n{GOOD}\n3"));
    let mut reader = reader(&input.path, json!({}), &ReadOptions::default()).unwrap();
    assert_eq!(reader.next_batch(2).unwrap().unwrap().rollouts.len(), 2);
    assert!(reader.next_batch(2).is_err());
    assert!(reader.next_batch(2).unwrap().is_none());
}

fn truncated(name: &str, whole: &[u8]) {
    for (keep, damage) in
        [(whole.len() * 3 / 4, false), (whole.len() - 3, false), (whole.len(), true)]
    {
        let mut bytes = whole[..keep].to_vec();
        if damage {
            bytes[keep / 2] ^= 0x55;
        }
        let input = input(name, bytes);
        let result =
            reader(&input.path, json!({}), &skipping()).and_then(|mut r| batches(&mut r, 10));
        let failed = matches!(result, Err(ReadError::Truncated { .. }));
        // A flipped bit may also turn into text that is broken; zstd frames carry no checksum here.
        assert!(failed || (damage && name.ends_with("zst")), "{name} {keep}: {result:?}");
    }
}

fn long_text() -> String {
    common::lines(5000, |i| format!("{{\"completion\": \"{}\", \"n\": {i}}}", i * 7919 % 1009))
}

#[test]
fn a_truncated_or_damaged_gzip() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(long_text().as_bytes()).unwrap();
    truncated("rollouts.jsonl.gz", &gzip.finish().unwrap());
}

#[test]
fn a_truncated_zstd() {
    truncated("rollouts.jsonl.zst", &zstd::encode_all(long_text().as_bytes(), 0).unwrap());
}

#[test]
fn a_file_that_is_not_there() {
    let missing =
        reader("/no/such/file".as_ref(), json!({}), &ReadOptions::default()).err().unwrap();
    assert!(
        missing.to_string().starts_with("/no/such/file: cannot be opened: No such file"),
        "{missing}"
    );
}

#[test]
fn a_directory() {
    let directory = tempfile::tempdir().unwrap();
    let result = reader(directory.path(), json!({}), &ReadOptions::default());
    assert!(result.err().unwrap().to_string().ends_with("cannot be opened: is a directory"));
}

#[test]
fn a_damaged_parquet_file() {
    let input = input("rollouts.parquet", b"PAR1 this is no table PAR1");
    let result = reader(&input.path, json!({}), &ReadOptions::default());
    assert!(matches!(result.err(), Some(ReadError::Parquet { .. })));
}

/// Whatever a damaged table says, it ends in rows or in an error.
#[test]
fn parquet_files_damaged_anywhere() {
    let whole = input("whole.parquet", "");
    let mut writer = guerdon_io::Writer::create(&whole.path).unwrap();
    for i in 0..50 {
        let row = json!({"completion": i.to_string(), "list": [i, {"a": [0.5]}], "group": i / 4});
        writer.write(&row).unwrap();
    }
    writer.finish().unwrap();
    let bytes = std::fs::read(&whole.path).unwrap();
    let mut dice = common::Dice(7);
    for _ in 0..400 {
        let mut damaged = bytes.clone();
        for _ in 0..=dice.below(3) {
            let at = usize::try_from(dice.below(bytes.len() as u64 - 8)).unwrap() + 4;
            damaged[at] = dice.roll().to_le_bytes()[0];
        }
        let input = input("damaged.parquet", damaged);
        let _ =
            reader(&input.path, json!({}), &skipping()).map(|mut reader| batches(&mut reader, 10));
    }
}
