"""Guerdon: the reward engine for language-model training and evaluation.

>>> import guerdon
>>> spec = guerdon.Spec({"signals": {"correct": {"use": "verify.math"}}})
>>> result = spec.score([{"completion": "It is 4.", "reference": "4"}])
>>> result.reward
[1.0]
>>> guerdon.advantage.grpo([1.0, 0.0, 0.0, 1.0], groups=[0, 0, 0, 0], preset="trl")
array([ 0.86587543, -0.86587543, -0.86587543,  0.86587543])
"""

from __future__ import annotations

from guerdon import _native
from guerdon._methods import FAMILIES, Family, Method, methods
from guerdon._rate import rate
from guerdon._spec import Result, Spec

__version__: str = _native.__version__

__all__ = ["Family", "Method", "Result", "Spec", "__version__", "methods", "rate", "schema"]


def schema() -> dict[str, object]:
    """Return the JSON schema of reward specs."""
    return _native.schema()


def __getattr__(name: str) -> Family:
    """Look up a family of methods: `guerdon.shape`, `guerdon.stats`, ..."""
    try:
        return FAMILIES[name]
    except KeyError:
        known = ", ".join(FAMILIES)
        raise AttributeError(f"guerdon has no `{name}`; families of methods: {known}") from None


def __dir__() -> list[str]:
    """List what the package offers, the families of methods included."""
    return sorted([*__all__, *FAMILIES])
