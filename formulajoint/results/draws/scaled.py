"""A coefficient's draws in the units of a weighted mean of it: residual sds, sds of the response, or as estimated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from formulajoint.compiler.coefficients import Coefficient
from formulajoint.compiler.contrast_plans import AveragePlan
from formulajoint.compiler.evaluate.contrast_nodes import averaged
from formulajoint.compiler.evaluate.values import Values
from formulajoint.remarks import Missing
from formulajoint.results.draws.contrast import values_of
from formulajoint.results.draws.existing_moments import degrees_of_freedom
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.draws.tables import EffectDraws, draws_of


def scaled_draws(
    posterior: Posterior, coefficient: Coefficient, average: AveragePlan | None
) -> list[EffectDraws]:
    """Return the coefficient's cells or, if `average` scales or moves them, the effects that it is the mean of."""
    own = draws_of(posterior, coefficient.name, degrees_of_freedom(posterior.plan))
    if average is None or is_plain(average):
        return own
    found = averaged(average, Values(values_of(posterior, posterior.plan).__getitem__, sampled=True))
    cells = np.reshape(found, (len(own), *posterior.named.shape))
    by_sigma = average.scale == "sigma"  # divided by sigma an effect has all moments
    return [
        replace(each, draws=draws, df=math.inf if by_sigma else each.df)
        for each, draws in zip(own, cells, strict=True)
    ]


def is_plain(average: AveragePlan) -> bool:
    """Return whether an average is of the coefficient as estimated."""
    return average.scale == "none" and average.at is None


def without_covariance(own: Sequence[EffectDraws]) -> Missing | None:
    """Return the reason that effects have no covariance; None if they have one."""
    exists = all(each.df > 2 for each in own)
    return None if exists else Missing("covariance", "the posterior has no covariance").of("contour or band")
