//! Whole programs: stdin in, stdout out, and the comparison here, where no run can reach.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::io::Errno;
use serde_json::{Value, json};

use super::Session;
use crate::compare::same_output;
use crate::error::Result;
use crate::host::environment;
use crate::outcome::{TestOutcome, head, tail};
use crate::runner::{BINARY, Toolchain};
use crate::task::{Compare, StdioCase};
use crate::watch::Watch;
use crate::wire;
use crate::worker::{Ended, Process};

/// What a program wrote and how it ended.
struct Finished {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    ended: Ended,
    cut: Option<Cut>,
}

/// Why the runner ended a program.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    Time,
    Output,
    Memory,
}

const MAX_STDERR: usize = 64 << 10;

impl Session<'_> {
    pub(super) fn stdio(
        &mut self,
        cases: &[StdioCase],
        compare: Compare,
        tolerance: Option<f64>,
    ) -> Result<Vec<TestOutcome>> {
        let binary = match self.toolchain {
            Some(chain) => match self.compile(chain)? {
                Ok(binary) => binary,
                Err(outcome) => return Ok(vec![outcome; cases.len()]),
            },
            None => None,
        };
        let mut tests = Vec::with_capacity(cases.len());
        for case in cases {
            if self.is_decided(&tests) {
                break;
            }
            let outcome = if self.is_over() {
                TestOutcome::Timeout
            } else {
                self.stdio_case(case, binary.as_ref(), compare, tolerance)?
            };
            tests.push(outcome);
        }
        Ok(tests)
    }

    fn stdio_case(
        &mut self,
        case: &StdioCase,
        binary: Option<&OwnedFd>,
        compare: Compare,
        tolerance: Option<f64>,
    ) -> Result<TestOutcome> {
        let job = self.program_job();
        let finished = self.run(&job, case.stdin.as_bytes(), binary, self.test_deadline())?;
        if let Some(failure) = self.failure(&finished) {
            return Ok(failure);
        }
        if same_output(&finished.stdout, case.stdout.as_bytes(), compare, tolerance) {
            return Ok(TestOutcome::Passed);
        }
        Ok(TestOutcome::WrongAnswer { detail: head(&finished.stdout) })
    }

    fn program_job(&self) -> Value {
        let role = if self.toolchain.is_some() { "exec" } else { "program" };
        let mut job = Self::job(role, &self.run_limits(), [true; 3]);
        job["source"] = self.task.source.as_str().into();
        match self.toolchain {
            None => job["prelude"] = self.task.prelude.as_str().into(),
            Some(chain) => {
                job["file"] = chain.source_path().into();
                job["binary"] = BINARY.into();
                job["command"] = json!(chain.run);
                job["env"] = environment();
            }
        }
        job
    }

    /// The compiled program, `None` where the language has no compiler, or why there is none.
    fn compile(&mut self, chain: &Toolchain) -> Result<Result<Option<OwnedFd>, TestOutcome>> {
        let Some(command) = &chain.compile else {
            return Ok(Ok(None));
        };
        let mut job = Self::job("compile", &self.compile_limits(), [false, true, true]);
        job["source"] = self.task.source.as_str().into();
        job["file"] = chain.source_path().into();
        job["binary"] = BINARY.into();
        job["command"] = json!(command);
        job["env"] = environment();
        let binary = wire::memory_file("guerdon-binary", b"")?;
        let wall = Duration::from_secs_f64(self.limits.compile_wall_s);
        let deadline = (Instant::now() + wall).min(self.task_deadline());
        let finished = self.run(&job, b"", Some(&binary), deadline)?;
        if finished.cut.is_some() || !finished.ended.status.success() {
            let said = [finished.stdout, finished.stderr].concat();
            let message = match finished.cut {
                Some(Cut::Time) => "the compiler ran out of time".to_owned(),
                Some(Cut::Output) => "the compiler wrote too much".to_owned(),
                Some(Cut::Memory) => "the compiler ran out of memory".to_owned(),
                None => tail(&said),
            };
            return Ok(Err(TestOutcome::CompileError { message }));
        }
        wire::seal(&binary)?;
        Ok(Ok(Some(binary)))
    }

    fn compile_limits(&self) -> Value {
        let mut limits = self.run_limits();
        // Processor time is bounded by the wall, which the runner keeps; this is for its end.
        limits["cpu_s"] = json!(Duration::from_secs_f64(self.limits.compile_wall_s).as_secs() + 1);
        limits["file_bytes"] = json!(self.limits.file_mb.max(256) << 20);
        limits["memory_bytes"] = json!(self.limits.memory_mb.max(2048) << 20);
        limits["processes"] = json!(self.limits.processes.max(64));
        limits["open_files"] = json!(self.limits.open_files.max(256));
        limits
    }

    fn run(
        &mut self,
        job: &Value,
        stdin: &[u8],
        binary: Option<&OwnedFd>,
        deadline: Instant,
    ) -> Result<Finished> {
        let input = wire::memory_file("guerdon-stdin", stdin)?;
        let (stdout, their_stdout) = wire::output_pipe()?;
        let (stderr, their_stderr) = wire::output_pipe()?;
        let mut fds = Vec::new();
        if job["stdin"] == true {
            fds.push(input.as_fd());
        }
        fds.extend([their_stdout.as_fd(), their_stderr.as_fd()]);
        fds.extend(binary.map(AsFd::as_fd));
        if let Some(binary) = binary {
            wire::rewind(binary)?;
        }
        let process = self.spawn(job, &fds)?;
        self.worker.prepare(1)?;
        drop((their_stdout, their_stderr));
        let limit = usize::try_from(self.limits.output_kb << 10).unwrap_or(usize::MAX);
        let mut output = Output { pipes: [Some(stdout), Some(stderr)], ..Output::default() };
        let memory = job["limits"]["memory_bytes"].as_u64().unwrap_or_default();
        let mut watch = self.worker.watch(2 * (memory >> 10));
        let cut = output.collect(&process, limit, deadline, &mut watch)?;
        let ended = self.finish(&process)?;
        let [stdout, stderr] = output.bytes;
        Ok(Finished { stdout, stderr, ended, cut })
    }

    /// Why a program earns nothing whatever it wrote.
    fn failure(&self, finished: &Finished) -> Option<TestOutcome> {
        match finished.cut {
            Some(Cut::Time) => return Some(TestOutcome::Timeout),
            Some(Cut::Output) => return Some(TestOutcome::OutputLimit),
            Some(Cut::Memory) => return Some(TestOutcome::MemoryLimit),
            None => {}
        }
        let status = finished.ended.status;
        let message = tail(&finished.stderr);
        if status.success() {
            None
        } else if self.ran_out_of_memory(&message) {
            Some(TestOutcome::MemoryLimit)
        } else if let Some(signal) = status.signal() {
            Some(self.signalled(signal, &finished.ended))
        } else if message.is_empty() {
            let code = status.code().unwrap_or_default();
            Some(TestOutcome::Exception { message: format!("exit code {code}") })
        } else {
            Some(TestOutcome::Exception { message })
        }
    }

    fn ran_out_of_memory(&self, stderr: &str) -> bool {
        match self.toolchain {
            Some(chain) => chain.ran_out_of_memory(stderr),
            None => stderr.lines().last().is_some_and(|line| line.starts_with("MemoryError")),
        }
    }
}

