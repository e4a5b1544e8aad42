"""Build the terms of an expanded predictor: their columns, axes, means and scales."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product as cartesian
from math import prod

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.design.algebra import Expansion, Product
from formulajoint.design.coding import Piece, distance, full, pieces
from formulajoint.design.columns import Categorical, factor_values
from formulajoint.design.names import INTERCEPT, columns_in
from formulajoint.design.rows import Table, all_rows, mean, sd
from formulajoint.design.schema import Factor, Term
from formulajoint.errors import DataError, FormulaError

type Values = Mapping[str, FloatArray | Categorical]
"""Factor's text -> its values."""

MOST_CELLS = 500_000_000
"""At most this many cells, rows times columns, in one term: 4 GB of floats."""

ANY = "*"
"""Part of a cell's label: the factor plays no part in this column."""


def build_terms(expansion: Expansion, table: Table) -> tuple[tuple[Term, ...], tuple[Term, ...]]:
    """Return the per-group and the shared terms, coded together so that no term repeats another."""
    products = sorted(expansion.own + expansion.shared, key=lambda product: len(product.factors))
    factors = {key: f for p in products for key, f in zip(p.keys, p.factors, strict=True)}
    values: Values = {key: factor_values(factor, table) for key, factor in factors.items()}
    kinds = [_kinds(product, values) for product in products]
    intercept = any(not product.factors for product in products)
    terms = {
        product: _term(product, needed, values, table, intercept)
        for product, needed in zip(products, pieces(kinds), strict=True)
    }
    return tuple(terms[p] for p in expansion.own), tuple(terms[p] for p in expansion.shared)


def _kinds(product: Product, values: Values) -> tuple[list[str], frozenset[str]]:
    """Return the categorical and the numeric factors of a term."""
    coded = [key for key in product.keys if isinstance(values[key], Categorical)]
    variables = [value.variable for key in coded if isinstance(value := values[key], Categorical)]
    name = ":".join(product.keys)
    for variable in variables:
        if variables.count(variable) > 1:
            raise FormulaError(f"`{variable}` stands twice in `{name}`", product.span, "keep one of them")
    return coded, frozenset(product.keys) - frozenset(coded)


def _term(product: Product, needed: Sequence[Piece], values: Values, table: Table, intercept: bool) -> Term:
    if not product.factors:
        ones = np.ones((table.rows, 1))
        return Term(INTERCEPT, ones, (), np.ones(1), np.ones(1), span=product.span)
    numeric = _numeric_part(product, values, table)
    if len(product.factors) == 1 and not isinstance(values[product.keys[0]], Categorical):
        _check_varies(product, numeric, table, intercept)
    factors, columns, distances = _columns(product, needed, values, numeric)
    if columns.shape[1] == 0:
        raise _one_level(product, values, table)
    numbers = [value for key in product.keys if not isinstance(value := values[key], Categorical)]
    return Term(
        ":".join(product.keys),
        columns,
        factors,
        mean(columns, table.weights),
        _scales(columns, distances, numbers, table.weights),
        _variables(product),
        product.keys,
        product.span,
    )


def _variables(product: Product) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.id for factor in product.factors for name in columns_in(factor)))


def _numeric_part(product: Product, values: Values, table: Table) -> FloatArray:
    """Return the product of the numeric factors, or ones without any, (N,)."""
    total = np.ones(table.rows)
    for key in product.keys:
        value = values[key]
        if not isinstance(value, Categorical):
            total = total * value
    return total


# --- columns


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """A factor as coded in one piece of a term: level of each row, (k, m) contrast matrix, m labels.

    `bare` is true for a boolean coded by True alone: a plain 0/1 column, without an axis.
    """

    key: str
    factor: Factor
    codes: IntArray
    matrix: FloatArray
    bare: bool


def _columns(
    product: Product, needed: Sequence[Piece], values: Values, numeric: FloatArray
) -> tuple[tuple[Factor, ...], FloatArray, FloatArray]:
    """Return the axes of a term, its columns, and the distance of the codes for each column.

    If there are several pieces, they make one axis whose labels are cells.
    """
    widths = [_width(piece, values) for piece in needed]
    _check_size(product, sum(widths), len(numeric))
    blocks = [list(_axes(product, piece, values)) for piece in needed]
    columns = np.hstack([_crossed(axes, numeric) for axes in blocks])
    distances = np.repeat([prod(distance(axis.matrix) for axis in axes) for axes in blocks], widths)
    if len(blocks) == 1:
        return tuple(axis.factor for axis in blocks[0] if not axis.bare), columns, distances
    coded = [key for key in product.keys if isinstance(values[key], Categorical)]
    labels = [label for axes in blocks for label in _cells(axes, coded)]
    return (Factor(":".join(product.keys), tuple(labels)),), columns, distances


