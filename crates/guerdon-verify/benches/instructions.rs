//! Instruction checks per second on one thread, as JSON lines.
//!
//! `cargo bench -p guerdon-verify --bench instructions -- FILE`, where FILE holds an `{"instruction_id_list", "kwargs",
//! "completion"}` per line.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the bench reports what it measures")]

use std::hint::black_box;
use std::time::Instant;

use guerdon_core::Rollout;
use guerdon_core::method::Signal as _;
use guerdon_verify::verify::instructions::{Instructions, Mode};
use serde_json::{Value, json};

fn rollout(line: &str) -> Rollout {
    let row: Value = serde_json::from_str(line).expect("a JSON line");
    let mut rollout = Rollout::new("", row["completion"].as_str().unwrap_or(""), "");
    for column in ["instruction_id_list", "kwargs"] {
        rollout.columns.insert(column.to_owned(), row[column].clone());
    }
    rollout
}

/// Seconds that this thread has computed; where the system does not tell, seconds that have passed.
fn seconds(since: Instant) -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.as_deref().and_then(|t| t.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(|| since.elapsed().as_secs_f64(), |ns| ns * 1e-9)
}

fn main() {
    let Some(path) = std::env::args().skip(1).find(|arg| !arg.starts_with("--")) else {
        eprintln!("name a file of responses: cargo bench --bench instructions -- FILE");
        return;
    };
    let text = std::fs::read_to_string(path).expect("the file can be read");
    let rollouts: Vec<Rollout> = text.lines().map(rollout).collect();
    for (work, mode) in [("strict", Mode::Strict), ("loose", Mode::Loose)] {
        let signal = Instructions { mode, ..Instructions::default() };
        let rates = (0..5).map(|_| {
            let clock = Instant::now();
            let start = seconds(clock);
            rollouts.iter().for_each(|r| _ = black_box(signal.score(r)));
            rollouts.len() as f64 / (seconds(clock) - start)
        });
        let rate = rates.fold(0.0, f64::max).round();
        println!("{}", json!({"work": format!("IFEval, {work}"), "per_s": rate}));
    }
}
