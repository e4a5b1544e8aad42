"""Modes of a log density and the curvature there, by Newton's method on finite differences.

The density is computed at many points at once, so that the stencils of many starts cost little more than one point.
Shapes: M starts, n points, d coordinates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from formulajoint.arrays import FloatArray

type Target = Callable[[FloatArray], FloatArray]
"""Log density (n,) of points (n, d); values that are not finite count as zero density."""

MOST_STEPS = 60
ENOUGH = 1e-4
"""A climb ends with a step that gains less than this in log density."""

LONGEST = 2.0
"""Largest move of a coordinate in one step."""

WIDEST = 3.0
"""Largest sd that is used: where the density hardly bends, sampling finds its tails."""

LENGTHS = np.array([2.0, 1.0, 0.5, 0.25, 1 / 16, 1 / 256, 0.0])

APART = 1.0
"""Two modes nearer than this, in sds of the wider one, are the same."""


@dataclass(frozen=True, slots=True, eq=False)
class Modes:
    """Modes of a log density.

    Attributes
    ----------
    at : (M, d) array
    covariances : (M, d, d) array
        The inverse of the negative curvature there.
    heights : (M,) array
    """

    at: FloatArray
    covariances: FloatArray
    heights: FloatArray

    def chosen(self, which: FloatArray | list[int]) -> Modes:
        """Return some of the modes."""
        return Modes(self.at[which], self.covariances[which], self.heights[which])


def find_modes(target: Target, starts: FloatArray) -> Modes:
    """Return the mode reached from each start (M, d); the density must be above zero at the starts."""
    here, step = starts.copy(), np.full(starts.shape, 0.1)
    covariances = np.zeros((*starts.shape, starts.shape[1]))
    heights = np.full(len(starts), -np.inf)
    going = np.arange(len(starts))
    for _ in range(MOST_STEPS):
        middle, slope, bend = _differences(target, here[going], step[going])
        covariance = _inverse(bend, step[going])
        covariances[going] = covariance
        move = np.einsum("fij,fj->fi", covariance, slope)
        move *= np.minimum(1.0, LONGEST / np.maximum(np.max(abs(move), axis=1), 1e-300))[:, None]
        tried = here[going, None, :] + LENGTHS[None, :, None] * move[:, None, :]
        found = np.nan_to_num(_many(target, tried), nan=-np.inf)
        best = np.argmax(found, axis=1)
        row = np.arange(len(going))
        here[going], heights[going] = tried[row, best], found[row, best]
        wanted = np.minimum(0.5 * np.sqrt(np.diagonal(covariance, axis1=1, axis2=2)), 0.3)
        settled = np.all(abs(np.log(wanted / step[going])) < 1, axis=1)
        step[going] = wanted
        going = going[~(settled & (heights[going] - middle < ENOUGH))]
        if not len(going):
            break
    return Modes(here, covariances, heights)


def distinct(modes: Modes, depth: float) -> Modes:
    """Return the distinct modes, highest first, without those lower than the highest by more than `depth`."""
    kept: list[int] = []
    for each in np.argsort(-modes.heights):
        if not np.isfinite(modes.heights[each]) or (
            kept and modes.heights[each] < modes.heights[kept[0]] - depth
        ):
            break
        away = [modes.at[each] - modes.at[other] for other in kept]
        near = [
            min(float(x @ np.linalg.solve(modes.covariances[i], x)) for i in (each, other)) < APART**2
            for x, other in zip(away, kept, strict=True)
        ]
        if not any(near):
            kept.append(int(each))
    return modes.chosen(kept)


def _many(target: Target, points: FloatArray) -> FloatArray:
    """Return log densities (M, n) of points (M, n, d)."""
    return target(points.reshape(-1, points.shape[2])).reshape(points.shape[:2])


def _differences(
    target: Target, here: FloatArray, step: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return height (M,), gradient (M, d) and Hessian (M, d, d) by central differences."""
    d = here.shape[1]
    units = np.eye(d)
    pairs = list(combinations(range(d), 2))
    diagonals = [units[i] + units[j] for i, j in pairs]
    offsets = np.array([np.zeros(d), *units, *-units, *diagonals, *(-v for v in diagonals)])
    heights = _many(target, here[:, None, :] + offsets[None] * step[:, None, :])
    low = np.nanmin(np.where(np.isfinite(heights), heights, np.nan), axis=1, keepdims=True)
    heights = np.where(np.isfinite(heights), heights, low - 10.0)
    middle, up, down = heights[:, 0], heights[:, 1 : d + 1], heights[:, d + 1 : 2 * d + 1]
    both, neither = heights[:, 2 * d + 1 :][:, : len(pairs)], heights[:, 2 * d + 1 + len(pairs) :]
    bend = np.zeros((len(here), d, d))
    bend[:, range(d), range(d)] = (up + down - 2 * middle[:, None]) / step**2
    for at, (i, j) in enumerate(pairs):
        cross = both[:, at] + neither[:, at] - up[:, i] - down[:, i] - up[:, j] - down[:, j] + 2 * middle
        bend[:, i, j] = bend[:, j, i] = cross / (2 * step[:, i] * step[:, j])
    return middle, (up - down) / (2 * step), bend


def _inverse(bend: FloatArray, step: FloatArray) -> FloatArray:
    """Return the inverse of minus the Hessian, made positive definite, in units of the steps."""
    scaled = -bend * step[:, :, None] * step[:, None, :]
    values, vectors = np.linalg.eigh(scaled)
    least = np.min((step / WIDEST) ** 2, axis=1, keepdims=True)
    values = np.maximum(abs(values), least)
    inverse = (vectors / values[:, None, :]) @ np.swapaxes(vectors, 1, 2)
    return np.asarray(inverse * step[:, :, None] * step[:, None, :])
