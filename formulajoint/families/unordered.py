"""The family of categories without an order: each but the first has a predictor of its log odds against the first."""

from __future__ import annotations

from typing import Any

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.distributions.distribution import POSITIVE
from formulajoint.distributions.links import IDENTITY, LOGIT, Link
from formulajoint.families.likelihood import Parameter, Widths, likelihood
from formulajoint.families.ordered import Categories

AGAINST_FIRST = Link(
    LOGIT.name,
    IDENTITY.forward,
    IDENTITY.inverse,
    IDENTITY.slope,
    latent=True,
    words="log odds of {of}",
    ratio="odds ratio",
)


def _log_odds(pm: Any, mu: Any) -> Any:
    pt = pm.math.pt
    return pm.Categorical.dist(logit_p=pt.concatenate([pt.zeros_like(mu[..., :1]), mu], axis=-1))


def _law(stats: Any, mu: FloatArray) -> Categories:
    every = np.concatenate([np.zeros_like(mu[..., :1]), mu], axis=-1)
    return Categories(every - np.logaddexp.reduce(every, axis=-1, keepdims=True))


CATEGORICAL = likelihood(
    "categorical",
    POSITIVE,
    (
        Parameter(
            "mu",
            AGAINST_FIRST,
            (AGAINST_FIRST,),
            "log odds",
            widths=Widths(slope=1.0, intercept=1.5, location=0.0),
            by_level=True,
        ),
    ),
    pymc=_log_odds,
    scipy=_law,
    whole=True,
    categories=True,
)
