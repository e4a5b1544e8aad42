"""The language's own families, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from formulajoint.families.counts import NEGATIVE_BINOMIAL, POISSON
from formulajoint.families.gaussian import GAUSSIAN
from formulajoint.families.likelihood import Likelihood
from formulajoint.families.ordered import CUMULATIVE
from formulajoint.families.positive import EXPONENTIAL, GAMMA, INVERSE_GAUSSIAN, LOGNORMAL, WEIBULL
from formulajoint.families.real import LAPLACE, SKEW_NORMAL, STUDENT
from formulajoint.families.shares import BERNOULLI, BETA, BETA_BINOMIAL, BINOMIAL
from formulajoint.families.unordered import CATEGORICAL
from formulajoint.families.zeros import WITH_ZEROS

FAMILIES: Mapping[str, Likelihood] = MappingProxyType(
    {
        family.name: family
        for family in (
            GAUSSIAN,
            STUDENT,
            LAPLACE,
            SKEW_NORMAL,
            LOGNORMAL,
            GAMMA,
            INVERSE_GAUSSIAN,
            EXPONENTIAL,
            WEIBULL,
            BETA,
            BERNOULLI,
            BINOMIAL,
            BETA_BINOMIAL,
            POISSON,
            NEGATIVE_BINOMIAL,
            CUMULATIVE,
            CATEGORICAL,
            *WITH_ZEROS,
        )
    }
)
"""All of them, in the order of tables."""
