"""Make the columns of recipes from rows: those of the fit, or others with the same columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.design import recipes
from formulajoint.design.functions import numbers_of
from formulajoint.design.recipes import Basis, Cells, Coded, Crossed, Recipe
from formulajoint.design.rows import Table
from formulajoint.design.values import Levels, joined, numbers
from formulajoint.errors import DataError
from formulajoint.language.vocabulary.options import called
from formulajoint.wording import listed

ARITHMETIC: Mapping[str, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "^": np.power,
}
COMPARISONS: Mapping[str, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}

TRUTH = {"0": "False", "1": "True"}
"""How other rows may write the levels of a boolean column."""


def values_of(recipe: Recipe, table: Table, text: str = "") -> FloatArray:
    """Return the values of a column, (N,); those that the table knows by its `text`, if it does."""
    if (text,) in table.known:
        return table.known[text,]
    with np.errstate(all="ignore"):  # `_finite` reports values that are not finite
        return rows_of(recipe, table).astype(np.float64)


def columns_of(recipe: Crossed, table: Table) -> FloatArray:
    """Return the columns of a term, (N, k)."""
    factors = [values_of(number, table) for number in recipe.numbers]
    return crossed(recipe.pieces, multiplied(factors, table), table)


def codes_of(recipe: Cells, table: Table) -> IntArray:
    """Return the group of each row, (N,)."""
    found = cells(recipe.variables, recipe.separators, table)
    return _places(found, recipe.labels, ":".join(recipe.variables), table)


# --- columns of terms, groups


def multiplied(factors: Sequence[FloatArray], table: Table) -> FloatArray:
    """Return the product of columns, (N,); ones without any."""
    return reduce(np.multiply, factors, np.ones(table.rows))


def crossed(pieces: Sequence[Sequence[Coded | Basis]], numeric: FloatArray, table: Table) -> FloatArray:
    """Return the products of `numeric` (N,) with one column of each part of a piece, the pieces side by side."""
    return np.hstack([_crossed((part_columns(part, table) for part in piece), numeric) for piece in pieces])


def _crossed(parts: Iterable[FloatArray], numeric: FloatArray) -> FloatArray:
    columns = numeric[:, None]
    for part in parts:
        columns = (columns[:, :, None] * part[:, None, :]).reshape(len(numeric), -1)  # (N, a, 1) * (N, 1, b)
    return columns


def part_columns(part: Coded | Basis, table: Table) -> FloatArray:
    """Return the columns of a factor or a curve, (N, m)."""
    if isinstance(part, Basis) and (part.text,) in table.known:
        return table.known[part.text,]
    if isinstance(part, Coded):
        return part.matrix[_places(table.levels(part.variable), part.levels, part.variable, table)]
    with np.errstate(all="ignore"):  # `_finite` reports values that are not finite
        columns = part.curve.columns(np.ascontiguousarray(rows_of(part.of, table), dtype=np.float64))
        _finite(columns.sum(axis=1), part.text, "The numbers are too large for it.", table)
    return columns


def cells(variables: Sequence[str], separators: Sequence[str], table: Table) -> Levels:
    """Return the observed combinations of the levels of `variables`."""
    first, *others = map(table.levels, variables)
    return reduce(lambda outer, pair: joined(outer, *pair), zip(separators, others, strict=True), first)


@dataclass(frozen=True, slots=True, eq=False)
class GroupsAt:
    """The group of each row: its place among the groups of the fit, after which the `new` ones are numbered on.

    `first` has the place of the first row of each new group.
    """

    codes: IntArray
    new: tuple[str, ...] = ()
    first: tuple[int, ...] = ()


def groups_at(recipe: Cells, table: Table) -> GroupsAt:
    """Return the group of each row, of those of the fit or another."""
    found, places = _among(cells(recipe.variables, recipe.separators, table), recipe.labels)
    codes = places[found.codes]
    new = tuple(found.labels[place] for place in np.flatnonzero(places >= len(recipe.labels)))
    first = tuple(int(np.argmax(codes == len(recipe.labels) + at)) for at in range(len(new)))
    return GroupsAt(codes, new, first)


def _among(found: Levels, known: tuple[str, ...]) -> tuple[Levels, IntArray]:
    """Return levels, and the place of each among `known`; places of others follow."""
    places = {label: place for place, label in enumerate(known)}
    return found, np.array([places.setdefault(label, len(places)) for label in found.labels], dtype=np.int64)


def _places(found: Levels, known: tuple[str, ...], whose: str, table: Table) -> IntArray:
    """Return the place of each row's level among the levels `known` from the rows of the fit."""
    if found.labels == known:
        return found.codes
    if known == tuple(TRUTH.values()) and set(found.labels) <= set(TRUTH):
        found = replace(found, labels=tuple(TRUTH[label] for label in found.labels))
    _, places = _among(found, known)
    codes = places[found.codes]
    strange = np.flatnonzero(codes >= len(known))
    if len(strange):
        unknown = [label for label, place in zip(found.labels, places, strict=True) if place >= len(known)]
        raise DataError(
            f"`{whose}` is {listed(unknown, 5)} in {rows_in_words(table.places[strange])}, which it is in no row of "
            f"the fit. There it is {listed(known, 5)}."
        )
    return codes


