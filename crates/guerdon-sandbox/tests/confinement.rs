//! What a run can reach: each line is code whose `f()` says what it got, and what it must get.

mod common;

use common::{asserts, letters, sandbox};
use guerdon_sandbox::{Config, Report, Sandbox};

/// `source` defines `f`; its value must equal the Python expression `expected`.
#[track_caller]
fn gets(source: &str, expected: &str) {
    let Some(sandbox) = sandbox() else { return };
    let task = asserts(source, &[&format!("got = f()\nassert got == {expected}, got")]);
    let outcome = sandbox.run(&task).expect("the task is valid");
    assert_eq!(letters(&outcome.tests), "P", "{:?}\n{source}", outcome.tests);
}

#[test]
fn this_machine_isolates() {
    let Some(_) = sandbox() else { return };
    let report = Sandbox::probe(&Config::default());
    assert!(report.isolated && report.problem.is_empty(), "{report:?}");
    assert!(report.python.starts_with("3."), "{report:?}");
}

#[test]
fn a_machine_without_bwrap_is_refused() {
    let config = Config { bwrap: Some("/no/such/bwrap".into()), ..Config::default() };
    let report = Sandbox::probe(&config);
    assert!(!report.isolated && report.problem.contains("bubblewrap"), "{report:?}");
    assert!(Sandbox::new(config).is_err_and(|e| e.is_unavailable()));
    assert_ne!(report, Report::default());
}

#[test]
fn only_tmp_can_be_written() {
    gets(
        "import os
def f():
    done = []
    for d in ['/', '/usr', '/usr/lib', '/etc', '/root', '/home', '/var', '/dev', '/bin', '/proc', '/tmp', '/dev/shm', os.path.dirname(os.__file__)]:
        try:
            open(os.path.join(d, 'x'), 'w').close()
            done.append(d)
        except OSError: pass
    return done",
        "['/tmp', '/dev/shm']",
    );
}

#[test]
fn nothing_of_the_host_can_be_read() {
    gets(
        "import os
def f():
    paths = ['/etc/shadow', '/etc/passwd', '/root/.ssh', '/root/.bashrc', '/home', '/var', '/run', '/work', '/sys', '/boot', '/proc/kallsyms', '/proc/kcore', '/proc/sys', '/proc/sysrq-trigger']
    return [p for p in paths if os.path.exists(p)]",
        "[]",
    );
    gets(
        "import os\ndef f(): return sorted(os.environ)",
        "['HOME', 'LANG', 'LC_CTYPE', 'PATH', 'PYTHONDONTWRITEBYTECODE', 'PYTHONHASHSEED', 'PYTHONUTF8', 'PWD'] or sorted(set(got) & {'HOME', 'USER', 'CARGO_HOME', 'GUERDON_REQUIRE_SANDBOX'}) == ['HOME']",
    );
    gets(
        "import os\ndef f(): return (os.uname().nodename, os.listdir('/tmp'), os.listdir('/dev/shm'))",
        "('sandbox', [], [])",
    );
}

#[test]
fn a_run_is_alone() {
    gets("import os\ndef f(): return [p for p in os.listdir('/proc') if p.isdigit()]", "['1']");
    gets("import os\ndef f(): return (os.getpid(), os.getppid(), os.getsid(0))", "(1, 0, 1)");
    gets(
        "import os, signal
def f():
    reached = []
    for p in range(2, 70000):
        try:
            os.kill(p, 0)
            reached.append(p)
        except OSError: pass
    return reached",
        "[]",
    );
    // Its own standard streams, and the channel of its calls.
    gets("import os\ndef f(): return len([fd for fd in os.listdir('/proc/self/fd')])", "5");
}

#[test]
fn no_privileges_can_be_had() {
    gets(
        "def f():
    s = dict(l.rstrip('\\n').split(':\\t') for l in open('/proc/self/status') if ':\\t' in l)
    return [s[k] for k in ('CapInh', 'CapPrm', 'CapEff', 'CapAmb', 'NoNewPrivs', 'Seccomp', 'Uid')]",
        "['0' * 16] * 4 + ['1', '2', '1000\\t1000\\t1000\\t1000']",
    );
    gets(
        "import os
def f():
    got = []
    for call in (lambda: os.setuid(0), lambda: os.setgid(0), lambda: os.setgroups([0]), lambda: os.chroot('/tmp'), lambda: os.nice(-5), lambda: os.mknod('/tmp/x', 0o20666, os.makedev(1, 1)), lambda: os.chown('/tmp', 0, 0)):
        try:
            call()
            got.append(call)
        except OSError: pass
    return len(got)",
        "0",
    );
    gets(
        "import subprocess
def f():
    out = []
    for p in ('/bin/su', '/bin/mount', '/usr/bin/passwd'):
        r = subprocess.run([p, '-h'], capture_output=True)
    return subprocess.run(['/usr/bin/id', '-u'], capture_output=True).stdout",
        "b'1000\\n'",
    );
}

