"""The layout of a plan's columns: in which order they are taken out of the response."""

from __future__ import annotations

from formulajoint.compiler.coefficients import Coefficient
from formulajoint.compiler.plan import LinearPlan
from formulajoint.compiler.residual_sds import names_in_sds
from formulajoint.data.layout import Layout, Role, layout_of
from formulajoint.errors import BugError


def plan_layout(mean: LinearPlan) -> Layout:
    """Return the layout of a linear plan's columns."""
    return layout_of(_role(mean, coefficient) for coefficient in mean.coefficients)


def _role(mean: LinearPlan, coefficient: Coefficient) -> Role:
    member = mean.pooled.get(coefficient.name)
    prior = coefficient.prior if member is None else member.mean
    if prior is None:
        raise BugError(f"`{coefficient.name}` has neither a prior nor a hierarchy")
    width, in_sds = len(coefficient.term.scales), coefficient.name in names_in_sds(mean)
    return Role(width, coefficient.grouped, member is not None, prior, in_sds)
