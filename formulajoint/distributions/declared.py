"""The distributions that a prior may have, each declared once."""

from __future__ import annotations

from collections.abc import Mapping
from math import lgamma, log
from types import MappingProxyType
from typing import Any

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.distributions.distribution import POSITIVE, REAL, SHARE, Distribution
from formulajoint.language.vocabulary import core

LOG_2_PI = float(np.log(2 / np.pi))


def _distribution(name: str, **known: Any) -> Distribution:
    """Return a distribution with the arguments that formulas give it."""
    written = core.DISTRIBUTIONS.get(name)
    return Distribution(name, tuple(slot.name for slot in written.positional) if written else (), **known)


# --- real numbers

NORMAL = _distribution(
    "normal",
    support=REAL,
    pymc=lambda pm: pm.Normal,
    log_density=lambda x, mu, sigma: -np.log(sigma) - np.log(2 * np.pi) / 2 - ((x - mu) / sigma) ** 2 / 2,
    draw=lambda rng, shape, mu, sigma: mu + sigma * rng.standard_normal(shape),
    widened=lambda factor, mu, sigma: (mu, sigma * factor),
    rescaled=lambda unit, mu, sigma: (unit * mu, unit * sigma),
    typical=lambda mu, sigma: mu,
    normal_mixture=lambda mu, sigma: (mu, sigma, np.inf),
    sd="sigma",
    scipy=lambda stats, mu, sigma: stats.norm(mu, sigma),
)


def _log_gamma(x: Any) -> Any:
    """Return log Gamma of a number, or of an array of them."""
    return (
        lgamma(x)
        if np.ndim(x) == 0
        else np.array([lgamma(each) for each in np.ravel(x)]).reshape(np.shape(x))
    )


def _student_t(x: FloatArray, nu: float, mu: float, sigma: float) -> FloatArray:
    constant = -np.log(sigma) + _log_gamma((nu + 1) / 2) - _log_gamma(nu / 2) - np.log(nu * np.pi) / 2
    return np.asarray(constant - (nu + 1) / 2 * np.log1p(((x - mu) / sigma) ** 2 / nu))


STUDENT_T = _distribution(
    "student_t",
    support=REAL,
    pymc=lambda pm: pm.StudentT,
    log_density=_student_t,
    draw=lambda rng, shape, nu, mu, sigma: mu + sigma * rng.standard_t(nu, shape),
    widened=lambda factor, nu, mu, sigma: (nu, mu, sigma * factor),
    rescaled=lambda unit, nu, mu, sigma: (nu, unit * mu, unit * sigma),
    typical=lambda nu, mu, sigma: mu,
    normal_mixture=lambda nu, mu, sigma: (mu, sigma, nu),
    moments=lambda nu, mu, sigma: nu,
    scipy=lambda stats, nu, mu, sigma: stats.t(nu, mu, sigma),
)

CAUCHY = _distribution(
    "cauchy",
    support=REAL,
    pymc=lambda pm: pm.Cauchy,
    log_density=lambda x, alpha, beta: -np.log(np.pi * beta) - np.log1p(((x - alpha) / beta) ** 2),
    draw=lambda rng, shape, alpha, beta: alpha + beta * rng.standard_cauchy(shape),
    widened=lambda factor, alpha, beta: (alpha, beta * factor),
    rescaled=lambda unit, alpha, beta: (unit * alpha, unit * beta),
    typical=lambda alpha, beta: alpha,
    normal_mixture=lambda alpha, beta: (alpha, beta, 1.0),
    moments=lambda alpha, beta: 1.0,
    scipy=lambda stats, alpha, beta: stats.cauchy(alpha, beta),
)

LAPLACE = _distribution(
    "laplace",
    support=REAL,
    pymc=lambda pm: pm.Laplace,
    log_density=lambda x, mu, b: -np.log(2 * b) - abs(x - mu) / b,
    draw=lambda rng, shape, mu, b: mu + b * rng.laplace(size=shape),
    widened=lambda factor, mu, b: (mu, b * factor),
    rescaled=lambda unit, mu, b: (unit * mu, unit * b),
    typical=lambda mu, b: mu,
    scipy=lambda stats, mu, b: stats.laplace(mu, b),
)

