//! Attacks on the machine, and on what limits a run.

use crate::Attack;
use crate::Place::{Asserts, Calls, Check, Program};

/// Searches every object and every readable byte of memory for a secret of an earlier run.
pub(crate) const MEMORY_SEARCH: &str = r"
import gc, os
SECRET = ('q7' + 'Zk-').encode()
def f(x):
    with open('/proc/self/mem', 'rb') as memory, open('/proc/self/maps') as maps:
        for line in maps:
            low, high = [int(part, 16) for part in line.split()[0].split('-')]
            if high - low > 1 << 27 or 'r' not in line.split()[1]: continue
            try:
                memory.seek(low)
                data = memory.read(high - low)
            except (OSError, ValueError, OverflowError, MemoryError):
                continue
            at = data.find(SECRET + b'41')
            if at >= 0: return 'found in memory'
    for fd in range(256):
        try:
            if SECRET in os.pread(fd, 1 << 20, 0): return 'found in a file'
        except OSError: pass
    for directory in ('/tmp', '/dev/shm'):
        if os.listdir(directory): return 'found a file'
    return 'nothing found'
";

pub(crate) const ATTACKS: &[Attack] = &[
    (
        "fork bomb",
        Asserts,
        "import os\ndef f(x):\n    while True:\n        try: os.fork()\n        except OSError: pass",
    ),
    (
        "fork bomb of a program",
        Program,
        "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
    ),
    (
        "fork bomb of sleepers",
        Program,
        "import os, time\nfor _ in range(10000):\n    try:\n        if os.fork() == 0: time.sleep(1000)\n    except OSError: pass\nprint('x')",
    ),
    (
        "shell fork bomb",
        Program,
        "import os\nos.execv('/bin/sh', ['sh', '-c', 'b() { b | b & }; b; wait'])",
    ),
    (
        "thread bomb",
        Asserts,
        "import threading, time\ndef f(x):\n    while True: threading.Thread(target=time.sleep, args=(1000,)).start()",
    ),
    ("memory bomb", Asserts, "def f(x):\n    v = []\n    while True: v.append(bytearray(1 << 20))"),
    ("memory bomb at load", Check, "v = 'x'\nwhile True: v += v"),
    (
        "memory bomb by forks",
        Program,
        "import os\nfor _ in range(6): os.fork()\nv = []\nwhile True: v.append(bytearray(1 << 20))",
    ),
    (
        "shared memory bomb",
        Asserts,
        "import mmap\ndef f(x):\n    v = []\n    while True:\n        m = mmap.mmap(-1, 1 << 24)\n        m.write(b'x' * (1 << 24))\n        v.append(m)",
    ),
    (
        "memory file bomb",
        Asserts,
        "import os\ndef f(x):\n    fds = []\n    while True:\n        fd = os.memfd_create('x')\n        fds.append(fd)\n        os.write(fd, b'x' * (1 << 20))",
    ),
    ("huge range list", Asserts, "def f(x): return list(range(10 ** 12))"),
    ("huge integer", Asserts, "def f(x): return 10 ** (10 ** 10)"),
    (
        "huge integer to text",
        Check,
        "def f(x):\n    import sys\n    getattr(sys, 'set_int_max_str_digits', lambda n: 0)(0)\n    return str(7 ** (1 << 24))",
    ),
    ("huge integer as an answer", Asserts, "def f(x): return 1 << (1 << 27)"),
    ("factorial", Calls, "import math\ndef f(x): return math.factorial(10 ** 8)"),
    ("huge text as an answer", Calls, "def f(x): return 'x' * (60 << 20)"),
    ("many values as an answer", Asserts, "def f(x): return [[] for _ in range(3000000)]"),
    (
        "zip bomb",
        Asserts,
        "import zlib\ndef f(x):\n    z = zlib.compress(bytes(1 << 24), 9)\n    d = z\n    for _ in range(40): d = zlib.decompress(z) * 8\n    return d",
    ),
    ("regex blow-up", Asserts, "import re\ndef f(x): return re.match('(a+)+$', 'a' * 64 + 'b')"),
    (
        "deep recursion",
        Asserts,
        "import sys\nsys.setrecursionlimit(1 << 30)\ndef f(x): return f(x + 1)",
    ),
    (
        "deep recursion in C",
        Asserts,
        "import sys\nsys.setrecursionlimit(1 << 30)\ndef f(x):\n    class A: pass\n    A.__repr__ = lambda s: repr([s])\n    return repr(A())",
    ),
    (
        "stack overflow in C",
        Program,
        "import ctypes, sys\nsys.setrecursionlimit(1 << 30)\nx = 'x'\nfor _ in range(200000): x = [x]\nprint(repr(x)[:1])",
    ),
    ("endless loop at load", Asserts, "while True: pass"),
    ("endless loop in a generator", Asserts, "def f(x):\n    while True: yield 1"),
    ("endless loop in C", Asserts, "def f(x): return sum(iter(int, 1))"),
    ("sleep past the limit", Asserts, "import time\ndef f(x): time.sleep(1000)"),
    ("sleep past the limit in a program", Program, "import time\ntime.sleep(1000)"),
    ("waiting for input that never comes", Program, "import os\nr, w = os.pipe()\nos.read(r, 1)"),
    (
        "waiting for a lock",
        Calls,
        "import threading\ndef f(x):\n    l = threading.Lock()\n    l.acquire()\n    l.acquire()",
    ),
    (
        "hang in __del__",
        Asserts,
        "import time\nclass A:\n    def __del__(self): time.sleep(1000)\ndef f(x):\n    A()\n    return 0",
    ),
    (
        "hang in exit handlers",
        Program,
        "import atexit, time\natexit.register(time.sleep, 1000)\nprint('x')",
    ),
    (
        "signals ignored",
        Program,
        "import signal\nfor s in range(1, 65):\n    try: signal.signal(s, signal.SIG_IGN)\n    except (OSError, ValueError): pass\nwhile True: pass",
    ),
    (
        "signals blocked",
        Asserts,
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\ndef f(x):\n    while True: pass",
    ),
    (
        "own alarm that raises",
        Asserts,
        "import signal\ndef h(*a): raise SystemExit(0)\nsignal.signal(signal.SIGALRM, h)\nsignal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)\ndef f(x):\n    while True: pass",
    ),
    ("output flood", Program, "while True: print('x' * 65536)"),
    ("error flood", Program, "import sys\nwhile True: sys.stderr.write('x' * 65536)"),
    (
        "output flood by a child",
        Program,
        "import os\nos.fork()\nwhile True: os.write(1, b'y' * 65536)",
    ),
    ("output flood in a function", Asserts, "def f(x):\n    while True: print('x' * 65536)"),
    ("output without an end of line", Program, "import os\nwhile True: os.write(1, b'0')"),
    (
        "disk filled",
        Program,
        "n = 0\nwhile True:\n    try:\n        with open('/tmp/%d' % n, 'wb') as f: f.write(bytes(1 << 24))\n    except OSError: break\n    n += 1\nprint('full')",
    ),
    (
        "a large file",
        Program,
        "with open('/tmp/x', 'wb') as f:\n    for _ in range(1000): f.write(bytes(1 << 20))\nprint('x')",
    ),
    (
        "files without end",
        Program,
        "n = 0\ntry:\n    while True:\n        open('/tmp/%d' % n, 'w').close()\n        n += 1\nexcept OSError: print(n)",
    ),
    (
        "descriptors without end",
        Program,
        "import os\nfds = []\ntry:\n    while True: fds.append(os.dup(0))\nexcept OSError: print(len(fds))",
    ),
    ("closed descriptors", Asserts, "import os\nos.closerange(0, 4096)\ndef f(x): return 0"),
    (
        "closed descriptors in a call",
        Calls,
        "import os\ndef f(x):\n    os.closerange(0, 4096)\n    return 0",
    ),
    (
        "closed stdout of a program",
        Program,
        "import os, time\nos.close(1)\nos.close(2)\ntime.sleep(1000)",
    ),
    (
        "daemon",
        Asserts,
        "import os, time\ndef f(x):\n    if os.fork() == 0:\n        os.setsid()\n        if os.fork() == 0:\n            while True: time.sleep(1)\n        os._exit(0)\n    return 0",
    ),
    (
        "daemon that holds stdout",
        Program,
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(1000)\nprint('x')",
    ),
    (
        "daemon that answers later runs",
        Program,
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    while True:\n        for fd in range(256):\n            try: os.write(fd, b'q')\n            except OSError: pass\nprint('x')",
    ),
    (
        "signals to the parent",
        Asserts,
        "import os, signal\ndef f(x):\n    for s in (signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP):\n        for p in (os.getppid(), 0, -1, 1, 2, 3, {victim}, {host}):\n            if p == 0 and s != signal.SIGTERM: continue\n            try: os.kill(p, s)\n            except OSError: pass\n    return 0",
    ),
    (
        "signals to everyone",
        Program,
        "import os, signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nfor p in range(1, 40000):\n    for s in (signal.SIGTERM, signal.SIGKILL):\n        try: os.kill(p, s)\n        except OSError: pass\nos.kill(-1, signal.SIGKILL)",
    ),
    (
        "signals to process groups",
        Asserts,
        "import os, signal\ndef f(x):\n    for g in (os.getpgid(0), 1, 2, {host}):\n        try: os.killpg(g, signal.SIGTERM)\n        except OSError: pass\n    return 0",
    ),
    ("suicide", Asserts, "import os\ndef f(x): os.kill(os.getpid(), 9)"),
    ("abort", Asserts, "import os\ndef f(x): os.abort()"),
    ("null pointer", Asserts, "import ctypes\ndef f(x): ctypes.string_at(0)"),
    (
        "ptrace of everyone",
        Asserts,
        "import ctypes\ndef f(x):\n    libc = ctypes.CDLL(None, use_errno=True)\n    return [libc.ptrace(16, p, 0, 0) for p in range(1, 200)]",
    ),
    (
        "memory of other processes",
        Asserts,
        "import os\ndef f(x):\n    for p in os.listdir('/proc'):\n        if p.isdigit() and int(p) != os.getpid():\n            try: return open('/proc/%s/mem' % p, 'r+b').read(1)\n            except OSError: pass\n    return os.listdir('/proc')",
    ),
    (
        "/proc/1 of the host",
        Asserts,
        "def f(x):\n    r = []\n    for n in ('environ', 'cmdline', 'root', 'cwd', 'fd', 'maps'):\n        try: r.append(open('/proc/{host}/' + n).read())\n        except OSError as e: r.append(e.errno)\n    return r",
    ),
    (
        "kernel settings",
        Asserts,
        "def f(x):\n    for p, v in (('/proc/sys/kernel/core_pattern', '|/tmp/x'), ('/proc/sysrq-trigger', 'b'), ('/proc/sys/kernel/hostname', 'x'), ('/proc/self/oom_score_adj', '-1000'), ('/sys/kernel/uevent_helper', '/tmp/x')):\n        try:\n            open(p, 'w').write(v)\n            return 'written ' + p\n        except OSError: pass\n    return 0",
    ),
    (
        "writing outside",
        Asserts,
        "import os\ndef f(x):\n    done = []\n    for d in ('/', '/usr', '/usr/lib', '/etc', '/root', '/home', '/var', '/dev', '/bin', '/proc', os.path.dirname(os.__file__)):\n        try:\n            open(os.path.join(d, 'guerdon-was-here'), 'w').close()\n            done.append(d)\n        except OSError: pass\n    return done",
    ),
    (
        "a poisoned standard library",
        Asserts,
        "import os\ndef f(x):\n    for n in ('json/__init__.py', 'os.py', 'random.py'):\n        p = os.path.join(os.path.dirname(os.__file__), n)\n        try: open(p, 'a').write('\\nimport os; os._exit(0)\\n')\n        except OSError: pass\n        try: os.remove(p)\n        except OSError: pass\n    return 0",
    ),
    (
        "symlinks out of /tmp",
        Asserts,
        "import os\ndef f(x):\n    os.symlink('/', '/tmp/root')\n    os.symlink('/proc/1/root', '/tmp/other')\n    for p in ('/tmp/root/etc/x', '/tmp/root/usr/x', '/tmp/other/etc/x'):\n        try: open(p, 'w').write('x')\n        except OSError: pass\n    try: return open('/tmp/root/etc/shadow').read()\n    except OSError: return 0",
    ),
    (
        "hard links to the system",
        Asserts,
        "import os\ndef f(x):\n    for p in ('/usr/bin/env', os.__file__):\n        try: os.link(p, '/tmp/x')\n        except OSError: pass\n    return 0",
    ),
    (
        "set-user-id programs",
        Asserts,
        "import os, subprocess\ndef f(x):\n    r = []\n    for p in ('/usr/bin/su', '/bin/mount', '/usr/bin/passwd', '/usr/bin/newgrp'):\n        try: r.append(subprocess.run([p], stdin=subprocess.DEVNULL, capture_output=True, timeout=1).returncode)\n        except Exception: pass\n    os.setuid(0)\n    return r",
    ),
    (
        "secrets of the host",
        Asserts,
        "import os\ndef f(x):\n    found = []\n    for p in ('/etc/shadow', '/etc/passwd', '/root/.ssh', '/root/.bashrc', '/home', '/var/log', '/run', '/work', '/sys/class'):\n        if os.path.exists(p): found.append(p)\n    return found or dict(os.environ)",
    ),
    (
        "mounts",
        Asserts,
        "import ctypes\ndef f(x):\n    c = ctypes.CDLL(None)\n    return [c.mount(b'tmpfs', b'/usr', b'tmpfs', 0, None), c.umount2(b'/tmp', 2), c.umount2(b'/proc', 2), c.mount(b'/', b'/tmp', None, 4096, None), c.chroot(b'/tmp'), c.pivot_root]",
    ),
    (
        "new namespaces",
        Asserts,
        "import ctypes\ndef f(x):\n    c = ctypes.CDLL(None)\n    r = [c.unshare(n) for n in (0x10000000, 0x20000, 0x40000000, 0x20000000)]\n    r.append(c.syscall(435, ctypes.create_string_buffer(88), 88))\n    r.append(c.syscall(56, 0x10000000 | 17, 0, 0, 0, 0))\n    return r",
    ),
    (
        "network to the host",
        Asserts,
        "import socket\ndef f(x):\n    for h in ('127.0.0.1', 'localhost', '0.0.0.0', '::1', '10.0.0.1', '169.254.169.254'):\n        try: socket.create_connection((h, {port}), timeout=0.2).sendall(b'x')\n        except OSError: pass\n    return 0",
    ),
    (
        "network by an inherited family",
        Asserts,
        "import socket\ndef f(x):\n    r = []\n    for family in range(0, 46):\n        for kind in (1, 2, 3):\n            try: socket.socket(family, kind); r.append((family, kind))\n            except OSError: pass\n    return r",
    ),
    (
        "abstract sockets of the host",
        Asserts,
        "import socket\ndef f(x):\n    s = socket.socket(socket.AF_UNIX)\n    for n in ('\\0/tmp/.X11-unix/X0', '/run/docker.sock', '/var/run/docker.sock', '/run/dbus/system_bus_socket', '\\0dbus'):\n        try:\n            s.connect(n)\n            return n\n        except OSError: pass\n    return 0",
    ),
    (
        "shared memory left for later runs",
        Program,
        "import ctypes\nc = ctypes.CDLL(None, use_errno=True)\nprint(c.shmget(1234, 1 << 20, 0o1666), c.msgget(1234, 0o1666), c.semget(1234, 1, 0o1666))",
    ),
    (
        "kernel calls",
        Asserts,
        "import ctypes\ndef f(x):\n    c = ctypes.CDLL(None)\n    buf = ctypes.create_string_buffer(256)\n    return [c.syscall(n, buf, 0, 0, 0, 0, 0) for n in (101, 165, 169, 175, 246, 248, 250, 272, 298, 304, 308, 310, 311, 321, 323, 425, 438, 440)]",
    ),
    (
        "x32 calls",
        Asserts,
        "import ctypes\ndef f(x):\n    c = ctypes.CDLL(None)\n    return [c.syscall(0x40000000 + n, 0, 0, 0, 0, 0, 0) for n in (101, 165, 272, 321)]",
    ),
    (
        "terminal input pushed back",
        Asserts,
        "import fcntl\ndef f(x):\n    for fd in range(16):\n        try: fcntl.ioctl(fd, 0x5412, b'x')\n        except OSError: pass\n    return 0",
    ),
    (
        "priority and limits raised",
        Asserts,
        "import os, resource\ndef f(x):\n    for r in range(16):\n        try: resource.setrlimit(r, (-1, -1))\n        except (OSError, ValueError): pass\n    try: os.nice(-20)\n    except OSError: pass\n    while True: pass",
    ),
    (
        "core dump",
        Asserts,
        "import os, resource\ndef f(x):\n    try: resource.setrlimit(resource.RLIMIT_CORE, (-1, -1))\n    except (OSError, ValueError): pass\n    os.abort()",
    ),
    (
        "descriptors passed to the zygote",
        Asserts,
        "import os, socket, array\ndef f(x):\n    for fd in range(3, 256):\n        try:\n            s = socket.socket(fileno=os.dup(fd))\n            s.sendmsg([b'S'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [0, 1, 2] * 3))])\n            s.send(b'R1')\n        except OSError: pass\n    return 0",
    ),
    (
        "the zygote's own code",
        Asserts,
        "import sys, gc\ndef f(x):\n    for o in gc.get_objects():\n        if type(o).__name__ == 'Zygote':\n            try: o.spawn([])\n            except BaseException: pass\n            try: o.control.send(b'ready')\n            except BaseException: pass\n    for o in gc.get_objects():\n        if type(o).__name__ == 'function' and o.__name__ in ('judge', 'serve_role', 'main'):\n            o.__code__ = (lambda *a: None).__code__\n    return 0",
    ),
    (
        "a second interpreter",
        Program,
        "import subprocess, sys\nprint(subprocess.run([sys.executable, '-c', 'print(1)'], capture_output=True).stdout)",
    ),
];
