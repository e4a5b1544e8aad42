"""``scale=response``: the column whose effects on the mean of the response a contrast takes, and what it compares."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.coefficients import Coefficient
from formulajoint.compiler.evaluate.column_values import variable_of
from formulajoint.compiler.evaluate.linear_predictor import members, parameters_of_mean, reading
from formulajoint.compiler.evaluate.response_effects import ResponseEffects
from formulajoint.compiler.names import Names
from formulajoint.compiler.plan import LinearPlan, Plan
from formulajoint.compiler.planning.contrasts.scale import RESPONSE
from formulajoint.contrasts.layout import layout
from formulajoint.design.recipes import Coded, Column, columns_read
from formulajoint.design.schema import Term
from formulajoint.design.varying import coefficients_of_groups
from formulajoint.errors import FormulaError
from formulajoint.spans import Span
from formulajoint.spec.spec import Average, ByPrecision, Given, Weighting
from formulajoint.wording import listed

if TYPE_CHECKING:  # SciPy, needed only for tests
    from formulajoint.contrasts.hypotheses import Hypothesis


def of_average(
    plan: Plan, asked: Average, coefficient: Coefficient, names: Names
) -> tuple[Coefficient, dict[str, ResponseEffects]]:
    """Return the coefficient of an average of effects on the response, with the groups' dim, and these effects.

    Raises
    ------
    FormulaError
        As by `response_effects`, or if weights or ``at=`` are not for such effects.
    """
    _check_alone(asked)
    check_weights(asked.weights, asked.scale)
    own = in_each_group(plan, coefficient, names)
    return own, response_effects(plan, [own], asked.scale)


def response_effects(
    plan: Plan, coefficients: Iterable[Coefficient], scale: Given[Any]
) -> dict[str, ResponseEffects]:
    """Return the effects on the response that stand in the place of coefficients, by name; none for another scale.

    Raises
    ------
    FormulaError
        If the response has no mean to average, the rows are not at hand, or a term is not one column.
    """
    if scale.value != RESPONSE:
        return {}
    _check_response(plan, scale.span)
    return {own.name: _effects(plan, own, scale.span) for own in coefficients}


def _check_alone(asked: Average) -> None:
    """Raise a FormulaError if effects on the response are asked at the means of other columns."""
    if asked.at is not None:
        message = "`scale=response` averages over the rows, each with its own values of the other columns"
        raise FormulaError(message, asked.at.span, "leave `at=` out")


def check_weights(weights: Given[Weighting], scale: Given[Any]) -> None:
    """Raise a FormulaError for precision weights of effects on the response."""
    if scale.value == RESPONSE and isinstance(weights.value, ByPrecision):
        message = (
            "precision weights are of coefficients; how precise an effect on the response is depends on its size, so "
            "such weights would differ by the effects that they average"
        )
        raise FormulaError(
            message, weights.span, "write `weights=n` or `weights=equal`, or leave `scale=response` out"
        )


def in_each_group(plan: Plan, coefficient: Coefficient, names: Names) -> Coefficient:
    """Return a coefficient with the groups' dim: its effect on the response differs by group, as the rows do."""
    grouping = plan.design.predictor.grouping
    if coefficient.grouped or grouping is None:
        return coefficient
    return replace(coefficient, grouping=grouping, dims=(names.group_dim(grouping), *coefficient.dims))


def check_test(plan: Plan, said: Hypothesis, scale: Given[Any]) -> None:
    """Raise a FormulaError if a test of effects on the response has no meaning.

    An order is about draws of the effects. Equalities need a prior and a posterior density of the effects, which are
    known only where an effect is zero exactly where its coefficient is.
    """
    if scale.value != RESPONSE:
        return
    if said.of_means:
        message = "the mean of a hierarchy is not the effect in any row, so it has no value on the response"
        raise FormulaError(message, scale.span, "name the groups' coefficients")
    tested = [c for c in plan.mean.coefficients if c.term.name in said.terms]
    effects = response_effects(plan, tested, scale)
    if said.order:
        return
    alone = [own for own in effects.values() if _is_alone(plan, own) and _of_pairs(own.differences)]
    single = np.all(np.diff(said.rows.indptr) == 1) and not np.any(said.null)
    if not single or len(alone) < len(effects):
        message = (
            "equalities of effects on the response are tested where each effect is zero exactly if its coefficient is: "
            f"`{said.terms[0]} == 0`, of a column that stands in one term"
        )
        varying = [own for term in said.terms for own in coefficients_of_groups(plan.design.predictor, term)]
        hint = "leave `scale=response` out, " + (
            f"or test the groups' effects: `{said.text}, over={varying[0]}, scale=response`"
            if varying and single
            else f"or write it as a contrast: `contrast({_first_row(plan, said)}, scale=response)`"
        )
        raise FormulaError(message, scale.span, hint)


