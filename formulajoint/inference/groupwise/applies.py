"""Which models the exact engine for other than Gaussian responses covers, and why not the others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from formulajoint.compiler.plan import LinearPlan, Plan, ScalePlan
from formulajoint.compiler.residual_sds import names_in_sds
from formulajoint.distributions.prior import Prior
from formulajoint.inference.groupwise.rules import NODES
from formulajoint.remarks import Missing

MOST_COLUMNS = max(NODES)
"""Most coefficients of a group: nodes of quadrature grow as a power of them."""

MOST_NUMBERS = 25
"""Most parameters psi."""


def why_not(plan: Plan) -> Missing | None:
    """Return the reason the engine does not cover a plan, seen by the groups of its factor; None if it does."""
    reasons = (check(plan) for check in (_family, _further, _factors, _priors, _size))
    return next((Missing("engine", reason) for reason in reasons if reason), None)


def _family(plan: Plan) -> str:
    affine, smooth = plan.family.affine, plan.family.smooth
    links = (*([affine.link] if affine else []), *(smooth.links if smooth else []))
    if plan.mean.link in links:
        return ""
    mean = plan.family.mean
    needs = f"a {mean.meaning} needs a linear predictor above zero"
    return f"with the {mean.link.name} link {needs}, and the engine takes any"


def _further(plan: Plan) -> str:
    if plan.design.standard_errors is not None:
        return f"the response is {plan.family.name}, and its standard errors are known"
    for part in plan.further:
        if isinstance(part, LinearPlan):
            return f"{part.parameter} has predictors"
        if part.grouping is not None:
            return f"{part.parameter} is by group"
    return ""


def _factors(plan: Plan) -> str:
    if plan.mean.varying:
        return f"the response is {plan.family.name}, and there are several grouping factors"
    return ""


def _priors(plan: Plan) -> str:
    for pool in plan.mean.pools:
        if pool.request.heavy:
            return f"the response is {plan.family.name}, and the hierarchy over {pool.grouping.name} is not normal"
    if any(names_in_sds(plan.mean)):
        return "a prior is in residual sds"
    for coefficient in plan.mean.coefficients:
        own = coefficient.prior
        if coefficient.grouped and own is not None and not _is_normal(own):
            return f"the prior of `{coefficient.name}`, one per group, is {own.distribution.name}, not normal"
    flat = [part.name for part in plan.further if isinstance(part, ScalePlan) and not part.prior.proper]
    return f"the prior of `{flat[0]}` is flat" if flat else ""


def _is_normal(own: Prior) -> bool:
    return own.mixture is not None and not np.any(np.isfinite(own.mixture.df))


def _size(plan: Plan) -> str:
    constants = [c.prior is not None and c.prior.constant is not None for c in plan.mean.coefficients]
    free = [c for c, constant in zip(plan.mean.coefficients, constants, strict=True) if not constant]
    own = sum(c.term.columns.shape[1] for c in free if c.grouped)
    if own > MOST_COLUMNS:
        return f"the response is {plan.family.name}, and each group has {own} coefficients, more than {MOST_COLUMNS}"
    shared = sum(c.term.columns.shape[1] for c in free if not c.grouped)
    if (numbers := shared + sum(_numbers(plan))) > MOST_NUMBERS:
        return f"the groups share {numbers} parameters, more than {MOST_NUMBERS}"
    return ""


def _numbers(plan: Plan) -> Iterator[int]:
    """Yield how many parameters psi each hierarchy, and each further parameter of the family, has."""
    for pool in plan.mean.pools:
        columns = 0
        for term in pool.terms:
            columns += (width := term.coefficient.term.columns.shape[1])
            yield width * sum(own.constant is None for own in (term.mean, term.sd))
        yield columns * (columns - 1) // 2 if pool.correlation is not None else 0
    for part in plan.further:
        if isinstance(part, ScalePlan) and part.prior.constant is None:
            yield len(plan.coords[part.dims[-1]]) if part.between else 1
