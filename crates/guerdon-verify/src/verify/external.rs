//! Provers that are programs of this machine, run in the sandbox.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use guerdon_core::Unscored;
use guerdon_sandbox::{
    Compare, Config, Limits, Runner, Sandbox, StdioCase, Task, TestOutcome, Tests,
};

/// How a prover is found and run.
#[derive(Debug, Clone)]
pub(super) struct Tool {
    /// The name of the prover, and the parameter that gives its path.
    pub(super) name: &'static str,
    /// Its path, or a name to look up.
    pub(super) program: PathBuf,
    /// How it is installed, for a machine that has none.
    pub(super) remedy: &'static str,
    /// The name of the file that it reads.
    pub(super) file: &'static str,
    /// The command line; `{program}` and `{file}` are filled in.
    pub(super) command: Vec<String>,
    /// Folders that it reads.
    pub(super) folders: Vec<PathBuf>,
    pub(super) limits: Limits,
    pub(super) unsafe_no_sandbox: bool,
}

/// What a prover said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// It ended well; what it wrote, at most 2000 bytes.
    Text(String),
    /// It ended with an error; the end of what it wrote.
    Error(String),
}

/// A prover whose sandbox starts with the first text that it reads.
#[derive(Debug)]
pub(super) struct Prover {
    tool: Tool,
    sandbox: OnceLock<Result<Sandbox, Unscored>>,
}

/// Where a program is: its path as given, or the first of that name on PATH.
fn find(program: &Path) -> Option<PathBuf> {
    let is_file = |path: &PathBuf| path.is_file();
    if program.components().count() > 1 {
        return Some(program.to_owned()).filter(is_file).and_then(|p| p.canonicalize().ok());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(is_file)
}

/// The folder that holds a program and what belongs to it; none for the system's own folders.
fn home(program: &Path) -> Option<PathBuf> {
    let real = program.canonicalize().ok()?;
    if ["/usr", "/bin", "/nix/store"].iter().any(|system| real.starts_with(system)) {
        return None;
    }
    let parent = real.parent()?;
    let home = if parent.ends_with("bin") { parent.parent()? } else { parent };
    (home != Path::new("/")).then(|| home.to_owned())
}

impl Prover {
    pub(super) fn new(tool: Tool) -> Self {
        Self { tool, sandbox: OnceLock::new() }
    }

    fn sandbox(&self) -> Result<&Sandbox, Unscored> {
        self.sandbox.get_or_init(|| self.start()).as_ref().map_err(Clone::clone)
    }

    fn start(&self) -> Result<Sandbox, Unscored> {
        let Tool { name, program, remedy, .. } = &self.tool;
        let found = find(program).ok_or_else(|| {
            Unscored::failed(format!(
                "`{}` was not found: {remedy}, or name its path in the parameter `{name}`",
                program.display()
            ))
        })?;
        let fill = |word: &String| word.replace("{program}", &found.display().to_string());
        let runner = Runner {
            file: self.tool.file.to_owned(),
            compile: Vec::new(),
            run: self.tool.command.iter().map(fill).collect(),
            prefix: Vec::new(),
            // Provers reserve more addresses than they use.
            address_space: false,
            memory_marks: ["out of memory", "memory limit"].map(str::to_owned).to_vec(),
        };
        let folders = self.tool.folders.iter().cloned().chain(home(&found));
        let config = Config {
            limits: self.tool.limits.clone(),
            read_only_paths: folders.collect(),
            runners: BTreeMap::from([((*name).to_owned(), runner)]),
            unsafe_no_sandbox: self.tool.unsafe_no_sandbox,
            ..Config::default()
        };
        Sandbox::new(config).map_err(|error| Unscored::failed(error.to_string()))
    }

    /// Runs the prover on a text.
    pub(super) fn run(&self, text: &str) -> Result<Said, Unscored> {
        let case = StdioCase { stdin: String::new(), stdout: String::new() };
        let tests =
            Tests::Stdio { cases: vec![case], compare: Compare::Lines, float_tolerance: None };
        let outcome = self.sandbox()?.run(&Task::new(self.tool.name, text, tests));
        let outcome = outcome.map_err(|error| Unscored::failed(error.to_string()))?;
        let limit = |what: &str| format!("{} was stopped: out of {what}", self.tool.name);
        match outcome.tests.into_iter().next() {
            Some(TestOutcome::Passed) => Ok(Said::Text(String::new())),
            Some(TestOutcome::WrongAnswer { detail }) => Ok(Said::Text(detail)),
            Some(TestOutcome::Exception { message }) => Ok(Said::Error(message)),
            Some(TestOutcome::Timeout) => Err(Unscored::timeout(limit("time"))),
            Some(TestOutcome::MemoryLimit) => Err(Unscored::budget(limit("memory"))),
            Some(TestOutcome::OutputLimit) => Ok(Said::Error("it wrote too much".to_owned())),
            Some(TestOutcome::Killed { signal }) => Ok(Said::Error(format!("signal {signal}"))),
            other => Err(Unscored::failed(format!("{}: {other:?}", self.tool.name))),
        }
    }
}
