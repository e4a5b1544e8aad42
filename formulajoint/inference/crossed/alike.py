"""Groups of the factor taken out first whose own columns have the same cross-products, as one.

Of an intercept that varies over classes these are the classes of one size. What they explain together is linear in a
weight that they share, so that a point phi costs as many weights as there are sizes, however many classes there are.

Shapes: U kinds of groups, P = p (p + 1) / 2, and those of ``sums.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement, product

import numpy as np
import scipy

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.inference.crossed.model import Factor

FEWER = 4
"""Groups are taken as one if groups are at least this many times as many as kinds."""


@dataclass(frozen=True, slots=True, eq=False)
class Alike:
    """Kinds of groups.

    Attributes
    ----------
    own : (p, p, U) array
        Cross-products of a group's own columns.
    counts : (U,) array
        How many groups.
    kind : (G,) int array
        Of each group.
    explained : (pairs + q (k + 1) + (k + 1)^2, P U) sparse array
        What the groups of a kind explain of the cross-products of the coefficients that are left, by each element of
        their weights, a symmetric matrix (p, p): of pairs that meet, of each with the shared columns and y, and of
        these among each other.
    """

    own: FloatArray
    counts: FloatArray
    kind: IntArray
    explained: scipy.sparse.csr_array


def alike(
    factor: Factor,
    own: FloatArray,
    own_rest: FloatArray,
    left_with: scipy.sparse.csr_array,
    by_group: scipy.sparse.csr_array,
) -> Alike | None:
    """Return the kinds of groups of a factor; None if there are hardly fewer, or priors differ by group.

    Parameters
    ----------
    factor : Factor
    own, own_rest, left_with, by_group : arrays
        As of `OneSigma`.
    """
    p, groups = own.shape[1:]
    if np.any(factor.fixed != 0) or any(each.heavy for each in factor.hierarchies):
        return None
    _, first, kind = np.unique(own.reshape(p * p, groups), axis=1, return_index=True, return_inverse=True)
    if len(first) * FEWER > groups:
        return None
    kinds, rest = _Kinds(np.ravel(kind), len(first)), np.moveaxis(own_rest, 2, 1)  # (p, k + 1, G)
    symmetric = list(combinations_with_replacement(range(p), 2))
    explained = [
        scipy.sparse.vstack(
            [
                by_group[:, place :: len(symmetric)] @ kinds.matrix(np.ones(groups)),
                _across(left_with, rest, (a, b), kinds),
                _among(rest, (a, b), kinds),
            ]
        )
        for place, (a, b) in enumerate(symmetric)
    ]
    counts = np.bincount(kinds.of_group).astype(float)
    return Alike(own[:, :, first], counts, kinds.of_group, scipy.sparse.hstack(explained, format="csr"))


@dataclass(frozen=True, slots=True, eq=False)
class _Kinds:
    """The kind of each group (G,), and how many there are."""

    of_group: IntArray
    count: int

    def matrix(self, values: FloatArray) -> scipy.sparse.csr_array:
        """Return the matrix (G, U) that sums groups by kind, each times a value (G,)."""
        groups = len(self.of_group)
        return scipy.sparse.csr_array(
            (values, (np.arange(groups), self.of_group)), shape=(groups, self.count)
        )

    def sums(self, values: FloatArray) -> FloatArray:
        """Return sums by kind (U,) of values (G,)."""
        return np.bincount(self.of_group, values, self.count)


def _across(
    left_with: scipy.sparse.csr_array, rest: FloatArray, element: tuple[int, int], kinds: _Kinds
) -> scipy.sparse.csr_array:
    """Return what is explained, by an element of the weights, of coefficients left with the rest: (q (k + 1), U)."""
    (p, width, _), (a, b) = rest.shape, element
    found = [left_with[:, a::p] @ kinds.matrix(rest[b, c]) for c in range(width)]
    if a != b:
        found = [one + left_with[:, b::p] @ kinds.matrix(rest[a, c]) for c, one in enumerate(found)]
    by_coefficient = np.arange(left_with.shape[0] * width).reshape(width, -1).T.ravel()
    return scipy.sparse.csr_array(scipy.sparse.vstack(found, format="csr")[by_coefficient])


def _among(rest: FloatArray, element: tuple[int, int], kinds: _Kinds) -> scipy.sparse.csr_array:
    """Return what is explained, by an element of the weights, of the rest: ((k + 1)^2, U)."""
    a, b = element
    both = [
        (rest[a, c], rest[b, d], rest[b, c], rest[a, d]) for c, d in product(range(rest.shape[1]), repeat=2)
    ]
    found = [kinds.sums(one * two + (three * four if a != b else 0.0)) for one, two, three, four in both]
    return scipy.sparse.csr_array(np.array(found))
