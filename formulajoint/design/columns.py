"""Values of columns, functions of columns and arithmetic in a formula, by fixed tables of operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial, reduce
from itertools import pairwise

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.design.coding import CODINGS, Coding, treatment
from formulajoint.design.frame import Column, Levels, levels, numbers
from formulajoint.design.functions import ColumnFunction, column_function
from formulajoint.design.level_lookup import position_of
from formulajoint.design.rows import Table
from formulajoint.errors import DataError, ExtensionError, FormulaError
from formulajoint.language.syntax.levels import level_of
from formulajoint.language.syntax.nodes import Call, Chain, Expr, Name, Number, Text, Unary
from formulajoint.language.syntax.nodes import Level as LevelNode
from formulajoint.language.syntax.text import RANK, SPECIAL, canonical
from formulajoint.language.vocabulary.core import FUNCTIONS
from formulajoint.language.vocabulary.options import given_options
from formulajoint.language.vocabulary.signatures import arguments, matched
from formulajoint.wording import listed


@dataclass(frozen=True, slots=True, eq=False)
class Categorical:
    """A categorical factor of a term: its levels, and its coding where it is reduced.

    `switch` is true for a boolean column; its one reduced column has the name of the column itself.
    """

    variable: str
    levels: Levels
    coding: Coding = treatment
    switch: bool = False


MANY_LEVELS = 10
SPOILT = 0.2
"""A text column of over `MANY_LEVELS` levels is refused if some, but less than this share, are not numbers."""


OPERATORS: Mapping[str, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "^": np.power,
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")


def factor_values(factor: Expr, table: Table) -> FloatArray | Categorical:
    """Return the values of one factor of a term: (N,) numbers, or a Categorical."""
    if isinstance(factor, Name) and table.columns[factor.id].kind != "numeric":
        column = table.columns[factor.id]
        _refuse_spoilt_numbers(column)
        return Categorical(factor.id, levels(column), switch=column.kind == "boolean")
    if isinstance(factor, Call) and factor.name == "C":
        return _categorical(factor, table)
    return numeric_values(factor, table)


def _refuse_spoilt_numbers(column: Column) -> None:
    """Raise a DataError for a text column whose many values are nearly all numbers, e.g. a single `.` among them."""
    labels = levels(column).labels
    others = [label for label in labels if not _is_number(label)]
    if len(labels) > MANY_LEVELS and 0 < len(others) < SPOILT * len(labels):
        raise DataError(
            f"Column `{column.name}` holds text, but {len(labels) - len(others)} of its {len(labels)} values are "
            "numbers. "
            f"Make {listed(others, 5)} a missing value or a number, or, if they are classes, name them as such."
        )


def _is_number(label: str) -> bool:
    try:
        float(label)
    except ValueError:
        return False
    return True


def numeric_values(expr: Expr, table: Table) -> FloatArray:
    """Return the values of an arithmetic expression of columns, (N,)."""
    with np.errstate(all="ignore"):  # `_finite` reports values that are not finite
        values = _evaluate(expr, table)
    return np.broadcast_to(values, (table.rows,)).astype(np.float64)


def _categorical(call: Call, table: Table) -> Categorical:
    """Return the factor that ``C(x, ref=, coding=)`` states."""
    given = arguments(call, FUNCTIONS["C"])
    column, reference, coding = given["x"], given.get("ref"), given.get("coding")
    if not isinstance(column, Name):
        raise FormulaError("`C` takes the name of a column", column.span)
    found = levels(table.columns[column.id])
    name = coding.id if isinstance(coding, Name) else "treatment"
    if reference is None:
        return Categorical(column.id, found, CODINGS[name])
    if name != "treatment":
        message = f"the coding `{name}` has no reference level"
        raise FormulaError(message, reference.span, "leave `ref=` or `coding=` out")
    level = level_of(reference)
    if level is None:
        raise FormulaError(f"`{canonical(reference)}` is no level", reference.span)
    place = position_of(level, found.labels, f"`{column.id}`")
    return Categorical(column.id, found, partial(treatment, reference=place))


# --- arithmetic


def _evaluate(expr: Expr, table: Table) -> FloatArray:
    match expr:
        case Number():
            return np.asarray(expr.value)
        case Name():
            return _numbers(expr, table)
        case Unary():
            values = _evaluate(expr.operand, table)
            return -values if expr.operator == "-" else values
        case Chain() if expr.operators[0] in COMPARISONS:
            return _compared(expr, table)
        case Chain() if set(expr.operators) <= OPERATORS.keys():
            return _finite(_combined(expr, table), expr, "Look for a division by zero.", table)
        case Chain() if RANK[expr.operators[0]] == SPECIAL:
            return _special(expr, table)
        case Call() if (function := column_function(expr.name, table.language)) is not None:
            return _called(expr, function, table)
    raise FormulaError(f"`{canonical(expr)}` cannot stand in arithmetic of columns", expr.span)


def _numbers(name: Name, table: Table) -> FloatArray:
    column = table.columns[name.id]
    if column.kind == "categorical":
        message = f"arithmetic needs numbers, but column `{name.id}` holds text or categories"
        raise FormulaError(message, name.span, f'compare it, as in `I({canonical(name)} == "...")`')
    return numbers(column)


def _combined(chain: Chain, table: Table) -> FloatArray:
    """Return the value of a chain of arithmetic operators of one precedence; ``^`` associates from the right."""
    first, *others = [_evaluate(operand, table) for operand in chain.operands]
    if chain.operators[0] == "^":
        *bases, last = (first, *others)
        return reduce(lambda exponent, base: np.power(base, exponent), reversed(bases), last)
    for operator, values in zip(chain.operators, others, strict=True):
        first = OPERATORS[operator](first, values)
    return first


def _special(chain: Chain, table: Table) -> FloatArray:
    """Return the value of a chain of extensions' operators, from the left; each gets (N,) arrays."""
    first, *others = [_rows(operand, table) for operand in chain.operands]
    for name, values in zip(chain.operators, others, strict=True):
        first = _answer(table.language.meaning("operator", name).function(first, values), name, table)
    return _finite(first, chain, "", table)


