"""Priors made narrower or wider, for Bayes factors under smaller or larger expected effects."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from types import MappingProxyType

from formulajoint.compiler.plan import LinearPlan, Plan
from formulajoint.distributions.prior import Prior

DIVIDED: Mapping[str, tuple[str, ...]] = MappingProxyType({"exponential": ("lam",), "gamma": ("beta",)})
"""Prior name -> arguments that are inverse scales."""

MULTIPLIED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "normal": ("sigma",),
        "student_t": ("sigma",),
        "cauchy": ("beta",),
        "laplace": ("b",),
        "half_normal": ("sigma",),
        "half_cauchy": ("beta",),
        "half_student_t": ("sigma",),
        "inverse_gamma": ("beta",),
        "uniform": ("lower", "upper"),
    }
)
"""Prior name -> arguments that are scales; locations stay the same."""


def scaled(prior: Prior, factor: float) -> Prior | None:
    """Return `prior` with its scale multiplied by `factor`, or None if it has no scale."""
    if factor == 1:
        return prior
    change: Mapping[str, Callable[[float], float]] = {
        **dict.fromkeys(MULTIPLIED.get(prior.law, ()), lambda value: value * factor),
        **dict.fromkeys(DIVIDED.get(prior.law, ()), lambda value: value / factor),
        **({"mu": lambda value: value + math.log(factor)} if prior.law == "log_normal" else {}),
    }
    if not change:
        return None
    args = {name: change[name](value) if name in change else value for name, value in prior.args.items()}  # type: ignore[arg-type]
    return replace(prior, args=args)


def with_scaled(plan: Plan, terms: Collection[str], factor: float) -> Plan | str:
    """Return a plan with priors `factor` times as wide for the coefficients of some terms of the mean.

    For pooled terms, the priors of the hierarchy's mean and sd are both scaled.

    Parameters
    ----------
    plan : Plan
    terms : collection of str
        Names of the terms.
    factor : float
        Above zero.

    Returns
    -------
    Plan or str
        If a prior has no scale, a sentence that says so.
    """
    try:
        return replace(plan, mean=_scaled_mean(plan.mean, terms, factor))
    except _NoScale as error:
        return f"the prior {error} has no scale"


class _NoScale(Exception):
    """A prior cannot be made wider."""


def _of(prior: Prior, factor: float) -> Prior:
    wider = scaled(prior, factor)
    if wider is None:
        raise _NoScale(str(prior))
    return wider


def _sd(prior: Prior, factor: float) -> Prior:
    """Return the scaled prior of a hierarchy's sd; a constant sd is itself scaled."""
    if prior.law == "constant":
        return replace(prior, args={"value": prior.args["value"] * factor})
    return _of(prior, factor)


def _scaled_mean(mean: LinearPlan, terms: Collection[str], factor: float) -> LinearPlan:
    coefficients = {
        c.name: c if c.term.name not in terms or c.prior is None else replace(c, prior=_of(c.prior, factor))
        for c in mean.coefficients
    }
    pools = tuple(
        replace(
            pool,
            terms=tuple(
                replace(t, mean=_of(t.mean, factor), sd=_sd(t.sd, factor))
                if t.coefficient.term.name in terms
                else t
                for t in pool.terms
            ),
        )
        for pool in mean.pools
    )
    return replace(mean, coefficients=tuple(coefficients.values()), pools=pools)
