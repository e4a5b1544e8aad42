"""Modified Gram-Schmidt on arrays of many small systems at once: S points, and G groups at each.

The residual of a vector is computed directly, never its square as the difference of two squares: so eps, not sqrt(eps),
of its length is lost. With the response as the last column this is a backward stable method for least squares (Bjorck,
BIT 1967). Only functions of the array API standard are used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from formulajoint.arrays import Array

type Entry = Array | None
"""An array (S, G), (S, 1) or (1, G); None for zeros."""

LONG = 10_000
"""From this many groups on, BLAS would sum their products in threads, and such sums vary."""


def dot(one: list[Entry], other: list[Entry]) -> Entry:
    """Return the sum of products of entries; None if all are zero."""
    total = None
    for a, b in zip(one, other, strict=True):
        if a is not None and b is not None:
            total = a * b if total is None else total + a * b
    return total


def less(value: Entry, factor: Array, other: Entry) -> Entry:
    """Return ``value - factor * other``."""
    if other is None:
        return value
    return -(factor * other) if value is None else value - factor * other


def orthogonalise(vectors: list[list[Entry]]) -> tuple[list[list[Entry]], list[Array]]:
    """Make vectors orthogonal, in place; the first is unchanged.

    Returns
    -------
    factors : list of lists
        ``factors[i][j]``, j < i: the multiple of vector j that was subtracted from vector i.
    inverses : list of arrays
        1 / squared length of each vector.
    """
    factors: list[list[Entry]] = []
    inverses: list[Array] = []
    for i, vector in enumerate(vectors):
        own: list[Entry] = []
        for j in range(i):
            along = dot(vectors[j], vector)
            factor = None if along is None else along * inverses[j]
            if factor is not None:
                vector = [less(a, factor, b) for a, b in zip(vector, vectors[j], strict=True)]
            own.append(factor)
        vectors[i] = vector
        factors.append(own)
        square = dot(vector, vector)
        inverses.append(None if square is None else 1 / square)
    return factors, inverses


def projected(vectors: list[list[Entry]], inverses: list[Array], response: list[Entry]) -> list[Entry]:
    """Return the multiple of each orthogonal vector that is subtracted from the response, None for zero.

    Of what is left of the response only the entries that a later vector has are computed.
    """
    left, factors = response, list[Entry]()
    for j, (vector, inverse) in enumerate(zip(vectors, inverses, strict=True)):
        along = dot(vector, left)
        factor = None if along is None else along * inverse
        factors.append(factor)
        if factor is not None:
            later = vectors[j + 1 :]
            left = [
                less(a, factor, b) if any(each[at] is not None for each in later) else a
                for at, (a, b) in enumerate(zip(left, vector, strict=True))
            ]
    return factors


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A row of a least-squares problem for each point and group.

    Attributes
    ----------
    blocks : list of (n, S or 1, G) arrays
        Blocks of n columns each, the response last; None for zeros.
    weight : (S, G) array or None
        None for 1.
    classes : (G, C) array or None
        1 where a group belongs to a class, if the next coefficient is one for each class; None if all share it.
    alone : bool
        Whether the next coefficient is one for each group.
    """

    blocks: list[Entry]
    weight: Entry
    classes: Entry = None
    alone: bool = False

    def weighted(self, block: Entry) -> Entry:
        """Return a block times the weights."""
        return block if block is None or self.weight is None else block * self.weight

    def spread(self, factor: Array) -> Array:
        """Return numbers by class or group, or for all groups (n, S), as numbers by group."""
        if self.alone:
            return factor
        return factor[..., None] if self.classes is None else factor @ self.classes.T


@dataclass(frozen=True, slots=True, eq=False)
class TakenOut:
    """Results of taking out the first column.

    Attributes
    ----------
    square : (S,), (S, C) or (S, G) array
        Its squared length.
    factors : list of (n, S), (n, S, C) or (n, S, G) arrays
        The multiples of it that were subtracted from the columns of each remaining block; None for zero.
    """

    square: Array
    factors: list[Entry]


def take_out(xp: Any, rows: list[Row], widths: list[int]) -> tuple[list[Row], list[int], TakenOut]:
    """Make all later columns orthogonal to the first, and drop the first.

    Parameters
    ----------
    xp : module
    rows : list of Row
    widths : list of int
        Columns of each block.

    Returns
    -------
    rows, widths
        Without this column.
    taken_out : TakenOut
    """
    heads = [None if row.blocks[0] is None else row.blocks[0][:1, ...] for row in rows]
    weighted = [row.weighted(head) for row, head in zip(rows, heads, strict=True)]
    square: Array = inner(xp, rows, weighted, heads)
    widths = [widths[0] - 1, *widths[1:]] if widths[0] > 1 else widths[1:]
    tails = [_without_first(row.blocks, len(widths)) for row in rows]
    factors = []
    for at in range(len(widths)):
        along = inner(xp, rows, weighted, [tail[at] for tail in tails])
        factor = None if along is None else along / square
        factors.append(factor)
        if factor is None:
            continue
        for row, head, tail in zip(rows, heads, tails, strict=True):
            if head is not None:
                tail[at] = less(tail[at], row.spread(factor), head)
    left = [Row(tail, row.weight, row.classes, row.alone) for row, tail in zip(rows, tails, strict=True)]
    return left, widths, TakenOut(square[0, ...], factors)


def _without_first(blocks: list[Entry], count: int) -> list[Entry]:
    """Return `count` blocks without the first column; a block of that column alone is dropped."""
    first, *others = blocks
    if count < len(blocks):
        return others
    return [None if first is None else first[1:, ...], *others]


def inner(xp: Any, rows: list[Row], weighted: list[Entry], block: list[Entry]) -> Entry:
    """Return the inner products of a column with those of a block, over rows and groups, a class or each of these."""
    total = None
    for row, one, other in zip(rows, weighted, block, strict=True):
        if one is not None and other is not None:
            if row.alone:
                own = one * other
            else:
                own = over_groups(xp, one, other) if row.classes is None else (one * other) @ row.classes
            total = own if total is None else total + own
    return total


def over_groups(xp: Any, one: Array, other: Array) -> Array:
    """Return the sum over groups of a product; for many groups without `vecdot`, which would start threads."""
    if other.shape[-1] < LONG:
        return xp.vecdot(one, other)
    return xp.sum(one * other, axis=-1)
