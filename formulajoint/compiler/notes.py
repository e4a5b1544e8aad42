"""Notes where a default matters: what the reader of a fit should know about the model chosen."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from formulajoint.compiler.plan import Plan
from formulajoint.compiler.priors import DEFAULT

FAR = 5.0
"""A column whose mean is this many sds from zero makes the intercept an extrapolation."""

FEW = 3
"""With so few groups a hierarchy's sd hardly learns from the data."""


def notes_of(plan: Plan) -> tuple[str, ...]:
    """Return the notes of a plan, each one sentence or two."""
    return (*_rows(plan), *_far_columns(plan), *_few_groups(plan))


def _rows(plan: Plan) -> Iterator[str]:
    rows = plan.design.rows
    if rows.dropped:
        columns = ", ".join(f"{name} ({count})" for name, count in rows.missing.items())
        yield f"{rows.dropped} of {rows.total} rows were dropped for missing values: {columns}."


def _far_columns(plan: Plan) -> Iterator[str]:
    terms = plan.design.predictor.terms
    if not any(term.name == "Intercept" for term in terms):
        return
    for term in terms:
        if term.name != "Intercept" and not term.factors and np.any(abs(term.means) > FAR * term.scales):
            yield (
                f"{term.name} is far from zero (mean {term.means[0]:.4g}, sd {term.scales[0]:.4g}), so the intercept "
                f"is an extrapolation: consider center({term.name})."
            )


def _few_groups(plan: Plan) -> Iterator[str]:
    grouping = plan.design.predictor.grouping
    if grouping is None or len(grouping) > FEW:
        return
    for pool in plan.mean.pools:
        default = [term.sd_name for term in pool.terms if term.sd.origin == DEFAULT]
        if default:
            yield (
                f"There are {len(grouping)} groups of {grouping.name}: {' and '.join(default)} "
                f"{'is' if len(default) == 1 else 'are'} informed mostly by the prior."
            )
