"""The joint Bayes factor of a hypothesis, computed without sampling the posterior, or the reason it is unavailable."""

from __future__ import annotations

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.plan import Plan
from formulajoint.compiler.widened_priors import with_scaled
from formulajoint.contrasts.hypotheses import Hypothesis, independent, layout
from formulajoint.distributions.prior import Prior
from formulajoint.inference.evidence import log_bayes_factor as log_bayes_factor_by_evidence
from formulajoint.inference.evidence import why_no_evidence, why_no_probability
from formulajoint.inference.gaussian.not_pooled import (
    decompose,
    log_bayes_factor,
    log_likelihood,
    restricted,
)
from formulajoint.inference.panels import ROUNDING
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.results.regressions.joint import MOST_COEFFICIENTS, regression
from formulajoint.wording import span

MOST_DENSE = 400
"""Most coefficients for quadrature, which costs their cube; of more, evidences are computed group by group if the
hypothesis allows it."""

MOST_SCALED = 300
"""Most coefficients for which `scale_note` computes two further Bayes factors for a line of text."""


def equality(plan: Plan, hypothesis: Hypothesis, factor: float = 1.0) -> LogIntegral | str:
    """Return log BF10 of the model against the one in which `hypothesis` holds, or the reason it is unavailable.

    Parameters
    ----------
    plan : Plan
    hypothesis : Hypothesis
        Equalities.
    factor : float
        Multiplies the prior sds of the terms tested, under a hierarchy those of its mean and of its sd; prior means,
        and all other priors, stay.

    Notes
    -----
    The null model keeps every prior of the full model. That of coefficients that are not pooled is conditioned on the
    hypothesis, so that the Savage-Dickey ratio (Dickey, Annals of Mathematical Statistics 1971) is the same number.
    """
    reason = why_no_probability(plan)
    wider = reason or with_scaled(plan, hypothesis.terms, factor)
    if isinstance(wider, str):
        return f"no Bayes factor: {wider}"
    if not _has_closed_form(wider):
        return _by_evidence(wider, hypothesis)
    count = sum(block.size for block in layout(plan.design))
    if count > MOST_DENSE:
        found = _by_evidence(wider, hypothesis)
        if isinstance(found, LogIntegral) or count > MOST_COEFFICIENTS:
            return found
    return _in_closed_form(wider, hypothesis)


def _in_closed_form(plan: Plan, hypothesis: Hypothesis) -> LogIntegral:
    """Return log BF10 of a Gaussian model that is not pooled: by quadrature over sigma, if it is unknown."""
    whole, sigma = regression(plan.design), plan.spread
    assert whole is not None  # `equality` has checked the count
    mean, sd = coefficient_priors(plan)
    kept = independent(hypothesis.rows)
    null_mean, null_root = restricted(mean, sd, hypothesis.rows[kept].toarray(), hypothesis.null[kept])
    full = decompose(whole.columns * sd, whole.y - whole.columns @ mean, whole.rows)
    null = decompose(whole.columns @ null_root, whole.y - whole.columns @ null_mean, whole.rows)
    if sigma is None or sigma.prior.constant is not None:
        known = 1.0 if sigma is None else float(sigma.prior.constant or 0)  # rows in units of standard errors
        one, zero = (float(log_likelihood(evidence, np.array([known]))[0]) for evidence in (full, null))
        return LogIntegral(one - zero, ROUNDING * (abs(one) + abs(zero)))
    return log_bayes_factor(full, null, sigma.prior.log_density, sigma.prior.support)


def _by_evidence(plan: Plan, hypothesis: Hypothesis) -> LogIntegral | str:
    """Return log BF10 from the evidences of model and null, or why the exact engine cannot compute them."""
    found = why_no_evidence(plan) or log_bayes_factor_by_evidence(plan, hypothesis)
    return found if isinstance(found, LogIntegral) else f"no Bayes factor: {found}"


def scale_note(plan: Plan, hypothesis: Hypothesis) -> str:
    """Return a note: the prior's scale of the terms tested, and log BF10 at half and at double that scale.

    For a hypothesis that has a Bayes factor.
    """
    sd = " sd" if _all_normal(_tested(plan, hypothesis)) else ""
    scale = f"prior{sd} {tested_scale(plan, hypothesis, 1.0)}"
    heavy = any(pool.request.heavy for pool in plan.mean.pools)  # many seconds each
    if heavy or sum(block.size for block in layout(plan.design)) > MOST_SCALED:
        return f"{scale}; see sensitivity() for other scales"
    half, double = (equality(plan, hypothesis, factor) for factor in (0.5, 2.0))
    if not (isinstance(half, LogIntegral) and isinstance(double, LogIntegral)):
        return scale
    return f"{scale}: log BF10 is {half.value:.2f} at half of it, {double.value:.2f} at double"


def tested_scale(plan: Plan, hypothesis: Hypothesis, factor: float) -> str:
    """Return the prior sds of the terms tested, times `factor`: ``39.4 of treatment``; if pooled, of mean and sd.

    If some are not normal, the priors: ``treatment_mean ~ normal(0, 39.4) and treatment_sd ~ half_cauchy(5)``.
    """
    wider = with_scaled(plan, hypothesis.terms, factor)
    priors = [] if isinstance(wider, str) else _tested(wider, hypothesis)
    if _all_normal(priors):
        said = [f"{span(np.asarray(prior.sd, dtype=float).ravel())} of {name}" for name, prior in priors]
    else:
        said = [f"{name} ~ {prior}" for name, prior in priors]
    return " and ".join(said)


def _tested(plan: Plan, hypothesis: Hypothesis) -> list[tuple[str, Prior]]:
    """Return the priors of the terms tested, each with the name of its variable."""
    own = [c for c in plan.mean.coefficients if c.term.name in hypothesis.terms]
    found = [(c.name, c.prior) for c in own if c.prior is not None]
    for pool in plan.mean.pools:
        for term in pool.terms:
            if term.coefficient.term.name in hypothesis.terms:
                found += [(term.mean_name, term.mean), (term.sd_name, term.sd)]
    return found


def _all_normal(priors: list[tuple[str, Prior]]) -> bool:
    return all(prior.sd is not None for _, prior in priors)


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
        and not plan.mean.pools
        and all(prior.proper for _, prior in plan.priors)
        and all(c.prior is not None and c.prior.normal is not None for c in plan.mean.coefficients)
    )
