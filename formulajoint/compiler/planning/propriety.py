"""Check that the posterior exists: under improper priors, and along a perfect fit under any prior.

The rules are those of ``docs/statistics.md``, "Flat priors".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.compiler.plan import LinearPlan, Plan, ScalePlan, ScalePool
from formulajoint.compiler.planning.defaults import response_moments
from formulajoint.design.moments import Profile, by_group, profile, stack
from formulajoint.design.schema import Design, Grouping, Term
from formulajoint.distributions.links import IDENTITY
from formulajoint.errors import DataError
from formulajoint.families.likelihood import Likelihood
from formulajoint.wording import listed

LEAST_NOISE = 1e-12
"""Smallest residual sd that double precision resolves, as a share of the response's sd."""

ROUNDING = 16 * float(np.finfo(float).eps)
"""Residuals below this share of the response's magnitude count as rounding errors."""


def refuse_improper(plan: Plan) -> None:
    """Raise a DataError if the posterior would not exist: under flat priors, or along a perfect fit."""
    if plan.mean.link is not IDENTITY:
        return
    _check_coefficients(plan)
    sigma = plan.spread
    if sigma is not None:
        _check_scale(plan, sigma)


def refuse_flat(plan: Plan) -> None:
    """Raise a DataError if a prior is flat and nothing shows that the family's posterior exists."""
    flat = [name for name, prior in plan.priors if not prior.proper]
    if flat and not plan.family.improper:
        raise DataError(
            f"{listed(flat)} {'has' if len(flat) == 1 else 'have'} a flat prior, and nothing shows that the posterior "
            f"of the family `{plan.family.name}` would exist. Use the default priors."
        )


def check_response(design: Design, family: Likelihood) -> None:
    """Raise a DataError if the family or its link does not allow the response's values."""
    values, response = design.response.values, design.response.name
    out = int(np.sum(~family.distribution.takes(values)))
    if out:
        raise DataError(
            f"The family `{family.name}` needs a response {family.distribution.values}, but `{response}` is not in "
            f"{out} of the {len(values)} rows used."
        )
    link, mean = family.mean.link, response_moments(design)[0]
    if not link.low < mean < link.high:
        raise DataError(
            f"The {link.name} link of the family `{family.name}` is not defined at the mean of `{response}`, "
            f"which is {mean:g}."
        )


def _is_flat(plan: LinearPlan, term: Term) -> bool:
    return any(c.term is term and c.prior is not None and not c.prior.proper for c in plan.coefficients)


def _check_coefficients(plan: Plan) -> None:
    """Raise a DataError if columns with flat priors depend on each other."""
    design, predictor = plan.design, plan.design.predictor
    own = [t for t in predictor.per_group if _is_flat(plan.mean, t)]
    shared = [t for t in predictor.common if _is_flat(plan.mean, t)]
    shared += [
        t.coefficient.term for pool in plan.mean.pools for t in pool.terms if not t.mean.proper
    ]  # a flat mean of a hierarchy is one coefficient for all groups
    if not own and not shared:
        return
    rows = design.rows.used
    columns = stack(own, rows)
    fit = profile(
        design.response.values, columns, stack(shared, rows), predictor.grouping, design.row_weights
    )
    lacking = np.flatnonzero(fit.group_ranks < columns.shape[1])
    if len(lacking) and predictor.grouping is not None:
        raise DataError(_by_group(predictor.grouping, lacking, own, fit))
    if fit.shared_rank < sum(t.columns.shape[1] for t in shared):
        names = listed(_dependent(own, shared, predictor.grouping, rows))
        raise DataError(
            f"With flat priors the data must determine every coefficient, but {names} "
            f"can be written as a combination of the others ({rows} rows). "
            "Leave a column out, or use the default priors."
        )


def _by_group(grouping: Grouping, lacking: IntArray, own: list[Term], fit: Profile) -> str:
    columns = sum(term.columns.shape[1] for term in own)
    first = int(lacking[0])
    return (
        f"With flat priors each group must determine its own {columns} coefficients "
        f"({listed(t.name for t in own)}), but {grouping.name} {grouping.labels[first]} has "
        f"{fit.group_rows[first]:g} rows of rank {fit.group_ranks[first]}"
        + (f", and {len(lacking) - 1} more groups lack rank too. " if len(lacking) > 1 else ". ")
        + "Use the default priors, or pool with `hierarchy()`, or leave out "
        + f"{listed((grouping.labels[g] for g in lacking), 5)}."
    )


def _dependent(own: list[Term], shared: list[Term], grouping: Grouping | None, rows: int) -> Iterator[str]:
    """Yield the names of shared terms whose columns depend on the terms before them."""
    before: list[Term] = []
    for term in shared:
        grown = profile(np.zeros(rows), stack(own, rows), stack([*before, term], rows), grouping).shared_rank
        if grown < sum(t.columns.shape[1] for t in [*before, term]):
            yield term.name
        else:
            before.append(term)


