"""The parameters that do not integrate out, phi: residual sds, sds of hierarchies, correlations.

Each has one coordinate on the real line, the one that PyMC gives it: the log of a scale, the logit of a share of an
interval, a coefficient of log sigma in a unit of its own. All functions take many points at once: arrays (..., d) of d
coordinates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isinf, prod

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.distributions.distribution import Number
from formulajoint.distributions.links import NUMPY, Link
from formulajoint.distributions.prior import Prior, joined, prior
from formulajoint.errors import BugError
from formulajoint.inference.panels import cover

BELOW, ABOVE = 40.0, 25.0
"""The scan of the log of a scale reaches this far below and above the size that the data suggest."""

BESIDE = 30.0
"""The scan reaches at least this far on either side of the mode of the scale's prior."""

STEP = 0.2
"""Distance between points of a scan; the log density of the log of a scale bends over a distance of about one."""


@dataclass(frozen=True, slots=True, eq=False)
class Coordinate:
    """A parameter as a number on the real line, or several side by side.

    Attributes
    ----------
    prior : Prior
        Its arguments are numbers; for several parameters arrays (F,), as are the bounds, for the last axis of points.
    low, high : float or (F,) array
        Bounds of the parameter. Both or neither are infinite, or `high` alone.
    unit : float or (F,) array
        Of a parameter without bounds: what one unit of its coordinate is.
    """

    prior: Prior
    low: Number
    high: Number
    unit: Number = 1.0

    @property
    def unbounded(self) -> bool:
        """Whether the parameter may be arbitrarily large."""
        return _infinite(self.high)

    @property
    def real(self) -> bool:
        """Whether the parameter has no bounds."""
        return self.unbounded and _infinite(self.low)

    def some(self, places: IntArray) -> Coordinate:
        """Return those at some places, in the shape of `places`; a single one stands for all."""

        def taken(number: Number) -> Number:
            return number[places] if isinstance(number, np.ndarray) else number

        numbers = {name: taken(number) for name, number in self.prior.args.items()}
        own = replace(self.prior, args=numbers)
        return Coordinate(own, taken(self.low), taken(self.high), taken(self.unit))

    def value(self, points: FloatArray) -> FloatArray:
        """Return the parameter at coordinates of any shape."""
        if self.real:
            return np.asarray(self.unit * points)
        if self.unbounded:
            return self.low + np.exp(points)
        return self.low + (self.high - self.low) * np.exp(-np.logaddexp(0.0, -points))

    def at(self, value: FloatArray) -> FloatArray:
        """Return the coordinates of values; values out of bounds are moved just inside."""
        if self.real:
            return np.asarray(value / self.unit)
        if self.unbounded:
            return np.log(np.maximum(value - self.low, np.finfo(float).tiny))
        share = np.clip((value - self.low) / (self.high - self.low), 1e-6, 1 - 1e-6)
        return np.asarray(np.log(share) - np.log1p(-share))

    def log_prior(self, points: FloatArray) -> FloatArray:
        """Return the log density of coordinates: the prior's at the parameter, and the Jacobian."""
        value = self.value(points)
        return self.prior.log_density(value) + self._log_slope(points)

    def modes(self) -> FloatArray:
        """Return the modes of the coordinates' priors (F,), precise enough to be the same in other units."""
        modes, width = (
            np.zeros(np.broadcast(self.low, *self.prior.numbers).size),
            60.0,
        )  # scales from 1e-26 to 1e26
        with np.errstate(all="ignore"):
            while width > 1e-6:
                grid = modes + np.linspace(-width, width, 601)[:, None]
                best = np.argmax(np.nan_to_num(self.log_prior(grid), nan=-np.inf), axis=0)
                modes = np.take_along_axis(grid, best[None], axis=0)[0]
                width /= 100
        return modes

    def moments(self) -> tuple[FloatArray, FloatArray]:
        """Return means and sds of the coordinates under their priors, both (F,); NaN where these are improper."""
        modes = self.modes()
        found = None
        if self.prior.proper:
            scan = modes[:, None] + np.linspace(-40.0, 40.0, 401)
            found = cover(lambda points: self.log_prior(points.T).T, scan)
        return found.moments() if found is not None else (np.full_like(modes, np.nan),) * 2

    def _log_slope(self, points: FloatArray) -> FloatArray:
        """Return the log of the parameter's derivative."""
        if self.real:
            return np.zeros_like(points) + np.log(self.unit)
        if self.unbounded:
            return points
        logistic = -np.logaddexp(0.0, points) - np.logaddexp(0.0, -points)
        return np.asarray(np.log(np.subtract(self.high, self.low)) + logistic)


def _infinite(bound: Number) -> bool:
    """Return whether a bound is infinite; asked so often that a single number is no array."""
    return isinf(bound) if isinstance(bound, float | int) else bool(np.all(np.isinf(bound)))


def scan_of(coordinate: Coordinate, typical: FloatArray) -> FloatArray:
    """Return the scan of coordinates (F, n): points between which their density is sought.

    Parameters
    ----------
    coordinate : Coordinate
        One, or F side by side.
    typical : (F,) array
        Sizes of the parameter that the data suggest; 0 for none.
    """
    modes = np.broadcast_to(coordinate.modes(), len(typical))
    low, high = modes - BESIDE, modes + BESIDE
    known = ((typical > 0) | coordinate.real) & np.isfinite(typical) & coordinate.unbounded
    at = coordinate.at(np.where(known, typical, 1.0))
    low = np.where(known, np.minimum(low, at - BELOW), low)
    high = np.where(known, np.maximum(high, at + ABOVE), high)
    count = int(np.max(high - low) / STEP) + 2
    return np.asarray(low[:, None] + (high - low)[:, None] * np.linspace(0, 1, count))


