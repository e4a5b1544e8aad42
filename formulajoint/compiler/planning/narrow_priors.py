"""Notes on default priors that hold a coefficient far from its least-squares estimate.

Default priors are scaled by all rows, or by those of a group with a sigma of its own. If a predictor hardly varies
within a group, or beside the other predictors, its slope may be many prior sds from zero. For a least-squares estimate
b with standard error e and the prior N(m, s^2) there is a note if both hold:

- prior and data disagree: |b - m| / sqrt(s^2 + e^2) is above 2, and above the value that the largest of all estimates
  exceeds by chance in 5 % of data sets (prior predictive check of Evans & Moshonov, Bayesian Analysis 2006; Bonferroni)
- it matters: the posterior mean is more than e from b. Its distance is |b - m| e^2 / (s^2 + e^2). Under a hierarchy
  with mu ~ N(m, s^2) and tau ~ HalfNormal(s), if K groups are far out, tau grows to be near them at a cost of
  |b - m| / (s sqrt(K)) each, so that the distance is e^2 / (s sqrt(K))
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.coefficients import Coefficient
from formulajoint.compiler.plan import LinearPlan, Plan
from formulajoint.compiler.planning.defaults import stands_for_intercept
from formulajoint.compiler.planning.term_columns import cells, columns_of, known_value, named
from formulajoint.compiler.residual_sds import names_in_sds
from formulajoint.data.data import Table
from formulajoint.data.least_squares import BoolArray, LeastSquares, least_squares
from formulajoint.design.schema import Predictor
from formulajoint.distributions.distribution import Number
from formulajoint.distributions.links import IDENTITY
from formulajoint.distributions.prior import DEFAULT
from formulajoint.families.likelihood import SLOPE

BEYOND, CHANCE = 2.0, 0.05
"""Smallest |z| for a note, and share of data sets in which the largest |z| causes one by chance."""


@dataclass(frozen=True, slots=True, eq=False)
class _Against:
    """A coefficient's least-squares estimates and its default prior, (G, k) or (1, k); NaN if not estimable."""

    coefficient: Coefficient
    estimates: FloatArray
    errors: FloatArray
    mean: FloatArray
    sd: FloatArray
    sd_of_groups: FloatArray | None

    @property
    def z(self) -> FloatArray:
        """Distance of the estimates from the prior's mean, in prior predictive sds."""
        spread = np.hypot(self.sd, 0.0 if self.sd_of_groups is None else self.sd_of_groups)
        return np.asarray(abs(self.estimates - self.mean) / np.hypot(spread, self.errors))

    @property
    def by_group(self) -> bool:
        """Whether the groups' priors have units of their own."""
        return bool(np.any(self.sd != self.sd[0]))

    def held(self, limit: float) -> BoolArray:
        """Return which coefficients disagree with the prior and are held back by it."""
        far = np.nan_to_num(self.z) > limit
        if self.sd_of_groups is not None:
            return far & (self.errors > self.sd_of_groups * np.sqrt(far.sum(axis=0)))
        pull = abs(self.estimates - self.mean) * self.errors / (self.sd**2 + self.errors**2)
        return far & (np.nan_to_num(pull) > 1)


def may_be_narrow(plan: Plan) -> bool:
    """Return whether any slope of the mean has a default prior on the response's own scale."""
    predictor = plan.mean.predictor
    return plan.mean.link is IDENTITY and any(
        _default(plan.mean, c) is not None
        for c in plan.mean.coefficients
        if not stands_for_intercept(c.term, predictor)
    )


def narrow_priors(plan: Plan, table: Table) -> Iterator[str]:
    """Yield a note for each term of the mean whose default prior is far from least squares."""
    for item, held in _held(plan, table):
        if held.any():
            yield _note(plan.mean, item, held)


def held_cells(plan: Plan, coefficient: Coefficient) -> BoolArray:
    """Return which cells of a coefficient of the mean its default prior holds far from least squares, (G, k)."""
    none = np.zeros((1, 1), dtype=bool)
    if not may_be_narrow(plan):
        return none
    held = (held for item, held in _held(plan, plan.data.groups) if item.coefficient is coefficient)
    return next(held, none)


def _held(plan: Plan, table: Table) -> Iterator[tuple[_Against, BoolArray]]:
    """Yield each default prior with the cells that it holds far from least squares."""
    found = list(_compare(plan, table))
    count = sum(int(np.isfinite(item.z).sum()) for item in found)
    limit = max(BEYOND, NormalDist().inv_cdf(1 - CHANCE / 2 / max(count, 1)))
    yield from ((item, item.held(limit)) for item in found)


