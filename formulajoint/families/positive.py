"""Families of a response above zero: amounts and times."""

from __future__ import annotations

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.distributions.distribution import POSITIVE
from formulajoint.distributions.links import IDENTITY, INVERSE, LOG
from formulajoint.distributions.prior import prior
from formulajoint.families.affine import OF_AMOUNTS, OF_WAITING_TIMES
from formulajoint.families.likelihood import Parameter, likelihood
from formulajoint.families.parameters import SHAPE, mean
from formulajoint.families.smooth import Mean, Smooth, gamma_ln
from formulajoint.families.tails import OF_SIZES

MEAN = mean(LOG, IDENTITY, INVERSE)

ZEROS = "Where zeros are real, model them, too: `family(hurdle_gamma)` or `family(hurdle_lognormal)`."


def _amount(y: FloatArray, n: FloatArray, mean: Mean, shape: FloatArray) -> FloatArray:
    known = shape * np.log(shape) - gamma_ln(shape) + (shape - 1) * np.log(y)
    return np.asarray(known - shape * (mean.log + y * np.exp(-mean.log)))


def _time(y: FloatArray, n: FloatArray, mean: Mean, shape: FloatArray) -> FloatArray:
    away = shape * (np.log(y) - mean.log + gamma_ln(1 + 1 / shape))
    return np.asarray(np.log(shape) - np.log(y) + away - np.exp(away))


def _first_passage(y: FloatArray, n: FloatArray, mean: Mean, shape: FloatArray) -> FloatArray:
    known = 0.5 * np.log(shape / (2 * np.pi * y**3))
    return np.asarray(known - shape * (y * np.exp(-mean.log) - 1) ** 2 / (2 * y))


def _with_normal_log(y: FloatArray, n: FloatArray, median: Mean, sigma: FloatArray) -> FloatArray:
    known = -np.log(sigma * y) - 0.5 * np.log(2 * np.pi)
    return np.asarray(known - 0.5 * ((np.log(y) - median.log) / sigma) ** 2)


GAMMA = likelihood(
    "gamma",
    POSITIVE,
    (MEAN, SHAPE),
    pymc=lambda pm, mu, shape: pm.Gamma.dist(alpha=shape, beta=shape / mu),
    scipy=lambda stats, mu, shape: stats.gamma(shape, scale=mu / shape),
    advice=ZEROS,
    affine=OF_AMOUNTS,
    variance=lambda mu, s: mu**2 / s,
    smooth=Smooth(_amount, (LOG,), one_peak=True, rounded="shape"),
    tails=OF_SIZES,
)

EXPONENTIAL = likelihood(
    "exponential",
    POSITIVE,
    (MEAN,),
    pymc=lambda pm, mu: pm.Exponential.dist(scale=mu),
    scipy=lambda stats, mu: stats.expon(scale=mu),
    advice=ZEROS,
    affine=OF_WAITING_TIMES,
    variance=lambda mu, s: mu**2,
    tails=OF_SIZES,
)

WEIBULL = likelihood(
    "weibull",
    POSITIVE,
    (MEAN, SHAPE),
    pymc=lambda pm, mu, shape: pm.Weibull.dist(shape, mu / pm.math.exp(pm.math.gammaln(1 + 1 / shape))),
    scipy=lambda stats, mu, shape: stats.weibull_min(shape, scale=mu / stats.weibull_min.mean(shape)),
    advice=ZEROS,
    smooth=Smooth(_time, (LOG,), one_peak=True, unit=lambda shape: 1 / shape),
    tails=OF_SIZES,
)

INVERSE_GAUSSIAN = likelihood(
    "inverse_gaussian",
    POSITIVE,
    (MEAN, Parameter("shape", LOG, (), "shape", lambda sd: prior("log_normal", 1.0, 2.0).rescaled(sd))),
    pymc=lambda pm, mu, shape: pm.Wald.dist(mu=mu, lam=shape),
    scipy=lambda stats, mu, shape: stats.invgauss(mu / shape, scale=shape),
    advice=ZEROS,
    variance=lambda mu, s: mu**3 / s,
    smooth=Smooth(_first_passage, (LOG,)),
)
"""Its shape is in units of the response. As its mean grows, its density does not vanish."""

LOGNORMAL = likelihood(
    "lognormal",
    POSITIVE,
    (
        mean(LOG, what="median", symbol="median({of})"),
        Parameter("sigma", LOG, (), "sd of the log", lambda sd: prior("half_student_t", 4.0, 1.0)),
    ),
    pymc=lambda pm, mu, sigma: pm.LogNormal.dist(pm.math.log(mu), sigma),
    scipy=lambda stats, mu, sigma: stats.lognorm(sigma, scale=mu),
    spread="sigma",
    advice=ZEROS,
    expected=lambda xp, own: own["mu"] * xp.exp(own["sigma"] ** 2 / 2),
    smooth=Smooth(_with_normal_log, (LOG,), one_peak=True, unit=lambda sigma: sigma),
    tails=OF_SIZES,
)
"""The log of the response is normal, about the log of its median `mu`."""
