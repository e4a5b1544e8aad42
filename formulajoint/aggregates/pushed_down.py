"""What the engine of a lazy frame can compute; the rest is refused before any work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw

from formulajoint.aggregates.expressions import expressions_of, not_there
from formulajoint.aggregates.wanted import Wanted, wanted
from formulajoint.design.bind import Asked
from formulajoint.design.columns import Kind
from formulajoint.design.curves import CURVES
from formulajoint.design.functions import OWN
from formulajoint.design.recipes import Basis, Recipe
from formulajoint.errors import DataError, RowsNeededError
from formulajoint.language.syntax.nodes import Call, Expr
from formulajoint.language.syntax.text import canonical
from formulajoint.spec.names import group_arguments, walk
from formulajoint.wording import listed

LEARNING = ("center", "standardize", "scale")
"""Functions whose statistics are aggregated."""


def able(frame: Any, asked: Asked, learnt: Mapping[str, Recipe | Basis]) -> tuple[dict[str, Kind], Wanted]:
    """Return the kinds of the columns that a formula asks for, and what it needs of the rows of a lazy frame.

    Raises
    ------
    DataError
        If a column has values of another kind, or the engine cannot compute what is needed.
    """
    kinds = _kinds(frame)
    refused = [name for name in asked.columns if name not in kinds]
    if refused:
        what = "numbers, booleans, text or categories"
        given = frame.collect_schema()[refused[0]]
        raise DataError(
            f"Column `{refused[0]}` has values of the type {given}, not {what}. Convert it first."
        )
    kinds = {name: kinds[name] for name in asked.columns}
    found = wanted(asked, kinds.__getitem__)
    _refuse_measured_keys(frame, found, asked)
    for text, factor in found.factors.items():
        _check_learnt(text, factor, learnt, kinds)
    return kinds, found


def _kinds(frame: Any) -> dict[str, Kind]:
    """Return the kind of each column of a lazy frame that models can use."""
    found: dict[str, Kind] = {}
    for name, dtype in frame.collect_schema().items():
        if dtype == nw.Boolean:
            found[name] = "boolean"
        elif dtype.is_numeric():
            found[name] = "numeric"
        elif dtype in (nw.String, nw.Categorical, nw.Enum):
            found[name] = "categorical"
    return found


def _refuse_measured_keys(frame: Any, found: Wanted, asked: Asked) -> None:
    """Raise a DataError where rows would have to come to Python: cells by a measured number."""
    schema = frame.collect_schema()
    measured = [name for name in found.keys if schema[name].is_float() and not found.products]
    if measured:
        raise RowsNeededError(
            f"The response is {asked.law.name}, whose likelihood needs every row, or every different one, and "
            f"{listed(measured)} holds measured numbers.",
            "Read the columns of the formula into memory, such as by `data.select(...).collect()`, or cut measured "
            "numbers into classes.",
        )


def _check_learnt(text: str, factor: Expr, learnt: Mapping[str, Any], kinds: Mapping[str, Kind]) -> None:
    """Raise a DataError for a factor that learns what no aggregation gives, unless it is known."""
    if text in learnt:
        expressions_of(learnt[text])
        return
    for part in walk(factor):
        if not isinstance(part, Call):
            continue
        top = part is factor and part.name in LEARNING and not any(group_arguments(part))
        own = OWN.get(part.name)
        learns = part.name in CURVES or part.name == "ave" or (own is not None and own.learn is not None)
        if learns and not top:
            raise not_there(canonical(part))
