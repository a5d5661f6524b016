"""The judge's side: executes the tests. It shares no memory with the candidate and trusts no byte of it."""
import ast


class CandidateError(Exception):
    """An exception of the candidate that has no built-in class."""


class Client:
    """Calls into the candidate's process. A protocol breach is final, whatever the test catches."""

    def __init__(self, channel):
        self.channel = channel
        self.callbacks = []
        self.broken = None
        self.last = None

    def ask(self, request):
        if self.broken:
            raise Gone()
        try:
            self.channel.send(request)
            return self.reply()
        except (Gone, Violation, Oversize, MemoryError) as e:
            self.broken = {Gone: "gone", Oversize: "oversize", MemoryError: "memory-client"}.get(type(e), "violation")
            self.last = str(e)
            raise Gone()

    def reply(self):
        while True:
            message = self.channel.receive()
            if "ok" in message:
                return self.decode(message["ok"])
            if "err" in message:
                self.last = error_of(message["err"])
                raise self.last
            self.channel.send(self.called(message))

    def called(self, message):
        try:
            number, args = message["cb"], message["args"]
            function = self.callbacks[number]
            if number < 0:
                raise Violation("unknown callback")
        except (KeyError, IndexError, TypeError):
            raise Violation("unknown message")
        try:
            return {"ok": self.encode(function(*[self.decode(a) for a in as_list(args)]))}
        except Exception as e:
            return {"err": "%s in a function of the test" % type(e).__name__}

    def encode(self, value):
        return encode(value, self.lend)

    def lend(self, value):
        """What of the judge may be named to the candidate: its own objects, built-ins, functions."""
        if type(value) is Remote:
            return {"t": "ref", "v": object.__getattribute__(value, "_number")}
        name = getattr(value, "__name__", None)
        if isinstance(name, str) and getattr(builtins, name, None) is value:
            return {"t": "bi", "v": name}
        if callable(value):
            self.callbacks.append(value)
            return {"t": "fn", "v": len(self.callbacks) - 1}
        raise Unsendable("a %s of the test cannot be passed to the candidate" % type(value).__name__)

    def decode(self, value):
        return decode(value, self.known)

    def known(self, tag, payload):
        if tag == "ref" and type(payload) is int:
            return Remote(self, payload)
        if tag == "fn" and type(payload) is int and 0 <= payload < len(self.callbacks):
            return self.callbacks[payload]
        raise Violation("unknown tag")

    def operate(self, op, on, *args, **more):
        return self.ask(dict(more, op=op, on=self.encode(on), args=[self.encode(a) for a in args]))


def error_of(err):
    """The nearest built-in exception class; a test that expects ValueError catches ValueError."""
    if type(err) is not dict or type(err.get("mro")) is not list:
        raise Violation("bad error")
    kind, message = str(err.get("type"))[:100], str(err.get("msg"))[:2000]
    if kind == "Oversize":
        raise Oversize(message)
    for name in err["mro"]:
        found = getattr(builtins, name, None) if type(name) is str else None
        if isinstance(found, type) and issubclass(found, Exception) and found is not Exception:
            return mark(found, kind, message)
    return mark(CandidateError, kind, message)


def mark(cls, kind, message):
    try:
        error = cls(message)
    except TypeError:
        error = CandidateError(message)
    error.guerdon_kind = kind
    return error


def ask_remote(op, *args):
    me = args[0]
    return object.__getattribute__(me, "_client").operate(op, *args)


class Remote:
    """Stands for an object of the candidate that is not plain data.

    It never equals plain data and takes no part in arithmetic or order with it: a candidate cannot
    answer a comparison with the expected value. Between two objects of the candidate its own
    operators decide, since no one else could.
    """

    __slots__ = ("_client", "_number")

    def __init__(self, client, number):
        object.__setattr__(self, "_client", client)
        object.__setattr__(self, "_number", number)

    def __call__(self, *args, **kwargs):
        client = object.__getattribute__(self, "_client")
        return client.operate("call", self, *args, kw={k: client.encode(v) for k, v in kwargs.items()})

    def __getattr__(self, name):
        return ask_remote("getattr", self, name)

    def __setattr__(self, name, value):
        ask_remote("setattr", self, name, value)

    def __delattr__(self, name):
        ask_remote("delattr", self, name)

    def __len__(self):
        return ask_remote("len", self)

    def __bool__(self):
        return ask_remote("bool", self) is True

    def __str__(self):
        return ask_remote("str", self)

    def __repr__(self):
        return ask_remote("repr", self)

    def __hash__(self):
        return hash(object.__getattribute__(self, "_number"))

    def __iter__(self):
        return ask_remote("iter", self)

    def __next__(self):
        return ask_remote("next", self)

    def __getitem__(self, key):
        return ask_remote("getitem", self, key)

    def __setitem__(self, key, value):
        ask_remote("setitem", self, key, value)

    def __delitem__(self, key):
        ask_remote("delitem", self, key)

    def __contains__(self, key):
        return ask_remote("contains", self, key) is True

    def __enter__(self):
        return ask_remote("enter", self)

    def __exit__(self, *error):
        ask_remote("exit", self)

    def __instancecheck__(self, value):
        return type(value) is Remote and ask_remote("isinstance", value, self) is True

    def __eq__(self, other):
        if type(other) is not Remote:
            return False
        same = object.__getattribute__(self, "_number") == object.__getattribute__(other, "_number")
        return same or ask_remote("eq", self, other) is True

    def __ne__(self, other):
        return not self == other


