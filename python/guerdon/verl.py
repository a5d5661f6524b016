"""verl: a spec as a custom reward function.

In verl's configuration:

    reward.custom_reward_function.path: pkg://guerdon.verl
    reward.custom_reward_function.name: compute_score
    reward.custom_reward_function.reward_kwargs: {spec: /path/reward.yaml}
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any

from guerdon._spec import Spec


@lru_cache(maxsize=8)
def _load(path: str, modified: float) -> Spec:
    """Return the spec, read again when the file changes."""
    return Spec(path)


def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: Any,
    extra_info: dict[str, Any] | None = None,
    *,
    spec: str,
    unscored: float = 0.0,
    **_: Any,
) -> dict[str, float]:
    """Score one solution in verl's form: `score` and every signal, always under the same keys.

    verl has no "unscored": such a rollout gets the value `unscored`, and `unscored` is 1 among the keys, so that it is
    seen in the logs rather than taken for a wrong answer.
    """
    loaded = _load(spec, os.path.getmtime(spec))
    row = {
        **(extra_info or {}),
        "data_source": data_source,
        "completion": solution_str,
        "response": solution_str,
        "reference": ground_truth,
        "reward_model": {"ground_truth": ground_truth},
    }
    result = loaded.score([row]).rows[0]
    missing = result["reward"] is None
    out = {"score": unscored if missing else float(result["reward"]), "unscored": float(missing)}
    for name, value in result["signals"].items():
        out[name] = float("nan") if value is None else float(value)
    return out
