"""Likelihoods whose log density is affine in the linear predictor and in one convex function of it.

    log p(y | eta) = a e - c A(e) + constant,     e = sign eta - shift

with a, c, the shift and the constant functions of the response and of the family's further parameter, if it has one,
but not of eta. Sums over rows with the same eta are again of this form, and the integral over a group's coefficients
has one peak. An exact engine needs no more than this of a family (``inference/groupwise/``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from formulajoint.arrays import Array, FloatArray
from formulajoint.distributions.links import LOG, LOGIT, Link
from formulajoint.families.log_gamma import log_gamma, log_rising


class Counts(NamedTuple):
    """a = a0 + s a1 and c = c0 + s c1, where s is the family's further parameter; each (N,)."""

    a0: FloatArray
    a1: FloatArray
    c0: FloatArray
    c1: FloatArray


class Convex(NamedTuple):
    """A convex function A with ``|A'''| <= A''``, of arrays of a library `xp` with the names of the array API standard.

    Attributes
    ----------
    value : callable
        A, of ``(e, xp)``.
    slopes : callable
        The first and the second derivative, of ``(e, xp)``.
    """

    value: Callable[[Array, Any], Array]
    slopes: Callable[[Array, Any], tuple[Array, Array]]


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """A likelihood of this form.

    Attributes
    ----------
    link : Link
        The link of the mean with which it has this form.
    convex : Convex
    counts : callable
        ``(y, n)``: of rows with responses y in n trials; only families of successes among trials use n.
    constant : callable
        ``(y, n, s)``, which are arrays that broadcast; s is 1 where the family has no further parameter.
    sign : float
        -1 where e is minus the linear predictor.
    shift : callable or None
        ``(s)``: what is subtracted from the linear predictor.
    rounded : str
        Name of the further parameter of which very large values cost digits; empty if there is none.
    """

    link: Link
    convex: Convex
    counts: Callable[[FloatArray, FloatArray], Counts]
    constant: Callable[[FloatArray, FloatArray, FloatArray], FloatArray]
    sign: float = 1.0
    shift: Callable[[FloatArray], FloatArray] | None = None
    rounded: str = ""


def _softplus(e: Array, xp: Any) -> Array:
    none = xp.zeros_like(e[..., :1])  # not all libraries compare with a number
    return xp.maximum(e, none) + xp.log1p(xp.exp(-abs(e)))


def _softplus_slopes(e: Array, xp: Any) -> tuple[Array, Array]:
    slope = xp.exp(-e)  # it may be infinite
    slope += 1
    slope = 1 / slope
    return slope, slope - slope**2


def _exp(e: Array, xp: Any) -> Array:
    return xp.exp(e)


def _exp_slopes(e: Array, xp: Any) -> tuple[Array, Array]:
    out = xp.exp(e)
    return out, out


SOFTPLUS = Convex(_softplus, _softplus_slopes)
EXP = Convex(_exp, _exp_slopes)


def _none(y: FloatArray) -> FloatArray:
    return np.zeros_like(y)


def _all(y: FloatArray) -> FloatArray:
    return np.ones_like(y)


OF_EVENTS = Affine(
    LOGIT,
    SOFTPLUS,
    lambda y, n: Counts(y, _none(y), n, _none(y)),
    lambda y, n, s: log_gamma(n + 1) - log_gamma(y + 1) - log_gamma(n - y + 1) + 0 * s,
)
"""An event is a success in one trial."""

OF_RATES = Affine(
    LOG, EXP, lambda y, n: Counts(y, _none(y), _all(y), _none(y)), lambda y, n, s: -log_gamma(y + 1) + 0 * s
)

OF_DISPERSED_RATES = Affine(
    LOG,
    SOFTPLUS,
    lambda y, n: Counts(y, _none(y), y, _all(y)),
    lambda y, n, s: log_rising(s, y) - log_gamma(y + 1),
    shift=np.log,
)
"""The further parameter is the shape: the variance is mu + mu^2 / shape."""

OF_AMOUNTS = Affine(
    LOG,
    EXP,
    lambda y, n: Counts(_none(y), _all(y), _none(y), y),
    lambda y, n, s: s * np.log(s) - log_gamma(s) + (s - 1) * np.log(y),
    sign=-1.0,
    rounded="shape",
)
"""The further parameter is the shape of a gamma distribution."""

OF_WAITING_TIMES = Affine(
    LOG,
    EXP,
    lambda y, n: Counts(_all(y), _none(y), y, _none(y)),
    lambda y, n, s: np.zeros_like(y * s),
    sign=-1.0,
)
