"""The candidate's side: runs untrusted code and answers calls. Nothing here is trusted by the judge."""
import builtins
import types


class Candidate:
    def __init__(self, channel):
        self.channel = channel
        self.objects = {}
        self.numbers = {}
        self.module = types.ModuleType("solution")

    def load(self, job):
        sys.modules["solution"] = self.module
        for name, text in (("prelude.py", job["prelude"]), ("solution.py", job["source"])):
            if text:
                exec(compile(text, name, "exec", dont_inherit=True), self.module.__dict__)

    def serve(self, job):
        failure = None
        try:
            self.load(job)
        except BaseException as e:
            failure = self.error(e)
        # Asked for while the code was loaded: the judge reads its tests at the same time.
        wanted = self.channel.receive().get("wanted", [])
        if failure:
            return self.channel.send({"err": failure})
        scope = self.module.__dict__
        found = [[n, self.encode(scope[n])] for n in wanted if n in scope]
        self.channel.send({"ok": {"t": "d", "v": found}})
        while True:
            self.answer(self.channel.receive())

    def answer(self, request):
        try:
            reply = {"ok": self.encode(self.perform(request))}
        except Gone:
            raise
        except BaseException as e:
            reply = {"err": self.error(e)}
        try:
            self.channel.send(reply)
        except Oversize as e:
            self.channel.send({"err": {"type": "Oversize", "mro": [], "msg": str(e)}})

    def perform(self, request):
        op = request["op"]
        args = [self.decode(x) for x in request.get("args", ())]
        if op == "call":
            kwargs = {k: self.decode(v) for k, v in request.get("kw", {}).items()}
            return self.decode(request["on"])(*args, **kwargs)
        if op == "function":
            return self.function(request["name"])(*args)
        if op == "global":
            return self.module.__dict__[request["name"]]
        return OPERATIONS[op](self.decode(request["on"]), *args)

    def function(self, name):
        found = self.module.__dict__.get(name)
        solution = self.module.__dict__.get("Solution")
        if found is None and isinstance(solution, type):
            found = getattr(solution(), name, None)
        if found is None:
            raise NameError("the code defines no function %r" % name)
        return found

    def encode(self, value):
        return encode(value, self.keep)

    def keep(self, value):
        if isinstance(value, Callback):
            return {"t": "fn", "v": value.number}
        number = self.numbers.get(id(value))
        if number is None:
            number = len(self.objects)
            self.objects[number] = value
            self.numbers[id(value)] = number
        return {"t": "ref", "v": number}

    def decode(self, value):
        return decode(value, self.known)

    def known(self, tag, payload):
        if tag == "ref":
            return self.objects[payload]
        if tag == "bi":
            return getattr(builtins, payload)
        if tag == "fn":
            return Callback(self, payload)
        raise Violation("unknown tag %r" % (tag,))

    def error(self, e):
        names = [c.__name__ for c in type(e).__mro__]
        try:
            message = str(e)[:2000]
        except BaseException:
            message = "(no message)"
        return {"type": type(e).__name__, "mro": names, "msg": message}


class Callback:
    """A function of the test, called back from the candidate."""

    def __init__(self, candidate, number):
        self.candidate = candidate
        self.number = number

    def __call__(self, *args):
        side = self.candidate
        side.channel.send({"cb": self.number, "args": [side.encode(a) for a in args]})
        while True:
            message = side.channel.receive()
            if "op" in message:
                side.answer(message)
            elif "ok" in message:
                return side.decode(message["ok"])
            else:
                raise RuntimeError(str(message.get("err")))


OPERATIONS = {
    "getattr": getattr,
    "setattr": setattr,
    "delattr": delattr,
    "len": len,
    "bool": bool,
    "str": str,
    "repr": repr,
    "hash": hash,
    "iter": iter,
    "next": next,
    "getitem": lambda o, k: o[k],
    "setitem": lambda o, k, v: o.__setitem__(k, v),
    "delitem": lambda o, k: o.__delitem__(k),
    "contains": lambda o, k: k in o,
    "isinstance": lambda o, c: isinstance(o, c),
    "enter": lambda o: o.__enter__(),
    "exit": lambda o: o.__exit__(None, None, None),
    "eq": lambda a, b: a == b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
}


def run_program(job):
    """Runs a whole program as `python solution.py` would, and returns its exit code."""
    module = types.ModuleType("__main__")
    module.__dict__["__file__"] = "/tmp/solution.py"
    sys.modules["__main__"] = module
    sys.argv = ["/tmp/solution.py"]
    code = 1
    try:
        for name, text in (("prelude.py", job["prelude"]), ("solution.py", job["source"])):
            if text:
                exec(compile(text, name, "exec", dont_inherit=True), module.__dict__)
        code = 0
    except SystemExit as e:
        code = exit_code(e)
    except BaseException:
        import traceback

        traceback.print_exc()
    return finish_program(code)


def exit_code(e):
    if e.code is None:
        return 0
    if isinstance(e.code, int):
        return e.code & 255
    print(e.code, file=sys.stderr)
    return 1


def finish_program(code):
    """Non-daemon threads, exit handlers and buffered output, in the order of the interpreter."""
    try:
        if "threading" in sys.modules:
            sys.modules["threading"]._shutdown()
        import atexit

        atexit._run_exitfuncs()
        sys.stdout.flush()
    except BaseException:
        code = code or 120
    try:
        sys.stderr.flush()
    except BaseException:
        pass
    return code
