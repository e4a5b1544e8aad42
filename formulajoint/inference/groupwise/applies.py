"""Which models the exact engine for other than Gaussian responses covers, and why not the others."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np

from formulajoint.compiler.plan import LinearPlan, ParameterPlan, Plan
from formulajoint.compiler.residual_sds import names_in_sds
from formulajoint.distributions.prior import Prior
from formulajoint.families.declared import FAMILIES
from formulajoint.inference.groupwise.further import coefficients_of, is_free
from formulajoint.inference.groupwise.rules import NODES
from formulajoint.inference.latent.linear_sds import shape_of
from formulajoint.remarks import Missing
from formulajoint.wording import listed

MOST_COLUMNS = max(NODES)
"""Most coefficients of a group: nodes of quadrature grow as a power of them."""

MOST_NUMBERS = 25
"""Most parameters psi."""


def why_not(plan: Plan) -> Missing | None:
    """Return the reason the engine does not cover a plan, seen by the groups of its factor; None if it does."""
    reasons = (check(plan) for check in (_family, _further, _factors, _priors, _size))
    return next((Missing("engine", reason) for reason in reasons if reason), None)


def why_by_numpy(plan: Plan) -> str:
    """Return why only NumPy computes the integrals of a plan; empty if any device computes them."""
    affine, link = plan.family.affine, plan.mean.link
    if affine is not None and link is affine.link:
        return ""
    others = listed(each.name for each in FAMILIES.values() if each.affine is not None)
    return (
        f"With a response that is {plan.family.name} and the {link.name} link, the exact engine computes on the CPU: "
        f"on a device it takes {others}, each with its usual link."
    )


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
    return next(filter(None, map(_not_covered, plan.further)), "") or _beside_flat(plan)


def _not_covered(part: ParameterPlan) -> str:
    """Return why a further parameter of the family is not covered; empty if it is."""
    if isinstance(part, LinearPlan):
        if part.pools or part.varying:
            return f"coefficients of {part.parameter} are pooled"
        flat = [own.name for own in part.coefficients if own.prior is not None and not own.prior.proper]
        return f"the prior of `{flat[0]}` is flat" if flat else ""
    if part.pool is not None:
        return f"{part.parameter} has a hierarchy"
    if part.between and part.grouping is not None:
        return f"{part.parameter} is by group"
    return "" if part.prior.proper else f"the prior of `{part.name}` is flat"


def _beside_flat(plan: Plan) -> str:
    """Return which prior leaves in doubt whether coefficients of the mean with flat priors have a posterior.

    Where a scale may be very small in some rows that are fitted perfectly, a density grows as exp of a multiple of a
    coefficient, which normal priors outweigh (``compiler/planning/propriety.py``).
    """
    means = [term.mean for pool in plan.mean.pools for term in pool.terms]
    own = [each.prior for each in plan.mean.coefficients if each.prior is not None]
    if all(each.proper for each in (*means, *own)):
        return ""
    predicted = (part for part in plan.further if isinstance(part, LinearPlan))
    every = [each for part in predicted for each in part.coefficients if each.prior is not None]
    heavy = [
        each.name for each in every if is_free(each) and each.prior is not None and each.prior.normal is None
    ]
    return f"the prior of `{heavy[0]}` is not normal, and coefficients have flat priors" if heavy else ""


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
    return ""


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
        if isinstance(part, LinearPlan):
            yield sum(prod(shape_of(own)) for own, _ in coefficients_of(part))
        elif part.prior.constant is None:
            yield prod(len(plan.coords[dim]) for dim in part.dims)
