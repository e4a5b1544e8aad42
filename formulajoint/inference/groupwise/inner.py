"""The mode of each group's coefficients at each point psi, by Newton's method, pair by pair.

A step is damped so that no linear predictor moves further than ``|A'''| <= A''`` allows (Sun & Tran-Dinh, Mathematical
Programming 2019): no line search. A pair of group and point stops when its own decrement is small, so that its value
does not depend on the other pairs. Coefficients are b = m + D u with u ~ N(0, 1), m the mean of b.

Shapes: n cells, p columns, G groups, S points. Arrays are (n, G, S) or (G, S), or have 1 in place of G or S.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.families.affine import Convex
from formulajoint.inference.groupwise.cells import Batch
from formulajoint.inference.groupwise.model import Model

MOST_STEPS = 100

FEW = 0.5
"""Pairs that have not stopped go on by themselves once they are fewer than this share of all."""

CLOSE = 0.5
"""Up to this move of all linear predictors a step is taken whole."""


class At(NamedTuple):
    """Parameters psi at S points: phi (S, cells), theta (S, t), D (S, p, p), the family's further parameter (S,)."""

    values: FloatArray
    theta: FloatArray
    root: FloatArray
    further: FloatArray

    def of(self, points: slice) -> At:
        """Return some of the points."""
        return At(*(each[points] for each in self))


def at_points(model: Model, points: FloatArray) -> At:
    """Return the parameters at points psi (S, d)."""
    values, theta = model.parts(points)
    return At(values, theta, model.structure.root(values), model.further(values))


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Some groups at some points.

    Attributes
    ----------
    start : (n, G, S) array
        e at u = 0.
    loads : list of p (n, G, S or 1) arrays
        The derivative of e by each u.
    linear, convex : (n, G, S or 1) arrays
        a and c.
    curve : Convex
        A.
    mean : list of p (G or 1, S or 1) arrays
        m.
    root : list of lists of (G or 1, S or 1) arrays
        The rows of D, up to the diagonal.
    gamma : (k, S) array
    """

    start: FloatArray
    loads: list[FloatArray]
    linear: FloatArray
    convex: FloatArray
    curve: Convex
    mean: list[FloatArray]
    root: list[list[FloatArray]]
    gamma: FloatArray

    @property
    def shape(self) -> tuple[int, int]:
        """G and S."""
        _, groups, points = self.start.shape
        return groups, points

    def predictor(self, u: list[FloatArray]) -> FloatArray:
        """Return e (n, G, S)."""
        out = self.start.copy()
        for load, each in zip(self.loads, u, strict=True):
            out += load * each
        return out

    def height(self, u: list[FloatArray]) -> FloatArray:
        """Return the log density of rows and u (G, S), without constants."""
        e = self.predictor(u)
        out = _summed(self.linear, e) - _summed(self.convex, self.curve.value(e))
        for each in u:
            out = out - 0.5 * each**2
        return out

    def pairs(self, at: IntArray) -> Block:
        """Return F of the pairs of a group and a point, numbered as G S in a row, as one group at F points."""
        points = self.shape[1]
        group, point = at // points, at % points

        def taken(values: FloatArray) -> FloatArray:
            which = at if values.shape[2] == points else group
            return values.reshape(len(values), -1)[:, None, which]

        def spread(values: FloatArray) -> FloatArray:
            wide, long = values.shape
            return values[group if wide > 1 else 0 * group, point if long > 1 else 0 * point][None]

        return Block(
            taken(self.start),
            [taken(load) for load in self.loads],
            taken(self.linear),
            taken(self.convex),
            self.curve,
            [spread(each) for each in self.mean],
            [[spread(each) for each in row] for row in self.root],
            self.gamma[:, point],
        )


def _summed(one: FloatArray, two: FloatArray) -> FloatArray:
    """Return the sum over cells of a product."""
    if one.shape[2] == 1 and two.shape[2] > 1:
        return np.asarray(np.einsum("ng,ngs->gs", one[:, :, 0], two))
    return np.asarray(np.einsum("ngs,ngs->gs", one, two))


def block_of(model: Model, batch: Batch, at: At) -> Block:
    """Return the groups of a batch at points psi."""
    structure, affine = model.structure, model.affine
    p, k = len(batch.own), len(batch.shared)
    start = batch.offset[:, :, None] + np.zeros(len(at.values))
    if affine.shift is not None:
        start -= affine.shift(at.further)
    mean: list[FloatArray] = []
    for j in range(p):
        place = structure.theta_of_column[j]
        pooled = at.theta[None, :, place] if place >= 0 else structure.base[j] + batch.mean[j][:, None]
        mean.append(pooled)
        start += batch.own[j][:, :, None] * pooled
    gamma = at.theta[:, at.theta.shape[1] - k :].T
    for j in range(k):
        start += batch.shared[j][:, :, None] * gamma[j]
    pattern = structure.pattern()
    root = [[np.zeros((1, 1))] * (j + 1) for j in range(p)]
    loads = []
    for a in range(p):
        if np.any(structure.fixed[a]):
            root[a][a] = batch.fixed[a][:, None]
            loads.append(batch.own[a][:, :, None] * root[a][a])
            continue
        load = np.zeros(1)
        for b in pattern[a]:
            root[b][a] = at.root[None, :, b, a]
            load = load + batch.own[b][:, :, None] * root[b][a]
        loads.append(load)
    counts = batch.counts

    def count(fixed: FloatArray, scaled: FloatArray) -> FloatArray:
        return fixed[:, :, None] + scaled[:, :, None] * at.further if np.any(scaled) else fixed[:, :, None]

    linear, convex = count(counts.a0, counts.a1), count(counts.c0, counts.c1)
    return Block(start, loads, linear, convex, affine.convex, mean, root, gamma)


@dataclass(frozen=True, slots=True, eq=False)
class Modes:
    """Where Newton's method stopped.

    Attributes
    ----------
    u : list of p (G, S) arrays
        The last point at which derivatives were computed.
    step : list of p (G, S) arrays
        From there to the mode.
    curvature : list of lists of (G, S) arrays
        Lower Cholesky factor of minus the Hessian there, row by row.
    decrement : (G, S) array
        The square of the step's length, in posterior sds.
    converged : (G, S) bool array
        False, too, where a density is zero or not finite.
    """

    u: list[FloatArray]
    step: list[FloatArray]
    curvature: list[list[FloatArray]]
    decrement: FloatArray
    converged: NDArray[np.bool_]

    @property
    def centre(self) -> list[FloatArray]:
        """The modes."""
        return [u + step for u, step in zip(self.u, self.step, strict=True)]

    @property
    def log_width(self) -> FloatArray:
        """The log of the determinant of the inverse curvature's root (G, S)."""
        out = np.zeros(self.decrement.shape)
        for j, row in enumerate(self.curvature):
            out = out - np.log(row[j])
        return out

    def away(self, t: list[FloatArray] | FloatArray) -> list[FloatArray]:
        """Return the modes plus ``C^-T t``, for p arrays t in posterior sds."""
        moved = backward(self.curvature, list(t))
        return [centre + each for centre, each in zip(self.centre, moved, strict=True)]

    def put(self, at: IntArray, some: Modes) -> None:
        """Take the modes of F pairs from those of these pairs alone."""

        def replaced(own: FloatArray, new: FloatArray) -> None:
            own.reshape(-1)[at] = new.reshape(-1)

        for own, new in zip([*self.u, *self.step], [*some.u, *some.step], strict=True):
            replaced(own, new)
        for row, others in zip(self.curvature, some.curvature, strict=True):
            for own, new in zip(row, others, strict=True):
                replaced(own, new)
        replaced(self.decrement, some.decrement)
        self.converged.reshape(-1)[at] = some.converged.reshape(-1)


