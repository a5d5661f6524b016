"""Reward specs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from guerdon import _native


@dataclass(frozen=True)
class Result:
    """The rewards of a batch, in the order of its rows. `None` stands for "unscored", never 0."""

    rows: list[dict[str, Any]]
    """The output rows: `{id, group, signals, errors, reward, advantage, ...}`."""

    @property
    def reward(self) -> list[float | None]:
        """The rewards."""
        return [row["reward"] for row in self.rows]

    @property
    def advantage(self) -> list[float | None]:
        """The advantages; all `None` when the spec asks for none."""
        return [row["advantage"] for row in self.rows]

    @property
    def errors(self) -> list[dict[str, str]]:
        """Per row, why a signal could not score it."""
        return [row["errors"] for row in self.rows]

    def signal(self, name: str) -> list[float | None]:
        """Return the values of one signal."""
        return [row["signals"][name] for row in self.rows]


class Spec:
    """A reward spec, with the state of its online transforms.

    Takes the path of a YAML or JSON file, or the spec itself as a dict.
    """

    def __init__(self, spec: str | os.PathLike[str] | Mapping[str, Any]) -> None:
        """Read and check the spec; a mistake in it is a `ValueError` that says where."""
        if isinstance(spec, Mapping):
            self._native = _native.Spec.from_value(dict(spec))
        else:
            self._native = _native.Spec.from_path(os.fspath(spec))

    @property
    def signals(self) -> list[str]:
        """The names of the signals."""
        return self._native.signals

    def score(self, rows: Iterable[Mapping[str, Any]]) -> Result:
        """Score rows: mappings with the columns that the spec's `rollouts` section names.

        Also takes a pandas or polars data frame or a pyarrow table. Rows of one group need not be neighbours.
        """
        return Result(self._native.score(to_rows(rows)))

    def judge(self, rows: Iterable[Mapping[str, Any]], signal: str | None = None) -> list[dict[str, Any]]:
        """Judge rows with the spec's `judge` section, or with a signal that asks a model.

        Rows hold a prompt and the responses (`response_a` and `response_b`, `responses`, or one `completion`). Each
        output row is as `guerdon judge` writes it: `winner`, `p_first`, `p_tie`, `p_second`, or `value`, the judge's
        `words`, and an `error` where there is no judgement.
        """
        return self._native.judge(to_rows(rows), signal)

    @property
    def ledger(self) -> dict[str, Any] | None:
        """What models were asked on behalf of this spec and what that cost; `None` where none were."""
        return self._native.ledger()

    def save(self) -> dict[str, Any]:
        """Return the state of all online transforms."""
        return self._native.save()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put a saved state back."""
        self._native.restore(dict(state))


def to_rows(rows: Any) -> list[Any]:
    """Return plain rows from a list of mappings or a data frame."""
    if hasattr(rows, "to_dicts"):  # polars
        return list(rows.to_dicts())
    if hasattr(rows, "to_pylist"):  # pyarrow
        return list(rows.to_pylist())
    if hasattr(rows, "to_dict") and hasattr(rows, "columns"):  # pandas
        return list(rows.to_dict("records"))
    return [dict(row) if isinstance(row, Mapping) else row for row in rows]
