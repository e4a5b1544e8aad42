"""Coefficients given phi: exact draws from their Gaussian conditional distribution.

First those of the other factors and the shared ones, together; then, given these, those of the factor taken out, group
by group.

Shapes: those of ``marginal.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.inference.crossed.marginal import Eliminated, TakenOut, blocks, eliminate, roots
from formulajoint.inference.crossed.sums import Sums


@dataclass(frozen=True, slots=True, eq=False)
class Coefficients:
    """Draws of all coefficients.

    Attributes
    ----------
    shared : (S, k) array
        b.
    standard, away : tuple of (S, G, p) arrays
        By factor: v, and D v, what varies about the means.
    """

    shared: FloatArray
    standard: tuple[FloatArray, ...]
    away: tuple[FloatArray, ...]


def draw_coefficients(sums: Sums, values: FloatArray, rng: np.random.Generator) -> Coefficients:
    """Return a draw of all coefficients for each phi (S, cells); where phi is the same several times, at less cost."""
    factors, count = sums.model.factors, len(values)
    out = Coefficients(
        np.empty((count, sums.k)),
        tuple(np.empty((count, factor.groups, factor.width)) for factor in factors),
        tuple(np.empty((count, factor.groups, factor.width)) for factor in factors),
    )
    distinct, which, times = np.unique(values, axis=0, return_inverse=True, return_counts=True)
    order, ends = np.argsort(which, kind="stable"), np.cumsum([0, *times])
    for block in blocks(sums, len(distinct)):
        places = order[ends[block.start] : ends[min(block.stop, len(distinct))]]
        _draw(sums, distinct[block], times[block], rng, (out, places))
    return out


def _draw(
    sums: Sums,
    values: FloatArray,
    times: IntArray,
    rng: np.random.Generator,
    into: tuple[Coefficients, IntArray],
) -> None:
    """Write draws for some points phi, each so many times, into places of the draws."""
    found, (out, places) = eliminate(sums, values), into
    which = np.repeat(np.arange(len(values)), times)
    left = _left(found, times, rng.standard_normal((len(which), sums.q + sums.k)))
    c = left[:, sums.q :]
    if sums.k:
        out.shared[places] = sums.fixed.reference + scipy.linalg.solve_triangular(sums.fixed.root, c.T).T
    turned, start = np.empty((len(left), sums.q)), 0
    for at in sums.others:
        factor, end = sums.model.factors[at], start + sums.model.factors[at].size
        v = left[:, start:end].reshape(-1, factor.groups, factor.width)
        out.standard[at][places] = v
        out.away[at][places] = _times(factor.root(values)[which], v)
        turned[:, start:end] = _times(roots(sums, at, values)[which], v).reshape(len(left), -1)
        start = end
    p, groups = sums.own.shape[1:]
    known = sums.with_left @ turned.T if sums.q else np.zeros((groups * p, len(left)))
    rest = np.moveaxis(known.reshape(groups, p, -1), 2, 1)  # (G, S, p)
    rest = np.moveaxis(sums.own_rest[:, :, -1], 0, 1)[:, None] - rest
    rest = rest - np.einsum("pgk,sk->gsp", sums.own_rest[:, :, :-1], c)
    v = _own(found.first, which, np.moveaxis(rest, 0, 1) / values[which, 0, None, None] ** 2, rng)
    out.standard[sums.first][places] = v
    out.away[sums.first][places] = _times(sums.model.factors[sums.first].root(values)[which], v)


def _left(found: Eliminated, times: IntArray, noise: FloatArray) -> FloatArray:
    """Return draws of the coefficients that are left, so many for each point, from standard normal numbers (S, n)."""
    n, out, start = noise.shape[1], np.empty_like(noise), 0
    for lower, count in zip(found.lower, times, strict=True):
        some = slice(start, start := start + count)
        if n:
            right = lower[n, :n, None] + noise[some].T
            out[some] = scipy.linalg.solve_triangular(
                lower[:n, :n], right, trans="T", lower=True, check_finite=False
            ).T
    return out


def _own(first: TakenOut, which: IntArray, rest: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return v (S, G, p) of the factor taken out, from what the response leaves to its columns (S, G, p).

    `which` has the point of each draw (S,).
    """
    p = rest.shape[2]
    half = [[one[which] for one in row] for row in first.half]
    lower = [[one[which] for one in row] for row in first.lower]
    out = rng.standard_normal(rest.shape)
    for i in reversed(range(p)):
        out[:, :, i] += sum(half[i][a] * rest[:, :, a] for a in range(p))
        for j in range(i + 1, p):
            out[:, :, i] -= lower[j][i] * out[:, :, j]
        out[:, :, i] /= lower[i][i]
    return out


def _times(root: FloatArray, v: FloatArray) -> FloatArray:
    """Return D v (S, G, p) from D (S, 1 or G, p, p)."""
    p = v.shape[2]
    return np.stack([sum(root[:, :, i, j] * v[:, :, j] for j in range(p)) for i in range(p)], axis=2)