def _called(call: Call, function: ColumnFunction, table: Table) -> FloatArray:
    given = matched(call, table.language.names["function"][call.name])
    options = given_options(call, function.options)
    columns = tuple(_rows(value, table) for slot, value in given if slot.name not in options)
    result = _answer(function.values(columns, table.weights, options), call.name, table)
    return _finite(result, call, function.domain, table)


def _rows(expr: Expr, table: Table) -> FloatArray:
    """Return the values of `expr`, one per row, as a read-only array."""
    return np.broadcast_to(_evaluate(expr, table), (table.rows,))


def _answer(result: object, name: str, table: Table) -> FloatArray:
    """Return the result of a function or operator as floats; raise an ExtensionError unless it is one number a row."""
    values = np.asarray(result)
    if values.shape not in ((), (table.rows,)) or values.dtype.kind not in "biuf":
        answered = f"shape {values.shape} and type {values.dtype}"
        raise ExtensionError(
            f"`{name}` must answer one number for each of the {table.rows} rows, not {answered}."
        )
    return values.astype(np.float64)


def _finite(values: FloatArray, expr: Expr, reason: str, table: Table) -> FloatArray:
    bad = int((~np.isfinite(np.broadcast_to(values, (table.rows,)))).sum())
    if bad:
        what = f"`{canonical(expr)}` is not a finite number in {bad} of the {table.rows} rows used."
        raise DataError(f"{what} {reason}".rstrip())
    return values


# --- comparisons


def _compared(chain: Chain, table: Table) -> FloatArray:
    """Return 1.0 in rows where every comparison of the chain holds, as in ``0 < x < 10``, else 0.0."""
    pairs = zip(chain.operators, pairwise(chain.operands), strict=True)
    return reduce(np.multiply, [_comparison(operator, *pair, table) for operator, pair in pairs])


def _comparison(operator: str, left: Expr, right: Expr, table: Table) -> FloatArray:
    if isinstance(left, Text):
        left, right = right, left
    if isinstance(right, Text):
        holds = _is_level(left, right, table)
        if operator not in ("==", "!="):
            message = "levels have no order here: they can only be equal or not"
            raise FormulaError(message, left.span.to(right.span), "use `==` or `!=`")
        return np.asarray(holds == (operator == "=="), dtype=np.float64)
    return OPERATORS[operator](_evaluate(left, table), _evaluate(right, table)).astype(np.float64)


def _is_level(of: Expr, level: Text, table: Table) -> FloatArray:
    column: Column | None = table.columns[of.id] if isinstance(of, Name) else None
    if column is None or column.kind != "categorical":
        message = f"`{canonical(of)}` holds numbers, and cannot be compared with a text"
        raise FormulaError(message, level.span, f"write `{canonical(of)} == 1`, without quotes")
    found = levels(column)
    place = position_of(LevelNode(level.value, True, level.span), found.labels, f"`{column.name}`")
    return np.asarray(found.codes == place)
