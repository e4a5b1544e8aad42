"""The columns of a plan's terms, with location, scale and degrees of freedom of their coefficients' priors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.plan import Coefficient, Plan
from formulajoint.design.schema import Design
from formulajoint.distributions.prior import Prior
from formulajoint.errors import BugError


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A column (N,) with the prior of its coefficients or, under a hierarchy, of their mean.

    An infinite sd stands for a flat prior, 0 for a constant; infinite degrees of freedom for a normal one.
    """

    values: FloatArray
    grouped: bool
    pooled: bool
    mean: float
    sd: float
    df: float

    @property
    def shared(self) -> bool:
        """Whether theta has an element for this column."""
        return self.sd > 0 and (self.pooled or not self.grouped)


def columns_of(plan: Plan, coefficient: Coefficient) -> Iterator[Column]:
    """Yield the columns of a term with location, scale and degrees of freedom of their priors."""
    member, table = plan.mean.pooled.get(coefficient.name), coefficient.term.columns
    own_prior = coefficient.prior if member is None else member.mean
    if own_prior is None:
        raise BugError(f"`{coefficient.name}` has neither a prior nor a hierarchy")
    mean, sd, df = location_and_scale(own_prior, table.shape[1])
    for j in range(table.shape[1]):
        values = np.ascontiguousarray(in_units(table[:, j], plan.design))
        own = float(mean[j]), float(sd[j]), float(df[j])
        yield Column(values, coefficient.grouped, member is not None, *own)


def location_and_scale(own: Prior, count: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return location, scale and degrees of freedom of the prior of `count` coefficients.

    A flat prior has location 0 and scale infinity, a constant scale 0.
    """
    location: float | FloatArray = 0.0
    scale: float | FloatArray = np.inf
    df: float | FloatArray = np.inf
    match own.law:
        case "normal":
            location, scale = own.args["mu"], own.args["sigma"]
        case "student_t":
            location, scale, df = own.args["mu"], own.args["sigma"], own.args["nu"]
        case "cauchy":
            location, scale, df = own.args["alpha"], own.args["beta"], 1.0
        case "constant":
            location, scale = own.args["value"], 0.0
        case law if law != "flat":
            raise BugError(f"{own} is neither normal nor a mixture of normals")
    first, second, third = (np.broadcast_to(np.ravel(value), (count,)) for value in (location, scale, df))
    return first, second, third


def own_columns(plan: Plan) -> Iterator[tuple[Coefficient, int]]:
    """Yield the per-group coefficients, except constants, each with the index of its first column among the p."""
    at = 0
    for coefficient in plan.mean.coefficients:
        constant = coefficient.prior is not None and coefficient.prior.law == "constant"
        if coefficient.grouped and not constant:
            yield coefficient, at
            at += coefficient.term.columns.shape[1]


def in_units(values: FloatArray, design: Design) -> FloatArray:
    """Return values (N,) divided by the known standard errors; unchanged if none are known."""
    return values if design.standard_errors is None else values / design.standard_errors