def find_modes(block: Block, tolerance: float, start: list[FloatArray], steps: int = MOST_STEPS) -> Modes:
    """Return the modes of all pairs, from a start u; a pair stops at a decrement below `tolerance`."""
    p, shape, u = len(block.loads), block.shape, start
    if p == 0:
        return Modes([], [], [], np.zeros(shape), np.ones(shape, dtype=bool))
    for step_ in range(steps):
        slope, bend = block.curve.slopes(block.predictor(u))
        away, weight = block.linear - block.convex * slope, block.convex * bend
        gradient = [_summed(load, away) - each for load, each in zip(block.loads, u, strict=True)]
        curvature = cholesky(
            [
                [_summed(block.loads[j], weight * block.loads[i]) + (i == j) for j in range(i + 1)]
                for i in range(p)
            ]
        )
        white = forward(curvature, gradient)
        decrement = sum((each**2 for each in white), np.zeros(shape))
        step = backward(curvature, white)
        converged = decrement < tolerance**2
        going = ~converged & np.isfinite(decrement)
        left = int(np.count_nonzero(going))
        if not left or step_ == steps - 1:
            break
        moves = sum((load * each for load, each in zip(block.loads, step, strict=True)), np.zeros(1))
        reach = np.max(abs(moves), axis=0)
        factor = np.where(reach <= CLOSE, 1.0, np.log1p(reach) / np.maximum(reach, CLOSE))
        factor = np.where(going, factor, 0.0)
        moved = [each + factor * np.where(going, move, 0.0) for each, move in zip(u, step, strict=True)]
        if left < FEW * going.size:
            at = np.flatnonzero(going)
            out = Modes(u, step, curvature, decrement, converged)
            some = [each.reshape(1, -1)[:, at] for each in moved]
            out.put(at, find_modes(block.pairs(at), tolerance, some, steps - step_ - 1))
            return out
        u = moved
    return Modes(u, step, curvature, decrement, converged)


def cholesky(matrix: list[list[FloatArray]]) -> list[list[FloatArray]]:
    """Return the lower Cholesky factors of small matrices, given row by row up to the diagonal."""
    out: list[list[FloatArray]] = []
    for i, row in enumerate(matrix):
        made: list[FloatArray] = []
        for j in range(i + 1):
            other = made if j == i else out[j]
            left = row[j]
            for k in range(j):
                left = left - made[k] * other[k]
            made.append(np.sqrt(left) if i == j else left / out[j][j])
        out.append(made)
    return out


def forward(root: list[list[FloatArray]], right: list[FloatArray]) -> list[FloatArray]:
    """Return the solution of C x = right."""
    out: list[FloatArray] = []
    for i, row in enumerate(root):
        left = right[i]
        for k in range(i):
            left = left - row[k] * out[k]
        out.append(left / row[i])
    return out


def backward(root: list[list[FloatArray]], right: list[FloatArray]) -> list[FloatArray]:
    """Return the solution of C' x = right."""
    out = list(right)
    for i in reversed(range(len(root))):
        for k in range(i + 1, len(root)):
            out[i] = out[i] - root[k][i] * out[k]
        out[i] = out[i] / root[i][i]
    return out