def _compare(plan: Plan, table: Table) -> Iterator[_Against]:
    mean = plan.mean
    unknown = [c for c in mean.coefficients if known_value(c) is None]
    own, shared = [c for c in unknown if c.grouped], [c for c in unknown if not c.grouped]
    fit = least_squares(columns_of(table, own), columns_of(table, shared), table.unknown, table.rows)
    of_groups, of_all = _residual_variances(plan, fit)
    for coefficients, estimates, variances in (
        (own, fit.own, fit.own_variances * of_groups[:, None]),
        (shared, fit.shared[None], fit.shared_variances[None] * of_all),
    ):
        start = 0
        for coefficient in coefficients:
            stop = start + coefficient.term.columns.shape[1]
            prior = _default(mean, coefficient)
            if prior is not None and not stands_for_intercept(coefficient.term, mean.predictor):
                errors = np.sqrt(variances[:, start:stop])
                yield _Against(coefficient, estimates[:, start:stop], errors, *prior)
            start = stop


def _residual_variances(plan: Plan, fit: LeastSquares) -> tuple[FloatArray, float]:
    """Return rss / (df - 2), the posterior mean of sigma^2 under 1/sigma, by group (G,) and overall, or NaN."""
    groups = len(fit.group_df)
    if plan.design.standard_errors is not None:
        return np.ones(groups), 1.0
    of_all = float(fit.group_rss.sum()) / (fit.df - 2) if fit.df > 2 else np.nan
    sigma = plan.design.parameter(plan.family.spread)
    grouping = plan.mean.predictor.grouping
    if sigma is None or not sigma.per_group or sigma.grouping is None or grouping is None:
        return np.full(groups, of_all), of_all
    if sigma.grouping.labels != grouping.labels:
        return np.full(groups, of_all), of_all
    spare = np.where(fit.group_df > 2, fit.group_df - 2, np.nan)
    return fit.group_rss / spare, of_all


def _default(
    part: LinearPlan, coefficient: Coefficient
) -> tuple[FloatArray, FloatArray, FloatArray | None] | None:
    """Return mean and sd of a default prior, (G, k) or (1, k), and the scale of a hierarchy's sd, (1, k); or None."""
    member = part.pooled.get(coefficient.name)
    prior = coefficient.prior if member is None else member.mean
    if (
        prior is None
        or prior.normal is None
        or prior.origin != DEFAULT
        or coefficient.name in names_in_sds(part)  # not in the estimates' units
        or (member is not None and member.sd.origin != DEFAULT)
    ):
        return None
    groups = 1 if coefficient.grouping is None or member is not None else len(coefficient.grouping)

    def each(number: Number) -> FloatArray:
        return np.broadcast_to(number, (groups, *coefficient.term.shape)).reshape(groups, -1)

    of_groups = None if member is None else member.sd.sd
    mean, sd = prior.normal
    return each(mean), each(sd), None if of_groups is None else each(of_groups)


def _note(part: LinearPlan, item: _Against, held: BoolArray) -> str:
    coefficient, predictor = item.coefficient, part.predictor
    member = part.pooled.get(coefficient.name)
    labels = list(cells(coefficient, held))
    worst = int(np.argmax(item.z[held]))
    figures = f"{item.estimates[held][worst]:.4g} (standard error {item.errors[held][worst]:.2g})"
    if len(labels) > 1:
        figures += f" for {labels[worst]}"
    name, prior = (coefficient.name, coefficient.prior) if member is None else (member.mean_name, member.mean)
    rows = "all rows"
    if item.by_group and prior is not None:
        cell = int(np.flatnonzero(held)[worst])
        name, rows = labels[worst], "the rows of its group"
        prior = prior.at(cell, (len(held), *coefficient.term.shape))
    return (
        f"The default prior of {name}, {prior}, is scaled by {rows} and holds {named(labels)} far from least "
        f"squares, {figures}. {_cure(predictor, item, held)}."
    )


def _cure(predictor: Predictor, item: _Against, held: BoolArray) -> str:
    """Return the advice: a prior as wide as the estimates, or the predictor in other units in each group."""
    term = item.coefficient.term.name
    size = _rounded_up(float(abs(item.estimates - item.mean)[held].max()))
    if item.coefficient.prior is None:
        return (
            f"Write wider ones, prior({term}.mean ~ normal(0, {size:g}), {term}.sd ~ half_normal({size:g}))"
        )
    if item.by_group:
        slopes = abs(item.estimates - item.mean) / item.sd * SLOPE / item.coefficient.term.scales
        sds = _rounded_up(float(slopes[held].max()))
        return f'Write a wider one, prior({term} ~ normal(0, {sds:g}, scale=sd)), or take priors="flat"'
    grouping = item.coefficient.grouping
    rescale = "" if grouping is None else f", rescale {term} within each {grouping.name}"
    return f'Write a wider one, prior({term} ~ normal(0, {size:g})){rescale}, or take priors="flat"'


def _rounded_up(value: float) -> float:
    """Return `value` rounded up to one significant digit."""
    unit = 10.0 ** np.floor(np.log10(value))
    return float(np.ceil(value / unit) * unit)
