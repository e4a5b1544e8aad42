"""New responses at the rows of the data, drawn from the posterior: what the model would have seen.

In NumPy from the plan, so that a saved fit needs no PyMC and no data to be checked against them.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from formulajoint.compiler.plan import LinearPlan, Plan, ScalePlan
from formulajoint.design.schema import FloatArray, IntArray
from formulajoint.errors import InferenceError
from formulajoint.results.posterior import Posterior


def replicates(posterior: Posterior, count: int, seed: int | None = None) -> FloatArray:
    """Return `count` sets of responses at the rows of the data, (count, N), each from another draw.

    Parameters
    ----------
    posterior : Posterior
    count : int
        At most the number of draws.
    seed : int, optional

    Raises
    ------
    InferenceError
        Where the family is not one of the language's own.
    """
    rng = np.random.default_rng(seed)
    chains, draws = posterior.named.shape
    total = chains * draws
    taken = rng.choice(total, size=min(count, total), replace=False)
    plan, rows = posterior.plan, posterior.plan.design.rows.used
    mean = _linear(posterior, plan.mean, taken)
    parameters = {_parameter(part): _values(posterior, part, taken, rows) for part in plan.parameters}
    if plan.design.standard_errors is not None:
        parameters["sigma"] = plan.design.standard_errors
    return mean + parameters["sigma"] * _noise(plan, parameters, rng, (len(taken), rows))


def _noise(
    plan: Plan, parameters: dict[str, FloatArray], rng: Generator, shape: tuple[int, int]
) -> FloatArray:
    match plan.family.name:
        case "gaussian":
            return rng.standard_normal(shape)
        case "student":
            return rng.standard_t(parameters["nu"], shape)
    raise InferenceError(f"Responses of the family `{plan.family.name}` cannot be replicated yet.")


def _parameter(part: LinearPlan | ScalePlan) -> str:
    return part.parameter if isinstance(part, ScalePlan) else part.predictor.parameter


def _values(posterior: Posterior, part: LinearPlan | ScalePlan, taken: IntArray, rows: int) -> FloatArray:
    """Return a family parameter at each row, (len(taken), N)."""
    if isinstance(part, LinearPlan):
        return np.exp(_linear(posterior, part, taken))
    if part.name not in posterior.named.variables:  # a constant is no variable
        return np.full((len(taken), rows), float(part.prior.args["value"]))
    values = _draws(posterior, part.name, part.dims, taken)
    codes = np.zeros(rows, dtype=np.int64) if part.grouping is None else part.grouping.codes
    return values.reshape((len(taken), -1))[:, codes]


def _linear(posterior: Posterior, part: LinearPlan, taken: IntArray) -> FloatArray:
    """Return a linear predictor at each row, (len(taken), N)."""
    rows = posterior.plan.design.rows.used
    total = np.zeros((len(taken), rows))
    if part.predictor.offset is not None:
        total += part.predictor.offset
    for coefficient in part.coefficients:
        columns = coefficient.term.columns
        if coefficient.name not in posterior.named.variables:
            value = 0.0 if coefficient.prior is None else coefficient.prior.args["value"]
            total += columns.sum(axis=1) * value
            continue
        values = _draws(posterior, coefficient.name, coefficient.dims, taken)
        if coefficient.grouped and part.predictor.grouping is not None:
            own = values.reshape((len(taken), len(part.predictor.grouping), -1))
            for k in range(columns.shape[1]):
                total += own[:, part.predictor.grouping.codes, k] * columns[:, k]
        else:
            total += values.reshape((len(taken), -1)) @ columns.T
    return total


def _draws(posterior: Posterior, name: str, dims: tuple[str, ...], taken: IntArray) -> FloatArray:
    """Return the draws numbered `taken`, chains one after another, (len(taken), ...)."""
    values = posterior.named.values(name, dims)
    return np.asarray(values.reshape((-1, *values.shape[2:]))[taken])
