"""Derivatives of recipes with respect to one column of the data frame, where there are any.

What was learnt from the data, such as the means of `center` and of groups, stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import log
from typing import Any

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.design import recipes
from formulajoint.design.evaluate_numpy import (
    codes_of,
    columns_of,
    multiplied,
    part_columns,
    rows_of,
    values_of,
)
from formulajoint.design.recipes import Basis, Coded, Crossed, Recipe, columns_read
from formulajoint.design.rows import Table

type Slope = Callable[[FloatArray], FloatArray]

SLOPES: Mapping[str, Slope] = {
    "log": lambda x: 1 / x,
    "log2": lambda x: 1 / (x * log(2)),
    "log10": lambda x: 1 / (x * log(10)),
    "log1p": lambda x: 1 / (1 + x),
    "exp": np.exp,
    "expm1": np.exp,
    "sqrt": lambda x: 0.5 / np.sqrt(x),
    "sin": np.cos,
    "cos": lambda x: -np.sin(x),
    "tan": lambda x: 1 / np.cos(x) ** 2,
    "asin": lambda x: 1 / np.sqrt(1 - x**2),
    "acos": lambda x: -1 / np.sqrt(1 - x**2),
    "atan": lambda x: 1 / (1 + x**2),
    "I": np.ones_like,
    "offset": np.ones_like,
    "center": np.ones_like,
}
"""Derivatives of the language's functions of one column; the others have none everywhere."""

DIVIDED = ("standardize", "scale")
"""Functions that divide by the sd that they learnt, the second number."""


class NoDerivative(Exception):
    """A recipe is not differentiable, or it is not known to be."""


def column_slopes(recipe: Crossed, name: str, table: Table) -> FloatArray:
    """Return the derivatives of the columns of a term, (N, k).

    Raises
    ------
    NoDerivative
        If there are none.
    """
    total = np.zeros_like(columns_of(recipe, table))
    values = [values_of(number, table) for number in recipe.numbers]
    for at, number in enumerate(recipe.numbers):
        if name in columns_read(number):
            others = [*values[:at], *values[at + 1 :], slope_of(number, name, table)]
            total += _crossed(recipe, multiplied(others, table), table, None, name)
    for curve in _curves(recipe, name):
        total += _crossed(recipe, multiplied(values, table), table, curve, name)
    if any(isinstance(part, Coded) and part.variable == name for piece in recipe.pieces for part in piece):
        raise NoDerivative
    return total


def _curves(recipe: Crossed, name: str) -> Iterator[Basis]:
    curves = {id(part): part for piece in recipe.pieces for part in piece if isinstance(part, Basis)}
    yield from (part for part in curves.values() if name in columns_read(part.of))


def _crossed(
    recipe: Crossed, numeric: FloatArray, table: Table, sloping: Basis | None, name: str
) -> FloatArray:
    """Return the columns of a term with the slopes of the curve `sloping` in its place."""

    def columns(part: Coded | Basis) -> FloatArray:
        if part is not sloping or not isinstance(part, Basis):
            return part_columns(part, table)
        inner = slope_of(part.of, name, table)
        return part.curve.slopes(np.ascontiguousarray(rows_of(part.of, table))) * inner[:, None]

    found = []
    for piece in recipe.pieces:
        own = numeric[:, None] * (sloping is None or any(part is sloping for part in piece))
        for part in piece:
            own = (own[:, :, None] * columns(part)[:, None, :]).reshape(len(numeric), -1)
        found.append(own)
    return np.hstack(found)


def slope_of(recipe: Recipe, name: str, table: Table) -> FloatArray:
    """Return the derivative of one column, (N,).

    Raises
    ------
    NoDerivative
        If there is none.
    """
    with np.errstate(all="ignore"):
        found = np.broadcast_to(_slope(recipe, name, table), (table.rows,)).astype(np.float64)
    if not np.isfinite(found).all():
        raise NoDerivative
    return found


def _slope(recipe: Recipe, name: str, table: Table) -> FloatArray:
    if name not in columns_read(recipe):
        return np.zeros(())
    match recipe:
        case recipes.Column():
            return np.ones(())
        case recipes.Negative(of):
            return -_slope(of, name, table)
        case recipes.Arithmetic():
            return _of_chain(recipe, name, table)
        case recipes.Applied(function, operands, _, _, learnt) if not function.extension:
            return _of_function(function.name, operands, learnt, name, table)
        case recipes.Within(of, groups, learnt) if name not in groups.variables:
            slope = _slope(of, name, table)
            if learnt.sds is None:
                return slope
            return np.asarray(slope / learnt.sds[codes_of(groups, table)])
    raise NoDerivative


def _of_function(
    function: str, operands: tuple[Recipe, ...], learnt: tuple[Any, ...], name: str, table: Table
) -> FloatArray:
    if len(operands) != 1:
        raise NoDerivative
    inner = _slope(operands[0], name, table)
    if function in DIVIDED:
        return np.asarray(inner / learnt[0][1])
    if function not in SLOPES:
        raise NoDerivative
    return np.asarray(SLOPES[function](rows_of(operands[0], table).astype(np.float64)) * inner)


def _of_chain(recipe: recipes.Arithmetic, name: str, table: Table) -> FloatArray:
    values = [rows_of(operand, table).astype(np.float64) for operand in recipe.operands]
    slopes = [_slope(operand, name, table) for operand in recipe.operands]
    if recipe.operators[0] == "^":
        return _of_powers(values, slopes)
    value, slope = values[0], slopes[0]
    for operator, other, its in zip(recipe.operators, values[1:], slopes[1:], strict=True):
        match operator:
            case "+":
                value, slope = value + other, slope + its
            case "-":
                value, slope = value - other, slope - its
            case "*":
                value, slope = value * other, slope * other + value * its
            case _:
                value, slope = value / other, slope / other - value * its / other**2
    return slope


def _of_powers(values: list[FloatArray], slopes: list[FloatArray]) -> FloatArray:
    """Return the derivative of powers, which associate from the right."""
    value, slope = values[-1], slopes[-1]
    for base, its in zip(values[-2::-1], slopes[-2::-1], strict=True):
        by_base = value * base ** (value - 1) * its
        by_exponent = np.log(base) * base**value * slope if np.any(slope != 0) else 0.0
        value, slope = base**value, by_base + by_exponent
    return slope
