"""Priors as values: a distribution with its numbers, printable, without PyMC."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.distributions.declared import CONSTANT, DISTRIBUTIONS, INVERSE, NORMAL
from formulajoint.distributions.distribution import Distribution, Interval, Number
from formulajoint.errors import BugError

DEFAULT, WRITTEN, FLAT = "default", "formula", "flat"

MOST_NUMBERS = 4
"""Of more numbers in an argument, the range is printed."""


class Mixture(NamedTuple):
    """A normal distribution with its scale mixed; with infinite degrees of freedom it is the normal itself."""

    location: Number
    scale: Number
    df: Number


@dataclass(frozen=True, slots=True, eq=False)
class Prior:
    """The prior of one variable.

    Attributes
    ----------
    distribution : Distribution
    args : mapping of str to float or array
        Arguments by name. An array has one value per column of the term or, with the groups first, one per group and
        column: it can be broadcast to the shape of the variable.
    origin : {"default", "formula", "flat"}
        Source: the default rule, the formula, or priors="flat".
    in_sds : bool
        Whether it is the prior of a coefficient in units of the residual sd, ``scale=sigma``.
    """

    distribution: Distribution
    args: Mapping[str, Number] = field(default_factory=dict)
    origin: str = DEFAULT
    in_sds: bool = False

    @property
    def numbers(self) -> tuple[Number, ...]:
        """The arguments in the distribution's order."""
        return tuple(self.args[name] for name in self.distribution.args)

    @property
    def proper(self) -> bool:
        """Whether the density integrates to one."""
        return self.distribution.proper

    @property
    def constant(self) -> Number | None:
        """The value of a parameter that is fixed, else None."""
        return self.args["value"] if self.distribution is CONSTANT else None

    @property
    def normal(self) -> tuple[Number, Number] | None:
        """Mean and sd of a normal prior in units of the response, else None."""
        known = self.distribution is NORMAL and not self.in_sds
        return (self.args["mu"], self.args["sigma"]) if known else None

    @property
    def mixture(self) -> Mixture | None:
        """The prior as a mixture of normals, flat and constant ones included; None if it is none."""
        made = self.distribution.normal_mixture
        return None if made is None else Mixture(*made(*self.numbers))

    @property
    def sd(self) -> Number | None:
        """The sd of a normal prior, or of the normal that a half normal prior is half of; else None."""
        return None if self.in_sds else self.args.get(self.distribution.sd)

    @property
    def support(self) -> Interval:
        """The interval of positive density; the arguments must be numbers, not arrays."""
        found = self.distribution.support
        return found(*self.numbers) if callable(found) else found

    @property
    def typical(self) -> float | None:
        """The prior's mean, mode or median, or a half prior's scale; None if it has no such value."""
        found = self.distribution.typical
        return None if found is None else float(found(*self.numbers))

    @property
    def power_at_zero(self) -> float:
        """a, for a density of a positive number x that behaves as x^(a - 1) near zero."""
        return self.distribution.power_at_zero(*self.numbers)

    @property
    def moments(self) -> float:
        """The order below which all moments exist."""
        return float(np.min(self.distribution.moments(*self.numbers)))

    def fits(self, low: float, high: float) -> bool:
        """Return whether all values of the prior are between `low` and `high`; an improper prior adapts itself."""
        own_low, own_high = self.support
        if self.constant is not None:
            return low < own_low and own_high < high
        return not self.proper or (low <= own_low and own_high <= high)

    def log_density(self, x: FloatArray) -> FloatArray:
        """Return the log density at `x`; that of an improper prior up to a constant."""
        density = self.distribution.log_density
        if density is None:
            raise BugError(f"{self} has no density")
        with np.errstate(all="ignore"):
            found = np.asarray(density(x, *self.numbers))
        return np.where(np.isnan(found) & ~np.isnan(x), -np.inf, found)  # NaN arises at 0 and infinity

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
        """Return draws of a proper prior in an array of `shape`, whose last axis runs over the values of arrays."""
        draw = self.distribution.draw
        if draw is None:
            raise BugError(f"{self} cannot be drawn from")
        flat = [np.ravel(v) if isinstance(v, np.ndarray) else v for v in self.numbers]
        return np.asarray(draw(rng, shape, *flat))

    def widened(self, factor: float) -> Prior | None:
        """Return the prior with its scale multiplied by `factor`, or None if it has no scale."""
        if factor == 1:
            return self
        widened = self.distribution.widened
        return None if widened is None else self._with(widened(factor, *self.numbers))

    def rescaled(self, unit: Any) -> Prior:
        """Return the prior of `unit`, numbers or a variable of PyMC, times a number with this one."""
        made = self.distribution.rescaled
        if made is None:
            raise BugError(f"{self} has no unit")
        return replace(self._with(map(_if_numbers, made(unit, *self.numbers))), in_sds=False)

    def shaped(self, shape: tuple[int, ...]) -> Prior:
        """Return the prior with its arrays reshaped from (k,) or (G, k) to the term's `shape` or (G, *shape)."""
        return self._with(
            v.reshape(*v.shape[:-1], *shape) if isinstance(v, np.ndarray) else v for v in self.numbers
        )

    def at(self, cells: int | IntArray, shape: tuple[int, ...]) -> Prior:
        """Return the prior of one cell, or of several, of a variable of that `shape`."""
        if not any(isinstance(v, np.ndarray) for v in self.numbers):
            return self
        where = np.unravel_index(cells, shape)
        return self._with(
            np.broadcast_to(v, shape)[where] if isinstance(v, np.ndarray) else v for v in self.numbers
        )

    def _with(self, numbers: Iterable[Number]) -> Prior:
        return replace(self, args=dict(zip(self.distribution.args, numbers, strict=True)))

    def of(self, name: str) -> str:
        """Return the prior of the variable `name` as text."""
        if self.distribution is INVERSE:
            return f"1/{name}"
        unit = ["scale=sigma"] if self.in_sds else []
        return f"{self.distribution.name}({', '.join([*map(_number, self.numbers), *unit])})"

    def __str__(self) -> str:
        return self.of("x")


