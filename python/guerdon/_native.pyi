from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__version__: str

class Spec:
    @staticmethod
    def from_path(path: str) -> Spec: ...
    @staticmethod
    def from_value(value: Mapping[str, Any]) -> Spec: ...
    @property
    def signals(self) -> list[str]: ...
    def score(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]: ...
    def judge(self, rows: Sequence[Mapping[str, Any]], name: str | None = None) -> list[dict[str, Any]]: ...
    def ledger(self) -> dict[str, Any] | None: ...
    def save(self) -> dict[str, Any]: ...
    def restore(self, state: Mapping[str, Any]) -> None: ...

def methods() -> list[dict[str, Any]]: ...
def schema() -> dict[str, object]: ...
def call(id: str, input: Any, params: Mapping[str, Any], seed: int = 0) -> Any: ...
def converse(
    id: str,
    case: Mapping[str, Any],
    rounds: Sequence[Sequence[Mapping[str, Any]]],
    params: Mapping[str, Any],
    seed: int = 0,
) -> dict[str, Any]: ...
def score_signal(
    id: str, rows: Sequence[Mapping[str, Any]], params: Mapping[str, Any]
) -> tuple[npt.NDArray[np.float64], list[str | None]]: ...
def transform(
    id: str,
    values: npt.NDArray[np.float64],
    groups: npt.NDArray[np.int64] | None,
    columns: Mapping[str, npt.NDArray[np.float64]],
    params: Mapping[str, Any],
    seed: int = 0,
) -> npt.NDArray[np.float64]: ...
def rate(
    names: Sequence[str],
    first: npt.NDArray[np.uint32],
    second: npt.NDArray[np.uint32],
    outcome: npt.NDArray[np.uint8],
    methods: Sequence[tuple[str, Mapping[str, Any] | None]],
    seed: int,
) -> list[dict[str, Any]]: ...
