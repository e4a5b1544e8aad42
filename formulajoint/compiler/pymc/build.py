"""Entry point: build a ``pm.Model`` from a plan."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from formulajoint.compiler.coefficients import Coefficient
from formulajoint.compiler.evaluate.contrast_nodes import (
    constants,
    node_dims,
    node_value,
    weights_over_sigma,
)
from formulajoint.compiler.evaluate.linear_predictor import parameters_at, reading
from formulajoint.compiler.evaluate.values import Values
from formulajoint.compiler.plan import LinearPlan, Plan, ScalePlan
from formulajoint.compiler.planning import defaults
from formulajoint.compiler.pymc.distributions import Variable, increasing, variable
from formulajoint.compiler.pymc.likelihood import observe, observe_cells, observe_sums
from formulajoint.compiler.pymc.likelihood_by_cells import alike
from formulajoint.compiler.pymc.likelihood_by_sums import by_sums, sums
from formulajoint.compiler.pymc.pooling import deviations, pooled_coefficients, pooled_scale
from formulajoint.compiler.residual_sds import names_in_sds, sigma_of_groups
from formulajoint.design.schema import Grouping
from formulajoint.errors import DataError
from formulajoint.families.likelihood import TRIALS


def build_model(plan: Plan, likelihood: str = "rows") -> pm.Model:
    """Return a new PyMC model of `plan`: named variables, dims and coords, with contrasts as deterministics."""
    with pm.Model() as model:
        add_to_model(plan, likelihood)
    return model


def add_to_model(plan: Plan, likelihood: str = "rows") -> dict[str, Variable]:
    """Add the variables of `plan` to the open model and return them by name.

    Parameters
    ----------
    plan : Plan
    likelihood : {"rows", "sums", "auto"}
        As for ``likelihood_by_sums.by_sums``: by rows the response is an observed variable, by sums a potential.

    Raises
    ------
    DataError
        If the model already has a dim or variable of the same name.
    InferenceError
        If `likelihood` is unknown, or "sums" does not apply to the model.
    """
    model = pm.modelcontext(None)
    before, through_sums = set(model.named_vars), by_sums(plan, likelihood)
    _add_coords(model, plan, () if through_sums else (plan.obs_dim,))
    scales: dict[str, Variable] = {}
    if names_in_sds(plan.mean) and plan.spread is not None:  # coefficients are computed from sigma
        scales[plan.spread.name] = _scale(plan.spread, plan)
    unit = _unit(plan, scales)
    values = [
        _coefficients(part, plan, unit)
        if isinstance(part, LinearPlan)
        else scales[part.name]
        if part.name in scales
        else _scale(part, plan)
        for part in plan.parameters
    ]
    _contrasts(plan)
    if through_sums and plan.family.sums:
        _observe_sums(plan, *values)
    elif through_sums:
        _observe_cells(plan)
    else:
        _observe_rows(plan, values)
    return {name: model.named_vars[name] for name in model.named_vars if name not in before}


def _add_coords(model: pm.Model, plan: Plan, of_rows: tuple[str, ...]) -> None:
    """Add the dims of `plan` to `model`, or raise a DataError if a name is already used otherwise."""
    rows = tuple(range(plan.design.rows.used))
    coords: dict[str, tuple[object, ...]] = {**plan.coords, **dict.fromkeys(of_rows, rows)}
    for name in sorted(plan.variables | coords.keys()):
        if name in model.named_vars or (name in model.coords and name in plan.variables):
            raise _taken("variable" if name in model.named_vars else "dim", name)
        if name in model.coords and tuple(model.coords[name] or ()) != coords[name]:
            raise _taken("dim", name, " with other labels")
    model.add_coords(coords)


def _taken(what: str, name: str, how: str = "") -> DataError:
    return DataError(
        f"The open model already has a {what} `{name}`{how}. "
        "Give this formula a prefix: `build(..., prefix='second')`."
    )


def _unit(plan: Plan, scales: dict[str, Variable]) -> Variable | None:
    """Return the residual sd of each group's rows, (G,), or of all, (), if coefficients are in units of it."""
    for sigma in scales.values():
        of = sigma_of_groups(plan)
        return sigma if of is None else sigma[of]
    return None


def _coefficients(part: LinearPlan, plan: Plan, unit: Variable | None) -> dict[str, Variable]:
    """Add the coefficients of one linear predictor, pooled or not, and return them by name."""
    scales = defaults.scales(plan.design, plan.family, part.predictor)
    out: dict[str, Variable] = {}
    for coefficient in part.coefficients:
        if coefficient.prior is not None:
            shape = tuple(len(plan.coords[dim]) for dim in coefficient.dims)
            start, own = np.zeros(shape), coefficient.prior
            if defaults.stands_for_intercept(coefficient.term, part.predictor):
                location = np.asarray(scales.of(coefficient.term, part.predictor).location)
                start += location.reshape(-1, *[1] * (len(shape) - 1)) if location.ndim else location
            if own.in_sds and unit is not None:
                own = own.rescaled(unit.reshape((-1, *[1] * (len(shape) - 1))) if unit.ndim else unit)
            out[coefficient.name] = variable(coefficient.name, own, coefficient.dims, shape, start)
    for pool in part.pools:
        out |= pooled_coefficients(pool, unit if pool.request.in_sds else None)
    for pool in part.varying:
        out |= pooled_coefficients(pool, means=out)
        out |= deviations(pool, out)
    return out


