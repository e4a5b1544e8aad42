"""Draws of the scales that were integrated out, given the rest: by the inverse of their distribution function.

The log density of the log of a scale is known at nodes, and interpolated between them by polynomials of degree five.

Shapes: those of ``inside.py``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from formulajoint.arrays import FloatArray
from formulajoint.inference.gaussian.inside import EDGE, MORE, MOST, At, Inside
from formulajoint.inference.gaussian.nodes import Nodes
from formulajoint.inference.panels import polynomial_weights

FINE = 16
"""Intervals between two nodes; draws treat the density as constant on each."""

CHUNK = 2**18
"""Most pairs of a node and a unit that are computed at once."""

AROUND = range(-2, 4)
"""The nodes from which the density between node 0 and node 1 is interpolated."""

AT_GAUSS = polynomial_weights(AROUND, np.array([0.5 - 0.75**0.5 / 3, 0.5 + 0.75**0.5 / 3]))
AT_MIDDLES = polynomial_weights(AROUND, (np.arange(FINE) + 0.5) / FINE)
"""Their weights at two points whose mean density is that between the two nodes, by Gauss and Legendre's rule, and in
the middle of each fine interval."""


def draw_scales(made: Inside, points: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return phi (n, cells) at points z, the scales of units drawn given these."""
    at = made.at(points)
    values, shift, units = at.values, at.shift, len(made.units.cells)
    step = max(1, CHUNK // (40 * units))
    for start in range(0, len(points), step):
        some = np.arange(start, min(start + step, len(points)))
        uniform = rng.random((2, len(some), units))
        with np.errstate(all="ignore"):
            values[some[:, None], made.units.cells] = np.exp(_draw(made, at.some(some), uniform))
    structure = made.kernel.structure
    for place, own in structure.mixed_theta.items():
        df = structure.degrees(place)
        away = structure.theta_precision[place] * (shift[:, place] - structure.theta_mean[place]) ** 2
        values[:, own] = rng.gamma((df + 1) / 2, 2 / (df + away))
    return values


def _draw(made: Inside, at: At, uniform: FloatArray) -> FloatArray:
    """Return draws of the logs of the scales (n, J) from uniform numbers (2, n, J)."""
    if made.usual is None:
        return _with_own_nodes(made, at, uniform)
    out, fit = _with_usual_nodes(made, made.usual, at, uniform)
    if made.alone:
        points, units = np.nonzero(~fit)
        if len(points):
            own = _with_own_nodes(made, at.pairs(points, units), uniform[:, points, units][..., None])
            out[points, units] = own[:, 0]
    elif len(points := np.flatnonzero(~np.all(fit, axis=1))):
        out[points] = _with_own_nodes(made, at.some(points), uniform[:, points])
    return out


def _with_usual_nodes(
    made: Inside, usual: Nodes, at: At, uniform: FloatArray
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return draws (n, J), and where the nodes cover the density."""
    centre, step = usual.at(at.values)
    first, last = usual.range
    heights, _ = made.profile(at, centre[:, None] + np.arange(first - 2, last + 3)[:, None] * step[:, None])
    top = np.max(heights, axis=1)
    ends = np.maximum(np.max(heights[:, :3], axis=1), np.max(heights[:, -3:], axis=1))
    position = inverted(heights - top[:, None], uniform)
    return np.asarray(centre + (first - 2 + position) * step), ends < top - EDGE


def _with_own_nodes(made: Inside, at: At, uniform: FloatArray) -> FloatArray:
    centre, step, (first, last) = made.nodes(at)
    for _ in range(MOST):  # all points have the same nodes, as many as the longest tail needs
        u = np.arange(first - 3, last + 4)[:, None] * step[:, None]
        heights, _ = made.profile(at, centre[:, None, :] + made.placed(u))
        heights += made.log_slopes(u)
        top = np.max(heights, axis=1)
        there = heights > (top - EDGE)[:, None]  # the outermost may be the highest
        low, high = bool(np.any(there[:, :3])), bool(np.any(there[:, -3:]))
        if not low and not high:
            break
        first, last = first - MORE * low, last + MORE * high
    position = inverted(heights - top[:, None], uniform)
    return np.asarray(centre + made.placed((first - 3 + position) * step))


def inverted(heights: FloatArray, uniform: FloatArray) -> FloatArray:
    """Return places among nodes (n, J), counted from the first, where the distribution function is `uniform`.

    Parameters
    ----------
    heights : (n, m, J) array
        Logs of the density at nodes, at most 0; negligible at three nodes on either side.
    uniform : (2, n, J) array
        The distribution function, and the place within one of the fine intervals.
    """
    low = np.maximum(heights, -700.0)
    m = low.shape[1]
    density = sum(
        np.exp(sum(weight * low[:, k : k + m - 5] for k, weight in enumerate(weights)))
        for weights in AT_GAUSS
    )
    steps = np.cumsum(density, axis=1)
    left = uniform[0] * steps[:, -1]
    chosen = np.minimum(np.sum(steps < left[:, None], axis=1), m - 6)[:, None]  # (n, 1, J)
    near = np.concatenate([np.take_along_axis(low, chosen + k, axis=1) for k in range(6)], axis=1)
    fine = np.exp(np.einsum("fk,nkj->nfj", AT_MIDDLES, near))
    own = np.take_along_axis(density, chosen, axis=1)[:, 0]
    share = (left - (np.take_along_axis(steps, chosen, axis=1)[:, 0] - own)) / own
    within = np.cumsum(fine, axis=1)
    cell = np.sum(within < (share * within[:, -1])[:, None], axis=1)
    return np.asarray(chosen[:, 0] + 2 + (np.minimum(cell, FINE - 1) + uniform[1]) / FINE)
