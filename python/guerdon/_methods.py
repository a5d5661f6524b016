"""Every method of the catalogue as a Python function, made from the registry of the native library."""

from __future__ import annotations

import inspect
import keyword
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from guerdon import _native


class Method:
    """A method: call it, or read its documentation with `help`."""

    def __init__(self, entry: Mapping[str, Any]) -> None:
        """Wrap an entry of the registry."""
        self.id: str = entry["id"]
        self.kind: str = entry["kind"]
        self.papers: list[str] = entry["papers"]
        self.parameters: dict[str, Any] = entry["parameters"].get("properties", {})
        self.__name__ = self.id.partition(".")[2]
        self.__qualname__ = self.id
        self.__doc__ = entry["doc"]
        self.__signature__ = _signature(self.kind, self.parameters)

    def __repr__(self) -> str:
        """Show the id."""
        return f"<guerdon method {self.id} ({self.kind})>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the method; what it takes follows from its kind, see the signature."""
        try:
            bound = self.__signature__.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self.id}: {error}; it takes {self.__signature__}") from None
        given_by_name = {_parameter_name(k): v for k, v in bound.arguments.items()}
        inputs = {k: v for k, v in given_by_name.items() if k not in self.parameters and k != "input"}
        params = {k: _plain(v) for k, v in given_by_name.items() if k in self.parameters}
        match self.kind:
            case "signal":
                return _signal(self.id, params, **inputs)
            case "transform":
                return _transform(self.id, params, **inputs)
            case "function" | "selector":
                given = bound.arguments.get("input")
                merged = {**(given or {}), **inputs.pop("inputs", {})}
                return _native.call(self.id, _plain(merged), params, inputs.get("seed", 0))
            case "judge" | "protocol":
                return _native.converse(
                    self.id, _plain(inputs["case"]), _rounds(inputs.get("replies", ())), params, inputs.get("seed", 0)
                )
            case kind:
                raise TypeError(f"{self.id} is a {kind}: it runs in the engine")

    def run(self, case: Mapping[str, Any], answer: Callable[[dict[str, Any]], Any], **kwargs: Any) -> Any:
        """Hold the whole conversation of a method that asks a model, and return its result.

        `answer` is called with each request (`{"messages": [...], ...}`) and returns the reply: the text, or a mapping
        with `text` and, where asked for, `logprobs`.
        """
        replies: list[list[Any]] = []
        while True:
            step = self(case, replies=replies, **kwargs)
            if "done" in step:
                return step["done"]
            replies.append([answer(request) for request in step["ask"]])


class Family:
    """The methods of one family."""

    def __init__(self, name: str, members: Mapping[str, Method]) -> None:
        """Gather the methods of a family."""
        self.__name__ = name
        self.__doc__ = f"The `{name}.*` methods: {', '.join(sorted(members))}."
        self._members = dict(members)

    def __getattr__(self, name: str) -> Method:
        """Look up a method."""
        try:
            return self._members[name]
        except KeyError:
            known = ", ".join(sorted(self._members))
            raise AttributeError(f"there is no method `{self.__name__}.{name}`; known: {known}") from None

    def __dir__(self) -> list[str]:
        """List the methods."""
        return sorted(self._members)

    def __repr__(self) -> str:
        """Show the name."""
        return f"<guerdon family {self.__name__}>"


_Kind = inspect.Parameter

_INPUTS: dict[str, list[inspect.Parameter]] = {
    "signal": [
        _Kind("completions", _Kind.POSITIONAL_OR_KEYWORD),
        _Kind("references", _Kind.POSITIONAL_OR_KEYWORD, default=None),
        _Kind("prompts", _Kind.KEYWORD_ONLY, default=None),
        _Kind("groups", _Kind.KEYWORD_ONLY, default=None),
        _Kind("rows", _Kind.KEYWORD_ONLY, default=None),
    ],
    "transform": [
        _Kind("values", _Kind.POSITIONAL_OR_KEYWORD),
        _Kind("groups", _Kind.POSITIONAL_OR_KEYWORD, default=None),
        _Kind("columns", _Kind.KEYWORD_ONLY, default=None),
        _Kind("seed", _Kind.KEYWORD_ONLY, default=0),
    ],
    "function": [
        _Kind("input", _Kind.POSITIONAL_OR_KEYWORD, default=None),
        _Kind("seed", _Kind.KEYWORD_ONLY, default=0),
    ],
}
_INPUTS["selector"] = _INPUTS["function"]
_INPUTS["judge"] = _INPUTS["protocol"] = [
    _Kind("case", _Kind.POSITIONAL_OR_KEYWORD),
    _Kind("replies", _Kind.POSITIONAL_OR_KEYWORD, default=()),
    _Kind("seed", _Kind.KEYWORD_ONLY, default=0),
]


