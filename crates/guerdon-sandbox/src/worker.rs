//! A warm interpreter in its sandbox, and the processes that it forks.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, mpsc};
use std::time::{Duration, Instant};

use rustix::process::{Signal, pidfd_send_signal};

use crate::error::{Error, Result};
use crate::host::{Host, Isolation};
use crate::outcome::tail;
use crate::watch::Watch;
use crate::{seccomp, wire};

/// How long a healthy interpreter may take to answer.
const ANSWER: Duration = Duration::from_secs(10);
/// How long it may take to start, preloading included.
const START: Duration = Duration::from_secs(30);

/// A warm interpreter. Dropping it ends it and everything it started.
#[derive(Debug)]
pub(crate) struct Worker {
    child: Child,
    control: OwnedFd,
    processes: Option<PathBuf>,
    judge: Mutex<Option<KeptJudge>>,
    spares: Mutex<Spares>,
}

/// Confined processes that wait for their only job, so that a run need not wait for its process.
/// Each was forked from the interpreter that runs nothing, and has itself run nothing yet.
#[derive(Debug, Default)]
struct Spares {
    ready: VecDeque<Spare>,
    /// The doors of those that the interpreter was asked for; its answers come in this order.
    asked: VecDeque<OwnedFd>,
}

#[derive(Debug)]
struct Spare {
    process: Process,
    /// Takes one job; the process ends when this is closed before.
    door: OwnedFd,
}

/// A judge that waits for its next run.
#[derive(Debug)]
pub(crate) struct KeptJudge {
    pub(crate) process: Process,
    pub(crate) verdicts: OwnedFd,
    pub(crate) runs: u32,
    /// What its process is limited to.
    pub(crate) limits: serde_json::Value,
}

impl Worker {
    pub(crate) fn start(host: &Host, binds: &[PathBuf]) -> Result<Self> {
        let (control, theirs) = wire::control_pair()?;
        let log = wire::memory_file("guerdon-log", b"")?;
        let mut command = host.command(binds);
        command.stdin(theirs).stderr(duplicate(&log)?);
        command.stdout(match host.isolation() {
            Isolation::None => Stdio::null(),
            _ => Stdio::from(wire::memory_file("guerdon-seccomp", &seccomp::outer()?)?),
        });
        let child = spawn_on_lasting_thread(command)?;
        let mut worker = Self {
            child,
            control,
            processes: None,
            judge: Mutex::default(),
            spares: Mutex::default(),
        };
        match wire::receive_with_fd(&worker.control, Instant::now() + START) {
            Ok((message, Some(zygote))) if message == b"ready" => {
                if *host.isolation() != Isolation::None {
                    worker.processes = processes_around(&zygote);
                }
                Ok(worker)
            }
            _ => Err(explain_failure(host, &log)),
        }
    }

