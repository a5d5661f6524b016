//! Throughput and latency of mathematical answers on the recorded completions and on Math-Verify's own test pairs,
//! one thread. Prints one JSON line per figure, in the form of the peer scripts:
//!
//! ```text
//! cargo bench -p guerdon-verify --bench math -- 5
//! ```
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench reports on the standard streams"
)]

use std::hint::black_box;
use std::time::Instant;

use guerdon_verify::math::{Extract, Options, verify};
use serde_json::{Value, json};

const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/");

/// Passes over a work per measurement: one pass takes milliseconds only.
const PASSES: usize = 20;

struct Pair {
    reference: String,
    completion: String,
    options: Options,
}

fn rows(path: &str) -> Option<Vec<Value>> {
    let text = std::fs::read_to_string(format!("{SHARED}{path}")).ok()?;
    text.lines().map(|line| serde_json::from_str(line).ok()).collect()
}

fn pair(row: &Value, completion: &str, options: Options) -> Pair {
    let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
    Pair { reference: text("gold"), completion: text(completion), options }
}

fn options_of(row: &Value) -> Options {
    let box_first = row["config"]["boxed_match_priority"] == 0;
    let mut extract = vec![Extract::FinalAnswer, Extract::LastLatex, Extract::LastExpression];
    extract.insert(usize::from(!box_first), Extract::Boxed);
    Options { extract, ..Options::default() }
}

/// Processor time of this thread, which a busy machine does not stretch; `NaN` where the system does not tell.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).map_or(f64::NAN, |ns| ns / 1e9)
}

fn timed(work: &str, pairs: &[Pair], attempts: usize) {
    for attempt in 0..attempts {
        let mut took = Vec::with_capacity(pairs.len() * PASSES);
        let (start, busy) = (Instant::now(), processor_seconds());
        for _ in 0..PASSES {
            for p in pairs {
                let from = Instant::now();
                black_box(verify(black_box(&p.reference), black_box(&p.completion), &p.options));
                took.push(from.elapsed());
            }
        }
        let total = start.elapsed().as_secs_f64();
        let busy = processor_seconds() - busy;
        took.sort_unstable();
        let ms = |q: usize| took[(took.len() * q / 100).min(took.len() - 1)].as_secs_f64() * 1e3;
        println!(
            "{}",
            json!({
                "peer": "guerdon", "work": work, "n": pairs.len(), "attempt": attempt,
                "per_s": (took.len() as f64 / total).round(),
                "per_cpu_s": (took.len() as f64 / busy).round(),
                "p50_ms": ms(50), "p99_ms": ms(99), "max_ms": ms(100),
            })
        );
    }
}

fn main() {
    let attempts = std::env::args().find_map(|a| a.parse().ok()).unwrap_or(3);
    let recorded = rows("data/math/math_cot_800_pairs.jsonl");
    let own = rows("golden/math/math_verify_cases.jsonl");
    let (Some(recorded), Some(own)) = (recorded, own) else {
        eprintln!("skipped: the recorded data is not here");
        return;
    };
    let recorded: Vec<Pair> =
        recorded.iter().map(|row| pair(row, "completion", Options::default())).collect();
    let own: Vec<Pair> = own.iter().map(|row| pair(row, "pred", options_of(row))).collect();
    timed("recorded MATH completions", &recorded, attempts);
    timed("its own test pairs", &own, attempts);
}
