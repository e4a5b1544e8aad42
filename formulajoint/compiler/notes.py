"""Notes where a default matters: what the reader of a fit should know about the model chosen."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from formulajoint.compiler.defaults import stands_for_intercept
from formulajoint.compiler.plan import Plan, ScalePlan
from formulajoint.compiler.priors import DEFAULT, Prior
from formulajoint.design.schema import Grouping

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
    for grouping, sds in _hierarchies(plan):
        names = [name for name, prior in sds if prior.origin == DEFAULT]
        if names and len(grouping) <= FEW:
            yield (
                f"There are {len(grouping)} groups of {grouping.name}: {' and '.join(names)} "
                f"{'is' if len(names) == 1 else 'are'} informed mostly by the prior."
            )


def _hierarchies(plan: Plan) -> Iterator[tuple[Grouping, list[tuple[str, Prior]]]]:
    """Yield the groups of each hierarchy with its sds and their priors."""
    for part in (plan.mean, *plan.parameters):
        if isinstance(part, ScalePlan):
            if part.pool is not None and part.grouping is not None:
                yield part.grouping, [(part.pool.sd_name, part.pool.sd)]
        elif part.predictor.grouping is not None:
            for pool in part.pools:
                yield part.predictor.grouping, [(term.sd_name, term.sd) for term in pool.terms]
