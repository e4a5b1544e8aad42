"""The log density of cells of rows as a function of their linear predictors: of affine families, and of smooth ones.

Shapes: n cells, G groups, S points. Arrays are (n, G, S), or have 1 in place of S; sums over cells are (G, S).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from formulajoint.arrays import Array, FloatArray, IntArray
from formulajoint.distributions.links import Link
from formulajoint.families.affine import Affine, Convex, Counts
from formulajoint.families.smooth import Mean, Smooth
from formulajoint.inference.latent.device import NUMPY, Device

type Taken = Callable[[FloatArray], FloatArray]
"""From an array (n, G, S or 1) to the chosen pairs of a group and a point."""

type Parameters = tuple[FloatArray, ...]
"""The family's further parameters: each (S,), or (n, G, S) where it differs between cells."""

STEP = 1e-3
"""Step of differences, in the unit over which a density bends."""


class Responses(NamedTuple):
    """How many rows each cell stands for, their response, and the trials of it; each (n, G), or of rows (N,)."""

    weight: FloatArray
    y: FloatArray
    trials: FloatArray


type Known = Counts | Responses
"""What is known of rows or cells, of an affine family and of a smooth one."""


def mapped(known: Known, of: Callable[[FloatArray], FloatArray]) -> Known:
    """Return a function of each array."""
    made = map(of, known)
    return Responses(*made) if isinstance(known, Responses) else Counts(*made)


@dataclass(frozen=True, slots=True, eq=False)
class AffineForm:
    """How the log density of rows is computed: as an affine function.

    Attributes
    ----------
    affine : Affine
    """

    affine: Affine

    @property
    def one_peak(self) -> bool:
        """Whether log densities are concave."""
        return True

    @property
    def sign(self) -> float:
        """What linear predictors are multiplied by."""
        return self.affine.sign

    @property
    def scale(self) -> str:
        """Name of the further parameter in units of linear predictors: none."""
        return ""

    @property
    def rounded(self) -> str:
        """Name of the further parameter of which large values cost digits; empty if there is none."""
        return self.affine.rounded

    def counts(self, y: FloatArray, trials: FloatArray, weights: FloatArray) -> Counts:
        """Return what is known of rows."""
        return Counts(*(weights * each for each in self.affine.counts(y, trials)))

    def shift(self, further: Parameters) -> FloatArray | float:
        """Return what is subtracted from linear predictors."""
        return 0.0 if self.affine.shift is None else self.affine.shift(_first(further))

    def density(self, counts: Known, further: Parameters, device: Device = NUMPY) -> Affinely:
        """Return the density of cells (n, G) on a device."""
        assert isinstance(counts, Counts)
        s = device.put(_first(further))

        def count(fixed: Array, scaled: Array) -> Array:
            return (
                fixed[:, :, None] + scaled[:, :, None] * s
                if device.xp.any(scaled != 0)
                else fixed[:, :, None]
            )

        linear, convex = count(counts.a0, counts.a1), count(counts.c0, counts.c1)
        return Affinely(linear, convex, self.affine.convex, device)

    def constant(
        self, y: FloatArray, trials: FloatArray, weights: FloatArray, further: Parameters
    ) -> FloatArray:
        """Return the sum over rows (r,) of what does not depend on linear predictors (S or 1,).

        The rows are r cells of one group.
        """
        s = _first(further)
        of = self.affine.constant(y[:, None], trials[:, None], s.reshape(-1, s.shape[-1]))
        return np.asarray(np.einsum("r,rs->s", weights, of))


def _first(further: Parameters) -> FloatArray:
    """Return the first further parameter; 1 if there is none."""
    return further[0] if further else np.ones(1)