def _width(piece: Piece, values: Values) -> int:
    """Return the number of columns of a piece, before they are made."""
    coded = [(value, piece[key]) for key in piece if isinstance(value := values[key], Categorical)]
    return prod(len(value.levels.labels) - (not whole) for value, whole in coded)


def _axes(product: Product, piece: Piece, values: Values) -> Iterator[Axis]:
    for key in product.keys:
        value = values[key]
        if key in piece and isinstance(value, Categorical):
            coding = full if piece[key] else value.coding
            matrix, labels = coding(value.levels.labels)
            bare = value.switch and len(labels) == 1
            factor = Factor(value.variable, labels, value.levels.labels, matrix, value.levels.order)
            yield Axis(key, factor, value.levels.codes, matrix, bare)


def _crossed(axes: Sequence[Axis], numeric: FloatArray) -> FloatArray:
    """Return the products of the numeric part with one column of each axis; the last axis varies fastest."""
    columns = numeric[:, None]
    for axis in axes:
        coded = axis.matrix[axis.codes]
        columns = (columns[:, :, None] * coded[:, None, :]).reshape(len(numeric), -1)  # (N, a, 1) * (N, 1, b)
    return columns


def _cells(axes: Sequence[Axis], coded: Sequence[str]) -> Iterator[str]:
    """Yield the labels of one piece: the levels of each column, with ``*`` for a factor that is not in the piece."""
    labels = {axis.key: axis.factor.labels for axis in axes}
    return (":".join(cell) for cell in cartesian(*(labels.get(key, (ANY,)) for key in coded)))


# --- means and scales


def _scales(
    columns: FloatArray, distances: FloatArray, numbers: Sequence[FloatArray], weights: FloatArray | None
) -> FloatArray:
    """Return s_x of each column: its sd, or half the distance if all factors are two-valued or categorical.

    The distance is that of the two values and of the factor's codes, multiplied over the factors, so the prior of a
    difference does not depend on the codes. An empty cell or a constant has no sd: it gets the sd of the numeric
    part, or else the part's largest magnitude.
    """
    if all(map(_is_two_valued, numbers)):
        return distances * prod(float(np.ptp(values)) for values in numbers) / 2
    numeric = np.prod(numbers, axis=0)
    spread = sd(numeric, weights)
    fallback = spread if spread > 0 else np.abs(numeric).max()
    scales = sd(columns, weights)
    return np.where(scales > 0, scales, fallback)


def _is_two_valued(values: FloatArray) -> bool:
    low, high = values.min(), values.max()
    return bool(low < high and np.all((values == low) | (values == high)))


# --- errors


def _check_varies(product: Product, values: FloatArray, table: Table, intercept: bool) -> None:
    """Raise a DataError for a constant column beside an intercept, and for a column of zeros in any case."""
    if values.min() == values.max() and (intercept or values[0] == 0):
        raise DataError(
            f"`{product.keys[0]}` is {values[0]:g} in {all_rows(table.rows)} used, "
            "so its coefficient cannot be told from the intercept. Leave it out."
        )


def _one_level(product: Product, values: Values, table: Table) -> DataError:
    """Return the error for a term without columns."""
    single = [v for v in values.values() if isinstance(v, Categorical) and len(v.levels.labels) == 1]
    which = next(v for v in single if v.variable in _variables(product))
    return DataError(
        f"Column `{which.variable}` has one level ({which.levels.labels[0]}) in {all_rows(table.rows)} used, "
        "so there is nothing to compare. Leave it out."
    )


def _check_size(product: Product, columns: int, rows: int) -> None:
    if rows * columns > MOST_CELLS:
        raise DataError(
            f"`{':'.join(product.keys)}` has {columns:,} levels, which in {rows:,} rows is more than memory should "
            "hold. If it names groups, write it after `|`."
        )
