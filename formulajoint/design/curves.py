"""Learn curves of a column from the rows of a fit: ``poly(x, 2)``, ``bs(x, df=5)``, ``ns(x, df=4)``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.design.bases import CUBIC, BSplines, Curve, NaturalSplines, Powers, knots, polynomials
from formulajoint.design.evaluate_numpy import values_of
from formulajoint.design.recipes import Basis, Recipe
from formulajoint.design.rows import Table
from formulajoint.errors import DataError, FormulaError
from formulajoint.language.syntax.nodes import Call
from formulajoint.language.syntax.text import canonical
from formulajoint.spec.arguments import Arguments
from formulajoint.spec.names import key_of
from formulajoint.spec.predictors import read_call


def learn_curve(call: Call, of: Recipe, table: Table) -> Basis:
    """Return the recipe of the columns that ``poly``, ``bs`` or ``ns`` makes of the column `of`.

    Raises
    ------
    FormulaError
        If a spline has fewer columns than its degree needs.
    DataError
        If the column has too few values for it.
    """
    values = values_of(of, table)
    weights = np.ones(table.rows) if table.weights is None else table.weights
    learnt = CURVES[call.name](call, read_call(call, table.language), values, weights)
    return Basis(of, learnt, key_of(call))


def _check_values(call: Call, x: FloatArray, width: int) -> None:
    """Raise a DataError if x has too few values for a curve of `width` columns beside an intercept."""
    count = len(np.unique(x))
    if count <= width:
        raise DataError(
            f"`{canonical(call)}` needs more than {width} different values, and `{canonical(call.args[0])}` has "
            f"{count}. Choose {'a lower degree' if call.name == 'poly' else 'a smaller `df=`'}."
        )


def _poly(call: Call, given: Arguments, x: FloatArray, weights: FloatArray) -> Curve:
    degree: int = given.value("degree")
    _check_values(call, x, degree)
    return Powers(degree) if given.value("raw", False) else polynomials(x, weights, degree)


def _bs(call: Call, given: Arguments, x: FloatArray, weights: FloatArray) -> Curve:
    degree: int = given.value("degree", CUBIC)
    df: int = given.value("df", degree)
    if df < degree:
        message = f"a spline of degree {degree} has at least {degree} columns, not {df}"
        raise FormulaError(message, call.span, f"write `df={degree}` or more, or a lower `degree=`")
    _check_values(call, x, df)
    return BSplines(_knots(call, x, weights, df - degree), degree)


def _ns(call: Call, given: Arguments, x: FloatArray, weights: FloatArray) -> Curve:
    df: int = given.value("df", 1)
    _check_values(call, x, df)
    return NaturalSplines(_knots(call, x, weights, df - 1))


def _knots(call: Call, x: FloatArray, weights: FloatArray, inner: int) -> FloatArray:
    found = knots(x, weights, inner)
    if np.any(np.diff(found) <= 0):
        raise DataError(
            f"`{canonical(call)}` has knots at quantiles of `{canonical(call.args[0])}`, of which some are equal: "
            f"{', '.join(f'{knot:.4g}' for knot in found)}. Choose a smaller `df=`."
        )
    return found


CURVES: Mapping[str, Callable[[Call, Arguments, FloatArray, FloatArray], Curve]] = {
    "poly": _poly,
    "bs": _bs,
    "ns": _ns,
}
"""Function's name -> what it learns."""