@dataclass(frozen=True, slots=True, eq=False)
class SmoothForm:
    """How the log density of rows is computed: with differences as derivatives.

    Attributes
    ----------
    smooth : Smooth
    link : Link
    unit : float
        Over what distance a log density bends, if the family does not say.
    """

    smooth: Smooth
    link: Link
    unit: float = 1.0

    @property
    def one_peak(self) -> bool:
        """Whether log densities are concave."""
        return self.smooth.one_peak

    @property
    def sign(self) -> float:
        """What linear predictors are multiplied by."""
        return 1.0

    @property
    def scale(self) -> str:
        """Name of the further parameter in units of linear predictors; empty if there is none."""
        return self.smooth.scale

    @property
    def rounded(self) -> str:
        """Name of the further parameter of which large values cost digits; empty if there is none."""
        return self.smooth.rounded

    def counts(self, y: FloatArray, trials: FloatArray, weights: FloatArray) -> Responses:
        """Return what is known of rows."""
        return Responses(weights, y, trials)

    def shift(self, further: Parameters) -> FloatArray | float:
        """Return what is subtracted from linear predictors: nothing."""
        return 0.0

    def density(self, counts: Known, further: Parameters, device: Device = NUMPY) -> Smoothly:
        """Return the density of cells (n, G), by NumPy and SciPy."""
        assert isinstance(counts, Responses)
        assert device is NUMPY
        rows = Responses(*(each[:, :, None] for each in counts))
        return Smoothly(self, rows, further)

    def unit_at(self, further: Parameters) -> FloatArray | float:
        """Return over what distance log densities bend."""
        return self.unit if self.smooth.unit is None else self.smooth.unit(*further)


type Form = AffineForm | SmoothForm


class Slopes(NamedTuple):
    """The sum of log densities (G, S), and of each its derivative and minus its second derivative (n, G, S)."""

    total: FloatArray
    away: FloatArray
    weight: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Affinely:
    """Cells whose log density is ``linear e - convex A(e)``.

    Attributes
    ----------
    linear, convex : (n, G, S or 1) arrays
        a and c.
    curve : Convex
        A.
    device : Device
    """

    linear: Array
    convex: Array
    curve: Convex
    device: Device = NUMPY

    def total(self, e: Array) -> Array:
        """Return the sum of log densities, without constants (G, S)."""
        value = self.curve.value(e, self.device.xp)
        return self.device.summed(self.linear, e) - self.device.summed(self.convex, value)

    def slopes(self, e: Array) -> tuple[Array, Array]:
        """Return the derivative of each log density, and minus the second derivative, both (n, G, S)."""
        slope, bend = self.curve.slopes(e, self.device.xp)
        return self.linear - self.convex * slope, self.convex * bend

    def pairs(self, taken: Taken, point: IntArray) -> Affinely:
        """Return those of some pairs of a group and a point; `point` has the point of each pair."""
        return Affinely(taken(self.linear), taken(self.convex), self.curve)


@dataclass(frozen=True, slots=True, eq=False)
class Smoothly:
    """Cells of a smooth family: derivatives are those that it declares, or differences.

    Attributes
    ----------
    form : SmoothForm
    rows : Responses
        Arrays (n, G, S or 1).
    further : Parameters
    """

    form: SmoothForm
    rows: Responses
    further: Parameters

    def total(self, e: FloatArray) -> Array:
        """Return the sum of log densities (G, S)."""
        return NUMPY.summed(self.rows.weight, self._each(e))

    def look(self, e: FloatArray) -> Slopes:
        """Return the sum of log densities with derivatives."""
        weight = self.rows.weight
        if (bent := self.form.smooth.bent) is not None:
            mean = Mean(self.form.link, e)
            found = bent(self.rows.y, self.rows.trials, mean, *self.further)
            return Slopes(NUMPY.summed(weight, found.logs), weight * found.away, weight * found.weight)
        step = STEP * self.form.unit_at(self.further)
        middle, up, down = self._each(e), self._each(e + step), self._each(e - step)
        away = weight * (up - down) / (2 * step)
        return Slopes(NUMPY.summed(weight, middle), away, weight * (2 * middle - up - down) / step**2)

    def slopes(self, e: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the derivative of each log density, and minus the second derivative, both (n, G, S)."""
        return self.look(e)[1:]

    def pairs(self, taken: Taken, point: IntArray) -> Smoothly:
        """Return those of some pairs of a group and a point; `point` has the point of each pair."""
        rows = Responses(*map(taken, self.rows))
        further = (each[point] if each.ndim == 1 else taken(each) for each in self.further)
        return Smoothly(self.form, rows, tuple(further))

    def _each(self, e: FloatArray) -> FloatArray:
        mean = Mean(self.form.link, e)
        return self.form.smooth.log_density(self.rows.y, self.rows.trials, mean, *self.further)


type Density = Affinely | Smoothly
