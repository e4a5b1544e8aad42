"""Codings of categorical columns: contrast matrices, and the columns of each factor that a term needs.

A factor of k levels is coded *in full*, by k indicators, or *reduced* to k - 1 columns that leave out the
constant. Which one a term needs depends on what the earlier terms span: R's rule, in patsy's exact form. Write each
factor in full as "constant + reduced". Multiplied out, a term is a sum over all subsets of its factors, each reduced.
Subsets that an earlier term has are dropped; the rest is combined again into as few pieces as possible.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

import numpy as np

from formulajoint.arrays import FloatArray

type Piece = Mapping[str, bool]
"""Factors multiplied together -> whether the factor is coded in full."""

type Coding = Callable[[Sequence[str]], tuple[FloatArray, tuple[str, ...]]]
"""Function from k levels to a (k, m) contrast matrix and the names of its m columns."""


# --- contrast matrices


def full(levels: Sequence[str]) -> tuple[FloatArray, tuple[str, ...]]:
    """Return the full coding: one indicator per level."""
    return np.eye(len(levels)), tuple(levels)


def treatment(levels: Sequence[str], reference: int = 0) -> tuple[FloatArray, tuple[str, ...]]:
    """Return the treatment coding: one indicator per level but the reference, for differences from the reference."""
    matrix, labels = full(levels)
    return np.delete(matrix, reference, axis=1), labels[:reference] + labels[reference + 1 :]


def sum_to_zero(levels: Sequence[str]) -> tuple[FloatArray, tuple[str, ...]]:
    """Return the sum coding: deviations from the mean of all levels; the last is minus the sum of the others."""
    matrix = np.eye(len(levels))[:, :-1]
    matrix[-1] = -1.0
    return matrix, tuple(levels[:-1])


def helmert(levels: Sequence[str]) -> tuple[FloatArray, tuple[str, ...]]:
    """Return the Helmert coding: each level but the first against those before it, scaled as R's ``contr.helmert``."""
    k = len(levels)
    matrix = np.tril(-np.ones((k, k)), -1).T + np.diag(np.arange(k, dtype=float))
    return matrix[:, 1:], tuple(levels[1:])


def polynomial(levels: Sequence[str]) -> tuple[FloatArray, tuple[str, ...]]:
    """Return the polynomial coding: orthonormal over equally spaced levels, as R's ``contr.poly``."""
    k = len(levels)
    return orthonormal_polynomials(k, k - 1), polynomial_names(k - 1)


def orthonormal_polynomials(k: int, degree: int) -> FloatArray:
    """Return orthonormal polynomials of degree 1 to `degree` at k equally spaced points, (k, degree)."""
    q, r = np.linalg.qr(np.vander(np.linspace(-1, 1, k), degree + 1, increasing=True))
    return np.asarray((q * np.sign(np.diag(r)))[:, 1:])


def polynomial_names(degree: int) -> tuple[str, ...]:
    """Return the names of the polynomials of degree 1 to `degree`."""
    return ("linear", "quadratic", "cubic", *(f"degree {d}" for d in range(4, degree + 1)))[:degree]


CODINGS: Mapping[str, Coding] = {
    "treatment": treatment,
    "sum": sum_to_zero,
    "helmert": helmert,
    "poly": polynomial,
}


def distance(matrix: FloatArray) -> float:
    """Return the distance between levels under a coding (k, m): for two levels, that of their codes.

    For k levels it is |det T|^(1/(k - 1)), with T the other rows less the first. It is one for treatment coding, and
    if each level has its own column. Coefficients b have the levels' differences T b. With prior sds of s over this
    distance, their joint density at zero is the same in every coding. By Savage and Dickey's ratio so is the Bayes
    factor of equal levels, except that the posterior depends on the prior's shape.
    """
    if np.isin(matrix, (0.0, 1.0)).all():
        return 1.0
    _, log_size = np.linalg.slogdet(matrix[1:] - matrix[0])
    return float(np.exp(log_size / (len(matrix) - 1)))


# --- the columns of each factor that a term needs


def pieces(terms: Sequence[tuple[Sequence[str], frozenset[str]]]) -> list[list[Piece]]:
    """Return the pieces of each term such that all terms together have full rank if the data allow it.

    Parameters
    ----------
    terms : sequence of (categorical factors, numeric factors)
        In the order of the columns, including the intercept (no factor) if there is one.
    """
    spanned: dict[frozenset[str], set[frozenset[str]]] = {}
    return [_pieces(factors, spanned.setdefault(numeric, set())) for factors, numeric in terms]


def _pieces(factors: Sequence[str], spanned: set[frozenset[str]]) -> list[Piece]:
    sizes = range(len(factors) + 1)
    subsets = [frozenset(chosen) for size in sizes for chosen in combinations(factors, size)]
    fresh = [subset for subset in subsets if subset not in spanned]
    spanned.update(fresh)
    parts: list[Piece] = [dict.fromkeys(subset, False) for subset in fresh]
    while _join_two(parts):
        pass
    return parts


def _join_two(parts: list[Piece]) -> bool:
    """Merge the first two pieces that differ by one reduced factor, ``b + a:b`` to full ``a:b``; False if none do."""
    for i, short in enumerate(parts):
        for j in range(i + 1, len(parts)):
            extra = parts[j].items() - short.items()
            if len(extra) == 1 and len(parts[j]) == len(short) + 1:
                ((factor, _),) = extra
                parts[j] = {**short, factor: True}
                del parts[i]
                return True
    return False
