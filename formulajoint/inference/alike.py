"""Integrals of many densities of one number that are much alike, such as those of sigma under priors of other numbers.

Shapes: F densities, n points of each, m nodes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.errors import InferenceError
from formulajoint.inference.panels import ROUNDING, cover, stretched

type Densities = Callable[[IntArray, FloatArray], FloatArray]
"""Log densities (k, n) at points (k, n) of some of them (k,), by number."""

NODES, LOG_WEIGHTS = stretched(0.5, 16)
"""Nodes about a peak in sds, and the logs of their weights."""

BETWEEN, BEYOND = 16, 1.0
"""Points of the scan from the lowest to the highest peak of the first and the last density, and its reach beyond."""

CLIMBS = 5
"""Steps from the best point of that scan to the peak; each takes its slope over a quarter of the distance before."""

LARGEST_ERROR = 1e-5
"""Largest change from half of the nodes to all of them; beyond it panels are used."""

LOWER = 30.0
"""A second peak that is lower by this is negligible."""


@dataclass(frozen=True, slots=True, eq=False)
class Integrals:
    """Logs of integrals, and their errors; both (F,)."""

    logs: FloatArray
    errors: FloatArray


def integrate_all(densities: Densities, count: int, scan: FloatArray) -> Integrals:
    """Return the log integrals of densities whose peaks lie between those of the first and the last.

    A density with one peak is integrated by the trapezium rule about it, which converges faster than any power of the
    distance between nodes (Trefethen & Weideman, SIAM Review 2014), any other by panels.

    Parameters
    ----------
    densities : callable
    count : int
        F.
    scan : (n,) array
        Points that show every peak; see `cover`.

    Raises
    ------
    InferenceError
        If a density is nowhere above zero.
    """
    every = np.arange(count)
    ends = np.array([0, count - 1])
    peaks = _peaks(densities(ends, np.tile(scan, (2, 1))))
    if np.sum(peaks) == 2:
        at = scan[np.nonzero(peaks)[1]]
        middle, sd = _climbed(densities, every, np.min(at) - BEYOND, np.max(at) + BEYOND)
        found = _trapezium(densities, every, middle, sd)
    else:
        found = Integrals(np.zeros(count), np.full(count, np.inf))
    again = np.flatnonzero(~(found.errors < LARGEST_ERROR))
    if len(again):
        panels = cover(lambda points: densities(again, points), np.tile(scan, (len(again), 1)))
        if panels is None:
            raise InferenceError(
                "The posterior cannot be integrated: its density is zero or not finite at every point tried."
            )
        found.logs[again], found.errors[again] = panels.log_integral, panels.error
    return found


def _peaks(heights: FloatArray) -> NDArray[np.bool_]:
    """Return which points of scans (F, n) are peaks that are not negligible."""
    clean = np.where(np.isfinite(heights), heights, -np.inf)
    padded = np.pad(clean, ((0, 0), (1, 1)), constant_values=-np.inf)
    highest = (clean >= padded[:, :-2]) & (clean > padded[:, 2:])
    return np.asarray(highest & (clean > np.max(clean, axis=1, keepdims=True) - LOWER))


def _climbed(densities: Densities, every: IntArray, low: float, high: float) -> tuple[FloatArray, FloatArray]:
    """Return the peak of each density, by Newton's steps from a scan, and the sd of a normal that bends as it does."""
    points = np.linspace(low, high, BETWEEN)
    heights = densities(every, np.tile(points, (len(every), 1)))
    middle = points[np.argmax(np.nan_to_num(heights, nan=-np.inf), axis=1)]
    step = points[1] - points[0]
    bend = np.full(len(every), -1.0)
    with np.errstate(all="ignore"):
        for _ in range(CLIMBS):
            left, centre, right = densities(every, middle[:, None] + step * np.array([-1.0, 0.0, 1.0])).T
            slope, bend = (right - left) / (2 * step), (right - 2 * centre + left) / step**2
            move = np.where(bend < 0, np.clip(-slope / bend, -2 * step, 2 * step), 0.0)
            middle, step = middle + np.nan_to_num(move), step / 4
        return middle, (-bend) ** -0.5


def _trapezium(densities: Densities, every: IntArray, middle: FloatArray, sd: FloatArray) -> Integrals:
    """Return log integrals; the error is the change from every other node to all, and the share of the two ends."""
    heights = densities(every, middle[:, None] + sd[:, None] * NODES) + LOG_WEIGHTS + np.log(sd)[:, None]
    heights = np.where(np.isfinite(heights), heights, -np.inf)
    with np.errstate(all="ignore"):
        logs = np.logaddexp.reduce(heights, axis=1)
        half = np.logaddexp.reduce(heights[:, ::2], axis=1) + np.log(2)
        ends = np.exp(np.maximum(heights[:, 0], heights[:, -1]) - logs)
    return Integrals(logs, abs(logs - half) + ends + ROUNDING * abs(logs))
