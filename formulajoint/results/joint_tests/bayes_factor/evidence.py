"""The evidence of a fit, and whether two fits have the same data."""

from __future__ import annotations

import math

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.plan import Plan
from formulajoint.data.rows import frequencies
from formulajoint.design.schema import Design
from formulajoint.errors import InferenceError
from formulajoint.inference.evidence import log_evidence, why_no_evidence
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.remarks import Missing
from formulajoint.results.draws.posterior import Posterior

MOST_NAMED = 3
"""At most this many priors are named."""


def evidence_of(posterior: Posterior) -> LogIntegral | Missing:
    """Return log p(y) with its standard error, by the fit's own importance sample if it has one; or why not."""
    if missing := why_no_evidence(posterior.plan):
        return missing
    own = posterior.named.log_evidence
    if own is None:
        return log_evidence(posterior.plan)
    return posterior.named.trust.why_not() or own


def evidence(posterior: Posterior) -> LogIntegral:
    """Return log p(y) with its standard error; raise `InferenceError` with the reason if it has no value."""
    found = evidence_of(posterior)
    if isinstance(found, Missing):
        raise InferenceError(f"There is no evidence: {found.reason}.")
    return found


def ratio(one: Posterior, other: Posterior) -> LogIntegral:
    """Return the log Bayes factor of one fit's model against another's of the same data, with its standard error."""
    difference = differing_data(one.plan.design, other.plan.design)
    if difference:
        raise InferenceError(f"The two fits cannot be compared: {difference}.")
    above, below = evidence(one), evidence(other)
    return LogIntegral(above.value - below.value, math.hypot(above.error, below.error))


def differing_priors(one: Plan, other: Plan) -> str:
    """Return which variables of both models have different priors: ``Intercept, normal(0, 1.8) and normal(0, 1.5)``.

    Default priors of intercepts depend on the predictors beside them. Empty if no priors differ.
    """
    first, second = dict(one.priors), dict(other.priors)
    both = [(name, str(first[name]), str(second[name])) for name in first if name in second]
    apart = [f"{name}, {here} and {there}" for name, here, there in both if here != there]
    more = [f"{len(apart) - MOST_NAMED} more"] if len(apart) > MOST_NAMED else []
    return "; ".join([*apart[:MOST_NAMED], *more])


def differing_data(one: Design, other: Design) -> str:
    """Return how the data of two designs differ; empty if they do not."""
    if one.response.name != other.response.name:
        return f"one is of `{one.response.name}`, the other of `{other.response.name}`"
    if one.rows.read != other.rows.read:
        return f"one has {one.rows.read} rows, the other {other.rows.read}"
    if one.rows.counted or other.rows.counted:
        return _differing_sums(one, other)
    if not np.array_equal(one.response.values, other.response.values):
        return f"the values of `{one.response.name}` differ"
    return "" if np.array_equal(frequencies(one), frequencies(other)) else "their rows have different weights"


def _differing_sums(one: Design, other: Design) -> str:
    """Return how two designs differ, of which one is of moments: its rows have the sums of the data, not their values.

    Cells depend on the formula, so that only sums over all rows are the same in all moments of the same data.
    """
    (above, first), (below, second) = (_sums(design) for design in (one, other))
    if not np.isclose(above, below, rtol=1e-9):
        return "their rows have different weights"
    return "" if np.allclose(first, second, rtol=1e-9) else f"the values of `{one.response.name}` differ"


def _sums(design: Design) -> tuple[float, FloatArray]:
    """Return the sum of weights, and the sums of the response, of its squares, and of any trials."""
    weights, y = frequencies(design), design.response.values
    trials = np.zeros_like(y) if design.response.trials is None else design.response.trials
    return float(weights.sum()), np.array([weights @ y, weights @ y**2, weights @ trials])
