//! How a sandbox is set up, and the limits of a run.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::runner::Runner;

/// The set-up of a [`Sandbox`](crate::Sandbox). Every field has a default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Runs at the same time, and warm interpreters at most. 0 (default): two per available core,
    /// since a run also waits, for the kernel to make and end its processes.
    #[schemars(range(max = 1024))]
    pub workers: usize,
    /// Limits of every run whose task names none.
    pub limits: Limits,
    /// Python interpreter, 3.8 or later. Default: `python3` on PATH. Its installed packages can
    /// be imported; code that `.pth` files would run at its start is not run.
    pub python: Option<PathBuf>,
    /// The `bwrap` program. Default: on PATH.
    pub bwrap: Option<PathBuf>,
    /// Python modules that the warm interpreters import before any run. Each makes a fork a
    /// little dearer and its import free. Default: the common ones of the standard library.
    pub preload: Vec<String>,
    /// Host directories that runs may read besides the system's own, at the same path. Whatever
    /// they hold can be read by untrusted code. Default: none.
    pub read_only_paths: Vec<PathBuf>,
    /// Languages by name, besides the built-in ones (`python`, `cpp`, `rust`, `javascript`,
    /// `bash`); an entry of the same name replaces a built-in one, except `python`.
    pub runners: BTreeMap<String, Runner>,
    /// Size of the private /tmp of a run, in MiB, 1 to 65536. Default 64.
    #[schemars(range(min = 1, max = 65_536))]
    pub tmp_mb: u64,
    /// Run untrusted code without isolation where the kernel or `bwrap` does not allow it: with
    /// the rights of this process, the network included, only with resource limits. Default false.
    pub unsafe_no_sandbox: bool,
}

const PRELOAD: [&str; 19] = [
    "bisect",
    "copy",
    "dataclasses",
    "enum",
    "functools",
    "heapq",
    "itertools",
    "math",
    "operator",
    "re",
    "string",
    "typing",
    "statistics",
    "io",
    "abc",
    "contextlib",
    "fractions",
    "decimal",
    "traceback",
];

impl Default for Config {
    fn default() -> Self {
        Self {
            workers: 0,
            limits: Limits::default(),
            python: None,
            bwrap: None,
            preload: PRELOAD.map(str::to_owned).to_vec(),
            read_only_paths: Vec::new(),
            runners: BTreeMap::new(),
            tmp_mb: 64,
            unsafe_no_sandbox: false,
        }
    }
}

impl Config {
    pub(crate) fn validate(&self) -> Result<()> {
        in_range("workers", self.workers as f64, 0.0, 1024.0)?;
        in_range("tmp_mb", self.tmp_mb as f64, 1.0, 65_536.0)?;
        self.limits.validate()
    }

    pub(crate) fn worker_count(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        if self.workers == 0 { 2 * cores() } else { self.workers }
    }
}

/// What one run may use. The run ends, with every process it started, at the first limit it meets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Wall time of one test, in seconds, 0.01 to 3600. Loading the code counts as a test of its
    /// own. Default 6.
    #[schemars(range(min = 0.01, max = 3600.0))]
    pub wall_s: f64,
    /// Processor time of one process, in whole seconds, 1 to 3600. Default 6. A process serves
    /// all assert or call tests of a task, and one stdin test.
    #[schemars(range(min = 1, max = 3600))]
    pub cpu_s: u64,
    /// Wall time of all tests of a task together, in seconds, 0.01 to 86400. Default 60.
    #[schemars(range(min = 0.01, max = 86_400.0))]
    pub total_wall_s: f64,
    /// Wall time of compiling, in seconds, 0.01 to 3600. Default 30.
    #[schemars(range(min = 0.01, max = 3600.0))]
    pub compile_wall_s: f64,
    /// Memory of one process, in MiB, 32 to 1048576. All processes of a run together may hold
    /// twice as much; this is looked at every 50 ms. Default 512.
    #[schemars(range(min = 32, max = 1_048_576))]
    pub memory_mb: u64,
    /// Processes and threads of a run at the same time, 1 to 65536. Default 64.
    #[schemars(range(min = 1, max = 65_536))]
    pub processes: u64,
    /// Size of one file that a run writes, in MiB, 0 to 65536. Default 16.
    #[schemars(range(max = 65_536))]
    pub file_mb: u64,
    /// Open files of one process, 16 to 65536. Default 128.
    #[schemars(range(min = 16, max = 65_536))]
    pub open_files: u64,
    /// Bytes of stdout and stderr together, in KiB, 1 to 1048576. Default 4096.
    #[schemars(range(min = 1, max = 1_048_576))]
    pub output_kb: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            wall_s: 6.0,
            cpu_s: 6,
            total_wall_s: 60.0,
            compile_wall_s: 30.0,
            memory_mb: 512,
            processes: 64,
            file_mb: 16,
            open_files: 128,
            output_kb: 4096,
        }
    }
}

impl Limits {
    pub(crate) fn validate(&self) -> Result<()> {
        in_range("wall_s", self.wall_s, 0.01, 3600.0)?;
        in_range("cpu_s", self.cpu_s as f64, 1.0, 3600.0)?;
        in_range("total_wall_s", self.total_wall_s, 0.01, 86_400.0)?;
        in_range("compile_wall_s", self.compile_wall_s, 0.01, 3600.0)?;
        in_range("memory_mb", self.memory_mb as f64, 32.0, 1_048_576.0)?;
        in_range("processes", self.processes as f64, 1.0, 65_536.0)?;
        in_range("file_mb", self.file_mb as f64, 0.0, 65_536.0)?;
        in_range("open_files", self.open_files as f64, 16.0, 65_536.0)?;
        in_range("output_kb", self.output_kb as f64, 1.0, 1_048_576.0)
    }
}

pub(crate) fn in_range(name: &str, value: f64, low: f64, high: f64) -> Result<()> {
    if value >= low && value <= high {
        return Ok(());
    }
    Err(Error::task(format!("`{name}` is {value}; it must be from {low} to {high}")))
}
