"""Notes where a default matters: what the reader of a fit should know about the model chosen."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from formulajoint.compiler import names
from formulajoint.compiler.defaults import stands_for_intercept
from formulajoint.compiler.plan import AveragePlan, Coefficient, LinearPlan, Plan, ScalePlan
from formulajoint.compiler.priors import DEFAULT, Prior
from formulajoint.design.coding import CODINGS
from formulajoint.design.moments import partial_ss, stack
from formulajoint.design.rows import sd
from formulajoint.design.schema import Factor, Grouping, IntArray, Term

FAR = 5.0
"""A column whose mean is this many sds from zero makes the intercept an extrapolation."""

FEW = 3
"""With so few groups a hierarchy's sd hardly learns from the data."""

MOST_NAMED = 6
"""A note names so many groups at most."""


def notes_of(plan: Plan) -> tuple[str, ...]:
    """Return the notes of a plan, each one sentence or two."""
    return (
        *_far_columns(plan),
        *_orders_of_text(plan),
        *_few_groups(plan),
        *_lone_rows(plan),
        *_undetermined(plan),
    )


def far_terms(plan: Plan) -> list[Term]:
    """Return the numeric terms far from zero, beside an intercept that therefore is an extrapolation."""
    predictor = plan.design.predictor
    levels = [term for term in predictor.terms if stands_for_intercept(term, predictor)]
    others = [term for term in predictor.terms if levels and term not in levels and not term.factors]
    return [term for term in others if np.any(abs(term.means) > FAR * term.scales)]


def _far_columns(plan: Plan) -> Iterator[str]:
    predictor = plan.design.predictor
    for term in far_terms(plan):
        level = next(term for term in predictor.terms if stands_for_intercept(term, predictor))
        spread = sd(term.columns, plan.design.row_weights)[0]
        yield (
            f"{term.name} is far from zero (mean {term.means[0]:.4g}, sd {spread:.4g}), "
            f"so {level.name} is an extrapolation: consider center({term.name})."
        )


def _orders_of_text(plan: Plan) -> Iterator[str]:
    """Tell of codings that depend on the order of the levels, and take whole numbers in the order of text."""
    parts = [plan.mean, *(part for part in plan.parameters if isinstance(part, LinearPlan))]
    for factor in {f.name: f for part in parts for t in part.predictor.terms for f in t.factors}.values():
        if factor.order != tuple(range(len(factor.levels))) and _has_order(factor):
            yield (
                f"The coding of {factor.name} takes its levels in the order of text, {', '.join(factor.levels)}: "
                f"make {factor.name} an ordered category to have them by size."
            )


def _has_order(factor: Factor) -> bool:
    """Tell whether a factor's columns mean something else where its levels stand in another order."""
    codings = (CODINGS[name](factor.levels)[0] for name in ("helmert", "poly"))
    return any(factor.coding is not None and np.array_equal(factor.coding, coding) for coding in codings)


def _few_groups(plan: Plan) -> Iterator[str]:
    for grouping, sds in _hierarchies(plan):
        names = [name for name, prior in sds if prior.origin == DEFAULT]
        if names and len(grouping) <= FEW:
            yield (
                f"There are {len(grouping)} groups of {grouping.name}: {' and '.join(names)} "
                f"{'is' if len(names) == 1 else 'are'} informed mostly by the prior."
            )


def _lone_rows(plan: Plan) -> Iterator[str]:
    """Tell that groups of one row each, with an intercept each, leave nothing to learn sigma from."""
    sigma, predictor = plan.scale("sigma"), plan.design.predictor
    grouping = predictor.grouping
    if sigma is None or sigma.prior.law == "constant" or grouping is None:
        return
    own = [c for c in plan.mean.coefficients if c.grouped and stands_for_intercept(c.term, predictor)]
    if own and plan.design.rows.used == len(grouping):
        member = plan.mean.pooled.get(own[0].name)
        other = own[0].name if member is None else member.sd_name
        yield f"Each {grouping.name} has one row: the data do not tell sigma from {other}, their priors do."


