"""The joint Bayes factor of a hypothesis, where it is known without sampling; else the reason why there is none."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from formulajoint.compiler.densities import log_density, support
from formulajoint.compiler.plan import Plan, ScalePlan
from formulajoint.contrasts.hypotheses import Hypothesis, independent
from formulajoint.design.schema import FloatArray
from formulajoint.inference.exact.evidence import log_bayes_factor as log_bayes_factor_by_evidence
from formulajoint.inference.exact.evidence import why_no_evidence
from formulajoint.inference.quadrature import LogIntegral, decompose, log_bayes_factor, restricted
from formulajoint.results.regression import MOST_COEFFICIENTS, regression

MOST_ORDERED = 10
"""The prior probability of an order that is no chain of like coefficients is integrated over so many steps at most."""

REPEATS, POINTS = 10, 100_000
"""Its error is told from so many runs of a randomised rule, of so many points at most."""


def equality(plan: Plan, hypothesis: Hypothesis) -> LogIntegral | str:
    """Return log BF10 of the model against the one in which `hypothesis` holds, or why there is none.

    The null model keeps every prior of the full model; that of the coefficients is conditioned on the hypothesis, so
    that the Savage-Dickey ratio (Dickey, Annals of Mathematical Statistics 1971) is the same number.
    """
    sigma, reason = plan.scale("sigma"), _why_not(plan)
    if reason or sigma is None:
        return _by_evidence(plan, hypothesis, reason)
    whole = regression(plan.design)
    if whole is None:
        return f"no Bayes factor yet for more than {MOST_COEFFICIENTS} coefficients"
    mean, sd = coefficient_priors(plan)
    kept = independent(hypothesis.rows)
    null_mean, null_root = restricted(mean, sd, hypothesis.rows[kept].toarray(), hypothesis.null[kept])
    full = decompose(whole.columns * sd, whole.y - whole.columns @ mean, whole.rows)
    null = decompose(whole.columns @ null_root, whole.y - whole.columns @ null_mean, whole.rows)
    return log_bayes_factor(full, null, lambda x: log_density(sigma.prior, x), support(sigma.prior))


def _by_evidence(plan: Plan, hypothesis: Hypothesis, reason: str) -> LogIntegral | str:
    """Return log BF10 from the evidences of model and null where the exact engine covers them, else the reason."""
    if why_no_evidence(plan):
        return reason
    found = log_bayes_factor_by_evidence(plan, hypothesis)
    return found if isinstance(found, LogIntegral) else f"no Bayes factor: {found}"


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
    if probability == 0:
        return "no Bayes factor: the order holds in no draw"
    mean, sd = coefficient_priors(plan)
    rows = hypothesis.rows
    centre, root = rows @ mean - hypothesis.null, rows.multiply(sd[None, :]).toarray()
    prior = _log_chain(centre, root) or _log_probability_above(centre, root)
    if prior is None:
        return (
            f"no Bayes factor yet of more than {MOST_ORDERED} steps other than one chain of like coefficients"
        )
    if not prior.error < 0.5:
        return "no Bayes factor: the order's prior probability is too near zero to be known"
    return LogIntegral(math.log(probability) - prior.value, math.hypot(mcse / probability, prior.error))


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


def _log_chain(centre: FloatArray, root: FloatArray) -> LogIntegral | None:
    """Return log P(c > 0), c ~ N(centre, root root'), where c are the steps of a chain of exchangeable coefficients.

    One of the G! orders of G coefficients is as probable as another; where the chain ends in the coefficients' prior
    mean, so is one of the 2^G sets of signs. None for any other c.
    """
    length = len(centre)
    unit = root / np.linalg.norm(root, axis=1, keepdims=True)
    correlation = unit @ unit.T
    links = np.diag(correlation, 1)
    chain = np.eye(length) + np.diag(links, 1) + np.diag(links, -1)
    if np.any(centre != 0) or not np.allclose(correlation, chain, atol=1e-12):
        return None
    order = links if len(links) and np.isclose(links[-1], -math.sqrt(0.5)) else links[::-1]  # 0 at the end
    if np.allclose(order, -0.5):
        return LogIntegral(-math.lgamma(length + 2), 0.0)
    if np.allclose(order[:-1], -0.5) and np.isclose(order[-1], -math.sqrt(0.5)):
        return LogIntegral(-length * math.log(2) - math.lgamma(length + 1), 0.0)
    return None


def _log_probability_above(centre: FloatArray, root: FloatArray) -> LogIntegral | None:
    """Return log P(c > 0), c ~ N(centre, root root'), by Genz's randomised integration; None of too many c."""
    if len(centre) == 1:
        return LogIntegral(float(stats.norm.logsf(0, centre[0], np.linalg.norm(root))), 0.0)
    if len(centre) > MOST_ORDERED:
        return None
    zero, covariance = np.zeros(len(centre)), root @ root.T
    found = [
        stats.multivariate_normal.cdf(
            centre, zero, covariance, allow_singular=True, maxpts=POINTS, rng=np.random.default_rng(seed)
        )
        for seed in range(REPEATS)
    ]
    mean, error = float(np.mean(found)), float(np.std(found, ddof=1) / math.sqrt(REPEATS))
    return LogIntegral(math.log(mean), error / mean) if mean > 0 else LogIntegral(-math.inf, math.inf)
