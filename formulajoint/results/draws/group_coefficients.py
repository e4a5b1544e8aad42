"""The coefficients of every group of one factor: what is shared plus what varies, and what varies by itself."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from formulajoint.arrays import FloatArray
from formulajoint.compiler.coefficients import Coefficient, Pool, PooledTerm
from formulajoint.compiler.names import columns
from formulajoint.compiler.plan import LinearPlan, Plan
from formulajoint.errors import InferenceError
from formulajoint.results.draws.full_width import Table
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.draws.tables import describe
from formulajoint.spec.spec import MAIN
from formulajoint.wording import did_you_mean, listed

COLUMNS = [
    "mean",
    "sd",
    "hdi_low",
    "hdi_high",
    "deviation",
    "deviation_low",
    "deviation_high",
    "ess_bulk",
    "r_hat",
]


def factors_of(plan: Plan) -> tuple[str, ...]:
    """Return the factors over whose groups coefficients differ: that right of the bar, then those of group terms."""
    linear = [part for part in plan.parameters if isinstance(part, LinearPlan)]
    bar = [c.grouping.name for part in linear for c in part.coefficients if c.grouping is not None]
    return tuple(dict.fromkeys([*bar, *(pool.grouping.name for part in linear for pool in part.varying)]))


def group_coefficients(posterior: Posterior, factor: str | None, prob: float) -> pd.DataFrame:
    """Return one row per group and coefficient.

    Parameters
    ----------
    posterior : Posterior
    factor : str, optional
        May be left out where coefficients differ over one factor.
    prob : float
        Probability of the highest-density intervals.

    Raises
    ------
    InferenceError
        If coefficients do not differ over `factor`, or it is left out and there are several.
    """
    known = factors_of(posterior.plan)
    if not known:
        raise InferenceError("No coefficient differs by group: fit.summary() has them all.")
    if factor is None and len(known) > 1:
        raise InferenceError(
            f"Coefficients differ over {listed(known)}: name one, fit.coefficients({known[0]!r})."
        )
    factor = known[0] if factor is None else factor
    if factor not in known:
        hint = did_you_mean(str(factor), known) or f"they differ over {listed(known)}"
        raise InferenceError(f"No coefficient differs over `{factor}`: {hint}.")
    return _table(posterior, factor, prob)


def _table(posterior: Posterior, factor: str, prob: float) -> pd.DataFrame:
    keys: list[tuple[str, str]] = []
    totals: list[FloatArray] = []
    deviations: list[FloatArray | None] = []
    for prefix, coefficient, member in _members(posterior.plan, factor):
        whole = _cells(posterior, coefficient.name, coefficient)
        away = _deviations(posterior, coefficient, member, whole)
        labels = [f"{prefix}{label}" for label in columns(coefficient.term)]
        groups = () if coefficient.grouping is None else coefficient.grouping.labels
        for g, group in enumerate(groups):
            keys += [(group, label) for label in labels]
            totals += [whole[:, :, g, k] for k in range(len(labels))]
            deviations += [None if away is None else away[:, :, g, k] for k in range(len(labels))]
    found = describe([" ".join(key) for key in keys], totals, prob)
    varying = _figures(deviations, prob)
    table = found.assign(**varying)[COLUMNS]
    table.index = pd.MultiIndex.from_tuples(keys, names=[factor, "coefficient"])
    order = {group: place for place, group in enumerate(dict.fromkeys(key[0] for key in keys))}
    return Table(table.iloc[sorted(range(len(keys)), key=lambda at: order[keys[at][0]])])


def _members(plan: Plan, factor: str) -> Iterator[tuple[str, Coefficient, PooledTerm | None]]:
    """Yield the coefficients that differ over a factor, each with its parameter if not the mean, and its hierarchy."""
    for part in plan.parameters:
        if not isinstance(part, LinearPlan):
            continue
        prefix = "" if part.parameter == MAIN else f"{part.parameter}."
        for coefficient in part.coefficients:
            if coefficient.grouping is not None and coefficient.grouping.name == factor:
                yield prefix, coefficient, part.pooled.get(coefficient.name)
        for term in _varying(part.varying, factor):
            yield prefix, term.coefficient, term


def _varying(pools: tuple[Pool, ...], factor: str) -> Iterator[PooledTerm]:
    yield from (term for pool in pools if pool.grouping.name == factor for term in pool.terms)


def _cells(posterior: Posterior, name: str, coefficient: Coefficient) -> FloatArray:
    """Return draws (chain, draw, G, columns)."""
    values = posterior.named.values(name, coefficient.dims)
    return values.reshape((*values.shape[:3], -1))


def _deviations(
    posterior: Posterior, coefficient: Coefficient, member: PooledTerm | None, whole: FloatArray
) -> FloatArray | None:
    """Return the draws of what varies; None where groups are not pooled, so that nothing is shared."""
    if member is None:
        return None
    if posterior.named.has(member.deviation_name):
        return _cells(posterior, member.deviation_name, coefficient)
    if not posterior.named.has(member.mean_name):
        return None
    mean = posterior.named.values(member.mean_name, member.dims)
    return whole - mean.reshape((*whole.shape[:2], 1, -1))


def _figures(deviations: list[FloatArray | None], prob: float) -> dict[str, FloatArray]:
    """Return mean and interval of each deviation; NaN for a group without one."""
    names = ("deviation", "deviation_low", "deviation_high")
    known = [at for at, draws in enumerate(deviations) if draws is not None]
    out = {name: np.full(len(deviations), np.nan) for name in names}
    if known:
        found = describe([str(at) for at in known], [d for d in deviations if d is not None], prob)
        for name, column in zip(names, ("mean", "hdi_low", "hdi_high"), strict=True):
            out[name][known] = found[column]
    return out
