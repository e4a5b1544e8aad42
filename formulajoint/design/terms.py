"""Build the terms of an expanded predictor: their columns, axes, means and scales."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product as cartesian
from math import prod

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.design.coding import Piece, distance, full, pieces
from formulajoint.design.evaluate_numpy import multiplied, part_columns, values_of
from formulajoint.design.facts import mean, sd
from formulajoint.design.learn import Categorical, learn_factor
from formulajoint.design.recipes import Basis, Coded, Crossed, Recipe
from formulajoint.design.rows import Table, all_rows
from formulajoint.design.schema import Factor, PartMeans, Term
from formulajoint.design.values import check_size, refuse_alike
from formulajoint.errors import DataError, FormulaError
from formulajoint.language.syntax.nodes import Expr
from formulajoint.spec.algebra import Expansion, Product
from formulajoint.spec.names import INTERCEPT, key_of, measured_in


@dataclass(frozen=True, slots=True, eq=False)
class Numeric:
    """A numeric factor of a term: its recipe, and its values in the rows used, (N,)."""

    recipe: Recipe
    values: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Curved:
    """A curve in a term: its recipe, and its columns in the rows used, (N, m)."""

    recipe: Basis
    values: FloatArray


type Factors = Mapping[str, Numeric | Categorical | Curved]
"""Factor's text -> what was learnt of it."""

type Shares = Mapping[str, FloatArray]
"""Factor's text -> the shares of its levels, the one mean of a number, or the means of a curve's columns."""

ROUNDING = 1e-12
"""A mean below this share of the largest value is zero but for rounding, as that of a centred column."""

MOST_CELLS = 500_000_000
"""At most this many cells, rows times columns, in one term: 4 GB of floats."""

ANY = "*"
"""Part of a cell's label: the factor plays no part in this column."""


def build_terms(expansion: Expansion, table: Table) -> tuple[tuple[Term, ...], tuple[Term, ...]]:
    """Return the per-group and the shared terms, coded together so that no term repeats another."""
    products = sorted(expansion.own + expansion.shared, key=lambda product: len(product.factors))
    written = {key: f for p in products for key, f in zip(p.keys, p.factors, strict=True)}
    factors: Factors = {key: _factor(factor, table) for key, factor in written.items()}
    shares = {key: _shares(factor, table) for key, factor in factors.items()}
    kinds = [_kinds(product, factors) for product in products]
    intercept = any(not product.factors for product in products)
    terms = {
        product: _term(product, needed, factors, shares, table, intercept)
        for product, needed in zip(products, pieces(kinds), strict=True)
    }
    return tuple(terms[p] for p in expansion.own), tuple(terms[p] for p in expansion.shared)


def _factor(factor: Expr, table: Table) -> Numeric | Categorical | Curved:
    learnt = learn_factor(factor, table)
    if isinstance(learnt, Basis):
        return Curved(learnt, part_columns(learnt, table))
    return (
        learnt
        if isinstance(learnt, Categorical)
        else Numeric(learnt, values_of(learnt, table, key_of(factor)))
    )


def _measured(product: Product, factors: Factors, table: Table) -> FloatArray:
    """Return the product of the numbers and curves of a term (N, ...), with an axis for each curve."""
    used = {key: f for key in product.keys if isinstance(f := factors[key], Numeric | Curved)}
    if (texts := tuple(used)) in table.known:
        return table.known[texts]
    out = multiplied([f.values for f in used.values() if isinstance(f, Numeric)], table)
    for curve in (f for f in used.values() if isinstance(f, Curved)):
        out = out[..., None] * curve.values.reshape(len(out), *(1,) * (out.ndim - 1), -1)
    return out


def _crossed(piece: Sequence[Coded | Basis], measured: FloatArray, table: Table) -> FloatArray:
    """Return the products of what is measured with one column of each factor, as (N, k): the last varies fastest."""
    out = measured
    for place, part in enumerate(piece, start=1):
        if isinstance(part, Coded):
            shape = (len(out), *(1,) * (place - 1), -1, *(1,) * (out.ndim - place))
            out = np.expand_dims(out, place) * part_columns(part, table).reshape(shape)
    return out.reshape(len(out), -1)


def _kinds(product: Product, factors: Factors) -> tuple[list[str], frozenset[str]]:
    """Return the categorical and the numeric factors of a term."""
    coded = [key for key in product.keys if isinstance(factors[key], Categorical)]
    variables = [factor.variable for key in coded if isinstance(factor := factors[key], Categorical)]
    name = ":".join(product.keys)
    for variable in variables:
        if variables.count(variable) > 1:
            raise FormulaError(f"`{variable}` appears twice in `{name}`", product.span, "keep one of them")
    return coded, frozenset(product.keys) - frozenset(coded)


