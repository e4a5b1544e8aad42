"""Evaluate linear predictors and parameters at rows, in the model and on draws.

One definition works on PyTensor variables with the plan's dims, and on draws, NumPy arrays with the axis of draws last:
it uses only operators, indexing and methods that both have.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.compiler.coefficients import Coefficient
from formulajoint.compiler.evaluate.values import Values
from formulajoint.compiler.plan import LinearPlan, ParameterPlan, Plan
from formulajoint.design.model_rows import ModelRows, Reading
from formulajoint.design.schema import Grouping, Term
from formulajoint.families.likelihood import TRIALS


def members(part: LinearPlan) -> Iterator[tuple[str, Coefficient]]:
    """Yield the coefficients that a linear predictor adds up, each with the variable that it is added from."""
    yield from ((coefficient.name, coefficient) for coefficient in part.coefficients)
    yield from ((term.deviation_name, term.coefficient) for pool in part.varying for term in pool.terms)


def parameters_of_mean(plan: Plan) -> tuple[ParameterPlan, ...]:
    """Return the parameters of the likelihood that the mean of the response depends on."""
    return plan.parameters if plan.family.has_own_mean else (plan.mean,)


def reading(plan: Plan, response: bool = True) -> Reading:
    """Return what the mean of the response reads of rows; with `response`, what a new response reads, too."""
    whole = response or plan.family.has_own_mean
    terms: dict[Term, None] = {}
    groupings: dict[Grouping, None] = {}
    parts = plan.parameters if response else parameters_of_mean(plan)
    for part in parts:
        own = members(part) if isinstance(part, LinearPlan) else ()
        for _, coefficient in own:
            terms[coefficient.term] = None
            groupings |= {} if coefficient.grouping is None else {coefficient.grouping: None}
        if not isinstance(part, LinearPlan) and part.grouping is not None:
            groupings[part.grouping] = None
    predictors = tuple(part.predictor for part in parts if isinstance(part, LinearPlan))
    return Reading(plan.design, tuple(terms), tuple(groupings), predictors, whole)


def parameters_at(plan: Plan, rows: ModelRows, values: Values, xp: Any) -> dict[str, Any]:
    """Return the parameters of the likelihood at each row by name, (N,) and the axis of draws if `values` have one.

    A parameter that is the same in all rows has length one in place of N, in the model none. `xp` has the functions of
    links: `NUMPY` or ``pytensor.tensor``.
    """
    out = {part.parameter: _parameter(part, rows, values, xp) for part in plan.parameters}
    for name, known in ((plan.family.spread, rows.standard_errors), (TRIALS, rows.trials)):
        if known is not None:
            out[name] = values.fixed(known, 1)
    return out


def mean_at(plan: Plan, rows: ModelRows, values: Values, xp: Any) -> Any:
    """Return the mean of the response at each row, as `parameters_at`.

    Of successes among trials it is their share; where the response has no mean, ``mu``.
    """
    if plan.family.expected is None:
        return plan.mean.link.inverse(xp, linear_at(plan.mean, rows, values))
    return plan.family.expected(xp, parameters_at(plan, rows, values, xp))


def _parameter(part: ParameterPlan, rows: ModelRows, values: Values, xp: Any) -> Any:
    if isinstance(part, LinearPlan):
        return part.link.inverse(xp, linear_at(part, rows, values))
    value = values.of(part.name)
    if part.grouping is not None:
        return value[rows.groups[part.grouping].codes]
    return value[None] if values.sampled else value


def linear_at(part: LinearPlan, rows: ModelRows, values: Values) -> Any:
    """Return a linear predictor at each row, (N,) and the axis of draws if `values` have one."""
    offset, classes = rows.offsets.get(part.parameter), _classes(part)
    start = np.zeros(len(rows)) if offset is None else offset
    total: Any = values.fixed(start, 1)
    if classes:  # (N, categories)
        total = values.fixed(np.repeat(start[:, None], classes, axis=1), 2)
    for name, coefficient in members(part):
        codes = None if coefficient.grouping is None else rows.groups[coefficient.grouping].codes
        columns = rows.columns[coefficient.term]
        total = total + (
            _by_category(columns[:, ::classes], values.of(name), codes, values, classes)
            if classes
            else _contribution(columns, values.of(name), codes, values)
        )
    return total


def _classes(part: LinearPlan) -> int:
    """Return how many categories of the response have a predictor each; 0 where there is one predictor."""
    return max((coefficient.term.classes for _, coefficient in members(part)), default=0)


def _by_category(
    columns: FloatArray, value: Any, codes: IntArray | None, values: Values, classes: int
) -> Any:
    """Return columns (N, k) times the coefficients of each category, (N, categories)."""
    draws, width = (-1,) if values.sampled else (), columns.shape[1]
    own = value.reshape((*(value.shape[:1] if codes is not None else ()), width, classes, *draws))
    total: Any = 0.0
    for k in range(width):
        each = own[k][None] if codes is None else own[:, k][codes]
        column = columns[:, k][(slice(None), None, *(None for _ in draws))]
        total = total + column * each
    return total


def _contribution(columns: FloatArray, value: Any, codes: IntArray | None, values: Values) -> Any:
    """Return columns (N, k) times the coefficients of one term, those of each row's group if there are `codes`."""
    draws = (-1,) if values.sampled else ()
    width = columns.shape[1]
    if codes is None:
        own = value.reshape((width, *draws))
        # NumPy's product of matrices is slow where there is one column
        return columns * own if width == 1 and values.sampled else columns @ own
    own = value.reshape((value.shape[0], width, *draws))
    total: Any = 0.0
    for k in range(width):
        each = own[:, k][codes]
        total = total + (each if np.all(columns[:, k] == 1) else values.fixed(columns[:, k], 1) * each)
    return total