#[test]
fn dangerous_calls_are_refused() {
    let machine = std::env::consts::ARCH;
    if machine != "x86_64" {
        return;
    }
    let calls = "import ctypes, errno
c = ctypes.CDLL(None, use_errno=True)
def call(n, *a):
    r = c.syscall(n, *(list(a) + [0] * (6 - len(a))))
    return errno.errorcode[ctypes.get_errno()] if r == -1 else r
";
    // ptrace, mount, unshare, setns, bpf, perf_event_open, io_uring_setup, userfaultfd, keyctl,
    // process_vm_readv, memfd_create, shmget, mq_open, open_by_handle_at, fsopen, pivot_root
    let numbers = "(101, 165, 272, 308, 321, 298, 425, 323, 250, 310, 319, 29, 240, 304, 430, 155)";
    gets(&format!("{calls}def f(): return [call(n) for n in {numbers}]"), "['EPERM'] * 16");
    gets(
        &format!(
            "{calls}def f(): return [call(56, flag | 17) for flag in (0x10000000, 0x20000, 0x40000000, 0x20000000)]"
        ),
        "['EPERM'] * 4",
    );
    gets(
        &format!("{calls}def f(): return call(435, ctypes.create_string_buffer(88), 88)"),
        "'ENOSYS'",
    );
    gets(
        &format!("{calls}def f(): return [call(0x40000000 + n) for n in (0, 39, 101, 165)]"),
        "['ENOSYS'] * 4",
    );
}

#[test]
fn there_is_no_network() {
    gets(
        "def f(): return [l.split(':')[0].strip() for l in open('/proc/self/net/dev') if ':' in l]",
        "['lo']",
    );
    gets(
        "import socket
def f():
    made = []
    for family in range(46):
        for kind in (1, 2, 3, 5):
            try:
                socket.socket(family, kind)
                made.append(family)
            except OSError: pass
    return sorted(set(made))",
        "[1]",
    );
}

#[test]
fn limits_hold() {
    gets(
        "import resource as r
def f(): return [r.getrlimit(k) for k in (r.RLIMIT_CPU, r.RLIMIT_AS, r.RLIMIT_NPROC, r.RLIMIT_FSIZE, r.RLIMIT_NOFILE, r.RLIMIT_CORE)]",
        "[(n, n) for n in (15, 256 << 20, 64, 16 << 20, 128, 0)]",
    );
    gets(
        "import os, time
def f():
    n = 0
    try:
        while n < 1000:
            if os.fork() == 0: time.sleep(100)
            n += 1
    except OSError: pass
    return n",
        "63",
    );
    gets(
        "import threading, time
def f():
    n = 0
    try:
        while n < 1000:
            threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
            n += 1
    except RuntimeError: pass
    return n < 64",
        "True",
    );
    gets(
        "import mmap
def f():
    held = []
    try:
        while len(held) < 100:
            m = mmap.mmap(-1, 1 << 24)
            m.write(b'x' * (1 << 24))
            held.append(m)
    except (OSError, MemoryError): pass
    return len(held) < 16",
        "True",
    );
    gets(
        "def f():
    n = 0
    try:
        while n < 1000:
            with open('/tmp/%d' % n, 'wb') as file: file.write(bytes(1 << 20))
            n += 1
    except OSError: pass
    return 60 <= n <= 64",
        "True",
    );
}

#[test]
fn usual_work_is_not_hindered() {
    gets(
        "import subprocess\ndef f(): return subprocess.run(['echo', 'x'], capture_output=True).stdout",
        "b'x\\n'",
    );
    gets(
        "import tempfile\ndef f():\n    with tempfile.TemporaryFile() as t:\n        t.write(b'x')\n        t.seek(0)\n        return t.read()",
        "b'x'",
    );
    gets("import asyncio\nasync def g(): return 7\ndef f(): return asyncio.run(g())", "7");
    gets(
        "import multiprocessing as m\ndef f():\n    with m.get_context('fork').Pool(2) as p: return p.map(abs, [-1, -2])",
        "[1, 2]",
    );
    gets(
        "from concurrent.futures import ThreadPoolExecutor\ndef f():\n    with ThreadPoolExecutor(4) as e: return list(e.map(abs, [-1, -2]))",
        "[1, 2]",
    );
    gets(
        "import sqlite3\ndef f(): return sqlite3.connect(':memory:').execute('select 1').fetchall()",
        "[(1,)]",
    );
    gets(
        "import pickle, dataclasses\n@dataclasses.dataclass\nclass A:\n    x: int\ndef f(): return pickle.loads(pickle.dumps(A(1))).x",
        "1",
    );
    gets("def f():\n    def g(n): return 0 if n == 0 else 1 + g(n - 1)\n    return g(900)", "900");
    gets(
        "import time, datetime, locale, hashlib, uuid, zlib\ndef f(): return hashlib.sha256(b'').hexdigest()[:6]",
        "'e3b0c4'",
    );
}