# --- positive numbers

HALF_NORMAL = _distribution(
    "half_normal",
    support=POSITIVE,
    pymc=lambda pm: pm.HalfNormal,
    log_density=lambda x, sigma: LOG_2_PI / 2 - np.log(sigma) - (x / sigma) ** 2 / 2,
    draw=lambda rng, shape, sigma: sigma * abs(rng.standard_normal(shape)),
    widened=lambda factor, sigma: (sigma * factor,),
    rescaled=lambda unit, sigma: (unit * sigma,),
    typical=lambda sigma: sigma,
    sd="sigma",
)

HALF_CAUCHY = _distribution(
    "half_cauchy",
    support=POSITIVE,
    pymc=lambda pm: pm.HalfCauchy,
    log_density=lambda x, beta: LOG_2_PI - np.log(beta) - np.log1p((x / beta) ** 2),
    draw=lambda rng, shape, beta: beta * abs(rng.standard_cauchy(shape)),
    widened=lambda factor, beta: (beta * factor,),
    rescaled=lambda unit, beta: (unit * beta,),
    typical=lambda beta: beta,
    moments=lambda beta: 1.0,
)


def _half_student_t(x: FloatArray, nu: float, sigma: float) -> FloatArray:
    constant = np.log(2 / sigma) + _log_gamma((nu + 1) / 2) - _log_gamma(nu / 2) - np.log(nu * np.pi) / 2
    return np.asarray(constant - (nu + 1) / 2 * np.log1p((x / sigma) ** 2 / nu))


HALF_STUDENT_T = _distribution(
    "half_student_t",
    support=POSITIVE,
    pymc=lambda pm: pm.HalfStudentT,
    log_density=_half_student_t,
    draw=lambda rng, shape, nu, sigma: sigma * abs(rng.standard_t(nu, shape)),
    widened=lambda factor, nu, sigma: (nu, sigma * factor),
    rescaled=lambda unit, nu, sigma: (nu, unit * sigma),
    typical=lambda nu, sigma: sigma,
    moments=lambda nu, sigma: nu,
)

EXPONENTIAL = _distribution(
    "exponential",
    support=POSITIVE,
    pymc=lambda pm: pm.Exponential,
    log_density=lambda x, lam: np.log(lam) - lam * x,
    draw=lambda rng, shape, lam: rng.standard_exponential(shape) / lam,
    widened=lambda factor, lam: (lam / factor,),
    rescaled=lambda unit, lam: (lam / unit,),
    typical=lambda lam: 1 / lam,
)


def _times(power: Any, logs: FloatArray) -> FloatArray:
    """Return ``power * logs``, with 0 * log(0) = 0."""
    if np.ndim(power):
        return np.where(np.equal(power, 0), 0.0, power * logs)
    return power * logs if power else np.zeros_like(logs)


GAMMA = _distribution(
    "gamma",
    support=POSITIVE,
    pymc=lambda pm: pm.Gamma,
    log_density=lambda x, alpha, beta: (
        alpha * np.log(beta) - _log_gamma(alpha) + _times(alpha - 1, np.log(x)) - beta * x
    ),
    draw=lambda rng, shape, alpha, beta: rng.gamma(alpha, size=shape) / beta,
    widened=lambda factor, alpha, beta: (alpha, beta / factor),
    rescaled=lambda unit, alpha, beta: (alpha, beta / unit),
    typical=lambda alpha, beta: alpha / beta,
    power_at_zero=lambda alpha, beta: float(alpha),
)

INVERSE_GAMMA = _distribution(
    "inverse_gamma",
    support=POSITIVE,
    pymc=lambda pm: pm.InverseGamma,
    log_density=lambda x, alpha, beta: (
        alpha * np.log(beta) - _log_gamma(alpha) - (alpha + 1) * np.log(x) - beta / x
    ),
    draw=lambda rng, shape, alpha, beta: beta / rng.gamma(alpha, size=shape),
    widened=lambda factor, alpha, beta: (alpha, beta * factor),
    rescaled=lambda unit, alpha, beta: (alpha, unit * beta),
    typical=lambda alpha, beta: beta / (alpha + 1),
    power_at_zero=lambda alpha, beta: np.inf,
    moments=lambda alpha, beta: alpha,
)

