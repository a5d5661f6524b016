//! Languages besides Python: how their code is compiled and run.

use std::path::{Path, PathBuf};
use std::process::Command;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// How code of one language is compiled and run, inside the sandbox.
///
/// In the commands, `{file}` is the path of the source, `{bin}` that of the compiled program and
/// `{prefix}` what the prefix command printed. The first word is looked up on the host's PATH.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Runner {
    /// File name of the source, such as `main.cpp`.
    pub file: String,
    /// Compile command; it must write `{bin}`. Default: none, the source is interpreted.
    #[serde(default)]
    pub compile: Vec<String>,
    /// Run command.
    pub run: Vec<String>,
    /// A command run once on the host, outside the sandbox, that prints the directory of the
    /// tool chain; runs may read it. Default: none.
    #[serde(default)]
    pub prefix: Vec<String>,
    /// Whether the memory limit holds for address space too. Programs that reserve far more than
    /// they use (V8, the JVM, Go) need `false`. Default true.
    #[serde(default = "yes")]
    pub address_space: bool,
    /// What stderr holds when a program of the language ran out of memory. Default: none.
    #[serde(default)]
    pub memory_marks: Vec<String>,
}

fn yes() -> bool {
    true
}

const NAMES: [&str; 4] = ["bash", "cpp", "javascript", "rust"];

/// The names of the built-in languages besides `python`.
pub fn builtin_languages() -> &'static [&'static str] {
    &NAMES
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn runner(file: &str, compile: &str, run: &str, marks: &[&str]) -> Runner {
    Runner {
        file: file.to_owned(),
        compile: words(compile),
        run: words(run),
        prefix: Vec::new(),
        address_space: true,
        memory_marks: marks.iter().map(|&m| m.to_owned()).collect(),
    }
}

/// The built-in runner of a language.
pub fn builtin(language: &str) -> Option<Runner> {
    let cpp = "g++ -O2 -std=c++20 -o {bin} {file}";
    let rust = "{prefix}/bin/rustc --edition 2021 -O -o {bin} {file}";
    Some(match language {
        "bash" => runner("main.sh", "", "bash {file}", &["cannot allocate memory"]),
        "cpp" => runner("main.cpp", cpp, "{bin}", &["std::bad_alloc"]),
        "rust" => Runner {
            prefix: words("rustc --print sysroot"),
            ..runner("main.rs", rust, "{bin}", &["memory allocation of"])
        },
        "javascript" => Runner {
            address_space: false,
            ..runner("main.js", "", "node {file}", &["heap out of memory", "allocation failed"])
        },
        _ => return None,
    })
}

/// A runner whose tools were found on this machine.
#[derive(Debug, Clone)]
pub(crate) struct Toolchain {
    pub(crate) runner: Runner,
    pub(crate) compile: Option<Vec<String>>,
    pub(crate) run: Vec<String>,
    /// Host directories that the tools need besides the system's own.
    pub(crate) binds: Vec<PathBuf>,
}

pub(crate) const BINARY: &str = "/tmp/main";

impl Toolchain {
    pub(crate) fn resolve(runner: &Runner) -> Result<Self> {
        let prefix = match runner.prefix.split_first() {
            Some((tool, args)) => Some(prefix_of(tool, args)?),
            None => None,
        };
        let mut binds: Vec<PathBuf> = prefix.iter().cloned().collect();
        let mut fill = |command: &[String]| fill(command, runner, prefix.as_deref(), &mut binds);
        let compile = if runner.compile.is_empty() { None } else { Some(fill(&runner.compile)?) };
        let run = fill(&runner.run)?;
        Ok(Self { runner: runner.clone(), compile, run, binds })
    }

    pub(crate) fn source_path(&self) -> String {
        format!("/tmp/{}", self.runner.file)
    }

    pub(crate) fn ran_out_of_memory(&self, stderr: &str) -> bool {
        self.runner.memory_marks.iter().any(|mark| stderr.contains(mark.as_str()))
    }
}

fn prefix_of(tool: &str, args: &[String]) -> Result<PathBuf> {
    let program = find_program(tool).ok_or_else(|| Error::no_tool(tool, None))?;
    let output = Command::new(program)
        .args(args)
        .output()
        .map_err(|e| Error::machinery("running a prefix command", e))?;
    let path = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    if output.status.success() && path.is_absolute() && path.is_dir() {
        return Ok(path);
    }
    let message = format!("`{tool} {}` did not print a directory", args.join(" "));
    Err(Error::unavailable(message, format!("install {tool} completely, or change the runner")))
}

fn fill(
    command: &[String],
    runner: &Runner,
    prefix: Option<&Path>,
    binds: &mut Vec<PathBuf>,
) -> Result<Vec<String>> {
    let prefix = prefix.map(|p| p.display().to_string()).unwrap_or_default();
    let file = format!("/tmp/{}", runner.file);
    let mut words: Vec<String> = command
        .iter()
        .map(|w| w.replace("{file}", &file).replace("{bin}", BINARY).replace("{prefix}", &prefix))
        .collect();
    let first = words.first_mut().ok_or_else(|| Error::task("a runner's command is empty"))?;
    if !first.contains('/') {
        let program = find_program(first).ok_or_else(|| Error::no_tool(first, None))?;
        binds.extend(home_of(&program));
        *first = program.display().to_string();
    }
    Ok(words)
}

/// The directory that must be readable for a program outside the system's directories.
pub(crate) fn home_of(program: &Path) -> Option<PathBuf> {
    let real = program.canonicalize().ok()?;
    if real.starts_with("/usr") || real.starts_with("/bin") || real.starts_with("/nix/store") {
        return None;
    }
    let parent = real.parent()?;
    let home = if parent.ends_with("bin") { parent.parent()? } else { parent };
    (home != Path::new("/")).then(|| home.to_owned())
}

pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| is_executable(file))
}

pub(crate) fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_name_has_a_runner() {
        for name in builtin_languages() {
            assert!(builtin(name).is_some(), "{name}");
        }
        assert!(builtin("cobol").is_none());
    }

    #[test]
    fn a_missing_tool_names_the_remedy() {
        let runner = runner("a.x", "", "no-such-tool-here {file}", &[]);
        let error = Toolchain::resolve(&runner).expect_err("the tool does not exist");
        assert!(error.is_unavailable());
        assert!(error.to_string().contains("install no-such-tool-here"), "{error}");
    }
}
