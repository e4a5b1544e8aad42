"""Which coefficients have their prior in residual sds, and the residual sd of each group."""

from __future__ import annotations

from formulajoint.arrays import IntArray
from formulajoint.compiler.plan import LinearPlan, Plan


def names_in_sds(mean: LinearPlan) -> frozenset[str]:
    """Return the names of the coefficients whose prior is in residual sds."""
    pooled = (t.coefficient.name for pool in mean.pools if pool.request.in_sds for t in pool.terms)
    own = (each.name for each in mean.coefficients if each.prior is not None and each.prior.in_sds)
    return frozenset((*pooled, *own))


def terms_in_sds(mean: LinearPlan) -> frozenset[str]:
    """Return the names of their terms."""
    names = names_in_sds(mean)
    return frozenset(each.term.name for each in mean.coefficients if each.name in names)


def sigma_of_groups(plan: Plan) -> IntArray | None:
    """Return the index of each group's residual sd (G,), where sigma is by group; None where there is one for all."""
    sigma = plan.spread
    return None if sigma is None or sigma.grouping is None else plan.data.sigma_of_group
