"""The order in which factors are taken out, and what a point phi costs in it.

The coefficients of a factor are independent given all others, so they are taken out group by group. Then those of a
factor in which it is nested are independent, too: of `class` in `school` in `district` first classes are taken out,
then schools, then districts. Such a chain is taken out from the inside out; the coefficients of all other factors
remain and are taken out together, with a dense matrix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from formulajoint.arrays import IntArray

PER_MEETING, PER_LATER, PER_CELL, PER_CUBE, PER_POINT = 1e-9, 1e-8, 1e-8, 2e-11, 5e-6
"""Seconds for each product of two coefficients that meet in a group, in the factor taken out first and in later ones,
each element of the matrix that remains, each operation of its Cholesky factor, and each point, as measured on one core:
the choice is the same on every machine."""


MOST_LEFT = 2_000
"""Most coefficients that remain: a point takes 0.03 s at 1,000, 0.2 s at 2,000."""


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """The groups of each row (N,) for a factor, how many there are, and how many coefficients each has."""

    codes: IntArray
    groups: int
    width: int

    @property
    def size(self) -> int:
        """The number of coefficients."""
        return self.groups * self.width

    def within(self, other: Groups) -> bool:
        """Return whether each group lies in one group of another factor."""
        if self.groups < other.groups:
            return False
        of = np.zeros(self.groups, dtype=np.int64)
        of[self.codes] = other.codes
        return bool(np.array_equal(of[self.codes], other.codes))


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """Which factors are taken out group by group, from the inside out, and which remain.

    Attributes
    ----------
    chain : tuple of int
    met : tuple of int
        Pairs of later coefficients that meet in a group, for each factor of the chain, over its groups.
    remaining : tuple of int
    left : int
        Coefficients that remain.
    shared : int
        Of these, coefficients that all rows share.
    seconds : float
        What a point phi costs, roughly.
    """

    chain: tuple[int, ...]
    met: tuple[int, ...]
    remaining: tuple[int, ...]
    left: int
    shared: int
    seconds: float


def order_of(factors: Sequence[Groups], shared: int) -> Order:
    """Return the order in which a point costs least, of those by which no more than `MOST_LEFT` remain, if any.

    Parameters
    ----------
    factors : sequence of Groups
    shared : int
        Coefficients that all rows share.
    """
    orders = orders_of(factors, shared)
    few = [order for order in orders if order.left <= MOST_LEFT]
    return min(few or orders[-1:], key=lambda order: order.seconds)


def in_order_of_later(order: Order, width: int) -> Order:
    """Return an order at what a point costs if the first factor is taken out as later ones are."""
    more = (PER_LATER - PER_MEETING) * order.met[0] * (width * (width + 1) // 2)
    return replace(order, seconds=order.seconds + more)


def in_order_of_alike(order: Order, size: int, width: int, terms: int) -> Order:
    """Return an order at what a point costs if groups of the first factor that are alike are one."""
    before = order.met[0] * (width * (width + 1) // 2) + 10 * size * width * (width + order.shared + 1)
    return replace(order, seconds=order.seconds + PER_MEETING * (terms - before))


def orders_of(factors: Sequence[Groups], shared: int) -> list[Order]:
    """Return the orders by which one factor, two, ... of the longest chain are taken out."""
    chain = _longest(factors)
    beside = [at for at in range(len(factors)) if at not in chain]
    met: list[int] = []
    out: list[Order] = []
    for end in range(1, len(chain) + 1):
        later = [*chain[end:], *beside]
        met.append(_meetings(factors, chain[end - 1], later))
        left = shared + sum(factors[at].size for at in later)
        taken = tuple(chain[:end])
        cost = _seconds([factors[at] for at in taken], met, left, shared)
        out.append(Order(taken, tuple(met), tuple(later), left, shared, cost))
    return out


def _seconds(chain: Sequence[Groups], met: Sequence[int], left: int, shared: int) -> float:
    out = PER_POINT + PER_CELL * (left + 1) ** 2 + PER_CUBE * (left + 1) ** 3
    for factor, count, each in zip(chain, met, [PER_MEETING, *[PER_LATER] * len(met)], strict=False):
        columns = factor.width * (factor.width + 1) // 2
        own = factor.size * factor.width * (factor.width + shared + 1)
        out += each * count * columns + 10 * PER_MEETING * own
    return out


def _longest(factors: Sequence[Groups]) -> list[int]:
    """Return the factors, each nested in the next, that have most coefficients together."""
    by_size = sorted(range(len(factors)), key=lambda at: -factors[at].groups)
    chains: dict[int, list[int]] = {}
    for place in reversed(range(len(by_size))):
        at = by_size[place]
        outer = [chains[other] for other in by_size[place + 1 :] if factors[at].within(factors[other])]
        chains[at] = [at, *max(outer, key=lambda chain: _size(factors, chain), default=[])]
    return max((chains[at] for at in range(len(factors))), key=lambda chain: _size(factors, chain))


def _size(factors: Sequence[Groups], chain: Sequence[int]) -> int:
    return sum(factors[at].size for at in chain)


def _meetings(factors: Sequence[Groups], first: int, later: Sequence[int]) -> int:
    """Return how many pairs of coefficients of later factors have rows in a group of the first, over its groups."""
    one, counts = factors[first], np.zeros(factors[first].groups)
    for at in later:
        other = factors[at]
        cells = np.unique(one.codes * other.groups + other.codes)
        counts += other.width * np.bincount(cells // other.groups, minlength=one.groups)
    return int(np.sum(counts * (counts + 1) / 2))
