"""Learn recipes from the rows of a fit: functions of columns and arithmetic in a formula, levels and codings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np

from formulajoint.design import recipes
from formulajoint.design.coding import CODINGS, Coding, treatment
from formulajoint.design.columns import Column
from formulajoint.design.curves import CURVES, learn_curve
from formulajoint.design.evaluate_numpy import ARITHMETIC, COMPARISONS, rows_of
from formulajoint.design.functions import COLUMN_FUNCTIONS, ColumnFunction
from formulajoint.design.level_lookup import position_of
from formulajoint.design.notes import MANY_LEVELS
from formulajoint.design.numbers_in_text import number_in
from formulajoint.design.recipes import Recipe
from formulajoint.design.rows import Table
from formulajoint.design.values import Levels, refuse_continuous, text_hint
from formulajoint.design.within import learn_means, learn_within
from formulajoint.errors import DataError, FormulaError
from formulajoint.language.syntax.nodes import Call, Chain, Expr, Group, Level, Name, Number, Text, Unary
from formulajoint.language.syntax.text import RANK, SPECIAL, canonical
from formulajoint.language.vocabulary.core import FACTORS
from formulajoint.language.vocabulary.options import called
from formulajoint.spec.names import key_of
from formulajoint.spec.predictors import read_call
from formulajoint.spec.spec import Given
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


SPOILT = 0.2
"""A text column of over `MANY_LEVELS` levels is refused if some, but less than this share, are not numbers."""


def learn_factor(factor: Expr, table: Table) -> Recipe | Categorical | recipes.Basis:
    """Return the recipe of a numeric factor of a term or of a curve, or a factor's levels and coding."""
    if isinstance(factor, Name) and table.columns[factor.id].kind != "numeric":
        column, found = table.columns[factor.id], table.levels(factor.id)
        _refuse_spoilt_numbers(column, found.labels)
        refuse_continuous(column, found.labels)
        return Categorical(factor.id, found, switch=column.kind == "boolean")
    if isinstance(factor, Call) and factor.name in ("C", *FACTORS):
        return _categorical(factor, table)
    if isinstance(factor, Call) and factor.name in CURVES:
        curve = table.learnt.get(key_of(factor))
        if not isinstance(curve, recipes.Basis):
            curve = learn_curve(factor, learn(factor.args[0], table), table)
            table.learnt[key_of(factor)] = curve
        return curve
    return learn(factor, table)


def _refuse_spoilt_numbers(column: Column, labels: Sequence[str]) -> None:
    """Raise a DataError for a text column whose many values are nearly all numbers, e.g. a single `.` among them."""
    others = [label for label in labels if number_in(label) is None]
    if len(labels) > MANY_LEVELS and 0 < len(others) < SPOILT * len(labels):
        raise DataError(
            f"Column `{column.name}` holds text, but {len(labels) - len(others)} of its {len(labels)} values are "
            "numbers. "
            f"Make {listed(others, 5)} a missing value or a number, or, if they are classes, name them as such."
        )


def learn(expr: Expr, table: Table) -> Recipe:
    """Return the recipe of an arithmetic expression of columns, with what its functions learn from the rows, once."""
    known = table.learnt.get(key_of(expr))
    if known is None or isinstance(known, recipes.Basis):
        with np.errstate(all="ignore"):  # values that are not finite are reported when they are evaluated
            known = table.learnt[key_of(expr)] = _recipe(expr, table)
    return known


def _categorical(call: Call, table: Table) -> Categorical:
    """Return the factor that ``C(x, ref=, coding=)`` or ``factor(x)`` states."""
    given = read_call(call, table.language)
    column: Name = given.value("x")
    coding: str = given.value("coding", "treatment")
    reference: Given[Level] | None = given.named.get("ref")
    found = table.levels(column.id)
    refuse_continuous(table.columns[column.id], found.labels)
    if reference is None:
        return Categorical(column.id, found, CODINGS[coding])
    if coding != "treatment":
        message = f"the coding `{coding}` has no reference level"
        raise FormulaError(message, reference.span, "leave `ref=` or `coding=` out")
    place = position_of(reference.value, found.labels, f"`{column.id}`")
    return Categorical(column.id, found, partial(treatment, reference=place))


# --- arithmetic