def _check_scale(plan: Plan, scale: ScalePlan) -> None:
    """Raise a DataError if a scale's prior leaves it no posterior, over all rows or in a group with its own scale."""
    pool, regression = scale.pool, _regression(plan)
    if scale.grouping is None or (pool is not None and not scale.prior.proper):
        _check_rows(regression.profile(), regression.about_mean(), scale, "", scale.prior.power_at_zero)
    if scale.grouping is None:
        return
    least = scale.prior.power_at_zero if pool is None else _pooled_at_zero(pool)
    for label, index in zip(
        scale.grouping.labels, by_group(scale.grouping, plan.design.rows.used), strict=True
    ):
        whose = f" of {scale.grouping.name} {label}"
        _check_rows(regression.profile(index), regression.about_mean(index), scale, whose, least)


def _pooled_at_zero(pool: ScalePool) -> float:
    """Return `power_at_zero` of one group's scale in a hierarchy; its log scale has at best a Gaussian tail."""
    bounded = not pool.request.heavy and pool.sd.support[1] < np.inf
    return np.inf if bounded else 1.0


def _check_rows(fit: Profile, about_mean: float, scale: ScalePlan, whose: str, least: float) -> None:
    """Raise a DataError if the rows of `scale` leave too few residuals, or none, for its prior.

    Parameters
    ----------
    fit : Profile
        Regression of the rows.
    about_mean : float
        Sum of squares of the response about its mean.
    scale : ScalePlan
    whose : str
        Phrase for the group, for the message; empty for all rows.
    least : float
        a, for a prior density that behaves as sigma^(a - 1) near zero. Along a perfect fit with `rank` coefficients the
        likelihood of n rows, with the coefficients integrated out, grows as sigma^(rank - n): the integral over small
        sigma diverges if n - rank >= a.
    """
    rows, rank = float(fit.group_rows.sum()), int(fit.group_ranks.sum()) + fit.shared_rank
    spare, perfect = rows - rank, fit.rss <= max(LEAST_NOISE**2 * about_mean, ROUNDING**2 * fit.tss)
    cure = f"one `{scale.name}` for all groups" if whose else "fewer coefficients"
    improper = not scale.prior.proper and not (whose and scale.pool is not None)
    if improper and (perfect or spare <= scale.prior.power_at_zero):
        raise DataError(
            f"`{scale.name}`{whose} has the improper prior {scale.prior.of(scale.name)}, which needs residuals: there "
            f"are {rows:g} rows for {rank} coefficients and the residual sum of squares is {fit.rss:.3g}. "
            f"Use the default priors, or {cure}."
        )
    if perfect and spare >= least:
        raise DataError(
            f"`{scale.name}`{whose} could be as small as it likes, and so has no posterior: {rank} coefficients fit "
            f"the {rows:g} rows perfectly, as far as double precision can tell (residuals below {LEAST_NOISE:g} of "
            "the response's sd). "
            f"Use {cure}, or a prior that keeps it from zero, such as inverse_gamma(3, 2)."
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Regression:
    """The regression of the mean without constant coefficients, for some of the rows or all."""

    y: FloatArray
    own: FloatArray
    shared: FloatArray
    grouping: Grouping | None
    weights: FloatArray | None

    def profile(self, index: IntArray | None = None) -> Profile:
        """Return the profile of the rows `index`."""
        if index is None:
            return profile(self.y, self.own, self.shared, self.grouping, self.weights)
        grouping = self.grouping
        if grouping is not None:
            present, codes = np.unique(grouping.codes[index], return_inverse=True)
            grouping = replace(grouping, labels=tuple(grouping.labels[g] for g in present), codes=codes)
        weights = None if self.weights is None else self.weights[index]
        return profile(self.y[index], self.own[index], self.shared[index], grouping, weights)

    def about_mean(self, index: IntArray | None = None) -> float:
        """Return the sum of squares of the response about its mean, in the rows `index`."""
        y = self.y if index is None else self.y[index]
        weights = np.ones(len(self.y)) if self.weights is None else self.weights
        weights = weights if index is None else weights[index]
        return float(weights @ (y - np.average(y, weights=weights)) ** 2)


def _regression(plan: Plan) -> _Regression:
    design, predictor = plan.design, plan.design.predictor
    y = design.response.values if predictor.offset is None else design.response.values - predictor.offset
    known = []
    for coefficient in plan.mean.coefficients:
        if coefficient.prior is not None and coefficient.prior.constant is not None:
            known.append(coefficient.term)
            y = y - coefficient.term.columns.sum(axis=1) * coefficient.prior.constant
    own, shared = (
        stack([term for term in terms if term not in known], design.rows.used)
        for terms in (predictor.per_group, predictor.common)
    )
    return _Regression(y, own, shared, predictor.grouping, design.row_weights)
