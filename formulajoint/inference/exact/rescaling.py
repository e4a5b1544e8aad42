"""A plan with wider or narrower priors of some terms: how much does a Bayes factor depend on them?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from types import MappingProxyType

from formulajoint.compiler.plan import Coefficient, Plan, PooledTerm
from formulajoint.compiler.priors import Prior

SCALES: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "normal": ("sigma", 1),
        "student_t": ("sigma", 1),
        "cauchy": ("beta", 1),
        "half_normal": ("sigma", 1),
        "half_cauchy": ("beta", 1),
        "half_student_t": ("sigma", 1),
        "inverse_gamma": ("beta", 1),
        "exponential": ("lam", -1),
        "gamma": ("beta", -1),
    }
)
"""Law -> its argument that is a scale, to the power 1, or a rate, to the power -1."""


def rescaled_plan(plan: Plan, terms: Collection[str], factor: float) -> Plan | str:
    """Return the plan with the scales of the priors of `terms` times `factor`, or why there is none.

    Locations stay. Under a hierarchy the scales are those of the priors of its mean and of its sd.
    """
    if factor == 1:
        return plan
    fixed = [prior for prior in tested_priors(plan, terms) if prior.law not in SCALES]
    if fixed:
        return f"the prior {fixed[0]} has no scale to change"

    def coefficient(own: Coefficient) -> Coefficient:
        if own.prior is None or own.term.name not in terms:
            return own
        return replace(own, prior=_rescaled(own.prior, factor))

    def member(own: PooledTerm) -> PooledTerm:
        if own.coefficient.term.name not in terms:
            return own
        return replace(own, mean=_rescaled(own.mean, factor), sd=_rescaled(own.sd, factor))

    pools = tuple(replace(pool, terms=tuple(map(member, pool.terms))) for pool in plan.mean.pools)
    changed = replace(plan.mean, coefficients=tuple(map(coefficient, plan.mean.coefficients)), pools=pools)
    return replace(plan, mean=changed)


def tested_priors(plan: Plan, terms: Collection[str]) -> list[Prior]:
    """Return the priors of the coefficients of `terms`; under a hierarchy those of its mean and sd."""
    own = [c.prior for c in plan.mean.coefficients if c.prior is not None and c.term.name in terms]
    pooled = [t for pool in plan.mean.pools for t in pool.terms if t.coefficient.term.name in terms]
    return own + [prior for term in pooled for prior in (term.mean, term.sd)]


def _rescaled(prior: Prior, factor: float) -> Prior:
    name, power = SCALES[prior.law]
    return replace(prior, args={**prior.args, name: prior.args[name] * factor**power})
