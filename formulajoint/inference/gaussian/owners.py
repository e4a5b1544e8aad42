"""Regions to search for the density of what groups share, when their own scales are integrated out.

Where groups disagree about theta, any group may own it: its sigma is small and those of all others are large. So theta
is estimated with each group as its owner in turn, and with all groups together.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from formulajoint.arrays import FloatArray
from formulajoint.errors import InferenceError
from formulajoint.inference.gaussian.coefficients import shared_moments
from formulajoint.inference.gaussian.inside import Inside
from formulajoint.inference.gaussian.marginal import Kernel
from formulajoint.inference.gaussian.nodes import ABOUT, Nodes, covering
from formulajoint.inference.gaussian.reduction import Reduction
from formulajoint.inference.gaussian.sizes import typical
from formulajoint.inference.gaussian.starts import WIDE, prior_moments
from formulajoint.inference.gaussian.units import Units
from formulajoint.inference.importance.mode import find_modes
from formulajoint.inference.importance.proposal import Mixture
from formulajoint.inference.importance.sampled import LOST
from formulajoint.inference.importance.searches import DEAR, DEAREST, Look
from formulajoint.inference.latent.phi import Coordinate, scan_of, together
from formulajoint.inference.latent.structure import Structure

HUNDREDS = 200
"""From this many scales on a point is so dear that pools are no more than twice the draws: the MCSE says so."""

MOST_OWNERS = 40
"""Most groups that are tried as owners, spread evenly over all."""

TOGETHER = 120
"""Number of estimates of theta from all groups together."""

SMALL = (0.1, 1.0)
"""Sigmas of an owner, in units of its residual sd in the regression of all rows; its own residual sd is tried, too."""

LARGE = (1.0, 30.0)
"""Sigmas of the other groups, in the same units."""

RANGE = 2.0 ** np.arange(-3.0, 24.0)
"""Scan of a single element of theta: distances on either side of each estimate, in sds."""

PEEKED = 60
"""Points at which the peaks of the density of a sigma are counted and their widths measured."""

VALLEY, HIGH = 8.0, 25.0
"""Two peaks are separate if the log density between is lower by the first, and count within the second of the top."""

KNOWN = 0.2
"""A prior of a sigma matters if it is worth more than this share of the group's rows."""

BEYOND = 40.0
"""The scan of an element of theta with a normal prior reaches at most this many of its sds from the prior mean."""

CLOSEST = 0.1
"""Approximate smallest distance between points of that scan, in the smallest sd."""

OFFSETS = np.linspace(-40.0, 60.0, 201)
"""Distances from a peak at which the reach of usual nodes is found, in sds."""

NARROW = 3.0
"""Smallest sd of the broad distribution about each owner, in sds of its estimate."""


def alone(kernel: Kernel, units: Units) -> Inside:
    """Return the density for z without elements: everything but the scales of units is known."""
    return _made(kernel, units, np.empty(0), typical(kernel.reduction))


def _made(kernel: Kernel, units: Units, unit: FloatArray, sizes: FloatArray) -> Inside:
    least, most = np.zeros((2, len(units.cells)))
    if units.sigmas:
        least, most = (np.log(of[units.cells]) for of in (own_residuals(kernel.reduction, sizes), sizes))
    every, count = together(units.coordinates), len(units.coordinates)
    modes, spread = np.broadcast_to(every.modes(), count), np.broadcast_to(every.moments()[1], count)
    if units.pool is not None:
        modes, spread = least, np.zeros(len(least))
    return Inside(kernel, units, unit, least, most, modes, np.where(spread > 0, spread, np.inf))


