"""Draws of the groups' coefficients given psi, exactly, by rejection from t distributions about their modes.

The ratio of density and proposal is bounded for each group by the largest of some tries. Where ratios exceed the bound
too often or by too much, it is raised and all draws of that group are made again. Where few tries would be accepted, as
in a group whose events are separated, the t distribution is about the mean, and some proposals are from the prior,
which has the tail of the density.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import lgamma, log, pi

import numpy as np
from numpy.typing import NDArray

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.errors import InferenceError
from formulajoint.inference.groupwise.all_rows import distances
from formulajoint.inference.groupwise.block import At, Block, at_points, block_of
from formulajoint.inference.groupwise.cells import MOST_NUMBERS, Batch, blocks
from formulajoint.inference.groupwise.forecast import Forecast, Parabola
from formulajoint.inference.groupwise.inner import find_modes
from formulajoint.inference.groupwise.marginal import NOT_FOUND, tolerance
from formulajoint.inference.groupwise.model import Model
from formulajoint.inference.groupwise.moments import moments_of
from formulajoint.inference.groupwise.rules import NODES
from formulajoint.inference.groupwise.triangles import backward

DF, WIDER = 8.0, 1.1
"""Degrees of freedom and width of the proposal, in posterior sds by the curvature."""

TRIED, TRIES, ABOVE = 64, 8, 0.05
"""Draws of psi and tries at each from which the bound is taken, and how far above the largest it is."""

PRIOR, SELDOM = 0.2, 0.4
"""A group is skewed if less than the second share of tries would be accepted; then the first share of proposals is from
the prior."""

MOST_EXCESS = 1e-3
"""A bound is raised if ratios exceed it by more than this on average: draws are off by less, in total variation."""

MOST_ROUNDS, MOST_RAISED = 500, 40

FULL, MOST_TRIES = 4, 16
"""Pairs without an accepted try get several tries at once: together a quarter of the tries of the first round, and at
most 16 each."""

LOG_T = tuple(
    lgamma((DF + p) / 2) - lgamma(DF / 2) - 0.5 * p * log(DF * pi) - p * log(WIDER)
    for p in range(max(NODES) + 1)
)
"""The log of the t distribution's density at its mode, in posterior sds, by the number of columns."""

STUCK = "Coefficients of some groups could not be drawn given the rest."


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs of a group and a point: all G S of a block.

    Attributes
    ----------
    block : Block
    centre : list of p (G, S) arrays
        Of the t distribution.
    root : list of lists of (G, S) arrays
        Lower Cholesky factor of the inverse of its scale matrix, without `WIDER`.
    base : (G, S) array
        The log of the integral of the density, about.
    prior : bool
        Whether some proposals are from the prior.
    """

    block: Block
    centre: list[FloatArray]
    root: list[list[FloatArray]]
    base: FloatArray
    prior: bool

    def of(self, at: IntArray) -> Pairs:
        """Return F of the pairs, numbered as G S in a row, as one group at F points."""

        def taken(values: FloatArray) -> FloatArray:
            return values.reshape(-1)[at][None]

        centre, root = list(map(taken, self.centre)), [list(map(taken, row)) for row in self.root]
        return Pairs(self.block.pairs(at), centre, root, taken(self.base), self.prior)

    def tried(self, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Return a proposal u for each pair (p, G, S), and the logs of density over proposal (G, S)."""
        p, shape, root = len(self.centre), self.base.shape, self.root
        t = rng.standard_normal((p, *shape)) * np.sqrt(DF / rng.chisquare(DF, shape))
        u = np.array(backward(root, list(WIDER * t))) + self.centre
        if self.prior:
            own = rng.random(shape) < PRIOR
            u[:, own] = rng.standard_normal((p, np.count_nonzero(own)))
            for j in range(p):
                t[j][own] = sum((root[i][j] * (u[i] - self.centre[i]))[own] for i in range(j, p)) / WIDER
        logs = LOG_T[p] + sum(np.log(root[j][j]) for j in range(p))
        logs = logs - 0.5 * (DF + p) * np.log1p(np.sum(t**2, axis=0) / DF)
        if self.prior:
            log_prior = -0.5 * np.sum(u**2, axis=0) - 0.5 * p * log(2 * pi)
            logs = np.logaddexp(log(1 - PRIOR) + logs, log(PRIOR) + log_prior)
        return u, self.block.height(list(u)) - self.base - logs