    pub(crate) fn take_judge(&self) -> Option<KeptJudge> {
        self.judge.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(crate) fn keep_judge(&self, judge: KeptJudge) {
        *self.judge.lock().unwrap_or_else(PoisonError::into_inner) = Some(judge);
    }

    /// Bounds the memory of all processes of this worker together.
    pub(crate) fn watch(&self, limit_kb: u64) -> Watch {
        Watch::new(self.processes.clone(), limit_kb)
    }

    /// The host's id of the process that holds the sandbox.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// A confined process that does the job written in the first descriptor. It serves no other.
    pub(crate) fn spawn(&self, fds: &[BorrowedFd<'_>]) -> Result<Process> {
        let mut spares = self.spares();
        // The kernel may have ended the first, when memory was short.
        for _ in 0..2 {
            let Spare { process, door } = self.next_spare(&mut spares)?;
            if wire::send_with_fds(&door, b"J", fds).is_ok() {
                return Ok(process);
            }
            process.kill();
            self.reap_with(&mut spares, &process)?;
        }
        Err(Error::machinery("starting a confined process", "it ended before it had work"))
    }

    /// Has processes made for the next `wanted` jobs, and does not wait for them.
    pub(crate) fn prepare(&self, wanted: usize) -> Result<()> {
        let mut spares = self.spares();
        while spares.ready.len() + spares.asked.len() < wanted {
            self.ask_for_spare(&mut spares)?;
        }
        Ok(())
    }

    /// Waits for the end of a process that has ended or was killed.
    pub(crate) fn reap(&self, process: &Process) -> Result<Ended> {
        self.reap_with(&mut self.spares(), process)
    }

    fn spares(&self) -> MutexGuard<'_, Spares> {
        self.spares.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask_for_spare(&self, spares: &mut Spares) -> Result<()> {
        let (door, theirs) = wire::control_pair()?;
        wire::send_with_fds(&self.control, b"S", &[theirs.as_fd()])?;
        spares.asked.push_back(door);
        Ok(())
    }

    fn next_spare(&self, spares: &mut Spares) -> Result<Spare> {
        if let Some(spare) = spares.ready.pop_front() {
            return Ok(spare);
        }
        if spares.asked.is_empty() {
            self.ask_for_spare(spares)?;
        }
        let door = spares.asked.pop_front().ok_or_else(broken)?;
        self.answered_spare(door)
    }

    fn answered_spare(&self, door: OwnedFd) -> Result<Spare> {
        let (message, fd) = wire::receive_with_fd(&self.control, Instant::now() + ANSWER)?;
        let pid = parse_numbers(&message).first().copied();
        match (pid, fd) {
            (Some(pid), Some(pidfd)) => Ok(Spare { process: Process { pid, pidfd }, door }),
            _ => Err(broken()),
        }
    }

    fn reap_with(&self, spares: &mut Spares, process: &Process) -> Result<Ended> {
        wire::send_with_fds(&self.control, format!("R{}", process.pid).as_bytes(), &[])?;
        while let Some(door) = spares.asked.pop_front() {
            let spare = self.answered_spare(door)?;
            spares.ready.push_back(spare);
        }
        let (message, _) = wire::receive_with_fd(&self.control, Instant::now() + ANSWER)?;
        let [status, cpu_us, peak_kb] = parse_numbers(&message)[..] else {
            return Err(broken());
        };
        let status = i32::try_from(status).map_err(|_| broken())?;
        Ok(Ended { status: ExitStatus::from_raw(status), cpu_us, peak_kb })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Both fail only if the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The /proc that a process sees, reached from here.
fn processes_around(process: &OwnedFd) -> Option<PathBuf> {
    use std::os::fd::AsRawFd;
    let info = format!("/proc/self/fdinfo/{}", process.as_raw_fd());
    let info = std::fs::read_to_string(info).ok()?;
    let pid: u32 = info.lines().find_map(|line| line.strip_prefix("Pid:"))?.trim().parse().ok()?;
    Some(PathBuf::from(format!("/proc/{pid}/root/proc")))
}

fn duplicate(fd: &OwnedFd) -> Result<OwnedFd> {
    fd.try_clone().map_err(|e| Error::machinery("duplicating a descriptor", e))
}

fn broken() -> Error {
    Error::machinery("talking to a warm interpreter", "it ended or answered out of turn")
}

fn parse_numbers(message: &[u8]) -> Vec<u64> {
    String::from_utf8_lossy(message).split(' ').filter_map(|n| n.parse().ok()).collect()
}

fn explain_failure(host: &Host, log: &OwnedFd) -> Error {
    let mut text = vec![0; 64 << 10];
    let size = rustix::io::pread(log, &mut text, 0).unwrap_or(0);
    let said = tail(&text[..size]);
    let what = format!("a warm interpreter ({}) did not start: {said}", host.python().display());
    Error::unavailable(
        what,
        "untrusted code was not run; allow user, mount and pid namespaces to this user (in a \
         container: --privileged, or seccomp=unconfined with CAP_SYS_ADMIN; Ubuntu: an AppArmor \
         profile for bwrap), or accept the risk with `unsafe_no_sandbox: true` (--unsafe-no-sandbox)",
    )
}

/// A forked process; the descriptor names it for certain, whatever becomes of its number.
#[derive(Debug)]
pub(crate) struct Process {
    pid: u64,
    pidfd: OwnedFd,
}

impl Process {
    /// Kills it, and so every process of its pid namespace. Does nothing once it has ended.
    pub(crate) fn kill(&self) {
        let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
    }

    /// Becomes readable when the process has ended.
    pub(crate) fn end(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) cpu_us: u64,
    pub(crate) peak_kb: u64,
}

type Request = (Command, mpsc::Sender<std::io::Result<Child>>);

/// The kernel ends a sandbox with the *thread* that started it, so one thread that lasts as long
/// as the process starts them all.
fn spawn_on_lasting_thread(command: Command) -> Result<Child> {
    static THREAD: OnceLock<Mutex<mpsc::Sender<Request>>> = OnceLock::new();
    let requests = THREAD.get_or_init(|| {
        let (sender, receiver) = mpsc::channel::<Request>();
        std::thread::spawn(move || {
            for (mut command, reply) in receiver {
                // Who asked may have given up.
                let _ = reply.send(command.spawn());
            }
        });
        Mutex::new(sender)
    });
    let (reply, answer) = mpsc::channel();
    let gone = || Error::machinery("starting a sandbox", "the starting thread is gone");
    requests.lock().map_err(|_| gone())?.send((command, reply)).map_err(|_| gone())?;
    answer.recv().map_err(|_| gone())?.map_err(|e| {
        Error::unavailable(format!("cannot start a sandbox: {e}"), "install bubblewrap")
    })
}
