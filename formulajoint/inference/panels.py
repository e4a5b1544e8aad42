"""Densities of one number: their peaks, their integrals by panels, draws by inversion.

The log of such a density bends on a scale of its own that does not shrink with the data, so that a coarse scan shows
every peak of it, however narrow the density is there. Each peak is then climbed, panels are laid about it, and halved
until the integral stays the same.

Shapes: F densities side by side, n points of each, P panels of them all, K nodes per panel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import FloatArray, IntArray

type Densities = Callable[[FloatArray], FloatArray]
"""Log densities (F, n) at points (F, n), up to a constant; values that are not finite count as zero density."""

DEPTH = 50.0
"""A peak lower than the highest by this in log density is left out."""

NODES, WEIGHTS = np.polynomial.legendre.leggauss(10)
"""Gauss-Legendre nodes and weights of one panel."""

CLOSE = 1e-11
"""A panel is halved until that changes its share of the integral by less than this."""

ROUNDING = 16 * float(np.finfo(float).eps)
"""Relative error of a log density from summing its terms."""

MOST_HALVINGS = 40

LADDER = np.array([0.0, 0.75, 1.5, 2.5, 4.0, 6.0, 10.0, 20.0, 50.0, 200.0, 1e3, 1e4, 1e6, 1e8])
"""Edges of the first panels on either side of a place near a peak, in units of its width."""

BESIDE = 0.137
"""Distance of that place from the peak, in widths: a kink at the edge of a panel would not be noticed."""

CLIMBED = 0.01
"""A peak has been climbed when the density about it varies by less than this share."""

NARROWEST = 90
"""Most halvings of the range of a scan in the search for the width of a peak."""

MOST_STEPS = 60

FINE = 32
"""Intervals of a panel; draws treat the density as constant on each."""


STRETCH = 3.0
"""Nodes t of a trapezium rule are ``STRETCH * sinh(t / STRETCH)`` sds from a peak: tails are longer than a normal's."""


@dataclass(frozen=True, slots=True, eq=False)
class Panels:
    """F densities on panels.

    Attributes
    ----------
    of : (P,) int array
        The density of each panel; sorted.
    low, high : (P,) arrays
        Ends of each panel; sorted within each density.
    logs : (P, K) array
        The log density at the nodes of each panel.
    log_integral, error : (F,) arrays
        Log integral of each density, and its error: the change by the last halving of panels, and rounding.
    peaks : (F,) int array
        Number of peaks of each density that are not negligible.
    """

    of: IntArray
    low: FloatArray
    high: FloatArray
    logs: FloatArray
    log_integral: FloatArray
    error: FloatArray
    peaks: IntArray

    def draw(self, rng: np.random.Generator, count: int) -> FloatArray:
        """Return independent draws (F, count), by inversion of the distribution function."""
        f = len(self.log_integral)
        edges = self.low[:, None] + (self.high - self.low)[:, None] * np.linspace(0, 1, FINE + 1)
        middle = (np.arange(FINE) + 0.5) / FINE * 2 - 1
        inside = np.exp(self.logs @ polynomial_weights(NODES, middle).T - self.log_integral[self.of][:, None])
        mass = inside * ((self.high - self.low) / FINE)[:, None]
        out = np.empty((f, count))
        starts = np.searchsorted(self.of, np.arange(f + 1))
        for each in range(f):
            own = slice(starts[each], starts[each + 1])
            steps = np.concatenate([[0.0], np.cumsum(mass[own])])
            at = np.append(edges[own, :-1].ravel(), edges[own][-1, -1])
            out[each] = np.interp(rng.random(count) * steps[-1], steps, at)
        return out

    def moments(self) -> tuple[FloatArray, FloatArray]:
        """Return means and sds of the densities, both (F,)."""
        f, half = len(self.log_integral), (self.high - self.low)[:, None] / 2
        points = self.low[:, None] + half * (1 + NODES)
        mass = np.exp(self.logs - self.log_integral[self.of][:, None]) * WEIGHTS * half
        means, sds, starts = np.empty(f), np.empty(f), np.searchsorted(self.of, np.arange(f + 1))
        for each in range(f):
            own = slice(starts[each], starts[each + 1])
            means[each] = np.sum(mass[own] * points[own])
            sds[each] = np.sqrt(np.sum(mass[own] * (points[own] - means[each]) ** 2))
        return means, sds


