"""Log densities of the priors of scales, in NumPy: for quadrature without PyMC."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import lgamma
from types import MappingProxyType
from typing import Any

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.distributions.prior import Prior
from formulajoint.errors import BugError

LOG_2_PI = float(np.log(2 / np.pi))


def _half_student_t(x: FloatArray, nu: float, sigma: float) -> FloatArray:
    constant = np.log(2 / sigma) + lgamma((nu + 1) / 2) - lgamma(nu / 2) - np.log(nu * np.pi) / 2
    return np.asarray(constant - (nu + 1) / 2 * np.log1p((x / sigma) ** 2 / nu))


def _log_normal(x: FloatArray, mu: float, sigma: float) -> FloatArray:
    return np.asarray(-np.log(x * sigma) - np.log(2 * np.pi) / 2 - ((np.log(x) - mu) / sigma) ** 2 / 2)


def _beta(x: FloatArray, alpha: float, beta: float) -> FloatArray:
    ends = _times(alpha - 1, np.log(x)) + _times(beta - 1, np.log1p(-np.minimum(x, 1.0)))
    return np.where(x <= 1, ends + lgamma(alpha + beta) - lgamma(alpha) - lgamma(beta), -np.inf)


def _times(power: float, logs: FloatArray) -> FloatArray:
    """Return ``power * logs``, with 0 * log(0) = 0."""
    return power * logs if power else np.zeros_like(logs)


LOG_DENSITIES: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "half_normal": lambda x, sigma: LOG_2_PI / 2 - np.log(sigma) - (x / sigma) ** 2 / 2,
        "half_cauchy": lambda x, beta: LOG_2_PI - np.log(beta) - np.log1p((x / beta) ** 2),
        "half_student_t": _half_student_t,
        "exponential": lambda x, lam: np.log(lam) - lam * x,
        "gamma": lambda x, alpha, beta: (
            alpha * np.log(beta) - lgamma(alpha) + _times(alpha - 1, np.log(x)) - beta * x
        ),
        "inverse_gamma": lambda x, alpha, beta: (
            alpha * np.log(beta) - lgamma(alpha) - (alpha + 1) * np.log(x) - beta / x
        ),
        "log_normal": _log_normal,
        "beta": _beta,
        "uniform": lambda x, lower, upper: np.where(
            (lower <= x) & (x <= upper), -np.log(upper - lower), -np.inf
        ),
    }
)
"""Prior name -> log density at x > 0, with the argument names of formulas."""


def log_density(prior: Prior, x: FloatArray) -> FloatArray:
    """Return the log density at `x` of a proper prior of a scale."""
    density = LOG_DENSITIES.get(prior.law)
    if density is None:
        raise BugError(f"{prior} is no prior of a scale with a density")
    with np.errstate(all="ignore"):
        found = np.asarray(density(x, **prior.args))
    return np.where(np.isnan(found) & ~np.isnan(x), -np.inf, found)  # NaN arises at 0 and infinity


def support(prior: Prior) -> tuple[float, float]:
    """Return the interval in which a proper prior of a scale has positive density."""
    match prior.law:
        case "uniform":
            return float(prior.args["lower"]), float(prior.args["upper"])
        case "beta":
            return 0.0, 1.0
    return 0.0, np.inf
