"""Rows of a group that lie on a line: their columns differ in one direction only.

Of the rows of a group, those with the same values of some columns may lie on a line in the others: events at many ages
of women who are otherwise alike, or a slope by group and nothing else. Columns with few values are tried first.

Shapes: N rows in the order of groups, m columns, R rows on lines, L lines.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import BoolArray, FloatArray, IntArray

CLOSE = 1e-11
"""Rows are on a line if no column is further from it, in its largest value."""

LOOKED_AT = 20_000
"""Rows from which the number of values of each column is taken."""


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Rows on lines.

    Attributes
    ----------
    rows : (R,) int array
        Which rows, line by line.
    edges : (L + 1,) int array
        Where each line begins.
    base, direction : (L, m) arrays
        A line has the columns ``base + t direction``.
    place : (R,) array
        t of each row, from -1 to 1.
    """

    rows: IntArray
    edges: IntArray
    base: FloatArray
    direction: FloatArray
    place: FloatArray

    @property
    def sizes(self) -> IntArray:
        """How many rows are on each line, (L,)."""
        return np.diff(self.edges)


def lines_of(codes: IntArray, columns: FloatArray, fewest: int) -> Lines:
    """Return the lines with at least `fewest` rows.

    Parameters
    ----------
    codes : (N,) int array
        Groups, in increasing order.
    columns : (N, m) array
        Of distinct rows.
    fewest : int
    """
    sizes = np.max(abs(columns), axis=0, initial=0.0)
    scale = np.where(sizes > 0, sizes, 1.0)
    found: list[Lines] = []
    left, part = np.arange(len(codes)), codes
    for column in (None, *_by_number_of_values(columns)):
        if column is not None:
            values = columns[left, column]
            order = np.lexsort((values, part))
            left, part, values = left[order], part[order], values[order]
            new = (np.diff(part, prepend=-1) != 0) | (np.diff(values, prepend=0.0) != 0)
            part = np.cumsum(new)
        left, part = _with_many(left, part, fewest)
        if not len(left):
            break
        lines, off = _straight(left, part, columns, scale)
        found.append(lines)
        left, part = left[off], part[off]
    return _joined(found, columns.shape[1])


def _by_number_of_values(columns: FloatArray) -> list[int]:
    """Return the columns with several values, those with few values first."""
    some = columns[:: max(1, len(columns) // LOOKED_AT)]
    counts = [len(np.unique(column)) for column in some.T]
    return [at for at in sorted(range(len(counts)), key=lambda at: counts[at]) if counts[at] > 1]


def _with_many(left: IntArray, part: IntArray, fewest: int) -> tuple[IntArray, IntArray]:
    """Return the rows of parts with at least `fewest` rows, and their parts."""
    _, which, counts = np.unique(part, return_inverse=True, return_counts=True)
    many = counts[which] >= fewest
    return left[many], part[many]


def _straight(
    left: IntArray, part: IntArray, columns: FloatArray, scale: FloatArray
) -> tuple[Lines, BoolArray]:
    """Return the parts that are lines, and which rows are in none of them."""
    first = np.flatnonzero(np.r_[True, np.diff(part) != 0])
    sizes = np.diff(np.r_[first, len(part)])
    which = np.repeat(np.arange(len(first)), sizes)
    rows = columns[left]
    base = rows[first]
    away = rows - base[which]
    distance = np.max(abs(away) / scale, axis=1)
    most = np.maximum.reduceat(distance, first)
    is_far = np.flatnonzero(distance == most[which])
    far = is_far[np.searchsorted(which[is_far], np.arange(len(first)))]
    direction = away[far]
    axis = np.argmax(abs(direction) / scale, axis=1)
    length = direction[np.arange(len(first)), axis]
    place = away[np.arange(len(away)), axis[which]] / np.where(length == 0, 1.0, length)[which]
    off = np.max(abs(away - place[:, None] * direction[which]) / scale, axis=1)
    straight = (np.maximum.reduceat(off, first) <= CLOSE) & (most > 0)
    on = straight[which]
    edges = np.r_[0, np.cumsum(sizes[straight])]
    return Lines(left[on], edges, base[straight], direction[straight], place[on]), ~on


def _joined(found: list[Lines], m: int) -> Lines:
    """Return lines one after another."""
    none, no_columns = np.empty(0, dtype=np.int64), np.empty((0, m))
    nothing = Lines(none, np.zeros(1, dtype=np.int64), no_columns, no_columns, np.empty(0))
    every = [nothing, *found]
    return Lines(
        np.concatenate([each.rows for each in every]),
        np.r_[0, np.cumsum(np.concatenate([each.sizes for each in every]))],
        np.concatenate([each.base for each in every]),
        np.concatenate([each.direction for each in every]),
        np.concatenate([each.place for each in every]),
    )
