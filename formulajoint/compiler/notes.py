"""Notes where a default matters: what the reader of a fit should know about the model chosen."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from formulajoint.compiler.defaults import stands_for_intercept
from formulajoint.compiler.plan import Plan
from formulajoint.compiler.priors import DEFAULT

FAR = 5.0
"""A column whose mean is this many sds from zero makes the intercept an extrapolation."""

FEW = 3
"""With so few groups a hierarchy's sd hardly learns from the data."""


def notes_of(plan: Plan) -> tuple[str, ...]:
    """Return the notes of a plan, each one sentence or two."""
    return (*_far_columns(plan), *_few_groups(plan))


def _far_columns(plan: Plan) -> Iterator[str]:
    predictor = plan.design.predictor
    levels = [term for term in predictor.terms if stands_for_intercept(term, predictor)]
    if not levels:
        return
    for term in predictor.terms:
        if term not in levels and not term.factors and np.any(abs(term.means) > FAR * term.scales):
            yield (
                f"{term.name} is far from zero (mean {term.means[0]:.4g}, sd {term.scales[0]:.4g}), "
                f"so {levels[0].name} is an extrapolation: consider center({term.name})."
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
