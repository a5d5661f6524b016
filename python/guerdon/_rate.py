"""Ratings from columns of comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from guerdon import _native

_CODES = {
    "first": 1,
    "model_a": 1,
    "left": 1,
    "second": 2,
    "model_b": 2,
    "right": 2,
    "tie": 0,
}


def rate(
    first: Any,
    second: Any,
    outcome: Any,
    methods: Sequence[str | tuple[str, Mapping[str, Any]]] = ("bradley_terry",),
    *,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Rate contestants from three columns: who met whom, and who won.

    Columns are lists, numpy arrays, or columns of a pandas, polars or pyarrow table. Outcomes are the words `first`,
    `second` and `tie` (also `model_a`, `left`, ...), or the numbers 1, 2 and 0. A method is a name of `rank.*`, or a
    pair of a name and its parameters. Returns a leaderboard per method: `{method, ratings: [{name, strength, rating,
    low, high, rank}]}`.
    """
    left, right = np.asarray(first), np.asarray(second)
    if left.shape != right.shape:
        raise ValueError(f"`first` has {left.size} values and `second` has {right.size}")
    names, inverse = np.unique(np.concatenate([left, right]), return_inverse=True)
    codes = np.ascontiguousarray(inverse.reshape(-1), dtype=np.uint32)
    asked = [(m, None) if isinstance(m, str) else (m[0], dict(m[1])) for m in methods]
    boards: list[dict[str, Any]] = _native.rate(
        [str(name) for name in names], codes[: left.size], codes[left.size :], _outcomes(outcome), asked, seed
    )
    return boards


def _outcomes(outcome: Any) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return outcomes as 0 (tie), 1 (first) and 2 (second)."""
    values = np.asarray(outcome)
    if values.dtype.kind in "iu":
        return np.ascontiguousarray(values, dtype=np.uint8)
    words, codes = np.unique(values.astype(str), return_inverse=True)
    unknown = [word for word in words if word.lower() not in _CODES]
    if unknown:
        raise ValueError(f"unknown outcome {str(unknown[0])!r}; known: {', '.join(_CODES)}")
    known = np.array([_CODES[word.lower()] for word in words], dtype=np.uint8)
    return np.ascontiguousarray(known[codes.reshape(-1)])
