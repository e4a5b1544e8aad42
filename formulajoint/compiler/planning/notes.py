"""Notes on defaults that matter, for the reader of a fit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from formulajoint.compiler.contrast_plans import AveragePlan
from formulajoint.compiler.plan import LinearPlan, Plan, ScalePlan
from formulajoint.compiler.planning.defaults import moments_within, sigma_groups, stands_for_intercept
from formulajoint.compiler.planning.far_columns import far_columns, far_within
from formulajoint.compiler.planning.narrow_priors import may_be_narrow, narrow_priors
from formulajoint.compiler.planning.small_groups import small_groups
from formulajoint.compiler.planning.term_columns import named, table_of
from formulajoint.compiler.planning.undetermined import may_be_open, undetermined
from formulajoint.compiler.planning.unequal_sds import unequal_sds
from formulajoint.contrasts.at_means import added_at_means, means_beside
from formulajoint.data.rows import frequencies
from formulajoint.design.coding import CODINGS
from formulajoint.design.schema import Factor, Grouping, PartMeans, Predictor, Term
from formulajoint.distributions.links import IDENTITY
from formulajoint.distributions.prior import DEFAULT, FLAT, Prior
from formulajoint.language.syntax.nodes import Name
from formulajoint.language.syntax.text import canonical
from formulajoint.spans import NOWHERE
from formulajoint.spec.counts import counts_of

SMALL = 5.0
"""Whole numbers from zero with a mean below this get a note: a residual sd for all is then a poor approximation."""

BY_ROWS = "n"
"""The scheme of weights that counts rows."""

FEW = 3
"""With at most this many groups, a hierarchy's sd learns little from the data."""


def notes_of(plan: Plan) -> tuple[str, ...]:
    """Return the notes of a plan, each of one or two sentences."""
    return (
        *plan.design.notes,
        *_whole_numbers(plan),
        *unequal_sds(plan),
        *small_groups(plan),
        *far_columns(plan),
        *far_within(plan),
        *_orders_of_text(plan),
        *_thresholds_not_flat(plan),
        *_few_groups(plan),
        *_one_set(plan),
        *_lone_rows(plan),
        *_beside_interactions(plan),
        *_units(plan),
        *_trials(plan),
        *_of_columns(plan),
    )


def _whole_numbers(plan: Plan) -> Iterator[str]:
    """Yield a note on a response of 0 and 1, or of small whole numbers, that is modelled as measured."""
    response, values = plan.design.response, plan.design.response.values
    counts = plan.family.distribution.whole
    if counts or plan.mean.link is not IDENTITY or values.min() != 0 or np.any(values % 1):
        return
    if values.max() == 1:
        yield (
            f"{response.name} is 0 or 1, so this is a linear probability model: effects are differences of "
            "probabilities, fitted values may lie outside 0 to 1, and the residual sd depends on the probability. "
            "family(bernoulli) models its log odds."
        )
    elif (mean := np.average(values, weights=frequencies(plan.design))) < SMALL:
        yield (
            f"{response.name} has whole numbers from 0 to {values.max():g}, with mean {mean:.3g}, and is "
            "modelled as measured: fitted values may lie below zero, and counts vary less where their mean is small. "
            "family(negative_binomial) models counts."
        )


def _one_set(plan: Plan) -> Iterator[str]:
    """Yield a note where groups of several columns are pooled as one set: those of one district are as others."""
    grouping = plan.mean.predictor.grouping
    if plan.mean.pools and grouping is not None and len(grouping.variables) > 1:
        outer = grouping.variables[0]
        yield (
            f"The {len(grouping)} groups of {' and '.join(grouping.variables)} are pooled as one set: groups of the "
            f"same {outer} are not modelled as alike. Where {outer} matters, the mean over all groups is less sure "
            f"than it looks; `| {outer}, hierarchy()` pools over {outer} alone."
        )


def _orders_of_text(plan: Plan) -> Iterator[str]:
    """Yield a note for each coding that depends on the order of its levels, if numbers in it are sorted as text."""
    parts = [part for part in plan.parameters if isinstance(part, LinearPlan)]
    for factor in {f.name: f for part in parts for t in part.predictor.terms for f in t.factors}.values():
        if factor.order != tuple(range(len(factor.levels))) and _has_order(factor):
            yield (
                f"The coding of {factor.name} takes its levels in the order of text, {', '.join(factor.levels)}: "
                f"make {factor.name} an ordered category to have them by size."
            )


def _has_order(factor: Factor) -> bool:
    """Return whether a factor's coding depends on the order of its levels."""
    codings = (CODINGS[name](factor.levels)[0] for name in ("helmert", "poly"))
    return any(factor.coding is not None and np.array_equal(factor.coding, coding) for coding in codings)


def _thresholds_not_flat(plan: Plan) -> Iterator[str]:
    """Yield a note where the coefficients are flat, and the thresholds between categories are not."""
    flat = any(prior.origin == FLAT for _, prior in plan.priors)
    for part in plan.further:
        if isinstance(part, ScalePlan) and part.between and flat and part.prior.origin == DEFAULT:
            yield (
                f'With priors="flat" {part.name} keeps the prior {part.prior}, since nothing here shows that flat '
                "thresholds have a posterior: coefficients are near those of maximum likelihood, not equal to them. "
                f"For a wider one write `prior({part.name} ~ normal(0, 100))`."
            )


