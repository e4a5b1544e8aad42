"""A note on averages of effects in residual sds where the sds rest on few rows.

An effect divided by a residual sd from few rows is biased away from zero, since a small sd by chance makes a large
effect: E[1 / s] > 1 / sigma. A true effect of 0.3 in groups of six rows averages to 0.34.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.compiler.contrast_plans import AveragePlan
from formulajoint.compiler.plan import Plan
from formulajoint.compiler.planning.term_columns import columns_of, named
from formulajoint.data.least_squares import BoolArray, basis, rank

LITTLE = 8.0
"""A residual sd rests on little if it has fewer degrees of freedom than this."""

SHARE = 0.2
"""Most weight that such groups may carry without a note."""


def small_groups(plan: Plan) -> Iterator[str]:
    """Yield a note for each average in residual sds of which groups with little-known sds carry much of the weight."""
    spread, grouping = plan.spread, plan.design.predictor.grouping
    if spread is None or spread.grouping is None or spread.pool is not None or grouping is None:
        return
    for average in plan.contrasts:
        if not isinstance(average, AveragePlan) or average.scale != "sigma":
            continue
        if average.sigma_of_group is None or average.coefficient.name in plan.mean.pooled:
            continue
        little = _degrees_of_freedom(plan, average.sigma_of_group) < LITTLE
        share = _share(average, little)
        if share > SHARE:
            of_test = "" if spread.grouping.labels != grouping.labels else _of_test(spread.parameter)
            labels = [grouping.labels[g] for g in np.flatnonzero(little)]
            yield (
                f"In {average.name} groups whose residual sd has fewer than {LITTLE:g} degrees of freedom, "
                f"{named(labels)}, carry {share:.0%} of the weight: effects in sds of few rows are biased away from "
                f"zero, and the interval is too short. Pool them, "
                f"hierarchy({average.coefficient.term.name}, scale=sigma){of_test}."
            )


def _degrees_of_freedom(plan: Plan, sigma_of_group: IntArray) -> FloatArray:
    """Return, for each group, the rows that share its residual sd less the rank of their own columns, (G,)."""
    table = plan.data.groups
    own = columns_of(table, [c for c in plan.mean.coefficients if c.grouped])
    spare = np.bincount(sigma_of_group, weights=table.rows - rank(basis(own)))
    return np.asarray(spare[sigma_of_group])


def _share(average: AveragePlan, of: BoolArray) -> float:
    """Return the share of the weight that some groups have; of weights that differ by column, the largest."""
    values = average.weights.values.reshape(len(of), -1)
    return float(np.max(values[of].sum(axis=0)))


def _of_test(parameter: str) -> str:
    return f", or let the groups that took one test share its sd, {parameter} ~ 1 | test"
