"""Families of counts."""

from __future__ import annotations

from formulajoint.distributions.distribution import POSITIVE
from formulajoint.distributions.links import IDENTITY, LOG, SQRT
from formulajoint.families.affine import OF_DISPERSED_RATES, OF_RATES
from formulajoint.families.likelihood import likelihood
from formulajoint.families.parameters import SHAPE, mean

RATE = mean(LOG, IDENTITY, SQRT, what="rate")

COUNTS = "Where the response is a rate, model its count, with `offset(log(time))` among the predictors."

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
)
