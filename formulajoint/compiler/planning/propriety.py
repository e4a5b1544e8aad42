"""Check that the posterior exists: under improper priors, and along a perfect fit under any prior.

The rules are those of ``docs/statistics.md``, "Flat priors"; ``bounded.py`` has those of other families.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.compiler.plan import LinearPlan, Plan, ScalePlan, ScalePool
from formulajoint.compiler.planning.defaults import response_moments
from formulajoint.data.data import Table
from formulajoint.data.least_squares import Profile, profile
from formulajoint.data.rows import frequencies
from formulajoint.design.schema import Design, Grouping, Term
from formulajoint.distributions.links import IDENTITY
from formulajoint.distributions.prior import Prior
from formulajoint.errors import DataError
from formulajoint.families.likelihood import Likelihood
from formulajoint.wording import listed

LEAST_NOISE = 1e-12
"""Smallest residual sd that double precision resolves, as a share of the response's sd."""

MOST_RANKED = 1_000
"""Most rows for which the rank of all columns is computed; of more it is taken as the smaller of rows and columns."""

MOST_SHOWN = 3
"""An error shows at most this many responses that cannot occur."""

ROUNDING = 16 * float(np.finfo(float).eps)
"""Residuals below this share of the response's magnitude count as rounding errors."""


def refuse_improper(plan: Plan) -> None:
    """Raise a DataError if the posterior would not exist: under flat priors, or along a perfect fit."""
    if plan.mean.link is not IDENTITY:
        return
    check_ranks(plan)
    sigma, linear = plan.spread, plan.linear_spread
    if sigma is not None:
        _check_scale(plan, sigma)
        _check_with_group_terms(plan, sigma)
    if linear is not None and plan.data.sigma is not None:
        _check_linear(plan, linear, plan.data.sigma)


def _check_with_group_terms(plan: Plan, scale: ScalePlan) -> None:
    """Raise a DataError if sigma has an improper prior and group terms over several factors leave no residuals."""
    terms = [term for pool in plan.mean.varying for term in pool.terms]
    if scale.prior.proper or not terms:
        return
    blocks = [(each.term, each.grouping) for each in plan.mean.coefficients]
    blocks += [(term.coefficient.term, term.coefficient.grouping) for term in terms]
    own = None if scale.pool is not None else scale.grouping
    codes = np.zeros(plan.design.rows.used, dtype=np.int64) if own is None else own.codes
    for group in range(1 if own is None else len(own)):
        whose = "" if own is None else f" with {own.name} {own.labels[group]}"
        _check_residuals(scale, blocks, np.flatnonzero(codes == group), whose)


def _check_residuals(
    scale: ScalePlan, blocks: list[tuple[Term, Grouping | None]], some: IntArray, whose: str
) -> None:
    """Raise a DataError if some rows, which share a scale with an improper prior, can be fitted perfectly."""
    counts = [1 if grouping is None else len(np.unique(grouping.codes[some])) for _, grouping in blocks]
    most = sum(term.columns.shape[1] * count for (term, _), count in zip(blocks, counts, strict=True))
    if most < len(some):  # each coefficient fits one row at most
        return
    ranked = len(some) <= MOST_RANKED
    rank = int(np.linalg.matrix_rank(_all_columns(blocks, some))) if ranked else min(len(some), most)
    if len(some) - rank <= scale.prior.power_at_zero:
        raise DataError(
            f"`{scale.name}` has the improper prior {scale.prior.of(scale.name)}, which needs residuals: there are "
            f"{len(some)} rows{whose} for {rank} coefficients, those of group terms among them. Use the default "
            "priors, or fewer group terms."
        )


def _all_columns(blocks: list[tuple[Term, Grouping | None]], some: IntArray) -> FloatArray:
    """Return the columns of terms at some rows (n, c); coefficients by group have a column for each group."""
    parts = []
    for term, grouping in blocks:
        if grouping is None:
            parts.append(term.columns[some])
            continue
        there, codes = np.unique(grouping.codes[some], return_inverse=True)
        member = np.eye(len(there))[codes]
        parts.append((term.columns[some][:, :, None] * member[:, None, :]).reshape(len(some), -1))
    return np.hstack(parts)