def _python_name(name: str) -> str:
    """Return the name of a parameter as Python can spell it: `lambda` becomes `lambda_`."""
    return f"{name}_" if keyword.iskeyword(name) else name


def _parameter_name(name: str) -> str:
    """Return the parameter that a Python name stands for."""
    return name[:-1] if name.endswith("_") and keyword.iskeyword(name[:-1]) else name


def _signature(kind: str, parameters: Mapping[str, Any]) -> inspect.Signature:
    """Return inputs by kind, then the method's own parameters, then (for functions) any field of the input."""
    inputs = _INPUTS.get(kind, [])
    taken = {p.name for p in inputs}
    own = [
        _Kind(_python_name(name), _Kind.KEYWORD_ONLY, default=schema.get("default"))
        for name, schema in parameters.items()
        if name not in taken and name.isidentifier()
    ]
    rest = [_Kind("inputs", _Kind.VAR_KEYWORD)] if kind in ("function", "selector") else []
    return inspect.Signature([*inputs, *own, *rest])


def _plain(value: Any) -> Any:
    """Return plain Python values: arrays become lists, at any depth."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    for name in ("tolist", "to_list", "to_pylist"):  # pandas, polars, pyarrow
        if hasattr(value, name):
            return getattr(value, name)()
    return value


def _rounds(replies: Sequence[Sequence[Any]]) -> list[list[dict[str, Any]]]:
    """Return the replies of all rounds as the engine reads them: a plain text is a reply without log-probabilities."""
    return [[{"text": r} if isinstance(r, str) else _plain(r) for r in given] for given in replies]


def _signal(
    id: str,
    params: dict[str, Any],
    completions: Sequence[Any],
    references: Any = None,
    prompts: Sequence[Any] | None = None,
    groups: Sequence[Any] | None = None,
    rows: Sequence[Mapping[str, Any]] | None = None,
) -> npt.NDArray[np.float64]:
    """Score completions; NaN where unscored. One reference serves all, a sequence one each."""
    count = len(completions)
    columns: dict[str, Sequence[Any]] = {"completion": completions}
    if references is not None:
        single = isinstance(references, str) or not isinstance(references, Sequence | np.ndarray)
        columns["reference"] = [references] * count if single else list(references)
    if prompts is not None:
        columns["prompt"] = prompts
    if groups is not None:
        columns["group"] = [str(group) for group in groups]
    for name, column in columns.items():
        if len(column) != count:
            raise ValueError(f"{count} completions and {len(column)} values of `{name}`")
    given = rows if rows is not None else [{}] * count
    table = [{**row, **{k: v[i] for k, v in columns.items()}} for i, row in enumerate(given)]
    values, _reasons = _native.score_signal(id, _plain(table), params)
    return values


def _transform(
    id: str,
    params: dict[str, Any],
    values: Any,
    groups: Any = None,
    columns: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> npt.NDArray[np.float64]:
    """Transform values; NaN in means unscored, and comes out as NaN."""
    numbers = _numbers(values)
    keys = None
    if groups is not None:
        _, inverse = np.unique(np.asarray(groups), return_inverse=True)
        keys = np.ascontiguousarray(inverse.reshape(-1), dtype=np.int64)
    named = {name: _numbers(column) for name, column in (columns or {}).items()}
    return _native.transform(id, numbers, keys, named, params, seed)


def _numbers(values: Any) -> npt.NDArray[np.float64]:
    """Return a contiguous array of floats; None becomes NaN."""
    if isinstance(values, list | tuple):
        values = [float("nan") if v is None else v for v in values]
    return np.ascontiguousarray(values, dtype=np.float64)


_ALL = [Method(entry) for entry in _native.methods()]

FAMILIES: dict[str, Family] = {
    family: Family(family, {m.__name__: m for m in _ALL if m.id.partition(".")[0] == family})
    for family in dict.fromkeys(m.id.partition(".")[0] for m in _ALL)
}


def methods() -> list[Method]:
    """Return every method of the catalogue."""
    return list(_ALL)
