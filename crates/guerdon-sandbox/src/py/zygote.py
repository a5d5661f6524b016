"""The zygote: a warm interpreter that forks a fresh, confined process for each piece of work.

A child confines itself before it has work, and waits at its door, a socket, for the only job of its
life. So the next child is made ready while the current one works. The zygote never holds source,
tests or output, nor a descriptor of them: no child can inherit anything of another run.
"""
import array
import ctypes
import fcntl
import gc
import os
import resource
import signal
import socket

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID = 0x20000, 0x10000000, 0x20000000
MS_NOSUID, MS_NODEV, MS_NOEXEC = 2, 4, 8
PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 4, 22, 38
SYS_PIDFD_OPEN = 434
NOBODY = 65534
INSIDE = 1000

libc = ctypes.CDLL(None, use_errno=True)
signal.signal(signal.SIGINT, signal.SIG_DFL)


def check(result, what):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, "%s: %s" % (what, os.strerror(number)))
    return result


class Zygote:
    def __init__(self, config):
        self.config = config
        # Of 0, 1 and 2 the sandbox may have left some closed: the socket must not land there.
        self.control = socket.socket(fileno=fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, 10))
        null = os.open("/dev/null", os.O_RDWR)
        for fd in (0, 1):
            os.dup2(null, fd)
        self.pid_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        fresh_streams()
        self.filter = Filter(bytes.fromhex(config["filter"]))
        self.hard_limits = {kind: resource.getrlimit(kind)[1] for kind in LIMITS}
        self.runs = 0
        self.numbers = {}
        self.janitor = start_janitor(self.control) if config["isolate"] else None

    def serve(self):
        self.send_with_pidfd(b"ready", os.getpid())
        while True:
            data, ancillary, _, _ = self.control.recvmsg(64, 4096)
            if not data:
                os._exit(0)
            fds = received(ancillary)
            if data[:1] == b"S":
                self.spawn(fds[0])
            else:
                self.reap(int(data[1:]))

    def spawn(self, door):
        isolate = self.config["isolate"]
        self.runs += 1
        if isolate:
            check(libc.unshare(CLONE_NEWPID), "unshare pid")
        pid = os.fork()
        if pid == 0:
            be_child(self, door)
        if isolate:
            check(libc.setns(self.pid_namespace, CLONE_NEWPID), "setns pid")
        os.close(door)
        self.numbers[pid] = self.runs
        self.send_with_pidfd(b"%d" % pid, pid)

    def send_with_pidfd(self, message, pid):
        pidfd = check(libc.syscall(SYS_PIDFD_OPEN, pid, 0), "pidfd_open")
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [pidfd]))
        self.control.sendmsg([message], [rights])
        os.close(pidfd)

    def reap(self, pid):
        if not self.config["isolate"]:
            self.end_group(pid)
        _, status, usage = os.wait4(pid, 0)
        if self.janitor:
            self.janitor.send(b"%d" % self.numbers[pid])
        del self.numbers[pid]
        cpu = int((usage.ru_utime + usage.ru_stime) * 1e6)
        self.control.send(b"%d %d %d" % (status, cpu, usage.ru_maxrss))

    def end_group(self, pid):
        """Without a pid namespace only the session's own group can be ended with its leader."""
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        try:
            os.killpg(pid, signal.SIGKILL)
        except OSError:
            pass


def start_janitor(control):
    """A process that lets go of the mounts of ended runs.

    The kernel takes milliseconds to take mounts down and lets the last process that holds them
    wait for it. So a run hands a hold on its mounts to this process, and its own end is quick.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        control.close()
        ours.close()
        try:
            sweep(theirs)
        finally:
            os._exit(0)
    theirs.close()
    return ours


def sweep(sock):
    """Messages are "run number" with a descriptor to hold, then "run number" to let go of it."""
    held = {}
    while True:
        data, ancillary, _, _ = sock.recvmsg(64, 64)
        if not data:
            return
        for _, _, payload in ancillary:
            held[data] = array.array("i", payload)[0]
        if not ancillary and data in held:
            os.close(held.pop(data))


def be_child(zygote, door):
    code = 71
    try:
        code = child(zygote, door)
    except Gone:
        code = 0
    except BaseException as e:
        try:
            os.write(2, ("guerdon: %s: %s\n" % (type(e).__name__, e)).encode()[:500])
        except BaseException:
            pass
    finally:
        os._exit(code)


def child(zygote, door):
    os.setsid()
    zygote.control.close()
    door = socket.socket(fileno=fcntl.fcntl(door, fcntl.F_DUPFD_CLOEXEC, 10))
    confine(zygote)
    lay_null_streams()
    close_others([door.fileno()])
    job, fds = wait_for_job(door)
    apply_limits(zygote, job["limits"])
    given = [job[name] for name in ("stdin", "stdout", "stderr")]
    if any(given):
        lay_streams([fds.pop(0) if is_given else fd for fd, is_given in enumerate(given)])
        fresh_streams()
    close_others(fds)
    return ROLES[job["role"]](job, fds)


def wait_for_job(door):
    """The job and its descriptors. They come once, and the door is shut behind them."""
    data, ancillary, _, _ = door.recvmsg(1, 256)
    door.close()
    if not data:
        raise Gone()
    fds = received(ancillary)
    return json.loads(read_all(fds[0])), fds[1:]


def received(ancillary):
    fds = array.array("i")
    for _, _, payload in ancillary:
        fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
    return list(fds)


def read_all(fd):
    """What a memory file holds; it is closed."""
    parts, left = [], os.fstat(fd).st_size
    while left:
        part = os.read(fd, left)
        if not part:
            break
        parts.append(part)
        left -= len(part)
    os.close(fd)
    return b"".join(parts)


def lay_null_streams():
    """The interpreter's own streams, made by the zygote, serve a child that is given none."""
    lay_streams([os.open("/dev/null", os.O_RDWR)] * 3)


