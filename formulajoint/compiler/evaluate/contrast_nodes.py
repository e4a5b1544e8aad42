"""Evaluate a contrast node from the values of the model's variables.

One definition works in the model, on PyTensor variables with the plan's dims, and on draws, NumPy arrays with the axis
of draws last: it uses only operators, indexing and methods that both have.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from functools import partial, reduce
from math import prod
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.contrast_plans import (
    ArithmeticPlan,
    AveragePlan,
    Cells,
    ContrastPlan,
    FamilyPlan,
    SharesPlan,
    Sigmas,
)
from formulajoint.compiler.evaluate.values import Values, widened
from formulajoint.compiler.plan import Plan, ScalePlan
from formulajoint.contrasts.at_means import Added
from formulajoint.contrasts.averages import joint
from formulajoint.contrasts.precision import precision
from formulajoint.contrasts.weights import Weights
from formulajoint.errors import BugError
from formulajoint.language.syntax.nodes import Chain, Expr, Number, Unary
from formulajoint.language.syntax.text import canonical
from formulajoint.language.vocabulary.options import called

if TYPE_CHECKING:
    from formulajoint.contrasts.cells import CellContrast

PIECE = 2**17
"""Most numbers of the draws for which a contrast is computed at once."""


def node_value(contrast: ContrastPlan, values: Values) -> Any:
    """Return the value of a contrast node: its dims, then the axis of draws if `values` have one."""
    match contrast:
        case AveragePlan():
            return _average(contrast, values)
        case FamilyPlan():
            return _family(contrast, _seen(contrast, values))
        case ArithmeticPlan():
            return _evaluated(contrast.expr, contrast.cells, _seen(contrast, values))


def _seen(contrast: ContrastPlan, values: Values) -> Values:
    """Return the values that a contrast reads: effects on the response stand in the place of coefficients, if asked."""
    if not contrast.response:
        return values
    from formulajoint.compiler.evaluate.response_effects import on_response

    return on_response(contrast.response, values)


def on_draws(contrasts: Iterable[ContrastPlan], values: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Return the nodes of `contrasts`, and their weights if these depend on sigma, from draws of their inputs.

    Parameters
    ----------
    contrasts : iterable of ContrastPlan
    values : mapping of str to (..., S) array
        Each variable that they read, constants and uncertain shares included: its dims, then S draws.

    Returns
    -------
    mapping of str to (..., S) array
    """
    known = dict(values)
    found: dict[str, FloatArray] = {}
    source = Values(known.__getitem__, sampled=True)
    for contrast in contrasts:
        name = contrast.weights_name
        if contrast.weights is not None and contrast.weights.over_sigma and name is not None:
            known[name] = found[name] = weights_over_sigma(contrast, source)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # the diagnostics report these
            found[contrast.name] = node_value(contrast, source)
    return found


def given_draws(plan: Plan, count: int) -> dict[str, FloatArray]:
    """Return the variables in `constants` repeated over `count` draws, (..., count), for `on_draws`."""
    return {
        name: np.broadcast_to(value[..., None], (*value.shape, count))
        for name, value in constants(plan).items()
    }


def share_draws(shares: Iterable[SharesPlan], count: int, rng: np.random.Generator) -> dict[str, FloatArray]:
    """Return draws (G, count) of uncertain shares; they are independent of the data."""
    return {own.name: rng.dirichlet(own.counts, size=count).T for own in shares}


def weights_over_sigma(contrast: AveragePlan | FamilyPlan, values: Values) -> Any:
    """Return the precision weights if sigma differs by group: divided by sigma_g^2, summing to one over groups."""
    assert contrast.weights is not None  # as planned
    rank = contrast.weights.values.ndim
    if contrast.sigmas is not None:
        raw = _precisions(contrast.weights, contrast.sigmas, values)
        return raw / raw.sum(axis=0)
    assert contrast.sigma is not None
    raw = values.fixed(contrast.weights.values, rank) / _sigma(contrast, contrast.sigma, values, rank) ** 2
    return raw / raw.sum(axis=0)