def between_remotes(op):
    def method(self, other):
        return ask_remote(op, self, other) if type(other) is Remote else NotImplemented

    return method


for _name in ("lt", "le", "gt", "ge", "add", "sub", "mul"):
    setattr(Remote, "__%s__" % _name, between_remotes(_name))


class Verdicts:
    """The channel to the runner; only the judge holds it."""

    def __init__(self, sock):
        self.channel = Channel(sock)

    def send(self, index, status, message=""):
        self.channel.send({"i": index, "s": status, "m": message[:2000]})


def judge(job, channel, sock):
    verdicts = Verdicts(sock)
    client = Client(channel)
    try:
        units = compile_tests(job)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as e:
        return verdicts.send(0, "bad", "%s: %s" % (type(e).__name__, e))
    if job["kept"] and not (job["setup"] == "" and all(map(is_simple, units.trees))):
        return verdicts.send(0, "not-simple")
    scope = {"__name__": "__tests__", "__builtins__": builtins}
    try:
        scope.update(client.ask({"wanted": units.wanted}))
    except Gone:
        return verdicts.send(0, "load-" + client.broken, str(client.last))
    except Exception as e:
        return verdicts.send(0, "load-error", describe(e))
    verdicts.send(0, "loaded")
    sys.modules["solution"] = remote_module(client)
    if not run_setup(units, scope, client, verdicts):
        return
    for index in range(job["start"], len(units.tests)):
        status, message = run_test(units.tests[index], scope, client)
        verdicts.send(index, status, message)
        if client.broken:
            return


class Units:
    __slots__ = ("setup", "tests", "trees", "wanted")


def compile_tests(job):
    units = Units()
    trees = [ast.parse(text) for text in [job["setup"]] + job["tests"]]
    entry = job["entry"] or called_builtin(trees[1:])
    used = {n.id for t in trees for n in ast.walk(t) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    used |= {entry} if entry else set()
    units.wanted = sorted(n for n in used if n == entry or not hasattr(builtins, n))
    units.trees = trees[1:]
    units.setup = compile(trees[0], "setup.py", "exec", dont_inherit=True)
    units.tests = [
        (text, compile(tree, "test.py", "exec", dont_inherit=True)) for text, tree in zip(job["tests"], trees[1:])
    ]
    return units


SIMPLE_NODES = (
    ast.Module, ast.Assert, ast.Compare, ast.cmpop, ast.Call, ast.Name, ast.Load, ast.Constant, ast.List, ast.Tuple,
    ast.Set, ast.Dict, ast.UnaryOp, ast.unaryop, ast.BoolOp, ast.boolop, ast.Expr,
)
SIMPLE_CALLS = frozenset("abs all any bool dict float frozenset int isinstance len list max min round set sorted str sum tuple".split())


def is_simple(tree):
    """Comparisons of calls with literals: what cannot leave anything behind in the judge."""
    return all(
        isinstance(n, SIMPLE_NODES) and (not isinstance(n, ast.Call) or is_simple_call(n)) for n in ast.walk(tree)
    )


def is_simple_call(call):
    if not isinstance(call.func, ast.Name) or call.keywords:
        return False
    return call.func.id in SIMPLE_CALLS or not hasattr(builtins, call.func.id)


def called_builtin(trees):
    """A built-in's name that is the only function every test calls: the candidate's own `sum`."""
    called = [
        {n.func.id for n in ast.walk(t) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)} for t in trees
    ]
    names = set().union(*called)
    return names.pop() if len(names) == 1 and all(called) else None


def run_setup(units, scope, client, verdicts):
    try:
        exec(units.setup, scope)
    except BaseException as e:
        wrong = isinstance(e, AssertionError) and e is not client.last
        verdicts.send(0, "setup-" + (client.broken or ("failed" if wrong else "error")), describe(e))
        return False
    if client.broken:
        verdicts.send(0, "setup-" + client.broken)
        return False
    return True


def run_test(test, scope, client):
    text, code = test
    status, message = "passed", ""
    try:
        exec(code, scope)
    except AssertionError as e:
        from_test = e is not client.last
        status, message = ("failed", text.strip() + detail(e)) if from_test else ("error", describe(e))
    except MemoryError as e:
        status, message = "memory", describe(e)
    except BaseException as e:
        status, message = "error", describe(e)
    if client.broken:
        return client.broken, str(client.last or "")
    return status, message


def detail(e):
    try:
        return ": " + str(e) if e.args else ""
    except BaseException:
        return ""


def describe(e):
    kind = getattr(e, "guerdon_kind", type(e).__name__)
    try:
        return "%s: %s" % (kind, e) if e.args else kind
    except BaseException:
        return kind


def remote_module(client):
    module = types.ModuleType("solution")
    module.__getattr__ = lambda name: remote_global(client, name)
    return module


def remote_global(client, name):
    if name.startswith("__"):
        raise AttributeError(name)
    try:
        return client.ask({"op": "global", "name": name})
    except KeyError:
        raise AttributeError("the code defines no %r" % name)
