//! What isolation this machine allows.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::config::{Config, Limits};
use crate::error::{Error, Result};
use crate::host::Host;
use crate::wire;
use crate::worker::Worker;

/// What a confined process observed of its own confinement.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[allow(clippy::struct_excessive_bools, reason = "each is an independent observation")]
pub struct Report {
    /// Whether untrusted code can be run in isolation here: all of what follows holds.
    pub isolated: bool,
    /// The run is process 1 of a pid namespace in which it is alone.
    pub own_processes: bool,
    /// The run has no network interface but its own loopback.
    pub no_network: bool,
    /// The run cannot write outside its private /tmp.
    pub read_only_root: bool,
    /// The run is an unprivileged user without capabilities that can gain none.
    pub no_privileges: bool,
    /// System calls are filtered.
    pub seccomp: bool,
    /// The run can read the interpreter's library.
    pub library: bool,
    /// The Python version of the warm interpreters; empty if none started.
    pub python: String,
    /// Why isolation is not available, and the remedy; empty if it is.
    pub problem: String,
}

#[derive(Deserialize)]
struct Facts {
    pid: u32,
    uid: u32,
    no_new_privs: Option<String>,
    seccomp: Option<String>,
    capabilities: Option<String>,
    interfaces: Vec<String>,
    root_writable: bool,
    processes: u32,
    library: bool,
    python: String,
}

impl Report {
    pub(crate) fn of(config: &Config) -> Self {
        let strict = Config { unsafe_no_sandbox: false, ..config.clone() };
        let observed = Host::detect(&strict)
            .and_then(|host| Worker::start(&host, &[]))
            .and_then(|worker| observe(&worker, &config.limits));
        match observed {
            Ok(report) => report,
            Err(e) => Self { problem: e.to_string(), ..Self::default() },
        }
    }

    /// An error unless everything holds.
    pub(crate) fn require(self) -> Result<Self> {
        if self.isolated {
            return Ok(self);
        }
        let what = format!("isolation is incomplete on this machine: {}", self.problem);
        Err(Error::unavailable(
            what,
            "untrusted code was not run; accept the risk with `unsafe_no_sandbox: true` \
             (--unsafe-no-sandbox)",
        ))
    }
}

impl From<Facts> for Report {
    fn from(facts: Facts) -> Self {
        let is = |value: &Option<String>, wanted: &str| value.as_deref() == Some(wanted);
        let mut report = Self {
            own_processes: facts.pid == 1 && facts.processes == 1,
            no_network: facts.interfaces.iter().all(|name| name == "lo"),
            read_only_root: !facts.root_writable,
            no_privileges: facts.uid != 0
                && is(&facts.no_new_privs, "1")
                && is(&facts.capabilities, "0000000000000000"),
            seccomp: is(&facts.seccomp, "2"),
            library: facts.library,
            python: facts.python,
            ..Self::default()
        };
        let parts: [(bool, &str); 6] = [
            (report.own_processes, "no pid namespace of its own"),
            (report.no_network, "the network is reachable"),
            (report.read_only_root, "the file system is writable"),
            (report.no_privileges, "privileges remain"),
            (report.seccomp, "system calls are not filtered"),
            (report.library, "an unprivileged user cannot read the interpreter's library"),
        ];
        let missing: Vec<&str> =
            parts.iter().filter(|(holds, _)| !holds).map(|(_, what)| *what).collect();
        report.isolated = missing.is_empty();
        report.problem = missing.join(", ");
        report
    }
}

/// Asks a confined process of `worker` what it can see and do.
pub(crate) fn observe(worker: &Worker, limits: &Limits) -> Result<Report> {
    let limits = json!({
        "cpu_s": 10, "file_bytes": 1 << 20, "open_files": 64, "stack_bytes": 8 << 20,
        "memory_bytes": limits.memory_mb << 20, "address_space": true, "processes": 8,
    });
    let job = json!({
        "role": "report", "limits": limits, "stdin": false, "stdout": true, "stderr": true,
    });
    let file = wire::memory_file("guerdon-job", job.to_string().as_bytes())?;
    let output = wire::memory_file("guerdon-report", b"")?;
    let log = wire::memory_file("guerdon-log", b"")?;
    let said = || String::from_utf8_lossy(&read(&log)).trim().to_owned();
    let fds = [file.as_fd(), output.as_fd(), log.as_fd()];
    let process = worker.spawn(&fds).map_err(|e| not_set_up(&e.to_string()))?;
    wire::wait_for(&[(process.end(), PollFlags::IN)], Instant::now() + Duration::from_secs(10))?;
    process.kill();
    worker.reap(&process)?;
    let facts: Facts = serde_json::from_slice(&read(&output)).map_err(|_| not_set_up(&said()))?;
    Ok(facts.into())
}

fn not_set_up(why: &str) -> Error {
    Error::unavailable(
        format!("a confined process could not be set up: {why}"),
        "untrusted code was not run; allow user, mount and pid namespaces to this user, or \
         accept the risk with `unsafe_no_sandbox: true` (--unsafe-no-sandbox)",
    )
}

fn read(file: &std::os::fd::OwnedFd) -> Vec<u8> {
    let mut bytes = vec![0; 64 << 10];
    let size = rustix::io::pread(file, &mut bytes, 0).unwrap_or(0);
    bytes.truncate(size);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut Facts);

    fn facts() -> Facts {
        Facts {
            pid: 1,
            uid: 1000,
            no_new_privs: Some("1".into()),
            seccomp: Some("2".into()),
            capabilities: Some("0000000000000000".into()),
            interfaces: vec!["lo".into()],
            root_writable: false,
            processes: 1,
            library: true,
            python: "3.11.2".into(),
        }
    }

    #[test]
    fn every_missing_part_is_refused_by_name() {
        assert!(Report::from(facts()).require().is_ok());
        let cases: [(Change, &str); 6] = [
            (|f| f.pid = 77, "pid namespace"),
            (|f| f.interfaces.push("eth0".into()), "network"),
            (|f| f.root_writable = true, "writable"),
            (|f| f.uid = 0, "privileges"),
            (|f| f.library = false, "library"),
            (|f| f.seccomp = Some("0".into()), "filtered"),
        ];
        for (change, word) in cases {
            let mut facts = facts();
            change(&mut facts);
            let error = Report::from(facts).require().expect_err(word);
            assert!(error.is_unavailable() && error.to_string().contains(word), "{error}");
        }
    }
}
