"""The joint Bayes factor of a hypothesis, where it is known without sampling; else the reason why there is none."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from formulajoint.compiler.densities import log_density
from formulajoint.compiler.plan import Plan, ScalePlan
from formulajoint.contrasts.hypotheses import Hypothesis, independent
from formulajoint.design.schema import FloatArray
from formulajoint.inference.quadrature import LogIntegral, decompose, log_bayes_factor, restricted
from formulajoint.results.regression import MOST_COEFFICIENTS, regression

MOST_ORDERED = 20
"""The prior probability of an order is integrated over so many dimensions at most."""


def equality(plan: Plan, hypothesis: Hypothesis) -> LogIntegral | str:
    """Return log BF10 of the model against the one in which `hypothesis` holds, or why there is none.

    The null model keeps every prior of the full model; that of the coefficients is conditioned on the hypothesis, so
    that the Savage-Dickey ratio (Dickey, Annals of Mathematical Statistics 1971) is the same number.
    """
    sigma, reason = plan.scale("sigma"), _why_not(plan)
    if reason or sigma is None:
        return reason
    whole = regression(plan.design)
    if whole is None:
        return f"no Bayes factor yet for more than {MOST_COEFFICIENTS} coefficients"
    mean, sd = coefficient_priors(plan)
    kept = independent(hypothesis.rows)
    null_mean, null_root = restricted(mean, sd, hypothesis.rows[kept].toarray(), hypothesis.null[kept])
    full = decompose(whole.columns * sd, whole.y - whole.columns @ mean, whole.rows)
    null = decompose(whole.columns @ null_root, whole.y - whole.columns @ null_mean, whole.rows)
    return log_bayes_factor(full, null, lambda x: log_density(sigma.prior, x))


def order(plan: Plan, hypothesis: Hypothesis, probability: float, mcse: float) -> LogIntegral | str:
    """Return the log Bayes factor of an order against the model without it: P(order | y) / P(order).

    Parameters
    ----------
    plan : Plan
    hypothesis : Hypothesis
        An order.
    probability, mcse : float
        Of the order in the posterior.
    """
    if any(not prior.proper for _, prior in plan.priors):
        return "no Bayes factor: flat priors give the order no prior probability"
    if plan.mean.pools or not _all_normal(plan):
        return "no Bayes factor of an order yet under a hierarchy or other than normal priors"
    rows, null = hypothesis.rows, hypothesis.null
    if rows.shape[0] > MOST_ORDERED:
        return (
            f"no Bayes factor: an order of more than {MOST_ORDERED} steps has a prior probability near zero"
        )
    mean, sd = coefficient_priors(plan)
    prior = _probability_above(rows @ mean - null, (rows.multiply(sd[None, :])).toarray())
    if probability == 0:
        return "no Bayes factor: the order holds in no draw"
    return LogIntegral(math.log(probability / prior), mcse / probability)


def coefficient_priors(plan: Plan) -> tuple[FloatArray, FloatArray]:
    """Return prior mean and sd of each coefficient of the mean in the order of ``layout``; both (P,)."""
    means, sds = [], []
    for coefficient in plan.mean.coefficients:
        prior = coefficient.prior
        assert prior is not None  # `_why_not` has looked
        shape = tuple(len(plan.coords[dim]) for dim in coefficient.dims)
        means.append(np.broadcast_to(prior.args["mu"], shape).ravel())
        sds.append(np.broadcast_to(prior.args["sigma"], shape).ravel())
    return np.concatenate(means), np.concatenate(sds)


def _all_normal(plan: Plan) -> bool:
    return all(c.prior is not None and c.prior.law == "normal" for c in plan.mean.coefficients)


def _why_not(plan: Plan) -> str:
    """Return why quadrature over sigma cannot give a Bayes factor, or an empty text."""
    sigma = plan.scale("sigma")
    if any(not prior.proper for _, prior in plan.priors):
        return "no Bayes factor: flat priors have no density"
    if plan.mean.pools:
        return "no Bayes factor yet under a hierarchy"
    if plan.family.name != "gaussian" or not isinstance(sigma, ScalePlan) or sigma.dims:
        return "no Bayes factor yet but for a Gaussian response with one sigma"
    if not _all_normal(plan) or sigma.prior.law == "constant":
        return "no Bayes factor yet but for normal priors of coefficients and a free sigma"
    return ""


def _probability_above(mean: FloatArray, root: FloatArray) -> float:
    """Return P(c > 0) of c ~ N(mean, root root'), by Genz's integration (deterministic)."""
    if len(mean) == 1:
        return float(stats.norm.sf(0, mean[0], np.linalg.norm(root)))
    covariance = root @ root.T
    found = stats.multivariate_normal.cdf(
        mean, np.zeros(len(mean)), covariance, allow_singular=True, rng=np.random.default_rng(0)
    )
    return float(found)
