"""A climb to a mode by few points: where a quadratic function through those known is highest, the next is tried.

Shapes: n points, d coordinates, in units of the reach of the first step.
"""

from __future__ import annotations

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.inference.importance.mode import Target

ENOUGH, LAST = 0.1, 0.25
"""A climb ends where a step would gain less than the first in log density, by points around as near as the second."""

MOST = 40
"""Most points: this times (coordinates + 1)."""

FARTHEST = 16.0
"""Largest step."""

FAR, DEEP = 3.0, 10.0
"""Points farther than the step may be count less, by this power of the distance, and so do points lower than the
highest by more than the second."""


def climb(target: Target, start: FloatArray, reach: FloatArray) -> FloatArray:
    """Return the highest point (d,) of a climb.

    Parameters
    ----------
    target : callable
        Log density, computed at each point once.
    start, reach : (d,) arrays
        Of the first step.
    """
    d = len(start)
    around = np.concatenate([np.eye(d), -np.eye(d)])
    known, radius, near = np.concatenate([np.zeros((1, d)), around]), 1.0, False
    heights = _finite(target(start + reach * known))
    while np.any(np.isfinite(heights)) and len(known) < MOST * (d + 1):
        best = int(np.argmax(heights))
        step, gain = _step(known - known[best], heights - heights[best], radius)
        if gain < ENOUGH and near:
            break
        near = gain < ENOUGH
        if near:
            radius = max(radius / 4, LAST)
            more = known[best] + radius * around
            near = radius <= LAST
        else:
            more = known[best] + step[None]
        found = _finite(target(start + reach * more))
        rise, length = float(np.max(found)) - heights[best], float(np.linalg.norm(step))
        if len(more) == 1 and not rise > gain / 4:
            radius = length / 4
        elif len(more) == 1 and length > 0.9 * radius:
            radius = min(2 * radius, FARTHEST)
        known, heights = np.concatenate([known, more]), np.concatenate([heights, found])
    return np.asarray(start + reach * known[int(np.argmax(heights))])


def _finite(heights: FloatArray) -> FloatArray:
    return np.where(np.isfinite(heights), heights, -np.inf)


def _step(away: FloatArray, rises: FloatArray, radius: float) -> tuple[FloatArray, float]:
    """Return the best step of at most a radius, and its gain, by a quadratic function through points (n, d)."""
    kept, d = np.isfinite(rises), away.shape[1]
    u, rises = away[kept] / radius, rises[kept]
    i, j = np.triu_indices(d)
    terms = np.column_stack([u, u[:, i] * u[:, j]])
    weights = np.maximum(np.linalg.norm(u, axis=1), 1.0) ** -FAR / (1 - rises / DEEP)
    found = np.linalg.lstsq(terms * weights[:, None], rises * weights)[0]
    slope, bend = found[:d], np.zeros((d, d))
    bend[i, j] = found[d:]
    bend += bend.T
    values, vectors = np.linalg.eigh(-bend)
    along = vectors.T @ slope
    step = vectors @ (along / (values + _damping(values, along)))
    return step * radius, float(slope @ step + 0.5 * step @ bend @ step)


def _damping(values: FloatArray, along: FloatArray) -> float:
    """Return what is added to curvatures (d,), so that a step by a slope (d,) has at most length one."""
    lowest = max(0.0, -float(values[0]))
    low = (
        lowest * (1 + 1e-9) + 1e-9
    )  # so that curvatures and it have a sum above zero, however large they are
    high = low + float(np.linalg.norm(along)) + 1e-9
    parts: list[tuple[float, float]] = list(
        zip(values.tolist(), along.tolist(), strict=True)
    )  # few: no arrays

    def too_long(more: float) -> bool:
        return sum(((slope / (value + more)) ** 2 for value, slope in parts), start=0.0) > 1

    if not too_long(low):
        return low
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if too_long(middle) else (low, middle)
    return high
