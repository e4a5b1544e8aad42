"""Coefficients given phi: exact draws from their Gaussian conditional distribution.

First those that remain, together; then, given these, those of the factors taken out group by group, from the outside
in.

Shapes: those of ``marginal.py``.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

import numpy as np
import scipy

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.inference.crossed.levels import Level
from formulajoint.inference.crossed.marginal import (
    LARGE,
    Chain,
    LevelOut,
    TakenOut,
    blocks,
    eliminate,
    first_out,
    roots,
    square_of,
)
from formulajoint.inference.crossed.sums import BySigma, OneSigma, Sums

AHEAD = 1.3
"""Draws of coefficients that are made for each point of a last sample, as a multiple of those expected."""


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


@dataclass(frozen=True, slots=True, eq=False)
class Ahead:
    """Draws of the coefficients that remain, made where the factor of a point phi is at hand.

    One factor is taken out, and rows have one sigma: without the others, it is taken out again at little cost.

    Attributes
    ----------
    sums : Sums
    times : int
        Draws for each point.
    rng : Generator
    known : dict of bytes to (times, n) array
        By the parameters of the point.
    """

    sums: Sums
    times: int
    rng: np.random.Generator
    known: dict[bytes, FloatArray] = field(default_factory=dict)

    def log_likelihood(self, points: FloatArray) -> FloatArray:
        """Return log p(y | phi) at points (S, d) on the real line, and draw there."""
        values, out = self.sums.model.scales.values(points), np.empty(len(points))
        with np.errstate(all="ignore"):
            for block in blocks(self.sums, len(points)):
                found = eliminate(self.sums, values[block])
                out[block] = found.log_likelihood
                noise = self.rng.standard_normal((len(out[block]) * self.times, self.sums.order.left))
                drawn = _remaining(found.lower, np.full(len(out[block]), self.times), noise)
                drawn = drawn.reshape(-1, self.times, noise.shape[1])
                self.known.update(zip(map(bytes, np.ascontiguousarray(values[block])), drawn, strict=True))
        return out

    def has(self, phi: FloatArray, times: int) -> bool:
        """Return whether there are `times` draws for a point phi (cells,)."""
        return len(self.known.get(bytes(phi), ())) >= times


def ahead_of(sums: Sums, points: int, draws: int, seed: np.random.SeedSequence) -> Ahead | None:
    """Return a place for draws at the points of a last sample, from which draws are taken; None if it saves nothing."""
    if sums.levels or isinstance(sums.products, BySigma) or sums.order.left + 1 < LARGE:
        return None
    return Ahead(sums, int(np.ceil(AHEAD * draws / points)), np.random.default_rng(seed))


def draw_coefficients(
    sums: Sums,
    values: FloatArray,
    rng: np.random.Generator,
    away: Collection[int],
    standard: Collection[int] = (),
    ahead: Ahead | None = None,
) -> Coefficients:
    """Return a draw of all coefficients for each phi; where phi is the same several times, at less cost.

    Parameters
    ----------
    sums : Sums
    values : (S, cells) array
    rng : Generator
    away, standard : collection of int
        Factors whose D v and v are returned.
    ahead : Ahead, optional
        Draws that have been made.
    """
    shapes = [(len(values), factor.groups, factor.width) for factor in sums.model.factors]
    out = Coefficients(
        np.empty((len(values), sums.k)),
        {at: np.empty(shapes[at]) for at in away},
        {at: np.empty(shapes[at]) for at in standard},
    )
    distinct, which, times = np.unique(values, axis=0, return_inverse=True, return_counts=True)
    made = [ahead is not None and ahead.has(phi, count) for phi, count in zip(distinct, times, strict=True)]
    order, ends = np.argsort(which, kind="stable"), np.cumsum([0, *times])
    for whether, some in ((True, np.flatnonzero(made)), (False, np.flatnonzero(~np.array(made)))):
        for block in blocks(sums, len(some), drawn=True):
            chosen = some[block]
            places = np.concatenate([order[ends[at] : ends[at + 1]] for at in chosen])
            given = _given(sums, distinct[chosen], times[chosen], ahead if whether else None, rng)
            _draw(sums, distinct[chosen], times[chosen], given, rng, (out, places))
    return out


def _given(
    sums: Sums, values: FloatArray, times: IntArray, ahead: Ahead | None, rng: np.random.Generator
) -> tuple[Chain, FloatArray]:
    """Return the factors of the chain taken out at some points phi, and draws of what remains, `times` for each."""
    if ahead is None:
        found = eliminate(sums, values)
        noise = rng.standard_normal((int(np.sum(times)), sums.order.left))
        return found.chain, _remaining(found.lower, times, noise)
    assert isinstance(sums.products, OneSigma)  # others are not drawn ahead
    first = first_out(sums.products, roots(sums, sums.first, values), square_of(sums, values))
    drawn = [ahead.known[bytes(phi)][:count] for phi, count in zip(values, times, strict=True)]
    return Chain(first, None, ()), np.concatenate(drawn)


def _draw(
    sums: Sums,
    values: FloatArray,
    times: IntArray,
    given: tuple[Chain, FloatArray],
    rng: np.random.Generator,
    into: tuple[Coefficients, IntArray],
) -> None:
    """Write draws for some points phi, `times` for each, into places of the draws."""
    (chain, remain), (out, places) = given, into
    which, q = np.repeat(np.arange(len(values)), times), sums.remaining
    c = remain[:, q:]
    if sums.k:
        out.shared[places] = sums.fixed.reference + np.linalg.solve(sums.fixed.root, c.T).T
    starts = np.cumsum([0, *(sums.model.factors[at].size for at in sums.others)])
    known = np.empty((starts[-1], len(which)))  # coefficients of the orthogonal columns
    square = square_of(sums, values)[which]
    inside_out = (sums.first, *sums.others)
    needed = [at in out.away or at in out.standard for at in inside_out]
    last = needed.index(True) if any(needed) else len(needed)
    for place in reversed(range(last - 1, len(sums.others))):
        at = inside_out[place + 1]
        factor, start, end = sums.model.factors[at], starts[place], starts[place + 1]
        if place < 0:
            v = _own(
                _of_groups(sums, chain.first),
                which,
                _rest_of_first(sums, chain, which, known, c),
                square,
                rng,
            )
        elif place < len(sums.levels):
            rest = _rest(sums.levels[place], chain.levels[place], which, known[end:], c)
            v = _own(chain.levels[place].taken, which, rest, square, rng)
        else:
            later = starts[len(sums.levels)]
            v = remain[:, start - later : end - later].reshape(-1, factor.groups, factor.width)
        if at in out.standard:
            out.standard[at][places] = v
        if at in out.away:
            out.away[at][places] = _times(factor.root(values)[which], v)
        if place >= 0:
            known[start:end] = _times(roots(sums, at, values)[which], v).reshape(len(v), -1).T


def _of_groups(sums: Sums, first: TakenOut) -> TakenOut:
    """Return the first factor taken out, group by group where it is by kinds of groups."""
    one = sums.products
    if not isinstance(one, OneSigma) or one.alike is None:
        return first
    lower, half = (
        [[each[:, one.alike.kind] for each in row] for row in part] for part in (first.lower, first.half)
    )
    return replace(first, lower=lower, half=half)


def _rest_of_first(sums: Sums, chain: Chain, which: IntArray, known: FloatArray, c: FloatArray) -> FloatArray:
    """Return what the response leaves to the columns of the first factor, (G, p, S)."""
    one = sums.products
    if isinstance(one, BySigma):
        assert chain.before is not None
        return _rest(one.first, chain.before, which, known, c)
    p, groups, width = one.own_rest.shape
    by_column = np.moveaxis(one.own_rest, 0, 1).reshape(groups * p, width)
    rest = one.with_left @ known
    rest += by_column[:, :-1] @ c.T
    return np.asarray(by_column[:, -1:] - rest).reshape(groups, p, len(c))


def _rest(level: Level, out: LevelOut, which: IntArray, known: FloatArray, c: FloatArray) -> FloatArray:
    """Return what the response leaves to the columns of a later factor, (G, p, S)."""
    rest = out.rest[:, :, -1, which] - np.einsum("gpks,sk->gps", out.rest[:, :, :-1, which], c)
    explained = out.beside[:, :, which] * known[level.columns, None]
    explained = level.sum_groups @ explained.reshape(len(explained), rest[0].size)
    return np.asarray(rest - explained.reshape(rest.shape))


def _remaining(lower: FloatArray, times: IntArray, noise: FloatArray) -> FloatArray:
    """Return draws of the coefficients that remain, `times` for each point, from standard normal numbers (S, n)."""
    n, out, start = noise.shape[1], np.empty_like(noise), 0
    if n + 1 < LARGE:
        root = np.swapaxes(np.tril(lower[:, :n, :n]), 1, 2)
        right = np.repeat(lower[:, n, :n], times, axis=0) + noise
        return np.asarray(np.linalg.solve(np.repeat(root, times, axis=0), right[:, :, None])[:, :, 0])
    for own, count in zip(lower, times, strict=True):
        some = slice(start, start := start + count)
        right = np.column_stack(
            [noise[some], np.full(count, -own[n, n])]
        )  # so that -1 times the row of y is added
        solved, _ = scipy.linalg.lapack.dtrtrs(own.T, right.T, overwrite_b=1)
        out[some] = solved[:n].T
    return out


def _own(
    first: TakenOut, which: IntArray, rest: FloatArray, square: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Return v (S, G, p) of a factor taken out, from what the response leaves to its columns (G, p, S).

    `which` has the point of each draw (S,), and `square` the square of its sigma.
    """
    groups, p, count = rest.shape
    rest *= 1 / square
    rests = [np.ascontiguousarray(rest[:, a].T) for a in range(p)]
    half = [[one[which] for one in row] for row in first.half]
    lower = [[one[which] for one in row] for row in first.lower]
    out = rng.standard_normal((count, groups, p))
    for i in reversed(range(p)):
        mine = out[:, :, i]
        for a in range(p):
            mine += half[i][a] * rests[a]
        for j in range(i + 1, p):
            mine -= lower[j][i] * out[:, :, j]
        mine /= lower[i][i]
    return out


def _times(root: FloatArray, v: FloatArray) -> FloatArray:
    """Return D v (S, G, p) from D (S, 1 or G, p, p)."""
    out = root[:, :, :, 0] * v[:, :, :1]
    for j in range(1, v.shape[2]):
        out += root[:, :, :, j] * v[:, :, j, None]
    return np.asarray(out)
