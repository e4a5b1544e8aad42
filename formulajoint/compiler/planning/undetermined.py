"""Notes on coefficients that the data do not determine, so that they rest on their priors, with advice.

Advice is a change of the formula, given only if it makes the coefficient estimable. A pooled coefficient is estimable
if its mean is, as one coefficient for all groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.coefficients import Coefficient
from formulajoint.compiler.contrast_plans import AveragePlan
from formulajoint.compiler.plan import LinearPlan, Plan
from formulajoint.compiler.planning.term_columns import (
    MOST_NAMED,
    cells,
    columns_of,
    known_value,
    named,
    open_in,
)
from formulajoint.data.data import Table
from formulajoint.data.least_squares import BoolArray, null_space
from formulajoint.design.level_lookup import written
from formulajoint.design.schema import Predictor
from formulajoint.spec.spec import MAIN

type Layout = tuple[list[Coefficient], list[Coefficient]]
"""Coefficients with a value per group, and those with one value for all groups, including means of hierarchies."""


@dataclass(frozen=True, slots=True, eq=False)
class _Open:
    """A coefficient that is not determined, and where: its groups and columns, (G, k) or (1, k)."""

    coefficient: Coefficient
    where: BoolArray


def undetermined(plan: Plan, part: LinearPlan, table: Table) -> Iterator[str]:
    """Yield a note for each term that the data do not determine, and one for those that depend on each other."""
    layout = _layout(part)
    states = open_in(table, *layout)
    found = [_Open(c, states[c.name]) for c in part.coefficients if c.name in states and _matters(part, c)]
    incurable = []
    for item in (item for item in found if item.where.any()):
        cure = _cure(part, table, layout, item)
        if not cure and _is_empty(table, item):
            cure = f"Leave {item.coefficient.term.name} out, or write a prior that says what you know of it"
        if cure:
            what, many = _what(part, [item])
            verb, whose = ("they rest", "them") if many else ("it rests", "it")
            weight = "".join(_weight_of(plan, table, layout, item, whose))
            offer = _without(plan, item) if weight else ""
            yield f"The data do not determine {what}: {verb} on the priors{weight}. {cure}{offer}."
        else:
            incurable.append(item)
    if incurable:
        yield _dependent(part, incurable)


def open_cells(plan: Plan, coefficient: Coefficient) -> BoolArray:
    """Return which cells of a coefficient of the mean rest on their priors, (G, k); if pooled or shared, (1, k)."""
    known = known_value(coefficient) is not None or _about_constant(plan.mean, coefficient)
    if known or not _matters(plan.mean, coefficient):
        return np.zeros((1, 1), dtype=bool)
    return open_in(plan.data.groups, *_layout(plan.mean))[coefficient.name]


def _dependent(part: LinearPlan, items: list[_Open]) -> str:
    """Return the note on coefficients that no advice makes estimable."""
    what, _ = _what(part, items)
    if len(items) == 1:
        return (
            f"The data cannot separate {what} from the other columns: it rests on the priors. "
            f"Leave {items[0].coefficient.term.name} out."
        )
    return (
        f"The data cannot separate {what}: their columns depend on each other, and each coefficient rests on the "
        "priors. Leave one of them out."
    )


def _layout(part: LinearPlan) -> Layout:
    unknown = [c for c in part.coefficients if known_value(c) is None and not _about_constant(part, c)]
    own = [c for c in unknown if c.grouped and c.name not in part.pooled]
    return own, [c for c in unknown if c not in own]


def _about_constant(part: LinearPlan, coefficient: Coefficient) -> bool:
    """Return whether a coefficient is pooled about a known mean, so that the data have nothing to determine."""
    member = part.pooled.get(coefficient.name)
    return member is not None and member.mean.constant is not None


def may_be_open(part: LinearPlan) -> bool:
    """Return whether any coefficient may need a note."""
    by_category = any(c.term.classes for c in part.coefficients)  # repeated columns
    return not by_category and any(_matters(part, c) for c in part.coefficients if known_value(c) is None)


def _matters(part: LinearPlan, coefficient: Coefficient) -> bool:
    """Return whether a coefficient may need a note: not an intercept (its slopes do), nor one with a flat prior."""
    prior = coefficient.prior or part.pooled[coefficient.name].mean
    return coefficient.term.name != "Intercept" and prior.proper


def _is_empty(table: Table, item: _Open) -> bool:
    """Return whether the undetermined columns are zero in all rows, as for combinations that do not occur."""
    zero = ~columns_of(table, [item.coefficient]).any(axis=1)  # (G, k)
    return bool(np.all((zero if len(item.where) > 1 else zero.all(axis=0)) | ~item.where))


def _cure(part: LinearPlan, table: Table, layout: Layout, item: _Open) -> str:
    """Return the first advice that makes the coefficient estimable, or an empty string."""
    for advice, changed in _cures(part.predictor, layout, item):
        if not open_in(table, *changed)[item.coefficient.name].any():
            return advice
    return ""


def _cures(predictor: Predictor, layout: Layout, item: _Open) -> Iterator[tuple[str, Layout]]:
    """Yield pieces of advice, each with the layout of the changed formula."""
    own, coefficient = layout[0], item.coefficient
    stem = "" if predictor.parameter == MAIN else f"{predictor.parameter}."
    levels = [c for c in own if c.term.name == "Intercept"]
    pool = f"hierarchy({stem}Intercept)"
    if coefficient not in own:
        yield f"Pool the intercepts: {pool}", _shared(layout, levels)
        return
    term = coefficient.term.name
    if item.where.all():
        yield f"Write common({term})", _shared(layout, [coefficient])
        advice = f"Write common({term}) and pool the intercepts: {pool}"
        yield advice, _shared(layout, [coefficient, *levels])
    yield f"Consider hierarchy({stem}{term})", _shared(layout, [coefficient])


def _shared(layout: Layout, moved: list[Coefficient]) -> Layout:
    """Return the layout in which the coefficients `moved` have one value, or one mean, for all groups."""
    own, shared = layout
    return [c for c in own if c not in moved], shared + [c for c in moved if c not in shared]


def _what(part: LinearPlan, items: list[_Open]) -> tuple[str, bool]:
    """Return the names of the undetermined coefficients, and whether there are several."""
    grouping = part.predictor.grouping
    if grouping is not None and all(len(item.where) > 1 and item.where.all() for item in items):
        return f"{named([item.coefficient.name for item in items])} in any {grouping.name}", len(items) > 1
    labels: list[str] = []
    for item in items:
        member = part.pooled.get(item.coefficient.name)
        labels += cells(item.coefficient, item.where) if member is None else [member.mean_name]
    return named(labels), len(labels) > 1


def _averages(plan: Plan, item: _Open) -> list[AveragePlan]:
    """Return the averages of the term."""
    averages = [contrast for contrast in plan.contrasts if isinstance(contrast, AveragePlan)]
    return [average for average in averages if average.coefficient is item.coefficient]


def _weight_of(plan: Plan, table: Table, layout: Layout, item: _Open, whose: str) -> Iterator[str]:
    """Yield a phrase for each average of the term: its weight on what is not determined, and the priors' part."""
    for average in _averages(plan, item):
        weights = average.weights.values.reshape(len(item.where), -1) * item.where  # (G, 1) or (G, k)
        most = float(np.sum(weights, axis=0).max())
        if most > 0:
            in_points = average.scale == "none" and average.at is None
            sds = _prior_sds(table, layout[0], item) if in_points else None
            by_prior = "" if sds is None else float(np.sqrt(np.sum((weights * sds) ** 2, axis=0)).max())
            alone = f" (an sd of {by_prior:.2g} from the priors alone)" if by_prior else ""
            yield f", and {average.name} has weight {most:.3g} on {whose}{alone}"


