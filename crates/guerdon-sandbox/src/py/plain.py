"""Plain data on the wire: the one form in which values pass between a candidate and its judge.

Numbers, strings, None, booleans and lists are themselves in JSON; every other value is an object
{"t": tag, "v": payload}. Decoding builds only the types named here, whatever the bytes say: no code
of the sender runs in the reader, and a subclass arrives as its plain base.
"""
import collections
import datetime
import decimal
import fractions
import json
import math
import struct
import sys

MAX_DEPTH = 200
MAX_FRAME = 32 << 20
SMALL = 1 << 62
SIMPLE = (int, str, bool, type(None))


class Unsendable(TypeError):
    """The value is not plain data and has no stand-in on this side."""


class Violation(Exception):
    """The other side broke the protocol."""


class Oversize(Exception):
    """A message is larger than MAX_FRAME."""


class Gone(BaseException):
    """The other side closed the channel."""


def encode(value, other, depth=0):
    """The wire form of `value`; `other(value)` answers for what is not plain data."""
    if depth > MAX_DEPTH:
        raise Unsendable("value is nested more than %d levels deep" % MAX_DEPTH)
    kind = type(value)
    plain = ENCODERS.get(kind)
    if plain is not None:
        return plain(value, other, depth + 1)
    for base in BASES:
        if isinstance(value, base) and not is_enum(value):
            return ENCODERS[base](base_copy(base, value), other, depth + 1)
    if kind.__module__ == "numpy":
        return encode_numpy(value, other, depth + 1)
    return other(value)


def is_enum(value):
    enum = sys.modules.get("enum")
    return enum is not None and isinstance(value, enum.Enum) and not isinstance(value, (int, str))


def base_copy(base, value):
    if base is str:
        return str.__str__(value)
    if base is int:
        return int.__index__(value) + 0
    if base is float:
        return float.__float__(value)
    if base in (dict, list, tuple, set, frozenset):
        return base(base.__iter__(value)) if base is not dict else dict(dict.items(value))
    return value


def encode_int(value, other, depth):
    if -SMALL < value < SMALL:
        return value
    return {"t": "i", "v": "%x" % value}


def encode_float(value, other, depth):
    if math.isfinite(value):
        return value
    return {"t": "f", "v": "nan" if value != value else "inf" if value > 0 else "-inf"}


def items(value, other, depth):
    if set(map(type, value)) <= set(SIMPLE) and all(type(x) is not int or -SMALL < x < SMALL for x in value):
        return list(value)
    return [encode(x, other, depth) for x in value]


def tagged(tag):
    return lambda value, other, depth: {"t": tag, "v": items(value, other, depth)}


def encode_dict(value, other, depth):
    pairs = [[encode(k, other, depth), encode(v, other, depth)] for k, v in value.items()]
    return {"t": "d", "v": pairs}


def encode_numpy(value, other, depth):
    shape = getattr(value, "shape", None)
    dtype = getattr(value, "dtype", None)
    if shape is None or dtype is None or dtype.kind not in "biufcSU":
        return other(value)
    if shape == ():
        return encode(value.item(), other, depth)
    flat = [encode(x, other, depth) for x in value.ravel().tolist()]
    return {"t": "np", "v": [dtype.str, list(shape), flat]}


def itself(value, other, depth):
    return value


ENCODERS = {
    type(None): itself,
    bool: itself,
    str: itself,
    int: encode_int,
    float: encode_float,
    list: items,
    tuple: tagged("tu"),
    set: tagged("s"),
    frozenset: tagged("fs"),
    collections.deque: tagged("dq"),
    dict: encode_dict,
    complex: lambda v, o, d: {"t": "c", "v": [encode_float(v.real, o, d), encode_float(v.imag, o, d)]},
    bytes: lambda v, o, d: {"t": "b", "v": v.hex()},
    bytearray: lambda v, o, d: {"t": "ba", "v": bytes(v).hex()},
    range: lambda v, o, d: {"t": "r", "v": [encode_int(x, o, d) for x in (v.start, v.stop, v.step)]},
    decimal.Decimal: lambda v, o, d: {"t": "de", "v": str(v)},
    fractions.Fraction: lambda v, o, d: {"t": "fr", "v": [encode_int(v.numerator, o, d), encode_int(v.denominator, o, d)]},
    datetime.datetime: lambda v, o, d: {"t": "dt", "v": v.isoformat()} if v.tzinfo is None else o(v),
    datetime.date: lambda v, o, d: {"t": "da", "v": v.isoformat()},
    datetime.time: lambda v, o, d: {"t": "ti", "v": v.isoformat()} if v.tzinfo is None else o(v),
    datetime.timedelta: lambda v, o, d: {"t": "td", "v": [v.days, v.seconds, v.microseconds]},
    type(Ellipsis): lambda v, o, d: {"t": "el", "v": None},
}
BASES = (bool, int, float, str, dict, tuple, list, set, frozenset, collections.deque, bytes)


