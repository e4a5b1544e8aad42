"""A regression that ignores groups: where to begin."""

from __future__ import annotations

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.inference.groupwise.densities import Density

RIDGE = 0.05
"""Prior precision of coefficients of orthogonal columns, so that separated data have a fit."""

MOST_STEPS, ENOUGH = 200, 1e-4

LEAN = 1e-3
"""Columns are made orthogonal as if each had this share of its size for itself: they may be collinear."""

LENGTHS = 0.25 ** np.arange(12)
"""Parts of a step that are tried, until one gains."""


def orthogonal(columns: FloatArray, unit: float = 1.0) -> FloatArray:
    """Return the inverse root of cross-products (t, t): columns (C, t) times it are orthogonal, of size `unit`."""
    t = columns.shape[1]
    if not t:
        return np.empty((0, 0))
    size = np.sqrt(np.sum(columns**2, axis=0))
    lean = np.diag(LEAN * np.where(size > 0, size, 1.0))
    triangle = np.linalg.qr(np.concatenate([columns, lean]), mode="r") / np.sqrt(len(columns))
    return np.asarray(unit * np.linalg.inv(triangle))


def pooled_fit(columns: FloatArray, offset: FloatArray, density: Density, start: FloatArray) -> FloatArray:
    """Return the coefficients (t,) that maximise the sum of log densities less a small penalty.

    Parameters
    ----------
    columns : (C, t) array
        Of about the same size each.
    offset : (C,) array
    density : Density
        Of C cells of one group at one point.
    start : (t,) array
    """

    def height(z: FloatArray) -> float:
        with np.errstate(over="ignore"):  # of a step that is too long
            found = float(density.total((offset + columns @ z)[:, None, None])[0, 0])
        found -= 0.5 * RIDGE * float(z @ z)
        return found if np.isfinite(found) else -np.inf

    z, best = start, height(start)
    for _ in range(MOST_STEPS):
        away, weight = (each[:, 0, 0] for each in density.slopes((offset + columns @ z)[:, None, None]))
        gradient = columns.T @ away - RIDGE * z
        bend = (columns.T * np.maximum(weight, 0.0)) @ columns + RIDGE * np.eye(len(z))
        move = np.linalg.solve(bend, gradient)
        tried = [(height(z + length * move), length) for length in LENGTHS[:1]]
        tried += (
            [] if tried[0][0] >= best else [(height(z + length * move), length) for length in LENGTHS[1:]]
        )
        found, length = max(tried)
        if not found >= best:
            break
        z, best = z + length * move, found
        if float(np.max(abs(columns @ move), initial=0.0)) < ENOUGH:
            break
    return z
