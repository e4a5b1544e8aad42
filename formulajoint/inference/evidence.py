"""The evidence p(y) of a model, and from it Bayes factors of hypotheses about coefficients with a hierarchy.

If a hypothesis makes only some groups equal, these share one draw from the hierarchy (``latent/ties.py``); of any other
the null model is a plan (``null_plan.py``).
"""

from __future__ import annotations

import math

import numpy as np

from formulajoint.compiler.plan import Plan
from formulajoint.contrasts.hypotheses import Hypothesis
from formulajoint.inference.engine import ExactEngine, exact_engine
from formulajoint.inference.latent.ties import Equal, equal_groups
from formulajoint.inference.null_plan import null_plan
from formulajoint.inference.quadrature import LogIntegral


def log_evidence(plan: Plan, seed: int = 0, equal: Equal | None = None) -> LogIntegral | str:
    """Return log p(y) with its standard error, or the reason it is unavailable.

    Parameters
    ----------
    plan : Plan
    seed : int
        The same seed gives the same figure.
    equal : Equal, optional
        Coefficients that some groups share.
    """
    engine = _engine(plan)
    return engine if isinstance(engine, str) else engine.log_evidence(plan, seed, equal)


def why_no_evidence(plan: Plan) -> str:
    """Return the reason no engine can compute a plan's evidence; empty if one can."""
    engine = _engine(plan)
    return engine if isinstance(engine, str) else ""


def _engine(plan: Plan) -> ExactEngine | str:
    """Return the engine that computes a plan's evidence, or the reason there is none."""
    if any(not prior.proper for _, prior in plan.priors):
        return "flat priors have no density"
    return why_no_probability(plan) or exact_engine(plan)


def why_no_probability(plan: Plan) -> str:
    """Return the reason a plan's likelihood is not a probability of the data; empty if it is one.

    Evidences, and Bayes factors of equalities and of orders, need such a probability.
    """
    weights = plan.design.row_weights
    if weights is not None and np.any(weights != np.round(weights)):
        return "row weights that are fractions make a power of the likelihood, which is no probability of the data"
    return ""


def log_bayes_factor(plan: Plan, hypothesis: Hypothesis, seed: int = 0) -> LogIntegral | str:
    """Return log BF10 of a plan against its null model under `hypothesis`, with its standard error, or why not.

    Parameters
    ----------
    plan : Plan
    hypothesis : Hypothesis
        Equalities.
    seed : int
    """
    equal = equal_groups(plan.design, hypothesis)
    if isinstance(equal, str):
        return equal
    null = null_plan(plan, hypothesis) if equal is None else plan
    if isinstance(null, str):
        return null
    one = log_evidence(plan, seed)
    zero = log_evidence(null, seed, equal) if isinstance(one, LogIntegral) else one
    if isinstance(one, str) or isinstance(zero, str):
        return one if isinstance(one, str) else str(zero)
    return LogIntegral(one.value - zero.value, math.hypot(one.error, zero.error))
