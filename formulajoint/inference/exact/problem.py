"""The log density of phi given the data, and where to look for its mode.

Where groups share nothing, each with coefficients and a sigma of its own, there are as many densities of one number as
groups; else there is one density of all of phi.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from formulajoint.design.schema import FloatArray
from formulajoint.inference.exact.marginal import Kernel, log_likelihood
from formulajoint.inference.exact.mode import Target
from formulajoint.inference.exact.reduction import Reduction
from formulajoint.inference.exact.scales import Coordinate, Scales

LOOKED_AT = 100
"""Points for each coordinate, and as many more, at which the density is first looked at."""


def factorises(reduction: Reduction) -> bool:
    """Tell whether the groups share nothing, so that each has a density of its own."""
    groups, sigmas = reduction.gram.shape[2], len(reduction.rows)
    alone = len(reduction.reference) == 0 and not reduction.blocks
    return alone and groups == sigmas > 1 and len(reduction.scales.coordinates) == sigmas


def log_posterior(kernel: Kernel) -> Target:
    """Return the log density of points (1, n, d): prior times likelihood."""
    scales = kernel.reduction.scales

    def target(points: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            return (scales.log_prior(points[0]) + log_likelihood(kernel, points[0]))[None]

    return target


def log_posteriors(kernel: Kernel) -> Target:
    """Return the log densities of points (G, n, 1) of groups that share nothing."""
    (coordinate, *_) = kernel.reduction.scales.coordinates  # all sigmas have one prior

    def target(points: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            prior = coordinate.log_prior(points[..., 0])
            return prior + log_likelihood(kernel, points[..., 0].T, by_group=True).T

    return target


def start(reduction: Reduction, target: Target, rng: np.random.Generator) -> FloatArray:
    """Return the best (F, d) of many points that the data make plausible."""
    typical = _typical(reduction)
    free = [at for at, cell in enumerate(reduction.scales.cells) if isinstance(cell, Coordinate)]
    coordinates = reduction.scales.coordinates
    side_by_side = factorises(reduction)
    d = 1 if side_by_side else len(free)
    f = len(free) if side_by_side else 1
    count = LOOKED_AT * (d + 1)
    points = np.empty((f, count, d))
    for position, (at, coordinate) in enumerate(zip(free, coordinates, strict=True)):
        drawn = _plausible(coordinate, typical[at], at < len(reduction.rows), count, rng)
        points[(position, slice(None), 0) if side_by_side else (0, slice(None), position)] = drawn
    heights = np.nan_to_num(target(points), nan=-np.inf)
    best = np.argmax(heights, axis=1)
    return np.asarray(np.take_along_axis(points, best[:, None, None], axis=1)[:, 0])


def _typical(reduction: Reduction) -> FloatArray:
    """Return for each parameter the size that the data suggest; NaN for correlations."""
    t, p = len(reduction.reference), len(reduction.base)
    squares, rows = reduction.whole[t, t], reduction.rows
    overall = np.sqrt(np.sum(squares) / np.sum(rows))
    out = np.full(len(reduction.scales.cells), np.nan)
    own = np.sqrt(squares / rows)
    out[: len(rows)] = np.where(own > 0, own, overall)
    sizes = np.sqrt(np.array([np.sum(reduction.gram[j, j]) for j in range(p)]) / np.sum(rows))
    for block in reduction.blocks:
        out[block.sds] = overall / np.where(sizes > 0, sizes, 1.0)[block.columns]
    return out


def _plausible(
    coordinate: Coordinate, typical: float, sigma: bool, count: int, rng: np.random.Generator
) -> FloatArray:
    if np.isnan(typical):
        return rng.normal(0.0, 1.5, count)
    low, high = (-4.0, 0.1) if sigma else (-3.0, 1.0)  # powers of ten
    return coordinate.at(typical * 10 ** rng.uniform(low, high, count))


def part(reduction: Reduction, groups: slice) -> Reduction:
    """Return the reduction of some of the groups that share nothing."""
    count = len(reduction.rows[groups])
    return replace(
        reduction,
        gram=reduction.gram[:, :, groups],
        cross=reduction.cross[:, :, groups],
        whole=reduction.whole[:, :, groups],
        rows=reduction.rows[groups],
        scales=Scales(reduction.scales.cells[groups]),
        sigma_of_group=np.arange(count),
    )
