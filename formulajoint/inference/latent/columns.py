"""The columns of a plan's mean as what the priors of their coefficients say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.coefficients import Coefficient
from formulajoint.compiler.plan import Plan
from formulajoint.compiler.residual_sds import names_in_sds
from formulajoint.distributions.prior import Prior
from formulajoint.errors import BugError


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """The prior of a column's coefficients or, under a hierarchy, of their mean.

    Numbers are arrays (G,) where each group has its own coefficient, not pooled; of length one elsewhere. An infinite
    sd stands for a flat prior, 0 for a constant; infinite degrees of freedom for a normal one. `in_sds` says whether it
    is in residual sds.
    """

    grouped: bool
    pooled: bool
    mean: FloatArray
    sd: FloatArray
    df: float
    in_sds: bool = False

    @property
    def shared(self) -> bool:
        """Whether theta has an element for this column."""
        return not self.constant and (self.pooled or not self.grouped)

    @property
    def constant(self) -> bool:
        """Whether the prior is a constant."""
        return bool(np.all(self.sd == 0))

    @property
    def flat(self) -> bool:
        """Whether the prior is flat."""
        return bool(np.all(np.isinf(self.sd)))


def columns_of(plan: Plan) -> list[Column]:
    """Return the columns of all terms, in the order of the plan."""
    return [column for coefficient in plan.mean.coefficients for column in _columns(plan, coefficient)]


def _columns(plan: Plan, coefficient: Coefficient) -> Iterator[Column]:
    member = plan.mean.pooled.get(coefficient.name)
    prior = coefficient.prior if member is None else member.mean
    if prior is None:
        raise BugError(f"`{coefficient.name}` has neither a prior nor a hierarchy")
    groups = 1 if coefficient.grouping is None or member is not None else len(coefficient.grouping)
    numbers, in_sds = location_and_scale(prior, (groups, *coefficient.term.shape)), names_in_sds(plan.mean)
    for mean, sd, df in zip(*(number.reshape(groups, -1).T for number in numbers), strict=True):
        yield Column(
            coefficient.grouped, member is not None, mean, sd, float(df[0]), coefficient.name in in_sds
        )


def unknown(columns: Sequence[Column]) -> list[int]:
    """Return the places of the columns whose coefficients are not constants, the per-group ones first."""
    kept = [at for at, column in enumerate(columns) if column.pooled or not column.constant]
    return sorted(kept, key=lambda at: not columns[at].grouped)


def location_and_scale(own: Prior, shape: tuple[int, ...]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return location, scale and degrees of freedom of the prior of coefficients, arrays of that `shape`.

    A flat prior has location 0 and scale infinity, a constant scale 0.
    """
    if own.mixture is None:
        raise BugError(f"{own} is neither normal nor a mixture of normals")
    location, scale, df = (np.broadcast_to(value, shape) for value in own.mixture)
    return location, scale, df


def own_columns(plan: Plan) -> Iterator[tuple[Coefficient, int]]:
    """Yield the per-group coefficients, except constants, each with the index of its first column among the p."""
    at = 0
    for coefficient in plan.mean.coefficients:
        constant = coefficient.prior is not None and coefficient.prior.constant is not None
        if coefficient.grouped and not constant:
            yield coefficient, at
            at += coefficient.term.columns.shape[1]
