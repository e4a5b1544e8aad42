"""Coefficients given phi: exact draws from their Gaussian conditional distribution.

First those of the other factors and the shared ones, together; then, given these, those of the factor taken out, group
by group.

Shapes: those of ``marginal.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from formulajoint.arrays import FloatArray
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


def draw_coefficients(
    sums: Sums, values: FloatArray, rng: np.random.Generator, each: int = 1
) -> Coefficients:
    """Return draws of all coefficients.

    Parameters
    ----------
    sums : Sums
    values : (S, cells) array
        phi.
    rng : Generator
    each : int
        Draws for each phi: S times this many in all, those of one phi one after the other.
    """
    factors, count = sums.model.factors, len(values) * each
    out = Coefficients(
        np.empty((count, sums.k)),
        tuple(np.empty((count, factor.groups, factor.width)) for factor in factors),
        tuple(np.empty((count, factor.groups, factor.width)) for factor in factors),
    )
    for block in blocks(sums, len(values)):
        some = slice(block.start * each, min(block.stop * each, count))
        own = Coefficients(
            out.shared[some], tuple(v[some] for v in out.standard), tuple(v[some] for v in out.away)
        )
        _draw(sums, values[block], rng, each, own)
    return out


def _draw(sums: Sums, values: FloatArray, rng: np.random.Generator, each: int, out: Coefficients) -> None:
    """Write draws for some points into `out`."""
    found = eliminate(sums, values)
    noise = rng.standard_normal((len(values), each, sums.q + sums.k))
    left = _left(found, noise).reshape(len(values) * each, -1)
    c = left[:, sums.q :]
    if sums.k:
        out.shared[:] = sums.fixed.reference + solve_triangular(sums.fixed.root, c.T).T
    turned, start = np.empty((len(left), sums.q)), 0
    for at in sums.others:
        factor, end = sums.model.factors[at], start + sums.model.factors[at].size
        v = left[:, start:end].reshape(-1, factor.groups, factor.width)
        out.standard[at][:] = v
        out.away[at][:] = _times(np.repeat(factor.root(values), each, axis=0), v)
        turned[:, start:end] = _times(np.repeat(roots(sums, at, values), each, axis=0), v).reshape(
            len(left), -1
        )
        start = end
    p, groups = sums.own.shape[1:]
    known = sums.with_left @ turned.T if sums.q else np.zeros((groups * p, len(left)))
    rest = np.moveaxis(known.reshape(groups, p, -1), 2, 1)  # (G, S, p)
    rest = np.moveaxis(sums.own_rest[:, :, -1], 0, 1)[:, None] - rest
    rest = rest - np.einsum("pgk,sk->gsp", sums.own_rest[:, :, :-1], c)
    square = np.repeat(values[:, 0] ** 2, each)
    v = _own(found.first, each, np.moveaxis(rest, 0, 1) / square[:, None, None], rng)
    out.standard[sums.first][:] = v
    root = np.repeat(sums.model.factors[sums.first].root(values), each, axis=0)
    out.away[sums.first][:] = _times(root, v)


def _left(found: Eliminated, noise: FloatArray) -> FloatArray:
    """Return the coefficients that are left (S, each, n) from standard normal numbers of that shape."""
    n = noise.shape[2]
    out = np.empty_like(noise)
    for lower, one, into in zip(found.lower, noise, out, strict=True):
        if n:
            right = lower[n, :n, None] + one.T
            into[:] = solve_triangular(lower[:n, :n], right, trans="T", lower=True, check_finite=False).T
    return out


def _own(first: TakenOut, each: int, rest: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return v (S, G, p) of the factor taken out, from what the response leaves to its columns (S, G, p)."""
    p = rest.shape[2]
    half = [[np.repeat(one, each, axis=0) for one in row] for row in first.half]
    lower = [[np.repeat(one, each, axis=0) for one in row] for row in first.lower]
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
