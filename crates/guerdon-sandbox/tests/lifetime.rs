//! Order, concurrency, and that nothing outlives its run, its sandbox or its host.
//!
//! The tests of this file count processes, so they take turns.

mod common;

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use common::{asserts, calls, config, letters, limits, quick, start, stdio};
use guerdon_sandbox::{Limits, Sandbox, Task};

fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Every process below `root`, by its parent's number in /proc.
fn descendants(root: u32) -> Vec<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").expect("/proc").flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse().ok()) else { continue };
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let parent = after_name.split_whitespace().nth(1).and_then(|n| n.parse().ok());
        children.entry(parent.unwrap_or(0)).or_default().push(pid);
    }
    let mut found = Vec::new();
    let mut open = vec![root];
    while let Some(pid) = open.pop() {
        for &child in children.get(&pid).into_iter().flatten() {
            found.push(child);
            open.push(child);
        }
    }
    found
}

/// Whether `holds` becomes true within five seconds.
fn soon(holds: impl Fn() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(5);
    while Instant::now() < end {
        if holds() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

const DAEMON: &str = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        while True: time.sleep(1)\n    os._exit(0)\n";

fn mixed() -> Vec<(Task, &'static str)> {
    let stuck = quick(asserts("def f(x):\n    while True: pass", &["assert f(1) == 1"]));
    let daemon = format!("{DAEMON}print(input())");
    vec![
        (asserts("def f(x): return x", &["assert f(1) == 1", "assert f(1) == 2"]), "PW"),
        (stdio("python", "print(input())", &[("a", "a"), ("b", "a")]), "PW"),
        (stuck, "T"),
        (calls("def f(x): return x", "f", &[("[1]", "1"), ("[2]", "1")]), "PW"),
        (stdio("python", &daemon, &[("a", "a")]), "P"),
        (asserts("import os\nos._exit(0)", &["assert f(1) == 1"]), "E"),
        (stdio("python", "while True: print('x' * 9999)", &[("", "")]), "O"),
    ]
}

#[test]
fn results_come_in_the_order_of_the_tasks() {
    let _turn = turn();
    let Some(sandbox) = start(config()) else { return };
    let (tasks, expected): (Vec<_>, Vec<_>) = std::iter::repeat_n(mixed(), 5).flatten().unzip();
    let outcomes = sandbox.run_many(&tasks);
    let got: Vec<_> =
        outcomes.iter().map(|o| letters(&o.as_ref().expect("valid tasks").tests)).collect();
    assert_eq!(got, expected);
}

#[test]
fn more_threads_than_workers_wait_their_turn() {
    let _turn = turn();
    let Some(sandbox) = start(config()) else { return };
    let task = asserts("def f(x): return x", &["assert f(1) == 1"]);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert!(sandbox.run(&task).is_ok_and(|o| o.all_passed())));
        }
    });
    assert!(sandbox.idle_workers().len() <= sandbox.workers());
}

#[test]
fn no_process_is_left_behind() {
    let _turn = turn();
    let me = std::process::id();
    let Some(sandbox) = start(config()) else { return };
    let tasks: Vec<Task> = mixed().into_iter().map(|(task, _)| task).collect();
    for _ in 0..3 {
        assert!(sandbox.run_many(&tasks).iter().all(Result::is_ok));
    }
    // Of each idle worker: bubblewrap, the zygote, its janitor, the processes made ready for the
    // next run (at most two) and perhaps a kept judge.
    let idle = sandbox.idle_workers().len();
    assert!(idle >= 1);
    let held = || descendants(me).len();
    assert!(soon(|| (3 * idle..=6 * idle).contains(&held())), "{:?}", descendants(me));
    drop(sandbox);
    assert!(soon(|| descendants(me).is_empty()), "{:?}", descendants(me));
}

#[test]
fn descriptors_do_not_leak() {
    let _turn = turn();
    let Some(sandbox) = start(config()) else { return };
    let open = || std::fs::read_dir("/proc/self/fd").expect("/proc").count();
    let tasks: Vec<Task> = mixed().into_iter().map(|(task, _)| task).collect();
    sandbox.run_many(&tasks);
    let before = open();
    for _ in 0..3 {
        sandbox.run_many(&tasks);
    }
    assert!(open() <= before + 2, "{before} descriptors, then {}", open());
}

#[test]
fn a_killed_worker_is_replaced() {
    let _turn = turn();
    let Some(sandbox) = start(config()) else { return };
    let task = asserts("def f(x): return x", &["assert f(1) == 1"]);
    for _ in 0..3 {
        for id in sandbox.idle_workers() {
            assert!(kill(id));
        }
        assert!(sandbox.run(&task).is_ok_and(|o| o.all_passed()));
    }
}

fn kill(pid: u32) -> bool {
    Command::new("kill").args(["-9", &pid.to_string()]).status().is_ok_and(|s| s.success())
}

/// A sandbox started by a thread that ends is not ended with it.
#[test]
fn workers_outlive_the_thread_that_started_them() {
    let _turn = turn();
    let sandbox = std::thread::spawn(|| start(config())).join().expect("no panic");
    let Some(sandbox) = sandbox else { return };
    let ids = sandbox.idle_workers();
    std::thread::sleep(Duration::from_millis(200));
    let task = asserts("def f(x): return x", &["assert f(1) == 1"]);
    assert!(sandbox.run(&task).is_ok_and(|o| o.all_passed()));
    assert_eq!(sandbox.idle_workers(), ids);
}

const ROLE: &str = "GUERDON_SANDBOX_TEST_ROLE";

/// Not a test by itself: the host that [`killing_the_host_leaves_nothing`] kills.
#[test]
fn host_to_be_killed() {
    if std::env::var_os(ROLE).is_none() {
        return;
    }
    let sandbox: Sandbox = start(config()).expect("the parent found isolation available");
    let long = Limits { wall_s: 600.0, total_wall_s: 600.0, ..limits() };
    let hang = Task {
        limits: Some(long),
        ..stdio("python", &format!("{DAEMON}import time\ntime.sleep(600)"), &[("", "")])
    };
    sandbox.run_many(&[hang.clone(), hang]);
}

#[test]
fn killing_the_host_leaves_nothing() {
    let _turn = turn();
    if start(config()).is_none() {
        return;
    }
    let mut host = Command::new(std::env::current_exe().expect("a path"))
        .args(["--exact", "host_to_be_killed"])
        .env(ROLE, "host")
        .stdout(Stdio::null())
        .spawn()
        .expect("this program starts");
    // Two workers of bubblewrap, zygote and janitor, each with a run and its daemon.
    let started = soon(|| descendants(host.id()).len() >= 10);
    let below = descendants(host.id());
    host.kill().expect("it runs");
    host.wait().expect("it was killed");
    assert!(started, "the host did not start its runs: {below:?}");
    let alive = |pid: &u32| std::path::Path::new(&format!("/proc/{pid}")).exists();
    assert!(soon(|| !below.iter().any(alive)), "{below:?}");
}
