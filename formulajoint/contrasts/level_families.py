"""Families of contrasts: sets of differences between levels, as pure functions of the levels.

Each returns a labelled matrix: one row of weights per entry, one column per level. They apply to the groups of a
coefficient and to the levels of a factor. The families are those of emmeans and marginaleffects, with marginaleffects'
names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from types import MappingProxyType

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.design.coding import orthonormal_polynomials, polynomial_names
from formulajoint.design.comparisons import mean_of, named

MOST_DEGREE = 6
"""Highest polynomial degree if ``degree=`` is not given, as in emmeans."""


@dataclass(frozen=True, slots=True, eq=False)
class ContrastMatrix:
    """Named weighted sums of levels.

    Attributes
    ----------
    labels : tuple of str
        One label per entry, such as ``B - A``; all different.
    weights : (m, k) array
        Weights of the k levels in the m entries.
    """

    labels: tuple[str, ...]
    weights: FloatArray

    def __post_init__(self) -> None:
        if self.weights.ndim != 2 or len(self.labels) != len(self.weights):
            raise ValueError(
                f"a contrast matrix of {len(self.labels)} labels has shape {self.weights.shape}, "
                "and needs a row for each label and a column for each level"
            )
        if len(set(self.labels)) < len(self.labels):
            raise ValueError("two entries of a contrast matrix have the same label")
        if not np.isfinite(self.weights).all():
            raise ValueError("a contrast matrix has missing or infinite weights")


def pairwise(levels: Sequence[str]) -> ContrastMatrix:
    """Return each level less each of those after it: ``A - B``, ``A - C``, ``B - C``.

    Examples
    --------
    >>> pairwise(["A", "B", "C"]).labels
    ('A - B', 'A - C', 'B - C')
    """
    return _differences(levels, list(combinations(range(len(levels)), 2)))


def reference(levels: Sequence[str], ref: int = 0) -> ContrastMatrix:
    """Return each other level less the one at position `ref`: ``B - A``, ``C - A``.

    Examples
    --------
    >>> reference(["A", "B", "C"], ref=1).labels
    ('A - B', 'C - B')
    """
    return _differences(levels, [(other, ref) for other in range(len(levels)) if other != ref])


def sequential(levels: Sequence[str]) -> ContrastMatrix:
    """Return each level less the one before it: ``B - A``, ``C - B``."""
    return _differences(levels, [(place, place - 1) for place in range(1, len(levels))])


def meandev(levels: Sequence[str], weights: FloatArray | None = None) -> ContrastMatrix:
    """Return each level less the (weighted) mean of all: ``A - mean``.

    Parameters
    ----------
    levels : sequence of str
    weights : (k,) array, optional
        Weights of the levels in their mean, summing to one; by default equal.
    """
    k = len(levels)
    mean = np.full(k, 1 / k) if weights is None else weights
    return ContrastMatrix(tuple(f"{named(level)} - mean" for level in levels), np.eye(k) - mean)


def meanotherdev(levels: Sequence[str]) -> ContrastMatrix:
    """Return each level less the mean of the others: ``A - others``."""
    k = len(levels)
    others = (1 - np.eye(k)) / max(k - 1, 1)
    return ContrastMatrix(tuple(f"{named(level)} - others" for level in levels), np.eye(k) - others)


def helmert(levels: Sequence[str]) -> ContrastMatrix:
    """Return each level less the mean of those before it: ``B - A``, ``C - mean(A, B)``."""
    k = len(levels)
    rows = [np.r_[np.full(j, -1 / j), 1.0, np.zeros(k - j - 1)] for j in range(1, k)]
    labels = tuple(f"{named(levels[j])} - {mean_of(levels[:j])}" for j in range(1, k))
    return ContrastMatrix(labels, np.reshape(rows, (k - 1, k)))


def poly(levels: Sequence[str], degree: int | None = None) -> ContrastMatrix:
    """Return orthonormal polynomials over equally spaced levels: ``linear``, ``quadratic``, as R's ``contr.poly``.

    Parameters
    ----------
    levels : sequence of str
    degree : int, optional
        Highest degree; by default the number of levels less one, but at most 6.
    """
    k = len(levels)
    highest = min(MOST_DEGREE, k - 1) if degree is None else degree
    return ContrastMatrix(polynomial_names(highest), orthonormal_polynomials(k, highest).T)


def _differences(levels: Sequence[str], pairs: Sequence[tuple[int, int]]) -> ContrastMatrix:
    """Return, for each pair of positions, the first level less the second."""
    weights, entries = np.zeros((len(pairs), len(levels))), np.arange(len(pairs))
    if len(pairs):
        plus, minus = np.transpose(pairs)
        weights[entries, plus], weights[entries, minus] = 1.0, -1.0
    return ContrastMatrix(tuple(f"{named(levels[i])} - {named(levels[j])}" for i, j in pairs), weights)


def in_order(
    family: Callable[[tuple[str, ...]], ContrastMatrix], levels: Sequence[str], order: Sequence[int]
) -> ContrastMatrix:
    """Return the contrasts of a family that takes the levels in `order`, with columns in the order of `levels`.

    Parameters
    ----------
    family : callable
        From the levels to their contrasts.
    levels : sequence of str
        The levels in the order of the matrix's columns.
    order : sequence of int
        Positions of the levels in the order in which the family takes them.

    Examples
    --------
    >>> in_order(sequential, ["1", "10", "2"], [0, 2, 1]).labels
    ('2 - 1', '10 - 2')
    """
    found = family(tuple(levels[place] for place in order))
    weights = np.empty_like(found.weights)
    weights[:, list(order)] = found.weights
    return ContrastMatrix(found.labels, weights)


@dataclass(frozen=True, slots=True, eq=False)
class LevelFamily:
    """A clause that is a family of contrasts.

    Attributes
    ----------
    name : str
        Of the clause; the own clauses' arguments are declared in ``language/vocabulary/core.py``.
    function : callable
        From the levels, and its options by name, to the labelled matrix.
    meaning : str
        Phrase for its entries, in the plural.
    ordered : bool
        Whether the contrasts depend on the order of the levels.
    brought : bool
        Whether an extension brings it; such a family takes the levels in their natural order, ordered or not.
    """

    name: str
    function: Callable[..., ContrastMatrix]
    meaning: str
    ordered: bool = False
    brought: bool = False


FAMILIES: Mapping[str, LevelFamily] = MappingProxyType(
    {
        family.name: family
        for family in (
            LevelFamily("pairwise", pairwise, "pairwise differences"),
            LevelFamily("reference", reference, "differences from a reference"),
            LevelFamily("sequential", sequential, "differences from the one before", ordered=True),
            LevelFamily("meandev", meandev, "deviations from the weighted mean"),
            LevelFamily("meanotherdev", meanotherdev, "deviations from the mean of the others"),
            LevelFamily("helmert", helmert, "differences from the mean of those before", ordered=True),
            LevelFamily("poly", poly, "orthonormal polynomials", ordered=True),
        )
    }
)
"""The language's own families, by name."""
