"""TRL: a spec as reward functions for `GRPOTrainer` and `RLOOTrainer`.

>>> from guerdon.trl import reward_funcs
>>> trainer = GRPOTrainer(..., reward_funcs=reward_funcs("reward.yaml"))  # doctest: +SKIP
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from statistics import fmean
from typing import Any

from guerdon._spec import Spec

RewardFunc = Callable[..., list["float | None"]]


def reward_funcs(
    spec: str | os.PathLike[str] | Mapping[str, Any] | Spec, *, per_signal: bool = False
) -> list[RewardFunc]:
    """Return reward functions in TRL's form.

    One function gives the spec's reward and logs every signal (`log_extra`, `log_metric`). With `per_signal` there is
    one function per signal instead, named after it, for TRL's own weights and logging. An unscored rollout is `None`,
    which TRL leaves out.
    """
    loaded = spec if isinstance(spec, Spec) else Spec(spec)
    if per_signal:
        return [_SignalFunc(loaded, name) for name in loaded.signals]
    return [_RewardFunc(loaded)]


def _rows(prompts: Any, completions: Any, columns: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a row per completion. Columns of another length are the trainer's own objects, not data."""
    count = len(completions)
    data = {k: v for k, v in columns.items() if isinstance(v, list) and len(v) == count}
    tokens = data.pop("completion_ids", None)
    rows = [{k: v[i] for k, v in data.items()} for i in range(count)]
    for i, row in enumerate(rows):
        row["completion"] = completions[i]
        if prompts is not None:
            row["prompt"] = prompts[i]
        if tokens is not None:
            row["tokens"] = len(tokens[i])
    return rows


class _RewardFunc:
    """The spec's reward, with every signal logged."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.__name__ = "guerdon"

    def __call__(
        self,
        prompts: Any = None,
        completions: Any = None,
        *,
        log_extra: Callable[[str, list[Any]], None] | None = None,
        log_metric: Callable[[str, float], None] | None = None,
        **columns: Any,
    ) -> list[float | None]:
        result = self.spec.score(_rows(prompts, completions, columns))
        for name in self.spec.signals:
            values = result.signal(name)
            scored = [v for v in values if v is not None]
            if log_extra is not None:
                log_extra(name, values)
            if log_metric is not None:
                if scored:
                    log_metric(f"guerdon/{name}/mean", fmean(scored))
                log_metric(f"guerdon/{name}/unscored", 1 - len(scored) / max(1, len(values)))
        return result.reward


class _SignalFunc:
    """One signal of the spec."""

    def __init__(self, spec: Spec, name: str) -> None:
        self.spec = spec
        self.name = name
        self.__name__ = name

    def __call__(self, prompts: Any = None, completions: Any = None, **columns: Any) -> list[float | None]:
        return self.spec.score(_rows(prompts, completions, columns)).signal(self.name)
