"""Cells of an interaction: what its effect is at each combination of levels, whatever the coding.

A model has cells whether it is written ``a:b``, ``a*b`` or ``0 + a:b``, and few of its coefficients are cells. A cell's
value is a sum over the terms within the interaction, the intercept aside: differences of cells need no more. For
``a*b`` it is the coefficients of ``a``, of ``b`` and of ``a:b``, each times the codes of the cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import prod

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.contrasts.at_means import Added
from formulajoint.design.level_order import by_size
from formulajoint.design.references import Axis
from formulajoint.design.schema import PartMeans, Predictor, Term
from formulajoint.errors import FormulaError
from formulajoint.spans import Span


@dataclass(frozen=True, slots=True, eq=False)
class CellContrast:
    """Contrasts of cells: the sum over `added` of matrices (entries times rest, m) times coefficients.

    `rest` is the lengths of the axes behind the entries and groups; `groups` is None if these are all the same.
    """

    added: tuple[Added, ...]
    rest: tuple[int, ...]
    groups: int | None


type Factors = Mapping[str, tuple[str, ...]]
"""Categorical columns of a term -> their levels."""


def factors_of(term: Term) -> Factors:
    """Return the categorical columns of a term with their levels, in the order of the term."""
    return {part.variable: part.levels for part in _pieces(term)[0] if part.levels} if term.parts else {}


def axis_of(term: Term, over: str | None) -> Axis:
    """Return the axis that a family compares: the levels of the factor `over`, or, for None, all cells."""
    factors = factors_of(term)
    if over is None:
        labels = [":".join(cell) for cell in _product(list(factors.values()))]
        return Axis(term.name, 0, tuple(labels), None, tuple(range(len(labels))))
    levels = factors[over]
    own = next((factor.order for factor in term.factors if factor.name == over and factor.order), None)
    return Axis(over, list(factors).index(over), levels, None, own or by_size(levels))


def cell_values(predictor: Predictor, term: Term, at: Span) -> dict[str, FloatArray]:
    """Return what each term adds to the cells of `term`: (cells, m) for its m coefficients, by its name.

    The cells are all combinations of the levels of its factors; the last factor varies fastest.

    Raises
    ------
    FormulaError
        If a factor of `term` stands in another term with other numbers of the same columns.
    """
    factors, numbers = factors_of(term), _numbers(term)
    found = {}
    for other in predictor.terms:
        own = factors_of(other)
        if not own.keys() <= factors.keys() or not other.parts:
            continue
        if _numbers(other) == numbers:
            if own:
                found[other.name] = _coded(other, factors)
        elif set(other.variables) <= set(term.variables) and own and not set(_numbers(other)) <= set(numbers):
            message = f"`{other.name}` and `{term.name}` use the same columns in different ways"
            raise FormulaError(message, at, "write them in the same way to compare cells")
    return found


def simple(cells: FloatArray, weights: FloatArray, factors: Factors, over: str | None) -> FloatArray:
    """Return contrasts (n, rest, m) of cells (cells, m) by `weights` (n, k) of levels of `over`, or of the cells."""
    if over is None:
        return (weights @ cells)[:, None, :]
    sizes = [len(levels) for levels in factors.values()]
    place = list(factors).index(over)
    first = np.moveaxis(cells.reshape((*sizes, -1)), place, 0)
    return np.tensordot(weights, first, 1).reshape((len(weights), -1, cells.shape[1]))


def _product(levels: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return reduce(lambda cells, own: [(*cell, level) for cell in cells for level in own], levels, [()])


def _pieces(term: Term) -> tuple[tuple[PartMeans, ...], ...]:
    return term.joined or (term.part_means,)


def _numbers(term: Term) -> list[str]:
    """Return the numeric parts of a term."""
    return sorted(part for part, own in zip(term.parts, _pieces(term)[0], strict=True) if not own.levels)


def _coded(term: Term, factors: Factors) -> FloatArray:
    """Return the columns of a term in each of the cells of `factors`, its numbers being one, (cells, m)."""
    return np.hstack([_piece(piece, factors) for piece in _pieces(term)])


def _piece(piece: tuple[PartMeans, ...], factors: Factors) -> FloatArray:
    own = {part.variable: part.coding for part in piece if part.levels}
    each = [own.get(name, np.ones((len(levels), 1))) for name, levels in factors.items()]
    whole = reduce(np.multiply.outer, each, np.ones(()))  # k_1, m_1, k_2, m_2, ...
    names = list(factors)
    order = [*own, *(name for name in names if name not in own)]
    rows, columns = range(0, 2 * len(names), 2), [2 * names.index(name) + 1 for name in order]
    return whole.transpose((*rows, *columns)).reshape((prod(map(len, factors.values())), -1))