def _precisions(weights: Weights, sigmas: Sigmas, values: Values) -> Any:
    """Return the precisions of the groups' coefficients where rows of a group have several residual sds."""
    found: Any = sigmas.offset[:, None]
    for name, columns in sigmas.parts:
        found = found + columns @ values.of(name).reshape(
            (columns.shape[1], -1)
        )  # (A, S), S is 1 without draws
    inverse = [(np.e ** (-2 * found[a]) if sigmas.log else found[a] ** -2) for a in range(len(sigmas.offset))]
    total: Any = 0.0
    for j, own in enumerate(weights.products):
        one = precision(own, inverse, lambda numbers: numbers[:, None])  # (G, S)
        unit = np.arange(len(weights.products)) == j
        total = total + one[:, None] * unit[None, :, None]  # (G, k, S)
    draws = (-1,) if values.sampled else ()
    return total.reshape((*weights.values.shape, *draws))


def variable_dims(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Return the dims of every variable that a contrast can read."""
    out: dict[str, tuple[str, ...]] = {shares.name: shares.dims for shares in plan.shares}
    for part in plan.parameters:
        if isinstance(part, ScalePlan):
            out[part.name] = part.dims
            continue
        out |= {c.name: c.dims for c in part.coefficients}
        pools = (*part.pools, *part.varying)
        out |= {t.coefficient.name: t.coefficient.dims for pool in pools for t in pool.terms}
        out |= {name: t.dims for pool in pools for t in pool.terms for name in (t.mean_name, t.sd_name)}
        out |= {t.deviation_name: t.coefficient.dims for pool in part.varying for t in pool.terms}
    return {name: dims for name, dims in out.items() if name}


def node_dims(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Return the dims of the contrast nodes, and of their weights if these differ from draw to draw."""
    out: dict[str, tuple[str, ...]] = {shares.name: shares.dims for shares in plan.shares}
    for contrast in plan.contrasts:
        out[contrast.name] = contrast.dims
        if contrast.weights is not None and contrast.weights_name is not None:
            out[contrast.weights_name] = contrast.coefficient.dims[: contrast.weights.values.ndim]
    return out


def constants(plan: Plan) -> dict[str, FloatArray]:
    """Return the values of variables fixed by ``constant(...)``, which are not in the posterior."""
    dims, priors = variable_dims(plan), dict(plan.priors)
    return {
        name: np.full(tuple(len(plan.coords[dim]) for dim in dims[name]), prior.constant)
        for name, prior in priors.items()
        if prior.constant is not None and name in dims
    }


def averaged(contrast: AveragePlan, values: Values) -> Any:
    """Return the effects that an average is of: at the means of other columns, or divided by its scale, if asked."""
    rank = len(contrast.coefficient.dims)
    effects = _seen(contrast, values).of(contrast.coefficient.name)
    for other in () if contrast.at is None else contrast.at.added:
        effects = effects + _added(other, effects, values)
    if contrast.divisors is not None:
        effects = effects / values.fixed(contrast.divisors, rank)
    if contrast.sigma is not None and contrast.scale == "sigma":
        effects = effects / _sigma(contrast, contrast.sigma, values, rank)
    return effects


def _sigma(contrast: AveragePlan | FamilyPlan, name: str, values: Values, rank: int) -> Any:
    """Return the residual sd, or that of each group, shaped to divide a coefficient of `rank` dims."""
    if contrast.sigma_of_group is None:
        return values.along(name, 0, rank)
    return widened(values.of(name)[contrast.sigma_of_group], 1, rank)


def _average(contrast: AveragePlan, values: Values) -> Any:
    rank, effects = len(contrast.coefficient.dims), averaged(contrast, values)
    weights = _weights(contrast.weights, contrast.weights_name, values, rank)
    if values.sampled and not contrast.function.plain:
        from formulajoint.compiler.evaluate.pytensor_graph import on_each_draw  # loads PyTensor: seconds

        function = partial(contrast.function.function, **contrast.options)
        return called(contrast.function.whose, on_each_draw, function, effects, weights)
    function = partial(contrast.function.function, **contrast.options)
    return _in_pieces(function, effects, weights) if values.sampled else function(effects, weights)


def _in_pieces(function: Callable[..., Any], effects: FloatArray, weights: FloatArray) -> FloatArray:
    """Return a function of effects and weights, some draws at a time: an array as large as all takes long to make."""
    draws = effects.shape[-1]
    step = max(1, PIECE * draws // max(effects.size, 1))
    pieces = [slice(start, start + step) for start in range(0, draws, step)]
    if len(pieces) < 2:
        return np.asarray(function(effects, weights))
    own = weights.shape[-1] == draws
    return np.concatenate(
        [function(effects[..., some], weights[..., some] if own else weights) for some in pieces], axis=-1
    )


def _added(other: Added, effects: Any, values: Values) -> Any:
    """Return what another term adds to `effects` (G, ...); the groups' axis has length one if it is the same in all."""
    groups = effects.shape[0] if other.grouped else 1
    found = _times(other, groups, values).transpose((1, 0, 2))  # (G, k, S)
    return found.reshape((groups, *(effects.shape[axis] for axis in range(1, effects.ndim))))


def _times(other: Added, groups: Any, values: Values) -> Any:
    """Return the matrix of `other` times its coefficients in each of `groups`, (k, groups, S); S is 1 without draws."""
    k, m = other.matrix.shape
    columns = values.of(other.variable).reshape((groups, m, -1)).transpose((1, 0, 2)).reshape((m, -1))
    return (other.matrix @ columns).reshape((k, groups, -1))


def _weights(weights: Weights, variable: str | None, values: Values, rank: int) -> Any:
    """Return weights shaped to multiply a coefficient of `rank` dims."""
    if variable is None:
        return values.fixed(weights.values, rank)
    return values.along(variable, weights.values.ndim, rank)


def _cells(entries: int, cells: CellContrast, values: Values) -> Any:
    """Return contrasts of cells: the entries, the groups if there are any, then the other factors."""
    total: Any = 0.0
    draws = (-1,) if values.sampled else ()
    for other in cells.added:
        groups = cells.groups if other.grouped and cells.groups is not None else 1
        total = total + _times(other, groups, values).reshape((entries, prod(cells.rest), groups, *draws))
    grouped = () if cells.groups is None else (cells.groups,)
    axes = (0, 2, 1, 3) if values.sampled else (0, 2, 1)
    return total.transpose(axes).reshape((entries, *grouped, *cells.rest, *draws))


def _family(contrast: FamilyPlan, values: Values) -> Any:
    if contrast.cells is not None:
        return _cells(len(contrast.matrix.labels), contrast.cells, values)
    rank, effects = len(contrast.coefficient.dims), values.of(contrast.coefficient.name)
    others = [axis for axis in range(effects.ndim) if axis != contrast.axis]
    levels = effects.transpose((contrast.axis, *others))  # the compared axis comes first
    if contrast.weights is not None and contrast.weights_differ:
        return levels - joint(levels, _weights(contrast.weights, contrast.weights_name, values, rank))
    matrix = contrast.matrix.weights
    if contrast.coding is not None:
        matrix = matrix @ contrast.coding  # (m, k) @ (k, c)
    if levels.ndim == 1:
        return matrix @ levels
    rest = tuple(levels.shape[axis] for axis in range(1, levels.ndim))
    return (matrix @ levels.reshape((matrix.shape[1], -1))).reshape((len(matrix), *rest))


# --- arithmetic


def _evaluated(expr: Expr, cells: Mapping[Expr, Cells], values: Values) -> Any:
    if expr in cells:
        return _taken(cells[expr], values)
    match expr:
        case Number():
            return expr.value
        case Unary(operator=sign, operand=operand):
            value = _evaluated(operand, cells, values)
            return -value if sign == "-" else value
        case Chain():
            return _folded(expr, [_evaluated(operand, cells, values) for operand in expr.operands])
    raise BugError(f"`{canonical(expr)}` stands in arithmetic of coefficients")


def _taken(cells: Cells, values: Values) -> Any:
    value = values.of(cells.variable)
    behind = range(len(cells.order), value.ndim)  # the axis of draws stays last
    return value.transpose((*cells.order, *behind))[cells.index]


def _folded(chain: Chain, operands: list[Any]) -> Any:
    if chain.operators[0] == "^":
        return reduce(lambda exponent, base: base**exponent, reversed(operands))
    total = operands[0]
    for symbol, value in zip(chain.operators, operands[1:], strict=True):
        total = OPERATIONS[symbol](total, value)
    return total


OPERATIONS: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
)
