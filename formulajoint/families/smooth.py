"""Likelihoods whose log density is a smooth function of the linear predictor, in NumPy: no derivatives are needed.

An exact engine takes any such family, with the links that it names (``inference/groupwise/``): the integral over a
group's coefficients is taken about the mode of their density, and where that is need not be known to all digits. A
family whose densities take long may declare derivatives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.distributions.links import CLOGLOG, IDENTITY, LOG, LOGIT, NUMPY, PROBIT, Link


class Mean(NamedTuple):
    """The mean as a function of the linear predictor, by a link; a mean between 0 and 1 keeps its digits at both ends.

    Attributes
    ----------
    link : Link
    predictor : array
    """

    link: Link
    predictor: FloatArray

    @property
    def value(self) -> FloatArray:
        """The mean."""
        return np.asarray(self.link.inverse(NUMPY, self.predictor))

    @property
    def log(self) -> FloatArray:
        """The log of the mean."""
        if self.link is LOG:
            return self.predictor
        if self.link is LOGIT:
            return -softplus(-self.predictor)
        if self.link is PROBIT:
            return log_normal_share(self.predictor)
        if self.link is CLOGLOG:
            return np.log(-np.expm1(-np.exp(self.predictor)))
        return np.log(self.value)

    @property
    def log_rest(self) -> FloatArray:
        """The log of one less the mean."""
        if self.link is LOGIT:
            return -softplus(self.predictor)
        if self.link is PROBIT:
            return log_normal_share(-self.predictor)
        if self.link is CLOGLOG:
            return -np.exp(self.predictor)
        return np.log1p(-self.value)


def softplus(e: FloatArray) -> FloatArray:
    """Return log(1 + exp(e)); NumPy's ``logaddexp`` takes ten times as long."""
    return np.asarray(np.maximum(e, 0.0) + np.log1p(np.exp(-abs(e))))


def log_normal_share(e: FloatArray) -> FloatArray:
    """Return the log of the share of a standard normal distribution below e."""
    from scipy.special import log_ndtr  # the exact engine of one factor loads no SciPy

    return np.asarray(log_ndtr(e))


def normal_share(e: FloatArray) -> FloatArray:
    """Return the share of a standard normal distribution below e."""
    from scipy.special import ndtr

    return np.asarray(ndtr(e))


def gamma_ln(x: FloatArray) -> FloatArray:
    """Return the log of the gamma function, of many numbers: SciPy's, which takes less time than our own."""
    from scipy.special import gammaln

    return np.asarray(gammaln(x))


type LogDensity = Callable[..., FloatArray]
"""``(y, n, mean, *further)``: the log density at responses y, in n trials, for a `Mean` and the further parameters."""


class Bent(NamedTuple):
    """Log densities, their derivatives by the linear predictor, and minus their second derivatives."""

    logs: FloatArray
    away: FloatArray
    weight: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Smooth:
    """A likelihood of this form.

    Attributes
    ----------
    log_density : LogDensity
        Of arrays that broadcast. It may be minus infinity, or NaN where it is not defined.
    links : tuple of Link
        Links of the mean with which it has this form: any linear predictor gives a density above zero.
    one_peak : bool
        Whether it is log-concave in the linear predictor, so that coefficients have one mode.
    unit : callable or None
        ``(*further)``: over what distance of the linear predictor the density bends; None for one.
    scale : str
        Name of the further parameter in units of the linear predictor; empty if there is none.
    rounded : str
        Name of the further parameter of which very large values cost digits; empty if there is none.
    cost : float
        What a log density and its derivatives cost, in those of an affine family (``affine.py``).
    bent : callable or None
        As `log_density`, with derivatives (`Bent`); None where they are differences.
    of_extension : bool
        Whether an extension declares the density, which is then compared with that of its distribution in PyMC.
    """

    log_density: LogDensity
    links: tuple[Link, ...]
    one_peak: bool = False
    unit: Callable[..., FloatArray] | None = None
    scale: str = ""
    rounded: str = ""
    cost: float = 5.0
    bent: Callable[..., Bent] | None = None
    of_extension: bool = False


CHANCES = (LOGIT, PROBIT, CLOGLOG)
"""Links of a chance."""

UNBOUNDED = (IDENTITY, LOG, *CHANCES)
"""Links with which a linear predictor may be any number."""
