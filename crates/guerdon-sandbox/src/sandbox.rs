//! The pool of warm interpreters, and the entry points of the crate.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::config::{Config, Limits};
use crate::error::{Error, Result};
use crate::host::{Host, Isolation};
use crate::outcome::Outcome;
use crate::probe::{self, Report};
use crate::run::Session;
use crate::runner::{Runner, Toolchain, builtin};
use crate::task::Task;
use crate::worker::Worker;

/// Runs untrusted code in isolation and judges it by tests.
///
/// One sandbox serves a whole process; it is `Sync`, and keeps its interpreters warm until it is
/// dropped. Dropping it, or the end of this process however it comes, ends everything it started.
#[derive(Debug)]
pub struct Sandbox {
    host: Host,
    limits: Limits,
    runners: BTreeMap<String, Runner>,
    toolchains: Mutex<BTreeMap<String, Toolchain>>,
    size: usize,
    pool: Mutex<Pool>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct Pool {
    busy: usize,
    idle: BTreeMap<String, Vec<Worker>>,
}

impl Sandbox {
    /// A sandbox whose first interpreter has started, so that this machine is known to isolate.
    ///
    /// Errors: [`Error::is_unavailable`] where it does not, unless
    /// [`Config::unsafe_no_sandbox`] is set; [`Error::is_task`] for a limit out of range.
    pub fn new(config: Config) -> Result<Self> {
        config.validate()?;
        let host = Host::detect(&config)?;
        let sandbox = Self {
            size: config.worker_count(),
            limits: config.limits,
            runners: config.runners,
            toolchains: Mutex::default(),
            pool: Mutex::default(),
            freed: Condvar::new(),
            host,
        };
        sandbox.with_first_worker(config.unsafe_no_sandbox)
    }

    fn with_first_worker(mut self, allow_unsafe: bool) -> Result<Self> {
        let worker = match self.start_checked() {
            Err(_) if allow_unsafe => {
                self.host = self.host.unisolated();
                Worker::start(&self.host, &[])?
            }
            result => result?,
        };
        lock(&self.pool).idle.insert("python".to_owned(), vec![worker]);
        Ok(self)
    }

    fn start_checked(&self) -> Result<Worker> {
        let worker = Worker::start(&self.host, &[])?;
        if self.is_isolated() {
            probe::observe(&worker, &self.limits)?.require()?;
        }
        Ok(worker)
    }

    /// What isolation this machine allows, found by trying it.
    pub fn probe(config: &Config) -> Report {
        Report::of(config)
    }

    /// Whether runs are isolated; false only with [`Config::unsafe_no_sandbox`].
    pub fn is_isolated(&self) -> bool {
        *self.host.isolation() != Isolation::None
    }

    /// The most runs at the same time.
    pub fn workers(&self) -> usize {
        self.size
    }

    /// Runs the tests of `task` on its code. Waits while all workers are busy.
    ///
    /// What the code does is an [`Outcome`]. Errors: the task is invalid, the language's tools
    /// are missing, or the machine failed twice to run it.
    pub fn run(&self, task: &Task) -> Result<Outcome> {
        task.validate()?;
        let toolchain = self.toolchain(&task.language)?;
        let limits = task.limits.as_ref().unwrap_or(&self.limits);
        let _permit = self.permit();
        let idle = lock(&self.pool).idle.get_mut(&task.language).and_then(Vec::pop);
        match self.attempt(idle, task, toolchain.as_ref(), limits) {
            Err(e) if !e.is_task() => self.attempt(None, task, toolchain.as_ref(), limits),
            result => result,
        }
    }

    /// [`run`](Self::run) on every task, as many at a time as there are workers. Results are in
    /// the order of the tasks.
    pub fn run_many(&self, tasks: &[Task]) -> Vec<Result<Outcome>> {
        let next = AtomicUsize::new(0);
        let results: Vec<Mutex<Option<Result<Outcome>>>> =
            tasks.iter().map(|_| Mutex::new(None)).collect();
        std::thread::scope(|scope| {
            for _ in 0..self.size.min(tasks.len()) {
                scope.spawn(|| {
                    while let Some(i) = claim(&next, tasks.len()) {
                        *lock(&results[i]) = Some(self.run(&tasks[i]));
                    }
                });
            }
        });
        results.into_iter().map(finished).collect()
    }

    /// A worker is put back only when its run ended in order; any other is ended.
    fn attempt(
        &self,
        idle: Option<Worker>,
        task: &Task,
        toolchain: Option<&Toolchain>,
        limits: &Limits,
    ) -> Result<Outcome> {
        let worker = match idle {
            Some(worker) => worker,
            None => Worker::start(&self.host, &binds(toolchain))?,
        };
        let outcome = Session::new(&worker, task, limits, toolchain).judge();
        if outcome.as_ref().map_or_else(Error::is_task, |_| true) {
            lock(&self.pool).idle.entry(task.language.clone()).or_default().push(worker);
        }
        outcome
    }

    fn toolchain(&self, language: &str) -> Result<Option<Toolchain>> {
        if language == "python" {
            return Ok(None);
        }
        if let Some(found) = lock(&self.toolchains).get(language) {
            return Ok(Some(found.clone()));
        }
        let runner = self.runners.get(language).cloned().or_else(|| builtin(language));
        let runner = runner.ok_or_else(|| self.unknown(language))?;
        let toolchain = Toolchain::resolve(&runner)?;
        lock(&self.toolchains).insert(language.to_owned(), toolchain.clone());
        Ok(Some(toolchain))
    }

    fn unknown(&self, language: &str) -> Error {
        let mut names = vec!["python"];
        names.extend(crate::runner::builtin_languages());
        names.extend(self.runners.keys().map(String::as_str));
        Error::task(format!(
            "the language `{language}` has no runner; there are {}",
            names.join(", ")
        ))
    }

    fn permit(&self) -> Permit<'_> {
        let mut pool = lock(&self.pool);
        while pool.busy >= self.size {
            pool = self.freed.wait(pool).unwrap_or_else(PoisonError::into_inner);
        }
        pool.busy += 1;
        Permit { sandbox: self }
    }

    /// The host's ids of the processes that hold idle interpreters.
    pub fn idle_workers(&self) -> Vec<u32> {
        lock(&self.pool).idle.values().flatten().map(Worker::id).collect()
    }
}

/// The right to run; given back when dropped.
struct Permit<'a> {
    sandbox: &'a Sandbox,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        lock(&self.sandbox.pool).busy -= 1;
        self.sandbox.freed.notify_one();
    }
}

fn binds(toolchain: Option<&Toolchain>) -> Vec<PathBuf> {
    toolchain.map(|t| t.binds.clone()).unwrap_or_default()
}

fn claim(next: &AtomicUsize, end: usize) -> Option<usize> {
    let i = next.fetch_add(1, Ordering::Relaxed);
    (i < end).then_some(i)
}

fn finished(slot: Mutex<Option<Result<Outcome>>>) -> Result<Outcome> {
    slot.into_inner()
        .unwrap_or_else(PoisonError::into_inner)
        .unwrap_or_else(|| Err(Error::machinery("running many tasks", "one was not reached")))
}

/// No code that holds these locks can leave their data half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
