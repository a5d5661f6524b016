//! What of this machine a sandbox is built from, and the command line that builds it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::runner::{find_program, home_of, is_executable};
use crate::seccomp;

/// The script of the warm interpreters.
const SCRIPT: &str = concat!(
    include_str!("py/plain.py"),
    include_str!("py/candidate.py"),
    include_str!("py/judge.py"),
    include_str!("py/zygote.py"),
);

const SYSTEM: [&str; 8] =
    ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/run/current-system"];
const SETTINGS: [&str; 5] = [
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
];

/// The tools that were found, and how isolation is done here.
#[derive(Debug, Clone)]
pub(crate) struct Host {
    python: PathBuf,
    python_binds: Vec<PathBuf>,
    python_path: Vec<String>,
    isolation: Isolation,
    filter: Vec<u8>,
    tmp_mb: u64,
    preload: Vec<String>,
    read_only_paths: Vec<PathBuf>,
}

/// How runs are kept apart from the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Isolation {
    /// bubblewrap, started by root: runs become an unprivileged user of the host.
    Root { bwrap: PathBuf },
    /// bubblewrap in a user namespace of its own.
    User { bwrap: PathBuf },
    /// Not at all; only resource limits hold.
    None,
}

impl Host {
    pub(crate) fn detect(config: &Config) -> Result<Self> {
        let bwrap = find(config.bwrap.as_ref(), "bwrap");
        let isolation = match bwrap {
            Some(bwrap) if is_full_root() => Isolation::Root { bwrap },
            Some(bwrap) => Isolation::User { bwrap },
            None if config.unsafe_no_sandbox => Isolation::None,
            None => return Err(no_bwrap(config)),
        };
        let python = find(config.python.as_ref(), "python3")
            .ok_or_else(|| Error::no_tool("python3", config.python.as_ref()))?;
        let python = Python::describe(&python)?;
        Ok(Self {
            python: python.executable,
            python_binds: python.binds,
            python_path: python.path,
            isolation,
            filter: seccomp::inner()?,
            tmp_mb: config.tmp_mb,
            preload: config.preload.clone(),
            read_only_paths: config.read_only_paths.clone(),
        })
    }

    /// The same machine without isolation.
    pub(crate) fn unisolated(mut self) -> Self {
        self.isolation = Isolation::None;
        self
    }

    pub(crate) fn isolation(&self) -> &Isolation {
        &self.isolation
    }

    pub(crate) fn python(&self) -> &Path {
        &self.python
    }

    /// The command that starts a warm interpreter whose runs can read `binds` too. Its stdin is
    /// the control socket; its stdout, where there is isolation, holds the system call filter.
    pub(crate) fn command(&self, binds: &[PathBuf]) -> Command {
        let mut command = match &self.isolation {
            Isolation::None => Command::new(&self.python),
            Isolation::Root { bwrap } => self.bubblewrap(bwrap, true, binds),
            Isolation::User { bwrap } => self.bubblewrap(bwrap, false, binds),
        };
        if self.isolation == Isolation::None {
            command.env_clear().envs(ENVIRONMENT).current_dir("/tmp");
        }
        command.args(["-s", "-S", "-c", SCRIPT]).arg(self.settings().to_string());
        command
    }

    fn settings(&self) -> serde_json::Value {
        json!({
            "isolate": self.isolation != Isolation::None,
            "root": matches!(self.isolation, Isolation::Root { .. }),
            "filter": hex(&self.filter),
            "tmp_bytes": self.tmp_mb << 20,
            "tmp_files": 4096 + self.tmp_mb * 64,
            "preload": self.preload,
            "path": self.python_path,
        })
    }

