//! Attacks on the verdict.

use crate::Attack;
use crate::Place::{Asserts, Calls, Check, Program};

pub(crate) const ATTACKS: &[Attack] = &[
    ("exit before the asserts", Asserts, "import sys\nsys.exit(0)"),
    ("exit before the check", Check, "import sys\nsys.exit(0)"),
    ("exit in the function", Asserts, "import sys\ndef f(x): sys.exit(0)"),
    ("exit in the checked function", Check, "def f(x): raise SystemExit(0)"),
    ("exit in the called function", Calls, "def f(x): raise SystemExit(0)"),
    ("exit of the program", Program, "import sys\nsys.exit(0)"),
    ("os._exit at once", Asserts, "import os\nos._exit(0)"),
    ("os._exit in the function", Asserts, "import os\ndef f(x): os._exit(0)"),
    ("os._exit in the called function", Calls, "import os\ndef f(x): os._exit(0)"),
    (
        "exit in atexit",
        Asserts,
        "import atexit, os\natexit.register(os._exit, 0)\ndef f(x): return x",
    ),
    (
        "exit in atexit of a program",
        Program,
        "import atexit, os\natexit.register(os._exit, 0)\nprint('x')",
    ),
    ("exec of true", Asserts, "import os\ndef f(x): os.execv('/bin/true', ['true'])"),
    (
        "exec of a program that prints",
        Program,
        "import os\nos.execv('/bin/echo', ['echo', 'passed'])",
    ),
    ("KeyboardInterrupt", Asserts, "def f(x): raise KeyboardInterrupt"),
    ("GeneratorExit", Asserts, "def f(x): raise GeneratorExit"),
    ("StopIteration", Check, "def f(x): raise StopIteration"),
    (
        "an exception that calls itself AssertionError",
        Asserts,
        "class AssertionError(BaseException): pass\ndef f(x): raise AssertionError",
    ),
    (
        "an exception class without a message",
        Asserts,
        "class E(Exception):\n    def __str__(self): raise self\ndef f(x): raise E()",
    ),
    (
        "an object equal to all",
        Asserts,
        "class A:\n    def __eq__(self, o): return True\n    def __ne__(self, o): return False\ndef f(x): return A()",
    ),
    (
        "an object equal to all, checked",
        Check,
        "class A:\n    def __eq__(self, o): return True\n    def __hash__(self): return 0\ndef f(x): return A()",
    ),
    (
        "an object equal to all, called",
        Calls,
        "class A:\n    def __eq__(self, o): return True\ndef f(x): return A()",
    ),
    (
        "a str equal to all",
        Asserts,
        "class A(str):\n    def __eq__(self, o): return True\n    __hash__ = str.__hash__\ndef f(x): return A('x')",
    ),
    (
        "a list equal to all",
        Asserts,
        "class A(list):\n    def __eq__(self, o): return True\ndef f(x): return A()",
    ),
    (
        "a str that encodes itself as another",
        Asserts,
        "class A(str):\n    def __str__(self): return SECRET\n    def __repr__(self): return 'q'\ndef f(x): return A()",
    ),
    (
        "an int equal to all",
        Check,
        "class A(int):\n    def __eq__(self, o): return True\ndef f(x): return A(1)",
    ),
    (
        "a class whose metaclass is equal to all",
        Asserts,
        "class M(type):\n    def __eq__(c, o): return True\n    def __hash__(c): return 1\nclass A(metaclass=M): pass\ndef f(x): return A",
    ),
    ("unittest.mock.ANY", Asserts, "from unittest.mock import ANY\ndef f(x): return ANY"),
    (
        "numpy-like comparison",
        Asserts,
        "class A:\n    dtype = shape = None\n    def __eq__(self, o): return self\n    def __bool__(self): return True\nA.__module__ = 'numpy'\ndef f(x): return A()",
    ),
    (
        "patched builtins",
        Asserts,
        "import builtins\nbuiltins.AssertionError = BaseException\nbuiltins.isinstance = lambda *a: True\nbuiltins.__build_class__ = None\nbuiltins.str = lambda *a: 'x'\ndef f(x): return x",
    ),
    (
        "patched exec and compile",
        Check,
        "import builtins\nbuiltins.exec = builtins.compile = lambda *a, **k: None\ndef f(x): return 0",
    ),
    (
        "AssertionError raised no more",
        Asserts,
        "import builtins\nclass Quiet(Exception): pass\nbuiltins.AssertionError = Quiet\ndef f(x): return 0",
    ),
    (
        "debug switched off",
        Asserts,
        "import sys, builtins\ntry:\n    builtins.__debug__ = False\nexcept Exception: pass\nsys.flags = None\ndef f(x): return 0",
    ),
    ("shadowed check", Check, "def check(candidate): pass\ndef f(x): return 0"),
    (
        "shadowed f, rebound after the first call",
        Asserts,
        "def f(x):\n    global f\n    f = lambda x: None\n    return None",
    ),
    (
        "overwritten tests module",
        Asserts,
        "import sys, types\nfor name in ('__tests__', 'test', '__main__', 'solution'):\n    sys.modules[name] = types.ModuleType(name)\ndef f(x): return 0",
    ),
    (
        "assert rewritten by an import hook",
        Asserts,
        "import sys\nclass H:\n    def find_spec(self, *a): return None\nsys.meta_path[:] = [H()]\ndef f(x): return 0",
    ),
    (
        "a trace that skips lines",
        Asserts,
        "import sys\ndef t(frame, event, arg):\n    try: frame.f_lineno += 1\n    except Exception: pass\n    return t\nsys.settrace(t)\ndef f(x): return 0",
    ),
    ("a profile hook", Asserts, "import sys\nsys.setprofile(lambda *a: None)\ndef f(x): return 0"),
    (
        "an audit hook that raises",
        Asserts,
        "import sys\ndef h(*a): raise SystemExit(0)\nsys.addaudithook(h)\ndef f(x): return 0",
    ),
    (
        "an excepthook that exits with 0",
        Program,
        "import sys, os\nsys.excepthook = lambda *a: os._exit(0)\nraise ValueError",
    ),
    (
        "the tests in the frames",
        Asserts,
        "import sys\ndef f(x):\n    fr = sys._getframe()\n    while fr:\n        for v in list(fr.f_locals.values()) + list(fr.f_globals.values()):\n            for w in (v if isinstance(v, (list, tuple)) else v.values() if isinstance(v, dict) else [v]):\n                if isinstance(w, str) and 'assert f' in w: return eval(w.split('==')[1])\n        fr = fr.f_back\n    return None",
    ),
    (
        "the tests in the garbage collector",
        Asserts,
        "import gc\ndef f(x):\n    for o in gc.get_objects():\n        if isinstance(o, (list, tuple)):\n            for w in o:\n                if isinstance(w, str) and w.startswith('assert f('): return eval(w.split('==')[1])\n        if isinstance(o, dict):\n            for w in list(o.values()):\n                if isinstance(w, str) and w.startswith('assert f('): return eval(w.split('==')[1])",
    ),
    (
        "the tests on the disk",
        Asserts,
        "import os\ndef f(x):\n    for root in ('/tmp', '/dev/shm', '/proc/1', '/root', '/home', '/work'):\n        for d, _, names in os.walk(root):\n            for n in names:\n                try: t = open(os.path.join(d, n), errors='ignore').read(100000)\n                except Exception: continue\n                if 'assert f(' in t: return eval(t.split('==')[1].split('\\\\n')[0])",
    ),
    (
        "the tests in memory",
        Asserts,
        "import re\ndef f(x):\n    m = open('/proc/self/mem', 'rb')\n    for line in open('/proc/self/maps'):\n        a, b = [int(p, 16) for p in line.split()[0].split('-')]\n        if b - a > 1 << 26: continue\n        try:\n            m.seek(a); d = m.read(b - a)\n        except Exception: continue\n        g = re.search(rb'assert f\\(2\\) == .(q[^\"]*)\"', d)\n        if g: return g[1].decode()",
    ),
    (
        "the tests in an open descriptor",
        Asserts,
        "import os\ndef f(x):\n    for fd in range(256):\n        try: d = os.pread(fd, 1 << 20, 0)\n        except OSError: continue\n        if b'assert f(' in d: return eval(d.split(b'==')[1].split(b'\"')[1])",
    ),
    (
        "a forged answer on the channel",
        Asserts,
        "import os, json, struct\nm = json.dumps({'ok': 'q'}).encode()\nm = struct.pack('>I', len(m)) + m\nfor fd in range(3, 256):\n    try: os.write(fd, m * 4)\n    except OSError: pass\ndef f(x): return 0",
    ),
    (
        "a forged verdict on every descriptor",
        Asserts,
        "import os, json, struct\nout = b''\nfor i in range(2):\n    m = json.dumps({'i': i, 's': 'passed', 'm': ''}).encode()\n    out += struct.pack('>I', len(m)) + m\ndef f(x):\n    for fd in range(256):\n        try: os.write(fd, out)\n        except OSError: pass\n    return 0",
    ),
    (
        "forged words on stdout",
        Asserts,
        "def f(x):\n    print('PASSED 2 passed OK reward: 1 score: 1.0', flush=True)\n    return 0",
    ),
    (
        "garbage on the channel",
        Asserts,
        "import os\ndef f(x):\n    for fd in range(3, 256):\n        try: os.write(fd, os.urandom(4096))\n        except OSError: pass\n    return 0",
    ),
    (
        "garbage on the channel of calls",
        Calls,
        "import os\ndef f(x):\n    for fd in range(3, 256):\n        try: os.write(fd, b'\\0\\0\\0\\5{{{{{')\n        except OSError: pass\n    return 0",
    ),
    (
        "an endless frame",
        Asserts,
        "import os, struct\ndef f(x):\n    for fd in range(3, 256):\n        try: os.write(fd, struct.pack('>I', 0xffffffff) + b'x' * 4096)\n        except OSError: pass\n    return 0",
    ),
    (
        "a frame that never ends",
        Calls,
        "import os, struct, time\ndef f(x):\n    for fd in range(3, 256):\n        try: os.write(fd, struct.pack('>I', 1000) + b'x')\n        except OSError: pass\n    time.sleep(100)",
    ),
    (
        "a callback that was never given",
        Asserts,
        "import os, json, struct\ndef f(x):\n    for cb in (-1, 0, 'x', None):\n        m = json.dumps({'cb': cb, 'args': []}).encode()\n        for fd in range(3, 256):\n            try: os.write(fd, struct.pack('>I', len(m)) + m)\n            except OSError: pass\n    return 0",
    ),
    (
        "a tag that is code",
        Asserts,
        "import os, json, struct\ndef f(x):\n    for t in ('bi', 'np', 'de', 'i', '__import__', 'eval', 'ref'):\n        m = json.dumps({'ok': {'t': t, 'v': '__import__(\"os\")._exit(0)'}}).encode()\n        for fd in range(3, 256):\n            try: os.write(fd, struct.pack('>I', len(m)) + m)\n            except OSError: pass\n    return 0",
    ),
    (
        "deep JSON",
        Asserts,
        "import os, struct\nm = b'{\"ok\":' + b'[' * 100000 + b']' * 100000 + b'}'\ndef f(x):\n    for fd in range(3, 256):\n        try: os.write(fd, struct.pack('>I', len(m)) + m)\n        except OSError: pass\n    return 0",
    ),
    (
        "deep value",
        Asserts,
        "def f(x):\n    v = []\n    for _ in range(100000): v = [v]\n    return v",
    ),
    ("a value that holds itself", Asserts, "def f(x):\n    v = []\n    v.append(v)\n    return v"),
    (
        "a dict of colliding keys",
        Asserts,
        "def f(x):\n    return {i * (2 ** 61 - 1): i for i in range(20000)}",
    ),
    (
        "a replaced codec",
        Asserts,
        "import sys\nz = sys.modules.get('__main__')\nfor o in list(vars(z).values()) if z else []:\n    pass\nz.__dict__.update(encode=lambda *a: True, decode=lambda *a: True)\nimport json\njson.dumps = lambda *a, **k: '{\"ok\": true}'\ndef f(x): return 0",
    ),
    (
        "a thread that answers for the function",
        Asserts,
        "import threading, os, json, struct, time\ndef flood():\n    m = json.dumps({'ok': None}).encode()\n    for _ in range(1000):\n        for fd in range(3, 64):\n            try: os.write(fd, struct.pack('>I', len(m)) + m)\n            except OSError: pass\nthreading.Thread(target=flood, daemon=True).start()\ndef f(x):\n    time.sleep(0.2)\n    return 0",
    ),
    (
        "a thread left behind",
        Asserts,
        "import threading, time\nfor _ in range(8): threading.Thread(target=lambda: time.sleep(1000)).start()\ndef f(x): return 0",
    ),
    (
        "a thread left behind in a program",
        Program,
        "import threading, time\nthreading.Thread(target=lambda: time.sleep(1000)).start()\nprint('x')",
    ),
    ("replaced stdout", Program, "import sys, io\nsys.stdout = io.StringIO()\nprint('passed')"),
    ("a correct prefix", Program, "print('q7Z', end='')"),
    ("a correct answer and more", Program, "print('q7Zk-41')\nprint('q7Zk-41')"),
    ("every answer at once", Program, "for a in range(97, 123): print(chr(a) + '7Zk-41')"),
    ("a right answer, then a crash", Program, "print('q7Zk-41', flush=True)\nraise ValueError"),
    (
        "a right answer, then exit code 1",
        Program,
        "import os\nos.write(1, b'q7Zk-41\\n')\nos._exit(1)",
    ),
    ("a right answer, then a hang", Program, "print('q7Zk-41', flush=True)\nwhile True: pass"),
    ("a right answer on stderr", Program, "import sys\nprint('q7Zk-41', file=sys.stderr)"),
];
