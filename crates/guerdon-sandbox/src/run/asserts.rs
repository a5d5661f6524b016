//! Tests written in Python: a judge's process executes them and calls the candidate's process for
//! every value.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Session;
use crate::error::{Error, Result};
use crate::outcome::TestOutcome;
use crate::wire::{self, Received};
use crate::worker::{Ended, KeptJudge, Process};

/// How long a judge may take to notice that its candidate was ended.
const GRACE: Duration = Duration::from_millis(500);

/// After so many runs a kept judge is replaced.
const KEPT_FOR: u32 = 500;
/// More than its runs can need; each run's time is kept by this process.
const KEPT_CPU_S: u64 = 3600;

/// A judge, its candidate, and the channel by which the judge alone reports.
struct Pair {
    judge: Process,
    candidate: Process,
    verdicts: OwnedFd,
    /// How many runs the judge has served, if it is one that is kept.
    kept: Option<Kept>,
}

/// How many runs a kept judge has served, and its limits.
struct Kept {
    runs: u32,
    limits: Value,
}

/// Whether a judge that is kept is worth a try; the judge itself decides.
fn looks_simple(test: &str) -> bool {
    let test = test.trim();
    test.starts_with("assert")
        && !test.contains('\n')
        && !["lambda", "import", " for "].iter().any(|word| test.contains(word))
}

/// A report of the judge.
#[derive(Debug)]
struct Verdict {
    index: usize,
    status: String,
    message: String,
}

/// What ended the work of a pair.
enum Stop {
    /// Every test has its outcome.
    Done,
    /// The tests need a judge of their own.
    NotSimple,
    /// A test does not compile.
    Invalid(String),
    /// This test ended it; its outcome is known once the processes are.
    Here(Why),
    /// The code could not be loaded, or the tests' set-up failed on it: no test can pass.
    Everything(Why),
}

enum Why {
    Outcome(TestOutcome),
    /// The candidate's process ended.
    Gone,
    /// The judge's process ended without a word.
    JudgeGone,
}