def stretched(step: float, last: int) -> tuple[FloatArray, FloatArray]:
    """Return the nodes of a trapezium rule about a peak, in sds, and the logs of their weights, both (2 last + 1,)."""
    t = step * np.arange(-last, last + 1) / STRETCH
    return STRETCH * np.sinh(t), np.log(step * np.cosh(t))


def polynomial_weights(nodes: Sequence[float] | FloatArray, at: FloatArray) -> FloatArray:
    """Return the matrix (n, K) that takes values at K nodes to values of their polynomial at `at` (n,): Lagrange's."""
    return np.stack(
        [
            np.prod([(at - b) / (a - b) for j, b in enumerate(nodes) if j != i], axis=0)
            for i, a in enumerate(nodes)
        ],
        axis=1,
    )


def cover(densities: Densities, scan: FloatArray) -> Panels | None:
    """Return panels that cover all of each density that is not negligible; None if one is nowhere above zero.

    Parameters
    ----------
    densities : callable
    scan : (F, n) array
        Sorted points. Their range holds all of the density, and between three neighbours it has at most one peak.
    """
    heights = _clean(densities(scan))
    if not np.all(np.isfinite(np.max(heights, axis=1))):
        return None
    of, place, height = _peaks(densities, scan, heights)
    top = np.full(len(scan), -np.inf)
    np.maximum.at(top, of, height)
    kept = height > top[of] - DEPTH
    of, place = of[kept], place[kept]
    width = _widths(densities, of, place, height[kept], scan)
    return _halved(densities, *_first_panels(of, place, width, scan), np.bincount(of, minlength=len(scan)))


def _clean(heights: FloatArray) -> FloatArray:
    return np.where(np.isfinite(heights), heights, -np.inf)


def _at(densities: Densities, f: int, of: IntArray, points: FloatArray) -> FloatArray:
    """Return the log densities (m, n) at points (m, n) of the densities `of` (m,), which is sorted."""
    counts = np.bincount(of, minlength=f)
    rows = int(np.max(counts))
    if f == 1:
        return _clean(densities(points.reshape(1, -1))).reshape(points.shape)
    position = np.arange(len(of)) - np.concatenate([[0], np.cumsum(counts)])[of]
    padded = np.empty((f, rows, points.shape[1]))
    padded[:] = points[np.minimum(np.searchsorted(of, np.arange(f)), len(of) - 1), :1, None]
    padded[of, position] = points
    return np.asarray(_clean(densities(padded.reshape(f, -1))).reshape(padded.shape)[of, position])


