"""Split hypotheses by strata, groups of rows that share no parameter.

In stratum k a hypothesis R b = r restricts c_k = L_k b_k, q_k combinations of the stratum's coefficients. Either c_k
is fixed, as in ``x == 0``, or it follows d common values, as in ``x == x[A]``. In general c = free theta.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.contrasts.hypotheses import Hypothesis, independent

ZERO = 1e-9
"""Singular values below this count as zero, for matrices whose rows have length one."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The part of a hypothesis that compares some strata with each other, or that restricts each stratum on its own.

    Attributes
    ----------
    rows : (q, P) sparse array
        Combinations of coefficients; each belongs to one stratum, and those of a stratum are independent.
    null : (q,) array
    strata : (q,) int array
        The stratum of each row.
    free : (q, d) array
        Under the hypothesis ``rows @ b - null`` is ``free @ theta`` for some theta (d,), the common values.
    """

    rows: scipy.sparse.csr_array
    null: FloatArray
    strata: IntArray
    free: FloatArray

    @property
    def rank(self) -> int:
        """Number of independent restrictions."""
        return len(self.null) - int(self.free.shape[1])


def by_strata(hypothesis: Hypothesis, strata: IntArray) -> tuple[Part, ...] | None:
    """Return the parts of a hypothesis of equalities; each stratum is in at most one part.

    Parameters
    ----------
    hypothesis : Hypothesis
        Equalities.
    strata : (P,) int array
        The stratum of each coefficient.

    Returns
    -------
    tuple of Part or None
        None if the hypothesis compares strata other than by common values that each of them has, as in
        ``x[A] + x[B] + x[C] == 0``.
    """
    kept = independent(hypothesis.rows)
    rows, null = hypothesis.rows[kept], hypothesis.null[kept]
    component = _components(rows, strata)
    count = np.zeros(component.max(initial=-1) + 1, dtype=np.int64)
    pairs = np.unique(np.stack([np.repeat(component, np.diff(rows.indptr)), strata[rows.indices]]), axis=1)
    np.add.at(count, pairs[0], 1)  # number of strata in each component
    alone = np.flatnonzero(count[component] == 1)
    parts = []
    if len(alone):
        first = strata[rows.indices[rows.indptr[alone]]]
        parts.append(Part(rows[alone], null[alone], first, np.empty((len(alone), 0))))
    for number in np.flatnonzero(count > 1):
        at = np.flatnonzero(component == number)
        found = _joined(rows[at], null[at], strata)
        if found is None:
            return None
        parts.append(found)
    return tuple(parts)


def _components(rows: scipy.sparse.csr_array, strata: IntArray) -> IntArray:
    """Return the component of each row: rows with a stratum in common are in the same one."""
    m, k = rows.shape[0], int(strata.max(initial=-1)) + 1
    row = np.repeat(np.arange(m), np.diff(rows.indptr))
    edges = scipy.sparse.csr_array((np.ones(len(row)), (row, m + strata[rows.indices])), shape=(m + k, m + k))
    _, labels = scipy.sparse.csgraph.connected_components(edges, directed=False)
    return np.asarray(np.unique(labels[:m], return_inverse=True)[1])


def _joined(rows: scipy.sparse.csr_array, null: FloatArray, strata: IntArray) -> Part | None:
    """Return the part of independent rows that compare several strata, or None where `by_strata` returns None."""
    used = np.unique(rows.indices)
    dense = rows[:, used].toarray()
    size = np.max(abs(dense), axis=1)
    dense, null = dense / size[:, None], null / size
    pieces = list(_pieces(dense, strata[used]))
    # R b = r is B c = r, with c = L b the stacked combinations
    along = np.hstack([through for _, _, through in pieces])
    left, singular, right = np.linalg.svd(along)
    fixed = int(np.sum(singular > ZERO * singular[0]))
    free = right[fixed:].T
    start = right[:fixed].T @ ((left.T @ null)[:fixed] / singular[:fixed])
    combinations = np.zeros((along.shape[1], rows.shape[1]))
    combinations[:, used] = np.vstack([own for _, own, _ in pieces])
    places = np.concatenate([np.full(len(own), stratum) for stratum, own, _ in pieces])
    for stratum, _, _ in pieces:
        if np.linalg.matrix_rank(free[places == stratum], tol=ZERO) < free.shape[1]:
            return None
    return Part(scipy.sparse.csr_array(combinations), start, places, free)


def _pieces(dense: FloatArray, strata: IntArray) -> Iterator[tuple[int, FloatArray, FloatArray]]:
    """Yield each stratum k with L_k (q_k, P), zero outside it, and B_k such that R is the sum of B_k L_k."""
    for stratum in np.unique(strata):
        own = np.where(strata == stratum, dense, 0.0)
        said = np.flatnonzero(np.any(own != 0, axis=1))
        kept = said[independent(scipy.sparse.csr_array(own[said]))]
        width = np.max(abs(own), axis=0)
        width[width == 0] = 1.0
        through = np.linalg.lstsq((own[kept] / width).T, (own / width).T)[0].T
        yield int(stratum), own[kept], through
