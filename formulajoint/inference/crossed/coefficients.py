"""Coefficients given phi: exact draws from their Gaussian conditional distribution.

First those that remain, together; then, given these, those of the factors taken out group by group, from the outside
in.

Shapes: those of ``marginal.py``.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import scipy

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.inference.crossed.levels import Level
from formulajoint.inference.crossed.marginal import (
    Eliminated,
    LevelOut,
    TakenOut,
    blocks,
    eliminate,
    roots,
    square_of,
)
from formulajoint.inference.crossed.sums import Sums


@dataclass(frozen=True, slots=True, eq=False)
class Coefficients:
    """Draws of all coefficients.

    Attributes
    ----------
    shared : (S, k) array
        b.
    away, standard : mapping of int to (S, G, p) array
        By factor, of those for which they are asked: D v, what varies about the means, and v.
    """

    shared: FloatArray
    away: dict[int, FloatArray]
    standard: dict[int, FloatArray]


def draw_coefficients(
    sums: Sums,
    values: FloatArray,
    rng: np.random.Generator,
    away: Collection[int],
    standard: Collection[int] = (),
) -> Coefficients:
    """Return a draw of all coefficients for each phi; where phi is the same several times, at less cost.

    Parameters
    ----------
    sums : Sums
    values : (S, cells) array
    rng : Generator
    away, standard : collection of int
        Factors whose D v and v are returned.
    """
    shapes = [(len(values), factor.groups, factor.width) for factor in sums.model.factors]
    out = Coefficients(
        np.empty((len(values), sums.k)),
        {at: np.empty(shapes[at]) for at in away},
        {at: np.empty(shapes[at]) for at in standard},
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
    which, q = np.repeat(np.arange(len(values)), times), sums.remaining
    remain = _remaining(found, times, rng.standard_normal((len(which), sums.order.left)))
    c = remain[:, q:]
    if sums.k:
        out.shared[places] = sums.fixed.reference + scipy.linalg.solve_triangular(sums.fixed.root, c.T).T
    starts = np.cumsum([0, *(sums.model.factors[at].size for at in sums.others)])
    known = np.empty((starts[-1], len(which)))  # coefficients of the orthogonal columns
    square = square_of(sums, values)[which, None, None]
    inside_out = (sums.first, *sums.others)
    needed = [at in out.away or at in out.standard for at in inside_out]
    last = needed.index(True) if any(needed) else len(needed)
    for place in reversed(range(last - 1, len(sums.others))):
        at = inside_out[place + 1]
        factor, start, end = sums.model.factors[at], starts[place], starts[place + 1]
        if place < 0:
            v = _own(found.first, which, _rest_of_first(sums, found, which, known, c) / square, rng)
        elif place < len(sums.levels):
            rest = _rest(sums.levels[place], found.levels[place], which, known[end:], c)
            v = _own(found.levels[place].taken, which, rest / square, rng)
        else:
            later = starts[len(sums.levels)]
            v = remain[:, start - later : end - later].reshape(-1, factor.groups, factor.width)
        if at in out.standard:
            out.standard[at][places] = v
        if at in out.away:
            out.away[at][places] = _times(factor.root(values)[which], v)
        if place >= 0:
            known[start:end] = _times(roots(sums, at, values)[which], v).reshape(len(v), -1).T


def _rest_of_first(
    sums: Sums, found: Eliminated, which: IntArray, known: FloatArray, c: FloatArray
) -> FloatArray:
    """Return what the response leaves to the columns of the first factor, (S, G, p)."""
    if sums.by_sigma is not None and found.before is not None:
        return _rest(sums.by_sigma.first, found.before, which, known, c)
    p, groups = sums.own.shape[1:]
    rest = np.moveaxis(sums.own_rest[:, :, -1:], 0, 1) - np.einsum("pgk,sk->gps", sums.own_rest[:, :, :-1], c)
    return np.moveaxis(rest - (sums.with_left @ known).reshape(groups, p, -1), 2, 0)


def _rest(level: Level, out: LevelOut, which: IntArray, known: FloatArray, c: FloatArray) -> FloatArray:
    """Return what the response leaves to the columns of a later factor, (S, G, p)."""
    rest = out.rest[:, :, -1, which] - np.einsum("gpks,sk->gps", out.rest[:, :, :-1, which], c)
    explained = out.beside[:, :, which] * known[level.columns, None]
    explained = level.sum_groups @ explained.reshape(len(explained), rest[0].size)
    return np.moveaxis(rest - explained.reshape(rest.shape), 2, 0)


def _remaining(found: Eliminated, times: IntArray, noise: FloatArray) -> FloatArray:
    """Return draws of the coefficients that remain, `times` for each point, from standard normal numbers (S, n)."""
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
    """Return v (S, G, p) of a factor taken out, from what the response leaves to its columns (S, G, p).

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
