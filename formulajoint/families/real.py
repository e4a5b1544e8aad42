"""Families of a response that can be any number."""

from __future__ import annotations

from typing import Any

import numpy as np

from formulajoint.distributions.declared import NORMAL, STUDENT_T
from formulajoint.distributions.distribution import REAL
from formulajoint.distributions.links import IDENTITY, LOG
from formulajoint.distributions.prior import FLAT, prior
from formulajoint.families.likelihood import Likelihood, Parameter, likelihood
from formulajoint.families.parameters import MU, SIGMA, scale

SD = Parameter("sigma", LOG, (), "residual sd", scale, prior("inverse", origin=FLAT))

NU = Parameter("nu", LOG, (), "degrees of freedom", lambda sd: prior("gamma", 2.0, 0.1))

ALPHA = Parameter("alpha", IDENTITY, (), "skewness", lambda sd: prior("normal", 0.0, 4.0))
"""Zero for a normal distribution."""

GAUSSIAN = Likelihood("gaussian", NORMAL, (MU, SD), spread="sigma", sums=True, improper=True)

STUDENT = Likelihood("student", STUDENT_T, (MU, SIGMA, NU), spread="sigma", improper=True)

LAPLACE = likelihood(
    "laplace",
    REAL,
    (MU, SIGMA),
    pymc=lambda pm, mu, sigma: pm.Laplace.dist(mu, sigma),
    scipy=lambda stats, mu, sigma: stats.laplace(mu, sigma),
    spread="sigma",
)


def _skewed(mu: Any, sigma: Any, alpha: Any) -> dict[str, Any]:
    """Return location and scale of the skew normal distribution with mean `mu` and sd `sigma` (Azzalini 1985)."""
    delta = alpha / (1 + alpha**2) ** 0.5
    omega = sigma / (1 - 2 * delta**2 / np.pi) ** 0.5
    return {"loc": mu - omega * delta * np.sqrt(2 / np.pi), "scale": omega}


def _skew_normal(pm: Any, mu: Any, sigma: Any, alpha: Any) -> Any:
    own = _skewed(mu, sigma, alpha)
    return pm.SkewNormal.dist(mu=own["loc"], sigma=own["scale"], alpha=alpha)


SKEW_NORMAL = likelihood(
    "skew_normal",
    REAL,
    (MU, Parameter("sigma", LOG, (), "residual sd", scale), ALPHA),
    pymc=_skew_normal,
    scipy=lambda stats, mu, sigma, alpha: stats.skewnorm(alpha, **_skewed(mu, sigma, alpha)),
    spread="sigma",
)
