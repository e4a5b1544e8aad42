"""The highest point of a log density and the curvature there, by Newton's method on differences.

The density is asked for many points at once, so that a whole stencil costs little more than one point. There may be
several densities side by side, F of them, each over d coordinates.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np

from formulajoint.design.schema import FloatArray

type Target = Callable[[FloatArray], FloatArray]
"""Log densities (F, n) of points (F, n, d); what is not finite counts as no density."""

MOST_STEPS = 60
ENOUGH = 1e-4
"""A step that gains less than this in log density is the last."""

LONGEST = 2.0
"""No coordinate moves farther in a step."""

WIDEST = 3.0
"""No sd is taken to be larger: where the density hardly bends, its tails are looked for by sampling."""

LENGTHS = np.array([2.0, 1.0, 0.5, 0.25, 1 / 16, 1 / 256, 0.0])


def find_mode(target: Target, start: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the mode (F, d) and the inverse of the negative curvature (F, d, d), from `start` (F, d)."""
    here = start
    step = np.full(start.shape, 0.1)
    covariance = np.zeros((*start.shape, start.shape[-1]))
    for _ in range(MOST_STEPS):
        middle, slope, bend = _differences(target, here, step)
        covariance = _inverse(bend, step)
        move = np.einsum("fij,fj->fi", covariance, slope)
        move *= np.minimum(1.0, LONGEST / np.maximum(np.max(abs(move), axis=1), 1e-300))[:, None]
        tried = here[:, None, :] + LENGTHS[None, :, None] * move[:, None, :]
        heights = np.nan_to_num(target(tried), nan=-np.inf)
        best = np.argmax(heights, axis=1)
        here = np.take_along_axis(tried, best[:, None, None], axis=1)[:, 0]
        wanted = np.minimum(0.5 * np.sqrt(np.diagonal(covariance, axis1=1, axis2=2)), 0.3)
        settled = np.all(abs(np.log(wanted / step)) < 1)
        step = wanted
        if settled and np.all(np.max(heights, axis=1) - middle < ENOUGH):
            break
    return here, covariance


def _differences(
    target: Target, here: FloatArray, step: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return height (F,), gradient (F, d) and Hessian (F, d, d) by central differences."""
    d = here.shape[1]
    units = np.eye(d)
    pairs = list(combinations(range(d), 2))
    diagonals = [units[i] + units[j] for i, j in pairs]
    offsets = np.array([np.zeros(d), *units, *-units, *diagonals, *(-v for v in diagonals)])
    heights = target(here[:, None, :] + offsets[None] * step[:, None, :])
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
