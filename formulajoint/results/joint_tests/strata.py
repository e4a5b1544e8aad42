"""Strata: the groups of rows that share no parameter, so that each informs its own coefficients alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import IntArray
from formulajoint.compiler.plan import Plan, ScalePlan
from formulajoint.contrasts.layout import layout
from formulajoint.data.rows import cells_of, larger_of
from formulajoint.design.schema import Design, Grouping


@dataclass(frozen=True, slots=True, eq=False)
class Strata:
    """The stratum of each group and coefficient.

    Attributes
    ----------
    grouping : Grouping
        The grouping whose groups are the strata.
    of_groups : (G,) int array
        The stratum of each group of the mean.
    of_coefficients : (P,) int array
        The stratum of each coefficient, in the order of ``layout``.
    """

    grouping: Grouping
    of_groups: IntArray
    of_coefficients: IntArray


def strata_of(design: Design, grouping: Grouping) -> Strata | None:
    """Return the strata of the mean's coefficients by `grouping`; None if a coefficient belongs to several."""
    own = design.predictor.grouping
    if own is None or design.predictor.common:
        return None
    of_groups = larger_of(cells_of(own, design.rows.used), cells_of(grouping, design.rows.used))
    if of_groups is None:
        return None
    sizes = [block.term.columns.shape[1] for block in layout(design)]  # per-group terms: groups first
    return Strata(grouping, of_groups, np.concatenate([np.repeat(of_groups, size) for size in sizes]))


def independent_strata(plan: Plan) -> Strata | None:
    """Return the strata that are independent a posteriori; None if they share something.

    They share something if coefficients or scales are pooled, if rows of several groups have a coefficient in common,
    or if one residual sd, or another unknown parameter, is that of all rows.
    """
    own = plan.mean.predictor.grouping
    if own is None or plan.mean.pools:
        return None
    groupings: list[Grouping | None] = []
    for parameter in plan.further:
        if not isinstance(parameter, ScalePlan) or parameter.pool is not None:
            return None
        if parameter.prior.constant is None:
            groupings.append(parameter.grouping)
    first = groupings[0] if groupings else own
    if first is None or any(g is None or g.variables != first.variables for g in groupings):
        return None
    return strata_of(plan.design, first)