def check_response(design: Design, family: Likelihood) -> None:
    """Raise a DataError if the family or its link does not allow the response's values."""
    values, response = design.response.values, design.response.name
    trials = design.response.trials
    more = np.zeros(len(values), dtype=np.bool_) if trials is None else values > trials
    out = np.flatnonzero(~family.distribution.takes(values) | more)
    if len(out):
        rows = frequencies(design) if design.rows.counted else np.ones(len(values))
        raise DataError(
            f"The family `{family.name}` needs a response {_possible(design, family)}, but `{response}` is not in "
            f"{rows[out].sum():.10g} of the {rows.sum():.10g} rows used, first {_first(design, out)}. "
            f"{family.advice.format(name=design.response.variable, value=values.max())}".strip()
        )
    link = family.mean.link
    if family.mean.widths.location is not None:  # no default prior depends on it
        return
    mean = response_moments(design, offset=link is IDENTITY)[0]
    if not link.low < mean < link.high:
        raise DataError(
            f"The {link.name} link of the family `{family.name}` is not defined at the mean of `{response}`, "
            f"which is {mean:g}."
        )


def _possible(design: Design, family: Likelihood) -> str:
    """Return the responses that can occur, as a phrase."""
    upwards = family.distribution.values
    return upwards if design.response.trials is None else f"{upwards} to the number of trials"


def _first(design: Design, out: IntArray) -> str:
    """Return the first responses that cannot occur: ``-1 in row 3 and 2.5 in row 7, counted from 0``.

    Rows made from moments have no places: ``-1 and 2.5``.
    """
    if design.rows.counted:
        return " and ".join(f"{value:g}" for value in np.unique(design.response.values[out])[:MOST_SHOWN])
    places = np.arange(design.rows.used) if design.frame is None else design.frame.places
    shown = (f"{design.response.values[row]:g} in row {places[row]}" for row in out[:MOST_SHOWN])
    return f"{' and '.join(shown)}, counted from 0"


def is_flat(plan: LinearPlan, term: Term) -> bool:
    """Return whether the coefficients of a term have a flat prior of their own."""
    return any(c.term is term and c.prior is not None and not c.prior.proper for c in plan.coefficients)


def check_ranks(plan: Plan) -> None:
    """Raise a DataError if columns with flat priors depend on each other."""
    predictor = plan.design.predictor
    own = [t for t in predictor.per_group if is_flat(plan.mean, t)]
    shared = [t for t in predictor.common if is_flat(plan.mean, t)]
    shared += [
        t.coefficient.term for pool in plan.mean.pools for t in pool.terms if not t.mean.proper
    ]  # a flat mean of a hierarchy is one coefficient for all groups
    if not own and not shared:
        return
    table = plan.data.groups
    fit = profile(table.of(own), table.of(shared), table.y, table.rows)
    lacking = np.flatnonzero(fit.group_ranks < _width(own))
    if len(lacking) and predictor.grouping is not None:
        raise DataError(_by_group(predictor.grouping, lacking, own, fit))
    if fit.shared_rank < _width(shared):
        raise DataError(
            f"With flat priors the data must determine every coefficient, but {listed(_dependent(own, shared, table))} "
            f"can be written as a combination of the others ({plan.design.rows.read} rows). "
            "Leave a column out, or use the default priors."
        )


def _width(terms: list[Term]) -> int:
    return sum(term.columns.shape[1] for term in terms)


def _by_group(grouping: Grouping, lacking: IntArray, own: list[Term], fit: Profile) -> str:
    first = int(lacking[0])
    rows, rank = float(fit.group_rows[first]), int(fit.group_ranks[first])
    given, others = f"{rows:g} {'row' if rows == 1 else 'rows'}", len(lacking) - 1
    few = f"has only {given}" if rows <= rank else f"determines only {rank} of them with its {given}"
    return (
        f"With flat priors each group must determine its own {_width(own)} coefficients "
        f"({listed(t.name for t in own)}), but {grouping.name} {grouping.labels[first]} {few}"
        + (f" (and {others} other {'group' if others == 1 else 'groups'} likewise). " if others else ". ")
        + "Use the default priors, or pool with `hierarchy()`, or leave out "
        + f"{listed((grouping.labels[g] for g in lacking), 5)}."
    )


