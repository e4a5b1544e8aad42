"""The joint Bayes factor of a hypothesis, computed without sampling the posterior, or the reason it is unavailable."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.plan import Plan
from formulajoint.compiler.widened_priors import with_scaled
from formulajoint.contrasts.hypotheses import Hypothesis, independent
from formulajoint.contrasts.layout import layout
from formulajoint.inference import evidence
from formulajoint.inference.evidence import why_no_evidence, why_no_probability
from formulajoint.inference.gaussian.not_pooled import (
    Evidence,
    decompose,
    log_bayes_factors,
    log_likelihood,
    restricted,
)
from formulajoint.inference.panels import ROUNDING
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.remarks import Missing
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.joint_tests.bayes_factor.reweighted import evidences
from formulajoint.results.regressions.joint import MOST_COEFFICIENTS, Regression, regression

WHAT = "Bayes factor"
"""Its name in the notes that say why it is missing."""

MOST_AT_MANY_SCALES = 20
"""Most coefficients for Bayes factors at many scales within some hundredths of a second."""

MOST_BESIDE = 100
"""Most coefficients of a model with hierarchies for Bayes factors that nobody asked for in a printed fit."""

MOST_DENSE = 400
"""Most coefficients for quadrature, which costs their cube; of more, evidences are computed group by group if the
hypothesis allows it."""


def equality(plan: Plan, hypothesis: Hypothesis) -> LogIntegral | Missing:
    """Return log BF10 of the model against the one in which `hypothesis` holds, or the reason it is unavailable."""
    return equalities(plan, hypothesis, (1.0,))[0]


def equalities(
    plan: Plan, hypothesis: Hypothesis, factors: Sequence[float], posterior: Posterior | None = None
) -> list[LogIntegral | Missing]:
    """Return log BF10 under priors of several scales, or the reason each is unavailable: the data are reduced once.

    Parameters
    ----------
    plan : Plan
    hypothesis : Hypothesis
        Equalities.
    factors : sequence of float
        Each multiplies the prior sds of the terms tested, under a hierarchy those of its mean and of its sd; prior
        means, and all other priors, stay.
    posterior : Posterior, optional
        A fit of the plan, whose draws spare evidences.

    Notes
    -----
    The null model keeps every prior of the full model. That of coefficients that are not pooled is conditioned on the
    hypothesis, so that the Savage-Dickey ratio (Dickey, Annals of Mathematical Statistics 1971) is the same number.
    """
    scaled = [why_no_probability(plan) or with_scaled(plan, hypothesis.terms, factor) for factor in factors]
    known = [each for each in scaled if isinstance(each, Plan)]
    found = iter(_equalities(known, hypothesis, posterior) if known else [])
    return [each.of(WHAT) if isinstance(each, Missing) else next(found) for each in scaled]


def _equalities(
    plans: Sequence[Plan], hypothesis: Hypothesis, posterior: Posterior | None
) -> list[LogIntegral | Missing]:
    """Return log BF10 under plans that differ in the scales of priors alone."""
    if not all(_has_closed_form(plan) for plan in plans):
        return _by_evidence(plans, hypothesis, posterior)
    count = sum(block.size for block in layout(plans[0].design))
    if count > MOST_DENSE:
        found = _by_evidence(plans, hypothesis, posterior)
        left = [plan for plan, each in zip(plans, found, strict=True) if isinstance(each, Missing)]
        if count > MOST_COEFFICIENTS or not left:
            return found
        dense = iter(_in_closed_form(left, hypothesis))
        return [next(dense) if isinstance(each, Missing) else each for each in found]
    return list(_in_closed_form(plans, hypothesis))


def _in_closed_form(plans: Sequence[Plan], hypothesis: Hypothesis) -> list[LogIntegral]:
    """Return log BF10 of Gaussian models that are not pooled: by quadrature over sigma, if it is unknown."""
    whole = regression(plans[0].data)
    assert whole is not None  # `_equalities` has checked the count
    kept = independent(hypothesis.rows)
    rows, null = hypothesis.rows[kept].toarray(), hypothesis.null[kept]
    pairs, sigma = [_reduced(plan, whole, rows, null) for plan in plans], plans[0].spread
    if sigma is None or sigma.prior.constant is not None:
        known = 1.0 if sigma is None else float(sigma.prior.constant or 0)  # rows in units of standard errors
        return [_given(known, *pair) for pair in pairs]
    return log_bayes_factors(pairs, sigma.prior.log_density, sigma.prior.support)


def _given(sigma: float, full: Evidence, null: Evidence) -> LogIntegral:
    """Return log BF10 where sigma is known."""
    one, zero = (float(log_likelihood(evidence, np.array([sigma]))[0]) for evidence in (full, null))
    return LogIntegral(one - zero, ROUNDING * (abs(one) + abs(zero)))


def _reduced(plan: Plan, whole: Regression, rows: FloatArray, null: FloatArray) -> tuple[Evidence, Evidence]:
    """Return the data of one plan and of its null, given the regression and the restrictions R b = r."""
    mean, sd = coefficient_priors(plan)
    null_mean, null_root = restricted(mean, sd, rows, null)
    return (
        decompose(whole.columns * sd, whole.y - whole.columns @ mean, whole.rows),
        decompose(whole.columns @ null_root, whole.y - whole.columns @ null_mean, whole.rows),
    )


def _by_evidence(
    plans: Sequence[Plan], hypothesis: Hypothesis, posterior: Posterior | None
) -> list[LogIntegral | Missing]:
    """Return log BF10 from the evidences of model and null, or why the exact engine cannot compute them."""
    if missing := why_no_evidence(plans[0]):
        return [missing.of(WHAT)] * len(plans)
    known = None if posterior is None else evidences(posterior, plans, hypothesis)
    found = evidence.log_bayes_factors(plans, hypothesis, known=known)
    return [each.of(WHAT) if isinstance(each, Missing) else each for each in found]


def is_quick(plan: Plan) -> bool:
    """Return whether Bayes factors at many scales of the prior take some hundredths of a second."""
    return _has_closed_form(plan) and sum(block.size for block in layout(plan.design)) <= MOST_AT_MANY_SCALES


def is_slow(plan: Plan) -> bool:
    """Return whether a Bayes factor takes seconds: an evidence by importance sampling, of many groups' coefficients.

    Where sigmas are pooled, each of them is an integral at every point, and so are groups of a response not Gaussian.
    """
    if plan.spread is not None and plan.spread.pool is not None:
        return True
    count, most = sum(block.size for block in layout(plan.design)), MOST_BESIDE if plan.family.sums else 0
    return bool(plan.mean.pools) and not _has_closed_form(plan) and count > most


def coefficient_priors(plan: Plan) -> tuple[FloatArray, FloatArray]:
    """Return prior mean and sd of each coefficient of the mean in the order of ``layout``; both (P,)."""
    means: list[FloatArray] = []
    sds: list[FloatArray] = []
    for coefficient in plan.mean.coefficients:
        normal = None if coefficient.prior is None else coefficient.prior.normal
        assert normal is not None  # `_has_closed_form` has checked
        shape = tuple(len(plan.coords[dim]) for dim in coefficient.dims)
        for found, number in zip((means, sds), normal, strict=True):
            found.append(np.broadcast_to(number, shape).ravel())
    return np.concatenate(means), np.concatenate(sds)


def _has_closed_form(plan: Plan) -> bool:
    """Return whether a Bayes factor needs at most quadrature over sigma."""
    sigma = plan.spread
    one_sigma = sigma is not None and not sigma.dims
    return (
        plan.family.sums
        and (one_sigma or plan.design.standard_errors is not None)
        and not (plan.mean.pools or plan.mean.varying)
        and all(prior.proper for _, prior in plan.priors)
        and all(c.prior is not None and c.prior.normal is not None for c in plan.mean.coefficients)
    )
