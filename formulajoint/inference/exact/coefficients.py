"""Coefficients given phi: exact draws from their Gaussian conditional distributions.

First theta, what all groups share, with the groups' own coefficients integrated out; then each group's own.
"""

from __future__ import annotations

import numpy as np

from formulajoint.design.schema import FloatArray
from formulajoint.inference.exact.device import Array
from formulajoint.inference.exact.marginal import (
    Eliminated,
    Kernel,
    blocks,
    eliminate,
    left_over,
    stretches,
)
from formulajoint.inference.exact.reduction import Reduction


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
    # The blocks are the same on every device, since random numbers go block by block.
    for block in blocks(reduction, len(points)):
        _draw_block(kernel, values[block], rng, theta[block], beta[block])
    return theta, beta


def shared_moments(kernel: Kernel, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and sd of theta - reference given phi (S, cells), both (S, t); NaN where a flat prior leaves it open."""
    t = len(kernel.reduction.reference)
    mean, sd = np.empty((len(values), t)), np.empty((len(values), t))
    with np.errstate(all="ignore"):
        for block in blocks(kernel.reduction, len(values)):
            rest = kernel.device.get(left_over(kernel, values[block], eliminate(kernel, values[block])))
            precision, pull = np.moveaxis(rest[:t, :t], 2, 0), rest[:t, t].T
            size = np.sqrt(np.diagonal(precision, axis1=1, axis2=2))
            scaled = precision / size[:, :, None] / size[:, None, :]
            known = np.isfinite(scaled).all(axis=(1, 2))
            inverse = np.linalg.pinv(np.where(known[:, None, None], scaled, np.eye(t)), hermitian=True)
            mean[block] = np.where(known[:, None], np.einsum("sij,sj->si", inverse, pull / size) / size, np.nan)
            sd[block] = np.sqrt(np.diagonal(inverse, axis1=1, axis2=2)) / size
    return mean, sd


def _draw_block(
    kernel: Kernel, values: FloatArray, rng: np.random.Generator, theta: FloatArray, beta: FloatArray
) -> None:
    """Write a draw for each point of a block into `theta` (S, t) and `beta` (S, p, G); nothing else of it is kept."""
    out = eliminate(kernel, values)
    moved = _theta(kernel.device.get(left_over(kernel, values, out)), rng)
    theta[:] = kernel.reduction.reference + moved
    noise = rng.standard_normal((beta.shape[1], len(moved), beta.shape[2]))
    _place(kernel.reduction, values, theta, _own(kernel, out, moved, noise), beta)


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
    device, p = kernel.device, len(out.rows)
    u: list[Array] = [None] * p
    for i in reversed(range(p)):
        total = out.right[i][-1]
        for c in range(theta.shape[1]):
            total = total - out.right[i][c] * device.put(theta[:, c : c + 1])
        for j in range(i + 1, p):
            total = total - out.rows[i][j - i] * u[j]
        u[i] = total / out.rows[i][0] + device.put(noise[i]) / device.xp.sqrt(out.rows[i][0])
    return [device.get(value) for value in u]


def _place(
    reduction: Reduction, values: FloatArray, theta: FloatArray, u: list[FloatArray], beta: FloatArray
) -> None:
    """Write base + E theta + D u into `beta` (S, p, G)."""
    root, stretch = reduction.root(values), stretches(reduction, values)
    for i in range(len(u)):
        mean = theta[:, reduction.place[i], None] if reduction.place[i] >= 0 else 0.0
        beta[:, i] = reduction.base[i] + mean
    for j, rows in enumerate(reduction.pattern()):
        own = u[j] * stretch[j] if j in stretch else u[j]
        for i in rows:
            beta[:, i] += root[:, i, j, None] * own