def prior(law: str, *values: Number, origin: str = DEFAULT) -> Prior:
    """Return the prior `law` with `values` as its arguments in order; an array of equal values becomes one number."""
    distribution = DISTRIBUTIONS[law]
    args = dict(zip(distribution.args, (_simplest(value) for value in values), strict=True))
    return Prior(distribution, args, origin)


def _if_numbers(value: Any) -> Any:
    return _simplest(value) if isinstance(value, float | np.ndarray) else value


def _simplest(value: Number) -> Number:
    array = np.asarray(value, dtype=float)
    return float(array.flat[0]) if np.all(array == array.flat[0]) else array


def joined(priors: Sequence[Prior], shape: tuple[int, ...]) -> Prior | None:
    """Return the prior of a variable of that `shape` from those of its cells; None if their distributions differ."""
    first = priors[0]
    if any((each.distribution, each.in_sds) != (first.distribution, first.in_sds) for each in priors):
        return None
    numbers = np.array([each.numbers for each in priors], dtype=float).reshape(len(priors), -1)
    columns = [
        column.reshape(shape) if np.any(column != column[0]) else float(column[0]) for column in numbers.T
    ]
    origins = {each.origin for each in priors}
    origin = WRITTEN if WRITTEN in origins else first.origin
    args = dict(zip(first.distribution.args, columns, strict=True))
    return Prior(first.distribution, args, origin, first.in_sds)


def _number(value: Number) -> str:
    if not isinstance(value, np.ndarray) or not value.ndim:
        return f"{value:.4g}"
    if value.size > MOST_NUMBERS:
        return f"{np.min(value):.4g} to {np.max(value):.4g}"
    return f"[{', '.join(map(_number, value))}]"