def _hierarchies(plan: Plan) -> Iterator[tuple[Grouping, list[tuple[str, Prior]]]]:
    """Yield the groups of each hierarchy with its sds and their priors."""
    for part in (plan.mean, *plan.parameters):
        if isinstance(part, ScalePlan):
            if part.pool is not None and part.grouping is not None:
                yield part.grouping, [(part.pool.sd_name, part.pool.sd)]
        elif part.predictor.grouping is not None:
            for pool in part.pools:
                yield part.predictor.grouping, [(term.sd_name, term.sd) for term in pool.terms]


def _undetermined(plan: Plan) -> Iterator[str]:
    """Tell of coefficients of single groups, not pooled, of which the group's own rows say nothing."""
    for part in (plan.mean, *plan.parameters):
        if isinstance(part, LinearPlan) and part.predictor.grouping is not None:
            yield from _undetermined_of(plan, part, part.predictor.grouping)


def _undetermined_of(plan: Plan, part: LinearPlan, grouping: Grouping) -> Iterator[str]:
    own = [c for c in part.coefficients if c.grouped and not _is_known(c)]
    if all(_is_excused(c) for c in own):  # before anything is computed
        return
    columns = stack([c.term for c in own], plan.design.rows.used)
    information = partial_ss(columns, grouping, plan.design.row_weights)  # (G, p)
    start = 0
    for coefficient in own:
        labels = names.columns(coefficient.term)
        alone = information[:, start : start + len(labels)] > 0
        start += len(labels)
        if not _is_excused(coefficient) and not alone.all():
            yield _rests_on_priors(plan, part, coefficient, grouping, ~alone)


def _is_known(coefficient: Coefficient) -> bool:
    return coefficient.prior is not None and coefficient.prior.law == "constant"


def _is_excused(coefficient: Coefficient) -> bool:
    """Tell whether there is nothing to say: an intercept goes with its slopes, the pooled learn from other groups."""
    prior = coefficient.prior
    return coefficient.term.name == "Intercept" or prior is None or not prior.proper


def _rests_on_priors(
    plan: Plan, part: LinearPlan, coefficient: Coefficient, grouping: Grouping, lacking: NDArray[np.bool_]
) -> str:
    """Return the note of a term whose columns, in the groups `lacking` (G, k), depend on the group's others."""
    groups, columns = np.flatnonzero(lacking.any(axis=1)), np.flatnonzero(lacking.any(axis=0))
    labels = names.columns(coefficient.term)
    what = (
        " and ".join(labels[j] for j in columns)
        if len(columns) < len(labels)
        else names.plain(coefficient.term.name)
    )
    everywhere = len(groups) == len(grouping)
    where = f"every {grouping.name}" if everywhere else f"{grouping.name} {_named(grouping, groups)}"
    cure = (
        f"write common({coefficient.term.name})"
        if lacking.all()
        else f"consider hierarchy({coefficient.term.name})"
    )
    weight = "".join(_weight_of(plan, coefficient, lacking))
    return (
        f"In {where} {what} does not vary apart from the other columns, so that its coefficient there rests on the "
        f"priors alone{weight}: {cure}."
    )


def _named(grouping: Grouping, groups: IntArray) -> str:
    rest = len(groups) - MOST_NAMED
    shown = ", ".join(grouping.labels[g] for g in groups[:MOST_NAMED])
    return shown + (f" and {rest} more" if rest > 0 else "")


def _weight_of(plan: Plan, coefficient: Coefficient, lacking: NDArray[np.bool_]) -> Iterator[str]:
    """Yield how much the averages of a term count the coefficients that are `lacking`."""
    for contrast in plan.contrasts:
        if isinstance(contrast, AveragePlan) and contrast.coefficient is coefficient:
            weights = contrast.weights.values.reshape(len(lacking), -1)  # (G, 1) or (G, k)
            most = float(np.sum(weights * lacking, axis=0).max())
            if most > 0:
                yield f"; {contrast.name} has weight {most:.3g} on it"
