"""OpenRLHF: a spec as a reward function file.

Write a file of two lines and give it as `--reward.remote_url`:

    from guerdon.openrlhf import make
    reward_func = make("reward.yaml")
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from guerdon._spec import Spec

RewardFunc = Callable[[Sequence[str], Sequence[str], Sequence[Any]], dict[str, Any]]


def make(spec: str | os.PathLike[str] | Mapping[str, Any] | Spec, *, unscored: float = 0.0) -> RewardFunc:
    """Return `reward_func(queries, prompts, labels)` in OpenRLHF's form.

    A query is the prompt with the response behind it. Rewards of unscored rollouts are `unscored`; `extra_logs` counts
    them, and holds every signal.
    """
    loaded = spec if isinstance(spec, Spec) else Spec(spec)

    def reward_func(queries: Sequence[str], prompts: Sequence[str], labels: Sequence[Any]) -> dict[str, Any]:
        rows = [
            {"prompt": p, "completion": q.removeprefix(p), "reference": label}
            for q, p, label in zip(queries, prompts, labels, strict=True)
        ]
        result = loaded.score(rows)
        rewards = [unscored if r is None else r for r in result.reward]
        logs: dict[str, list[float]] = {
            name: [unscored if v is None else v for v in result.signal(name)] for name in loaded.signals
        }
        logs["unscored"] = [float(r is None) for r in result.reward]
        return {"rewards": rewards, "scores": rewards, "extra_logs": logs}

    return reward_func
