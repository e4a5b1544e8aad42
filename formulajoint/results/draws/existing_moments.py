"""Posterior moments that do not exist, so that their estimates would only mislead.

With flat priors a coefficient is a t with d = rows - rank degrees of freedom: its mean exists for d > 1, its sd for
d > 2, and the same holds for sigma. A product of k such coefficients has the moments of d / k, and a ratio whose
denominator can be zero has none, whatever the priors. Tables leave such a cell blank; medians and intervals always
exist.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.contrast_plans import ArithmeticPlan, AveragePlan, ContrastPlan, FamilyPlan
from formulajoint.compiler.over import by_bar
from formulajoint.compiler.plan import Plan, ScalePlan
from formulajoint.contrasts.weights import Weights
from formulajoint.data.least_squares import profile
from formulajoint.design.schema import Term


def degrees_of_freedom(plan: Plan) -> dict[str, FloatArray]:
    """Return, for each variable with t tails, its degrees of freedom: one number, or one per group.

    Variables whose priors keep their moments finite are left out.
    """
    plan = by_bar(plan)
    sigma = plan.spread
    if not plan.family.sums or sigma is None or sigma.prior.proper or sigma.pool is not None:
        ratios = (c for c in plan.contrasts if isinstance(c, ArithmeticPlan) and math.isinf(c.degree))
        return {contrast.name: np.zeros(()) for contrast in ratios}
    df = _spare_rows(plan, sigma) - sigma.prior.power_at_zero
    out = {sigma.name: df}
    grouping = plan.design.predictor.grouping
    if grouping is None or sigma.grouping is None or sigma.grouping.variables != grouping.variables:
        df = np.asarray(df.min())  # groups of sigma are not those of the coefficients: the least is safe
    for coefficient in plan.mean.coefficients:
        if coefficient.prior is not None and not coefficient.prior.proper:
            own = coefficient.grouped and df.ndim == 1
            out[coefficient.name] = df if own else np.asarray(df.min())
    return out | {contrast.name: np.asarray(_of_contrast(contrast, df, out)) for contrast in plan.contrasts}


def _of_contrast(contrast: ContrastPlan, df: FloatArray, known: Mapping[str, FloatArray]) -> float:
    """Return the degrees of freedom of a contrast's entries, the least of them."""
    if isinstance(contrast, ArithmeticPlan):
        least = min(float(np.min(known.get(c.variable, np.inf))) for c in contrast.cells.values())
        return _of_power(least, contrast.degree)
    # Divided by sigma it is one over a root of chi-squared plus a normal, which has all moments.
    by_sigma = isinstance(contrast, AveragePlan) and contrast.scale == "sigma"
    if by_sigma or not _read_by(contrast) & known.keys():
        return float("inf")
    if isinstance(contrast, FamilyPlan):
        return float(df.min())
    return _of_average(df, contrast.weights)


def _read_by(contrast: AveragePlan | FamilyPlan) -> set[str]:
    """Return the coefficients that a contrast takes: its own, and those that add to it at means of other columns."""
    more = contrast.at if isinstance(contrast, AveragePlan) else contrast.cells
    return {contrast.coefficient.name} | {
        other.variable for other in (more.added if more is not None else ())
    }


def _of_power(df: float, degree: float) -> float:
    """Return the degrees of freedom with the moments of a product of `degree` factors; 0 if it has no mean."""
    return 0.0 if math.isinf(degree) else df / degree if degree else float("inf")


def _of_average(df: FloatArray, weights: Weights) -> float:
    """Return the degrees of freedom of an average over groups."""
    if df.ndim == 0:
        return float(df)
    counted = df[weights.values.reshape((len(df), -1)).sum(axis=1) > 0]
    # Weights of 1/sigma^2 are small for a group while its sigma is large: all must be large at once.
    return float(counted.sum() if weights.over_sigma else counted.min())


def _spare_rows(plan: Plan, sigma: ScalePlan) -> FloatArray:
    """Return rows less the rank of the columns with flat priors: of all rows, or by group if sigma is by group."""
    own, shared = _flat_terms(plan)
    if sigma.grouping is None:
        table = plan.data.groups
        fit = profile(table.of(own), table.of(shared), table.y, table.rows)
        return np.asarray(fit.group_rows.sum() - fit.group_ranks.sum() - fit.shared_rank)
    # In each group as if the shared columns were its own: other groups may have no data on them.
    table = plan.data.by(sigma.grouping)
    fit = profile(table.of(own + shared), table.of([]), table.y, table.rows)
    return fit.group_rows - fit.group_ranks


def _flat_terms(plan: Plan) -> tuple[list[Term], list[Term]]:
    """Return the terms with flat priors: those of each group, then those shared and the means of hierarchies."""
    flat = [c for c in plan.mean.coefficients if c.prior is not None and not c.prior.proper]
    means = [t.coefficient.term for pool in plan.mean.pools for t in pool.terms if not t.mean.proper]
    return [c.term for c in flat if c.grouped], [c.term for c in flat if not c.grouped] + means