def decode(value, other):
    """The value of a wire form; `other(tag, payload)` answers for tags that are not plain data."""
    if type(value) is list:
        return [decode(x, other) for x in value]
    if type(value) is not dict:
        return value
    try:
        tag, payload = value["t"], value["v"]
    except KeyError:
        raise Violation("object without a tag")
    build = DECODERS.get(tag)
    if build is None:
        return other(tag, payload)
    try:
        return build(payload, other)
    except (TypeError, ValueError, ArithmeticError, LookupError) as e:
        raise Violation("bad payload of %r: %s" % (tag, e))


def sequence(build):
    return lambda v, o: build(decode(x, o) for x in as_list(v))


def as_list(v):
    if type(v) is not list:
        raise Violation("payload is not a list")
    return v


def decode_numpy(v, other):
    import numpy

    dtype, shape, flat = as_list(v)
    return numpy.array(decode(as_list(flat), other), dtype=numpy.dtype(dtype)).reshape(shape)


DECODERS = {
    "i": lambda v, o: int(v, 16),
    "f": lambda v, o: float(v),
    "c": lambda v, o: complex(*decode(as_list(v), o)),
    "b": lambda v, o: bytes.fromhex(v),
    "ba": lambda v, o: bytearray.fromhex(v),
    "tu": sequence(tuple),
    "s": sequence(set),
    "fs": sequence(frozenset),
    "dq": sequence(collections.deque),
    "d": lambda v, o: {decode(k, o): decode(x, o) for k, x in as_list(v)},
    "r": lambda v, o: range(*decode(as_list(v), o)),
    "de": lambda v, o: decimal.Decimal(v),
    "fr": lambda v, o: fractions.Fraction(*decode(as_list(v), o)),
    "dt": lambda v, o: datetime.datetime.fromisoformat(v),
    "da": lambda v, o: datetime.date.fromisoformat(v),
    "ti": lambda v, o: datetime.time.fromisoformat(v),
    "td": lambda v, o: datetime.timedelta(*as_list(v)),
    "el": lambda v, o: Ellipsis,
    "np": decode_numpy,
}


class Channel:
    """Length-prefixed JSON messages over a stream socket."""

    __slots__ = ("sock", "rest")

    def __init__(self, sock):
        self.sock = sock
        self.rest = b""

    def send(self, message):
        data = json.dumps(message, separators=(",", ":")).encode()
        if len(data) > MAX_FRAME:
            raise Oversize("message of %d bytes exceeds %d" % (len(data), MAX_FRAME))
        try:
            self.sock.sendall(struct.pack(">I", len(data)) + data)
        except OSError:
            raise Gone()

    def receive(self):
        (size,) = struct.unpack(">I", self.exactly(4))
        if size > MAX_FRAME:
            raise Oversize("message of %d bytes exceeds %d" % (size, MAX_FRAME))
        try:
            message = json.loads(self.exactly(size))
        except (ValueError, RecursionError) as e:
            raise Violation("message is not JSON: %s" % e)
        if type(message) is not dict:
            raise Violation("message is not an object")
        return message

    def exactly(self, size):
        if len(self.rest) < size:
            self.fill(size)
        data, self.rest = self.rest[:size], self.rest[size:]
        return data

    def fill(self, size):
        """Reads until at least `size` bytes are held; what is more belongs to the next message."""
        parts, held = [self.rest], len(self.rest)
        while held < size:
            try:
                part = self.sock.recv(min(max(size - held, 4096), 1 << 20))
            except OSError:
                part = b""
            if not part:
                raise Gone()
            parts.append(part)
            held += len(part)
        self.rest = b"".join(parts)
