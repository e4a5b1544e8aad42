"""Groups with the same columns of their own, gathered: of intercepts by group, all groups of as many rows.

At each phi their rows r_g have one covariance V, so the likelihood needs only their cross-products. The rows of m such
groups, as a matrix of m rows, have the triangle of a QR decomposition with the same cross-products: it stands for all
of them. It has no more rows than there are columns that all groups share, however many groups there are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.inference.gaussian.gram_schmidt import Entry
from formulajoint.inference.gaussian.parts import Load, Part

MANY = 1_000
"""Fewest groups that are gathered: with fewer the time is not in them."""

FEWER = 4
"""They are gathered where this many times fewer are left."""


def gathered(part: Part) -> Part:
    """Return a part with groups gathered that have the same columns; the part itself where few are the same.

    Its arrays are NumPy's, without ties and factors that differ by group.
    """
    most, own = (
        len(part.groups) // FEWER,
        [load.table for row in part.loads for load in row if load is not None],
    )
    if len(part.groups) < MANY or part.turn is not None or not own:
        return part
    keys = np.concatenate(own)
    if any(len(np.unique(key)) > most for key in keys):
        return part
    _, first, which, times = np.unique(
        keys, axis=1, return_index=True, return_inverse=True, return_counts=True
    )
    entries = [*(entry for row in part.columns for entry in row), *part.known]
    tables = [entry.reshape(-1, len(which)) for entry in entries if entry is not None]
    if len(times) * sum(map(len, tables)) > most:
        return part
    order, ends = np.argsort(which, kind="stable"), np.cumsum([0, *times])
    table = np.concatenate([np.zeros((0, len(which))), *tables])[:, order]
    found = [_triangle(table[:, start:end]) for start, end in pairwise(ends)]
    left = [each.shape[1] for each in found]
    groups, spread = np.repeat(first, left), iter(np.concatenate(found, axis=1))

    def entry(old: Entry) -> Entry:
        if old is None:
            return None
        return np.stack([next(spread) for _ in old]).reshape((*old.shape[:-1], len(groups)))

    def load(old: Load | None) -> Load | None:
        return None if old is None else replace(old, table=np.ascontiguousarray(old.table[:, groups]))

    return replace(
        part,
        loads=tuple(tuple(map(load, row)) for row in part.loads),
        columns=tuple(tuple(map(entry, row)) for row in part.columns),
        known=tuple(map(entry, part.known)),
        groups=part.groups[groups],
        sigmas=part.sigmas[groups],
        times=_shared_out(times, left),
    )


def _triangle(columns: FloatArray) -> FloatArray:
    """Return at most as many columns (q, r) as there are rows, with the same cross-products of the rows of (q, m)."""
    return columns if columns.shape[1] <= len(columns) else np.asarray(np.linalg.qr(columns.T, mode="r").T)


def _shared_out(times: IntArray, left: Iterable[int]) -> FloatArray:
    """Return for how many groups each of those left stands: all groups of a class have one determinant."""
    return np.concatenate([np.full(count, of / count) for of, count in zip(times, left, strict=True)])
