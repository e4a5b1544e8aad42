"""Families of events, and of shares between 0 and 1."""

from __future__ import annotations

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.distributions.distribution import POSITIVE, SHARE
from formulajoint.families.affine import OF_EVENTS
from formulajoint.families.likelihood import Widths, likelihood
from formulajoint.families.log_gamma import log_gamma
from formulajoint.families.parameters import PHI, mean
from formulajoint.families.smooth import CHANCES, Mean, Smooth, gamma_ln
from formulajoint.families.tails import OF_SHARES, OF_SUCCESSES

CHANCE = mean(
    *CHANCES,
    what="probability",
    symbol="P({of})",
    widths=Widths(slope=1.0, intercept=1.5, location=0.0),
)


def _log_choose(y: FloatArray, n: FloatArray) -> FloatArray:
    return log_gamma(n + 1) - log_gamma(y + 1) - log_gamma(n - y + 1)


def _successes(y: FloatArray, n: FloatArray, mean: Mean) -> FloatArray:
    return y * mean.log + (n - y) * mean.log_rest + _log_choose(y, n)


def _varied_successes(y: FloatArray, n: FloatArray, mean: Mean, phi: FloatArray) -> FloatArray:
    a, b = phi * np.exp(mean.log), phi * np.exp(mean.log_rest)
    rising = gamma_ln(a + y) - gamma_ln(a) + gamma_ln(b + n - y) - gamma_ln(b)
    return rising - gamma_ln(phi + n) + gamma_ln(phi) + _log_choose(y, n)


def _share(y: FloatArray, n: FloatArray, mean: Mean, phi: FloatArray) -> FloatArray:
    a, b = phi * np.exp(mean.log), phi * np.exp(mean.log_rest)
    normal = gamma_ln(phi) - gamma_ln(a) - gamma_ln(b)
    return normal + (a - 1) * np.log(y) + (b - 1) * np.log1p(-y)


OF_CHANCES = Smooth(_successes, CHANCES, one_peak=True)

BERNOULLI = likelihood(
    "bernoulli",
    SHARE,
    (CHANCE,),
    pymc=lambda pm, mu: pm.Bernoulli.dist(mu),
    scipy=lambda stats, mu: stats.bernoulli(mu),
    whole=True,
    events=True,
    advice="State the value that counts as an event: `I({name} == {value:g})` as the response.",
    affine=OF_EVENTS,
    variance=lambda mu, s: mu * (1 - mu),
    smooth=OF_CHANCES,
    tails=OF_SUCCESSES,
)

BINOMIAL = likelihood(
    "binomial",
    POSITIVE,
    (CHANCE,),
    pymc=lambda pm, trials, mu: pm.Binomial.dist(trials, mu),
    scipy=lambda stats, trials, mu: stats.binom(trials, mu),
    whole=True,
    trials=True,
    affine=OF_EVENTS,
    variance=lambda mu, s: mu * (1 - mu),
    smooth=OF_CHANCES,
    tails=OF_SUCCESSES,
)

BETA_BINOMIAL = likelihood(
    "beta_binomial",
    POSITIVE,
    (CHANCE, PHI),
    pymc=lambda pm, trials, mu, phi: pm.BetaBinomial.dist(mu * phi, (1 - mu) * phi, trials),
    scipy=lambda stats, trials, mu, phi: stats.betabinom(trials, mu * phi, (1 - mu) * phi),
    whole=True,
    trials=True,
    smooth=Smooth(_varied_successes, CHANCES, rounded="phi"),
    tails=OF_SUCCESSES,
)
"""Binomial with a chance that has a beta distribution for each row."""

BETA = likelihood(
    "beta",
    SHARE,
    (mean(*CHANCES), PHI),
    pymc=lambda pm, mu, phi: pm.Beta.dist(mu * phi, (1 - mu) * phi),
    scipy=lambda stats, mu, phi: stats.beta(mu * phi, (1 - mu) * phi),
    advice="Divide percentages by 100. Shares of 0 and 1 can occur where successes are counted among trials.",
    smooth=Smooth(_share, CHANCES, rounded="phi"),
    tails=OF_SHARES,
)