def _prior_sds(table: Table, own: list[Coefficient], item: _Open) -> FloatArray | None:
    """Return the sds (G, k) that normal priors leave to a coefficient where the data determine all but a null space.

    In a group with null vectors V and prior precisions P it is the root of the diagonal of V (V'PV)^-1 V'.
    """
    known = [c.prior.normal for c in own if c.prior is not None and c.prior.normal is not None]
    if item.coefficient not in own or len(known) < len(own):
        return None
    columns, groups = columns_of(table, own), len(item.where)
    sds = np.concatenate(
        [
            np.broadcast_to(np.asarray(sd, dtype=float), (groups, *c.term.shape)).reshape(groups, -1)
            for c, (_, sd) in zip(own, known, strict=True)
        ],
        axis=1,
    )
    start = sum(c.term.columns.shape[1] for c in own[: own.index(item.coefficient)])
    found = np.zeros(item.where.shape)
    for group in np.flatnonzero(item.where.any(axis=1)):
        null = null_space(columns[group])
        covariance = null @ np.linalg.pinv(null.T @ (null / sds[group][:, None] ** 2)) @ null.T
        found[group] = np.sqrt(np.diag(covariance))[start : start + found.shape[1]]
    return found


def _without(plan: Plan, item: _Open) -> str:
    """Return the advice to give no weight to groups in which the coefficient is not determined."""
    grouping, average = item.coefficient.grouping, _averages(plan, item)[0]
    if grouping is None or average.at is not None or average.weights.over_sigma or item.where.all():
        return ""
    if average.response and len(grouping) > MOST_NAMED:
        return ""  # precision weights are of coefficients
    clause, term, scale = average.function.name, item.coefficient.term.name, _scale(average)
    if len(grouping) > MOST_NAMED:
        return f", or {clause}({term}, weights=precision{scale}), which gives them none"
    counts = np.where(item.where.any(axis=1), 0.0, plan.data.rows_of(grouping))
    if not counts.any():
        return ""
    each = ", ".join(f"{written(label)}: {n:g}" for label, n in zip(grouping.labels, counts, strict=True))
    return f", or give no weight to it: {clause}({term}, weights={{{each}}}{scale})"


def _scale(average: AveragePlan) -> str:
    """Return the scale of an average as a clause writes it."""
    if average.scale == "number":
        return "" if average.divisors is None else f", scale={average.divisors[0]:g}"
    return "" if average.scale == "none" else f", scale={average.scale}"
