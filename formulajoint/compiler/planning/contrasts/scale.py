"""``scale=`` and ``weights=precision``: the divisors of the groups' coefficients, and what they require of sigma."""

from __future__ import annotations

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.plan import Plan
from formulajoint.compiler.planning.response_units import group_sds
from formulajoint.compiler.residual_sds import few_sigmas, sigma_of_groups
from formulajoint.data.residual_cells import MOST_CELLS
from formulajoint.distributions.links import IDENTITY
from formulajoint.errors import FormulaError
from formulajoint.spans import Span
from formulajoint.spec.names import parts_of
from formulajoint.spec.spec import Given, PriorRequest, Scale

RESPONSE = "response"
"""The value of ``scale=`` for effects on the mean of the response."""


def check_precision(plan: Plan, at: Span) -> None:
    """Raise a FormulaError unless precision weights are the inverse sampling variances up to a factor."""
    if plan.design.standard_errors is not None:
        return
    _check_spread(plan, "weights=precision", at)
    if few_sigmas(plan) is not None:
        return
    if plan.spread is None:
        message = f"`weights=precision` needs at most {MOST_CELLS} residual sds, but predictors give sigma more values"
        raise FormulaError(message, at, "use other weights, or leave out the predictors of sigma")
    _check_one_each(plan, "weights=precision", at)


def scale_of(plan: Plan, asked: Given[Scale]) -> tuple[str, FloatArray | None]:
    """Return the kind of scale, and the divisor of each group if it is known beforehand."""
    grouping = plan.design.predictor.grouping
    assert grouping is not None
    match asked.value:
        case "none" | "response" as kind:
            return kind, None
        case "sigma":
            _check_sigma(plan, asked.span)
            return "sigma", None
        case "sd":
            _check_identity(plan, asked.span)
            return "sd", group_sds(plan.design, grouping, np.arange(len(grouping)))
        case number:
            return "number", np.full(len(grouping), number)


def _check_identity(plan: Plan, at: Span) -> None:
    """Raise a FormulaError if the mean has another link, so that coefficients are in no sds of the response."""
    if plan.mean.link is not IDENTITY:
        message = f"`scale=sd` divides by sds of the response, and coefficients are on the {plan.mean.link.name} scale"
        raise FormulaError(message, at, "leave it out")


def check_units(plan: Plan) -> None:
    """Raise a FormulaError if what is pooled in residual sds has no residual sd of each group."""
    for pool in plan.mean.pools:
        if pool.request.in_sds:
            _check_unit(plan, pool.request.span)
    for request in plan.design.spec.priors:
        if request.law.value.scale == "sigma":
            _check_unit(plan, request.law.span)
            _check_grouped(plan, request)


def _check_unit(plan: Plan, at: Span) -> None:
    """Raise a FormulaError unless all rows of a group have one residual sd, in the units of its coefficients."""
    _check_estimated(plan, at, "leave `scale=sigma` out", "leave `scale=sigma` out")
    if plan.mean.link is not IDENTITY:
        message = (
            f"with `scale=sigma` coefficients are in residual sds, but the link is {plan.mean.link.name}"
        )
        raise FormulaError(message, at, "leave `scale=sigma` out, or use the identity link")
    _check_one_each(plan, "scale=sigma", at)


def _check_grouped(plan: Plan, request: PriorRequest) -> None:
    """Raise a FormulaError if a prior in residual sds is of a coefficient that all groups share."""
    shared = [c for c in plan.mean.coefficients if not c.grouped and c.prior is not None and c.prior.in_sds]
    for coefficient in shared:
        if parts_of(request.target) == sorted(coefficient.term.parts):
            name = coefficient.term.name
            message = f"`scale=sigma` is for a coefficient in each group, but `{name}` has one for all rows"
            raise FormulaError(message, request.law.span, "write its prior in units of the response")


def _check_sigma(plan: Plan, at: Span) -> None:
    """Raise a FormulaError unless all rows of a group have one residual sd."""
    _check_estimated(plan, at, "leave it out, or use `scale=sd` or a number", "use `scale=sd`")
    _check_one_each(plan, "scale=sigma", at)


def _check_one_each(plan: Plan, option: str, at: Span) -> None:
    """Raise a FormulaError if rows of one group have several residual sds."""
    grouping, sigma = plan.design.predictor.grouping, plan.spread
    if sigma is not None and sigma.grouping is not None and sigma_of_groups(plan) is None:
        own = grouping.name if grouping else "group"
        raise FormulaError(
            f"`{option}` needs one residual sd per {own}, but some {own} has rows of several {sigma.grouping.name}s",
            at,
            f"write `sigma ~ 1 | {own}`",
        )


def _check_estimated(plan: Plan, at: Span, if_known: str, if_predicted: str) -> None:
    """Raise a FormulaError with advice unless a residual sd is estimated, without predictors other than groups."""
    if plan.design.standard_errors is not None:
        message = "`scale=sigma` divides by an estimated residual sd, but `se(...)` gives one per row"
        raise FormulaError(message, at, if_known)
    _check_spread(plan, "scale=sigma", at)
    if plan.spread is None:
        grouping = plan.design.predictor.grouping
        raise FormulaError(
            "`scale=sigma` needs one residual sd per group, but sigma has predictors",
            at,
            f"write `sigma ~ 1 | {grouping.name if grouping else 'group'}`, or {if_predicted}",
        )


def _check_spread(plan: Plan, option: str, at: Span) -> None:
    """Raise a FormulaError if the family has no residual sd."""
    if not plan.family.spread:
        message = f"`{option}` needs a residual sd, which the {plan.family.name} family does not have"
        raise FormulaError(message, at, "leave it out")
