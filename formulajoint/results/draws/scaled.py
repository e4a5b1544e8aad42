"""A coefficient's draws in the units of a weighted mean of it: residual sds, sds of the response, or as estimated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.evaluate.contrast_nodes import constants
from formulajoint.compiler.plan import AveragePlan, Coefficient
from formulajoint.remarks import Missing
from formulajoint.results.draws.existing_moments import degrees_of_freedom
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.draws.tables import EffectDraws, draws_of


def scaled_draws(
    posterior: Posterior, coefficient: Coefficient, average: AveragePlan | None
) -> list[EffectDraws]:
    """Return the coefficient's cells, each divided draw by draw by its group's divisor in `average`, if any."""
    own = draws_of(posterior, coefficient.name, degrees_of_freedom(posterior.plan))
    if average is None or average.scale == "none":
        return own
    groups = len(posterior.plan.coords[coefficient.dims[0]])
    divisors = np.repeat(_divisors(posterior, average, groups), len(own) // groups, axis=0)
    by_sigma = average.scale == "sigma"  # divided by sigma an effect has all moments
    return [
        replace(each, draws=each.draws / divisor, df=math.inf if by_sigma else each.df)
        for each, divisor in zip(own, divisors, strict=True)
    ]


def _divisors(posterior: Posterior, average: AveragePlan, groups: int) -> FloatArray:
    """Return each group's divisor, (G, chain, draw), or (G, 1, 1) where it is known."""
    if average.divisors is not None:
        return average.divisors[:, None, None]
    assert average.sigma is not None  # the scale is sigma
    if average.sigma in posterior.named.variables:
        sigma = np.moveaxis(posterior.named.values(average.sigma), (0, 1), (-2, -1))
    else:
        sigma = constants(posterior.plan)[average.sigma][..., None, None]
    return np.broadcast_to(sigma, (groups, *sigma.shape[-2:]))


def without_covariance(own: Sequence[EffectDraws]) -> Missing | None:
    """Return the reason that effects have no covariance; None if they have one."""
    exists = all(each.df > 2 for each in own)
    return None if exists else Missing("covariance", "the posterior has no covariance").of("contour or band")
