"""The Savage-Dickey ratio of a contrast: the heights of its prior and its posterior at no effect."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy

from formulajoint.arrays import FloatArray
from formulajoint.compiler.contrast_plans import AveragePlan, ContrastPlan
from formulajoint.compiler.evaluate.averages import is_linear
from formulajoint.compiler.evaluate.contrast_nodes import on_draws, variable_dims
from formulajoint.compiler.plan import Plan
from formulajoint.contrasts.hypotheses import Hypothesis
from formulajoint.contrasts.layout import layout
from formulajoint.remarks import Missing
from formulajoint.results.joint_tests.bayes_factor.equalities import coefficient_priors, equality
from formulajoint.results.regressions.joint import MOST_COEFFICIENTS

TRIALS = 5
"""Random points at which a contrast is checked for being linear."""


@dataclass(frozen=True, slots=True)
class SavageDickey:
    """A contrast's normal prior, and both densities at zero: log_bf10 = log(prior_height / posterior_height).

    Attributes
    ----------
    mean, sd : float
        Mean and sd of the prior.
    prior_height, posterior_height : float
        Densities at zero.
    log_bf10 : float
    """

    mean: float
    sd: float
    prior_height: float
    posterior_height: float
    log_bf10: float


def savage_dickey(plan: Plan, contrast: ContrastPlan, cell: int = 0) -> SavageDickey | Missing:
    """Return the heights of prior and posterior at zero, or why they are unavailable without sampling.

    Both are exact up to an integral over sigma, so that no density has to be estimated where there are few draws.

    Parameters
    ----------
    plan : Plan
    contrast : ContrastPlan
    cell : int
        Index of the contrast's cell, counted along its dims.

    Notes
    -----
    Dickey, Annals of Mathematical Statistics 1971.
    """
    if any(c.prior is None or c.prior.normal is None for c in plan.mean.coefficients):
        return _none("but for normal priors of coefficients that are not pooled")
    form = linear_form(plan, contrast)
    if form is None or not form[0][cell].any():
        return _none("but for contrasts that are linear in the coefficients")
    row, constant = form[0][cell], float(form[1][cell])
    hypothesis = Hypothesis(
        f"{contrast.name} == 0", scipy.sparse.csr_array(row[None]), np.array([-constant]), False, ()
    )
    factor = equality(plan, hypothesis)
    if isinstance(factor, Missing):
        return factor
    means, sds = coefficient_priors(plan)
    mean, sd = float(row @ means) + constant, math.sqrt(row**2 @ sds**2)
    height = float(scipy.stats.norm.pdf(0.0, mean, sd))
    return SavageDickey(mean, sd, height, height * math.exp(-factor.value), factor.value)


def _none(where: str) -> Missing:
    return Missing("form", f"no Savage-Dickey ratio yet {where}")


def linear_form(plan: Plan, contrast: ContrastPlan) -> tuple[FloatArray, FloatArray] | None:
    """Return a contrast's cells as R b + r, (cells, P) and (cells,); None if they are not linear in b.

    The node is evaluated at zero, at each unit vector, and at random points that have to agree; its other variables,
    such as sigma, are random everywhere.
    """
    if contrast.response and not all(is_linear(own.plan) for own in contrast.response.values()):
        return None
    blocks = layout(plan.design)
    size = sum(block.size for block in blocks)
    if size > MOST_COEFFICIENTS or (isinstance(contrast, AveragePlan) and not contrast.function.plain):
        return None
    rng = np.random.default_rng(0)
    trials = rng.normal(size=(size, TRIALS))
    points = np.hstack([np.zeros((size, 1)), np.eye(size), trials])
    values = {
        name: rng.uniform(0.5, 2.0, (*(len(plan.coords[dim]) for dim in dims), points.shape[1]))
        for name, dims in variable_dims(plan).items()
    }
    for block, coefficient in zip(blocks, plan.mean.coefficients, strict=True):
        own = points[block.start : block.start + block.size]
        values[coefficient.name] = own.reshape((*block.shape, points.shape[1]))
    node = on_draws([contrast], values)[contrast.name].reshape((-1, points.shape[1]))
    constant, rows = node[:, 0], node[:, 1 : size + 1] - node[:, :1]
    agrees = np.allclose(node[:, size + 1 :], rows @ trials + constant[:, None], rtol=1e-9, atol=1e-9)
    return (rows, constant) if agrees else None
