//! Three asserts of Python, isolated, against a fresh interpreter that is not: one JSON line each.
//!
//! The peer does the same work in the same rounds, `python -c` and `python -I -S -c` by turns. A
//! ratio is the median over the rounds of the ratio within a round, so that a machine which other
//! work slows down for a while slows both sides.

#![allow(clippy::print_stdout, reason = "a benchmark prints its lines")]

use std::process::{Command, Stdio};
use std::time::Instant;

use guerdon_sandbox::{Compare, Config, Outcome, Sandbox, StdioCase, Task, Tests};

const ADD: &str = "def add(a, b):\n    return a + b\n";
const ASSERTS: [&str; 3] =
    ["assert add(1, 2) == 3", "assert add(0, 0) == 0", "assert add(-1, 1) == 0"];
const ROUNDS: usize = 9;
const PEER_RUNS: usize = 10;
const OUR_RUNS: usize = 100;

fn main() {
    let sandbox = match Sandbox::new(Config::default()) {
        Ok(sandbox) => sandbox,
        Err(e) => return println!("{}", serde_json::json!({"skipped": e.to_string()})),
    };
    let works = [
        ("python -c", "not isolated"),
        ("python -I -S -c", "not isolated"),
        ("asserts, one at a time", "isolated"),
        ("asserts, run_many", "isolated"),
        ("asserts as a program, one at a time", "isolated"),
        ("asserts as a program, run_many", "isolated"),
    ];
    let python = interpreter();
    let mut rates = vec![Vec::new(); works.len()];
    for _ in 0..ROUNDS {
        rates[0].push(peer(&python, &["-c"]));
        rates[1].push(peer(&python, &["-I", "-S", "-c"]));
        rates[2].push(one_by_one(&sandbox, &judged()));
        rates[3].push(many(&sandbox, &judged()));
        rates[4].push(one_by_one(&sandbox, &program()));
        rates[5].push(many(&sandbox, &program()));
    }
    for (i, (name, isolation)) in works.iter().enumerate() {
        let line = serde_json::json!({
            "work": "3 asserts", "runner": name, "isolation": isolation,
            "workers": if name.contains("run_many") { sandbox.workers() } else { 1 },
            "per_s": round(median(rates[i].clone())),
            "times_python_c": round(median(ratios(&rates[i], &rates[0]))),
            "times_python_i_s_c": round(median(ratios(&rates[i], &rates[1]))),
        });
        println!("{line}");
    }
}

fn round(x: f64) -> f64 {
    (x * 10.0).round() / 10.0
}

/// Round by round.
fn ratios(ours: &[f64], theirs: &[f64]) -> Vec<f64> {
    ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect()
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn judged() -> Task {
    let asserts = ASSERTS.map(str::to_owned).to_vec();
    Task::python(ADD, Tests::Asserts { asserts, setup: String::new(), entry_point: None })
}

/// The peer's own work: code and asserts in one program.
fn program() -> Task {
    let case = StdioCase { stdin: String::new(), stdout: String::new() };
    Task::python(
        whole(),
        Tests::Stdio { cases: vec![case], compare: Compare::Lines, float_tolerance: None },
    )
}

fn whole() -> String {
    format!("{ADD}{}\n", ASSERTS.join("\n"))
}

/// The interpreter itself: a launcher in its place would flatter us.
fn interpreter() -> String {
    let output = Command::new("python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .output()
        .expect("the sandbox found the same interpreter");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn peer(python: &str, flags: &[&str]) -> f64 {
    let start = Instant::now();
    for _ in 0..PEER_RUNS {
        let status = Command::new(python)
            .args(flags)
            .arg(whole())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(status.is_ok_and(|s| s.success()), "the peer failed");
    }
    PEER_RUNS as f64 / start.elapsed().as_secs_f64()
}

fn one_by_one(sandbox: &Sandbox, task: &Task) -> f64 {
    let start = Instant::now();
    for _ in 0..OUR_RUNS {
        assert!(sandbox.run(task).is_ok_and(|o| o.all_passed()), "the work failed");
    }
    OUR_RUNS as f64 / start.elapsed().as_secs_f64()
}

fn many(sandbox: &Sandbox, task: &Task) -> f64 {
    let tasks = vec![task.clone(); OUR_RUNS];
    let start = Instant::now();
    let outcomes = sandbox.run_many(&tasks);
    let rate = OUR_RUNS as f64 / start.elapsed().as_secs_f64();
    assert!(outcomes.iter().all(|o| o.as_ref().is_ok_and(Outcome::all_passed)), "the work failed");
    rate
}
