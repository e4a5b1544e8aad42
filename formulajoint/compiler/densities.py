"""Log densities of the priors of scales, in SciPy: for quadrature, where PyMC is not needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from scipy import stats

from formulajoint.compiler.priors import Prior
from formulajoint.design.schema import FloatArray
from formulajoint.errors import BugError

LOG_DENSITIES: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "half_normal": lambda x, sigma: stats.halfnorm.logpdf(x, scale=sigma),
        "half_cauchy": lambda x, beta: stats.halfcauchy.logpdf(x, scale=beta),
        "half_student_t": lambda x, nu, sigma: np.log(2) + stats.t.logpdf(x, nu, scale=sigma),
        "exponential": lambda x, lam: stats.expon.logpdf(x, scale=1 / lam),
        "gamma": lambda x, alpha, beta: stats.gamma.logpdf(x, alpha, scale=1 / beta),
        "inverse_gamma": lambda x, alpha, beta: stats.invgamma.logpdf(x, alpha, scale=beta),
        "log_normal": lambda x, mu, sigma: stats.lognorm.logpdf(x, sigma, scale=np.exp(mu)),
        "beta": lambda x, alpha, beta: stats.beta.logpdf(x, alpha, beta),
        "uniform": lambda x, lower, upper: stats.uniform.logpdf(x, lower, upper - lower),
    }
)
"""Prior name -> log density at x > 0, with the arguments that the language gives it."""


def log_density(prior: Prior, x: FloatArray) -> FloatArray:
    """Return the log density of a proper prior of a scale at `x`."""
    density = LOG_DENSITIES.get(prior.law)
    if density is None:
        raise BugError(f"{prior} is no prior of a scale with a density")
    return np.asarray(density(x, **prior.args))


def support(prior: Prior) -> tuple[float, float]:
    """Return the interval on which the density of a proper prior of a scale is above zero."""
    match prior.law:
        case "uniform":
            return float(prior.args["lower"]), float(prior.args["upper"])
        case "beta":
            return 0.0, 1.0
    return 0.0, np.inf
