//! What takes a process of its own: a run that is killed at any moment and started again ends with the same bytes as one
//! that is left alone; standard input and output.
//!
//! The test starts itself as a child. Moments to kill it at come from a seed.

mod common;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread::sleep;
use std::time::Duration;

use common::Dice;
use guerdon_io::{Journal, ReadOptions, Start, WriteError, Writer};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::json;

const KILLED: &str = "GUERDON_IO_TEST_KILLED";
const PIPED: &str = "GUERDON_IO_TEST_PIPED";

fn main() -> ExitCode {
    if let Some(directory) = std::env::var_os(KILLED) {
        run(Path::new(&directory));
        return ExitCode::SUCCESS;
    }
    if std::env::var_os(PIPED).is_some() {
        return pipe();
    }
    let names = ["out.jsonl", "out.jsonl.zst", "out.parquet"];
    let killed = |(seed, name)| Trial::test(format!("killed::{name}"), move || killed(name, seed));
    let mut trials: Vec<_> = (0..).zip(names).map(killed).collect();
    trials.push(Trial::test("standard_input_and_output", standard_input_and_output));
    trials.push(Trial::test("a_reader_that_has_gone", || {
        a_reader_that_has_gone();
        Ok(())
    }));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Copies columns from standard input to standard output; exit code 3 says that the reader has gone.
fn pipe() -> ExitCode {
    let copy = || -> Result<(), WriteError> {
        let dash = Path::new("-");
        let mut reader = common::reader(dash, json!({}), &ReadOptions::default()).unwrap();
        assert_eq!((reader.fingerprint(), reader.progress().total), (None, None));
        let mut writer = Writer::create(dash)?;
        while let Some(batch) = reader.next_batch(10).unwrap() {
            batch.rollouts.iter().try_for_each(|r| writer.write(&r.columns))?;
        }
        writer.finish()
    };
    match copy() {
        Err(error) if error.is_broken_pipe() => ExitCode::from(3),
        other => other.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS),
    }
}

/// A child that copies `bytes`; what it writes, unless nobody listens, and its exit code.
fn piped(bytes: Vec<u8>, listen: bool) -> (String, Option<i32>) {
    let exe = std::env::current_exe().unwrap();
    let mut command = Command::new(exe);
    command.env(PIPED, "").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    if !listen {
        drop(child.stdout.take());
    }
    let mut stdin = child.stdin.take().unwrap();
    // The child may end before it has read everything.
    let feed = std::thread::spawn(move || drop(stdin.write_all(&bytes)));
    let output = child.wait_with_output().unwrap();
    feed.join().unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code())
}

fn standard_input_and_output() -> Result<(), Failed> {
    let rows = common::lines(5000, |i| format!("{{\"completion\":\"x\",\"i\":{i}}}"));
    assert_eq!(piped(rows.clone().into(), true), (rows.clone(), Some(0)));
    assert_eq!(piped(zstd::encode_all(rows.as_bytes(), 0)?, true), (rows.clone(), Some(0)));
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("a.parquet");
    let mut writer = Writer::create(&path)?;
    for row in rows.lines() {
        writer.write(&serde_json::from_str::<serde_json::Value>(row)?)?;
    }
    writer.finish()?;
    assert_eq!(piped(fs::read(path)?, true), (rows, Some(0)));
    Ok(())
}

fn a_reader_that_has_gone() {
    let rows = "{\"completion\": \"x\"}\n".repeat(50_000);
    assert_eq!(piped(rows.into(), false), (String::new(), Some(3)));
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
    Command::new(exe).env(KILLED, directory).spawn().unwrap()
}

fn killed(name: &str, seed: u64) -> Result<(), Failed> {
    let rows = common::lines(4000, |i| {
        format!("{{\"completion\": \"x\", \"answer\": {i}, \"group\": {}}}", i / 3)
    });
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
        child.kill().unwrap();
        kills += u64::from(!child.wait().unwrap().success());
        assert!(kills < 200, "the run makes no headway");
    }
    assert!(spawn(directory).wait()?.success());
    assert!(kills > 3, "killed only {kills} times: the job is too short to show anything");
    let left = fs::read_dir(directory)?.filter(|entry| {
        entry.as_ref().is_ok_and(|entry| entry.file_name().to_string_lossy().contains("partial"))
    });
    assert_eq!(left.count(), 0, "nothing else is left");
    if fs::read(&output)? != fs::read(&left_alone)? {
        return Err(format!("the output differs after {kills} kills").into());
    }
    Ok(())
}
