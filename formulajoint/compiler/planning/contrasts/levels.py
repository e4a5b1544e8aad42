"""``pairwise`` and the like: families of contrasts over the groups or over the levels of a factor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from formulajoint.arrays import FloatArray
from formulajoint.compiler.coefficients import Coefficient
from formulajoint.compiler.contrast_plans import FamilyPlan
from formulajoint.compiler.names import Names
from formulajoint.compiler.plan import Plan
from formulajoint.compiler.planning.contrasts.node_names import Shares, node_name, weights_variable
from formulajoint.compiler.planning.contrasts.response import check_weights, response_effects
from formulajoint.compiler.planning.contrasts.scale import RESPONSE, check_precision
from formulajoint.compiler.residual_sds import few_sigmas, sigma_of_groups
from formulajoint.contrasts.at_means import Added
from formulajoint.contrasts.cells import CellContrast, axis_of, cell_values, factors_of, simple
from formulajoint.contrasts.custom import FAMILIES
from formulajoint.contrasts.level_families import ContrastMatrix, LevelFamily, in_order
from formulajoint.contrasts.weights import Weights, level_weights, weights_of
from formulajoint.design.level_lookup import position_of
from formulajoint.design.references import Axis, compared
from formulajoint.design.values import refuse_alike
from formulajoint.design.varying import named
from formulajoint.errors import BugError, FormulaError
from formulajoint.spec.spec import ByPrecision, Given, LevelContrast

MOST_PAIRS = 300
"""At most this many entries in a pairwise table (25 groups have 300) unless ``most=`` allows more."""


def plan_families(
    plan: Plan, asked: LevelContrast, coefficients: Iterable[Coefficient], names: Names, shares: Shares
) -> Iterator[FamilyPlan]:
    """Yield the nodes of a family clause, one for each coefficient."""
    family = FAMILIES.find(asked.clause, plan.design.language)
    if family is None:
        raise BugError(f"no family of contrasts belongs to the clause `{asked.clause}`")
    for coefficient in coefficients:
        yield plan_family(plan, asked, family, coefficient, names, shares)


def plan_family(
    plan: Plan,
    asked: LevelContrast,
    family: LevelFamily,
    coefficient: Coefficient,
    names: Names,
    shares: Shares,
) -> FamilyPlan:
    """Return the node of a family clause for one coefficient.

    Raises
    ------
    FormulaError
        If there is nothing to compare, a level is unknown, or the table would be too long.
    """
    _check_categories(coefficient, asked)
    response = response_effects(plan, [coefficient], asked.scale)
    check_weights(asked.weights, asked.scale)
    if _compares_cells(coefficient, asked):
        return _plan_cells(plan, asked, family, coefficient, names)
    axis = compared(plan.design, coefficient.term, asked)
    weights = _weights(plan, asked, coefficient, axis) if asked.clause == "meandev" else None
    order, matrix = _matrix(asked, family, axis, weights)
    stem = coefficient.stem or coefficient.name
    name, sigma = node_name(asked, f"{stem}_{RESPONSE}" if response else stem, names), plan.spread
    entries = names.dim(f"{name.removeprefix(names.prefix)}_dim", matrix.labels)
    return FamilyPlan(
        name=name,
        dims=(entries, *coefficient.dims[: axis.place], *coefficient.dims[axis.place + 1 :]),
        text=asked.text,
        family=family,
        coefficient=coefficient,
        over=axis.name,
        levels=axis.levels,
        order=order,
        axis=axis.place,
        coding=axis.coding,
        matrix=matrix,
        weights=weights,
        weights_name=None if weights is None else weights_variable(weights, name, coefficient, names, shares),
        sigma=None if sigma is None else sigma.name,
        sigma_of_group=sigma_of_groups(plan) if weights is not None and weights.over_sigma else None,
        sigmas=few_sigmas(plan) if weights is not None and weights.products else None,
        response=response,
    )


def _check_categories(coefficient: Coefficient, asked: LevelContrast) -> None:
    """Raise a FormulaError unless coefficients of categories are compared over groups, as the clause says."""
    term, grouping = coefficient.term, coefficient.grouping
    over = "" if asked.over is None else named(asked.over.value)
    if not term.classes or (grouping is not None and over == grouping.name):
        return
    message = f"`{term.name}` has a coefficient for each category of `{term.factors[-1].name}`"
    name, labels = term.name, term.factors[-1].labels
    written = (label if label.isidentifier() else f'"{label}"' for label in labels[:2])
    pair = " - ".join(f"{name}[{label}]" for label in written)
    hint = f"compare two of them: `contrast({pair})`"
    if grouping is not None:
        hint = f"compare groups in each category: `{asked.clause}({name}, over={grouping.name})`"
    raise FormulaError(message, asked.span, hint)


def _compares_cells(coefficient: Coefficient, asked: LevelContrast) -> bool:
    """Return whether a clause compares the levels of several factors, and not groups."""
    factors = factors_of(coefficient.term)
    return len(factors) > 1 and (asked.over is None or named(asked.over.value) in factors)


def _plan_cells(
    plan: Plan, asked: LevelContrast, family: LevelFamily, coefficient: Coefficient, names: Names
) -> FamilyPlan:
    """Return the node of a family over the cells of an interaction, or over a factor in each cell of the others."""
    term, over = coefficient.term, None if asked.over is None else named(asked.over.value)
    if any(factor.curve for factor in term.factors):
        message = f"the cells of `{term.name}` differ by curves, not by numbers"
        raise FormulaError(message, asked.span, f"write `test({term.name} == 0)`: are the curves alike?")
    factors, axis = factors_of(term), axis_of(term, over)
    refuse_alike("cells", tuple(factors), axis.levels)
    weights = level_weights(plan.design, term, axis, asked.weights) if asked.clause == "meandev" else None
    order, matrix = _matrix(asked, family, axis, weights)
    by_name = {c.term.name: c for c in plan.mean.coefficients}
    added = tuple(
        Added(by_name[name].name, by_name[name].grouped, _flat(simple(values, matrix.weights, factors, over)))
        for name, values in cell_values(plan.design.predictor, term, asked.span).items()
    )
    rest = {name: levels for name, levels in factors.items() if over not in (None, name)}
    grouping = plan.design.predictor.grouping if any(other.grouped for other in added) else None
    name = node_name(asked, coefficient.stem or coefficient.name, names)
    return FamilyPlan(
        name=name,
        dims=(
            names.dim(f"{name.removeprefix(names.prefix)}_dim", matrix.labels),
            *(() if grouping is None else (names.group_dim(grouping),)),
            *(names.dim(f"{other}_levels", levels) for other, levels in rest.items()),
        ),
        text=asked.text,
        family=family,
        coefficient=coefficient,
        over=axis.name,
        levels=axis.levels,
        order=order,
        axis=axis.place,
        coding=None,
        matrix=matrix,
        weights=weights,
        cells=CellContrast(
            added, tuple(map(len, rest.values())), None if grouping is None else len(grouping)
        ),
    )


def _matrix(
    asked: LevelContrast, family: LevelFamily, axis: Axis, weights: Weights | None
) -> tuple[tuple[str, ...], ContrastMatrix]:
    """Return the levels in the order in which a family takes them, and its contrasts of them."""
    order = axis.order if family.ordered or family.brought else tuple(range(len(axis.levels)))
    matrix = in_order(partial(family.function, **_options(asked, axis, weights)), axis.levels, order)
    return tuple(axis.levels[place] for place in order), matrix


def _flat(array: FloatArray) -> FloatArray:
    return array.reshape((-1, array.shape[-1]))


def _options(asked: LevelContrast, axis: Axis, weights: Weights | None) -> dict[str, Any]:
    """Return the arguments of the family's function besides the levels: as written, or as the clause means them."""
    options = {name: given.value for name, given in asked.options.items()}
    match asked.clause:
        case "pairwise":
            _check_length(asked, axis)
            return {}
        case "reference" if "ref" in options:
            return {"ref": position_of(options["ref"], axis.levels, f"`{axis.name}`")}
        case "meandev" if weights is not None and weights.values.ndim == 1:
            return {"weights": weights.values}
        case "poly" if "degree" in options:
            _check_degree(asked.options["degree"], axis)
    return options


