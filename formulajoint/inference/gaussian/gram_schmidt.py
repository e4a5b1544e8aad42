"""Modified Gram-Schmidt on arrays of many small systems at once: S points, and G groups at each.

What is left of a vector is computed itself, never its square as the difference of two squares, so that eps and not
sqrt(eps) of its length is lost. With the response as the last column this is a backward stable method for least squares
(Bjorck, BIT 1967). Only functions of the array API standard are used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from formulajoint.inference.latent.device import Array

type Entry = Array | None
"""An array (S, G), (S, 1) or (1, G); None for zeros."""

LONG = 10_000
"""Groups from which on BLAS would add up their products in threads, whose sums differ."""


def dot(one: list[Entry], other: list[Entry]) -> Entry:
    """Return the sum of products of entries, None where there is none."""
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
    """Make vectors orthogonal, in place, the first one staying as it is.

    Returns
    -------
    factors : list of lists
        ``factors[i][j]``, j < i: how often vector j was taken out of vector i.
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
    """

    blocks: list[Entry]
    weight: Entry
    classes: Entry = None

    def weighted(self, block: Entry) -> Entry:
        """Return a block times the weights."""
        return block if block is None or self.weight is None else block * self.weight

    def spread(self, factor: Array) -> Array:
        """Return a number for each class, or for all groups (n, S), as one for each group."""
        return factor[..., None] if self.classes is None else factor @ self.classes.T


@dataclass(frozen=True, slots=True, eq=False)
class TakenOut:
    """What taking out the first column has shown.

    Attributes
    ----------
    square : (S,) or (S, C) array
        Its squared length.
    factors : list of (n, S) or (n, S, C) arrays
        How often it was taken out of the columns of each block that is left; None for not at all.
    """

    square: Array
    factors: list[Entry]


def take_out(xp: Any, rows: list[Row], widths: list[int]) -> tuple[list[Row], list[int], TakenOut]:
    """Take the first column out of all that follow it.

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
    left = [Row(tail, row.weight, row.classes) for row, tail in zip(rows, tails, strict=True)]
    return left, widths, TakenOut(square[0, ...], factors)


def _without_first(blocks: list[Entry], count: int) -> list[Entry]:
    """Return blocks without the first column, which is a block of its own where fewer are to be left."""
    first, *others = blocks
    if count < len(blocks):
        return others
    return [None if first is None else first[1:, ...], *others]


def inner(xp: Any, rows: list[Row], weighted: list[Entry], block: list[Entry]) -> Entry:
    """Return the inner products of a column with those of a block, over rows and groups, or the groups of a class."""
    total = None
    for row, one, other in zip(rows, weighted, block, strict=True):
        if one is not None and other is not None:
            own = over_groups(xp, one, other) if row.classes is None else (one * other) @ row.classes
            total = own if total is None else total + own
    return total


def over_groups(xp: Any, one: Array, other: Array) -> Array:
    """Return the sum over groups of a product; long ones not by the library's own, which would start threads."""
    if other.shape[-1] < LONG:
        return xp.vecdot(one, other)
    return xp.sum(one * other, axis=-1)