def _first_row(plan: Plan, said: Hypothesis) -> str:
    """Return the first restriction of a hypothesis as written in a formula: ``x[A] - x[B]``."""
    names = [
        f"{block.term.name}[{', '.join(cell)}]" if cell else block.term.name
        for block in layout(plan.design)
        for cell in product(*block.dims.values())
    ]
    row = int(np.flatnonzero(np.diff(said.rows.indptr))[0])
    own = slice(*said.rows.indptr[row : row + 2])
    parts = sorted(zip(said.rows.data[own], said.rows.indices[own], strict=True), key=lambda part: -part[0])
    texts = [
        f"{'-' if weight < 0 else '+'} {'' if abs(weight) == 1 else f'{abs(weight):g} * '}{names[place]}"
        for weight, place in parts
    ]
    return " ".join(texts).removeprefix("+ ")


def _is_alone(plan: Plan, effects: ResponseEffects) -> bool:
    """Return whether a column moves the mean of the response through one coefficient a row and value."""
    parts = [part for part in parameters_of_mean(plan) if isinstance(part, LinearPlan)]
    in_terms = sum(effects.column in c.term.variables for part in parts for _, c in members(part))
    offsets = (part.predictor.recipe for part in parts if part.predictor.recipe is not None)
    return in_terms == 1 and not any(effects.column in columns_read(recipe) for recipe in offsets)


def _of_pairs(differences: FloatArray) -> bool:
    """Return whether each effect is the difference of two levels."""
    signs = np.sort(differences, axis=1)
    return bool(
        np.allclose(signs[:, 0], -1) and np.allclose(signs[:, -1], 1) and np.allclose(signs[:, 1:-1], 0)
    )


def _check_response(plan: Plan, at: Span) -> None:
    if plan.family.categories:
        hint = "`fit.comparisons(...)` has the probability of each category; `family(bernoulli)` models one of them"
        raise FormulaError("the response has categories, whose numbers have no mean", at, hint)
    if plan.design.kept is None:
        message = "`scale=response` averages over the rows, which this fit does not hold"
        raise FormulaError(
            message, at, "fit the rows themselves, or write `fit.comparisons(..., new_data=rows)`"
        )


def _effects(plan: Plan, coefficient: Coefficient, at: Span) -> ResponseEffects:
    term = coefficient.term
    column = _column(plan, term, at)
    factor = term.factors[0] if term.factors else None
    found = variable_of(plan, column)
    values: tuple[Any, ...] = factor.levels if factor is not None else found.levels or (0.0, 1.0)
    coding = np.array([[0.0], [1.0]]) if factor is None or factor.coding is None else factor.coding
    return ResponseEffects(
        plan=plan,
        column=column,
        values=values,
        steps=factor is None and not found.levels,
        differences=_differences(coding),
        shape=term.shape,
        grouping=coefficient.grouping,
    )


def _differences(coding: FloatArray) -> FloatArray:
    """Return what a factor's coefficients are of the means of its levels, (c, k), given its coding (k, c)."""
    levels, columns = coding.shape
    if levels == columns:
        return np.asarray(np.linalg.inv(coding))
    return np.asarray(np.linalg.inv(np.column_stack([np.ones(levels), coding]))[1:])


def _column(plan: Plan, term: Term, at: Span) -> str:
    """Return the one column that a term is, or raise a FormulaError."""
    if not term.parts:
        message = "the intercept compares nothing, so it has no effect on the response"
        raise FormulaError(message, at, "`fit.means(by=...)` has means of the response")
    if len(term.parts) > 1:
        first = term.variables[0]
        message = f"`{term.name}` is an interaction, and an effect on the response is that of one column"
        hint = f"name the column, such as `{first}`: the other columns stay as they are in each row"
        raise FormulaError(message, at, hint)
    recipe = term.recipe
    parts = () if recipe is None else (*recipe.numbers, *(part for piece in recipe.pieces for part in piece))
    if len(term.variables) != 1 or not all(isinstance(part, Column | Coded) for part in parts):
        read = term.variables[0] if term.variables else term.name
        message = f"`{term.name}` is a function of columns, and an effect on the response is that of a column"
        hint = f"""`fit.comparisons("{read}")` compares values of the column, `fit.slopes("{read}")` has derivatives"""
        raise FormulaError(message, at, hint)
    (column,) = term.variables
    made = [g.name for g in reading(plan, response=False).groupings if column in g.variables]
    if made:
        message = f"`{column}` makes the groups of {listed(made)}, so no row could have another value of it"
        raise FormulaError(message, at, "compare a column that varies within the groups")
    return column