def _few_groups(plan: Plan) -> Iterator[str]:
    for grouping, sds in _hierarchies(plan):
        names = [name for name, prior in sds if prior.origin == DEFAULT]
        if names and len(grouping) <= FEW:
            yield (
                f"There are {len(grouping)} groups of {grouping.name}: {' and '.join(names)} "
                f"{'is' if len(names) == 1 else 'are'} informed mostly by the prior."
            )


def _lone_rows(plan: Plan) -> Iterator[str]:
    """Yield a note if each group has one row and an intercept, which leaves nothing to estimate sigma from."""
    sigma, predictor = plan.spread, plan.design.predictor
    grouping = predictor.grouping
    if sigma is None or sigma.prior.constant is not None or grouping is None:
        return
    own = [c for c in plan.mean.coefficients if c.grouped and stands_for_intercept(c.term, predictor)]
    if own and plan.design.rows.used == len(grouping):
        member = plan.mean.pooled.get(own[0].name)
        other = own[0].name if member is None else member.sd_name
        yield f"Each {grouping.name} has one row: the data cannot separate sigma from {other}; only their priors do."


def _beside_interactions(plan: Plan) -> Iterator[str]:
    """Yield a note for each term whose average is of its effects where other columns are zero, with what to write."""
    predictor = plan.design.predictor
    if any(len(term.part_means) < len(term.parts) for term in predictor.terms):
        return
    averages = [contrast for contrast in plan.contrasts if isinstance(contrast, AveragePlan)]
    for coefficient in plan.mean.coefficients:
        own = [average for average in averages if average.coefficient is coefficient]
        if own and all(average.at is None and not average.response for average in own):
            yield from _beside(predictor, coefficient.term, own[0])


def _beside(predictor: Predictor, term: Term, average: AveragePlan) -> Iterator[str]:
    added = added_at_means(predictor, term, NOWHERE)
    wider = [t for t in predictor.terms if t.name in added and set(t.parts) > set(term.parts) > set()]
    beside = means_beside(term, wider)
    zero = {part: _at_zero(means) for part, means in beside.items() if _at_zero(means)}
    if zero:
        where = " and ".join(f"{part} is {value}" for part, value in zero.items())
        yield (
            f"{average.name} rests on the effect of {term.name} where {where}; "
            f"{average.function.name}({term.name}, at=mean) rests on that at the mean of {named(list(zero))}."
        )


def _at_zero(means: PartMeans) -> str:
    """Return the value of a column at which its own columns are zero; empty if that is the mean of all levels."""
    if not means.levels:
        return "0"
    reference = np.flatnonzero(~means.coding.any(axis=1))
    return means.levels[reference[0]] if len(reference) else ""


def _units(plan: Plan) -> Iterator[str]:
    """Yield a note where sigma is given by group, and yet default priors depend on the units of other groups."""
    grouping = sigma_groups(plan.design, plan.family)
    within = None if grouping is None else moments_within(plan.design, grouping)
    if within is None or grouping is None:
        return
    pooled = plan.spread is not None and plan.spread.pool is not None
    lone = [grouping.labels[g] for g in np.flatnonzero(within.rows <= 1)]
    if lone and not pooled and any(prior.origin == DEFAULT for _, prior in plan.priors):
        yield (
            f"{grouping.name} {named(lone)} {'has' if len(lone) == 1 else 'have'} one row, which shows no sd: default "
            "priors take the geometric mean of the others' sds, and so depend on their units."
        )


def _trials(plan: Plan) -> Iterator[str]:
    """Yield a note on averages whose weights count rows, where groups differ in trials per row."""
    trials, counts = plan.design.response.trials, counts_of(plan.design.spec.response)
    grouping = plan.design.predictor.grouping
    averages = [c for c in plan.contrasts if isinstance(c, AveragePlan) and c.weights.scheme == BY_ROWS]
    if trials is None or counts is None or grouping is None or not averages:
        return
    rows, frequency = plan.data.rows_of(grouping), frequencies(plan.design)
    per_row = np.bincount(grouping.codes, trials * frequency, minlength=len(grouping)) / rows
    if np.allclose(per_row, per_row[0]):
        return
    first, column = averages[0], counts.trials
    write = (
        f"{first.function.name}({first.coefficient.term.name}, weights=sum({canonical(column)}))"
        if isinstance(column, Name)
        else "a column of the trials, and weights=sum() of it,"
    )
    yield (
        f"The weights n of {named([average.name for average in averages])} count rows, not trials; "
        f"{write} weights {grouping.name} by trials."
    )


def _hierarchies(plan: Plan) -> Iterator[tuple[Grouping, list[tuple[str, Prior]]]]:
    """Yield the groups of each hierarchy, with its sds and their priors."""
    for part in plan.parameters:
        if isinstance(part, ScalePlan):
            if part.pool is not None and part.grouping is not None:
                yield part.grouping, [(part.pool.sd_name, part.pool.sd)]
        else:
            for pool in part.pools:
                yield pool.grouping, [(term.sd_name, term.sd) for term in pool.terms]


def _of_columns(plan: Plan) -> Iterator[str]:
    """Yield the notes that need the columns: coefficients not determined, or held back by a default prior."""
    for part in plan.parameters:
        if not isinstance(part, LinearPlan):
            continue
        narrow = part is plan.mean and may_be_narrow(plan)
        if narrow or may_be_open(part):
            table = table_of(plan, part)
            yield from undetermined(plan, part, table)
            if narrow:
                yield from narrow_priors(plan, table)
