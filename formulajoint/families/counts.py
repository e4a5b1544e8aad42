"""Families of counts."""

from __future__ import annotations

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.distributions.distribution import POSITIVE
from formulajoint.distributions.links import IDENTITY, LOG, SQRT
from formulajoint.families.affine import OF_DISPERSED_RATES, OF_RATES
from formulajoint.families.likelihood import likelihood
from formulajoint.families.log_gamma import log_gamma, log_rising
from formulajoint.families.parameters import SHAPE, mean
from formulajoint.families.smooth import Mean, Smooth
from formulajoint.families.tails import OF_COUNTS, OF_DISPERSED_COUNTS

RATE = mean(LOG, IDENTITY, SQRT, what="rate")

COUNTS = "Where the response is a rate, model its count, with `offset(log(time))` among the predictors."


def _count(y: FloatArray, n: FloatArray, mean: Mean) -> FloatArray:
    return y * mean.log - mean.value - log_gamma(y + 1)


def _dispersed_count(y: FloatArray, n: FloatArray, mean: Mean, shape: FloatArray) -> FloatArray:
    e = mean.log - np.log(shape)
    return y * e - (y + shape) * np.logaddexp(0.0, e) + log_rising(shape, y) - log_gamma(y + 1)


POISSON = likelihood(
    "poisson",
    POSITIVE,
    (RATE,),
    pymc=lambda pm, mu: pm.Poisson.dist(mu),
    scipy=lambda stats, mu: stats.poisson(mu),
    whole=True,
    advice=COUNTS,
    affine=OF_RATES,
    variance=lambda mu, s: mu,
    smooth=Smooth(_count, (LOG,), one_peak=True),
    tails=OF_COUNTS,
)

NEGATIVE_BINOMIAL = likelihood(
    "negative_binomial",
    POSITIVE,
    (RATE, SHAPE),
    pymc=lambda pm, mu, shape: pm.NegativeBinomial.dist(mu=mu, alpha=shape),
    scipy=lambda stats, mu, shape: stats.nbinom(shape, shape / (shape + mu)),
    whole=True,
    advice=COUNTS,
    affine=OF_DISPERSED_RATES,
    variance=lambda mu, s: mu + mu**2 / s,
    smooth=Smooth(_dispersed_count, (LOG,), one_peak=True),
    tails=OF_DISPERSED_COUNTS,
)