def rows_in_words(places: IntArray, most: int = 5) -> str:
    """Return rows by their places from 0, as in the indexes of tables: ``row 3``, ``rows 3, 5 and 12 more``."""
    named = ", ".join(map(str, places[:most]))
    more = f" and {len(places) - most} more" if len(places) > most else ""
    return f"{'row' if len(places) == 1 else 'rows'} {named}{more} (counted from 0)"


# --- values of one column


def rows_of(recipe: Recipe, table: Table) -> FloatArray:
    """Return the values of a column, (N,), read-only: functions cannot change the data."""
    return np.broadcast_to(_values(recipe, table), (table.rows,))


def _values(recipe: Recipe, table: Table) -> FloatArray:
    match recipe:
        case recipes.Column(name):
            return _numbers(name, table)
        case recipes.Constant(value):
            return np.asarray(value)
        case recipes.Negative(of):
            return -_values(of, table)
        case recipes.Arithmetic():
            return _finite(_combined(recipe, table), recipe.text, "Look for a division by zero.", table)
        case recipes.Operated():
            return _finite(_operated(recipe, table), recipe.text, "", table)
        case recipes.Compared(operator, left, right):
            return COMPARISONS[operator](_values(left, table), _values(right, table)).astype(np.float64)
        case recipes.Indicator(variable, level):
            found = table.levels(variable)
            return np.array([label == level for label in found.labels], dtype=np.float64)[found.codes]
        case recipes.Place(variable, levels):
            return _places(table.levels(variable), levels, variable, table).astype(np.float64)
        case recipes.Applied():
            return _finite(_applied(recipe, table), recipe.text, recipe.function.domain, table)
        case recipes.Within(of, groups, learnt):
            codes = codes_of(groups, table)
            centred = _values(of, table) - learnt.means[codes]
            return centred if learnt.sds is None else centred / learnt.sds[codes]
        case recipes.GroupMean(groups, means):
            return means[codes_of(groups, table)]


def _numbers(name: str, table: Table) -> FloatArray:
    column = table.columns[name]
    if column.kind == "categorical":
        raise DataError(f"Column `{name}` holds text or categories, and numbers in the rows of the fit.")
    return numbers(column)


def _combined(recipe: recipes.Arithmetic, table: Table) -> FloatArray:
    """Return the value of a chain of operators; ``^`` associates from the right."""
    first, *others = [_values(operand, table) for operand in recipe.operands]
    if recipe.operators[0] == "^":
        *bases, last = (first, *others)
        return reduce(lambda exponent, base: np.power(base, exponent), reversed(bases), last)
    for operator, values in zip(recipe.operators, others, strict=True):
        first = ARITHMETIC[operator](first, values)
    return first


def _operated(recipe: recipes.Operated, table: Table) -> FloatArray:
    """Return the value of a chain of extensions' operators, from the left; each gets (N,) arrays."""
    first, *others = [rows_of(operand, table) for operand in recipe.operands]
    for operator, values in zip(recipe.operators, others, strict=True):
        answer = called(operator.whose, operator.function, first, values)
        first = _answer(answer, operator.whose, table)
    return first


def _applied(recipe: recipes.Applied, table: Table) -> FloatArray:
    operands = [rows_of(operand, table) for operand in recipe.operands]
    function = recipe.function
    arguments = (*operands, *recipe.learnt)
    result = called(function.whose, function.function, *arguments, **recipe.options)
    return _answer(result, function.whose, table)


def _answer(result: object, whose: str, table: Table) -> FloatArray:
    """Return the result of a function or operator as floats: one number a row, or one for all."""
    return numbers_of(result, whose, ((), (table.rows,)), f"{table.rows} rows")


def _finite(values: FloatArray, text: str, reason: str, table: Table) -> FloatArray:
    bad = int((~np.isfinite(np.broadcast_to(values, (table.rows,)))).sum())
    if bad:
        what = f"`{text}` is not a finite number in {bad} of the {table.rows} rows used."
        raise DataError(f"{what} {reason}".rstrip())
    return values
