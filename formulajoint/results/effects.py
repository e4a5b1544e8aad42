"""A coefficient's effects over the groups: their intervals, and what is said of all of them together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from formulajoint.arrays import FloatArray
from formulajoint.compiler.coefficients import Coefficient
from formulajoint.compiler.contrast_plans import AveragePlan
from formulajoint.compiler.plan import Plan
from formulajoint.results.draws.posterior import Effect, Posterior
from formulajoint.results.draws.scaled import is_plain, scaled_draws, without_covariance
from formulajoint.results.draws.tables import SUMMARY, Estimates, estimates, weights
from formulajoint.results.findings import Findings
from formulajoint.results.joint_tests.bands import bands

MANY = 40
"""Most groups that are drawn in the order of the data; more are sorted by their means, since names are hard to find."""

FAR = 4.0
"""Longest axis, as a multiple of what most intervals need; longer intervals are cut, and end in an arrow."""


def ends_of_axis(low: FloatArray, high: FloatArray, always: FloatArray) -> tuple[float, float]:
    """Return the ends of an axis of intervals: of all, or of most if a few are far longer than the rest.

    Parameters
    ----------
    low, high : (n,) arrays
        Ends of the intervals.
    always : (m,) array
        Values that the axis has to show.
    """
    first, last = min(low.min(), always.min()), max(high.max(), always.max())
    inner = min(np.quantile(low, 0.25), always.min()), max(np.quantile(high, 0.75), always.max())
    if last - first > FAR * (inner[1] - inner[0]):
        margin = 0.5 * (inner[1] - inner[0])
        first, last = max(first, inner[0] - margin), min(last, inner[1] + margin)
    return float(first), float(last)


@dataclass(frozen=True, slots=True, eq=False)
class GroupEffects:
    """The effects of one coefficient over the groups, as its first weighted mean has them.

    Attributes
    ----------
    coefficient : Coefficient
    effects : tuple of Effect
        One per cell: the group, and the level of each of the term's factors.
    rows : DataFrame
        Rows as in the summary, one per cell.
    middles : (cells,) array
        Posterior means; medians where there is no mean.
    bands : DataFrame
        Rows of ``band_table``, one per cell.
    sizes : (cells,) array
        Rows of data of the cell's group.
    averages : tuple of AveragePlan
        The formula's weighted means of the coefficient, the first of which gives the units.
    """

    coefficient: Coefficient
    effects: tuple[Effect, ...]
    rows: pd.DataFrame
    middles: FloatArray
    bands: pd.DataFrame
    sizes: FloatArray
    averages: tuple[AveragePlan, ...]

    @property
    def unit(self) -> AveragePlan | None:
        """The weighted mean that scales or moves the effects; None if they are as estimated."""
        return self.averages[0] if self.averages and not is_plain(self.averages[0]) else None

    @property
    def in_units(self) -> list[AveragePlan]:
        """The weighted means in the units of the effects."""
        return [average for average in self.averages if _same_scale(average, self.averages[0])]


@dataclass(frozen=True, slots=True, eq=False)
class OverAll:
    """What is said of all groups together: a row for each level of the term's factors, or one.

    Attributes
    ----------
    kind : {"joint", "pool"}
        A weighted mean, or the mean of a hierarchy.
    estimates : Estimates
    middles : (rows,) array
        Posterior means; medians where there is no mean.
    """

    kind: str
    estimates: Estimates
    middles: FloatArray


def grouped_coefficients(posterior: Posterior) -> list[Coefficient]:
    """Return the coefficients with one value per group that have draws."""
    return [c for c in posterior.plan.mean.coefficients if c.grouped and c.name in posterior.named.variables]


def is_slope(coefficient: Coefficient) -> bool:
    """Return whether a coefficient is an effect, and no level of the response."""
    return coefficient.term.name != "Intercept"


def weighted_means(plan: Plan, coefficient: Coefficient) -> tuple[AveragePlan, ...]:
    """Return the weighted means of a coefficient in the formula."""
    return tuple(
        c
        for c in plan.contrasts
        if isinstance(c, AveragePlan)
        and c.function.name == "joint"
        and c.coefficient.name == coefficient.name
    )


def group_effects(found: Findings, coefficient: Coefficient) -> GroupEffects:
    """Return the effects of `coefficient` in each group, in the units of its first weighted mean."""
    plan, averages = found.plan, weighted_means(found.plan, coefficient)
    drawn = scaled_draws(found.posterior, coefficient, averages[0] if averages else None)
    plain = not averages or is_plain(averages[0])
    own = found.summary.of(coefficient.name) if plain else estimates(drawn, found.prob)
    draws = np.stack([each.draws for each in drawn], axis=-1)
    together = bands(draws, list(own.table.index), found.prob, without_covariance(drawn))
    sizes = each_cell(plan.data.rows_of(plan.design.predictor.grouping), len(own.effects))
    return GroupEffects(
        coefficient, own.effects, own.table[SUMMARY], _middles(own), together, sizes, averages
    )


def _same_scale(one: AveragePlan, other: AveragePlan) -> bool:
    """Return whether two averages are of the same effects."""
    if (one.at is None) != (other.at is None):
        return False
    if one.divisors is None or other.divisors is None:
        return one.scale == other.scale
    return np.array_equal(one.divisors, other.divisors)


def each_cell(of_groups: FloatArray, count: int) -> FloatArray:
    """Return figures of groups repeated for their `count` cells, whose last axis runs fastest."""
    return np.repeat(of_groups, count // len(of_groups))


def cell_weights(posterior: Posterior, average: AveragePlan, count: int) -> FloatArray:
    """Return the weight of each of `count` cells in a weighted mean."""
    return each_cell(weights(posterior, average).to_numpy(float), count)


def over_all(found: Findings, of: GroupEffects) -> Iterator[OverAll]:
    """Yield the weighted means of the groups' effects in their own units, then the mean of their hierarchy."""
    for average in of.in_units:
        own = found.contrasts.of(average.name)
        yield OverAll("joint", own, _middles(own))
    if of.unit is not None and of.unit.at is not None:
        return
    variables = found.posterior.named.variables  # a constant mean is none of them
    scale = "none" if of.unit is None else of.unit.scale
    for pool in found.plan.mean.pools:
        if pool.request.scale != scale:  # its mean is in other units
            continue
        for term in pool.terms:
            if term.coefficient.name == of.coefficient.name and term.mean_name in variables:
                own = found.summary.of(term.mean_name)
                yield OverAll("pool", own, _middles(own))


def _middles(own: Estimates) -> FloatArray:
    return own.table["mean"].fillna(own.table["median"]).to_numpy(float)