def draw_coefficients(
    forecast: Forecast, whole: Model, points: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Return coefficients (S, p, G) given psi (S, d).

    Where cells stand for rows, draws of a group are by the cells if, at some draws, the distribution by all rows is no
    further away, in total variation, than `MOST_EXCESS`, to which draws are exact anyway; else they are by all rows.

    Parameters
    ----------
    forecast : Forecast
        Perhaps with cells in place of rows.
    whole : Model
        With all rows.
    points : (S, d) array
    rng : Generator

    Raises
    ------
    InferenceError
        If a mode is not found, or a bound keeps growing.
    """
    model = forecast.model
    at, p = at_points(model, points), len(model.structure.base)
    out = np.empty((len(points), p, model.structure.groups))
    if p == 0:
        return out
    close = tolerance(model.structure.groups)
    tried = np.unique(np.linspace(0, len(points) - 1, TRIED).astype(int))
    for batch, rows, expected in zip(model.batches, whole.batches, forecast.parabolas, strict=True):
        _OfBatch(model, batch, expected, at, close, rng).every(np.arange(len(batch.members)), tried, out)
        if rows is not batch:
            first = [int(members[0]) for members in batch.members]
            off = distances(batch, rows, model, at.of(tried), out[tried][:, :, first])
            far = np.flatnonzero(~(off <= MOST_EXCESS))
            if len(far):
                _OfBatch(whole, rows, expected, at, close, rng).every(far, tried, out)
    return out


@dataclass(frozen=True, slots=True, eq=False)
class _OfBatch:
    """The coefficients of a batch of groups."""

    model: Model
    batch: Batch
    expected: Parabola
    at: At
    close: float
    rng: np.random.Generator

    def every(self, groups: IntArray, tried: IntArray, out: FloatArray) -> None:
        """Draw the coefficients of some groups at all points into `out`, with bounds from some of the points."""
        bound, skewed = self.bound(groups, tried)
        for which in (False, True):
            left = groups[skewed[groups] == which]
            for _ in range(MOST_RAISED):
                if not len(left):
                    break
                left = self.draw(left, bound, which, out)
            else:
                raise InferenceError(STUCK)

    def pairs(self, groups: IntArray, at: At, skewed: bool) -> Pairs:
        """Return some groups at some points, with proposals for densities that are `skewed` or not."""
        block = block_of(self.model, self.batch.of(groups), at)
        modes = find_modes(block, self.close, self.expected.start(block, groups))
        if not np.all(modes.converged):
            raise InferenceError(NOT_FOUND)
        if skewed:
            return Pairs(block, *moments_of(block, modes), prior=not any(block.flat))
        base = block.height(modes.u) + 0.5 * modes.decrement + modes.log_width
        return Pairs(block, modes.centre, modes.curvature, base, prior=False)

    def bound(self, groups: IntArray, tried: IntArray) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Return the log of a bound of density over proposal for some groups, from tries at some of the points.

        Also return which groups are taken as skewed; both (G,), with values for these groups.
        """
        out, skewed = np.full(len(self.batch.members), np.inf), np.zeros(len(self.batch.members), dtype=bool)
        ratios = self.ratios(tried, groups, False)
        out[groups] = np.max(ratios, axis=1)
        skewed[groups] = np.mean(np.exp(ratios - out[groups, None]), axis=1) < SELDOM
        if np.any(skewed):
            out[skewed] = np.max(self.ratios(tried, np.flatnonzero(skewed), True), axis=1)
        return out + ABOVE, skewed

    def ratios(self, tried: IntArray, chosen: IntArray, skewed: bool) -> FloatArray:
        """Return the logs of density over proposal for some groups at tries at some of the points (G, tries)."""
        part, at = self.batch.of(chosen), self.at.of(tried)
        out = np.empty((len(chosen), len(tried), TRIES))
        for groups, some in blocks(part, len(tried)):
            pairs = self.pairs(chosen[groups], at.of(some), skewed)
            every = np.repeat(np.arange(np.prod(pairs.block.shape)), TRIES)
            out[groups, some] = pairs.of(every).tried(self.rng)[1].reshape(len(groups), -1, TRIES)
        return out.reshape(len(chosen), -1)

    def draw(self, chosen: IntArray, bound: FloatArray, skewed: bool, out: FloatArray) -> IntArray:
        """Draw coefficients of some groups into `out`; return the groups whose bound was too low, and is now raised."""
        part, seen = self.batch.of(chosen), Seen.none(len(chosen))
        for groups, some in blocks(part, len(self.at.values)):
            pairs, own = self.pairs(chosen[groups], self.at.of(some), skewed), part.of(groups)
            points = pairs.block.shape[1]
            pair, member = _every_member(own.members, points)
            top = bound[chosen[groups]]
            size = max(MOST_NUMBERS * 4 // own.cells, 1)
            for first in range(0, len(pair), size):
                here = pair[first : first + size]
                each = pairs if len(here) == pairs.base.size else pairs.of(here)
                u = _accepted(each, top[here // points], seen, groups[here // points], self.rng)
                b = _coefficients(each.block, u)
                out[some.start + here % points, :, member[first : first + size]] = b.T
        low = seen.excess > MOST_EXCESS * seen.tries
        bound[chosen[low]] += seen.largest[low] + ABOVE
        return chosen[low]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What tries say of the bounds of groups; each (G,).

    Attributes
    ----------
    largest : array
        How far the log of a ratio was above the bound.
    excess : array
        The sum of ratios over the bound, less one, where they are above it.
    tries : array
    """

    largest: FloatArray
    excess: FloatArray
    tries: FloatArray

    @classmethod
    def none(cls, groups: int) -> Seen:
        """Return nothing seen."""
        return cls(*np.zeros((3, groups)))

    def add(self, groups: IntArray, above: FloatArray) -> None:
        """Add tries, with logs of ratio over bound."""
        self.tries[:] += np.bincount(groups, minlength=len(self.tries))
        high = above > 0
        np.maximum.at(self.largest, groups[high], above[high])
        np.add.at(self.excess, groups[high], np.expm1(above[high]))


def _every_member(members: Sequence[IntArray], points: int) -> tuple[IntArray, IntArray]:
    """Return the pair of each draw, and the group of the data that it is for."""
    group = np.repeat(np.arange(len(members)), [len(each) for each in members])
    pair = (group[:, None] * points + np.arange(points)).reshape(-1)
    return pair, np.repeat(np.concatenate(members), points)


def _accepted(
    pairs: Pairs, top: FloatArray, seen: Seen, groups: IntArray, rng: np.random.Generator
) -> FloatArray:
    """Return accepted u (p, F) for F pairs, whose groups have bounds `top` (F,)."""
    count = len(top)
    out, left, tries = np.empty((len(pairs.centre), count)), np.arange(count), 1
    for _ in range(MOST_ROUNDS):
        u, ratios = pairs.tried(rng)
        above = ratios.reshape(-1, tries) - top[left, None]
        seen.add(np.repeat(groups[left], tries), above.reshape(-1))
        good = np.log(rng.random(above.shape)) < above
        first, done = np.argmax(good, axis=1), np.any(good, axis=1)
        out[:, left[done]] = u.reshape(len(u), *above.shape)[:, done, first[done]]
        if np.all(done):
            return out
        still = np.flatnonzero(~done)
        left, before = left[still], tries
        tries = min(max(count // (FULL * len(left)), 1), MOST_TRIES)
        pairs = pairs.of(np.repeat(still * before, tries))
    raise InferenceError(STUCK)


def _coefficients(block: Block, u: FloatArray) -> FloatArray:
    """Return b = m + D u (p, F) for the F pairs of a block."""
    out = np.empty((len(u), *block.shape))
    each = u.reshape(out.shape)
    for i, row in enumerate(block.root):
        out[i] = block.mean[i]
        for a, load in enumerate(row):
            out[i] += load * each[a]
    return out.reshape(u.shape)
