//! Shared by the tests: one sandbox per test program, and a skip where this machine has none.

#![allow(dead_code, reason = "each test program uses a part")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::sync::OnceLock;

use guerdon_sandbox::{
    CallCase, Compare, Config, Limits, Sandbox, StdioCase, Task, TestOutcome, Tests,
};
use serde_json::Value;

/// The sandbox of the test program; `None`, with a message, where isolation is not available.
pub(crate) fn sandbox() -> Option<&'static Sandbox> {
    static SANDBOX: OnceLock<Option<Sandbox>> = OnceLock::new();
    SANDBOX.get_or_init(|| start(config())).as_ref()
}

pub(crate) fn config() -> Config {
    Config { workers: 2, limits: limits(), ..Config::default() }
}

/// Long enough that honest work passes on a busy machine.
pub(crate) fn limits() -> Limits {
    Limits {
        wall_s: 15.0,
        cpu_s: 15,
        total_wall_s: 300.0,
        compile_wall_s: 120.0,
        memory_mb: 256,
        ..Limits::default()
    }
}

/// The same task with little time, for code that is expected to use it up.
pub(crate) fn quick(task: Task) -> Task {
    Task { limits: Some(Limits { wall_s: 0.8, cpu_s: 1, ..limits() }), ..task }
}

pub(crate) fn start(config: Config) -> Option<Sandbox> {
    match Sandbox::new(config) {
        Ok(sandbox) => Some(sandbox),
        Err(e) if e.is_unavailable() && std::env::var_os("GUERDON_REQUIRE_SANDBOX").is_none() => {
            eprintln!("skipped: {e}");
            None
        }
        Err(e) => panic!("{e}"),
    }
}

pub(crate) fn asserts(source: &str, asserts: &[&str]) -> Task {
    let asserts = asserts.iter().map(|&a| a.to_owned()).collect();
    Task::python(source, Tests::Asserts { asserts, setup: String::new(), entry_point: None })
}

pub(crate) fn check(source: &str, code: &str, entry_point: &str) -> Task {
    let tests = Tests::Check { code: code.into(), entry_point: entry_point.into() };
    Task::python(source, tests)
}

pub(crate) fn stdio(language: &str, source: &str, pairs: &[(&str, &str)]) -> Task {
    let case = |&(stdin, stdout): &(&str, &str)| StdioCase {
        stdin: stdin.to_owned(),
        stdout: stdout.to_owned(),
    };
    let cases = pairs.iter().map(case).collect();
    Task::new(
        language,
        source,
        Tests::Stdio { cases, compare: Compare::Lines, float_tolerance: None },
    )
}

pub(crate) fn calls(source: &str, function: &str, pairs: &[(&str, &str)]) -> Task {
    let parse = |text: &str| serde_json::from_str::<Value>(text).expect("the test is JSON");
    let case = |&(args, expected): &(&str, &str)| CallCase {
        args: serde_json::from_str(args).expect("the test is JSON"),
        expected: parse(expected),
    };
    let cases = pairs.iter().map(case).collect();
    Task::python(source, Tests::Calls { function: function.into(), cases, float_tolerance: None })
}

/// One letter per outcome, so that an expectation is a short text.
pub(crate) fn letters(outcomes: &[TestOutcome]) -> String {
    outcomes
        .iter()
        .map(|outcome| match outcome {
            TestOutcome::Passed => 'P',
            TestOutcome::WrongAnswer { .. } => 'W',
            TestOutcome::Exception { .. } => 'E',
            TestOutcome::Timeout => 'T',
            TestOutcome::MemoryLimit => 'M',
            TestOutcome::OutputLimit => 'O',
            TestOutcome::Killed { .. } => 'K',
            TestOutcome::CompileError { .. } => 'C',
            TestOutcome::Violation { .. } => 'V',
            TestOutcome::NotRun => '-',
        })
        .collect()
}