def _peaks(
    densities: Densities, scan: FloatArray, heights: FloatArray
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return the peaks of all densities, after climbing: the density, place and height of each."""
    f, n = scan.shape
    padded = np.pad(heights, ((0, 0), (1, 1)), constant_values=-np.inf)
    highest = (heights >= padded[:, :-2]) & (heights > padded[:, 2:]) & np.isfinite(heights)
    of, at = np.nonzero(highest)
    low, high = scan[of, np.maximum(at - 1, 0)], scan[of, np.minimum(at + 1, n - 1)]
    place, height = scan[of, at], heights[of, at]
    for _ in range(MOST_STEPS):
        points = low[:, None] + (high - low)[:, None] * np.linspace(0, 1, 9)
        found = _at(densities, f, of, points)
        best = np.argmax(found, axis=1)
        row = np.arange(len(of))
        better = found[row, best] > height
        place = np.where(better, points[row, best], place)
        height = np.maximum(height, found[row, best])
        low, high = points[row, np.maximum(best - 1, 0)], points[row, np.minimum(best + 1, 8)]
        around = np.minimum(found[row, np.maximum(best - 1, 0)], found[row, np.minimum(best + 1, 8)])
        if np.all((height - around < CLIMBED) | (high - low < 1e-14 * (1 + abs(place)))):
            break
    return of, place, height


def _widths(
    densities: Densities, of: IntArray, place: FloatArray, height: FloatArray, scan: FloatArray
) -> FloatArray:
    """Return the approximate distance from each peak at which the log density is lower by 1/2: the sd of a normal."""
    reach = scan[of, -1] - scan[of, 0]
    steps = reach[:, None] * 2.0 ** -np.arange(1.0, NARROWEST)
    low, high = scan[of, :1], scan[of, -1:]
    sides = [np.clip(place[:, None] + sign * steps, low, high) for sign in (-1, 1)]
    drops = [height[:, None] - _at(densities, len(scan), of, side) for side in sides]
    drop = np.maximum(*drops)
    near = np.argmax(drop < 1.0, axis=1)  # steps shrink: the first that is near enough
    row = np.arange(len(of))
    return np.asarray(steps[row, near] / np.sqrt(2 * np.clip(drop[row, near], 0.02, 1.0)))


def _first_panels(
    of: IntArray, place: FloatArray, width: FloatArray, scan: FloatArray
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return panels from the first point of a scan to the last, narrow about each peak."""
    ladder = np.concatenate([-LADDER[:0:-1], LADDER])
    edges = place[:, None] + width[:, None] * (BESIDE + ladder)
    owner = np.concatenate([np.repeat(of, len(ladder)), np.repeat(np.arange(len(scan)), 2)])
    first, last = scan[:, 0], scan[:, -1]
    at = np.concatenate([edges.ravel(), np.stack([first, last], axis=1).ravel()])
    at = np.clip(at, first[owner], last[owner])
    order = np.lexsort((at, owner))
    owner, at = owner[order], at[order]
    kept = (owner[:-1] == owner[1:]) & (at[1:] > at[:-1])
    return owner[:-1][kept], at[:-1][kept], at[1:][kept]


def _halved(densities: Densities, of: IntArray, low: FloatArray, high: FloatArray, peaks: IntArray) -> Panels:
    """Return panels, halved until the integral stays the same."""
    f = len(peaks)
    logs, shift = _nodes(densities, f, of, low, high), np.zeros(f)
    done: list[tuple[IntArray, FloatArray, FloatArray, FloatArray]] = []
    error = np.zeros(f)
    settled = np.full(f, -np.inf)  # the log integral of panels that are done
    for turn in range(MOST_HALVINGS):
        middle = (low + high) / 2
        two_of = np.repeat(of, 2)
        two_low = np.stack([low, middle], axis=1).ravel()
        two_high = np.stack([middle, high], axis=1).ravel()
        two_logs = _nodes(densities, f, two_of, two_low, two_high)
        parts = _log_parts(two_logs, two_low, two_high)
        whole, halves = _log_parts(logs, low, high), np.logaddexp(parts[0::2], parts[1::2])
        total = settled.copy()
        np.logaddexp.at(total, of, halves)
        shift = np.where(np.isfinite(total), total, 0.0)
        with np.errstate(over="ignore"):
            changed = abs(np.exp(whole - shift[of]) - np.exp(halves - shift[of]))
        noise = CLOSE + ROUNDING * abs(shift)
        again = changed > noise[of]
        error += np.bincount(of, np.where(again, 0.0, changed), minlength=f)
        keep = np.repeat(~again, 2) & (parts > (shift - DEPTH)[two_of])
        done.append((two_of[keep], two_low[keep], two_high[keep], two_logs[keep]))
        np.logaddexp.at(settled, of[~again], halves[~again])
        if not np.any(again) or turn == MOST_HALVINGS - 1:
            break
        twice = np.repeat(again, 2)
        of, low, high, logs = two_of[twice], two_low[twice], two_high[twice], two_logs[twice]
    of, low, high, logs = (np.concatenate(each) for each in zip(*done, strict=True))
    order = np.lexsort((low, of))
    return Panels(
        of[order],
        low[order],
        high[order],
        logs[order],
        total,
        error + 2 * CLOSE + ROUNDING * abs(total),
        peaks,
    )


def _nodes(densities: Densities, f: int, of: IntArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """Return the log density at the nodes of panels (P, K)."""
    return _at(densities, f, of, low[:, None] + (high - low)[:, None] * (1 + NODES) / 2)


def _log_parts(logs: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """Return the log of the integral over each panel (P,)."""
    with np.errstate(
        divide="ignore"
    ):  # between neighbouring floats there is no middle, and half a panel is empty
        half = np.log((high - low) / 2)
    return np.asarray(np.logaddexp.reduce(logs + np.log(WEIGHTS), axis=1) + half)
