"""Families of events, and of shares between 0 and 1."""

from __future__ import annotations

from formulajoint.distributions.distribution import POSITIVE, SHARE
from formulajoint.distributions.links import CLOGLOG, LOGIT, PROBIT
from formulajoint.families.affine import OF_EVENTS
from formulajoint.families.likelihood import Widths, likelihood
from formulajoint.families.parameters import PHI, mean

CHANCE = mean(
    LOGIT,
    PROBIT,
    CLOGLOG,
    what="probability",
    symbol="P({of})",
    widths=Widths(slope=1.0, intercept=1.5, location=0.0),
)

BERNOULLI = likelihood(
    "bernoulli",
    SHARE,
    (CHANCE,),
    pymc=lambda pm, mu: pm.Bernoulli.dist(mu),
    scipy=lambda stats, mu: stats.bernoulli(mu),
    whole=True,
    events=True,
    advice="State the value that counts as an event: `I(y == 2)` as the response.",
    affine=OF_EVENTS,
    variance=lambda mu, s: mu * (1 - mu),
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
)

BETA_BINOMIAL = likelihood(
    "beta_binomial",
    POSITIVE,
    (CHANCE, PHI),
    pymc=lambda pm, trials, mu, phi: pm.BetaBinomial.dist(mu * phi, (1 - mu) * phi, trials),
    scipy=lambda stats, trials, mu, phi: stats.betabinom(trials, mu * phi, (1 - mu) * phi),
    whole=True,
    trials=True,
)
"""Binomial with a chance that has a beta distribution for each row."""

BETA = likelihood(
    "beta",
    SHARE,
    (mean(LOGIT, PROBIT, CLOGLOG), PHI),
    pymc=lambda pm, mu, phi: pm.Beta.dist(mu * phi, (1 - mu) * phi),
    scipy=lambda stats, mu, phi: stats.beta(mu * phi, (1 - mu) * phi),
    advice="Shares of 0 and 1 can occur where successes are counted among trials.",
)