def _seen(made: Inside, points: FloatArray) -> Inside:
    """Return the density with nodes chosen to fit the densities of sigmas at some points."""
    with np.errstate(all="ignore"):
        at = made.at(points)
        _, heights = made.scanned(at)
        before = np.maximum.accumulate(heights, axis=1)
        after = np.maximum.accumulate(heights[:, ::-1], axis=1)[:, ::-1]
        lower, top = np.minimum(before, after), np.max(heights, axis=1, keepdims=True)
        two = bool(np.any((lower - heights > VALLEY) & (lower > top - HIGH)))
        peak, width = made.climbed(at)
        centre, _, _ = made.nodes(at)
    good = np.isfinite(top[:, 0])
    known = bool(np.any((made.priors**-2 > KNOWN * made.kernel.reduction.rows) & good))
    away = bool(np.any((abs(centre - peak) > 3 * made.sds()) & good))
    narrow = bool(np.any((width < 0.7 * made.sds()) & good))
    if two:
        return replace(made, wide=True, finest=np.min(np.where(good, width, np.inf), axis=0))
    return replace(made, searched=known or away or narrow or made.units.pool is not None)


def _with_usual_nodes(made: Inside, starts: FloatArray) -> Inside:
    """Return the density with the nodes that suit a mode, reached from the best of the starts."""
    heights = made.log_density(starts)
    if made.wide or not np.any(np.isfinite(heights)):
        return made
    best = np.argmax(np.nan_to_num(heights, nan=-np.inf, posinf=-np.inf))
    at = made.at(find_modes(made.log_density, starts[[best]]).at)
    own = made.units.pool is None
    with np.errstate(all="ignore"):
        (centre,), (width,) = made.climbed(at, prior=own)
        if own:
            around, _ = made.profile(at, (centre + OFFSETS[:, None] * width)[None])
            return replace(made, usual=covering(OFFSETS, around[0], centre, width))
    return replace(made, usual=Nodes(centre, width, ABOUT, made.units.pool))