def _dependent(own: list[Term], shared: list[Term], table: Table) -> Iterator[str]:
    """Yield the names of shared terms whose columns depend on the terms before them."""
    before: list[Term] = []
    for term in shared:
        grown = profile(table.of(own), table.of([*before, term]), table.y, table.rows).shared_rank
        if grown < _width([*before, term]):
            yield term.name
        else:
            before.append(term)


def _check_scale(plan: Plan, scale: ScalePlan) -> None:
    """Raise a DataError if a scale's prior leaves it no posterior, over all rows or in a group with its own scale."""
    pool = scale.pool
    if scale.grouping is None or (pool is not None and not scale.prior.proper):
        fit = _profile(plan, plan.data.groups)
        _check_rows(fit, float(plan.data.squares_about_mean(None)[0]), scale, "", scale.prior.power_at_zero)
    if scale.grouping is None:
        return
    groups = (len(scale.grouping),)
    each = [scale.prior.at(g, groups) for g in range(*groups)]
    powers = [own.power_at_zero if pool is None else _pooled_at_zero(pool) for own in each]
    about_mean = plan.data.squares_about_mean(scale.grouping)
    found = zip(scale.grouping.labels, plan.data.by_sigma(), about_mean, powers, strict=True)
    for label, table, spread, least in found:
        whose = f" of {scale.grouping.name} {label}"
        _check_rows(_profile(plan, table), float(spread), scale, whose, least)


def _check_linear(plan: Plan, linear: LinearPlan, rows: Grouping) -> None:
    """Raise a DataError if predictors of sigma may make it arbitrarily small in rows that are fitted perfectly.

    There the likelihood grows as a power of sigma, exp of a multiple of a coefficient, which a normal prior outweighs.
    """
    heavy = [c.name for c in linear.coefficients if c.prior is not None and not _is_light(c.prior)]
    if not heavy:
        return
    about_mean = plan.data.squares_about_mean(rows)
    for label, table, spread in zip(rows.labels, plan.data.by_sigma(), about_mean, strict=True):
        fit = _profile(plan, table)
        count, rank = float(fit.group_rows.sum()), int(fit.group_ranks.sum()) + fit.shared_rank
        if count > rank and _is_perfect(fit, float(spread)):
            raise DataError(
                f"The {count:g} rows with {label} are fitted perfectly, so with the prior of {listed(heavy)} nothing "
                "shows that sigma there has a posterior. Use normal priors for the predictors of sigma, or fewer "
                "coefficients."
            )


def _is_light(own: Prior) -> bool:
    """Return whether a prior outweighs exp of any multiple of its parameter."""
    return own.constant is not None or own.normal is not None


def _is_perfect(fit: Profile, about_mean: float) -> bool:
    """Return whether residuals are rounding errors, for a response with that sum of squares about its mean."""
    return bool(fit.rss <= max(LEAST_NOISE**2 * about_mean, ROUNDING**2 * fit.tss))


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
    spare, perfect = rows - rank, _is_perfect(fit, about_mean)
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
            f"`{scale.name}`{whose} can be arbitrarily small, so it has no posterior: {rank} coefficients fit "
            f"the {rows:g} rows perfectly, as far as double precision can tell (residuals below {LEAST_NOISE:g} of "
            "the response's sd). "
            f"Use {cure}, or a prior that keeps it from zero, such as inverse_gamma(3, 2)."
        )


def _profile(plan: Plan, table: Table) -> Profile:
    """Return the profile of the mean without constant coefficients."""
    known = [c.term for c in plan.mean.coefficients if c.prior is not None and c.prior.constant is not None]
    own, shared = (
        table.of(term for term in terms if term not in known)
        for terms in (plan.design.predictor.per_group, plan.design.predictor.common)
    )
    return profile(own, shared, table.unknown, table.rows)
