"""Scales of single groups, integrated out one by one.

Given what all groups share, theta and the scales of hierarchies, groups are independent of each other. Where each has
a scale of its own, a sigma or the w of a Student hierarchy, that scale is therefore one integral per group, by the
trapezium rule in its log. The remaining density has few dimensions. Without this, each group's scale would add a
dimension, and many modes would be narrow.

Shapes: n points z = (theta in units of its sd, then the coordinates of the rest of phi); J units, groups or sigmas; m
nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import lgamma

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.inference.gaussian.marginal import LOG_2PI, Kernel, given_shared
from formulajoint.inference.gaussian.spectra import (
    Spectra,
    log_densities_of_groups,
    log_densities_of_sigmas,
    spectra,
)
from formulajoint.inference.gaussian.units import Units
from formulajoint.inference.latent.phi import Coordinate

FINENESS = 0.7
"""Distance between nodes, in local sds."""

NODES = (-7, 10)
"""First and last node about the peak; the log of a scale has its longer tail to the right."""

LOOSE_STEP, LOOSE_NODES, STRETCH = 0.4, (-11, 8), 4.0
"""Distance and range of the nodes of u, where log w is ``STRETCH * sinh(u / STRETCH)``: its left tail is long."""

EDGE = 13.0
"""Nodes are added at an end until its log density is this far below the highest, or below the log of the sum."""

MORE, MOST = 8, 25
"""Nodes added at an end at a time, and the most times they are added."""

NUDGE = 1e-3
"""Half of the distance over which a slope is taken."""

BELOW, ABOVE, SCAN = 6.0, 6.0, 120
"""Reach of the scan for the log of a sigma, below and above its prior's mode and residual sd; points in the scan."""

CLIMBS = 6
"""Refinements from the best of these points to the peak; each divides the spacing by four."""

FARTHEST = 30.0
"""Largest move of a peak in one step."""

FINE = 8
"""Intervals between two nodes; draws treat the density as constant on each."""

CHUNK = 400
"""Points for which scales are drawn at once."""

PAIRS = 2**20
"""Most pairs of a node and a unit that are computed at once."""


@dataclass(frozen=True, slots=True, eq=False)
class At:
    """Parameters at points z.

    Attributes
    ----------
    values : (n, cells) array
        phi; the scales of units are 1, and those of priors of theta.
    shift : (n, t) array
        theta - reference.
    spectra : Spectra or None
        The groups' rows at these points.
    """

    values: FloatArray
    shift: FloatArray
    spectra: Spectra | None

    def some(self, which: IntArray) -> At:
        """Return some of the points."""
        own = None if self.spectra is None else self.spectra.some(which)
        return At(self.values[which], self.shift[which], own)


