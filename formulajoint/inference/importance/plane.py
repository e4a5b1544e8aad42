"""The integral of a density of two numbers, by a lattice about each mode.

Modes are climbed from every peak of a scan of the plausible region. A lattice is then laid about each, in units of the
curvature there, and grows as long as its points are not negligible. The trapezium rule on a lattice converges faster
than any power of the distance between points (Trefethen & Weideman, SIAM Review 2014), so a few hundred points do.

Shapes: n points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.inference.importance.mode import Target, distinct, find_modes
from formulajoint.inference.importance.searches import Look
from formulajoint.inference.panels import STRETCH, stretched

SCAN = 28
"""Points of the scan along either coordinate."""

REACH = 4.0
"""Reach of the scan: sds of the broad distribution's components beyond their means."""

CLIMBS = 30
"""Most peaks of the scan from which modes are climbed."""

DEPTH = 18.0
"""Points whose log density is lower than the highest by more than this are negligible."""

STEP = 0.45
"""Distance between points of a lattice near its mode, in sds."""

FIRST, LAST = 6, 60
"""Points of a lattice on either side of its mode: at first, and at most."""

LARGEST_ERROR = 0.003
"""Largest error of the log of an integral."""

AWAY, LOG_STEPS = stretched(STEP, LAST)
"""Points of a lattice in either coordinate, in sds from the mode, and the logs of the distances between them."""

HALVES = tuple(np.indices((len(AWAY), len(AWAY)))[axes].sum(axis=0) % 2 == 0 for axes in ([0], [1], [0, 1]))
"""Every other row of a lattice, every other column, and every other point."""


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """A density on a lattice about a mode.

    Attributes
    ----------
    centre : (2,) array
    root : (2, 2) array
        Lower Cholesky factor of the inverse curvature at the mode.
    heights : (m, m) array
        Log density at the points; NaN where it is negligible and was not computed.
    """

    centre: FloatArray
    root: FloatArray
    heights: FloatArray

    def holds(self, point: FloatArray) -> bool:
        """Return whether a point lies where the density was computed."""
        nodes = STRETCH * np.arcsinh(np.linalg.solve(self.root, point - self.centre) / STRETCH) / STEP
        at = LAST + np.round(nodes).astype(int)
        return bool(np.all((at >= 0) & (at < len(self.heights))) and not np.isnan(self.heights[tuple(at)]))

    def points(self) -> FloatArray:
        """Return all points (m^2, 2)."""
        nodes = np.stack(np.meshgrid(AWAY, AWAY, indexing="ij"), axis=-1).reshape(-1, 2)
        return np.asarray(self.centre + nodes @ self.root.T)

    def log_parts(self) -> FloatArray:
        """Return the log of the integral about each point (m, m)."""
        heights = np.where(np.isnan(self.heights), -np.inf, self.heights)
        return heights + LOG_STEPS[:, None] + LOG_STEPS + float(np.sum(np.log(np.diagonal(self.root))))

    def log_sums(self) -> FloatArray:
        """Return the log of the integral by all points, and by every other one in three ways (4,)."""
        parts = self.log_parts()
        halves = [np.logaddexp.reduce(parts[half]) + np.log(2) for half in HALVES]
        return np.array([np.logaddexp.reduce(parts, axis=None), *halves])


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """A density of two numbers on lattices.

    Attributes
    ----------
    points : (n, 2) array
    shares : (n,) array
        The share of the integral at each point.
    log_integral, error : float
    """

    points: FloatArray
    shares: FloatArray
    log_integral: float
    error: float


def cover_plane(target: Target, look: Look) -> Plane | None:
    """Return lattices that cover a density of two numbers, or None if they do not suit it.

    Parameters
    ----------
    target : callable
    look : Look
        In the logs of scales, in which peaks are not much narrower than the scan's steps.
    """
    starts = _peaks(target, look)
    if not len(starts):
        return None
    modes = distinct(find_modes(target, starts), DEPTH)
    lattices = list[Lattice]()
    for at, covariance in zip(modes.at, modes.covariances, strict=True):
        if any(lattice.holds(at) for lattice in lattices):
            continue
        found = _grown(target, at, np.linalg.cholesky(covariance), float(modes.heights[0]) - DEPTH)
        if found is None:
            return None
        lattices.append(found)
    if not lattices:
        return None
    sums = np.logaddexp.reduce([lattice.log_sums() for lattice in lattices])
    error = float(np.max(abs(sums - sums[0])))
    if not error < LARGEST_ERROR:
        return None
    points = np.concatenate([lattice.points() for lattice in lattices])
    logs = np.concatenate([lattice.log_parts().ravel() for lattice in lattices])
    return Plane(points, np.exp(logs - sums[0]), float(sums[0]), error)


def _grown(target: Target, centre: FloatArray, root: FloatArray, least: float) -> Lattice | None:
    """Return a lattice grown until all points about it are below `least`; None if it grows too large."""
    found = Lattice(centre, root, np.full((len(AWAY), len(AWAY)), np.nan))
    away = abs(np.arange(-LAST, LAST + 1))
    wanted = np.maximum.outer(away, away) <= FIRST
    while np.any(wanted):
        i, j = np.nonzero(wanted)
        found.heights[i, j] = _clean(target(centre + np.stack([AWAY[i], AWAY[j]], axis=1) @ root.T))
        above = np.pad(found.heights > least, 1)
        if np.any(above[1] | above[-2] | above[:, 1] | above[:, -2]):
            return None
        near = above[:-2, 1:-1] | above[2:, 1:-1] | above[1:-1, :-2] | above[1:-1, 2:]
        wanted = near & np.isnan(found.heights)
    return found


def _peaks(target: Target, look: Look) -> FloatArray:
    """Return the peaks of a scan (n, 2), and the best of the points to start from."""
    spread = np.sqrt(np.diagonal(look.broad.roots @ np.swapaxes(look.broad.roots, 1, 2), axis1=1, axis2=2))
    low = np.min(look.broad.means - REACH * spread, axis=0)
    high = np.max(look.broad.means + REACH * spread, axis=0)
    axes = [np.linspace(low[i], high[i], SCAN) for i in range(2)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    heights = _clean(target(np.concatenate([grid.reshape(-1, 2), look.starts])))
    scanned, started = heights[: SCAN**2].reshape(SCAN, SCAN), heights[SCAN**2 :]
    padded = np.pad(scanned, 1, constant_values=-np.inf)
    around = [
        padded[1 + i : 1 + i + SCAN, 1 + j : 1 + j + SCAN] for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j
    ]
    peak = np.isfinite(scanned) & (scanned >= np.max(around, axis=0))
    found = grid[peak][np.argsort(-scanned[peak])[:CLIMBS]]
    best = look.starts[np.argmax(started)] if len(started) and np.isfinite(np.max(started)) else None
    return found if best is None else np.concatenate([found, best[None]])


def _clean(heights: FloatArray) -> FloatArray:
    return np.where(np.isfinite(heights), heights, -np.inf)
