"""Coefficients given phi: exact draws from their Gaussian conditional distributions.

First theta, what all groups share, with the groups' own coefficients integrated out; then each group's own.
"""

from __future__ import annotations

import numpy as np

from formulajoint.design.schema import FloatArray
from formulajoint.inference.exact.marginal import (
    Array,
    Eliminated,
    Kernel,
    blocks,
    eliminate,
    left_over,
    stretches,
)


def draw_coefficients(
    kernel: Kernel, points: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Return one draw of all coefficients for each point.

    Parameters
    ----------
    kernel : Kernel
    points : (S, d) array
        phi on the real line.
    rng : Generator

    Returns
    -------
    theta : (S, t) array
    beta : (S, p, G) array
    """
    reduction = kernel.reduction
    p, _, groups = reduction.gram.shape
    values = reduction.scales.values(points)
    theta = np.empty((len(points), len(reduction.reference)))
    beta = np.empty((len(points), p, groups))
    for block in blocks(len(points), reduction):
        out = eliminate(kernel, values[block])
        rest = np.asarray(left_over(kernel, values[block], out))
        moved = _theta(rest, rng)
        theta[block] = reduction.reference + moved
        noise = rng.standard_normal((p, len(moved), groups))
        u = _own(kernel, out, moved, noise)
        _place(kernel, values[block], theta[block], u, beta[block])
    return theta, beta


def _theta(rest: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return theta - reference (S, t), normal with precision P and mean P^-1 h: `rest` (t + 1, t + 1, S) has both."""
    t, count = rest.shape[0] - 1, rest.shape[2]
    precision, pull = np.moveaxis(rest[:t, :t], 2, 0), rest[:t, t].T
    size = np.sqrt(np.diagonal(precision, axis1=1, axis2=2))
    root = np.linalg.cholesky(precision / size[:, :, None] / size[:, None, :])
    half = np.linalg.solve(root, (pull / size)[..., None])
    noise = rng.standard_normal((count, t, 1))
    return np.asarray(np.linalg.solve(np.swapaxes(root, 1, 2), half + noise)[..., 0] / size)


def _own(kernel: Kernel, out: Eliminated, theta: FloatArray, noise: FloatArray) -> list[FloatArray]:
    """Return u, p arrays (S, G), given theta, by back substitution."""
    xp, p = kernel.xp, len(out.rows)
    u: list[Array] = [None] * p
    for i in reversed(range(p)):
        total = out.right[i][-1]
        for c in range(theta.shape[1]):
            total = total - out.right[i][c] * xp.asarray(theta[:, c : c + 1])
        for j in range(i + 1, p):
            total = total - out.rows[i][j - i] * u[j]
        u[i] = total / out.rows[i][0] + xp.asarray(noise[i]) / xp.sqrt(out.rows[i][0])
    return [np.asarray(value) for value in u]


def _place(
    kernel: Kernel, values: FloatArray, theta: FloatArray, u: list[FloatArray], beta: FloatArray
) -> None:
    """Write base + E theta + D u into `beta` (S, p, G)."""
    reduction = kernel.reduction
    root, stretch = reduction.root(values), stretches(kernel, values)
    for i in range(len(u)):
        mean = theta[:, reduction.place[i], None] if reduction.place[i] >= 0 else 0.0
        beta[:, i] = reduction.base[i] + mean
    for j, rows in enumerate(reduction.pattern()):
        own = u[j] * np.asarray(stretch[j]) if j in stretch else u[j]
        for i in rows:
            beta[:, i] += root[:, i, j, None] * own
