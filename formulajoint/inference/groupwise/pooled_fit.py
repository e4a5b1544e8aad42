"""A regression that ignores groups: where to begin."""

from __future__ import annotations

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.families.affine import Convex

RIDGE = 0.05
"""Prior precision of coefficients of orthogonal columns, so that separated data have a fit."""

MOST_STEPS, ENOUGH = 200, 1e-4


def pooled_fit(
    columns: FloatArray, offset: FloatArray, linear: FloatArray, convex: FloatArray, curve: Convex
) -> FloatArray:
    """Return the coefficients (t,) that maximise ``sum(linear e - convex A(e))`` less a small penalty.

    Parameters
    ----------
    columns : (C, t) array
        Of about the same size each.
    offset, linear, convex : (C,) arrays
    curve : Convex
        A.
    """
    z = np.zeros(columns.shape[1])
    for _ in range(MOST_STEPS):
        slope, bend = curve.slopes(offset + columns @ z)
        gradient = columns.T @ (linear - convex * slope) - RIDGE * z
        move = np.linalg.solve((columns.T * (convex * bend)) @ columns + RIDGE * np.eye(len(z)), gradient)
        reach = float(np.max(abs(columns @ move), initial=0.0))
        z = z + move * (1.0 if reach <= 0.5 else np.log1p(reach) / reach)
        if reach < ENOUGH:
            break
    return z