def _check_length(asked: LevelContrast, axis: Axis) -> None:
    most = asked.options.get("most")
    count = len(axis.levels) * (len(axis.levels) - 1) // 2
    if count > (MOST_PAIRS if most is None else most.value):
        raise FormulaError(
            f"`{axis.name}` has {len(axis.levels):,} levels, which make {count:,} pairs",
            asked.span if most is None else most.span,
            f"write `most={count}` if you want them all; `meandev` has one entry per level",
        )


def _check_degree(degree: Given[Any], axis: Axis) -> None:
    if degree.value >= len(axis.levels):
        message = (
            f"{len(axis.levels)} levels of `{axis.name}` have polynomials up to degree {len(axis.levels) - 1}"
        )
        raise FormulaError(message, degree.span, "choose a lower degree")


def _weights(plan: Plan, asked: LevelContrast, coefficient: Coefficient, axis: Axis) -> Weights:
    """Return the weights of the mean from which ``meandev`` takes deviations."""
    if not (coefficient.grouped and axis.place == 0):
        return level_weights(plan.design, coefficient.term, axis, asked.weights)
    if isinstance(asked.weights.value, ByPrecision):
        check_precision(plan, asked.weights.span)
    own_sigma, several = sigma_of_groups(plan) is not None, few_sigmas(plan) is not None
    return weights_of(
        plan.design, plan.data, coefficient.term, asked.weights, own_sigma, several_sigmas=several
    )
