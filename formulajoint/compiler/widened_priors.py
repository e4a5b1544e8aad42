"""Priors made narrower or wider, for Bayes factors under smaller or larger expected effects."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from formulajoint.compiler.coefficients import PooledTerm
from formulajoint.compiler.plan import LinearPlan, Plan
from formulajoint.distributions.prior import Prior
from formulajoint.remarks import Missing


def with_scaled(plan: Plan, terms: Collection[str], factor: float) -> Plan | Missing:
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
    Plan or Missing
        Missing if a prior has no scale.
    """
    try:
        return replace(plan, mean=_scaled_mean(plan.mean, terms, factor))
    except _NoScale as error:
        return Missing("scale", f"the prior {error} has no scale")


class _NoScale(Exception):
    """A prior cannot be made wider."""


def _of(prior: Prior, factor: float) -> Prior:
    wider = prior.widened(factor)
    if wider is None:
        raise _NoScale(str(prior))
    return wider


def _sd(prior: Prior, factor: float) -> Prior:
    """Return the scaled prior of a hierarchy's sd; a constant sd is itself scaled."""
    known = prior.constant
    return (
        _of(prior, factor) if known is None or factor == 1 else replace(prior, args={"value": known * factor})
    )


def _mean(term: PooledTerm, factor: float) -> Prior:
    """Return the scaled prior of a hierarchy's mean; that of a group term that varies about zero stays zero."""
    return term.mean if term.deviation_name and not term.mean_name else _of(term.mean, factor)


def _scaled_mean(mean: LinearPlan, terms: Collection[str], factor: float) -> LinearPlan:
    coefficients = {
        c.name: c if c.term.name not in terms or c.prior is None else replace(c, prior=_of(c.prior, factor))
        for c in mean.coefficients
    }
    pools = tuple(
        replace(
            pool,
            terms=tuple(
                replace(t, mean=_mean(t, factor), sd=_sd(t.sd, factor))
                if t.coefficient.term.name in terms
                else t
                for t in pool.terms
            ),
        )
        for pool in mean.pools
    )
    return replace(mean, coefficients=tuple(coefficients.values()), pools=pools)