LOG_NORMAL = _distribution(
    "log_normal",
    support=POSITIVE,
    pymc=lambda pm: pm.LogNormal,
    log_density=lambda x, mu, sigma: (
        -np.log(x * sigma) - np.log(2 * np.pi) / 2 - ((np.log(x) - mu) / sigma) ** 2 / 2
    ),
    draw=lambda rng, shape, mu, sigma: np.exp(mu + sigma * rng.standard_normal(shape)),
    widened=lambda factor, mu, sigma: (mu + log(factor), sigma),
    rescaled=lambda unit, mu, sigma: (mu + np.log(unit), sigma),
    typical=lambda mu, sigma: float(np.exp(mu)),
    power_at_zero=lambda mu, sigma: np.inf,
)

# --- intervals


def _beta(x: FloatArray, alpha: float, beta: float) -> FloatArray:
    ends = _times(alpha - 1, np.log(x)) + _times(beta - 1, np.log1p(-np.minimum(x, 1.0)))
    return np.where(x <= 1, ends + _log_gamma(alpha + beta) - _log_gamma(alpha) - _log_gamma(beta), -np.inf)


BETA = _distribution(
    "beta",
    support=SHARE,
    pymc=lambda pm: pm.Beta,
    log_density=_beta,
    draw=lambda rng, shape, alpha, beta: rng.beta(alpha, beta, shape),
    typical=lambda alpha, beta: alpha / (alpha + beta),
    power_at_zero=lambda alpha, beta: float(alpha),
)

UNIFORM = _distribution(
    "uniform",
    support=lambda lower, upper: (float(lower), float(upper)),
    pymc=lambda pm: pm.Uniform,
    log_density=lambda x, lower, upper: np.where(
        (lower <= x) & (x <= upper), -np.log(upper - lower), -np.inf
    ),
    draw=lambda rng, shape, lower, upper: lower + (upper - lower) * rng.random(shape),
    widened=lambda factor, lower, upper: (lower * factor, upper * factor),
    rescaled=lambda unit, lower, upper: (unit * lower, unit * upper),
    typical=lambda lower, upper: (lower + upper) / 2,
    power_at_zero=lambda lower, upper: np.inf if lower > 0 else 1.0,
    scipy=lambda stats, lower, upper: stats.uniform(lower, upper - lower),
)

# --- one value, any value, and correlations

CONSTANT = _distribution(
    "constant",
    support=lambda value: (float(np.min(value)), float(np.max(value))),
    draw=lambda rng, shape, value: np.full(shape, value),
    typical=lambda value: value,
    power_at_zero=lambda value: np.inf,
    normal_mixture=lambda value: (value, 0.0, np.inf),
)

FLAT = _distribution(
    "flat",
    support=REAL,
    log_density=np.zeros_like,
    normal_mixture=lambda: (0.0, np.inf, np.inf),
    moments=lambda: 0.0,
    proper=False,
)

INVERSE = _distribution(
    "inverse",
    support=POSITIVE,
    log_density=lambda x: -np.log(x),
    power_at_zero=lambda: 0.0,
    moments=lambda: 0.0,
    proper=False,
)
"""``p(x) = 1/x``, the prior of a scale under ``priors="flat"``; formulas cannot write it."""

LKJ = _distribution("lkj", support=(-1.0, 1.0), matrix=True)

DISTRIBUTIONS: Mapping[str, Distribution] = MappingProxyType(
    {
        each.name: each
        for each in (
            NORMAL,
            STUDENT_T,
            CAUCHY,
            LAPLACE,
            HALF_NORMAL,
            HALF_CAUCHY,
            HALF_STUDENT_T,
            EXPONENTIAL,
            GAMMA,
            INVERSE_GAMMA,
            LOG_NORMAL,
            BETA,
            UNIFORM,
            CONSTANT,
            FLAT,
            INVERSE,
            LKJ,
        )
    }
)
"""All distributions of priors, by name."""