impl Session<'_> {
    pub(super) fn asserts(
        &mut self,
        tests: &[String],
        setup: &str,
        entry_point: Option<&str>,
    ) -> Result<Vec<TestOutcome>> {
        let mut outcomes = Vec::with_capacity(tests.len());
        let mut may_be_kept = setup.is_empty() && tests.iter().all(|t| looks_simple(t));
        while outcomes.len() < tests.len() && !self.is_decided(&outcomes) {
            if self.is_over() {
                outcomes.push(TestOutcome::Timeout);
                continue;
            }
            let job = json!({
                "setup": setup, "tests": tests, "entry": entry_point, "start": outcomes.len(),
                "kept": may_be_kept,
            });
            let pair = self.start_pair(job, may_be_kept)?;
            let stop = self.follow(&pair, tests.len(), &mut outcomes)?;
            if matches!(stop, Stop::Done) && outcomes.len() == tests.len() && pair.kept.is_some() {
                self.keep(pair)?;
                break;
            }
            pair.judge.kill();
            pair.candidate.kill();
            let judge = self.reap(&pair.judge)?;
            let candidate = self.reap(&pair.candidate)?;
            match stop {
                Stop::Done => {}
                Stop::NotSimple => may_be_kept = false,
                Stop::Invalid(message) => return Err(Error::task(format!("a test: {message}"))),
                Stop::Here(why) => outcomes.push(self.explain(why, &candidate, &judge)),
                Stop::Everything(why) => {
                    let outcome = self.explain(why, &candidate, &judge);
                    outcomes.resize(tests.len(), outcome);
                }
            }
        }
        Ok(outcomes)
    }

    /// Ends the candidate and puts the judge back; its tests have all reported.
    fn keep(&mut self, pair: Pair) -> Result<()> {
        self.finish(&pair.candidate)?;
        match pair.kept {
            Some(Kept { runs, limits }) if runs < KEPT_FOR => {
                let Pair { judge: process, verdicts, .. } = pair;
                self.worker.keep_judge(KeptJudge { process, verdicts, runs: runs + 1, limits });
            }
            _ => {
                self.finish(&pair.judge)?;
            }
        }
        Ok(())
    }

    fn kept_judge(&mut self) -> Result<KeptJudge> {
        let mut limits = self.run_limits();
        limits["cpu_s"] = json!(KEPT_CPU_S);
        if let Some(judge) = self.worker.take_judge() {
            if judge.limits == limits {
                return Ok(judge);
            }
            self.finish(&judge.process)?;
        }
        let (verdicts, reports) = wire::stream_pair()?;
        let job = Self::job("kept_judge", &limits, [false; 3]);
        let process = self.spawn(&job, &[reports.as_fd()])?;
        Ok(KeptJudge { process, verdicts, runs: 0, limits })
    }

    fn start_pair(&mut self, tests: Value, kept: bool) -> Result<Pair> {
        let (ours, theirs) = wire::stream_pair()?;
        let candidate = self.spawn(&self.serve_job(), &[theirs.as_fd()])?;
        if kept {
            let judge = self.kept_judge()?;
            let work = wire::memory_file("guerdon-tests", tests.to_string().as_bytes())?;
            wire::send_with_fds(&judge.verdicts, b"J", &[work.as_fd(), ours.as_fd()])?;
            self.worker.prepare(1)?;
            let KeptJudge { process: judge, verdicts, runs, limits } = judge;
            return Ok(Pair { judge, candidate, verdicts, kept: Some(Kept { runs, limits }) });
        }
        let (verdicts, reports) = wire::stream_pair()?;
        let mut job = Self::job("judge", &self.run_limits(), [false; 3]);
        if let (Value::Object(job), Value::Object(tests)) = (&mut job, tests) {
            job.extend(tests);
        }
        let judge = self.spawn(&job, &[ours.as_fd(), reports.as_fd()])?;
        self.worker.prepare(2)?;
        Ok(Pair { judge, candidate, verdicts, kept: None })
    }

    pub(super) fn serve_job(&self) -> Value {
        let mut job = Self::job("serve", &self.run_limits(), [false; 3]);
        job["source"] = self.task.source.as_str().into();
        job["prelude"] = self.task.prelude.as_str().into();
        job
    }

    /// Collects verdicts until one of them, or time, ends the pair's work.
    fn follow(&self, pair: &Pair, total: usize, outcomes: &mut Vec<TestOutcome>) -> Result<Stop> {
        let mut loaded = false;
        let mut watch = self.watch();
        loop {
            if outcomes.len() == total || self.is_decided(outcomes) {
                return Ok(Stop::Done);
            }
            let next = outcomes.len();
            let stop_here = |why| if loaded { Stop::Here(why) } else { Stop::Everything(why) };
            let verdict = match wire::receive(&pair.verdicts, self.test_deadline(), &mut watch)? {
                Received::Message(message) => Verdict::read(&message)?,
                Received::Late => {
                    pair.candidate.kill();
                    // The judge is given the time to end by itself; what it says counts no more.
                    wire::receive(&pair.verdicts, Instant::now() + GRACE, &mut watch)?;
                    return Ok(stop_here(Why::Outcome(TestOutcome::Timeout)));
                }
                Received::Heavy => {
                    return Ok(stop_here(Why::Outcome(TestOutcome::MemoryLimit)));
                }
                _ => return Ok(stop_here(Why::JudgeGone)),
            };
            match verdict.status.as_str() {
                "loaded" => loaded = true,
                "not-simple" => return Ok(Stop::NotSimple),
                "bad" => return Ok(Stop::Invalid(verdict.message)),
                "passed" if verdict.index == next => outcomes.push(TestOutcome::Passed),
                status => match verdict.failure(status)? {
                    Scope::All(why) => return Ok(Stop::Everything(why)),
                    Scope::Test(Why::Outcome(outcome)) if !verdict.is_final() => {
                        outcomes.push(outcome);
                    }
                    Scope::Test(why) => return Ok(Stop::Here(why)),
                },
            }
        }
    }

    fn explain(&self, why: Why, candidate: &Ended, judge: &Ended) -> TestOutcome {
        match why {
            Why::Outcome(outcome) => outcome,
            Why::Gone => self.ended_early(candidate),
            Why::JudgeGone => match judge.status.signal() {
                Some(signal) => self.signalled(signal, judge),
                None => TestOutcome::Exception { message: "the test ended its judge".to_owned() },
            },
        }
    }

    /// The outcome of a candidate that ended before its answer.
    pub(super) fn ended_early(&self, ended: &Ended) -> TestOutcome {
        if let Some(signal) = ended.status.signal().filter(|&s| s != libc::SIGKILL) {
            return self.signalled(signal, ended);
        }
        let spent = ended.cpu_us as f64 >= 0.9e6 * self.limits.cpu_s as f64;
        match ended.status.code() {
            _ if spent => TestOutcome::Timeout,
            Some(code) => TestOutcome::Exception {
                message: format!("the code ended its process with exit code {code}"),
            },
            None => TestOutcome::Exception {
                message: "the code closed its channel before it answered".to_owned(),
            },
        }
    }
}

enum Scope {
    Test(Why),
    All(Why),
}

impl Verdict {
    fn read(message: &Value) -> Result<Self> {
        let text = |key: &str| message[key].as_str().map(str::to_owned);
        let index = message["i"].as_u64().and_then(|i| usize::try_from(i).ok());
        match (index, text("s"), text("m")) {
            (Some(index), Some(status), Some(message)) => Ok(Self { index, status, message }),
            _ => Err(Error::machinery("reading a verdict", "it is malformed")),
        }
    }

    /// Whether the judge ends after this verdict.
    fn is_final(&self) -> bool {
        matches!(self.status.as_str(), "gone" | "violation" | "oversize" | "memory-client")
    }

    fn failure(&self, status: &str) -> Result<Scope> {
        let (all, status) = match status.split_once('-') {
            Some(("load" | "setup", rest)) => (true, rest),
            _ => (false, status),
        };
        let message = self.message.clone();
        let why = match status {
            "failed" => Why::Outcome(TestOutcome::WrongAnswer { detail: message }),
            "error" if message.starts_with("MemoryError") => Why::Outcome(TestOutcome::MemoryLimit),
            "error" => Why::Outcome(TestOutcome::Exception { message }),
            "memory" | "memory-client" => Why::Outcome(TestOutcome::MemoryLimit),
            "oversize" => Why::Outcome(TestOutcome::OutputLimit),
            "violation" => Why::Outcome(TestOutcome::Violation { message }),
            "gone" => Why::Gone,
            _ => return Err(Error::machinery("reading a verdict", "its status is unknown")),
        };
        Ok(if all { Scope::All(why) } else { Scope::Test(why) })
    }
}
