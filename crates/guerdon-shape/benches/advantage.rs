//! Advantages of a million rollouts in groups of 8, one thread. Prints one JSON line per figure:
//!
//! ```text
//! cargo bench -p guerdon-shape --bench advantage -- 5
//! PEER_PYTHON=python3 cargo bench -p guerdon-shape --bench advantage    # numpy on the same numbers, in the same run
//! ```
//!
//! `function` lines time the pure function; `transform` lines time what a spec runs, with its frame and unscored rows.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench reports on the standard streams"
)]

use std::hint::black_box;
use std::time::Instant;

use guerdon_core::method::Kind;
use guerdon_core::{Column, Fine, Frame, Groups, Level, View, seed};
use rand::RngExt as _;
use serde_json::{Value, json};

const ROLLOUTS: usize = 1_000_000;
const GROUP: usize = 8;
/// Rollouts of the token-level works, and tokens of each.
const TOKEN_ROLLOUTS: usize = 10_000;
const TOKENS: usize = 100;

fn main() {
    let attempts = std::env::args().find_map(|a| a.parse().ok()).unwrap_or(3);
    outcomes(attempts);
    tokens(attempts);
    if let Ok(python) = std::env::var("PEER_PYTHON") {
        peer(&python, attempts);
    }
}

fn report(work: &str, n: usize, attempts: usize, mut run: impl FnMut()) {
    for attempt in 0..attempts {
        let start = Instant::now();
        run();
        let seconds = start.elapsed().as_secs_f64();
        let line = json!({"peer": "guerdon", "work": work, "n": n, "attempt": attempt, "seconds": seconds});
        println!("{line}");
    }
}

fn outcomes(attempts: usize) {
    let mut rng = seed::stream(0, "advantage");
    let rewards: Vec<f64> = (0..ROLLOUTS).map(|_| rng.random()).collect();
    let lengths: Vec<f64> = (0..ROLLOUTS).map(|_| f64::from(rng.random_range(1..2000))).collect();
    let groups = Groups::equal(ROLLOUTS, GROUP);
    let rule = guerdon_shape::advantage::grpo::Preset::Verl.rule();
    report("grpo function", ROLLOUTS, attempts, || {
        black_box(rule.advantages(black_box(&rewards), &groups)).ok();
    });

    let mut frame = Frame::new(groups);
    frame.insert("length", Column::full(lengths)).expect("a length per row");
    frame.insert("greedy_reward", Column::full(rewards.clone())).expect("a reward per row");
    let current = Column::full(rewards);
    let works = [
        ("grpo", json!({"preset": "verl"})),
        ("grpo nemo_rl", json!({"preset": "nemo_rl"})),
        ("rloo", json!({})),
        ("opo", json!({})),
        ("gpg", json!({})),
        ("maxrl", json!({})),
        ("pass_k", json!({})),
        ("remax", json!({})),
        ("reinforce_pp", json!({})),
        ("gdpo", json!({})),
        ("asymmetric", json!({})),
        ("tournament", json!({})),
    ];
    for (work, params) in works {
        transform(work, &params, &frame, &current, attempts);
    }
}

fn tokens(attempts: usize) {
    let mut rng = seed::stream(0, "tokens");
    let rows: Vec<Vec<f64>> =
        (0..TOKEN_ROLLOUTS).map(|_| (0..TOKENS).map(|_| rng.random()).collect()).collect();
    let mut current = Column::full(rows.iter().map(|row| row.iter().sum()).collect());
    current.fine = Some(Fine::from_rows(Level::Token, rows.iter().map(Vec::as_slice)));
    let mut frame = Frame::new(Groups::equal(TOKEN_ROLLOUTS, GROUP));
    frame.insert("values", current.clone()).expect("a value per row");
    frame
        .insert("length", Column::full(vec![TOKENS as f64; TOKEN_ROLLOUTS]))
        .expect("a length per row");
    for (work, params) in [
        ("gae", json!({"preset": "verl"})),
        ("reinforce_pp tokens", json!({})),
        ("otb", json!({"logprobs": "values"})),
    ] {
        transform(work, &params, &frame, &current, attempts);
    }
}

fn transform(work: &str, params: &Value, frame: &Frame, current: &Column, attempts: usize) {
    let id = format!("advantage.{}", work.split(' ').next().unwrap_or(work));
    let method = guerdon_shape::METHODS.iter().find(|m| m.id == id).expect("a registered method");
    let Kind::Transform(build) = method.kind else { return };
    let n = current.fine.as_ref().map_or(current.len(), |fine| fine.values.len());
    report(&format!("{work} transform"), n, attempts, || {
        let mut transform = build(params.clone()).expect("valid parameters");
        let view = View { frame, current: Some(current), seed: 0 };
        black_box(transform.apply(&view)).expect("advantages");
    });
}

fn peer(python: &str, attempts: usize) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/advantage_peer.py");
    let args = [script, &ROLLOUTS.to_string(), &GROUP.to_string(), &attempts.to_string()];
    if let Err(error) = std::process::Command::new(python).args(args).status() {
        eprintln!("the peer did not run: {error}");
    }
}
