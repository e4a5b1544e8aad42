"""Rows of the fit with a column set: what the column is, and the rows with another value of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from formulajoint.compiler.evaluate.linear_predictor import members
from formulajoint.compiler.plan import LinearPlan, Plan
from formulajoint.design.columns import Column
from formulajoint.design.frame import read_frame
from formulajoint.design.model_rows import complete_rows
from formulajoint.design.recipes import Coded, columns_read
from formulajoint.design.rows import Table
from formulajoint.design.schema import Design, Grouping
from formulajoint.design.values import label, levels
from formulajoint.errors import DataError
from formulajoint.wording import did_you_mean, listed

NO_ROWS_HELD = (
    "This fit does not hold the rows of its data, since it was made of their sums, or an older version saved it: give "
    "rows by `new_data=`, as in `fit.comparisons(..., new_data=rows)`."
)


def table_of(design: Design, names: Iterable[str], data: object = None) -> Table:
    """Return the columns `names` in the rows of the fit, or in the complete rows of a data frame.

    Raises
    ------
    DataError
        If a column is not at hand.
    """
    if data is not None:
        return complete_rows(read_frame(data), dict.fromkeys(names), design)
    kept = design.kept
    if kept is None:
        raise DataError(NO_ROWS_HELD)
    columns = {name: _kept(design, name, kept.columns) for name in dict.fromkeys(names)}
    return Table(columns, kept.places, design.row_weights, design.language)


def _kept(design: Design, name: str, columns: Mapping[str, Column]) -> Column:
    if name in columns:
        return columns[name]
    if design.frame is None:
        hint = did_you_mean(name, columns) or f"it holds {listed(columns)}."
        raise DataError(
            f"A saved fit holds only the columns of its formula, and `{name}` is not one of them: {hint}"
        )
    if name not in design.frame.frame.names:
        hint = (
            did_you_mean(name, design.frame.frame.names)
            or f"the columns are {listed(design.frame.frame.names)}."
        )
        raise DataError(f"The data have no column `{name}`: {hint}")
    found = design.frame.frame.column(name).take(design.frame.places)
    if found.missing.any():
        raise DataError(
            f"Column `{name}` misses {int(found.missing.sum())} of the {len(found.values)} rows of this fit."
        )
    return found


# --- what a column is


@dataclass(frozen=True, slots=True)
class Variable:
    """A column that can be set: its `levels` if it is a factor, two values, or a group; else a number.

    `reference` is the level that others are compared with.
    """

    name: str
    levels: tuple[Any, ...] = ()
    reference: Any = None


def variable_of(plan: Plan, name: str) -> Variable:
    """Return what a column of the model is.

    Raises
    ------
    DataError
        If the model does not read it.
    """
    if not isinstance(name, str):
        raise DataError(f"A column is given by its name, one at a time, such as 'age', not {name!r}.")
    if plan.design.kept is None:
        raise DataError(NO_ROWS_HELD)
    coded = [part for part in _coded(plan) if part.variable == name]
    known = plan.design.kept.columns
    if name not in known:
        hint = did_you_mean(str(name), known) or f"it reads {listed(known)}."
        raise DataError(f"The model does not read a column `{name}`: {hint}")
    column = plan.design.kept.columns[name]
    if coded:
        rows = (row for part in coded for row in zip(part.levels, part.matrix, strict=True))
        zero = [level for level, codes in rows if not codes.any()]
        return Variable(name, coded[0].levels, zero[0] if zero else coded[0].levels[0])
    if column.kind == "categorical":
        labels = levels(column).labels
        return Variable(name, labels, labels[0])
    if column.kind == "boolean":
        return Variable(name, ("False", "True"), "False")
    own = tuple(v.item() for v in np.unique(column.values))
    if len(own) == 2 or name in _only_of_groups(plan):
        return Variable(name, own, own[0])
    return Variable(name)


def _only_of_groups(plan: Plan) -> set[str]:
    """Return the columns that make groups and are nothing else: their numbers are names."""
    linear = [part for part in plan.parameters if isinstance(part, LinearPlan)]
    terms = {name for part in linear for _, c in members(part) for name in c.term.variables}
    offsets = [part.predictor.recipe for part in linear if part.predictor.recipe is not None]
    read = {name for recipe in offsets for name in columns_read(recipe)}
    return {name for grouping in pooled_groupings(plan) for name in grouping.variables} - terms - read


def pooled_groupings(plan: Plan) -> tuple[Grouping, ...]:
    """Return the groupings of all coefficients and parameters that differ by group."""
    found: dict[Grouping, None] = {}
    for part in plan.parameters:
        if isinstance(part, LinearPlan):
            found |= {c.grouping: None for _, c in members(part) if c.grouping is not None}
        elif part.grouping is not None:
            found[part.grouping] = None
    return tuple(found)


def _coded(plan: Plan) -> list[Coded]:
    terms = [c.term for part in plan.parameters if isinstance(part, LinearPlan) for _, c in members(part)]
    pieces = (piece for term in terms if term.recipe is not None for piece in term.recipe.pieces)
    return [part for piece in pieces for part in piece if isinstance(part, Coded)]


# --- columns set


def with_value(table: Table, name: str, value: Any) -> Table:
    """Return the table with one column set to a value, or to a number for each row."""
    old, rows = table.columns[name], table.rows
    missing = np.zeros(rows, dtype=bool)
    if isinstance(value, np.ndarray):
        new = Column(name, "numeric", value, missing)
    elif old.kind == "categorical":
        texts = np.empty(rows, dtype=object)
        texts[:] = value if isinstance(value, str) else label(value)
        new = Column(name, "categorical", texts, missing)
    elif old.kind == "boolean":
        new = Column(name, "boolean", np.full(rows, str(label(value)) in ("True", "1")), missing)
    else:
        new = Column(name, "numeric", np.full(rows, _number(value, name)), missing)
    columns = {**table.columns, name: new}
    return Table(columns, table.places, table.weights, table.language)


def _number(value: Any, name: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise DataError(f"`{name}` holds numbers, and cannot be {value!r}.") from None