def _recipe(expr: Expr, table: Table) -> Recipe:
    match expr:
        case Number():
            return recipes.Constant(expr.value)
        case Name():
            return _column(expr, table)
        case Unary():
            of = _recipe(expr.operand, table)
            return recipes.Negative(of) if expr.operator == "-" else of
        case Chain() if expr.operators[0] in COMPARISONS:
            return _compared(expr, table)
        case Chain() if set(expr.operators) <= ARITHMETIC.keys():
            return recipes.Arithmetic(expr.operators, _operands(expr.operands, table), canonical(expr))
        case Chain() if RANK[expr.operators[0]] == SPECIAL:
            meanings = tuple(table.language.meaning("operator", name) for name in expr.operators)
            return recipes.Operated(meanings, _operands(expr.operands, table), canonical(expr))
        case Call(name="ave"):
            return learn_means(
                _recipe(expr.args[0], table), read_call(expr, table.language).value("g"), table
            )
        case Call() if (function := COLUMN_FUNCTIONS.find(expr.name, table.language)) is not None:
            return _applied(expr, function, table)
    raise FormulaError(f"`{canonical(expr)}` is not allowed in arithmetic of columns", expr.span)


def _operands(operands: Iterable[Expr], table: Table) -> tuple[Recipe, ...]:
    return tuple(_recipe(operand, table) for operand in operands)


def _column(name: Name, table: Table) -> recipes.Column:
    if table.columns[name.id].kind == "categorical":
        message = f"arithmetic needs numbers, but column `{name.id}` holds text or categories"
        hint = text_hint(table.columns[name.id]).strip()
        raise FormulaError(message, name.span, hint or f'compare it, as in `I({canonical(name)} == "...")`')
    return recipes.Column(name.id)


def _applied(call: Call, function: ColumnFunction, table: Table) -> Recipe:
    """Return the recipe of a call; its function learns from its arguments' values and the row weights."""
    given = read_call(call, table.language).named
    match given.get("by"):
        case Given(value=Group() as by):
            of = _recipe(call.args[0], table)
            return learn_within(call, of, by, function.name == "standardize", table)
    known = {slot.name for slot in function.options}
    options = {name: argument.value for name, argument in given.items() if name in known}
    operands = _operands((argument.value for name, argument in given.items() if name not in known), table)
    learnt: tuple[object, ...] = ()
    if function.learn is not None:
        weights = np.ones(table.rows) if table.weights is None else table.weights
        values = [rows_of(operand, table) for operand in operands]
        learnt = (called(function.whose, function.learn, *values, weights),)
    return recipes.Applied(function, operands, canonical(call), options, learnt)


# --- comparisons


def _compared(chain: Chain, table: Table) -> Recipe:
    """Return the recipe of one comparison, or of the product of several, as in ``0 < x < 10``."""
    pairs = zip(chain.operators, pairwise(chain.operands), strict=True)
    holds = tuple(_comparison(operator, *pair, table) for operator, pair in pairs)
    return (
        holds[0]
        if len(holds) == 1
        else recipes.Arithmetic(("*",) * (len(holds) - 1), holds, canonical(chain))
    )


def _comparison(operator: str, left: Expr, right: Expr, table: Table) -> Recipe:
    if isinstance(left, Text):
        left, right = right, left
    if not isinstance(right, Text):
        return recipes.Compared(operator, _recipe(left, table), _recipe(right, table))
    level = _indicator(left, right, table)
    if operator not in ("==", "!="):
        message = "levels have no order here: they can only be equal or not"
        raise FormulaError(message, left.span.to(right.span), "use `==` or `!=`")
    return level if operator == "==" else recipes.Compared("==", level, recipes.Constant(0.0))


def _indicator(of: Expr, level: Text, table: Table) -> recipes.Indicator:
    column: Column | None = table.columns[of.id] if isinstance(of, Name) else None
    if column is None or column.kind != "categorical":
        message = f"`{canonical(of)}` holds numbers, and cannot be compared with a text"
        raise FormulaError(message, level.span, f"write `{canonical(of)} == 1`, without quotes")
    labels = table.levels(column.name).labels
    node = Level(level.value, True, level.span)
    return recipes.Indicator(column.name, labels[position_of(node, labels, f"`{column.name}`")])