/// What has been read of the two output pipes; a pipe is dropped at its end.
#[derive(Default)]
struct Output {
    pipes: [Option<OwnedFd>; 2],
    bytes: [Vec<u8>; 2],
    total: usize,
}

impl Output {
    /// Reads until the process has ended, or says why it must be ended.
    fn collect(
        &mut self,
        process: &Process,
        limit: usize,
        deadline: Instant,
        watch: &mut Watch,
    ) -> Result<Option<Cut>> {
        loop {
            let mut watched = vec![(process.end(), PollFlags::IN)];
            watched.extend(self.pipes.iter().flatten().map(|fd| (fd.as_fd(), PollFlags::IN)));
            let ready = wire::wait_for(&watched, deadline.min(watch.next()))?;
            if watch.is_over() {
                return Ok(Some(Cut::Memory));
            }
            if Instant::now() >= deadline {
                return Ok(Some(Cut::Time));
            }
            self.read_available(limit);
            if self.total > limit {
                return Ok(Some(Cut::Output));
            }
            if ready.contains(&0) {
                return Ok(None);
            }
        }
    }

    fn read_available(&mut self, limit: usize) {
        for i in 0..2 {
            while self.total <= limit && self.read_once(i) {}
        }
    }

    /// Whether there may be more to read at once.
    fn read_once(&mut self, i: usize) -> bool {
        let Some(pipe) = &self.pipes[i] else { return false };
        let mut buffer = [0; 16 << 10];
        match rustix::io::read(pipe, &mut buffer) {
            Ok(n) if n > 0 => {
                self.total += n;
                self.bytes[i].extend_from_slice(&buffer[..n]);
                if i == 1 {
                    keep_end(&mut self.bytes[1]);
                }
                true
            }
            Err(Errno::INTR) => true,
            Err(Errno::AGAIN) => false,
            Ok(_) | Err(_) => {
                self.pipes[i] = None;
                false
            }
        }
    }
}

fn keep_end(bytes: &mut Vec<u8>) {
    if bytes.len() > 2 * MAX_STDERR {
        bytes.drain(..bytes.len() - MAX_STDERR);
    }
}
