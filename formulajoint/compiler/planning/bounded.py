"""Check that data bound the coefficients with flat priors, for families of events, counts, amounts and categories.

The rules are those of ``docs/statistics.md``, "Flat priors".
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.plan import LinearPlan, Plan, ScalePlan
from formulajoint.compiler.planning.propriety import check_ranks, is_flat
from formulajoint.compiler.planning.unbounded import INTERCEPT, reason
from formulajoint.compiler.residual_sds import names_in_sds
from formulajoint.data.directions import are_settled, by_group, free_direction, free_shared_direction, some
from formulajoint.data.rows import cells_of, frequencies, stack
from formulajoint.design.level_lookup import written
from formulajoint.design.schema import Grouping, Term
from formulajoint.distributions.prior import Prior
from formulajoint.errors import DataError
from formulajoint.families.tails import Tails
from formulajoint.wording import listed

NEGLIGIBLE = 1e-6
"""Share of the largest part of a direction below which a column has no part in it."""


def refuse_unbounded(plan: Plan) -> None:
    """Raise a DataError if flat priors leave coefficients without a posterior, or nothing shows that they have one."""
    flat = [name for name, prior in plan.priors if not prior.proper]
    if not flat or plan.family.improper:
        return
    tails, others = plan.family.tails, [name for name, prior in _besides_mean(plan) if not prior.proper]
    if tails is None or plan.mean.link not in tails.links or others:
        raise DataError(
            f"{listed(flat)} {'has' if len(flat) == 1 else 'have'} a flat prior, and nothing shows that the posterior "
            f"of the family `{plan.family.name}` would exist{_why(plan, tails, others)}. Use the default priors."
        )
    check_ranks(plan)
    own = [term for term in plan.design.predictor.per_group if is_flat(plan.mean, term)]
    shared = [term for term in plan.design.predictor.common if is_flat(plan.mean, term)]
    shared += [
        term.coefficient.term for pool in plan.mean.pools for term in pool.terms if not term.mean.proper
    ]
    _check(plan, tails, own, shared)


def _why(plan: Plan, tails: Tails | None, others: list[str]) -> str:
    known = tails is None or others or plan.mean.link in tails.links
    return "" if known else f" with the {plan.mean.link.name} link"


def _besides_mean(plan: Plan) -> Iterator[tuple[str, Prior]]:
    """Yield the priors of parameters other than coefficients of the mean and means of these."""
    named = {each.name for each in plan.mean.coefficients}
    named |= {term.mean_name for pool in plan.mean.pools for term in pool.terms}
    yield from (each for each in plan.priors if each[0] not in named)


def _check(plan: Plan, tails: Tails, own: list[Term], shared: list[Term]) -> None:
    """Raise a DataError unless rows bound the coefficients of terms with flat priors."""
    design, grouping = plan.design, plan.design.predictor.grouping if own else None
    n, used = design.rows.used, np.flatnonzero(frequencies(design) > 0)
    trials = np.ones(n) if design.response.trials is None else design.response.trials
    vanishing = tails.vanishing(design.response.values[used], trials[used])
    told = partial(reason, design.response, plan.family)
    codes = cells_of(grouping, n).codes[used]
    by_own, by_shared = stack(own, n)[used], stack(shared, n)[used]
    settled = are_settled(by_own, by_shared, codes, vanishing)
    if settled and plan.family.thresholds is None:  # whatever the other parameters are
        return
    groups = 1 if grouping is None else len(grouping)
    _check_others(plan, tails, groups * by_own.shape[1] + by_shared.shape[1])
    if settled:
        return
    if grouping is not None:
        found = {
            int(codes[rows[0]]): free_direction(by_own[rows], some(vanishing, rows))
            for rows in by_group(codes)
        }
        open_ = {group: direction for group, direction in found.items() if direction is not None}
        if open_:
            first = next(iter(open_))
            rows = np.flatnonzero(codes == first)
            why = told(used[rows], some(vanishing, rows), _part_of(own, open_[first]))
            raise DataError(_by_group(grouping, why, list(open_)))
    if shared:
        direction = free_shared_direction(by_own, by_shared, codes, vanishing)
        if direction is not None:
            why = told(used, vanishing, _part_of(shared, direction))
            raise DataError(f"{why[0].upper()}{why[1:]} Use the default priors, or leave a column out.")


def _check_others(plan: Plan, tails: Tails, flat: int) -> None:
    """Raise a DataError unless other priors leave the integral over so many flat coefficients finite.

    It is bounded by a polynomial of that degree in what else the linear predictors are made of, and in one over the
    rate at which densities fall.
    """
    pools = (*plan.mean.pools, *plan.mean.varying)
    besides = {name for name, _ in _besides_mean(plan)}
    of_mean = {term.sd_name for pool in pools for term in pool.terms} | (
        {name for name, _ in plan.priors} - besides
    )
    heavy = [name for name, own in plan.priors if name in of_mean and own.proper and own.moments <= flat]
    heavy += [term.coefficient.name for pool in pools for term in pool.terms if pool.request.degrees <= flat]
    of_levels = [part for part in plan.further if isinstance(part, ScalePlan) and part.between]
    heavy += [part.name for part in of_levels if part.prior.moments <= flat]
    rate = next((part for part in plan.further if part.parameter == tails.rate), None)
    if rate is not None and (
        isinstance(rate, LinearPlan) or rate.pool is not None or rate.prior.power_at_zero <= flat
    ):
        heavy.append(tails.rate)
    if heavy or names_in_sds(plan.mean):
        whose = listed(heavy) or "coefficients in residual sds"
        raise DataError(
            f"Coefficients have flat priors, and nothing shows that their posterior would exist: the responses bound "
            f"them only if the prior of {whose} has lighter tails, as normal, half_normal and log_normal ones do. Use "
            "such a prior, or the default priors."
        )


def _part_of(terms: list[Term], direction: FloatArray) -> list[str]:
    """Return the names of the terms that have a part in a direction of their columns."""
    ends = np.cumsum([term.columns.shape[1] for term in terms])[:-1]
    parts = np.split(direction, ends)
    sizes = np.array([np.max(abs(part)) for part in parts])
    there = [each for each, size in zip(terms, sizes, strict=True) if size > NEGLIGIBLE * np.max(sizes)]
    shift = sum(float(part[0]) for term, part in zip(terms, parts, strict=True) if term.name == INTERCEPT)
    alone = sum(term.name != INTERCEPT for term in there) == 1
    return [
        term.name + (_levels_of(term, part, shift) if alone else "")
        for term, part in zip(terms, parts, strict=True)
        if term in there
    ]


def _levels_of(term: Term, part: FloatArray, shift: float) -> str:
    """Return the levels of a factor that a direction of its columns moves, as written after its name."""
    factor = term.factors[0] if len(term.factors) == 1 else None
    if factor is None or factor.coding is None or not factor.levels:
        return ""
    moved = abs(factor.coding @ part + shift) > NEGLIGIBLE * np.max(abs(part))
    labels = [written(label) for label, open_ in zip(factor.levels, moved, strict=True) if open_]
    return f"[{', '.join(labels)}]" if 0 < len(labels) < len(factor.levels) else ""


def _by_group(grouping: Grouping, why: str, open_: list[int]) -> str:
    others = len(open_) - 1
    return (
        f"In {grouping.name} {grouping.labels[open_[0]]} {why}"
        + (f" {others} other {'group has' if others == 1 else 'groups have'} none, either." if others else "")
        + " Use the default priors, or pool with `hierarchy()`, or leave out "
        + f"{listed((grouping.labels[group] for group in open_), 5)}."
    )