def coordinate(prior: Prior) -> Coordinate:
    """Return the coordinate of a positive parameter with `prior`."""
    low, high = prior.support
    return Coordinate(prior, max(low, 0.0), high)


def together(several: Sequence[Coordinate]) -> Coordinate:
    """Return coordinates whose priors have one distribution as one value."""
    if all(each is several[0] for each in several):
        return several[0]
    law = joined([each.prior for each in several], (len(several),))
    if law is None:
        raise BugError("the priors of these parameters have several distributions")
    low, high, unit = np.array([(each.low, each.high, each.unit) for each in several]).T
    return Coordinate(law, low, high, unit)


def alike(several: Sequence[Coordinate]) -> list[list[int]]:
    """Return the places of coordinates whose priors have one distribution, and that can be put `together`."""
    found: dict[tuple[str, bool, bool], list[int]] = {}
    for at, each in enumerate(several):
        found.setdefault((each.prior.distribution.name, each.unbounded, each.real), []).append(at)
    return list(found.values())


@dataclass(frozen=True, slots=True, eq=False)
class Derived:
    """A function of other parameters: ``inverse link(row @ coefficients + offset)``.

    Attributes
    ----------
    coefficients : slice
        Their places among the parameters phi.
    row : (c,) array
    offset : float
    link : Link
    """

    coefficients: slice
    row: FloatArray
    offset: float
    link: Link

    def value(self, values: FloatArray) -> FloatArray:
        """Return the parameter (...) from parameters phi (..., cells)."""
        eta = np.sum(values[..., self.coefficients] * self.row, axis=-1) + self.offset
        return np.asarray(self.link.inverse(NUMPY, eta))


type Cell = Coordinate | Derived | float
"""A parameter, what is computed from others, or the constant that the formula gives in its place."""


def cells(prior_: Prior, shape: tuple[int, ...]) -> tuple[Cell, ...]:
    """Return the parameters of a variable of that `shape` with `prior_`, whose arguments may differ by cell."""
    count = prod(shape)
    if prior_.constant is None and all(np.size(number) == 1 for number in prior_.numbers):
        return (coordinate(prior_),) * count
    each = [prior_.at(cell, shape) for cell in range(count)]
    return tuple(coordinate(own) if own.constant is None else float(own.constant) for own in each)


def partial_correlations(eta: float, columns: int) -> tuple[Cell, ...]:
    """Return the coordinates of an LKJ(eta) correlation: Beta variables, ``2 x - 1`` of which are partial correlations.

    They are those of ``compiler/pymc/pooling.py``, in its order.
    """
    shapes = [eta + (columns - 2 - j) / 2 for j in range(columns) for _ in range(j + 1, columns)]
    return tuple(coordinate(prior("beta", shape, shape)) for shape in shapes)


def correlation_root(shares: FloatArray, columns: int) -> FloatArray:
    """Return the lower Cholesky factor (..., p, p) of the correlation with Beta variables `shares` (..., pairs)."""
    root = np.zeros((*shares.shape[:-1], columns, columns))
    left = np.ones((*shares.shape[:-1], columns))  # what remains of each row's length 1
    pairs = ((j, i) for j in range(columns) for i in range(j + 1, columns))
    for position, (j, i) in enumerate(pairs):
        partial = 2 * shares[..., position] - 1
        root[..., i, j] = partial * np.sqrt(left[..., i])
        left[..., i] *= 4 * shares[..., position] * (1 - shares[..., position])  # 1 - partial^2, near 1 too
    for i in range(columns):
        root[..., i, i] = np.sqrt(left[..., i])
    return root


@dataclass(frozen=True, slots=True, eq=False)
class Scales:
    """All parameters phi, including constants and what is computed from others.

    Attributes
    ----------
    cells : tuple of Cell
        The parameters in the order in which they are read.
    """

    cells: tuple[Cell, ...]

    @property
    def coordinates(self) -> tuple[Coordinate, ...]:
        """The parameters that are neither constant nor computed: d of them."""
        return tuple(cell for cell in self.cells if isinstance(cell, Coordinate))

    def coordinate(self, at: int) -> Coordinate:
        """Return the parameter at a place, which is neither constant nor computed."""
        cell = self.cells[at]
        assert isinstance(cell, Coordinate)
        return cell

    def values(self, points: FloatArray) -> FloatArray:
        """Return all parameters (..., cells) at points (..., d)."""
        out, free = np.empty((*points.shape[:-1], len(self.cells))), 0
        for position, cell in enumerate(self.cells):
            if isinstance(cell, Coordinate):
                out[..., position] = cell.value(points[..., free])
                free += 1
            elif not isinstance(cell, Derived):
                out[..., position] = cell
        for position, cell in enumerate(self.cells):
            if isinstance(cell, Derived):
                out[..., position] = cell.value(out)
        return out

    def points(self, values: FloatArray) -> FloatArray:
        """Return the coordinates (..., d) of parameters (..., cells)."""
        free = [(at, cell) for at, cell in enumerate(self.cells) if isinstance(cell, Coordinate)]
        return np.stack([cell.at(values[..., at]) for at, cell in free], axis=-1)

    def log_prior(self, points: FloatArray) -> FloatArray:
        """Return the log prior density (...) of points (..., d) on the real line."""
        return sum_of(
            [cell.log_prior(points[..., at]) for at, cell in enumerate(self.coordinates)], points.shape[:-1]
        )


def sum_of(parts: Sequence[FloatArray], shape: tuple[int, ...]) -> FloatArray:
    """Return the sum of arrays; zeros of `shape` for an empty sequence."""
    return np.asarray(sum(parts, np.zeros(shape)))
