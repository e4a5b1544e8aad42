"""Directions of coefficients along which no row's density vanishes, so that flat priors leave no posterior.

A row of which the density vanishes on one side may move to the other side only; one of which it vanishes on both may
not move. If such moves are possible, events are separated (Albert & Anderson, Biometrika 1984).

Shapes: N rows, p columns with coefficients by group (`own`), k with coefficients for all groups (`shared`), G groups.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.families.tails import Vanishing

TOLERANCE = 1e-9
"""Singular values below this share of the largest count as zero."""

FEW_ROWS = 200
"""This number of rows is looked at first: if they allow no direction, more rows allow none."""

FEW_GROUPS = 5
"""This number of the largest groups is asked first whether they alone determine the shared coefficients."""

FEASIBLE, AHEAD = 1e-10, 1e-8
"""Tolerance of the linear programs, and the least mean move of the rows that counts as a direction."""


def some(vanishing: Vanishing, rows: IntArray | slice) -> Vanishing:
    """Return what is known of some of the rows."""
    return Vanishing(*(each[rows] for each in vanishing))


def null_space(columns: FloatArray) -> FloatArray:
    """Return an orthonormal basis (p, r) of the coefficients that leave all rows (N, p) where they are."""
    width = columns.shape[1]
    if not len(columns) or not width:
        return np.eye(width)
    triangle = np.linalg.qr(columns, mode="r")
    _, sizes, turned = np.linalg.svd(triangle, full_matrices=True)
    rank = int(np.sum(sizes > TOLERANCE * max(float(sizes[0]), np.finfo(float).tiny)))
    return np.asarray(turned[rank:].T)


def by_group(codes: IntArray) -> list[IntArray]:
    """Return the rows of each group, for groups of codes (N,) from 0 that all have rows."""
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)


def are_settled(own: FloatArray, shared: FloatArray, codes: IntArray, vanishing: Vanishing) -> bool:
    """Return whether the rows that may not move at all determine all coefficients."""
    still = vanishing.falling & vanishing.rising
    if len(np.unique(codes[still])) < len(np.unique(codes)):
        return False
    if any(null_space(_scaled(own[rows])[still[rows]]).shape[1] for rows in by_group(codes)):
        return False
    return not _open(own, shared, codes, np.flatnonzero(still)).shape[1]


def free_direction(columns: FloatArray, vanishing: Vanishing) -> FloatArray | None:
    """Return a direction (p,) of the coefficients of `columns` (N, p) along which no density vanishes, if any."""
    falling, rising = vanishing
    one, sign = falling ^ rising, np.where(falling, 1.0, -1.0)[:, None]
    scaled = _scaled(columns)
    left = null_space(scaled[falling & rising])
    if not left.shape[1]:
        return None
    moves = (sign * scaled)[one] @ left
    still = null_space(moves)
    found = still[:, :1] if still.shape[1] else _ahead(moves)
    return None if found is None else np.asarray((left @ found)[:, 0] / _sizes(columns))


def free_shared_direction(
    own: FloatArray, shared: FloatArray, codes: IntArray, vanishing: Vanishing
) -> FloatArray | None:
    """Return a direction (k,) of shared coefficients along which, with coefficients by group, no density vanishes.

    Within each group alone there must be no such direction of its `own` coefficients.
    """
    if not own.shape[1]:
        return free_direction(shared, vanishing)
    sizes = np.bincount(codes)
    for group in np.argsort(-sizes)[:FEW_GROUPS]:
        rows = np.flatnonzero(codes == group)
        if free_direction(np.hstack([own[rows], shared[rows]]), some(vanishing, rows)) is None:
            return None
    left = _open(own, shared, codes, np.flatnonzero(vanishing.falling | vanishing.rising))
    if left.shape[1]:
        return left[:, 0] / _sizes(shared)
    found = _ahead_by_group(_scaled(own), _scaled(shared), codes, vanishing)
    return None if found is None else found / _sizes(shared)


def _sizes(columns: FloatArray) -> FloatArray:
    """Return the root mean squares (p,) of columns (N, p), 1 for a column of zeros."""
    sizes = np.sqrt(np.sum(columns**2, axis=0) / max(len(columns), 1))
    return np.where(sizes > 0, sizes, 1.0)


def _scaled(columns: FloatArray) -> FloatArray:
    return np.asarray(columns / _sizes(columns))


def _ahead(moves: FloatArray) -> FloatArray | None:
    """Return a direction (r, 1) in which no row of `moves` (N, r) goes below zero, and some above, if any."""
    if moves.shape[1] == 1:
        for sign in (1.0, -1.0):
            if np.all(sign * moves >= -TOLERANCE):
                return np.full((1, 1), sign)
        return None
    step = max(len(moves) // FEW_ROWS, 1)
    if step > 1 and _program(moves[::step], None) is None:
        return None
    found = _program(moves, None)
    return None if found is None else found[:, None]


def _program(ahead: Any, still: Any) -> FloatArray | None:
    """Return the direction that moves rows `ahead` the most without moving one back, nor moving rows that are `still`.

    Both are matrices or, if sparse, of SciPy.
    """
    from scipy.optimize import linprog  # for flat priors only

    count = ahead.shape[0]
    total = np.asarray(ahead.sum(axis=0)).reshape(-1)
    found = linprog(
        -total,
        A_ub=-ahead,
        b_ub=np.zeros(count),
        A_eq=still,
        b_eq=None if still is None else np.zeros(still.shape[0]),
        bounds=(-1.0, 1.0),
        method="highs",
        options={"primal_feasibility_tolerance": FEASIBLE, "dual_feasibility_tolerance": FEASIBLE},
    )
    return np.asarray(found.x) if found.x is not None and float(total @ found.x) > AHEAD * count else None


def _open(own: FloatArray, shared: FloatArray, codes: IntArray, rows: IntArray) -> FloatArray:
    """Return the shared coefficients (k, r) that some of the rows leave open, own coefficients taken out."""
    parts = []
    for some_ in by_group(codes[rows]):
        at = rows[some_]
        base = np.linalg.qr(_scaled(own[at]))[0]
        parts.append(shared[at] - base @ (base.T @ shared[at]))
    return null_space(np.concatenate(parts) / _sizes(shared))


def _ahead_by_group(
    own: FloatArray, shared: FloatArray, codes: IntArray, vanishing: Vanishing
) -> FloatArray | None:
    """Return the shared part of a direction in which some row moves ahead, and none back."""
    from scipy.sparse import csr_array, hstack

    n, p = own.shape
    groups = int(np.max(codes)) + 1
    places = (codes[:, None] * p + np.arange(p)).reshape(-1)
    by_group = csr_array((own.reshape(-1), places, np.arange(n + 1) * p), shape=(n, groups * p))
    every = hstack([by_group, csr_array(shared)], format="csr")
    falling, rising = vanishing
    sign, both = np.where(falling, 1.0, -1.0), np.flatnonzero(falling & rising)
    ahead = csr_array(every[np.flatnonzero(falling ^ rising)].multiply(sign[falling ^ rising][:, None]))
    found = _program(ahead, every[both] if len(both) else None) if ahead.shape[0] else None
    return None if found is None else found[groups * p :]
