"""How much a Bayes factor depends on the scale of the prior: a table, and a note for print."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from formulajoint.compiler.plan import Plan
from formulajoint.compiler.widened_priors import with_scaled
from formulajoint.contrasts.hypotheses import Hypothesis
from formulajoint.contrasts.layout import layout
from formulajoint.distributions.prior import Prior
from formulajoint.errors import InferenceError
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.remarks import Missing
from formulajoint.results.draws.full_width import Table
from formulajoint.results.draws.posterior import Posterior, posterior_over
from formulajoint.results.joint_tests import figures
from formulajoint.results.joint_tests.bayes_factor.equalities import equalities
from formulajoint.results.joint_tests.bayes_factor.orders import order
from formulajoint.results.joint_tests.bayes_factor.reweighted import tested_priors
from formulajoint.results.joint_tests.quantities import quantities
from formulajoint.wording import span

MOST_SCALED = 300
"""Most coefficients for which further Bayes factors are computed for a line of text."""

OTHER_PRIOR = Missing("prior", "an order's Bayes factor under another prior needs a fit with that prior")


def sensitivity_table(
    posterior: Posterior, hypotheses: Sequence[Hypothesis], factors: float | Sequence[float]
) -> pd.DataFrame:
    """Return one row per hypothesis and factor: prior_sd, log_bf10, log_bf10_mcse, or a note why there are none."""
    several: list[Any] = list(np.ravel(np.asarray(factors, dtype=object)))
    if not several or not all(isinstance(f, Real) and 0 < float(f) < math.inf for f in several):
        raise InferenceError(f"`factors` are numbers above zero such as (0.5, 1, 2), not {factors!r}.")
    rows = []
    for hypothesis in hypotheses:
        seen = posterior_over(posterior, hypothesis.factor)
        found = _at_scales(seen, hypothesis, [float(factor) for factor in several])
        for factor, each in zip(several, found, strict=True):
            row = {"hypothesis": hypothesis.label, "factor": factor}
            rows.append(row | _row(seen.plan, hypothesis, float(factor), each))
    return Table(rows).set_index(["hypothesis", "factor"])


def _at_scales(
    posterior: Posterior, hypothesis: Hypothesis, factors: list[float]
) -> list[LogIntegral | Missing]:
    if not hypothesis.order:
        return equalities(posterior.plan, hypothesis, factors, posterior)
    own = order(posterior.plan, hypothesis, *_probability(posterior, hypothesis))
    return [own if factor == 1.0 else OTHER_PRIOR for factor in factors]


def _row(plan: Plan, hypothesis: Hypothesis, factor: float, found: LogIntegral | Missing) -> dict[str, Any]:
    if isinstance(found, Missing):
        blank = dict.fromkeys(("log_bf10", "log_bf10_mcse"), float("nan"))
        return {"prior_sd": "", **blank, "note": found.reason}
    sd = tested_scale(plan, hypothesis, factor)
    return {"prior_sd": sd, "log_bf10": found.value, "log_bf10_mcse": found.error, "note": ""}


def _probability(posterior: Posterior, hypothesis: Hypothesis) -> tuple[float, float]:
    """Return the probability of an order and its Monte Carlo standard error."""
    holds = figures.probability_of(figures.all_positive, quantities(posterior, hypothesis))
    return holds.value, holds.mcse


def is_scaled(plan: Plan) -> bool:
    """Return whether Bayes factors at other scales of the prior are worth their time."""
    heavy = any(pool.request.heavy for pool in plan.mean.pools)  # many seconds each
    return not heavy and sum(block.size for block in layout(plan.design)) <= MOST_SCALED


def with_other_scales(plan: Plan, hypothesis: Hypothesis, around: Sequence[LogIntegral | Missing]) -> str:
    """Return the prior's scale, and log BF10 at half and at double that scale: the second and third of `around`."""
    known = [other.value for other in around[1:] if isinstance(other, LogIntegral)]
    scale = tested_sd(plan, hypothesis)
    if len(known) < len(around) - 1:
        return scale
    return "{}: with half of it log BF10 is {:.2f}, with twice {:.2f}".format(scale, *known)


def tested_sd(plan: Plan, hypothesis: Hypothesis) -> str:
    """Return the prior of the terms tested as text: ``prior sd 39.4 of treatment``."""
    sd = " sd" if _all_normal(tested_priors(plan, hypothesis)) else ""
    return f"prior{sd} {tested_scale(plan, hypothesis, 1.0)}"


def tested_scale(plan: Plan, hypothesis: Hypothesis, factor: float) -> str:
    """Return the prior sds of the terms tested, times `factor`: ``39.4 of treatment``; if pooled, of mean and sd.

    If some are not normal, the priors: ``treatment_mean ~ normal(0, 39.4) and treatment_sd ~ half_cauchy(5)``.
    """
    wider = with_scaled(plan, hypothesis.terms, factor)
    priors = [] if isinstance(wider, Missing) else tested_priors(wider, hypothesis)
    if _all_normal(priors):
        said = [f"{span(np.asarray(prior.sd, dtype=float).ravel())} of {name}" for name, prior in priors]
    else:
        said = [f"{name} ~ {prior}" for name, prior in priors]
    return " and ".join(said)


def _all_normal(priors: list[tuple[str, Prior]]) -> bool:
    return all(prior.sd is not None for _, prior in priors)
