"""The averaging contrasts by name, and the type of an averaging contrast."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from formulajoint.contrasts.averages import joint, rms, spread
from formulajoint.language.vocabulary.language import Language
from formulajoint.language.vocabulary.meanings import Vocabulary

type Average = Callable[..., Any]
"""Function from effects (G, ...), weights (G, ...) that sum to one, and options by name, to a contrast (...).

A plain one works for NumPy arrays and PyTensor variables: it uses only operators and methods that both have
(``sum``, ``**``).
"""


@dataclass(frozen=True, slots=True)
class ContrastFunction:
    """An averaging contrast clause: its name in formulas, its function, and a phrase for tables and ``explain()``.

    If `plain`, the function also works on NumPy arrays with further axes behind. Otherwise it may use PyTensor's
    functions, and is evaluated on draws through a graph. If not `signed`, the contrast is never negative. `whose` names
    one that an extension brings in messages.
    """

    name: str
    function: Average
    meaning: str
    plain: bool = True
    signed: bool = True
    whose: str = ""


AVERAGES: Mapping[str, ContrastFunction] = MappingProxyType(
    {
        "joint": ContrastFunction("joint", joint, "weighted mean"),
        "rms": ContrastFunction("rms", rms, "weighted root mean square", signed=False),
        "spread": ContrastFunction("spread", spread, "weighted standard deviation", signed=False),
    }
)
"""Clause name -> contrast. The clauses' arguments are declared in ``language/vocabulary/core.py``."""


def average_named(name: str, language: Language) -> ContrastFunction | None:
    """Return the averaging contrast of that name, also of one that an extension brings; None if there is none."""
    return Vocabulary("clause", AVERAGES, _brought).find(name, language)


def _brought(value: Any) -> ContrastFunction | None:
    from formulajoint.contrasts.custom import Contrast

    if not isinstance(value, Contrast):
        return None
    return ContrastFunction(value.name, value.value, value.meaning, plain=False, whose=value.whose)
