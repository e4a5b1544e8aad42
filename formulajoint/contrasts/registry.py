"""The averaging contrasts by name, and what a contrast is to the rest of the package."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from formulajoint.contrasts.averages import joint, rms, spread

type Average = Callable[..., Any]
"""A function from effects (G, ...) and weights (G, ...) that sum to one, and options by name, to a contrast (...).

One that is plain serves NumPy arrays and PyTensor variables alike: it uses operators and methods that both have
(``sum``, ``**``), and nothing else.
"""


@dataclass(frozen=True, slots=True)
class ContrastFunction:
    """A contrast clause that averages: its name in formulas, its function and one line for tables and ``explain()``.

    `plain` says that the function is arithmetic which NumPy arrays with further axes behind know, too; else it may
    use what PyTensor has, and is evaluated on draws by way of a graph.
    """

    name: str
    function: Average
    meaning: str
    plain: bool = True


AVERAGES: Mapping[str, ContrastFunction] = MappingProxyType(
    {
        "joint": ContrastFunction("joint", joint, "weighted mean"),
        "rms": ContrastFunction("rms", rms, "weighted root mean square"),
        "spread": ContrastFunction("spread", spread, "weighted standard deviation"),
    }
)
"""Clause name -> contrast. The clause's arguments are declared in ``language/vocabulary/core.py``."""