def inside(kernel: Kernel, units: Units, rng: np.random.Generator) -> tuple[Inside, Look]:
    """Return the density that is left when scales of units are integrated out, and the regions to search.

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
    made = _made(kernel, units, unit, sizes)
    rest = np.column_stack(
        [_coordinate(reduction.structure, at).at(values[:, at]) for at in units.left] or [values[:, :0]]
    )
    starts = np.column_stack([shift / unit, rest])
    if units.sigmas:
        made = _with_usual_nodes(_seen(made, starts[:: max(1, len(starts) // PEEKED)]), starts)
    effort = DEAR if len(units.cells) < HUNDREDS else DEAREST
    return made, Look(starts, _broad(made, starts, sd / unit, owned), effort)


def scan_of_shared(made: Inside, look: Look) -> FloatArray:
    """Return the scan of a single element of theta, or of a single coordinate of phi (1, n)."""
    if not len(made.unit):
        (at,), reduction = made.units.left, made.kernel.reduction
        return scan_of(_coordinate(reduction.structure, at), np.nan_to_num(typical(reduction)[[at]]))
    sds = np.concatenate([look.broad.roots[:, 0, 0], [1.0]])
    centres = np.concatenate([look.broad.means[:, 0], look.starts[:1, 0]])
    ladders = centres[:, None] + sds[:, None] * np.concatenate([-RANGE[::-1], [0.0], RANGE])
    structure = made.kernel.structure
    if structure.theta_precision[0] > 0 and np.isinf(structure.degrees(0)):
        middle, sd = (
            structure.theta_mean[0] / made.unit[0],
            structure.theta_precision[0] ** -0.5 / made.unit[0],
        )
        ladders = np.clip(ladders, middle - BEYOND * sd, middle + BEYOND * sd)
    points = np.unique(np.concatenate([ladders.ravel(), look.starts[:, 0]]))
    cell = np.floor(points / (CLOSEST * np.min(sds)))  # one point per cell: many estimates may lie together
    return np.asarray(points[np.append(True, np.diff(cell) > 0)][None])


def _coordinate(structure: Structure, at: int) -> Coordinate:
    cell = structure.scales.cells[at]
    assert isinstance(cell, Coordinate)
    return cell


def own_residuals(reduction: Reduction, sizes: FloatArray) -> FloatArray:
    """Return sizes (cells,) with each sigma lowered to the residual sd of its own rows, where that is not zero."""
    structure, out, rest = reduction.structure, sizes.copy(), reduction.rest[:, -1, -1]
    count = structure.sigmas
    groups = np.bincount(structure.sigma_of_group, minlength=count) * len(structure.base)
    own = abs(rest) / np.sqrt(np.maximum(reduction.rows - groups, 1.0))
    out[:count] = np.where(own > 0, np.minimum(own, out[:count]), out[:count])
    return out


def _candidates(
    reduction: Reduction, units: Units, sizes: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return candidates for phi (n, cells), and for each whether a single group owns theta."""
    count = len(units.cells)
    owners = np.unique(np.linspace(0, count - 1, min(count, MOST_OWNERS)).astype(int))
    base = np.where(np.isnan(sizes), 1.0, sizes)
    own = own_residuals(reduction, base) if units.sigmas else base
    kinds = [np.tile(base, (TOGETHER, 1))]
    kinds[0][:, units.cells] *= 10 ** rng.uniform(-1.0 if units.sigmas else -2.0, 0.1, (TOGETHER, count))
    kinds[0][: TOGETHER // 3, units.cells] = base[units.cells]
    together = np.tile(base, (TOGETHER // 2, 1))
    together[:, units.cells] = own[units.cells] * 10 ** rng.uniform(-0.3, 0.7, (len(together), 1))
    kinds[0][-len(together) :] = together
    for at in units.cells[owners]:
        for size in (own[at], 3 * own[at], *(share * base[at] for share in SMALL)):
            for large in LARGE:
                one = base.copy()
                one[units.cells] *= large if units.sigmas else 1e-2 / large
                one[at] = size if units.sigmas else base[at]
                kinds.append(one[None])
    values = np.concatenate(kinds)
    owned = np.arange(len(values)) >= TOGETHER
    for at in units.left:
        cell = _coordinate(reduction.structure, int(at))
        if np.isnan(sizes[at]):
            values[:, at] = cell.value(rng.normal(0.0, 1.5, len(values)))
        else:
            values[:, at] = cell.value(cell.at(sizes[at] * 10 ** rng.uniform(-2.0, 0.7, len(values))))
    return values, owned


def _broad(made: Inside, starts: FloatArray, sd: FloatArray, owned: NDArray[np.bool_]) -> Mixture:
    """Return a broad mixture: about each owner's estimate, about all of them, and about the priors."""
    structure, units, t = made.kernel.structure, made.units, len(made.unit)
    d = starts.shape[1]
    e = d - t
    means, roots = [], []
    whole = np.cov(starts.T).reshape(d, d) + np.diag([1.0] * t + [WIDE**2] * e)
    means.append(np.mean(starts, axis=0))
    roots.append(np.linalg.cholesky(2 * whole))
    left = tuple(_coordinate(structure, int(at)) for at in units.left)
    data = np.mean(starts[:, t:], axis=0)
    own, spread = prior_moments(left, data) if e else (np.zeros(0), np.zeros(0))
    proper = structure.theta_precision > 0
    centre = np.where(proper, structure.theta_mean / made.unit, means[0][:t])
    width = np.where(
        proper,
        1 / np.sqrt(np.where(proper, structure.theta_precision, 1.0)) / made.unit,
        np.diag(roots[0])[:t],
    )
    heavy = np.array([3.0 if np.isfinite(structure.degrees(place)) else 1.0 for place in range(t)])
    means.append(np.concatenate([centre, own]))
    roots.append(np.diag(np.concatenate([width * heavy, spread])))
    for block in np.array_split(
        np.flatnonzero(owned), max(1, int(np.sum(owned)) // ((2 + len(SMALL)) * len(LARGE)))
    ):
        middle = block[len(block) // 2]
        means.append(np.concatenate([starts[middle, :t], data]))
        reach = np.maximum(np.std(starts[block, :t], axis=0), NARROW * sd[middle])
        roots.append(np.diag(np.concatenate([np.maximum(reach, 1e-6), np.full(e, WIDE)])))
    weights = np.concatenate([[0.3, 0.2], np.full(len(means) - 2, 0.5 / (len(means) - 2))])
    return Mixture(weights, np.stack(means), np.stack(roots))
