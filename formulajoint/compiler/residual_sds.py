"""Which coefficients have their prior in residual sds, and the residual sd of each group."""

from __future__ import annotations

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.compiler.coefficients import Coefficient
from formulajoint.compiler.contrast_plans import Sigmas
from formulajoint.compiler.plan import LinearPlan, Plan
from formulajoint.data.residual_cells import MOST_CELLS
from formulajoint.distributions.links import LOG


def names_in_sds(mean: LinearPlan) -> frozenset[str]:
    """Return the names of the coefficients whose prior is in residual sds."""
    pooled = (t.coefficient.name for pool in mean.pools if pool.request.in_sds for t in pool.terms)
    own = (each.name for each in mean.coefficients if each.prior is not None and each.prior.in_sds)
    return frozenset((*pooled, *own))


def terms_in_sds(mean: LinearPlan) -> frozenset[str]:
    """Return the names of their terms."""
    names = names_in_sds(mean)
    return frozenset(each.term.name for each in mean.coefficients if each.name in names)


def sigma_of_groups(plan: Plan) -> IntArray | None:
    """Return the index of each group's residual sd (G,), where sigma is by group; None where there is one for all."""
    sigma = plan.spread
    return None if sigma is None or sigma.grouping is None else plan.data.sigma_of_group


def few_sigmas(plan: Plan) -> Sigmas | None:
    """Return the residual sds as functions of variables where rows of a group may have several of at most eight."""
    linear, sigma, rows = plan.linear_spread, plan.spread, plan.data.sigma
    if rows is None or len(rows) > MOST_CELLS or sigma_of_groups(plan) is not None:
        return None
    if linear is None:
        return (
            None if sigma is None else Sigmas(((sigma.name, np.eye(len(rows))),), np.zeros(len(rows)), False)
        )
    if linear.link is not LOG:
        return None
    first = np.array([int(np.argmax(rows.codes == cell)) for cell in range(len(rows))])
    offset = np.zeros(len(rows)) if linear.predictor.offset is None else linear.predictor.offset[first]
    return Sigmas(tuple((own.name, columns_at(own, first)) for own in linear.coefficients), offset, True)


def columns_at(own: Coefficient, rows: IntArray) -> FloatArray:
    """Return the columns of a term's coefficients at some rows (A, c)."""
    columns = own.term.columns[rows]
    if own.grouping is None:
        return columns
    member = np.eye(len(own.grouping))[own.grouping.codes[rows]]
    return np.asarray((member[:, :, None] * columns[:, None, :]).reshape(len(rows), -1))
