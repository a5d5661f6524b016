//! A run that is killed at any moment and started again ends with the same bytes as one that is left alone.
//!
//! The test starts itself as a child, kills it at seeded moments, and compares.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode};
use std::thread::sleep;
use std::time::Duration;

use common::Dice;
use guerdon_io::{Journal, ReadOptions, Start};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::json;

const CHILD: &str = "GUERDON_IO_KILL_TEST";

fn main() -> ExitCode {
    if let Some(directory) = std::env::var_os(CHILD) {
        run(Path::new(&directory));
        return ExitCode::SUCCESS;
    }
    let names = ["out.jsonl", "out.jsonl.zst", "out.parquet"];
    let trials = (0..)
        .zip(names)
        .map(|(seed, name)| Trial::test(format!("killed::{name}"), move || killed(name, seed)));
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

/// The job: every row with the running sum, which only the journal carries over from one run to the next.
fn run(directory: &Path) {
    let output = PathBuf::from(fs::read_to_string(directory.join("output")).unwrap());
    let input = directory.join("rollouts.jsonl");
    let mut reader = common::reader(&input, json!({}), &ReadOptions::default()).unwrap();
    let (journal, start) = Journal::open(&output, reader.fingerprint().as_deref(), "spec").unwrap();
    let mut journal = journal.with_interval(Duration::ZERO);
    let (mut sum, mut done) = (0, 0);
    if let Start::Resumed { state, rows } = start {
        (sum, done) = (state.as_u64().unwrap(), rows);
        reader.skip_to(done).unwrap();
    }
    while let Some(batch) = reader.next_batch(16).unwrap() {
        assert_eq!(batch.first_row, done);
        for rollout in &batch.rollouts {
            sum += rollout.reference.as_u64().unwrap();
            journal.write(&json!({"completion": rollout.id, "sum": sum})).unwrap();
        }
        done += batch.rollouts.len() as u64;
        journal.checkpoint(&json!(sum), done).unwrap();
    }
    journal.finish().unwrap();
}

fn spawn(directory: &Path) -> Child {
    let exe = std::env::current_exe().unwrap();
    Command::new(exe).env(CHILD, directory).spawn().unwrap()
}

fn killed(name: &str, seed: u64) -> Result<(), Failed> {
    let rows: String = (0..4000)
        .map(|i| format!("{{\"completion\": \"x\", \"answer\": {i}, \"group\": {}}}\n", i / 3))
        .collect();
    let input = common::input("rollouts.jsonl", rows);
    let directory = input.dir.path();
    let (left_alone, output) = (directory.join(format!("alone.{name}")), directory.join(name));
    let job = |output: &Path| fs::write(directory.join("output"), output.to_str().unwrap());

    job(&left_alone)?;
    assert!(spawn(directory).wait()?.success());

    job(&output)?;
    // The longer it takes, the longer each child lives: a slow machine gets there as well.
    let mut dice = Dice(seed);
    let mut kills = 0;
    while !output.exists() {
        let mut child = spawn(directory);
        sleep(Duration::from_micros(2_000 + dice.below(20_000 * (1 + kills / 4))));
        child.kill()?;
        kills += u64::from(!child.wait()?.success());
        assert!(kills < 200, "the run makes no headway");
    }
    assert!(spawn(directory).wait()?.success());
    assert!(kills > 3, "killed only {kills} times: the job is too short to show anything");
    if fs::read(&output)? != fs::read(&left_alone)? {
        return Err(format!("the output differs after {kills} kills").into());
    }
    Ok(())
}
