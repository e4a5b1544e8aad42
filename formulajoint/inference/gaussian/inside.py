"""Scales of single groups, integrated out one by one.

Given what all groups share, theta and the scales of hierarchies, groups are independent of each other. Where each has
a scale of its own, a sigma or the w of a Student hierarchy, that scale is therefore one integral per group, by the
trapezium rule in its log. The remaining density has few dimensions. Without this, each group's scale would add a
dimension, and many modes would be narrow.

At most points sigmas have the nodes that suit a mode (``nodes.py``). Where the density of a sigma is not negligible at
the first or the last of these, it gets nodes of its own.

Shapes: n points z = (theta in units of its sd, then the coordinates of the rest of phi); J units, groups or sigmas; m
nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import lgamma

import numpy as np
from numpy.typing import NDArray

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.inference.gaussian.marginal import LOG_2PI, Kernel, given_shared
from formulajoint.inference.gaussian.nodes import Nodes
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

FIRST_AND_LAST = (-7, 10)
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

PAIRS = 2**17
"""Most pairs of a node and a unit that are computed at once: few enough for the cache of a CPU."""


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
    which : (1, J) or (n, 1) int array
        The units: all at each point, or one.
    """

    values: FloatArray
    shift: FloatArray
    spectra: Spectra | None
    which: IntArray

    def some(self, points: IntArray) -> At:
        """Return some of the points."""
        own = None if self.spectra is None else self.spectra.some(points)
        which = self.which if len(self.which) == 1 else self.which[points]
        return At(self.values[points], self.shift[points], own, which)

    def pairs(self, points: IntArray, units: IntArray) -> At:
        """Return pairs of a point and a unit as points with one unit each."""
        own = None if self.spectra is None else self.spectra.pairs(points, units)
        return At(self.values[points], self.shift[points], own, units[:, None])


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
    usual : Nodes or None
        Nodes of most points.
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
    usual: Nodes | None = None

    def log_density(self, points: FloatArray) -> FloatArray:
        """Return the log density of points z (n, e + t)."""
        first, last = self._range() if self.usual is None else self.usual.range
        nodes = last - first + (SCAN + 9 * CLIMBS if self.searched and self.usual is None else 0)
        step = max(1, PAIRS // (len(self.units.cells) * nodes))
        parts = [self._log_density(points[at : at + step]) for at in range(0, len(points), step)]
        return np.concatenate(parts) if parts else np.empty(0)

    def log_likelihood(self, points: FloatArray) -> FloatArray:
        """Return log p(y | z) at points z (n, e + t)."""
        with np.errstate(all="ignore"):
            return self.log_density(points) - self._prior(points, points[:, : len(self.unit)] * self.unit)

    def _log_density(self, points: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            at = self.at(points)
            inner, rest = self._integrals(at)
            prior = self._prior(points, at.shift)
        return np.asarray(np.sum(inner, axis=1) + rest + prior)

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
        return At(values, shift, self.spectra(values, shift), np.arange(len(self.units.cells))[None])

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
        return (
            spectra(self.kernel, values, shift, self.units.sigmas) if self.units.sigmas or one_row else None
        )

    def profile(self, at: At, logs: FloatArray, prior: bool = True) -> tuple[FloatArray, FloatArray]:
        """Return the log density of the units' scales at nodes, and the rest.

        Parameters
        ----------
        at : At
            Of n points.
        logs : (n or 1, m, J) array
            Logs of the scales.
        prior : bool
            Whether it includes their priors.

        Returns
        -------
        heights : (n, m, J) array
        rest : (n,) array
            Terms that do not depend on the scales.
        """
        own, rest = self.units, np.zeros(len(at.values))
        if at.spectra is None:
            heights, rest = self._one_by_one(at, logs)
        elif own.sigmas:
            heights = log_densities_of_sigmas(self.kernel, at.spectra, at.which, logs)
        else:
            sigmas = at.values[:, : len(self.kernel.plain)]
            heights, rest = log_densities_of_groups(self.kernel, at.spectra, sigmas, logs)
        if prior:
            heights += own.log_prior(logs, at.values, at.which)
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
            return FIRST_AND_LAST
        step = FINENESS * float(np.min(self.sds()))
        return -int(BELOW / step), int((ABOVE + float(np.max(self.most - self.guess))) / step)

    def sds(self) -> FloatArray:
        """Return approximate sds of the logs of the scales (J,)."""
        if not self.units.sigmas:
            return np.minimum(LOOSE_STEP / FINENESS, self.priors)
        rows = np.maximum(self.kernel.reduction.rows, 1.0)
        sds = 1 / np.sqrt(2 * rows + self.priors**-2)
        return sds if self.finest is None else np.minimum(sds, self.finest)

    def scanned(self, at: At, prior: bool = True) -> tuple[FloatArray, FloatArray]:
        """Return the scanned logs of the scales (n or 1, m, J), and the log densities there (n, m, J)."""
        low, high = np.minimum(self.modes, self.guess) - BELOW, np.maximum(self.modes, self.most) + ABOVE
        low, high = low[at.which][:, None], high[at.which][:, None]
        logs = low + (high - low) * np.linspace(0, 1, SCAN)[:, None]
        if at.spectra is None:
            logs = np.broadcast_to(logs, (len(at.values), *logs.shape[1:]))
        return logs, self.profile(at, logs, prior)[0]

    def climbed(self, at: At, prior: bool = True) -> tuple[FloatArray, FloatArray]:
        """Return the peaks of the densities of the logs of the scales (n, J), and their widths (n, J)."""
        logs, heights = self.scanned(at, prior)
        best = np.argmax(heights, axis=1)[:, None]
        centre = np.take_along_axis(np.broadcast_to(logs, heights.shape), best, axis=1)[:, 0]
        reach = logs[:, 1] - logs[:, 0]
        for _ in range(CLIMBS):
            tried = centre[:, None] + (reach[:, None] * np.linspace(-1, 1, 9)[:, None])
            best = np.argmax(self.profile(at, tried, prior)[0], axis=1)
            centre = np.take_along_axis(tried, best[:, None], axis=1)[:, 0]
            reach = reach / 4
        width = np.broadcast_to(self.sds()[at.which], centre.shape)
        for _ in range(3):  # each time at a distance in proportion to the last width
            sides = centre[:, None] + width[:, None] / 2 * np.array([-1.0, 0.0, 1.0])[:, None]
            found, _ = self.profile(at, sides, prior)
            bend = np.clip(2 * found[:, 1] - found[:, 0] - found[:, 2], 1e-3, 1e6)
            width = np.minimum(width, width / 2 / np.sqrt(bend))
        return centre, width

    def nodes(self, at: At) -> tuple[FloatArray, FloatArray, tuple[int, int]]:
        """Return the middle nodes (n, J), the spacings (n, J), and the first and the last node from the middle."""
        shape = (len(at.values), at.which.shape[1])
        centre = np.broadcast_to(self.guess[at.which], shape).copy()
        step = np.broadcast_to(FINENESS * self.sds()[at.which], shape)
        if self.wide or not self.units.sigmas:
            return centre, step, self._range()
        if self.searched:
            centre, width = self.climbed(at)
            return centre, FINENESS * width, self._range()
        rows = np.maximum(self.kernel.reduction.rows, 1.0)[at.which]
        for _ in range(2):  # as if -N log s - Q / 2 s^2: the slope gives Q
            sides = np.stack([centre - NUDGE, centre + NUDGE], axis=1)
            heights, _ = self.profile(at, sides)
            slope = (heights[:, 1] - heights[:, 0]) / (2 * NUDGE)
            squares = np.nan_to_num(slope, nan=0.0) + rows
            squares = np.where(squares > 1e-5 * rows, squares, rows / 4)  # else the prior pulls, not the rows
            centre = centre + np.clip(0.5 * np.log(squares / rows), -FARTHEST, FARTHEST)
        return centre, step, self._range()

    @property
    def alone(self) -> bool:
        """Whether each unit's rows can be computed without those of the others."""
        structure, count = self.kernel.structure, len(self.units.cells)
        return not self.kernel.parts or np.array_equal(structure.sigma_of_group, np.arange(count))

    def _integrals(self, at: At) -> tuple[FloatArray, FloatArray]:
        """Return the logs of the integrals over the scales (n, J), and the rest (n,)."""
        if self.usual is None:
            return self._with_own_nodes(at)
        total, fit = self._with_usual_nodes(at, self.usual)
        if self.alone:
            points, units = np.nonzero(~fit)
            if len(points):
                total[points, units] = self._with_own_nodes(at.pairs(points, units))[0][:, 0]
        elif len(points := np.flatnonzero(~np.all(fit, axis=1))):
            total[points] = self._with_own_nodes(at.some(points))[0]
        return total, np.zeros(len(total))

    def _with_usual_nodes(self, at: At, usual: Nodes) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Return the logs of the integrals (n, J), and where the nodes cover the density."""
        centre, step = usual.at(at.values)
        first, last = usual.range
        logs = centre[:, None] + np.arange(first, last + 1)[:, None] * step[:, None]
        heights, _ = self.profile(at, logs)
        total = _log_sum(heights)
        fit = (np.maximum(heights[:, 0], heights[:, -1]) < total - EDGE) & np.isfinite(total)
        return total + np.log(step), fit

    def _with_own_nodes(self, at: At) -> tuple[FloatArray, FloatArray]:
        centre, step, (first, last) = self.nodes(at)
        u = np.arange(first, last + 1)[:, None] * step[:, None]
        heights, rest = self.profile(at, centre[:, None, :] + self.placed(u))
        heights += self.log_slopes(u)
        total = _log_sum(heights)
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
                total[going] = np.logaddexp(total[going], _log_sum(found))
                going = going[np.any(found[:, -1] > total[going] - EDGE, axis=1)]
        return total + np.log(step), rest


def _log_sum(heights: FloatArray) -> FloatArray:
    """Return the log of the sum over the nodes (n, J)."""
    top = np.max(heights, axis=1)
    return np.asarray(top + np.log(np.sum(np.exp(heights - top[:, None]), axis=1)))
