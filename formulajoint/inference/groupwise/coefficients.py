"""Draws of the groups' coefficients given psi, exactly, by rejection from t distributions about their modes.

The ratio of density and proposal is bounded for each group by the largest of some tries. Where a draw shows that the
bound is too low, it is raised and all draws of that group are made again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.errors import InferenceError
from formulajoint.inference.groupwise.cells import MOST_NUMBERS, Batch, blocks
from formulajoint.inference.groupwise.forecast import Forecast, Parabola
from formulajoint.inference.groupwise.inner import At, Block, Modes, at_points, backward, block_of, find_modes
from formulajoint.inference.groupwise.marginal import tolerance
from formulajoint.inference.groupwise.model import Model

DF, WIDER = 8.0, 1.1
"""Degrees of freedom and width of the proposal, in posterior sds by the curvature."""

TRIED, TRIES, ABOVE = 64, 8, 0.05
"""Draws of psi and tries at each from which the bound is taken, and how far above the largest it is."""

MOST_ROUNDS, MOST_RAISED = 500, 40

STUCK = "Coefficients of some groups could not be drawn given the rest."


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs of a group and a point, all in a row: F of them, of the G S pairs of a block."""

    block: Block
    modes: Modes
    heights: FloatArray

    def tried(self, at: IntArray, rng: np.random.Generator) -> tuple[list[FloatArray], FloatArray]:
        """Return proposals u, p arrays (F,), for pairs, and the logs of density over proposal (F,)."""
        p = len(self.modes.u)
        t = rng.standard_normal((p, len(at))) * np.sqrt(DF / rng.chisquare(DF, len(at)))
        root = [[_flat(each, at) for each in row] for row in self.modes.curvature]
        moved = backward(root, list(WIDER * t))
        u = [_flat(centre, at) + each for centre, each in zip(self.modes.centre, moved, strict=True)]
        height = self.block.pairs(at).height([each[None] for each in u])[0]
        return u, height - _flat(self.heights, at) + 0.5 * (DF + p) * np.log1p(np.sum(t**2, axis=0) / DF)


def _flat(values: FloatArray, at: IntArray) -> FloatArray:
    return values.reshape(-1)[at]


def draw_coefficients(forecast: Forecast, points: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return coefficients (S, p, G) given psi (S, d).

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
    for batch, expected in zip(model.batches, forecast.parabolas, strict=True):
        of = _OfBatch(model, batch, expected, at, close, rng)
        bound, left = of.bound(tried), np.arange(len(batch.members))
        for _ in range(MOST_RAISED):
            left = of.draw(left, bound, out)
            if not len(left):
                break
        else:
            raise InferenceError(STUCK)
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

    def pairs(self, groups: IntArray, at: At) -> Pairs:
        """Return the modes of some groups at some points."""
        block = block_of(self.model, self.batch.of(groups), at)
        modes = find_modes(block, self.close, self.expected.start(block, groups))
        if not np.all(modes.converged):
            raise InferenceError("Newton's method did not find the mode of some group's coefficients.")
        return Pairs(block, modes, block.height(modes.u) + 0.5 * modes.decrement)

    def bound(self, tried: IntArray) -> FloatArray:
        """Return the log of a bound of density over proposal for each group (G,), from tries at some of the points."""
        out, at = np.full(len(self.batch.members), -np.inf), At(*(each[tried] for each in self.at))
        for groups, some in blocks(self.batch, len(tried)):
            pairs = self.pairs(groups, at.of(some))
            every = np.tile(np.arange(np.prod(pairs.block.shape)), TRIES)
            ratios = pairs.tried(every, self.rng)[1].reshape(TRIES, len(groups), -1)
            out[groups] = np.maximum(out[groups], np.max(ratios, axis=(0, 2)) + ABOVE)
        return out

    def draw(self, chosen: IntArray, bound: FloatArray, out: FloatArray) -> IntArray:
        """Draw coefficients of some groups into `out`; return the groups whose bound was too low, and is now raised."""
        part, raised = self.batch.of(chosen), np.zeros(len(chosen), dtype=bool)
        for groups, some in blocks(part, len(self.at.values)):
            pairs, own = self.pairs(chosen[groups], self.at.of(some)), part.of(groups)
            points = pairs.block.shape[1]
            pair, member = _every_member(own.members, points)
            top = bound[chosen[groups]]
            largest, size = top.copy(), max(MOST_NUMBERS * 4 // own.cells, 1)
            for first in range(0, len(pair), size):
                here = pair[first : first + size]
                u, ratios = _accepted(pairs, here, top[here // points], self.rng)
                np.maximum.at(largest, here // points, ratios)
                b = _coefficients(pairs, here, u)
                out[some.start + here % points, :, member[first : first + size]] = b.T
            bound[chosen[groups]] = np.where(largest > top, largest + ABOVE, top)
            raised[groups] |= largest > top
        return chosen[raised]


def _every_member(members: Sequence[IntArray], points: int) -> tuple[IntArray, IntArray]:
    """Return the pair of each draw, and the group of the data that it is for."""
    group = np.repeat(np.arange(len(members)), [len(each) for each in members])
    pair = (group[:, None] * points + np.arange(points)).reshape(-1)
    return pair, np.repeat(np.concatenate(members), points)


def _accepted(
    pairs: Pairs, at: IntArray, top: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Return accepted u (p, F) for pairs, and the largest log ratio that was seen at each (F,)."""
    out, largest = np.empty((len(pairs.modes.u), len(at))), np.full(len(at), -np.inf)
    left = np.arange(len(at))
    for _ in range(MOST_ROUNDS):
        u, ratios = pairs.tried(at[left], rng)
        largest[left] = np.fmax(largest[left], ratios)
        good = np.log(rng.random(len(left))) < ratios - top[left]
        out[:, left[good]] = np.array(u)[:, good]
        left = left[~good]
        if not len(left):
            return out, largest
    raise InferenceError(STUCK)


def _coefficients(pairs: Pairs, at: IntArray, u: FloatArray) -> FloatArray:
    """Return b = m + D u (p, F)."""
    block, out = pairs.block.pairs(at), np.empty(u.shape)
    for i, row in enumerate(block.root):
        out[i] = block.mean[i][0]
        for a, each in enumerate(row):
            out[i] += each[0] * u[a]
    return out
