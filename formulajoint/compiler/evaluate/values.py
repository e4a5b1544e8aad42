"""Values of a model's variables by name: PyTensor variables with the plan's dims, or draws of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from formulajoint.arrays import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """Values of the model's variables by name; `sampled` if each has an axis of draws after its dims."""

    of: Callable[[str], Any]
    sampled: bool = False

    def along(self, name: str, own: int, rank: int) -> Any:
        """Return a variable of `own` dims, with axes of length one added at the end to make `rank` dims."""
        return widened(self.of(name), own, rank)

    def fixed(self, array: FloatArray, rank: int) -> FloatArray:
        """Return numbers that are the same in every draw, shaped to broadcast with variables of `rank` dims."""
        wide: FloatArray = widened(array, array.ndim, rank)
        return wide[..., None] if self.sampled else wide


def widened(value: Any, own: int, rank: int) -> Any:
    """Return a value of `own` dims with axes of length one behind them, `rank` in all."""
    return value[(slice(None),) * own + (None,) * (rank - own)]
