"""A plan as the groups of one factor of group terms see it: ``y ~ x + (1 + x | g)`` as ``y ~ x | g, hierarchy()``.

Each group's coefficient, the shared one plus its deviation, is a coefficient of a hierarchy whose mean is the shared
one. The variables keep their names, so draws of one plan are draws of the other, but for the deviations.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from formulajoint.compiler.coefficients import Coefficient, Pool, PooledTerm
from formulajoint.compiler.contrast_plans import ContrastPlan
from formulajoint.compiler.plan import LinearPlan, Plan
from formulajoint.design.varying import factors, over
from formulajoint.distributions.prior import prior

if TYPE_CHECKING:  # SciPy, needed only for tests
    from formulajoint.contrasts.hypotheses import Hypothesis


def plan_over(plan: Plan, factor: str) -> Plan:
    """Return the plan whose groups right of the bar are those of a factor; without one, the plan itself."""
    if not factor or plan.design.predictor.grouping is not None:  # it is seen so already
        return plan
    design = over(plan.design, factor)
    mean = _mean_over(plan.mean, design.predictor.terms, factor)
    return replace(
        plan, design=design, data=plan.data_over[factor], mean=replace(mean, predictor=design.predictor)
    )


def plan_of(plan: Plan, of: ContrastPlan | Hypothesis) -> Plan:
    """Return the plan as the groups that a contrast or a hypothesis is about see it."""
    return plan_over(plan, of.factor)


def by_bar(plan: Plan) -> Plan:
    """Return a plan whose group terms are all over one factor as that factor's groups see it; others as they are."""
    return plan_over(plan, only_factor(plan))


def only_factor(plan: Plan) -> str:
    """Return the factor of a plan whose group terms are all over one factor, without groups of a bar; else empty."""
    found = factors(plan.design)
    return found[0] if len(found) == 1 and plan.mean.varying else ""


def _mean_over(mean: LinearPlan, terms: tuple[object, ...], factor: str) -> LinearPlan:
    shared = {coefficient.name: coefficient for coefficient in mean.coefficients}
    pools = tuple(_with_means(pool, shared) for pool in mean.varying if pool.request.over == factor)
    others = tuple(pool for pool in mean.varying if pool.request.over != factor)
    known = [*mean.coefficients, *(term.coefficient for pool in pools for term in pool.terms)]
    by_term = {id(coefficient.term): coefficient for coefficient in known}
    coefficients = tuple(by_term[id(term)] for term in terms)
    return replace(mean, coefficients=coefficients, pools=pools, varying=others)


def _with_means(pool: Pool, shared: dict[str, Coefficient]) -> Pool:
    """Return a group term as a hierarchy, whose means have the priors of the shared coefficients."""

    def about(term: PooledTerm) -> PooledTerm:
        fixed = shared.get(term.mean_name)
        own = prior("constant", 0.0) if fixed is None or fixed.prior is None else fixed.prior
        return replace(term, mean=own)

    return replace(pool, terms=tuple(map(about, pool.terms)))