@dataclass(frozen=True, slots=True, eq=False)
class Inside:
    """The density of z, the scales of units being integrated out.

    Attributes
    ----------
    kernel : Kernel
    units : Units
    unit : (t,) array
        Units of theta.
    guess, most : (J,) array
        Approximate logs of the scales, at the least and at the most.
    modes, priors : (J,) array
        Modes and sds of the logs of the scales under their priors.
    searched : bool
        Whether peaks are searched for at every point, as where the priors of scales are as informative as rows.
    wide : bool
        Whether nodes cover the whole plausible range at every point, for densities of a scale with two peaks.
    finest : (J,) array or None
        Sds of the narrowest peaks found, for `wide`.
    """

    kernel: Kernel
    units: Units
    unit: FloatArray
    guess: FloatArray
    most: FloatArray
    modes: FloatArray
    priors: FloatArray
    searched: bool = False
    wide: bool = False
    finest: FloatArray | None = None

    def log_density(self, points: FloatArray) -> FloatArray:
        """Return the log density of points z (n, e + t)."""
        first, last = self._range()
        nodes = last - first + (SCAN + 9 * CLIMBS if self.searched else 0)
        step = max(1, PAIRS // (len(self.units.cells) * nodes))
        parts = [self._log_density(points[at : at + step]) for at in range(0, len(points), step)]
        return np.concatenate(parts) if parts else np.empty(0)

    def _log_density(self, points: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            at = self.at(points)
            inner, rest = self._integrals(at)
            prior = self._prior(points, at.shift)
        return np.asarray(inner + rest + prior)

    def at(self, points: FloatArray) -> At:
        """Return the parameters at points z (n, e + t)."""
        structure, t = self.kernel.structure, len(self.unit)
        cells = [cell if isinstance(cell, float) else 1.0 for cell in structure.scales.cells]
        values = np.tile(np.array(cells), (len(points), 1))
        for place, at in enumerate(self.units.left):
            cell = structure.scales.cells[at]
            assert isinstance(cell, Coordinate)
            values[:, at] = cell.value(points[:, t + place])
        shift = points[:, :t] * self.unit
        return At(values, shift, self.spectra(values, shift))

    def _prior(self, points: FloatArray, shift: FloatArray) -> FloatArray:
        structure, t = self.kernel.structure, len(self.unit)
        out = np.full(len(points), float(np.sum(np.log(self.unit))))
        for column, at in enumerate(self.units.left):
            cell = structure.scales.cells[at]
            assert isinstance(cell, Coordinate)
            out += cell.log_prior(points[:, t + column])
        for place in np.flatnonzero(structure.theta_precision > 0):
            square = structure.theta_precision[place] * (shift[:, place] - structure.theta_mean[place]) ** 2
            root = 0.5 * np.log(structure.theta_precision[place])
            df = structure.degrees(int(place))
            if np.isinf(df):
                out += root - 0.5 * (LOG_2PI + square)
            else:
                constant = lgamma((df + 1) / 2) - lgamma(df / 2) - 0.5 * np.log(df * np.pi)
                out += root + constant - (df + 1) / 2 * np.log1p(square / df)
        return out

    def placed(self, u: FloatArray) -> FloatArray:
        """Return the distances of logs from the centre at nodes u of any shape."""
        return u if self.units.sigmas else STRETCH * np.sinh(u / STRETCH)

    def log_slopes(self, u: FloatArray) -> FloatArray:
        """Return the log of the derivative of `placed`."""
        return np.zeros_like(u) if self.units.sigmas else np.log(np.cosh(u / STRETCH))

    def spectra(self, values: FloatArray, shift: FloatArray) -> Spectra | None:
        """Return the groups' rows in a form cheap at many nodes, or None if they have no such form."""
        one_row = all(len(part.loads) == 1 for part in self.kernel.parts)
        return spectra(self.kernel, values, shift) if self.units.sigmas or one_row else None

    def profile(self, at: At, logs: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the log density of the units' scales at nodes, and the rest.

        Parameters
        ----------
        at : At
            Of n points.
        logs : (n, m, J) array
            Logs of the scales.

        Returns
        -------
        heights : (n, m, J) array
        rest : (n,) array
            Terms that do not depend on the scales.
        """
        own, rest = self.units, np.zeros(len(logs))
        if at.spectra is None:
            heights, rest = self._one_by_one(at, logs)
        elif own.sigmas:
            heights = log_densities_of_sigmas(self.kernel, at.spectra, logs)
        else:
            sigmas = at.values[:, : len(self.kernel.plain)]
            heights, rest = log_densities_of_groups(self.kernel, at.spectra, sigmas, logs)
        heights = heights + own.log_prior(logs)
        return np.where(np.isfinite(heights), heights, -np.inf), rest

    def _one_by_one(self, at: At, logs: FloatArray) -> tuple[FloatArray, FloatArray]:
        n, m, _ = logs.shape
        many = np.repeat(at.values, m, axis=0)
        many[:, self.units.cells] = np.exp(logs).reshape(n * m, -1)
        group, sigma = given_shared(self.kernel, many, np.repeat(at.shift, m, axis=0))
        return group.reshape(n, m, -1), np.sum(sigma.reshape(n, m, -1)[:, 0], axis=1)

    def _range(self) -> tuple[int, int]:
        """Return the first and the last node, counted from a peak."""
        if not self.units.sigmas:
            return LOOSE_NODES
        if not self.wide:
            return NODES
        step = FINENESS * float(np.min(self.sds()))
        return -int(BELOW / step), int((ABOVE + float(np.max(self.most - self.guess))) / step)

    def sds(self) -> FloatArray:
        """Return approximate sds of the logs of the scales (J,)."""
        if not self.units.sigmas:
            return np.minimum(LOOSE_STEP / FINENESS, self.priors)
        rows = np.maximum(self.kernel.reduction.rows, 1.0)
        sds = 1 / np.sqrt(2 * rows + self.priors**-2)
        return sds if self.finest is None else np.minimum(sds, self.finest)

    def scanned(self, at: At) -> tuple[FloatArray, FloatArray]:
        """Return the scanned logs of the scales (m, J), and the log densities there (n, m, J)."""
        low, high = np.minimum(self.modes, self.guess) - BELOW, np.maximum(self.modes, self.most) + ABOVE
        logs = low + (high - low) * np.linspace(0, 1, SCAN)[:, None]
        heights, _ = self.profile(at, np.broadcast_to(logs, (len(at.values), *logs.shape)))
        return logs, heights

    def climbed(self, at: At) -> tuple[FloatArray, FloatArray]:
        """Return the peaks of the densities of the logs of the scales (n, J), and their widths (n, J)."""
        logs, heights = self.scanned(at)
        centre, reach = np.take_along_axis(logs, np.argmax(heights, axis=1), axis=0), logs[1] - logs[0]
        for _ in range(CLIMBS):
            tried = centre[:, None] + reach * np.linspace(-1, 1, 9)[:, None]
            best = np.argmax(self.profile(at, tried)[0], axis=1)
            centre = np.take_along_axis(tried, best[:, None], axis=1)[:, 0]
            reach = reach / 4
        width = np.broadcast_to(self.sds(), centre.shape)
        for _ in range(3):  # each time at a distance in proportion to the last width
            sides = centre[:, None] + width[:, None] / 2 * np.array([-1.0, 0.0, 1.0])[:, None]
            found, _ = self.profile(at, sides)
            bend = np.clip(2 * found[:, 1] - found[:, 0] - found[:, 2], 1e-3, 1e6)
            width = np.minimum(width, width / 2 / np.sqrt(bend))
        return centre, width

    def nodes(self, at: At) -> tuple[FloatArray, FloatArray, tuple[int, int]]:
        """Return the middle nodes (n, J), the spacings (n, J), and the first and the last node from the middle."""
        centre = np.tile(self.guess, (len(at.values), 1))
        step = np.tile(FINENESS * self.sds(), (len(at.values), 1))
        if self.wide or not self.units.sigmas:
            return centre, step, self._range()
        if self.searched:
            centre, width = self.climbed(at)
            return centre, FINENESS * width, self._range()
        rows = np.maximum(self.kernel.reduction.rows, 1.0)
        for _ in range(2):  # as if -N log s - Q / 2 s^2: the slope gives Q
            sides = np.stack([centre - NUDGE, centre + NUDGE], axis=1)
            heights, _ = self.profile(at, sides)
            slope = (heights[:, 1] - heights[:, 0]) / (2 * NUDGE)
            squares = np.nan_to_num(slope, nan=0.0) + rows
            squares = np.where(squares > 1e-5 * rows, squares, rows / 4)  # else the prior pulls, not the rows
            centre = centre + np.clip(0.5 * np.log(squares / rows), -FARTHEST, FARTHEST)
        return centre, step, self._range()

    def _integrals(self, at: At) -> tuple[FloatArray, FloatArray]:
        """Return the sum of the logs of the integrals over the scales (n,), and the rest (n,)."""
        centre, step, (first, last) = self.nodes(at)
        u = np.arange(first, last + 1)[:, None] * step[:, None]
        heights, rest = self.profile(at, centre[:, None, :] + self.placed(u))
        heights += self.log_slopes(u)
        top = np.max(heights, axis=1)
        total = top + np.log(np.sum(np.exp(heights - top[:, None]), axis=1))
        for reach, sign in ((first, -1), (last, 1)):
            edge = heights[:, 0 if sign < 0 else -1]
            going = np.flatnonzero(np.any(edge > total - EDGE, axis=1) & np.all(np.isfinite(total), axis=1))
            for _ in range(MOST):
                if not len(going):
                    break
                more = reach + sign * np.arange(1, MORE + 1)
                reach += sign * MORE
                u = more[:, None] * step[going, None]
                found, _ = self.profile(at.some(going), centre[going, None, :] + self.placed(u))
                found += self.log_slopes(u)
                total[going] = np.logaddexp(total[going], np.logaddexp.reduce(found, axis=1))
                going = going[np.any(found[:, -1] > total[going] - EDGE, axis=1)]
        return np.sum(total + np.log(step), axis=1), rest

    def draw(self, points: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Return phi (n, cells) at points z, the scales of units drawn given these."""
        at = self.at(points)
        values, shift = at.values, at.shift
        for start in range(0, len(points), CHUNK):
            some = np.arange(start, min(start + CHUNK, len(points)))
            values[some[:, None], self.units.cells] = np.exp(self._draw_logs(at.some(some), rng))
        structure = self.kernel.structure
        for place, own in structure.mixed_theta.items():
            df = structure.degrees(place)
            away = structure.theta_precision[place] * (shift[:, place] - structure.theta_mean[place]) ** 2
            values[:, own] = rng.gamma((df + 1) / 2, 2 / (df + away))
        return values

    def _draw_logs(self, at: At, rng: np.random.Generator) -> FloatArray:
        centre, step, (first, last) = self.nodes(at)
        for _ in range(MOST):  # all points have the same nodes, as many as the longest tail needs
            u = np.arange(first - 3, last + 4)[:, None] * step[:, None]
            heights, _ = self.profile(at, centre[:, None, :] + self.placed(u))
            heights += self.log_slopes(u)
            top = np.max(heights, axis=1)
            there = heights > (top - EDGE)[:, None]  # the outermost may be the highest
            low, high = bool(np.any(there[:, :3])), bool(np.any(there[:, -3:]))
            if not low and not high:
                break
            first, last = first - MORE * low, last + MORE * high
        fine = interpolated(heights - top[:, None])  # (n, k, J)
        steps = np.cumsum(fine, axis=1)
        wanted = rng.random(top.shape) * steps[:, -1]
        cell = np.sum(steps < wanted[:, None], axis=1)  # (n, J)
        within = rng.random(top.shape)
        return np.asarray(centre + self.placed((first - 1 + (cell + within) / FINE) * step))


def interpolated(heights: FloatArray) -> FloatArray:
    """Return densities (n, (m - 5) FINE, J) between all but the outer nodes, from their logs at nodes (n, m, J).

    The logs are interpolated by polynomials of degree five.
    """
    low = np.maximum(heights, -700.0)
    n, m, units = low.shape
    around = range(-2, 4)
    parts = []
    for offset in (np.arange(FINE) + 0.5) / FINE:
        weights = [np.prod([(offset - b) / (a - b) for b in around if b != a]) for a in around]
        parts.append(sum((w * low[:, k : k + m - 5] for k, w in enumerate(weights)), np.zeros(())))
    fine = np.exp(np.minimum(np.stack(parts, axis=2), 5.0))  # (n, m - 5, FINE, J)
    return np.asarray(fine.reshape(n, (m - 5) * FINE, units))
