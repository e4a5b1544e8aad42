"""The mode of each group's coefficients at each point psi, by Newton's method, pair by pair.

Of an affine family a step is damped so that no linear predictor moves further than ``|A'''| <= A''`` allows (Sun &
Tran-Dinh, Mathematical Programming 2019): no line search. Of a smooth family a step that does not climb is shortened,
and where the density is not concave its curvature is that of the rows where it is. A pair of group and point stops when
its own decrement is small, so that its value does not depend on the other pairs.

Only arithmetic of the array API standard is used, but by NumPy: there pairs that have not stopped go on by themselves,
elsewhere all go on, and those that have stopped stay where they are.

Shapes: n cells, p columns, G groups, S points. Arrays are (n, G, S) or (G, S), or have 1 in place of G or S.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from formulajoint.arrays import Array, FloatArray, IntArray
from formulajoint.inference.groupwise.block import Block
from formulajoint.inference.groupwise.densities import Smoothly
from formulajoint.inference.groupwise.triangles import backward, forward
from formulajoint.inference.latent.device import NUMPY, Device

MOST_STEPS, MORE_STEPS = 100, 50
"""Most steps from a start that is expected to be near, and from the middle of the prior where these find no mode."""

FEW = 0.5
"""By NumPy pairs that have not stopped go on by themselves once they are fewer than this share of all."""

CLOSE = 0.5
"""Up to this move of all linear predictors a step is taken whole."""

SHORTER = 0.25
"""A step that does not climb is multiplied by this."""

SLACK = 1e-9
"""A step climbs if it loses no more than this share of the log density, which rounding may take."""


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
    device : Device
    """

    u: list[Array]
    step: list[Array]
    curvature: list[list[Array]]
    decrement: Array
    converged: Array
    device: Device = NUMPY

    @property
    def centre(self) -> list[Array]:
        """The modes."""
        return [u + step for u, step in zip(self.u, self.step, strict=True)]

    @property
    def log_width(self) -> Array:
        """The log of the determinant of the inverse curvature's root (G, S)."""
        out = self.device.zeros(self.decrement.shape)
        for j, row in enumerate(self.curvature):
            out = out - self.device.xp.log(row[j])
        return out

    def away(self, t: Sequence[Array | float]) -> list[Array]:
        """Return the modes plus ``C^-T t``, for p arrays or numbers t in posterior sds."""
        moved = backward(self.curvature, list(t))
        return [centre + each for centre, each in zip(self.centre, moved, strict=True)]

    def put(self, at: IntArray, some: Modes) -> None:
        """Take the modes of F pairs from those of these pairs alone. By NumPy alone."""

        def replaced(own: FloatArray, new: FloatArray) -> None:
            own.reshape(-1)[at] = new.reshape(-1)

        for own, new in zip([*self.u, *self.step], [*some.u, *some.step], strict=True):
            replaced(own, new)
        for row, others in zip(self.curvature, some.curvature, strict=True):
            for own, new in zip(row, others, strict=True):
                replaced(own, new)
        replaced(self.decrement, some.decrement)
        self.converged.reshape(-1)[at] = some.converged.reshape(-1)


def find_modes(block: Block, tolerance: float, start: list[Array]) -> Modes:
    """Return the modes of all pairs, from a start u; a pair stops at a decrement below `tolerance`.

    Of a smooth family a start may be where steps hardly gain: such pairs start again from the middle of the prior.
    """
    device = block.device
    if not block.loads:
        decrement = device.zeros(block.shape)
        return Modes([], [], [], decrement, decrement == device.zeros((1, 1)), device)
    found = _sought(block, tolerance, start, MOST_STEPS)
    if isinstance(block.density, Smoothly) and not np.all(found.converged):
        lost = np.flatnonzero(~found.converged)
        middle = [np.zeros((1, len(lost))) for _ in start]
        found.put(lost, _sought(block.pairs(lost), tolerance, middle, MORE_STEPS))
    return found


def _sought(block: Block, tolerance: float, start: list[Array], steps: int) -> Modes:
    device, xp, u = block.device, block.device.xp, start
    none = device.zeros((1, 1))
    if isinstance(block.density, Smoothly):
        with np.errstate(all="ignore"):
            return _climbed(block, block.density, tolerance, _Climb.begun(start), steps)
    for step_ in range(steps):
        away, weight = block.density.slopes(block.predictor(u))
        gradient, curvature = block.gradient(away, u), block.curvature(weight)
        white = forward(curvature, gradient)
        decrement = sum(each**2 for each in white)
        step = backward(curvature, white)
        converged = decrement < tolerance**2
        going = ~converged & xp.isfinite(decrement)
        out = Modes(u, step, curvature, decrement, converged, device)
        if step_ == steps - 1 or not xp.any(going):
            break
        moves = sum(load * each for load, each in zip(block.loads, step, strict=True))
        factor = xp.where(going, _damped(xp.max(abs(moves), axis=0), none, xp), none)
        moved = [each + factor * xp.where(going, move, none) for each, move in zip(u, step, strict=True)]
        if device is NUMPY and np.count_nonzero(going) < FEW * going.size:
            at = np.flatnonzero(going)
            some = [each.reshape(1, -1)[:, at] for each in moved]
            out.put(at, _sought(block.pairs(at), tolerance, some, steps - step_ - 1))
            break
        u = moved
    return out


