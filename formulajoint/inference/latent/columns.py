"""The columns of a plan's mean as what the priors of their coefficients say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.plan import Coefficient, Plan
from formulajoint.compiler.residual_sds import names_in_sds
from formulajoint.distributions.prior import Prior
from formulajoint.errors import BugError


@dataclass(frozen=True, slots=True)
class Column:
    """The prior of a column's coefficients or, under a hierarchy, of their mean.

    An infinite sd stands for a flat prior, 0 for a constant; infinite degrees of freedom for a normal one. `in_sds`
    says whether it is in residual sds.
    """

    grouped: bool
    pooled: bool
    mean: float
    sd: float
    df: float
    in_sds: bool = False

    @property
    def shared(self) -> bool:
        """Whether theta has an element for this column."""
        return self.sd > 0 and (self.pooled or not self.grouped)

    @property
    def flat(self) -> bool:
        """Whether the prior is flat."""
        return bool(np.isinf(self.sd))


def columns_of(plan: Plan) -> list[Column]:
    """Return the columns of all terms, in the order of the plan."""
    return [column for coefficient in plan.mean.coefficients for column in _columns(plan, coefficient)]


def _columns(plan: Plan, coefficient: Coefficient) -> Iterator[Column]:
    member = plan.mean.pooled.get(coefficient.name)
    prior = coefficient.prior if member is None else member.mean
    if prior is None:
        raise BugError(f"`{coefficient.name}` has neither a prior nor a hierarchy")
    in_sds = coefficient.name in names_in_sds(plan.mean)
    for mean, sd, df in zip(*location_and_scale(prior, coefficient.term.columns.shape[1]), strict=True):
        yield Column(coefficient.grouped, member is not None, float(mean), float(sd), float(df), in_sds)


def unknown(columns: Sequence[Column]) -> list[int]:
    """Return the places of the columns whose coefficients are not constants, the per-group ones first."""
    kept = [at for at, column in enumerate(columns) if column.pooled or column.sd > 0]
    return sorted(kept, key=lambda at: not columns[at].grouped)


def location_and_scale(own: Prior, count: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return location, scale and degrees of freedom of the prior of `count` coefficients.

    A flat prior has location 0 and scale infinity, a constant scale 0.
    """
    if own.mixture is None:
        raise BugError(f"{own} is neither normal nor a mixture of normals")
    location, scale, df = (np.broadcast_to(np.ravel(value), (count,)) for value in own.mixture)
    return location, scale, df


def own_columns(plan: Plan) -> Iterator[tuple[Coefficient, int]]:
    """Yield the per-group coefficients, except constants, each with the index of its first column among the p."""
    at = 0
    for coefficient in plan.mean.coefficients:
        constant = coefficient.prior is not None and coefficient.prior.constant is not None
        if coefficient.grouped and not constant:
            yield coefficient, at
            at += coefficient.term.columns.shape[1]
