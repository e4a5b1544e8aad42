"""Weights of the groups in averages of effects: those of the language's ``weights=``, as numbers or by draw."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.evaluate.linear_predictor import members
from formulajoint.compiler.over import only_factor, plan_over
from formulajoint.compiler.plan import Plan
from formulajoint.compiler.planning.contrasts.scale import check_precision
from formulajoint.compiler.residual_sds import few_sigmas, sigma_of_groups
from formulajoint.contrasts.weights import weights_of
from formulajoint.design.schema import Grouping, Term
from formulajoint.errors import FormulaError, InferenceError
from formulajoint.results.draws.posterior import Posterior
from formulajoint.spans import Span
from formulajoint.spec.read import parse_clause
from formulajoint.spec.spec import Average, ByPrecision
from formulajoint.wording import listed

CLAUSE = "joint("
"""The clause in which weights are read stands before them."""


@dataclass(frozen=True, slots=True, eq=False)
class GroupWeights:
    """The groups, and the weight of each: (G, 1), or (G, S) where weights differ by draw."""

    grouping: Grouping
    values: FloatArray


def group_weights(
    posterior: Posterior, text: str, over: str | None, variable: str, rng: np.random.Generator
) -> GroupWeights:
    """Return the weights of the groups that ``weights=`` asks for.

    Parameters
    ----------
    posterior : Posterior
    text : str
        As in formulas: ``equal``, ``sum(size)``, ``dirichlet(n)``.
    over : str or None
        The factor of a group term over whose groups is averaged; None for those right of the bar, or the only factor.
    variable : str
        Whose effect is averaged, for precision weights.
    rng : Generator
        For uncertain weights.

    Raises
    ------
    InferenceError
        If there are no such groups, or no such weights.
    FormulaError, DataError
        As for the clause in a formula.
    """
    factor = only_factor(posterior.plan) if over is None else over
    known = posterior.plan.design.predictor.by_factor
    bar = posterior.plan.design.predictor.grouping
    if factor and bar is not None and factor == bar.name:
        factor = ""
    if factor and (bar is not None or factor not in known):
        raise InferenceError(f"Coefficients do not differ over `{factor}`: {_groups(posterior.plan)}")
    plan = plan_over(posterior.plan, factor)
    grouping = plan.design.predictor.grouping
    if grouping is None:
        raise InferenceError(
            f"`weights={text}` weights groups, and `over=` says which: {_groups(posterior.plan)}"
        )
    with _argument(text):
        asked = parse_clause(f"{CLAUSE}weights={text})", plan.design.language)
        assert isinstance(asked, Average)
        term = _term(plan, variable, precise=isinstance(asked.weights.value, ByPrecision))
        if isinstance(asked.weights.value, ByPrecision):
            check_precision(plan, asked.weights.span)
        found = weights_of(
            plan.design,
            plan.data,
            term,
            asked.weights,
            own_sigma=sigma_of_groups(plan) is not None,
            several_sigmas=few_sigmas(plan) is not None,
        )
    chains, draws = posterior.named.shape
    if found.counts is not None:
        return GroupWeights(grouping, rng.dirichlet(found.counts, size=chains * draws).T)
    if found.products or found.values.ndim > 1:
        raise InferenceError(
            "`weights=precision` is for one coefficient in each group, with one residual sd: choose others."
        )
    values = _over_sigma(posterior, plan, found.values) if found.over_sigma else found.values[:, None]
    return GroupWeights(grouping, values)


@contextmanager
def _argument(text: str) -> Iterator[None]:
    """Have errors quote the argument that the user wrote, and not the clause that it is read in."""
    try:
        yield
    except FormulaError as error:
        start, end = (max(0, place - len(CLAUSE)) for place in (error.span.start, error.span.end))
        place = Span(start, max(end, start + 1), f"weights={text}")
        raise FormulaError(error.message, place, error.hint) from None


def _over_sigma(posterior: Posterior, plan: Plan, values: FloatArray) -> FloatArray:
    """Return precisions divided by the square of each group's residual sd, (G, S)."""
    places = sigma_of_groups(plan)
    assert plan.spread is not None
    assert places is not None
    sigma = posterior.named.values(plan.spread.name)
    return np.asarray(values[:, None] / sigma.reshape((-1, sigma.shape[2])).T[places] ** 2)


def _term(plan: Plan, variable: str, precise: bool) -> Term:
    terms = [c.term for _, c in members(plan.mean) if c.grouped]
    own = [term for term in terms if term.parts == (variable,)]
    if precise and not own:
        raise InferenceError(
            f"`weights=precision` needs a coefficient of `{variable}` in each group, which this model lacks: choose "
            "other weights."
        )
    return (own or terms)[0]


def _groups(plan: Plan) -> str:
    bar = plan.design.predictor.grouping
    known = [bar.name] if bar is not None else list(plan.design.predictor.by_factor)
    return f"groups are those of {listed(known)}." if known else "this model has no groups."
