"""Where a posterior moment does not exist, so that its estimate would only mislead.

With flat priors a coefficient is a t with d = rows - rank degrees of freedom: its mean exists for d > 1, its sd for
d > 2, and the same holds for sigma. Tables leave such a cell blank; medians and intervals exist always.
"""

from __future__ import annotations

import numpy as np

from formulajoint.compiler.plan import Plan, ScalePlan
from formulajoint.design.moments import by_group, profile, stack
from formulajoint.design.schema import FloatArray


def degrees_of_freedom(plan: Plan) -> dict[str, FloatArray]:
    """Return, for each variable with t tails, its degrees of freedom: one number, or one a group.

    Variables whose priors keep their moments finite are left out.
    """
    sigma = plan.scale("sigma")
    if plan.family.name != "gaussian" or sigma is None or sigma.prior.proper or sigma.pool is not None:
        return {}
    df = _spare_rows(plan, sigma) - (1.0 if sigma.prior.law == "flat" else 0.0)
    flat = [c for c in plan.mean.coefficients if c.prior is not None and not c.prior.proper]
    out = {sigma.name: df}
    for coefficient in flat:
        own = coefficient.grouped and df.ndim == 1
        out[coefficient.name] = df if own else np.asarray(df.min())
    for contrast in plan.contrasts:
        if contrast.coefficient.name in out:
            out[contrast.name] = np.asarray(_least(df, contrast.weights.values))
    return out


def _least(df: FloatArray, weights: FloatArray) -> float:
    if df.ndim == 0:
        return float(df)
    counted = weights.reshape((len(df), -1)).sum(axis=1) > 0
    return float(df[counted].min())


def _spare_rows(plan: Plan, sigma: ScalePlan) -> FloatArray:
    """Return rows less rank: of all rows, or of each group that has its own sigma."""
    predictor, rows = plan.design.predictor, plan.design.rows.used
    y, weights = plan.design.response.values, plan.design.row_weights
    if sigma.grouping is None:
        own, shared = stack(predictor.per_group, rows), stack(predictor.common, rows)
        fit = profile(y, own, shared, predictor.grouping, weights)
        return np.asarray(fit.group_rows.sum() - fit.group_ranks.sum() - fit.shared_rank)
    columns = stack(predictor.terms, rows)
    spare = []
    for index in by_group(sigma.grouping, rows):
        fit = profile(
            y[index],
            columns[index],
            np.empty((len(index), 0)),
            None,
            None if weights is None else weights[index],
        )
        spare.append(float(fit.group_rows.sum() - fit.group_ranks.sum()))
    return np.array(spare)