def _term(
    product: Product,
    needed: Sequence[Piece],
    factors: Factors,
    shares: Shares,
    table: Table,
    intercept: bool,
) -> Term:
    if not product.factors:
        ones = np.ones((table.rows, 1))
        recipe = Crossed((), ((),))
        return Term(INTERCEPT, ones, (), np.ones(1), np.ones(1), span=product.span, recipe=recipe)
    numeric = [factor for key in product.keys if isinstance(factor := factors[key], Numeric)]
    if numeric and len(product.factors) == 1:
        _check_varies(product, numeric[0].values, table, intercept)
    _check_size(product, sum(_width(product, piece, factors) for piece in needed), table.rows)
    axes = [list(_axes(product, piece, factors)) for piece in needed]
    numbers = [factor.values for factor in numeric]
    measured = _measured(product, factors, table)
    if not measured.any():
        raise _only_zeros(product, table)
    recipe = Crossed(
        tuple(factor.recipe for factor in numeric),
        tuple(tuple(axis.coded for axis in piece) for piece in axes),
    )
    columns = np.hstack([_crossed(piece, measured, table) for piece in recipe.pieces])
    name = ":".join(product.keys)
    if columns.shape[1] == 0:
        raise _one_level(product, factors, table)
    check_size(columns, f"`{name}`")
    part_means = tuple(_part_means(product, piece, factors, shares) for piece in axes)
    return Term(
        name,
        columns,
        _named_axes(product, axes, factors),
        mean(columns, table.weights),
        _scales(columns, axes, numbers, measured, table.weights),
        _variables(product),
        product.keys,
        part_means[0] if len(part_means) == 1 else (),
        product.span,
        part_means if len(part_means) > 1 else (),
        recipe,
    )


def _variables(product: Product) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.id for factor in product.factors for name in measured_in(factor)))


# --- axes


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """A factor as coded in one piece of a term, or a curve.

    `bare` is true for a boolean coded by True alone: a plain 0/1 column, without an axis.
    """

    key: str
    factor: Factor
    coded: Coded | Basis
    bare: bool

    @property
    def matrix(self) -> FloatArray:
        """The coding of the levels; of a curve, from its columns to its columns."""
        return np.eye(len(self.factor.labels)) if isinstance(self.coded, Basis) else self.coded.matrix


def _width(product: Product, piece: Piece, factors: Factors) -> int:
    """Return the number of columns of a piece, before they are made."""
    curves = [f.recipe.curve.width for key in product.keys if isinstance(f := factors[key], Curved)]
    coded = [(factor, piece[key]) for key in piece if isinstance(factor := factors[key], Categorical)]
    return prod(curves) * prod(len(factor.levels.labels) - (not whole) for factor, whole in coded)


def _axes(product: Product, piece: Piece, factors: Factors) -> Iterator[Axis]:
    for key in product.keys:
        factor = factors[key]
        if key in piece and isinstance(factor, Categorical):
            coding = full if piece[key] else factor.coding
            levels = factor.levels.labels
            matrix, labels = coding(levels)
            bare = factor.switch and len(labels) == 1
            named = Factor(factor.variable, labels, levels, matrix, factor.levels.order)
            yield Axis(key, named, Coded(factor.variable, levels, matrix), bare)
        elif isinstance(factor, Curved):
            labels = tuple(str(place + 1) for place in range(factor.recipe.curve.width))
            yield Axis(key, Factor(factor.recipe.text, labels, curve=True), factor.recipe, False)


def _named_axes(product: Product, axes: Sequence[Sequence[Axis]], factors: Factors) -> tuple[Factor, ...]:
    """Return the axes of a term's coefficient; of several pieces, one axis whose labels are cells."""
    if len(axes) == 1:
        return tuple(axis.factor for axis in axes[0] if not axis.bare)
    coded = [key for key in product.keys if not isinstance(factors[key], Numeric)]
    labels = [label for piece in axes for label in _cells(piece, coded)]
    refuse_alike("cells", product.keys, labels)
    return (Factor(":".join(product.keys), tuple(labels)),)


def _distances(axes: Sequence[Sequence[Axis]]) -> FloatArray:
    """Return the distance of the codes for each column of a term."""
    matrices = [[axis.matrix for axis in piece] for piece in axes]
    widths = [prod(matrix.shape[1] for matrix in piece) for piece in matrices]
    return np.repeat([prod(map(distance, piece)) for piece in matrices], widths)


