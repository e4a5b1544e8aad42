"""The models that the exact engine covers, and the reason it does not cover a plan."""

from __future__ import annotations

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.plan import Plan
from formulajoint.compiler.planning.defaults import stands_for_intercept
from formulajoint.compiler.residual_sds import names_in_sds
from formulajoint.data.residual_cells import MOST_CELLS
from formulajoint.distributions.links import IDENTITY
from formulajoint.distributions.prior import Prior
from formulajoint.inference.gaussian.reduction import Reduction
from formulajoint.inference.gaussian.units import units
from formulajoint.inference.latent import linear_sds
from formulajoint.inference.latent.structure import structure_of
from formulajoint.remarks import Missing

MOST_SCALES = 12
"""Most dimensions of phi for importance sampling; correlations of p columns are p (p - 1) / 2 of them."""

MOST_SHARED, MOST_OWN = 100, 40
"""Most coefficients that all groups share, and most columns of a group: beyond, each point phi costs too much."""

MOST_INTEGRATED = 10_000
"""Most groups whose scales are integrated out one by one: beyond, each point costs too much."""

ROUNDING_ERRORS = 16
"""Smallest sigma at which residuals keep enough digits, in rounding errors of a row."""

FAR = 1e5
"""In sds. A column further from zero loses more than five digits of its difference from an intercept."""

FAR_CORRELATED = 100.0
"""In sds. A column further from zero gives a correlated hierarchy with intercepts modes that may be missed."""


def why_not(plan: Plan) -> Missing | None:
    """Return the reason the exact engine does not cover a plan; None if it does."""
    reasons = (check(plan) for check in (wrong_family, _sigma, _coefficients, _columns, _size))
    return next((Missing("engine", reason) for reason in reasons if reason), None)


def wrong_family(plan: Plan) -> str:
    """Return why the family or its link is not that of the engine; empty if it is."""
    if not plan.family.sums:
        return f"the response is {plan.family.name}, which no exact engine covers"
    return "" if plan.mean.link is IDENTITY else f"the link is {plan.mean.link.name}, not identity"


def _sigma(plan: Plan) -> str:
    if reason := sigma_has_many_values(plan):
        return reason
    sigma, own = plan.spread, plan.design.predictor.grouping if plan.design.predictor.per_group else None
    if own is None or sigma is None or sigma.grouping is None or plan.data.sigma_of_group is not None:
        return ""
    several = f"a {own.name} has rows of several {sigma.grouping.name}s with a sigma each"
    if len(sigma.grouping) > MOST_CELLS:
        return f"{several}, of more than {MOST_CELLS}"
    if sigma.pool is not None:
        return f"{several}, which have a hierarchy"
    return f"{several}, and a prior is in residual sds" if names_in_sds(plan.mean) else ""


def sigma_has_many_values(plan: Plan) -> str:
    """Return why the predictors of sigma do not give it few values; empty if they do, or it has none."""
    linear = plan.linear_spread
    if linear is None:
        return ""
    if reason := linear_sds.why_not(linear):
        return reason
    return "" if plan.data.sigma is not None else f"predictors give sigma more than {MOST_CELLS} values"


def _coefficients(plan: Plan) -> str:
    pooled = [(term.mean_name, term.mean, True) for pool in plan.mean.pools for term in pool.terms]
    own = [(c.name, c.prior, not c.grouped) for c in plan.mean.coefficients if c.prior]
    for name, prior, heavy in pooled + own:
        if prior.mixture is None or (_is_heavy(prior) and not heavy):
            return f"the prior of `{name}` is {prior.distribution.name}, not normal"
    return ""


def _is_heavy(prior: Prior) -> bool:
    """Return whether a Student or Cauchy prior, which adds a parameter for each coefficient."""
    return prior.mixture is not None and bool(np.any(np.isfinite(prior.mixture.df)))


def _columns(plan: Plan) -> str:
    predictor = plan.design.predictor
    if not any(stands_for_intercept(term, predictor) for term in predictor.terms):
        return ""
    correlated = {t.coefficient.term.name for pool in plan.mean.pools if pool.correlation for t in pool.terms}
    for term in predictor.terms:
        away = float(np.max(abs(term.means[term.scales > 0]) / term.scales[term.scales > 0], initial=0.0))
        if stands_for_intercept(term, predictor):
            continue
        distance = f"{term.name} is {away:{'.0f' if away < FAR else '.1g'}} of its sds from zero"
        if away > FAR:
            return f"{distance}, too far for its slope to have enough digits: write center({term.name})"
        if away > FAR_CORRELATED and term.name in correlated:
            return f"{distance}, too far for a correlated hierarchy: write center({term.name})"
    return ""


def _size(plan: Plan) -> str:
    pooled = {id(term.coefficient.term) for pool in plan.mean.pools for term in pool.terms}
    shared = own = 0
    for coefficient in plan.mean.coefficients:
        columns = coefficient.term.columns.shape[1]
        own += columns if coefficient.grouped else 0
        shared += 0 if coefficient.grouped and id(coefficient.term) not in pooled else columns
    if own > MOST_OWN:
        return f"each group has {own} coefficients, more than {MOST_OWN}"
    if shared > MOST_SHARED:
        return f"the groups share {shared} coefficients, more than {MOST_SHARED}"
    structure = structure_of(plan)
    free, heavy = len(structure.scales.coordinates), structure.mixed
    inside = units(structure)
    if structure.sigma_pool is None and (free <= MOST_SCALES or structure.factorises()):
        return ""
    if inside is None or inside.dimensions(structure) > MOST_SCALES:
        if inside is not None and inside.sigmas and not heavy:
            shared = inside.dimensions(structure)
            return f"beside their sigmas the groups share {shared} parameters, more than {MOST_SCALES}"
        more = f", and {heavy} coefficients with Student or Cauchy priors" if heavy else ""
        return f"there are {free - heavy} sigmas, sds and correlations{more}, more than {MOST_SCALES}"
    count = len(inside.cells)
    if count > MOST_INTEGRATED:
        return f"{count} groups have a scale of their own beside what all share, more than {MOST_INTEGRATED}"
    return ""


def lost_digits(plan: Plan, reduction: Reduction, values: FloatArray) -> Missing | None:
    """Return the reason draws of phi (..., cells) are invalid; None if they are valid.

    With a prior that keeps sigma from zero, even a perfect fit has a posterior; it cannot be computed where sigma is
    below the rounding errors of the response.
    """
    sigmas = values[..., : len(reduction.rows)].reshape(-1, len(reduction.rows))
    floor = ROUNDING_ERRORS * reduction.rounding
    if not np.any(np.mean(sigmas < floor, axis=0) > 0.01):
        return None
    unit = "standard errors" if plan.design.standard_errors is not None else "sigma"
    response = plan.design.response.name
    if unit == "sigma":
        least, most = float(np.min(sigmas)), float(np.max(floor))
        return Missing(
            "digits",
            f"sigma is as small as {least:.1g} in the posterior, but residuals of `{response}` below {most:.1g} are "
            "rounding errors: give sigma a prior that keeps it above that",
        )
    return Missing("digits", f"the standard errors are smaller than the rounding errors of `{response}`")
