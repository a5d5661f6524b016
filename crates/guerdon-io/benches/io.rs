//! How fast rollouts are read and small rows written, and in how much memory.
//!
//! `cargo bench -p guerdon-io` runs on 100,000 rows of 1.5 KB; `cargo bench -p guerdon-io -- 1000000 journal` runs what has
//! `journal` in its name on a million. `RAYON_NUM_THREADS=1` measures one core.

#![allow(clippy::print_stdout, reason = "a benchmark prints its results")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use guerdon_io::{Journal, Mapping, ReadOptions, Reader, Writer, open};
use serde_json::json;

const ROWS: usize = 100_000;
const GROUP: usize = 8;
const BATCH: usize = 1024;

fn main() {
    let rows = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(ROWS);
    let directory = tempfile::tempdir().expect("a temporary directory");
    let at = |name: &str| directory.path().join(name);
    let text = at("rollouts.jsonl");
    generate(&text, rows);
    let size = fs::metadata(&text).map_or(0, |meta| meta.len()) / rows as u64;
    println!("{rows} rows of {size} bytes");
    time("read JSONL", rows, || drain(&mut reader(&text, false)));
    time("read with a group scan", rows, || drain(&mut reader(&text, true)));
    time("read, write small rows with a journal", rows, || score(&text, &at("out.jsonl")));
    time("read, write small rows as Parquet", rows, || score(&text, &at("out.parquet")));
    for name in ["rollouts.jsonl.gz", "rollouts.jsonl.zst", "rollouts.parquet"] {
        let path = at(name);
        time(&format!("copy to {name}"), rows, || convert(&text, &path));
        if path.exists() {
            time(&format!("read {name}"), rows, || drain(&mut reader(&path, false)));
        }
    }
}

fn time(what: &str, rows: usize, work: impl FnOnce()) {
    let mut wanted = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-') && a.parse::<usize>().is_err())
        .peekable();
    if wanted.peek().is_some() && !wanted.any(|word| what.contains(&word)) {
        return;
    }
    let start = Instant::now();
    work();
    let seconds = start.elapsed().as_secs_f64();
    let rate = rows as f64 / seconds;
    println!("{what:40} {seconds:8.2} s  {rate:10.0} rows/s  peak so far {}", peak());
}

/// The process's largest memory so far, where the system tells.
fn peak() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown".to_owned(), |value| value.trim().to_owned())
}

fn generate(path: &Path, rows: usize) {
    let words = r"step by step \\( x \\)\n".repeat(80);
    let file = fs::File::create(path).expect("a file");
    let mut out = std::io::BufWriter::new(file);
    for i in 0..rows {
        let (group, cut) = (i / GROUP, 1250 + i % 50);
        let end = words[..cut].trim_end_matches('\\');
        writeln!(
            out,
            r#"{{"id": "r{i}", "group": {group}, "prompt": "What is {group} plus {group}? Answer in a box.", "completion": "{end}", "reference": {i}, "tokens": 400, "model": "m"}}"#
        )
        .expect("room on the disk");
    }
    out.flush().expect("room on the disk");
}

fn reader(path: &Path, group_scan: bool) -> Reader {
    let options = ReadOptions { group_scan, ..ReadOptions::default() };
    open(path, &Mapping::default(), &options).expect("rollouts")
}

fn drain(reader: &mut Reader) {
    while reader.next_batch(BATCH).expect("good rows").is_some() {}
}

fn convert(from: &Path, to: &Path) {
    let mut reader = reader(from, false);
    let mut writer = Writer::create(to).expect("an output");
    while let Some(batch) = reader.next_batch(BATCH).expect("good rows") {
        batch.rollouts.iter().for_each(|r| writer.write(&r.columns).expect("room on the disk"));
    }
    writer.finish().expect("room on the disk");
}

fn score(from: &Path, to: &Path) {
    let mut reader = reader(from, false);
    let (mut journal, _) = Journal::open(to, None, "bench").expect("an output");
    while let Some(batch) = reader.next_batch(BATCH).expect("good rows") {
        for r in &batch.rollouts {
            let row = json!({"id": r.id, "group": r.group, "signals": {"a": 1.0, "b": 0.5},
                "errors": {}, "reward": 0.5, "advantage": -0.25});
            journal.write(&row).expect("room on the disk");
        }
        let done = batch.first_row + batch.rollouts.len() as u64;
        journal.checkpoint(&json!({"rows": done}), done).expect("room on the disk");
    }
    journal.finish().expect("room on the disk");
}