def _observe_rows(plan: Plan, values: Sequence[Variable]) -> None:
    """Add the likelihood of the response row by row."""
    design, count = plan.design, plan.design.rows.used
    if plan.family.mean.by_level:
        _observe_by_category(plan)
        return
    rows: dict[str, Variable] = {}  # each parameter of the likelihood at each row
    for part, value in zip(plan.parameters, values, strict=True):
        rows[part.parameter] = (
            part.link.inverse(pt, _rows(part, value, count))
            if isinstance(part, LinearPlan)
            else _spread_out(value, part.grouping)
        )
    if design.standard_errors is not None:
        rows[plan.family.spread] = pt.constant(design.standard_errors)
    if design.response.trials is not None:
        rows[TRIALS] = pt.constant(design.response.trials.astype(np.int64))
    observe(
        plan.response_name,
        plan.family,
        rows,
        design.response.values,
        design.row_weights,
        plan.obs_dim,
    )


def _observe_by_category(plan: Plan) -> None:
    """Add the likelihood of categories that have a predictor each."""
    design = plan.design
    parameters = parameters_at(plan, reading(plan).of_fit(), _values(plan), pt)
    y, weights = design.response.values, design.row_weights
    observe(plan.response_name, plan.family, parameters, y, weights, plan.obs_dim)


def _observe_cells(plan: Plan) -> None:
    """Add the likelihood of the different rows, each with its count."""
    found = alike(plan)
    assert found is not None  # any number of them
    parameters = parameters_at(plan, found.rows, _values(plan), pt)
    if found.rows.trials is not None:
        parameters[TRIALS] = pt.constant(found.rows.trials.astype(np.int64))
    observe_cells(plan.response_name, plan.family, parameters, found.y, found.weights)


def _observe_sums(plan: Plan, coefficients: dict[str, Variable], sigma: Variable) -> None:
    """Add the Gaussian likelihood through the sums over all rows."""
    found = sums(plan)
    moved = {name: value - found.reference[name] for name, value in coefficients.items()}
    observe_sums(plan.response_name, _rows(found.mean, moved, len(found.y)), sigma, found)


def _rows(part: LinearPlan, coefficients: dict[str, Variable], rows: int) -> Variable:
    """Return the linear predictor at each row, (N,)."""
    offset = part.predictor.offset
    total = pt.constant(np.zeros(rows) if offset is None else offset)
    for coefficient in part.coefficients:
        total = total + _contribution(coefficient, coefficients[coefficient.name])
    for term in (term for pool in part.varying for term in pool.terms):
        total = total + _contribution(term.coefficient, coefficients[term.deviation_name])
    return total


def _contribution(coefficient: Coefficient, value: Variable) -> Variable:
    columns, term = coefficient.term.columns, coefficient.term
    if coefficient.grouping is not None:
        value = value[coefficient.grouping.codes]  # (G, ...) -> (N, ...)
    if not term.factors:
        return value if np.all(columns == 1) else columns[:, 0] * value
    if coefficient.grouped:
        return (columns.reshape((-1, *term.shape)) * value).sum(axis=tuple(range(1, value.ndim)))
    return columns @ value.flatten()  # (N, k) @ (k,)


def _scale(part: ScalePlan, plan: Plan) -> Variable:
    if part.pool is not None:
        return pooled_scale(part)
    shape = tuple(len(plan.coords[dim]) for dim in part.dims)
    if part.between:
        return increasing(part.name, part.prior, part.dims, shape)
    start = np.full(shape, defaults.sd_of_response(plan.design, plan.family))
    return variable(part.name, part.prior, part.dims, shape, start, scale=True)


def _spread_out(scale: Variable, grouping: Grouping | None) -> Variable:
    return scale if grouping is None else scale[grouping.codes]


def _values(plan: Plan) -> Values:
    """Return the variables of the open model and constants, by name."""
    model = pm.modelcontext(None)
    given = {name: pt.as_tensor_variable(value) for name, value in constants(plan).items()}
    return Values(lambda name: given[name] if name in given else model.named_vars[name])


def _contrasts(plan: Plan) -> None:
    """Add the contrast nodes to the open model, and their weights if these differ from draw to draw."""
    values, dims = _values(plan), node_dims(plan)
    for shares in plan.shares:
        pm.Dirichlet(shares.name, shares.counts, dims=shares.dims)
    for contrast in plan.contrasts:
        if contrast.weights is not None and contrast.weights.over_sigma:
            name = str(contrast.weights_name)
            pm.Deterministic(name, weights_over_sigma(contrast, values), dims=dims[name])
        pm.Deterministic(contrast.name, node_value(contrast, values), dims=contrast.dims)
