"""Where to look for the density of what groups share, when their own scales are integrated out.

Where groups disagree about theta, each may be the one that is right: its sigma is small and those of all others are
large. So theta is estimated with every group as the owner of it in turn, and with all of them together.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from formulajoint.design.schema import FloatArray
from formulajoint.errors import InferenceError
from formulajoint.inference.exact.coefficients import shared_moments
from formulajoint.inference.exact.inside import Inside, Units, degrees
from formulajoint.inference.exact.marginal import Kernel
from formulajoint.inference.exact.proposal import Mixture
from formulajoint.inference.exact.reduction import Reduction
from formulajoint.inference.exact.sampled import LOST
from formulajoint.inference.exact.scales import Coordinate
from formulajoint.inference.exact.searches import DEAR, Look
from formulajoint.inference.exact.starts import WIDE, prior_moments, typical

MOST_OWNERS = 40
"""So many groups are tried as owners at most, spread evenly over all."""

TOGETHER = 120
"""Estimates of theta in which all groups have a part."""

SMALL = (0.01, 0.1, 0.3, 1.0)
"""Sigmas of an owner, in units of what the regression of all rows together leaves it."""

LARGE = (1.0, 30.0)
"""Sigmas of the others."""

RANGE = 2.0 ** np.arange(-3.0, 24.0)
"""A single element of theta is looked for so many sds on either side of each estimate."""

PEEKED = 60
"""Points at which it is looked whether the density of a sigma has two peaks."""

CLOSEST = 0.1
"""Points of that look are no closer than this, in the smallest sd."""

NARROW = 3.0
"""The broad distribution is so many times as wide about each owner as its estimate is precise."""


def alone(kernel: Kernel, units: Units) -> Inside:
    """Return the density of nothing, where all that is not the scale of a unit is known."""
    return Inside(kernel, units, np.empty(0), _guess(units, typical(kernel.reduction)))


def _guess(units: Units, sizes: FloatArray) -> FloatArray:
    return np.log(sizes[units.cells]) if units.sigmas else np.zeros(len(units.cells))


def inside(kernel: Kernel, units: Units, rng: np.random.Generator) -> tuple[Inside, Look]:
    """Return the density of what is left when scales of units are integrated out, and where to look for it.

    Parameters
    ----------
    kernel : Kernel
    units : Units
    rng : Generator
    """
    reduction = kernel.reduction
    sizes = typical(reduction)
    values, owned = _candidates(reduction, units, sizes, rng)
    shift, sd = shared_moments(kernel, values)
    good = np.all(np.isfinite(shift) & np.isfinite(sd) & (sd > 0), axis=1)
    values, owned, shift, sd = values[good], owned[good], shift[good], sd[good]
    if np.all(owned):
        raise InferenceError(LOST)
    unit = np.median(sd[~owned], axis=0)
    made = Inside(kernel, units, unit, _guess(units, sizes))
    rest = np.column_stack(
        [_coordinate(reduction, at).at(values[:, at]) for at in units.left] or [values[:, :0]]
    )
    starts = np.column_stack([shift / unit, rest])
    if units.sigmas and made.two_peaks(starts[:: max(1, len(starts) // PEEKED)]):
        made = replace(made, wide=True)
    return made, Look(starts, _broad(made, starts, sd / unit, owned), DEAR)


def scan_of_shared(made: Inside, look: Look) -> FloatArray:
    """Return points (1, n) at which a single element of theta is looked for."""
    sds = np.concatenate([look.broad.roots[:, 0, 0], [1.0]])
    centres = np.concatenate([look.broad.means[:, 0], look.starts[:1, 0]])
    ladders = centres[:, None] + sds[:, None] * np.concatenate([-RANGE[::-1], [0.0], RANGE])
    points = np.unique(np.concatenate([ladders.ravel(), look.starts[:, 0]]))
    cell = np.floor(points / (CLOSEST * np.min(sds)))  # one point a cell: many estimates may lie together
    return np.asarray(points[np.append(True, np.diff(cell) > 0)][None])


def _coordinate(reduction: Reduction, at: int) -> Coordinate:
    cell = reduction.scales.cells[at]
    assert isinstance(cell, Coordinate)
    return cell


def _candidates(
    reduction: Reduction, units: Units, sizes: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return phi (n, cells) of many kinds, and of each whether a group is the owner of theta."""
    count = len(units.cells)
    owners = np.unique(np.linspace(0, count - 1, min(count, MOST_OWNERS)).astype(int))
    base = np.where(np.isnan(sizes), 1.0, sizes)
    kinds = [np.tile(base, (TOGETHER, 1))]
    kinds[0][:, units.cells] *= 10 ** rng.uniform(-1.0 if units.sigmas else -2.0, 0.1, (TOGETHER, count))
    kinds[0][: TOGETHER // 3, units.cells] = base[units.cells]
    for owner in owners:
        for small in SMALL:
            for large in LARGE:
                one = base.copy()
                one[units.cells] *= large if units.sigmas else 1e-2 / large
                one[units.cells[owner]] = base[units.cells[owner]] * (small if units.sigmas else 1.0)
                kinds.append(one[None])
    values = np.concatenate(kinds)
    owned = np.arange(len(values)) >= TOGETHER
    for at in units.left:
        cell = _coordinate(reduction, int(at))
        if np.isnan(sizes[at]):
            values[:, at] = cell.value(rng.normal(0.0, 1.5, len(values)))
        else:
            values[:, at] = cell.value(cell.at(sizes[at] * 10 ** rng.uniform(-2.0, 0.7, len(values))))
    return values, owned


def _broad(made: Inside, starts: FloatArray, sd: FloatArray, owned: NDArray[np.bool_]) -> Mixture:
    """Return a broad mixture: about each owner's estimate, about all of them, and about the priors."""
    reduction, units, t = made.kernel.reduction, made.units, len(made.unit)
    d = starts.shape[1]
    e = d - t
    means, roots = [], []
    whole = np.cov(starts.T).reshape(d, d) + np.diag([1.0] * t + [WIDE**2] * e)
    means.append(np.mean(starts, axis=0))
    roots.append(np.linalg.cholesky(2 * whole))
    left = tuple(_coordinate(reduction, int(at)) for at in units.left)
    data = np.mean(starts[:, t:], axis=0)
    own, spread = prior_moments(left, data) if e else (np.zeros(0), np.zeros(0))
    proper = reduction.precision > 0
    centre = np.where(proper, reduction.pull / made.unit, means[0][:t])
    width = np.where(
        proper, 1 / np.sqrt(np.where(proper, reduction.precision, 1.0)) / made.unit, np.diag(roots[0])[:t]
    )
    heavy = np.array([3.0 if np.isfinite(degrees(reduction, place)) else 1.0 for place in range(t)])
    means.append(np.concatenate([centre, own]))
    roots.append(np.diag(np.concatenate([width * heavy, spread])))
    for block in np.array_split(
        np.flatnonzero(owned), max(1, int(np.sum(owned)) // (len(SMALL) * len(LARGE)))
    ):
        middle = block[len(block) // 2]
        means.append(np.concatenate([starts[middle, :t], data]))
        reach = np.maximum(np.std(starts[block, :t], axis=0), NARROW * sd[middle])
        roots.append(np.diag(np.concatenate([np.maximum(reach, 1e-6), np.full(e, WIDE)])))
    weights = np.concatenate([[0.3, 0.2], np.full(len(means) - 2, 0.5 / (len(means) - 2))])
    return Mixture(weights, np.stack(means), np.stack(roots))
