"""The averaging contrasts by name, and what a contrast is to the rest of the package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from formulajoint.contrasts.averages import joint, rms, spread


class Average(Protocol):
    """A function from effects and weights over groups to a contrast, in plain arithmetic.

    The same function serves NumPy arrays and PyTensor variables, so it may use operators and methods that
    both have (``sum``, ``**``), and nothing else.
    """

    def __call__(self, effects: Any, weights: Any) -> Any:
        """Average `effects` (G, ...) over the first axis with `weights` (G, ...) that sum to one along it."""
        ...


@dataclass(frozen=True, slots=True)
class ContrastFunction:
    """A contrast clause: its name in formulas, its function and one line for tables and ``explain()``."""

    name: str
    function: Average
    meaning: str


AVERAGES: Mapping[str, ContrastFunction] = MappingProxyType(
    {
        "joint": ContrastFunction("joint", joint, "weighted mean"),
        "rms": ContrastFunction("rms", rms, "weighted root mean square"),
        "spread": ContrastFunction("spread", spread, "weighted standard deviation"),
    }
)
"""Clause name -> contrast. The clause's arguments are declared in ``language/tables.py``."""
