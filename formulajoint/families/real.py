"""Families of a response that can be any number, besides the Gaussian one."""

from __future__ import annotations

from typing import Any

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.distributions.declared import STUDENT_T
from formulajoint.distributions.distribution import REAL
from formulajoint.distributions.links import IDENTITY, LOG
from formulajoint.distributions.prior import prior
from formulajoint.families.likelihood import Likelihood, Parameter, likelihood
from formulajoint.families.parameters import MU, SIGMA, scale
from formulajoint.families.smooth import Mean, Smooth, gamma_ln, log_normal_share
from formulajoint.families.tails import OF_LOCATIONS

NU = Parameter("nu", LOG, (), "degrees of freedom", lambda sd: prior("gamma", 2.0, 0.1))

ALPHA = Parameter("alpha", IDENTITY, (), "skewness", lambda sd: prior("normal", 0.0, 4.0))
"""Zero for a normal distribution."""


def _far(y: FloatArray, n: FloatArray, mean: Mean, sigma: FloatArray, nu: FloatArray) -> FloatArray:
    known = gamma_ln((nu + 1) / 2) - gamma_ln(nu / 2) - 0.5 * np.log(np.pi * nu) - np.log(sigma)
    return known - (nu + 1) / 2 * np.log1p(((y - mean.predictor) / sigma) ** 2 / nu)


STUDENT = Likelihood(
    "student",
    STUDENT_T,
    (MU, SIGMA, NU),
    spread="sigma",
    improper=True,
    smooth=Smooth(_far, (IDENTITY,), unit=lambda sigma, nu: sigma, scale="sigma", rounded="nu"),
)

LAPLACE = likelihood(
    "laplace",
    REAL,
    (MU, SIGMA),
    pymc=lambda pm, mu, sigma: pm.Laplace.dist(mu, sigma),
    scipy=lambda stats, mu, sigma: stats.laplace(mu, sigma),
    spread="sigma",
    tails=OF_LOCATIONS,
)


def _skewed(mu: Any, sigma: Any, alpha: Any) -> dict[str, Any]:
    """Return location and scale of the skew normal distribution with mean `mu` and sd `sigma` (Azzalini 1985)."""
    delta = alpha / (1 + alpha**2) ** 0.5
    omega = sigma / (1 - 2 * delta**2 / np.pi) ** 0.5
    return {"loc": mu - omega * delta * np.sqrt(2 / np.pi), "scale": omega}


def _skew_normal(pm: Any, mu: Any, sigma: Any, alpha: Any) -> Any:
    own = _skewed(mu, sigma, alpha)
    return pm.SkewNormal.dist(mu=own["loc"], sigma=own["scale"], alpha=alpha)


def _lopsided(y: FloatArray, n: FloatArray, mean: Mean, sigma: FloatArray, alpha: FloatArray) -> FloatArray:
    own = _skewed(mean.predictor, sigma, alpha)
    away = (y - own["loc"]) / own["scale"]
    known = 0.5 * np.log(2 / np.pi) - np.log(own["scale"])
    return np.asarray(known - 0.5 * away**2 + log_normal_share(alpha * away))


SKEW_NORMAL = likelihood(
    "skew_normal",
    REAL,
    (MU, Parameter("sigma", LOG, (), "residual sd", scale), ALPHA),
    pymc=_skew_normal,
    scipy=lambda stats, mu, sigma, alpha: stats.skewnorm(alpha, **_skewed(mu, sigma, alpha)),
    spread="sigma",
    smooth=Smooth(_lopsided, (IDENTITY,), one_peak=True, unit=lambda sigma, alpha: sigma, scale="sigma"),
    tails=OF_LOCATIONS,
)
