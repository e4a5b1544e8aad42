"""A distribution of one number as a value: everything that priors and likelihoods ask of it, with NumPy only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from formulajoint.arrays import FloatArray

type Number = float | FloatArray
type Interval = tuple[float, float]

REAL: Interval = (-np.inf, np.inf)
POSITIVE: Interval = (0.0, np.inf)
SHARE: Interval = (0.0, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """A distribution; every function takes its arguments in the order of `args`.

    Attributes
    ----------
    name : str
        As formulas write it.
    args : tuple of str
        Names of its arguments, in the order in which formulas write them; PyMC has the same names.
    support : tuple of float, or callable
        Interval of positive density, or the function from the arguments to it.
    pymc : callable or None
        From the module ``pymc`` to the distribution's class, so that PyMC is loaded by those who build models only.
    log_density : callable or None
        ``(x, *args)``: the log density at x; of an improper one, up to a constant.
    draw : callable or None
        ``(rng, shape, *args)``: draws in an array of that shape.
    widened : callable or None
        ``(factor, *args)``: the arguments of the distribution `factor` times as wide; a location stays where it is.
    rescaled : callable or None
        ``(unit, *args)``: the arguments of the distribution of `unit` times a number with this one.
    typical : callable or None
        ``(*args)``: its mean, mode or median; of a half distribution its scale.
    power_at_zero : callable
        ``(*args)``: a, for a density of positive numbers that behaves as x^(a - 1) near zero.
    moments : callable
        ``(*args)``: the order below which all moments exist.
    normal_mixture : callable or None
        ``(*args)``: location, scale and degrees of freedom of a normal distribution with that scale mixed, where it is
        one: infinite degrees of freedom are a normal, scale infinity is flat, scale 0 a constant.
    sd : str
        Name of the argument that is the sd of a normal distribution, or of the normal that was halved.
    scipy : callable or None
        ``(scipy.stats, *args)``: the distribution in SciPy, for probabilities of intervals of coefficients.
    whole : bool
        Whether its values are whole numbers, the ends of the support included.
    zeros : bool
        Whether zero, the lower end of the support, has a probability above zero.
    proper : bool
        Whether the density integrates to one; an improper one is so on its parameter's own support.
    matrix : bool
        Whether it is a distribution of correlation matrices.
    """

    name: str
    args: tuple[str, ...]
    support: Interval | Callable[..., Interval]
    pymc: Callable[[Any], Any] | None = None
    log_density: Callable[..., Any] | None = None
    draw: Callable[..., Any] | None = None
    widened: Callable[..., tuple[Any, ...]] | None = None
    rescaled: Callable[..., tuple[Any, ...]] | None = None
    typical: Callable[..., float] | None = None
    power_at_zero: Callable[..., float] = lambda *_: 1.0
    moments: Callable[..., Number] = lambda *_: np.inf
    normal_mixture: Callable[..., tuple[Number, Number, Number]] | None = None
    sd: str = ""
    scipy: Callable[..., Any] | None = None
    whole: bool = False
    zeros: bool = False
    proper: bool = True
    matrix: bool = False

    @property
    def _bounds(self) -> Interval:
        return REAL if callable(self.support) else self.support

    def takes(self, values: FloatArray) -> NDArray[np.bool_]:
        """Return which values can occur, for a distribution whose support does not depend on its arguments."""
        low, high = self._bounds
        if self.whole:
            inside = (low <= values) & (values <= high) & (values == np.floor(values))
        else:
            inside = ((low < values) | (self.zeros & (values == low))) & (values < high)
        return np.asarray(inside, dtype=np.bool_)

    @property
    def values(self) -> str:
        """The values that can occur, as a phrase: ``above 0 and below 1``, ``of whole numbers from 0``."""
        low, high = self._bounds
        if self.whole:
            return f"of whole numbers from {low:g}" + (f" to {high:g}" if np.isfinite(high) else "")
        bounds = [f"{'from' if self.zeros else 'above'} {low:g}"] if np.isfinite(low) else []
        bounds += [f"below {high:g}"] if np.isfinite(high) else []
        return " and ".join(bounds)
