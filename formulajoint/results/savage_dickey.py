"""The prior of a contrast and its height at no effect, beside the posterior's: the Savage-Dickey ratio."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import sparse, stats

from formulajoint.compiler.plan import ContrastPlan, Plan
from formulajoint.contrasts.hypotheses import Hypothesis, layout
from formulajoint.design.schema import FloatArray
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.results.bayes_factors import coefficient_priors, equality


@dataclass(frozen=True, slots=True)
class SavageDickey:
    """A contrast's normal prior, and both densities at zero: log_bf10 = log(prior_height / posterior_height).

    Attributes
    ----------
    mean, sd : float
        Of the prior.
    prior_height, posterior_height : float
        Densities at zero.
    log_bf10 : float
    """

    mean: float
    sd: float
    prior_height: float
    posterior_height: float
    log_bf10: float


def savage_dickey(plan: Plan, contrast: ContrastPlan, cell: int = 0) -> SavageDickey | str:
    """Return the heights of prior and posterior at zero, or why they are not known without sampling.

    Both are exact up to quadrature over sigma, so that no density has to be estimated where hardly a draw is.

    Parameters
    ----------
    plan : Plan
    contrast : ContrastPlan
    cell : int
        Which of the contrast's cells, counted along its dims.

    Notes
    -----
    Dickey, Annals of Mathematical Statistics 1971.
    """
    row = _row(plan, contrast, cell)
    if row is None:
        return (
            "no Savage-Dickey ratio yet but for weighted means of coefficients with weights known beforehand"
        )
    hypothesis = Hypothesis(
        f"{contrast.name} == 0",
        sparse.csr_array(row[None]),
        np.zeros(1),
        False,
        (contrast.coefficient.term.name,),
    )
    factor = equality(plan, hypothesis)
    if not isinstance(factor, LogIntegral):
        return factor
    mean, sd = coefficient_priors(plan)
    of_contrast = stats.norm(row @ mean, math.sqrt(row**2 @ sd**2))
    height = float(of_contrast.pdf(0.0))
    return SavageDickey(
        float(of_contrast.mean()),
        float(of_contrast.std()),
        height,
        height * math.exp(-factor.value),
        factor.value,
    )


def _row(plan: Plan, contrast: ContrastPlan, cell: int) -> FloatArray | None:
    """Return the contrast as one row of weights of all coefficients, (P,); None where it is not linear in them."""
    known = contrast.function.name == "joint" and contrast.weights_name is None
    if not known or contrast.scale == "sigma":
        return None
    blocks = layout(plan.design)
    block = next(b for b in blocks if b.term is contrast.coefficient.term)
    groups = block.shape[0]
    weights = contrast.weights.values.reshape((groups, -1))
    weights = np.broadcast_to(weights, (groups, block.size // groups))[:, cell]
    row = np.zeros(sum(b.size for b in blocks))
    places = block.start + np.arange(groups) * (block.size // groups) + cell
    row[places] = weights if contrast.divisors is None else weights / contrast.divisors
    return row
