"""The models with several factors that the exact engine covers, and the reason it does not cover a plan."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from formulajoint.compiler.coefficients import Coefficient, Pool
from formulajoint.compiler.plan import Plan
from formulajoint.compiler.residual_sds import names_in_sds
from formulajoint.data.residual_cells import MOST_CELLS
from formulajoint.design.schema import Grouping
from formulajoint.distributions.prior import Prior
from formulajoint.inference.crossed.order import MOST_LEFT, Groups, Order, order_of
from formulajoint.inference.gaussian.applies import (
    FAR_CORRELATED,
    MOST_SCALES,
    sigma_has_many_values,
    wrong_family,
)
from formulajoint.inference.latent.phi import Coordinate
from formulajoint.inference.latent.structure import sigmas_of
from formulajoint.remarks import Missing
from formulajoint.wording import listed

MOST_MEETINGS = 30_000_000
"""Most pairs of coefficients that meet in a group of a factor taken out, summed over groups, for memory."""


def why_not(plan: Plan) -> Missing | None:
    """Return the reason the engine does not cover a plan with several factors; None if it does."""
    reasons = (check(plan) for check in (wrong_family, _sigma, _priors, _columns, _size))
    return next((Missing("engine", reason) for reason in reasons if reason), None)


def _sigma(plan: Plan) -> str:
    if plan.design.standard_errors is not None:
        return ""
    if plan.spread is None or plan.spread.grouping is None:
        return sigma_has_many_values(plan)
    if plan.spread.pool is not None:
        return "with several grouping factors, sigma has a hierarchy"
    several = f"with several grouping factors, sigma is by {plan.spread.grouping.name}, of which there are more than"
    return f"{several} {MOST_CELLS}" if len(plan.spread.grouping) > MOST_CELLS else ""


def pools(plan: Plan) -> tuple[Pool, ...]:
    """Return all hierarchies of the mean."""
    return (*plan.mean.pools, *plan.mean.varying)


def _priors(plan: Plan) -> str:
    if any(names_in_sds(plan.mean)):
        return "with several grouping factors, a prior is in residual sds"
    for coefficient, name, prior in _coefficients(plan):
        grouped = coefficient.grouped and coefficient.name not in plan.mean.pooled
        if prior.mixture is None or (grouped and _is_heavy(prior)):
            return f"the prior of `{name}` is {prior.distribution.name}, not normal"
        if grouped and not prior.proper:
            return f"with several grouping factors, the prior of `{name}`, one per group, is flat"
    return ""


def _coefficients(plan: Plan) -> Iterator[tuple[Coefficient, str, Prior]]:
    """Yield the coefficients whose priors have numbers, with the names of the variables; means of hierarchies last."""
    for coefficient in plan.mean.coefficients:
        if coefficient.prior is not None:
            yield coefficient, coefficient.name, coefficient.prior
    for pool in plan.mean.pools:
        for term in pool.terms:
            yield term.coefficient, term.mean_name, term.mean


def _is_heavy(prior: Prior) -> bool:
    """Return whether a prior is Student or Cauchy, which adds a parameter for each coefficient."""
    return prior.mixture is not None and bool(np.any(np.isfinite(prior.mixture.df)))


def _columns(plan: Plan) -> str:
    for pool in pools(plan):
        for term in (each.coefficient.term for each in pool.terms if pool.correlation is not None):
            away = float(np.max(abs(term.means[term.scales > 0]) / term.scales[term.scales > 0], initial=0.0))
            if term.parts and away > FAR_CORRELATED:
                return (
                    f"{term.name} is {away:.0f} of its sds from zero, too far for a correlated hierarchy: "
                    f"write center({term.name})"
                )
    return ""


def _size(plan: Plan) -> str:
    order, names = order_in(plan), list(_factors(plan))
    taken = f"those of {listed(names[at] for at in order.chain)} are integrated out group by group"
    if order.left > MOST_LEFT:
        return f"{order.left} coefficients remain when {taken}, more than {MOST_LEFT}"
    if (met := sum(order.met)) > MOST_MEETINGS:
        return f"coefficients meet {met} times in a group when {taken}, more than {MOST_MEETINGS}"
    free = sum(isinstance(cell, Coordinate) for cell in sigmas_of(plan))
    heavy = sum(len(each.term.scales) for each, _, prior in _coefficients(plan) if _is_heavy(prior))
    for pool in pools(plan):
        widths = [len(term.coefficient.term.scales) for term in pool.terms]
        free += sum(width for width, term in zip(widths, pool.terms, strict=True) if term.sd.constant is None)
        free += sum(widths) * (sum(widths) - 1) // 2 if pool.correlation is not None else 0
        heavy += sum(widths) * len(pool.grouping) if pool.request.heavy else 0
    if free + heavy > MOST_SCALES:
        more = f", and {heavy} coefficients with Student or Cauchy priors" if heavy else ""
        return f"there are {free} sigmas, sds and correlations{more}, more than {MOST_SCALES}"
    return ""


def order_in(plan: Plan) -> Order:
    """Return the order in which a plan's factors are taken out."""
    pooled = [term.coefficient for pool in plan.mean.pools for term in pool.terms]
    shared = [each for each in plan.mean.coefficients if each.grouping is None]
    sizes = [Groups(grouping.codes, len(grouping), width) for grouping, width in _factors(plan).values()]
    return order_of(sizes, sum(len(each.term.scales) for each in [*pooled, *shared]))


def _factors(plan: Plan) -> dict[str, tuple[Grouping, int]]:
    """Return the factors and how many coefficients each of their groups has, by name."""
    found: dict[str, tuple[Grouping, int]] = {}
    own = [each for each in plan.mean.coefficients if each.grouping is not None]
    for each in [*own, *(term.coefficient for pool in plan.mean.varying for term in pool.terms)]:
        assert each.grouping is not None  # the others have been left out
        _, before = found.get(each.grouping.name, (each.grouping, 0))
        found[each.grouping.name] = each.grouping, before + len(each.term.scales)
    return found