def lay_streams(sources):
    for target, source in enumerate(sources):
        if source != target:
            os.dup2(source, target)


def close_others(keep):
    low = 3
    for fd in sorted(keep):
        os.closerange(low, fd)
        low = fd + 1
    os.closerange(low, 256)


def fresh_streams():
    sys.stdin = open(0, "r", encoding="utf-8", errors="surrogateescape", closefd=False)
    sys.stdout = open(1, "w", encoding="utf-8", errors="surrogateescape", closefd=False)
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False, buffering=1)
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr


def confine(zygote):
    """Own mounts, an own user without capabilities and a system call filter, in this order."""
    config = zygote.config
    if config["isolate"]:
        own_mounts(config)
        hand_over_mounts(zygote)
        if config["root"]:
            become_nobody()
        own_user()
    os.umask(0o077)
    check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    if config["isolate"]:
        check(libc.capset(*NO_CAPABILITIES), "capset")
        check(libc.prctl(PR_SET_SECCOMP, 2, zygote.filter.argument, 0, 0), "seccomp")
        os.chdir("/tmp")
    raise_oom_score()


def own_mounts(config):
    check(libc.unshare(CLONE_NEWNS), "unshare mount")
    size = b"mode=1777,size=%d,nr_inodes=%d" % (config["tmp_bytes"], config["tmp_files"])
    for where in (b"/tmp", b"/dev/shm"):
        check(libc.mount(b"tmpfs", where, b"tmpfs", MS_NOSUID | MS_NODEV, size), "mount " + where.decode())
    flags = MS_NOSUID | MS_NODEV | MS_NOEXEC
    if libc.mount(b"proc", b"/proc", b"proc", flags, b"subset=pid") < 0:
        check(libc.mount(b"proc", b"/proc", b"proc", flags, None), "mount /proc")


def hand_over_mounts(zygote):
    fd = os.open("/proc/self/ns/mnt", os.O_RDONLY)
    rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))
    zygote.janitor.sendmsg([b"%d" % zygote.runs], [rights])
    os.close(fd)
    zygote.janitor.close()


def become_nobody():
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    check(libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "dumpable")


def own_user():
    uid, gid = os.getuid(), os.getgid()
    check(libc.unshare(CLONE_NEWUSER), "unshare user")
    for name, text in (("setgroups", "deny"), ("uid_map", "%d %d 1" % (INSIDE, uid)), ("gid_map", "%d %d 1" % (INSIDE, gid))):
        write_once("/proc/self/" + name, text.encode())


def write_once(path, data):
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, data)
    finally:
        os.close(fd)


# What a child passes to the kernel is made before: each page that a fork writes to is copied.
NO_CAPABILITIES = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
for _function in ("capset", "mount", "prctl", "setns", "syscall", "unshare"):
    getattr(libc, _function)


LIMITS = {
    resource.RLIMIT_CORE: lambda limits: 0,
    resource.RLIMIT_CPU: lambda limits: limits["cpu_s"],
    resource.RLIMIT_FSIZE: lambda limits: limits["file_bytes"],
    resource.RLIMIT_NOFILE: lambda limits: limits["open_files"],
    resource.RLIMIT_MEMLOCK: lambda limits: 65536,
    resource.RLIMIT_STACK: lambda limits: limits["stack_bytes"],
    resource.RLIMIT_DATA: lambda limits: limits["memory_bytes"],
    resource.RLIMIT_AS: lambda limits: limits["memory_bytes"] if limits["address_space"] else None,
    resource.RLIMIT_NPROC: lambda limits: limits["processes"],
}
if hasattr(resource, "RLIMIT_MSGQUEUE"):
    LIMITS[resource.RLIMIT_MSGQUEUE] = lambda limits: 0


def apply_limits(zygote, limits):
    for kind, wanted in LIMITS.items():
        value = wanted(limits)
        # Outside an own user namespace the kernel counts every process of the user.
        if value is None or (kind == resource.RLIMIT_NPROC and not zygote.config["isolate"]):
            continue
        hard = zygote.hard_limits[kind]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