    fn bubblewrap(&self, bwrap: &Path, root: bool, binds: &[PathBuf]) -> Command {
        let mut command = Command::new(bwrap);
        command.args(["--die-with-parent", "--as-pid-1", "--new-session"]);
        command.args(["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]);
        command.args(["--unshare-cgroup-try", "--hostname", "sandbox", "--clearenv"]);
        command.args(["--cap-drop", "ALL", "--cap-add", "CAP_SYS_ADMIN"]);
        let more: &[&str] = if root {
            &["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        } else {
            &["--unshare-user", "--uid", "0", "--gid", "0", "--cap-add", "CAP_SETFCAP"]
        };
        command.args(more);
        for (name, value) in ENVIRONMENT {
            command.args(["--setenv", name, value]);
        }
        self.mounts(&mut command, binds);
        command.args(["--seccomp", "1", "--chdir", "/", "--"]).arg(&self.python);
        command
    }

    fn mounts(&self, command: &mut Command, binds: &[PathBuf]) {
        command.args(["--ro-bind", "/usr", "/usr"]);
        for dir in SYSTEM {
            match std::fs::read_link(dir) {
                Ok(target) => command.arg("--symlink").arg(target).arg(dir),
                Err(_) => command.args(["--ro-bind-try", dir, dir]),
            };
        }
        command.args(["--perms", "0755", "--dir", "/etc"]);
        for file in SETTINGS {
            command.args(["--ro-bind-try", file, file]);
        }
        for path in self.python_binds.iter().chain(binds).chain(&self.read_only_paths) {
            // Parents that bubblewrap makes by itself only their owner can enter.
            let mut parents: Vec<&Path> = path.ancestors().skip(1).collect();
            parents.retain(|p| *p != Path::new("/") && !p.starts_with("/usr"));
            for parent in parents.iter().rev() {
                command.args(["--perms", "0755", "--dir"]).arg(parent);
            }
            command.arg("--ro-bind").arg(path).arg(path);
        }
        command.args(["--proc", "/proc", "--dev", "/dev", "--dir", "/tmp"]);
        command.args(["--remount-ro", "/dev", "--remount-ro", "/"]);
    }
}

/// Text hashing is fixed, so that a run is the same every time.
const ENVIRONMENT: [(&str, &str); 6] = [
    ("PATH", "/usr/local/bin:/usr/bin:/bin"),
    ("HOME", "/tmp"),
    ("LANG", "C.UTF-8"),
    ("PYTHONUTF8", "1"),
    ("PYTHONHASHSEED", "0"),
    ("PYTHONDONTWRITEBYTECODE", "1"),
];

pub(crate) fn environment() -> serde_json::Value {
    json!({ "PATH": ENVIRONMENT[0].1, "HOME": "/tmp", "LANG": "C.UTF-8" })
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, b| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{b:02x}");
        text
    })
}

fn find(named: Option<&PathBuf>, name: &str) -> Option<PathBuf> {
    match named {
        Some(path) => is_executable(path).then(|| path.clone()),
        None => find_program(name),
    }
}

fn no_bwrap(config: &Config) -> Error {
    let place = config.bwrap.as_ref().map_or_else(
        || "`bwrap` is not on PATH".to_owned(),
        |p| format!("there is no `bwrap` at {}", p.display()),
    );
    Error::unavailable(
        format!("untrusted code is not run without isolation, and {place}"),
        "install bubblewrap (Debian, Ubuntu: apt-get install bubblewrap; Fedora: dnf install \
         bubblewrap), or accept the risk with `unsafe_no_sandbox: true` (--unsafe-no-sandbox)",
    )
}

/// Root that can become another user; in a container it may not be able to.
fn is_full_root() -> bool {
    rustix::process::geteuid().is_root()
        && std::fs::read_to_string("/proc/self/uid_map").is_ok_and(|map| maps_nobody(&map))
}

fn maps_nobody(map: &str) -> bool {
    map.lines().any(|line| {
        let numbers: Vec<u64> = line.split_whitespace().filter_map(|n| n.parse().ok()).collect();
        matches!(numbers[..], [inside, _, count] if (inside..inside + count).contains(&65_534))
    })
}

const DESCRIBE: &str = "import sys, json; print(json.dumps([sys.executable, sys.prefix, \
    sys.base_prefix, list(sys.version_info[:2]), [p for p in sys.path if p]]))";

/// An interpreter, not a launcher of it.
struct Python {
    executable: PathBuf,
    /// The directories that it needs besides the system's own.
    binds: Vec<PathBuf>,
    /// Where it looks for modules.
    path: Vec<String>,
}

type Description = (PathBuf, PathBuf, PathBuf, (u32, u32), Vec<String>);

impl Python {
    fn describe(python: &Path) -> Result<Self> {
        let failed = |cause: String| {
            let what = format!("`{}` is no usable Python: {cause}", python.display());
            Error::unavailable(what, "install python3, 3.8 or later, or name one in `python`")
        };
        let output = Command::new(python)
            .args(["-s", "-c", DESCRIBE])
            .output()
            .map_err(|e| failed(e.to_string()))?;
        let (executable, prefix, base, version, path): Description =
            serde_json::from_slice(&output.stdout)
                .map_err(|_| failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))?;
        if version < (3, 8) {
            return Err(failed(format!("it is version {}.{}", version.0, version.1)));
        }
        let mut binds = vec![prefix, base];
        binds.extend(home_of(&executable));
        binds.retain(|path| !path.starts_with("/usr") && path != Path::new("/"));
        binds.sort();
        binds.dedup();
        Ok(Self { executable, binds, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_of_a_narrow_user_namespace_is_not_full() {
        assert!(maps_nobody("         0          0 4294967295"));
        assert!(maps_nobody("0 1000 1\n1 100000 65536"));
        assert!(!maps_nobody("0 1000 1"));
        assert!(!maps_nobody(""));
    }

    #[test]
    fn a_missing_bwrap_is_refused_and_names_both_remedies() {
        let config = Config { bwrap: Some("/no/such/bwrap".into()), ..Config::default() };
        let error = Host::detect(&config).expect_err("there is no such file");
        assert!(error.is_unavailable());
        assert!(error.to_string().contains("apt-get install bubblewrap"), "{error}");
        assert!(error.to_string().contains("--unsafe-no-sandbox"), "{error}");
    }
}
