"""Improper priors and the data they need: a posterior that does not exist is refused, with the reason.

The rules are those of ``docs/statistics.md``, "Flat priors".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from formulajoint.compiler.plan import LinearPlan, Plan, ScalePlan
from formulajoint.design.moments import Profile, by_group, profile, stack
from formulajoint.design.schema import Design, Grouping, IntArray, Term
from formulajoint.errors import DataError, listed

PERFECT = 1e-20
"""A residual sum of squares below this share of the total is a perfect fit."""


def refuse_improper(plan: Plan) -> None:
    """Raise a DataError where flat priors leave the posterior improper; proper priors always pass."""
    _check_coefficients(plan)
    for parameter in plan.parameters:
        if isinstance(parameter, ScalePlan) and not parameter.prior.proper:
            _check_scale(plan, parameter)


def _is_flat(plan: LinearPlan, term: Term) -> bool:
    return any(c.term is term and c.prior is not None and not c.prior.proper for c in plan.coefficients)


def _check_coefficients(plan: Plan) -> None:
    """Refuse columns with flat priors that the data cannot tell apart."""
    design, predictor = plan.design, plan.design.predictor
    own = [t for t in predictor.per_group if _is_flat(plan.mean, t)]
    shared = [t for t in predictor.common if _is_flat(plan.mean, t)]
    shared += [
        t.coefficient.term for pool in plan.mean.pools for t in pool.terms if not t.mean.proper
    ]  # a flat hierarchy mean is one coefficient for all groups
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
    """Yield the shared terms whose columns depend on the terms before them."""
    before: list[Term] = []
    for term in shared:
        grown = profile(np.zeros(rows), stack(own, rows), stack([*before, term], rows), grouping).shared_rank
        if grown < sum(t.columns.shape[1] for t in [*before, term]):
            yield term.name
        else:
            before.append(term)


def _check_scale(plan: Plan, scale: ScalePlan) -> None:
    """Refuse p(sigma) = 1/sigma, or a flat one, where the residuals do not bound sigma from below and above."""
    fit = _profile_of(plan.design, np.arange(plan.design.rows.used))
    spare = 1 if scale.prior.law == "flat" else 0  # a flat sigma needs one row more
    total, rank = float(fit.group_rows.sum()), int(fit.group_ranks.sum()) + fit.shared_rank
    if total <= rank + spare or fit.rss <= PERFECT * fit.tss:
        raise DataError(
            f"`{scale.name}` has the improper prior {scale.prior}, which needs residuals: there are {total:g} rows "
            f"for {rank} coefficients and the residual sum of squares is {fit.rss:.3g}. "
            "Use the default priors, or fewer coefficients."
        )
    if scale.grouping is None or scale.pool is not None:
        return
    _check_groups(plan, scale, scale.grouping, spare)


def _check_groups(plan: Plan, scale: ScalePlan, grouping: Grouping, spare: int) -> None:
    """Refuse a scale of its own for a group that the regression fits perfectly, or that it has no rows to spare for.

    Along a perfect fit the integral over sigma_g leaves 1/r^n over n dimensions of residuals r, which diverges.
    """
    rows = plan.design.rows.used
    for label, index in zip(grouping.labels, by_group(grouping, rows), strict=True):
        fit = _profile_of(plan.design, index)
        n, rank = float(fit.group_rows.sum()), int(fit.group_ranks.sum()) + fit.shared_rank
        if n <= rank + spare or fit.rss <= PERFECT * fit.tss:
            raise DataError(
                f"`{scale.name}` of {grouping.name} {label} has the improper prior {scale.prior}, which needs "
                f"residuals in that group: it has {n:g} rows for {rank} coefficients and a residual sum of squares "
                f"of {fit.rss:.3g}. Use the default priors, or one `{scale.name}` for all groups."
            )


def _profile_of(design: Design, index: IntArray) -> Profile:
    """Return the profile of the mean's regression on the rows `index` only."""
    predictor, rows = design.predictor, design.rows.used
    y = design.response.values if predictor.offset is None else design.response.values - predictor.offset
    own, shared = stack(predictor.per_group, rows), stack(predictor.common, rows)
    weights = None if design.row_weights is None else design.row_weights[index]
    grouping = predictor.grouping
    if grouping is not None:
        grouping = replace(grouping, codes=grouping.codes[index])
    return profile(y[index], own[index], shared[index], grouping, weights)
