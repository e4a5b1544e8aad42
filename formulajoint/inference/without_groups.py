"""Densities of a group's rows given all others, with everything integrated out: the group's coefficients, too.

    log p(y_g | rest) = log p(y) - log p(y without g) = -log E[1 / p(y_g | rest, phi)],

where the expectation is over the posterior of phi, and p(y_g | rest, phi) = p(y | phi) / p(y without g | phi). The
weights 1 / p are smoothed (Vehtari, Simpson, Gelman, Yao & Gabry, JMLR 2024); where their tail is too heavy, both
evidences are computed, which is a fit without the group. Constants of flat priors cancel.

Shapes: S draws, G groups.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from arviz_stats.base import array_stats

from formulajoint.arrays import BoolArray, FloatArray, IntArray
from formulajoint.compiler.plan import Plan
from formulajoint.data.rows import frequencies
from formulajoint.design.schema import Grouping
from formulajoint.inference.engine import ExactEngine, exact_engine
from formulajoint.inference.importance.sampled import DRAWS, K_HAT, SHRINKS
from formulajoint.inference.waiting import Waiting
from formulajoint.remarks import Missing

FEWEST, MOST = 50, 50_000
"""Fewest draws of a pool, and most of all groups together: of very many groups each one hardly matters to phi."""

CONSTANT = 1e-9
"""Range of log densities that do not depend on phi: the groups have nothing in common, and no weights are needed."""


@dataclass(frozen=True, slots=True, eq=False)
class LeftOut:
    """The log densities of groups given all others.

    Attributes
    ----------
    values, errors : (G,) arrays
        log p(y_g | rest), and its standard error: Monte Carlo, and of quadrature.
    k_hat : (G,) array
        Pareto shape of the importance weights; NaN where the model was fitted without the group.
    """

    values: FloatArray
    errors: FloatArray
    k_hat: FloatArray


def without(plan: Plan, rows: BoolArray) -> Plan:
    """Return the plan without some rows (N,): all priors stay as they are, and these rows have the weight 0."""
    weights = np.where(rows, 0.0, frequencies(plan.design))
    design = replace(plan.design, row_weights=weights)
    over = {name: replace(data, design=design) for name, data in plan.data_over.items()}
    return replace(plan, design=design, data=replace(plan.data, design=design), data_over=over)


def leave_groups_out(plan: Plan, grouping: Grouping, seed: int = 0) -> LeftOut | Missing:
    """Return the log density of each group's rows given all other rows, or the reason there is none.

    Parameters
    ----------
    plan : Plan
    grouping : Grouping
        Of a factor of the model.
    seed : int
        The same seed gives the same figures.
    """
    engine = exact_engine(plan)
    if isinstance(engine, Missing):
        return engine
    count = len(grouping)
    others = (without(plan, grouping.codes == group) for group in range(count))
    out = LeftOut(*(np.full(count, np.nan) for _ in range(3)))
    with np.errstate(all="ignore"):  # a group without rows has no residual sd
        found = engine.log_likelihoods(plan, others, seed, max(FEWEST, min(DRAWS, MOST // count)))
        waiting = Waiting(count, "Leaving groups out")
        for group, part in enumerate(found.others):
            value, error, k_hat = smoothed(found.whole.logs - part.logs, found.repeats)
            coarse = (found.whole.moved - part.moved) / SHRINKS
            out.values[group], out.errors[group], out.k_hat[group] = value, np.hypot(error, coarse), k_hat
            waiting.one_done()
        again = np.flatnonzero(~(out.k_hat <= K_HAT))
        out.k_hat[again] = np.nan
        return (_refitted(engine, plan, grouping, again, seed, out) if len(again) else None) or out


def smoothed(logs: FloatArray, repeats: float) -> tuple[float, float, float]:
    """Return -log E[1 / p] with its standard error, and k-hat: NaN where all log p are the same.

    Parameters
    ----------
    logs : (S,) array
        log p at draws.
    repeats : float
        How many draws one independent draw stands for.
    """
    if np.ptp(logs) < CONSTANT:  # the evidences have a finer quadrature than these densities
        return float(np.mean(logs)), 0.0, np.nan
    weights, k_hat = array_stats.psislw(logs)
    value = float(np.logaddexp.reduce(weights + logs))
    relative = np.expm1(logs - value)
    return value, float(np.sqrt(repeats * np.sum((np.exp(weights) * relative) ** 2))), float(k_hat)


def _refitted(
    engine: ExactEngine, plan: Plan, grouping: Grouping, groups: IntArray, seed: int, out: LeftOut
) -> Missing | None:
    """Write differences of two evidences into `out` for some groups; return the reason if one is unavailable."""
    waiting = Waiting(1 + len(groups), "Fits without single groups")
    whole = engine.log_evidence(plan, seed)
    for group in groups:
        waiting.one_done()
        part = engine.log_evidence(without(plan, grouping.codes == group), seed)
        if isinstance(whole, Missing):
            return whole
        if isinstance(part, Missing):
            return part
        out.values[group] = whole.value - part.value
        out.errors[group] = np.hypot(whole.error, part.error)
    return None
