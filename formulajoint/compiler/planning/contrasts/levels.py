"""``pairwise`` and the like: families of contrasts over the groups or over the levels of a factor."""

from __future__ import annotations

from functools import partial
from typing import Any

from formulajoint.compiler.names import Names
from formulajoint.compiler.plan import Coefficient, FamilyPlan, Plan
from formulajoint.compiler.planning.contrasts.node_names import Shares, node_name, weights_variable
from formulajoint.compiler.planning.contrasts.scale import check_precision, sigma_by_group
from formulajoint.contrasts.custom import ContrastFamily
from formulajoint.contrasts.level_families import FAMILIES, ORDERED, ContrastMatrix, in_order
from formulajoint.contrasts.weights import Weights, level_weights, weights_of
from formulajoint.design.level_lookup import position_of
from formulajoint.design.references import Axis, compared
from formulajoint.errors import FormulaError
from formulajoint.language.syntax.constants import constant
from formulajoint.language.syntax.levels import level_of
from formulajoint.language.syntax.nodes import Call, Expr, Name
from formulajoint.language.syntax.text import canonical
from formulajoint.language.vocabulary.options import given_options

MOST_PAIRS = 300
"""At most this many entries in a pairwise table (25 groups have 300) unless ``most=`` allows more."""


def plan_family(plan: Plan, call: Call, coefficient: Coefficient, names: Names, shares: Shares) -> FamilyPlan:
    """Return the node of a family clause for one coefficient.

    Raises
    ------
    FormulaError
        If there is nothing to compare, a level is unknown, or the table would be too long.
    """
    axis = compared(plan.design, coefficient.term, call)
    weights = _weights(plan, call, coefficient, axis) if call.name == "meandev" else None
    order = _order(plan, call, axis)
    matrix = _matrix(plan, call, axis, order, weights)
    name, sigma = node_name(call, coefficient.name, names), plan.scale("sigma")
    entries = names.dim(f"{name.removeprefix(names.prefix)}_dim", matrix.labels)
    return FamilyPlan(
        name=name,
        dims=(entries, *coefficient.dims[: axis.place], *coefficient.dims[axis.place + 1 :]),
        text=canonical(call),
        family=call.name,
        coefficient=coefficient,
        over=axis.name,
        levels=axis.levels,
        order=tuple(axis.levels[place] for place in order),
        axis=axis.place,
        coding=axis.coding,
        matrix=matrix,
        weights=weights,
        weights_name=None if weights is None else weights_variable(weights, name, coefficient, names, shares),
        sigma=None if sigma is None else sigma.name,
    )


def _order(plan: Plan, call: Call, axis: Axis) -> tuple[int, ...]:
    """Return the positions of the levels in the order the family takes them; extensions' families get natural order."""
    brought = isinstance(plan.design.language.meaning("clause", call.name), ContrastFamily)
    return axis.order if brought or call.name in ORDERED else tuple(range(len(axis.levels)))


def _matrix(
    plan: Plan, call: Call, axis: Axis, order: tuple[int, ...], weights: Weights | None
) -> ContrastMatrix:
    brought = plan.design.language.meaning("clause", call.name)
    if isinstance(brought, ContrastFamily):
        options = given_options(call, brought.options)
        return in_order(partial(brought.matrix, options=options), axis.levels, order)
    return in_order(partial(FAMILIES[call.name], **_options(call, axis, weights)), axis.levels, order)


def _options(call: Call, axis: Axis, weights: Weights | None) -> dict[str, Any]:
    """Return the arguments of the family's function besides the levels."""
    match call.name:
        case "pairwise":
            _check_length(call, axis)
        case "reference":
            level = level_of(call.keyword("ref") or Name(""))
            if level is not None and level.text:
                return {"ref": position_of(level, axis.levels, f"`{axis.name}`")}
        case "meandev" if weights is not None and weights.values.ndim == 1:
            return {"weights": weights.values}
        case "poly":
            return _degree(call.keyword("degree"), axis)
    return {}


def _check_length(call: Call, axis: Axis) -> None:
    most = call.keyword("most")
    count = len(axis.levels) * (len(axis.levels) - 1) // 2
    if count > (MOST_PAIRS if most is None else constant(most)):
        raise FormulaError(
            f"`{axis.name}` has {len(axis.levels):,} levels, which make {count:,} pairs",
            call.span if most is None else most.span,
            f"write `most={count}` if you want them all; `meandev` has one entry a level",
        )


def _degree(value: Expr | None, axis: Axis) -> dict[str, int]:
    if value is None:
        return {}
    degree = int(constant(value))
    if degree >= len(axis.levels):
        message = (
            f"{len(axis.levels)} levels of `{axis.name}` have polynomials up to degree {len(axis.levels) - 1}"
        )
        raise FormulaError(message, value.span, "choose a lower degree")
    return {"degree": degree}


def _weights(plan: Plan, call: Call, coefficient: Coefficient, axis: Axis) -> Weights:
    """Return the weights of the mean from which ``meandev`` takes deviations."""
    value = call.keyword("weights")
    if not (coefficient.grouped and axis.place == 0):
        return level_weights(plan.design, coefficient.term, axis, value)
    if isinstance(value, Name) and value.id == "precision" and not value.quoted:
        check_precision(plan, "none", value)
    return weights_of(plan.design, coefficient.term, value, own_sigma=sigma_by_group(plan))
