"""``at=mean``: an effect at the means of the other columns, as a linear function of all coefficients.

Beside ``treated:sex`` the effect of treatment is b_treated + s b_treated:sex, with s the mean of the column of sex. In
general each other term adds a matrix times its coefficients. A part that both terms have may be coded otherwise in the
other; its columns are taken over into the coding of the term itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.design.schema import PartMeans, Predictor, Term
from formulajoint.errors import FormulaError
from formulajoint.spans import Span


@dataclass(frozen=True, slots=True, eq=False)
class Added:
    """What the coefficients of another term add to an effect of k columns.

    `matrix` is (k, m) for m coefficients; `grouped` if these differ by group.
    """

    variable: str
    grouped: bool
    matrix: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class AtMeans:
    """What turns a term's coefficients into its effect at the means of the other columns.

    `means` has the means of these columns by their text.
    """

    added: tuple[Added, ...]
    means: Mapping[str, PartMeans]


def added_at_means(predictor: Predictor, term: Term, at: Span) -> dict[str, FloatArray]:
    """Return what each other term adds to the effect of `term`, (k, m) by the other's name, if it adds anything.

    The effect of the k columns of `term` at the means of the others is the sum of its own coefficients and, for each
    other term, of the matrix times that term's m coefficients.

    Raises
    ------
    FormulaError
        If the columns of a term are not a product of its factors' columns.
    """
    added = {}
    for other in predictor.terms:
        if other is term or not _may_add(term, other):
            continue
        for each in (term, other):
            if len(each.part_means) < len(each.parts):
                message = f"`at=mean` cannot be used with `{each.name}`: its columns are not products of its factors'"
                raise FormulaError(message, at, "write the factors as terms of their own, too: `a*b`")
        matrix = _added(term, other)
        if matrix.any():
            added[other.name] = matrix
    return added


def means_beside(term: Term, others: Iterable[Term]) -> dict[str, PartMeans]:
    """Return the means of the parts that `others` have and `term` lacks, by the parts' text."""
    return {
        part: means
        for other in others
        for part, means in zip(other.parts, other.part_means, strict=True)
        if part not in term.parts
    }


def _may_add(term: Term, other: Term) -> bool:
    """Return whether `other` has each part of `term`, but for those whose coefficients in `term` are levels."""
    full = {part for part, means in zip(term.parts, term.part_means, strict=False) if means.full}
    return set(term.parts) - full <= set(other.parts)


def _added(term: Term, other: Term) -> FloatArray:
    """Return the matrix (k, m): the product over the parts of either term, in the order of their columns."""
    own, others = (dict(zip(each.parts, each.part_means, strict=True)) for each in (term, other))
    axes = [*own, *(part for part in others if part not in own)]
    each = [_part(own.get(part), others.get(part)) for part in axes]  # (k_part, m_part)
    whole = reduce(np.multiply.outer, each, np.ones(()))  # k_1, m_1, k_2, m_2, ...
    rows = [2 * axes.index(part) for part in axes]
    columns = [2 * axes.index(part) + 1 for part in (*others, *(part for part in own if part not in others))]
    size = int(np.prod([means.coding.shape[1] for means in own.values()]))
    return whole.transpose((*rows, *columns)).reshape((size, -1))


def _part(own: PartMeans | None, other: PartMeans | None) -> FloatArray:
    """Return the columns of `other`, at their means or taken over into those of `own`, (k, m); 1 for a missing axis."""
    if own is None:
        assert other is not None
        return other.columns[None, :]
    if not own.levels:
        return np.eye(len(own.coding))
    values = np.ones((len(own.levels), 1)) if other is None else other.coding
    if own.full:
        return np.linalg.solve(own.coding, values)
    return np.linalg.solve(np.column_stack([np.ones(len(own.levels)), own.coding]), values)[1:]
