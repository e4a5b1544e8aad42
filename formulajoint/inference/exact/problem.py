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
    alone = len(reduction.reference) == 0 and not reduction.blocks and reduction.ties is None
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


def starts(reduction: Reduction, target: Target, rng: np.random.Generator) -> list[FloatArray]:
    """Return where to look for modes (F, d): the best of many points that the data, or the priors, make plausible.

    Where the data leave no residual, they say nothing of the size of sigma that its prior would not deny.

    With correlated hierarchies there are two: the best of what is plausible for columns as written, and for columns
    made orthogonal. Where a column is far from zero these differ, and either may be a mode.
    """
    typical = _typical(reduction)
    cells, coordinates = _free(reduction), reduction.scales.coordinates
    side_by_side = factorises(reduction)
    d = 1 if side_by_side else len(cells)
    f = len(cells) if side_by_side else 1
    count = LOOKED_AT * (d + 1)
    points = np.empty((f, count, d))
    for position, (at, coordinate) in enumerate(zip(cells, coordinates, strict=True)):
        drawn = _plausible(coordinate, typical[at], at < len(reduction.rows), count, rng)
        points[(position, slice(None), 0) if side_by_side else (0, slice(None), position)] = drawn
    correlated = any(block.correlated for block in reduction.blocks)
    turned = [_best(target, _turned(reduction, points[0], rng)[None])] if correlated else []
    modes = np.reshape([_mode(coordinate) for coordinate in coordinates], (f, 1, d))
    expected = modes + rng.normal(0.0, 2.0, points.shape)
    return [_best(target, np.concatenate([points, expected], axis=1)), *turned]


def _free(reduction: Reduction) -> list[int]:
    """Return the places of the parameters that are not constant."""
    return [at for at, cell in enumerate(reduction.scales.cells) if isinstance(cell, Coordinate)]


def _best(target: Target, points: FloatArray) -> FloatArray:
    heights = np.nan_to_num(target(points), nan=-np.inf)
    best = np.argmax(heights, axis=1)
    return np.asarray(np.take_along_axis(points, best[:, None, None], axis=1)[:, 0])


def _turned(reduction: Reduction, points: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return points (n, d) with other hierarchies: coefficients of orthogonal columns vary each for itself.

    With X'X = N R'R these coefficients are R beta, so that beta has the root R^-1 diag(spread); the coordinate of a
    partial correlation r is 2 artanh(r).
    """
    out, places = points.copy(), {at: place for place, at in enumerate(_free(reduction))}
    overall = _overall(reduction)
    for block in reduction.blocks:
        at, m = block.columns, len(block.columns)
        sds = [places.get(cell, -1) for cell in range(block.sds.start, block.sds.stop)]
        gram = np.sum(reduction.gram[np.ix_(at, at)], axis=2) / np.sum(reduction.rows)
        size = np.sqrt(np.diagonal(gram))
        if not block.correlated or min(sds) < 0 or np.min(size) == 0:
            continue
        if np.linalg.matrix_rank(gram / np.outer(size, size), hermitian=True) < m:  # units do not matter
            continue
        turn = np.linalg.inv(np.linalg.cholesky(gram).T)
        spread = overall * 10 ** rng.uniform(-2.0, 0.5, (len(points), 1, m))
        root = np.swapaxes(np.linalg.qr(np.swapaxes(turn * spread, 1, 2), mode="r"), 1, 2)
        root *= np.sign(np.diagonal(root, axis1=1, axis2=2))[:, None, :]
        for i, place in enumerate(sds):
            out[:, place] = reduction.scales.coordinates[place].at(np.linalg.norm(root[:, i], axis=1))
        pairs = ((j, i) for j in range(m) for i in range(j + 1, m))
        for cell, (j, i) in zip(range(block.partials.start, block.partials.stop), pairs, strict=True):
            rest = np.linalg.norm(root[:, i, j + 1 : i + 1], axis=1)
            out[:, places[cell]] = 2 * np.arcsinh(root[:, i, j] / rest)
    return out


def _overall(reduction: Reduction) -> float:
    """Return the sd of what the least-squares fit of all rows together leaves."""
    t = len(reduction.reference)
    return float(np.sqrt(np.sum(reduction.whole[t, t]) / np.sum(reduction.rows)))


def _typical(reduction: Reduction) -> FloatArray:
    """Return for each parameter the size that the data suggest; NaN for correlations."""
    t, p = len(reduction.reference), len(reduction.base)
    squares, rows = reduction.whole[t, t], reduction.rows
    overall = _overall(reduction)
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


def _mode(coordinate: Coordinate) -> float:
    """Return where a coordinate's prior is highest, to digits enough to be the same in other units."""
    mode, width = 0.0, 60.0  # scales from 1e-26 to 1e26
    with np.errstate(all="ignore"):
        while width > 1e-6:
            grid = mode + np.linspace(-width, width, 601)
            mode = float(grid[np.argmax(np.nan_to_num(coordinate.log_prior(grid), nan=-np.inf))])
            width /= 100
    return mode


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
