"""Notes on columns far from zero, beside which an intercept is an extrapolation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.plan import Plan
from formulajoint.compiler.planning.defaults import stands_for_intercept
from formulajoint.compiler.planning.term_columns import as_written
from formulajoint.data.data import Table
from formulajoint.data.least_squares import BoolArray, basis, residual
from formulajoint.design.facts import sd
from formulajoint.design.schema import Term

FAR = 5.0
"""A column whose mean is more than this many sds from zero makes the intercept an extrapolation."""

ENOUGH = 3
"""Rows that show how far a column varies within a group."""

FLAT = 1e-9
"""A column whose sd is below this share of its root mean square does not vary."""


def far_terms(plan: Plan) -> list[Term]:
    """Return the numeric terms far from zero beside an intercept, which makes the intercept an extrapolation."""
    predictor = plan.design.predictor
    levels = [term for term in predictor.terms if stands_for_intercept(term, predictor)]
    others = [term for term in predictor.terms if levels and term not in levels and not term.factors]
    return [term for term in others if np.any(abs(term.means) > FAR * term.scales)]


def far_columns(plan: Plan) -> Iterator[str]:
    """Yield a note for each column that is far from zero over all rows."""
    predictor = plan.design.predictor
    for term in far_terms(plan):
        level = next(term for term in predictor.terms if stands_for_intercept(term, predictor))
        pooled = any(c.term is level for c in plan.mean.coefficients if c.name in plan.mean.pooled)
        # Pooling the levels at x = 0 pulls the groups' lines together there, and so changes their slopes.
        drawn = f", and as it is pooled, the slopes of {term.name} depend on where {term.name} has its zero"
        spread = sd(term.columns, plan.design.row_weights)[0]
        yield (
            f"{term.name} is far from zero (mean {term.means[0]:.4g}, sd {spread:.4g}), so {level.name} is an "
            f"extrapolation{drawn if pooled and term in predictor.per_group else ''}: consider center({term.name})."
        )


def far_within(plan: Plan) -> Iterator[str]:
    """Yield a note for each column that is far from zero within most groups, though not over all rows."""
    predictor = plan.design.predictor
    level = next((t for t in predictor.per_group if stands_for_intercept(t, predictor)), None)
    if level is None or level.factors or predictor.grouping is None:
        return
    already = far_terms(plan)
    for term in predictor.per_group:
        if term is level or term.factors or term in already:
            continue
        means, sds = _moments(plan.data.groups, level, term)
        varies = (plan.data.groups.rows >= ENOUGH) & (sds > FLAT * abs(means))
        far = abs(means) > FAR * sds
        most = 2 * np.count_nonzero(far & varies) > np.count_nonzero(varies)
        if most and not _has_two_values(term):  # reads the rows, so it comes last
            yield _within(plan, level, term, means, sds, far & varies)


def _within(plan: Plan, level: Term, term: Term, means: FloatArray, sds: FloatArray, far: BoolArray) -> str:
    grouping = plan.design.predictor.grouping
    assert grouping is not None  # as checked by the caller
    g = int(np.argmax(np.where(far, abs(means) / np.where(far, sds, 1), 0)))
    return (
        f"Within each {grouping.name} {term.name} is far from zero (mean {means[g]:.4g}, sd {sds[g]:.4g} in "
        f"{grouping.labels[g]}), so {level.name} is an extrapolation: "
        f"consider center({term.name}, by={as_written(grouping)})."
    )


def _moments(table: Table, level: Term, term: Term) -> tuple[FloatArray, FloatArray]:
    """Return mean and sd of a column in each group, (G,) each."""
    ones, column = table.of([level]), table.of([term])
    away = residual(column, basis(ones))[:, :, 0]
    means = np.sum(ones * column, axis=(1, 2)) / table.rows
    return means, np.linalg.norm(away, axis=1) / np.sqrt(table.rows)


def _has_two_values(term: Term) -> bool:
    """Return whether a numeric term's scale is half the distance of two values."""
    return bool(np.isclose(np.ptp(term.columns[:, 0]), 2 * term.scales[0]))
