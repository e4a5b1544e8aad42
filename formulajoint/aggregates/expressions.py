"""Recipes as expressions of an engine that computes where the data are: the counterpart of ``evaluate_numpy``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from typing import Any

import narwhals as nw
import numpy as np

from formulajoint.design import recipes
from formulajoint.design.bases import Polynomials, Powers
from formulajoint.design.functions import OWN
from formulajoint.design.recipes import Basis, Recipe
from formulajoint.errors import RowsNeededError

type Expr = nw.Expr

OPERATORS: Mapping[str, Callable[[Any, Any], Expr]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "^": lambda a, b: a**b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}

FUNCTIONS: Mapping[str, Callable[..., Expr]] = {
    "log": lambda x: x.log(),
    "log2": lambda x: x.log(2),
    "log10": lambda x: x.log(10),
    "log1p": lambda x: (x + 1).log(),
    "exp": lambda x: x.exp(),
    "sqrt": lambda x: x.sqrt(),
    "abs": lambda x: x.abs(),
    "pmin": lambda a, b: nw.min_horizontal(a, b),
    "pmax": lambda a, b: nw.max_horizontal(a, b),
    "I": lambda x: x,
    "offset": lambda x: x,
    "center": lambda x, middle: x - float(middle),
    "standardize": lambda x, learnt: (x - float(learnt[0])) / float(learnt[1]),
    "scale": lambda x, learnt: (x - float(learnt[0])) / float(learnt[1]),
}
"""The functions of columns that engines have; those that learn take what they learnt last."""


EVERYWHERE = ("abs", "pmin", "pmax", "I", "offset", "center")
"""Those of the functions that are finite for all numbers."""


def partial(recipe: Recipe | Basis) -> Iterator[tuple[str, Expr]]:
    """Yield what may not be finite in a recipe, by its text: functions, quotients and powers, inner ones first."""
    parts: tuple[Recipe, ...] = ()
    match recipe:
        case Basis():
            parts = (recipe.of,)
        case recipes.Negative(of):
            parts = (of,)
        case recipes.Arithmetic() | recipes.Applied():
            parts = recipe.operands
        case recipes.Compared():
            parts = (recipe.left, recipe.right)
    for part in parts:
        yield from partial(part)
    match recipe:
        case recipes.Arithmetic() if {"/", "^"} & {*recipe.operators}:
            yield recipe.text, expression(recipe)
        case recipes.Applied() if recipe.function.name not in EVERYWHERE:
            yield recipe.text, expression(recipe)


def expressions_of(recipe: Recipe | Basis) -> list[Expr]:
    """Return the columns of a recipe: one, or those of a curve.

    Raises
    ------
    DataError
        If an engine cannot compute it.
    """
    if not isinstance(recipe, Basis):
        return [expression(recipe)]
    x = expression(recipe.of)
    match recipe.curve:
        case Powers(degree):
            return [x**power for power in range(1, degree + 1)]
        case Polynomials() as curve:
            return _polynomials(x, curve)
    raise not_there(recipe.text)


def expression(recipe: Recipe) -> Expr:
    """Return a column, as floats."""
    match recipe:
        case recipes.Column(name):
            return nw.col(name).cast(nw.Float64)
        case recipes.Constant(value):
            return nw.lit(float(value))
        case recipes.Negative(of):
            return expression(of) * -1.0
        case recipes.Arithmetic(operators, operands):
            first, *others = map(expression, operands)
            pairs = zip(operators, others, strict=True)
            return reduce(lambda left, pair: OPERATORS[pair[0]](left, pair[1]), pairs, first)
        case recipes.Compared(operator, left, right):
            return OPERATORS[operator](expression(left), expression(right)).cast(nw.Float64)
        case recipes.Indicator(variable, level):
            return (nw.col(variable) == level).cast(nw.Float64)
        case recipes.Applied() if recipe.function is OWN.get(recipe.function.name):
            made = FUNCTIONS.get(recipe.function.name)
            if made is not None and not recipe.options:
                return made(*map(expression, recipe.operands), *recipe.learnt)
            raise not_there(recipe.text)
        case recipes.Applied() | recipes.Operated():
            raise not_there(recipe.text)
    raise not_there("means within groups")


def not_there(text: str) -> RowsNeededError:
    """Return the error for what engines cannot compute."""
    return RowsNeededError(
        f"`{text}` cannot be computed where the data are.",
        "Add it to the data as a column, or read the columns that the formula uses into memory first, such as "
        "`data.select(...).collect()`.",
    )


def _polynomials(x: Expr, curve: Polynomials) -> list[Expr]:
    scaled, out = (x - curve.middle) / curve.size, list[Expr]()
    before, now = nw.lit(0.0), nw.lit(1.0)
    shares = np.concatenate([[0.0], curve.norms[1:] / curve.norms[:-1]])
    for centre, share, norm in zip(curve.centres, shares, curve.norms[1:], strict=False):
        before, now = now, (scaled - float(centre)) * now - before * float(share)
        out.append(now / float(np.sqrt(norm)))
    return out
