"""Contrasts of a fit: their draws, computed from those of the coefficients. Nothing is fitted again."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.evaluate.contrast_nodes import (
    given_draws,
    node_dims,
    on_draws,
    share_draws,
    variable_dims,
)
from formulajoint.compiler.names import Names
from formulajoint.compiler.plan import Plan
from formulajoint.compiler.planning.contrasts.clauses import plan_contrasts
from formulajoint.design.notes import words_beside_columns
from formulajoint.errors import FormulaError, FormulaJointWarning, InferenceError
from formulajoint.inference.draws.kept import read_by_contrasts
from formulajoint.inference.draws.named import NamedDraws, by_chain, in_a_row, not_kept
from formulajoint.language.syntax.text import canonical
from formulajoint.language.vocabulary.default import present
from formulajoint.results.draws.posterior import Posterior
from formulajoint.spec.spec import Comparisons, Question

SEED = 0
"""Seed of uncertain shares that are not in the formula: the same contrast has the same draws."""


def with_contrast(posterior: Posterior, asked: Question) -> Posterior:
    """Return the posterior with the contrast nodes of a clause, and no other contrasts.

    Parameters
    ----------
    posterior : Posterior
    asked : Question

    Raises
    ------
    FormulaError, DataError
        As for the clause in a formula.
    InferenceError
        If it needs draws that were not kept.
    """
    plan = asked_plan(posterior.plan, asked)
    if plan.design.frame is not None:
        for note in words_beside_columns((asked,), plan.design.frame.frame.names):
            warnings.warn(note, FormulaJointWarning, stacklevel=4)
    for name in sorted(read_by_contrasts(plan) & posterior.named.left_out):
        raise InferenceError(not_kept(name))
    values = values_of(posterior, plan)
    drawn = {own.name: values[own.name] for own in plan.shares if own.name not in posterior.named.variables}
    return Posterior(
        plan, _with(posterior.named, plan, drawn | on_draws(plan.contrasts, values)), posterior.engine
    )


def asked_plan(plan: Plan, asked: Question) -> Plan:
    """Return the plan with the contrast nodes of a clause, and no other contrasts.

    Raises
    ------
    FormulaError, DataError
        As for the clause in a formula.
    """
    if isinstance(asked, Comparisons):
        text = ", ".join(map(canonical, asked.comparisons))
        raise FormulaError("`test` is not a contrast", asked.span, f'write fit.test("{text}")')
    plan = _without_contrasts(plan)
    names = Names.of(plan.variables, plan.coords)
    contrasts, shares = plan_contrasts(plan, (asked,), names)
    return replace(plan, contrasts=contrasts, shares=shares, coords=dict(names.coords))


def _without_contrasts(plan: Plan) -> Plan:
    """Return the plan without contrasts, their names free again, in the current language."""
    own = {name for c in plan.contrasts for name in (c.name, c.weights_name) if name is not None}
    kept = {shares.name for shares in plan.shares}
    design = replace(plan.design, language=present(plan.design.language))
    return replace(plan, design=design, contrasts=(), variables=plan.variables - (own - kept))


def values_of(posterior: Posterior, plan: Plan) -> dict[str, FloatArray]:
    """Return the draws of every variable that a contrast can read: its dims, then all draws in a row."""
    named = posterior.named
    count = named.shape[0] * named.shape[1]
    values = given_draws(plan, count)
    for name, dims in variable_dims(plan).items():
        if name in named.variables:
            values[name] = in_a_row(named.values(name, dims))
    missing = [shares for shares in plan.shares if shares.name not in named.variables]
    return values | share_draws(missing, count, np.random.default_rng(SEED))


def _with(named: NamedDraws, plan: Plan, found: Mapping[str, FloatArray]) -> NamedDraws:
    """Return the draws with further variables of the plan (..., S), all draws in a row."""
    dims = node_dims(plan)
    more = {name: (dims[name], by_chain(values, named.shape)) for name, values in found.items()}
    labels = {dim: np.array(plan.coords[dim], dtype=object) for name in found for dim in dims[name]}
    return replace(named, variables={**named.variables, **more}, coords={**named.coords, **labels})
