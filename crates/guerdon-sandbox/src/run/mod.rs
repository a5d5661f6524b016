//! One task on one worker.

mod asserts;
mod calls;
mod program;

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::config::Limits;
use crate::error::Result;
use crate::outcome::{Outcome, TestOutcome, score};
use crate::runner::Toolchain;
use crate::task::{Scoring, Task, Tests};
use crate::watch::Watch;
use crate::wire;
use crate::worker::{Ended, Process, Worker};

/// A task in progress: its limits and what it has used.
pub(crate) struct Session<'a> {
    worker: &'a Worker,
    task: &'a Task,
    limits: &'a Limits,
    toolchain: Option<&'a Toolchain>,
    started: Instant,
    cpu_us: u64,
    peak_kb: u64,
}

/// Stack of the main thread. A program also gives it to each of its threads, so one with many
/// threads (V8) gets the usual size.
const DEEP_STACK: u64 = 64 << 20;
const USUAL_STACK: u64 = 8 << 20;

impl<'a> Session<'a> {
    pub(crate) fn new(
        worker: &'a Worker,
        task: &'a Task,
        limits: &'a Limits,
        toolchain: Option<&'a Toolchain>,
    ) -> Self {
        Self { worker, task, limits, toolchain, started: Instant::now(), cpu_us: 0, peak_kb: 0 }
    }

    /// Runs the tests. An error means that the worker must not be used again.
    pub(crate) fn judge(mut self) -> Result<Outcome> {
        let mut tests = match &self.task.tests {
            Tests::Asserts { asserts, setup, entry_point } => {
                self.asserts(&asserts[..self.considered()], setup, entry_point.as_deref())?
            }
            Tests::Check { code, entry_point } => {
                let call = format!("check({entry_point})");
                self.asserts(&[call], code, Some(entry_point))?
            }
            Tests::Stdio { cases, compare, float_tolerance } => {
                self.stdio(&cases[..self.considered()], *compare, *float_tolerance)?
            }
            Tests::Calls { function, cases, float_tolerance } => {
                self.calls(&cases[..self.considered()], function, *float_tolerance)?
            }
        };
        tests.resize(self.task.tests.len(), TestOutcome::NotRun);
        Ok(Outcome {
            score: score(self.task.scoring, &tests),
            tests,
            cpu_s: self.cpu_us as f64 / 1e6,
            wall_s: self.started.elapsed().as_secs_f64(),
            peak_kb: self.peak_kb,
        })
    }

    /// Two processes at the limit of one: a candidate and its judge.
    fn watch(&self) -> Watch {
        self.worker.watch(2 * self.limits.memory_mb * 1024)
    }

    fn considered(&self) -> usize {
        self.task.scoring.considered(self.task.tests.len())
    }

    /// Whether the outcomes so far decide the score.
    fn is_decided(&self, tests: &[TestOutcome]) -> bool {
        self.task.scoring == Scoring::AllOrNothing && tests.iter().any(|t| !t.is_passed())
    }

    /// The end of a test that starts now.
    fn test_deadline(&self) -> Instant {
        let test = Instant::now() + Duration::from_secs_f64(self.limits.wall_s);
        test.min(self.task_deadline())
    }

    fn task_deadline(&self) -> Instant {
        self.started + Duration::from_secs_f64(self.limits.total_wall_s)
    }

    fn is_over(&self) -> bool {
        Instant::now() >= self.task_deadline()
    }

    /// Starts a process for `job`; `fds` are what its role expects.
    fn spawn(&self, job: &Value, fds: &[BorrowedFd<'_>]) -> Result<Process> {
        let file = wire::memory_file("guerdon-job", job.to_string().as_bytes())?;
        let mut all = vec![std::os::fd::AsFd::as_fd(&file)];
        all.extend_from_slice(fds);
        self.worker.spawn(&all)
    }

    /// Kills a process if it still lives, waits for it and books what it used.
    fn finish(&mut self, process: &Process) -> Result<Ended> {
        process.kill();
        self.reap(process)
    }

    fn reap(&mut self, process: &Process) -> Result<Ended> {
        let ended = self.worker.reap(process)?;
        self.cpu_us += ended.cpu_us;
        self.peak_kb = self.peak_kb.max(ended.peak_kb);
        Ok(ended)
    }

    fn run_limits(&self) -> Value {
        let address_space = self.toolchain.is_none_or(|t| t.runner.address_space);
        json!({
            "cpu_s": self.limits.cpu_s,
            "file_bytes": self.limits.file_mb << 20,
            "open_files": self.limits.open_files,
            "stack_bytes": if address_space { DEEP_STACK } else { USUAL_STACK },
            "memory_bytes": self.limits.memory_mb << 20,
            "address_space": address_space,
            "processes": self.limits.processes,
        })
    }

    /// The part of a job that says what its three standard streams are: given, or /dev/null.
    fn job(role: &str, limits: &Value, streams: [bool; 3]) -> Value {
        let [stdin, stdout, stderr] = streams;
        json!({
            "role": role, "limits": limits,
            "stdin": stdin, "stdout": stdout, "stderr": stderr,
        })
    }

    /// The outcome of a process that ended by a signal which was not ours.
    fn signalled(&self, signal: i32, ended: &Ended) -> TestOutcome {
        let cpu_spent = ended.cpu_us as f64 >= 0.9e6 * self.limits.cpu_s as f64;
        match signal {
            libc::SIGXCPU => TestOutcome::Timeout,
            libc::SIGKILL if cpu_spent => TestOutcome::Timeout,
            libc::SIGXFSZ => TestOutcome::OutputLimit,
            _ => TestOutcome::Killed { signal },
        }
    }
}
