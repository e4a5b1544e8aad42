"""Notes on groups whose residual sds differ by far, as where schools gave different tests.

With one sigma for all, groups with a large sd weigh too much and those with a small one too little. An average of
effects in points then mixes units, whether sigma is by group or not, and so does what groups share or pool in points.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.compiler.contrast_plans import AveragePlan
from formulajoint.compiler.plan import Plan, ScalePlan
from formulajoint.compiler.planning.term_columns import as_written, columns_of, known_value, named
from formulajoint.compiler.residual_sds import sigma_of_groups
from formulajoint.data.least_squares import least_squares
from formulajoint.design.schema import Grouping
from formulajoint.distributions.links import IDENTITY

APART, CHANCE = 5.0, 0.001
"""The largest sd of a group is more than this many times the smallest, and Bartlett's test has a smaller p-value."""

ROUNDING = 1e-9
"""A residual sd below this share of the largest is that of a perfect fit, and is left out."""


@dataclass(frozen=True, slots=True, eq=False)
class _Residuals:
    """Residual sds of the regression by group and their degrees of freedom, of the groups at `places`."""

    grouping: Grouping
    sds: FloatArray
    df: FloatArray
    places: IntArray

    @property
    def apart(self) -> bool:
        """Whether the sds differ more than `APART`-fold, beyond chance."""
        if len(self.sds) < 2 or self.sds.max() <= APART * self.sds.min():
            return False
        return _bartlett(self.sds**2, self.df) > NormalDist().inv_cdf(1 - CHANCE)

    @property
    def extremes(self) -> str:
        """The groups with the smallest and the largest sd in words: ``1.6 in A, 41 in B``."""
        ends = (int(np.argmin(self.sds)), int(np.argmax(self.sds)))
        labels = [self.grouping.labels[int(self.places[end])] for end in ends]
        return ", ".join(f"{self.sds[end]:.2g} in {label}" for end, label in zip(ends, labels, strict=True))


@dataclass(frozen=True, slots=True)
class _InPoints:
    """What is in the response's own units: averages, terms of hierarchies, terms shared by all, and residual sds."""

    averages: tuple[AveragePlan, ...]
    pooled: tuple[str, ...]
    shared: tuple[str, ...]
    sigmas: bool

    @property
    def names(self) -> list[str]:
        """Their names."""
        pooled = [f"hierarchy({', '.join(self.pooled)})"] if self.pooled else []
        sigmas = ["hierarchy(sigma)"] if self.sigmas else []
        return [*(average.name for average in self.averages), *pooled, *self.shared, *sigmas]

    @property
    def scaled(self) -> str:
        """The same in residual sds, as a formula writes it; empty if it cannot be."""
        if self.shared or self.sigmas:
            return ""
        averages = [f"{c.function.name}({c.coefficient.term.name}, scale=sigma)" for c in self.averages]
        pooled = [f"hierarchy({', '.join(self.pooled)}, scale=sigma)"] if self.pooled else []
        return named([*averages, *pooled])


def unequal_sds(plan: Plan) -> Iterator[str]:
    """Yield a note if the groups' residual sds differ by far, and the model or its averages take no notice of it.

    Bartlett's test takes a few values far outside for a larger sd: it is for normal residuals.
    """
    sigma = plan.spread
    if (
        not plan.family.sums
        or sigma is None
        or sigma.prior.constant is not None
        or plan.mean.link is not IDENTITY
    ):
        return
    grouping, in_points = plan.design.predictor.grouping or sigma.grouping, _in_points(plan, sigma)
    if grouping is None or (sigma.grouping is not None and not in_points.names):
        return
    found = _residuals(plan, grouping)
    if found.apart:
        yield (
            _shared(plan, found, sigma, in_points) if sigma.grouping is None else _own(plan, found, in_points)
        )


def _in_points(plan: Plan, sigma: ScalePlan) -> _InPoints:
    averages = (c for c in plan.contrasts if isinstance(c, AveragePlan) and c.coefficient.term.parts)
    pooled = (t for pool in plan.mean.pools if not pool.request.in_sds for t in pool.terms)
    shared = [c.term.name for c in plan.mean.coefficients if not c.grouped and c.term.parts]
    by_group = plan.design.predictor.grouping is not None
    return _InPoints(
        tuple(average for average in averages if average.scale == "none"),
        tuple(t.coefficient.term.name for t in pooled if t.coefficient.term.parts),
        tuple(f"common({name})" if by_group else name for name in shared),
        sigma.pool is not None,
    )


def _shared(plan: Plan, found: _Residuals, sigma: ScalePlan, in_points: _InPoints) -> str:
    group = as_written(found.grouping)
    where = "; where tests or units differ, "
    if in_points.shared:
        more = f"{where}{_standardized(plan, found.grouping)} instead"
    else:
        more = f"{where}{in_points.scaled}, too" if in_points.names else ""
    return (
        f"The residual sds differ by {found.grouping.name}, {found.extremes} (Bartlett's p < {CHANCE:g}), but one "
        f"{sigma.name} is shared by all. Write {sigma.parameter} ~ 1 | {group}{more}."
    )


def _own(plan: Plan, found: _Residuals, in_points: _InPoints) -> str:
    sigma, names = plan.spread, in_points.names
    assert sigma is not None  # as checked by the caller
    assert sigma.grouping is not None
    one_each = plan.design.predictor.grouping is not None and sigma_of_groups(plan) is not None
    advice = (one_each and in_points.scaled) or _standardized(plan, sigma.grouping)
    return (
        f"The residual sds differ by {found.grouping.name}, {found.extremes} (Bartlett's p < {CHANCE:g}), and "
        f"{named(names)} {'is' if len(names) == 1 else 'are'} in the response's own units. Where tests or units "
        f"differ, write {advice}."
    )


def _standardized(plan: Plan, grouping: Grouping) -> str:
    return f"standardize({plan.design.response.name}, by={as_written(grouping)}) as the response"


def _residuals(plan: Plan, grouping: Grouping) -> _Residuals:
    table = plan.data.by(grouping)
    unknown = [c for c in plan.mean.coefficients if known_value(c) is None]
    own, shared = [c for c in unknown if c.grouped], [c for c in unknown if not c.grouped]
    fit = least_squares(columns_of(table, own), columns_of(table, shared), table.unknown, table.rows)
    enough = fit.group_df >= 2
    sds = np.sqrt(fit.group_rss / np.maximum(fit.group_df, 1))
    kept = enough & (sds > ROUNDING * sds.max(initial=0.0, where=enough))
    return _Residuals(grouping, sds[kept], fit.group_df[kept].astype(float), np.flatnonzero(kept))


def _bartlett(variances: FloatArray, df: FloatArray) -> float:
    """Return Bartlett's statistic of equal variances as a normal score (Wilson & Hilferty, PNAS 1931)."""
    count, total = len(df) - 1, float(df.sum())
    pooled = float(df @ variances) / total
    statistic = total * np.log(pooled) - float(df @ np.log(variances))
    statistic /= 1 + (float(np.sum(1 / df)) - 1 / total) / (3 * count)
    width = 2 / (9 * count)
    return float(((statistic / count) ** (1 / 3) - (1 - width)) / np.sqrt(width))
