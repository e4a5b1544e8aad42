"""The evidence p(y) of a model, and from it Bayes factors of hypotheses about coefficients with a hierarchy.

If a hypothesis makes only some groups equal, these share one draw from the hierarchy (``latent/ties.py``); of any other
the null model is a plan (``null_plan.py``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from formulajoint.compiler.plan import Plan
from formulajoint.contrasts.hypotheses import Hypothesis
from formulajoint.inference.engine import ExactEngine, exact_engine
from formulajoint.inference.latent.ties import Equal, equal_groups, in_equal_units
from formulajoint.inference.null_plan import IN_SDS, fixes, null_plan
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.inference.waiting import Waiting
from formulajoint.remarks import Missing


def log_evidence(
    plan: Plan, seed: int = 0, equal: Equal | None = None, waiting: Waiting | None = None
) -> LogIntegral | Missing:
    """Return log p(y) with its standard error, or the reason it is unavailable.

    Parameters
    ----------
    plan : Plan
    seed : int
        The same seed gives the same figure.
    equal : Equal, optional
        Coefficients that some groups share.
    waiting : Waiting, optional
        The evidences of which this is one.
    """
    engine = _engine(plan)
    found = engine if isinstance(engine, Missing) else engine.log_evidence(plan, seed, equal)
    if waiting is not None:
        waiting.one_done()
    return found


def why_no_evidence(plan: Plan) -> Missing | None:
    """Return the reason no engine can compute a plan's evidence; None if one can."""
    engine = _engine(plan)
    return engine if isinstance(engine, Missing) else None


def _engine(plan: Plan) -> ExactEngine | Missing:
    """Return the engine that computes a plan's evidence, or the reason there is none."""
    if any(not prior.proper for _, prior in plan.priors):
        return Missing("flat", "flat priors have no density")
    return why_no_probability(plan) or exact_engine(plan)


def why_no_probability(plan: Plan) -> Missing | None:
    """Return the reason a plan's likelihood is not a probability of the data; None if it is one.

    Evidences, and Bayes factors of equalities and of orders, need such a probability.
    """
    weights, rows = plan.design.row_weights, plan.design.rows
    parts = weights is not None and not rows.counted and bool(np.any(weights != np.round(weights)))
    if parts or rows.fractional:
        return Missing("weights", "fractional row weights define no likelihood")
    return None


def log_bayes_factor(plan: Plan, hypothesis: Hypothesis, seed: int = 0) -> LogIntegral | Missing:
    """Return log BF10 of a plan against its null model under `hypothesis`, with its standard error, or why not."""
    return log_bayes_factors([plan], hypothesis, seed)[0]


def log_bayes_factors(
    plans: Sequence[Plan],
    hypothesis: Hypothesis,
    seed: int = 0,
    known: Sequence[LogIntegral | None] | None = None,
) -> list[LogIntegral | Missing]:
    """Return log BF10 of plans that differ in the priors of the terms tested alone, or why there is none.

    Parameters
    ----------
    plans : sequence of Plan
    hypothesis : Hypothesis
        Equalities.
    seed : int
    known : sequence of LogIntegral or None, optional
        The evidence of each plan; None where it is still to be computed.
    """
    equal = None if hypothesis.of_means else equal_groups(plans[0].design, hypothesis)
    if isinstance(equal, Equal) and not in_equal_units(plans[0], equal):
        equal = Missing("null", IN_SDS)
    if isinstance(equal, Missing):
        return [equal] * len(plans)
    one_null = (
        equal is None and fixes(hypothesis) and not hypothesis.of_means
    )  # it has none of the priors in which plans differ
    out: list[LogIntegral | Missing] = []
    zero: LogIntegral | Missing | None = None
    known = known or [None] * len(plans)
    waiting = Waiting(sum(own is None for own in known) + (1 if one_null else len(plans)))
    for plan, own in zip(plans, known, strict=True):
        null = null_plan(plan, hypothesis) if equal is None else plan
        one = null if isinstance(null, Missing) else own or log_evidence(plan, seed, waiting=waiting)
        if isinstance(null, Missing) or isinstance(one, Missing):
            out.append(one)
            continue
        if zero is None or not one_null:
            zero = log_evidence(null, seed, equal, waiting)
        out.append(zero if isinstance(zero, Missing) else ratio(one, zero))
    return out


def ratio(one: LogIntegral, zero: LogIntegral) -> LogIntegral:
    """Return the log of the ratio of two evidences, whose errors are independent."""
    return LogIntegral(one.value - zero.value, math.hypot(one.error, zero.error))
