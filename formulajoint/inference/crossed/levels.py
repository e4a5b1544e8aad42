"""Which coefficients meet in the groups of a factor, and which do once it is taken out.

Cross-products of coefficients are kept as a list of pairs that meet. When a factor is taken out, the coefficients that
meet in one of its groups meet each other from then on: those pairs are listed once, and a point phi is a sum by weight.

Shapes: G groups and p columns of the factor taken out, and P pairs, the later coefficient of each first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from formulajoint.arrays import IntArray
from formulajoint.inference.crossed.model import Factor


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """A factor that is taken out after finer ones; its coefficients are then the first of those that are left.

    Attributes
    ----------
    factor : int
    own : (p, p, G) int array
        Places of the pairs of its own coefficients.
    groups, columns : (E,) int arrays
        Coefficients left over that have pairs with those of a group: the group, and which of those left over.
    beside : (E, p) int array
        Places of these pairs.
    sum_groups : (G, E) sparse array of ones
        Sums over these, by group.
    sum_columns : (n, E) sparse array of ones
        Sums over the groups, by coefficient left over.
    first, second : (M,) int arrays
        Which of these E meet in a group.
    sum_pairs : (P, M) sparse array of ones
        Sums of their products over the groups, by pair left over.
    kept, places : int arrays
        Pairs that the factor has no part in, and their places among those left over.
    """

    factor: int
    own: IntArray
    groups: IntArray
    columns: IntArray
    beside: IntArray
    sum_groups: scipy.sparse.csr_array
    sum_columns: scipy.sparse.csr_array
    first: IntArray
    second: IntArray
    sum_pairs: scipy.sparse.csr_array
    kept: IntArray
    places: IntArray


def meetings(groups: IntArray, count: int) -> tuple[IntArray, IntArray]:
    """Return which two of some cells have the same group, each with itself, too: the later one first.

    Parameters
    ----------
    groups : (E,) int array
        Of each cell, in order.
    count : int
        The number of groups.
    """
    start = np.concatenate([[0], np.cumsum(np.bincount(groups, minlength=count))])[groups]
    before = np.arange(len(groups)) - start + 1  # the cells of its group up to each, and itself
    later = np.repeat(np.arange(len(before)), before)
    within = np.arange(len(later)) - np.repeat(np.cumsum(before) - before, before)
    return later, start[later] + within


def levels_of(
    factors: Sequence[Factor], chain: Sequence[int], pairs: IntArray, left: int
) -> tuple[tuple[Level, ...], IntArray]:
    """Return the later factors of a chain as levels, and the pairs (2, P) of coefficients that then remain.

    Parameters
    ----------
    factors : sequence of Factor
    chain : sequence of int
        The factors, whose coefficients are the first of those left, in this order.
    pairs : (2, P) int array
        Pairs that meet once the factor before is taken out, by the later coefficient, then the earlier one.
    left : int
        Coefficients left.
    """
    out = []
    for at in chain:
        level, pairs = _level(at, factors[at], pairs, left)
        left -= factors[at].size
        out.append(level)
    return tuple(out), pairs


def _level(at: int, factor: Factor, pairs: IntArray, left: int) -> tuple[Level, IntArray]:
    p, size, (later, earlier) = factor.width, factor.size, pairs
    inside = np.flatnonzero(later < size)
    own = np.empty((p, p, factor.groups), dtype=np.int64)
    i, j, group = later[inside] % p, earlier[inside] % p, later[inside] // p
    own[i, j, group] = own[j, i, group] = inside
    across = np.flatnonzero((later >= size) & (earlier < size))
    by_group = np.lexsort((earlier[across], later[across], earlier[across] // p))
    beside = across[by_group].reshape(-1, p)
    groups, columns = earlier[beside[:, 0]] // p, later[beside[:, 0]] - size
    first, second = meetings(groups, factor.groups)
    left -= size
    met = columns[first] * left + columns[second]
    kept = np.flatnonzero(earlier >= size)
    known = (later[kept] - size) * left + earlier[kept] - size
    found, pair = np.unique(np.concatenate([known, met]), return_inverse=True)
    level = Level(
        factor=at,
        own=own,
        groups=groups,
        columns=columns,
        beside=beside,
        sum_groups=_summing(groups, factor.groups),
        sum_columns=_summing(columns, left),
        first=first,
        second=second,
        sum_pairs=_summing(pair[len(known) :], len(found)),
        kept=kept,
        places=pair[: len(known)],
    )
    return level, np.stack([found // max(left, 1), found % max(left, 1)])


def _summing(places: IntArray, count: int) -> scipy.sparse.csr_array:
    """Return the matrix (count, n) that sums n numbers by their places."""
    shape = (count, len(places))
    return scipy.sparse.csr_array((np.ones(len(places)), (places, np.arange(len(places)))), shape=shape)