def _damped(reach: Array, none: Array, xp: Any) -> Array:
    """Return the part of a step to take that moves linear predictors by up to `reach`; `none` is zero."""
    return xp.where(reach <= CLOSE, none + 1.0, xp.log1p(reach) / xp.maximum(reach, none + CLOSE))


@dataclass(slots=True, eq=False)
class _Climb:
    """The highest point of each pair so far, with its derivatives; arrays (G, S)."""

    u: list[FloatArray]
    height: FloatArray
    step: list[FloatArray]
    factor: FloatArray
    curvature: list[list[FloatArray]]
    decrement: FloatArray

    @classmethod
    def begun(cls, start: list[FloatArray]) -> _Climb:
        """Return the start (G, S), where nothing is known."""
        p, shape = len(start), start[0].shape
        nan = np.full(shape, np.nan)
        root = [[nan] * (i + 1) for i in range(p)]
        low, far = np.full(shape, -np.inf), np.full(shape, np.inf)
        return cls(start, low, [np.zeros(shape)] * p, np.ones(shape), root, far)

    def pairs(self, at: IntArray) -> _Climb:
        """Return F of the pairs, numbered as G S in a row, as one group at F points."""

        def taken(values: FloatArray) -> FloatArray:
            return values.reshape(1, -1)[:, at]

        return _Climb(
            list(map(taken, self.u)),
            taken(self.height),
            list(map(taken, self.step)),
            taken(self.factor),
            [list(map(taken, row)) for row in self.curvature],
            taken(self.decrement),
        )

    def modes(self, tolerance: float) -> Modes:
        """Return where the climb has come."""
        return Modes(self.u, self.step, self.curvature, self.decrement, self.decrement < tolerance**2)

    def tried(self) -> list[FloatArray]:
        """Return the points to look at."""
        return [each + self.factor * step for each, step in zip(self.u, self.step, strict=True)]

    def take(self, block: Block, density: Smoothly, u: list[FloatArray]) -> None:
        """Move where u is higher, with derivatives there; shorten the step elsewhere."""
        total, away, weight = density.look(block.predictor(u))
        height = block.less(total, u)
        up = np.isfinite(height) & (height >= self.height - SLACK * abs(self.height))
        curvature = block.curvature(weight)
        if np.any(lost := ~np.isfinite(curvature[-1][-1])):
            safe = abs(weight) if any(block.flat) else np.maximum(weight, 0.0)  # no prior adds to it
            other = block.curvature(safe)
            curvature = [
                [np.where(lost, safe, each) for safe, each in zip(*rows, strict=True)]
                for rows in zip(other, curvature, strict=True)
            ]
        white = forward(curvature, block.gradient(away, u))
        decrement = sum((each**2 for each in white), np.zeros(block.shape))
        up &= np.isfinite(decrement)

        def kept(new: FloatArray, old: FloatArray) -> FloatArray:
            return np.where(up, new, old)

        self.u = [kept(*both) for both in zip(u, self.u, strict=True)]
        self.step = [kept(*both) for both in zip(backward(curvature, white), self.step, strict=True)]
        self.curvature = [
            [kept(*both) for both in zip(*rows, strict=True)]
            for rows in zip(curvature, self.curvature, strict=True)
        ]
        self.height, self.decrement = kept(height, self.height), kept(decrement, self.decrement)
        self.factor = np.where(up, 1.0, SHORTER * self.factor)


def _climbed(block: Block, density: Smoothly, tolerance: float, at: _Climb, steps: int) -> Modes:
    """Return the modes of all pairs of a smooth family."""
    for step_ in range(steps):
        at.take(block, density, at.tried())
        going = ~(at.decrement < tolerance**2) & np.isfinite(at.height)
        left = int(np.count_nonzero(going))
        if not left:
            break
        if left < FEW * going.size and step_ < steps - 1:
            some, out = np.flatnonzero(going), at.modes(tolerance)
            one = block.pairs(some)
            assert isinstance(one.density, Smoothly)
            out.put(some, _climbed(one, one.density, tolerance, at.pairs(some), steps - step_ - 1))
            return out
    return at.modes(tolerance)
