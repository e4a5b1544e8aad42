"""Contrasts asked of a fit: their draws, computed from those of the coefficients. Nothing is fitted again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from xarray import DataArray, DataTree

from formulajoint.compiler.contrast_nodes import given_draws, node_dims, on_draws, share_draws, variable_dims
from formulajoint.compiler.names import Names
from formulajoint.compiler.plan import Plan
from formulajoint.compiler.planning_contrasts import plan_contrasts
from formulajoint.design.schema import FloatArray
from formulajoint.language.default import present
from formulajoint.language.ir import Clause
from formulajoint.results.posterior import Posterior

SEED = 0
"""Uncertain shares that the formula has not are drawn from this seed: the same question has the same answer."""


def with_contrast(posterior: Posterior, clause: Clause, text: str) -> Posterior:
    """Return the posterior with the nodes that `clause` asks for, and no other contrasts.

    Parameters
    ----------
    posterior : Posterior
    clause : Clause
        A contrast clause.
    text : str
        What was written, into which errors point.

    Raises
    ------
    FormulaError, DataError
        As where the clause stands in the formula.
    """
    plan = _without_contrasts(posterior.plan, text)
    names = Names.of(plan.variables, plan.coords)
    contrasts, shares = plan_contrasts(plan, [clause], names)
    plan = replace(plan, contrasts=contrasts, shares=shares, coords=dict(names.coords))
    values = _values(posterior, plan)
    drawn = {name: values[name] for name in (own.name for own in shares) if name not in posterior.dataset}
    found = drawn | on_draws(contrasts, values)
    dims = node_dims(plan)
    variables = {name: _labelled(draws, dims[name], posterior, plan) for name, draws in found.items()}
    dataset = posterior.dataset.assign(variables)
    return Posterior(plan, DataTree.from_dict({"posterior": dataset}), posterior.engine)


def _without_contrasts(plan: Plan, text: str) -> Plan:
    """Return the plan with the names of its contrast nodes free again, the language of now, and errors in `text`."""
    own = {name for c in plan.contrasts for name in (c.name, c.weights_name) if name is not None}
    kept = {shares.name for shares in plan.shares}
    formula = replace(plan.design.formula, source=text)
    design = replace(plan.design, formula=formula, language=present(plan.design.language))
    return replace(plan, design=design, contrasts=(), variables=plan.variables - (own - kept))


def _values(posterior: Posterior, plan: Plan) -> dict[str, FloatArray]:
    """Return the draws of every variable that a contrast can read: its dims, then all draws in a row."""
    sizes = posterior.tree["posterior"].sizes
    count = sizes["chain"] * sizes["draw"]
    dataset = posterior.dataset
    values = given_draws(plan, count)
    for name, dims in variable_dims(plan).items():
        if name in dataset:
            ordered = dataset[name].transpose(*dims, "chain", "draw").to_numpy()
            values[name] = ordered.reshape((*ordered.shape[: len(dims)], count))
    missing = [shares for shares in plan.shares if shares.name not in dataset]
    return values | share_draws(missing, count, np.random.default_rng(SEED))


def _labelled(values: FloatArray, dims: tuple[str, ...], posterior: Posterior, plan: Plan) -> DataArray:
    """Return draws (..., S) as (chain, draw, ...) with the plan's coords."""
    sizes = posterior.tree["posterior"].sizes
    shape = (*values.shape[:-1], sizes["chain"], sizes["draw"])
    coords = {dim: list(plan.coords[dim]) for dim in dims}
    whole = DataArray(values.reshape(shape), dims=(*dims, "chain", "draw"), coords=coords)
    return whole.transpose("chain", "draw", *dims)
