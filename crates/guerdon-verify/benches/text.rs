//! Text metrics per second on one thread, as JSON lines.
//!
//! `cargo bench -p guerdon-verify --bench text -- DUMP`, where DUMP holds a `{"reference", "hypothesis"}` per line: the file
//! that the peer's script writes with `--dump`. Values that the dump carries are compared as well.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the bench reports what it measures")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use guerdon_verify::verify::bleu::Bleu;
use guerdon_verify::verify::chrf::Chrf;
use guerdon_verify::verify::edit_distance::EditDistance;
use guerdon_verify::verify::f1::f1;
use guerdon_verify::verify::rouge::{Rouge, Variant};
use serde_json::{Value, json};

type Metric<'a> = (&'a str, f64, Box<dyn Fn(&str, &str) -> Option<f64>>);

fn metrics() -> Vec<Metric<'static>> {
    let rouge = |variant| {
        let rouge = Rouge { variant, ..Rouge::default() };
        Box::new(move |h: &str, r: &str| rouge.value(h, r).map(|v| v[2]))
    };
    let (bleu, chrf) = (Bleu::default(), Chrf::default());
    let words = Chrf { word_order: 2, ..Chrf::default() };
    vec![
        ("sentence BLEU", 100.0, Box::new(move |h, r| bleu.value(h, &[r]))),
        ("chrF", 100.0, Box::new(move |h, r| chrf.value(h, r))),
        ("chrF++", 100.0, Box::new(move |h, r| words.value(h, r))),
        ("rouge1", 1.0, rouge(Variant::Rouge1)),
        ("rouge2", 1.0, rouge(Variant::Rouge2)),
        ("rougeL", 1.0, rouge(Variant::RougeL)),
        ("rougeLsum", 1.0, rouge(Variant::RougeLsum)),
        ("F1", 1.0, Box::new(|h, r| Some(f1(h, r)))),
        ("edit distance", 1.0, Box::new(|h, r| EditDistance::default().value(h, r))),
    ]
}

/// Seconds that this thread has computed; where the system does not tell, seconds that have passed.
fn seconds(since: Instant) -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.as_deref().and_then(|t| t.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(|| since.elapsed().as_secs_f64(), |ns| ns * 1e-9)
}

/// Calls per second, over at least 100 milliseconds.
fn rate(calls: usize, run: impl Fn()) -> f64 {
    let (clock, mut rounds) = (Instant::now(), 0);
    let start = seconds(clock);
    while clock.elapsed() < Duration::from_millis(100) {
        run();
        rounds += 1;
    }
    (rounds * calls) as f64 / (seconds(clock) - start)
}

fn main() {
    let Some(path) = std::env::args().skip(1).find(|arg| !arg.starts_with("--")) else {
        eprintln!("name the dump of the peer's script: cargo bench --bench text -- DUMP");
        return;
    };
    let text = std::fs::read_to_string(path).expect("the dump can be read");
    let rows: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect();
    let only = std::env::args().skip_while(|arg| arg != "--only").nth(1);
    let asked = |name: &str| only.as_ref().is_none_or(|only| only == name);
    for (name, scale, metric) in metrics().into_iter().filter(|m| asked(m.0)) {
        let own = |row: &Value| {
            let (h, r) = (row["hypothesis"].as_str(), row["reference"].as_str());
            metric(h.unwrap_or(""), r.unwrap_or(""))
        };
        let difference = rows
            .iter()
            .filter_map(|row| Some((scale * own(row)? - row[name].as_f64()?).abs() / scale));
        let (compared, worst) = difference.fold((0, 0.0_f64), |(n, w), d| (n + 1, w.max(d)));
        let run = || rows.iter().map(own).for_each(|value| _ = black_box(value));
        let rate = (0..5).map(|_| rate(rows.len(), run));
        let rate = rate.fold(0.0, f64::max).round();
        println!(
            "{}",
            json!({"work": name, "per_s": rate, "compared": compared, "greatest_difference": worst})
        );
    }
}