def _cells(axes: Sequence[Axis], coded: Sequence[str]) -> Iterator[str]:
    """Yield the labels of one piece: the levels of each column, with ``*`` for a factor that is not in the piece."""
    labels = {axis.key: axis.factor.labels for axis in axes}
    return (":".join(cell) for cell in cartesian(*(labels.get(key, (ANY,)) for key in coded)))


# --- means and scales


def _shares(factor: Numeric | Categorical | Curved, table: Table) -> FloatArray:
    """Return the shares of a factor's levels (k,), or the means of the columns of a number (1,) or a curve (k,)."""
    if isinstance(factor, Numeric):
        middle, largest = mean(factor.values, table.weights), np.abs(factor.values).max()
        return np.atleast_1d(np.where(abs(middle) > ROUNDING * largest, middle, 0.0))
    if isinstance(factor, Curved):
        return mean(factor.values, table.weights)
    counts = np.bincount(factor.levels.codes, table.weights, len(factor.levels.labels))
    return counts / counts.sum()


def _part_means(
    product: Product, piece: Sequence[Axis], factors: Factors, shares: Shares
) -> tuple[PartMeans, ...]:
    """Return the means of each part, with its coding in a piece of the term: ones if it plays no part there."""
    coded = {axis.key: axis.matrix for axis in piece}
    found = []
    for key in product.keys:
        factor = factors[key]
        if isinstance(factor, Categorical):
            levels = factor.levels.labels
            coding = coded.get(key, np.ones((len(levels), 1)))
            found.append(PartMeans(shares[key], coding, levels, factor.variable))
        else:
            found.append(PartMeans(shares[key], np.eye(len(shares[key]))))
    return tuple(found)


def _scales(
    columns: FloatArray,
    axes: Sequence[Sequence[Axis]],
    numbers: Sequence[FloatArray],
    measured: FloatArray,
    weights: FloatArray | None,
) -> FloatArray:
    """Return s_x of each column: its sd, or half the distance if all factors are two-valued or categorical.

    The distance is that of the two values and of the factor's codes, multiplied over the factors, so the prior of a
    difference does not depend on the codes. An empty cell or a constant has no sd: it gets the sd of the numeric
    part, or else the part's largest magnitude. With a curve the numeric part has several columns, and the largest
    counts.
    """
    curves = [axis.coded for axis in axes[0] if isinstance(axis.coded, Basis)]
    if not curves and all(map(_is_two_valued, numbers)):
        return _distances(axes) * prod(float(np.ptp(values)) for values in numbers) / 2
    scales = sd(columns, weights)
    if np.all(scales > 0):
        return scales
    spread = float(sd(measured.reshape(len(measured), -1), weights).max())
    return np.where(scales > 0, scales, spread if spread > 0 else np.abs(measured).max())


def _is_two_valued(values: FloatArray) -> bool:
    low, high = values.min(), values.max()
    return bool(low < high and np.all((values == low) | (values == high)))


# --- errors


def _check_varies(product: Product, values: FloatArray, table: Table, intercept: bool) -> None:
    """Raise a DataError for a constant column beside an intercept, and for a column of zeros in any case."""
    if values.min() == values.max() and (intercept or values[0] == 0):
        raise DataError(
            f"`{product.keys[0]}` is {values[0]:g} in {all_rows(table.rows)} used, "
            "so its coefficient cannot be separated from the intercept. Leave it out."
        )


def _only_zeros(product: Product, table: Table) -> DataError:
    """Return the error for a product of numbers that is zero in every row."""
    name = ":".join(product.keys)
    return DataError(f"`{name}` is 0 in {all_rows(table.rows)} used, so it has no coefficient. Leave it out.")


def _one_level(product: Product, factors: Factors, table: Table) -> DataError:
    """Return the error for a term without columns."""
    single = [v for v in factors.values() if isinstance(v, Categorical) and len(v.levels.labels) == 1]
    which = next(v for v in single if v.variable in _variables(product))
    return DataError(
        f"Column `{which.variable}` has one level ({which.levels.labels[0]}) in {all_rows(table.rows)} used, "
        "so there is nothing to compare. Leave it out."
    )


def _check_size(product: Product, columns: int, rows: int) -> None:
    if rows * columns > MOST_CELLS:
        raise DataError(
            f"`{':'.join(product.keys)}` has {columns:,} levels, which in {rows:,} rows is too many for "
            "memory. If it names groups, write it after `|`."
        )