class Filter:
    """A system call filter as prctl takes it."""

    def __init__(self, program):
        self.code = ctypes.create_string_buffer(program, len(program))
        self.program = Program(len(program) // 8, ctypes.cast(self.code, ctypes.c_void_p))
        self.argument = ctypes.byref(self.program)


def raise_oom_score():
    """Where memory runs out, the kernel takes a run first, never the zygote or its host."""
    try:
        write_once("/proc/self/oom_score_adj", b"1000")
    except OSError:
        pass


def serve_role(job, fds):
    os.set_inheritable(fds[0], False)
    Candidate(Channel(socket.socket(fileno=fds[0]))).serve(job)
    return 0


def judge_role(job, fds):
    judge(job, Channel(socket.socket(fileno=fds[0])), socket.socket(fileno=fds[1]))
    return 0


def kept_judge_role(job, fds):
    """Judges one run after the other, as long as their tests can leave nothing behind."""
    reports = socket.socket(fileno=fds[0])
    while True:
        data, ancillary, _, _ = reports.recvmsg(1, 64)
        if not data:
            return 0
        work, calls = received(ancillary)
        calls = socket.socket(fileno=calls)
        judge(json.loads(read_all(work)), Channel(calls), reports)
        calls.close()


def program_role(job, fds):
    return run_program(job)


def compile_role(job, fds):
    """Runs the compile command on the source and copies what it built into the given file."""
    write_file(job["file"], job["source"].encode("utf-8", "surrogateescape"))
    pid = os.fork()
    if pid == 0:
        run_command(job)
    _, status = os.waitpid(pid, 0)
    if status != 0:
        return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
    with open(job["binary"], "rb") as built, os.fdopen(fds[0], "wb") as copy:
        copy.write(built.read())
    return 0


def exec_role(job, fds):
    """Becomes the program under test: the compiled file, or an interpreter on the source."""
    if fds:
        with os.fdopen(fds[0], "rb") as built:
            built.seek(0)
            write_file(job["binary"], built.read())
        os.chmod(job["binary"], 0o700)
    else:
        write_file(job["file"], job["source"].encode("utf-8", "surrogateescape"))
    run_command(job)


def write_file(path, data):
    with open(path, "wb") as file:
        file.write(data)


def run_command(job):
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.execve(job["command"][0], job["command"], job["env"])
    except OSError as e:
        os.write(2, ("cannot start %s: %s\n" % (job["command"][0], e)).encode())
    os._exit(127)


def report_role(job, fds):
    """What confinement really is, as seen from inside: the probe reads it."""
    with open("/proc/self/status") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    facts = {
        "pid": os.getpid(),
        "uid": os.getuid(),
        "no_new_privs": status.get("NoNewPrivs"),
        "seccomp": status.get("Seccomp"),
        "capabilities": status.get("CapEff"),
        "interfaces": interfaces(),
        "root_writable": writable("/guerdon-probe") or writable("/usr/guerdon-probe"),
        "processes": sum(name.isdigit() for name in os.listdir("/proc")),
        "library": os.access(os.__file__, os.R_OK),
        "python": "%d.%d.%d" % sys.version_info[:3],
    }
    os.write(1, json.dumps(facts).encode())
    return 0


def interfaces():
    with open("/proc/self/net/dev") as file:
        return [line.split(":")[0].strip() for line in file if ":" in line]


def writable(path):
    try:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        os.unlink(path)
        return True
    except OSError:
        return False


ROLES = {
    "serve": serve_role,
    "judge": judge_role,
    "kept_judge": kept_judge_role,
    "program": program_role,
    "compile": compile_role,
    "exec": exec_role,
    "report": report_role,
}


def add_site_builtins():
    """What programs expect of `site`, which is not run: it may load any number of modules."""
    import site

    site.setquit()
    site.setcopyright()
    site.sethelper()


def preload(names):
    # It would seed itself anew after each fork: every run starts from the same seed instead.
    hook, os.register_at_fork = os.register_at_fork, lambda **hooks: None
    import random

    os.register_at_fork = hook
    random.seed(0)
    for name in names:
        try:
            __import__(name)
        except ImportError as e:
            sys.exit("cannot preload %s: %s" % (name, e))


def rehearse():
    """Loads code and answers a call as a run does, so that what Python and libc make at first use
    is made once, for all forks. It leaves nothing behind."""
    ours, theirs = socket.socketpair()
    calls, candidate = Channel(ours), Candidate(Channel(theirs))
    job = json.loads('{"source": "def f(x):\\n    return [x, 1.5]\\n", "prelude": ""}')
    candidate.load(job)
    del sys.modules["solution"]
    on = candidate.encode(candidate.module.f)
    calls.send({"op": "call", "on": on, "args": ["x"], "kw": {}})
    candidate.answer(candidate.channel.receive())
    calls.receive()
    ours.close()
    theirs.close()


def main():
    config = json.loads(sys.argv[1])
    if sys.version_info < (3, 8):
        sys.exit("guerdon needs Python 3.8 or later, this is %d.%d" % sys.version_info[:2])
    sys.path = config["path"]
    add_site_builtins()
    preload(config["preload"])
    zygote = Zygote(config)
    rehearse()
    compile_tests({"setup": "", "tests": ["assert f(1) == 1"], "entry": None})
    gc.collect()
    gc.freeze()
    zygote.serve()


main()
