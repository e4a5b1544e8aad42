"""Evidences under other scales of the prior from the draws of a fit, without a further pass over the rows.

Where the prior of v is pi and becomes pi_f, p_f(y) / p(y) is the posterior mean of pi_f(v) / pi(v).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.plan import Plan
from formulajoint.contrasts.hypotheses import Hypothesis
from formulajoint.distributions.prior import Prior
from formulajoint.inference.draws.named import NamedDraws
from formulajoint.inference.importance.pareto import tail_shape
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.results.draws.posterior import Posterior

HEAVIEST = 0.5
"""Weights have a variance, and so their mean a standard error, below this k-hat."""

MOST_ERROR = 0.02
"""Largest standard error of a log ratio of evidences; log BF10 is printed with two digits after the point."""


def evidences(
    posterior: Posterior, plans: Sequence[Plan], hypothesis: Hypothesis
) -> list[LogIntegral | None]:
    """Return log p(y) of each plan as far as the fit tells it, with its standard error; None where it does not.

    Parameters
    ----------
    posterior : Posterior
    plans : sequence of Plan
        They differ from the fit's own in the priors of the terms tested alone.
    hypothesis : Hypothesis
    """
    own = posterior.named.log_evidence
    if own is None or posterior.named.trust.why_not():
        return [None] * len(plans)
    before = tested_priors(posterior.plan, hypothesis)
    return [_from_draws(posterior.named, own, before, tested_priors(plan, hypothesis)) for plan in plans]


def tested_priors(plan: Plan, hypothesis: Hypothesis) -> list[tuple[str, Prior]]:
    """Return the priors of the terms tested, each with the name of its variable."""
    own = [c for c in plan.mean.coefficients if c.term.name in hypothesis.terms]
    found = [(c.name, c.prior) for c in own if c.prior is not None]
    for pool in plan.mean.pools:
        for term in pool.terms:
            if term.coefficient.term.name in hypothesis.terms:
                found += [(term.mean_name, term.mean), (term.sd_name, term.sd)]
    return found


def _from_draws(
    draws: NamedDraws, own: LogIntegral, before: list[tuple[str, Prior]], after: list[tuple[str, Prior]]
) -> LogIntegral | None:
    """Return log p(y) under the priors `after`, given the one under those `before`; None if draws do not tell it."""
    changed = [
        (name, one, other) for (name, one), (_, other) in zip(before, after, strict=True) if other is not one
    ]
    if not changed:
        return own
    if np.isneginf(draws.trust.k_hat):  # quadrature has more digits, and takes no time
        return None
    if not all(_comparable(prior) and name in draws.variables for name, prior, _ in changed):
        return None
    chains, each = draws.shape
    logs = np.zeros(chains * each)
    for name, one, other in changed:
        values = draws.values(name)
        logs += (other.log_density(values) - one.log_density(values)).reshape(len(logs), -1).sum(axis=1)
    ratio = _log_mean(logs, draws.importance_ess)
    return ratio and LogIntegral(own.value + ratio.value, math.hypot(own.error, ratio.error))


def _comparable(prior: Prior) -> bool:
    """Return whether a prior has a density on an interval that does not change with its scale."""
    law = prior.distribution
    return not prior.in_sds and law.proper and law.log_density is not None and not callable(law.support)


def _log_mean(logs: FloatArray, pool: float) -> LogIntegral | None:
    """Return the log of the mean of weights with its standard error; None if the weights are too uneven.

    Parameters
    ----------
    logs : (S,) array
        Log weights of draws.
    pool : float
        Effective size of the importance sample from which the draws come: they are no better than it.
    """
    top = np.max(logs)
    if len(logs) < 2 or not np.isfinite(top):
        return None
    weights = np.exp(logs - top)
    mean = np.mean(weights)
    error = float(np.std(weights, ddof=1) / mean * math.sqrt(1 / len(logs) + 1 / pool))
    if not error < MOST_ERROR or not tail_shape(logs) < HEAVIEST:
        return None
    return LogIntegral(float(top + np.log(mean)), error)
