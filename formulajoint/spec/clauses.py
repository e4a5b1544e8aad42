"""Read one clause: options of the model, contrasts and tests, each as a value of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from formulajoint.errors import FormulaError
from formulajoint.language.syntax import nodes
from formulajoint.language.syntax.text import canonical
from formulajoint.language.vocabulary.core import AT, NAME, ON_RESPONSE, OVER, SCALE, UNIT
from formulajoint.language.vocabulary.core import WEIGHTS as WEIGHTS_SLOT
from formulajoint.language.vocabulary.signatures import Kind, Signature, Slot
from formulajoint.spans import Span
from formulajoint.spec import predictors, weights
from formulajoint.spec.arguments import PLAIN, Arguments, Context, Reader, name_span, read_arguments
from formulajoint.spec.coefficients import read_effect, read_hypothesis, read_term
from formulajoint.spec.predictors import check_group, check_predictors
from formulajoint.spec.spec import (
    AS_ESTIMATED,
    BY_ROWS,
    Arithmetic,
    Average,
    Comparisons,
    FamilyRequest,
    Given,
    Law,
    LevelContrast,
    Linear,
    PoolingRequest,
    PriorRequest,
    Question,
    RowsRequest,
)


@dataclass(frozen=True, slots=True)
class Called:
    """A clause in call form with its signature, and its arguments, read."""

    name: str
    signature: Signature
    given: Arguments
    text: str
    span: Span


def read_clause(context: Context, clause: nodes.Parameter | nodes.Clause) -> Linear | Called:
    """Return one clause, checked: predictors of a parameter, or a call with its arguments."""
    if isinstance(clause, nodes.Parameter):
        check_predictors(context, clause.predictors)
        if clause.group:
            check_group(clause.group)
        return Linear(clause.name, clause.predictors, clause.group, clause.span)
    signature = context.look_up("clause", clause.name, name_span(clause.call))
    given = read_arguments(context, clause.call, signature, READERS)
    return Called(clause.name, signature, given, canonical(clause), clause.span)


# --- options of the model


def rows_request(clauses: Sequence[Called]) -> RowsRequest:
    """Return what ``weights(...)``, ``se(...)`` and ``missing(...)`` ask."""
    columns = {
        clause.name: Given(clause.given.value("column"), clause.text, clause.span)
        for clause in clauses
        if clause.name in ("weights", "se")
    }
    actions = [clause.given.value("action") for clause in clauses if clause.name == "missing"]
    return RowsRequest(
        weights=columns.get("weights"),
        standard_errors=columns.get("se"),
        drop="error" not in actions,
        columns=tuple(column.value for column in columns.values()),
    )


def family_request(clause: Called) -> FamilyRequest:
    """Return what ``family(...)`` asks."""
    named = clause.given.named
    return FamilyRequest(named["family"], named.get("link"), named.get("levels"), clause.span)


def pooling_request(clause: Called) -> PoolingRequest:
    """Return what ``hierarchy(...)`` asks."""
    given = clause.given
    centered = given.value("centered", "auto")
    return PoolingRequest(
        terms=given.rest,
        dist=given.value("dist", "normal"),
        cor=given.named.get("cor"),
        df=given.named.get("df"),
        centered=None if centered == "auto" else centered == "true",
        scale=given.named.get("scale", Given("none")),
        over=given.named.get("over"),
        span=clause.span,
    )


def prior_requests(clause: Called) -> tuple[PriorRequest, ...]:
    """Return what ``prior(...)`` asks."""
    over = clause.given.named.get("over")
    return tuple(replace(request, over=over) for request in clause.given.rest)


def _read_prior(context: Context, slot: Slot, value: nodes.Expr) -> PriorRequest:
    if not isinstance(value, nodes.Distributed):
        match value:
            case nodes.Chain(operators=("==",), operands=(target, nodes.Call() as call)):
                hint = f"write `{canonical(target)} ~ {canonical(call)}`"
            case nodes.Name() | nodes.Attribute() | nodes.Subscript():
                hint = f"write `{canonical(value)} ~ normal(0, 5)`, with a distribution that you choose"
            case _:
                hint = "such as `prior(treatment ~ normal(0, 5))`"
        raise FormulaError("a prior names its term: `term ~ distribution(...)`", value.span, hint)
    if isinstance(value.target, nodes.Subscript | nodes.Attribute):
        read_effect(context, slot, value.target)
    else:
        read_term(context, slot, value.target)
    return PriorRequest(value.target, _read_law(context, value.distribution), span=value.span)


def _read_law(context: Context, call: nodes.Call) -> Given[Law]:
    signature = context.look_up("distribution", call.name, name_span(call))
    given = read_arguments(context, call, signature, PLAIN)
    numbers = {name: number.value for name, number in given.named.items() if name != UNIT.name}
    return Given(Law(call.name, numbers, given.value(UNIT.name, "none")), canonical(call), call.span)


# --- questions


def question(clause: Called) -> Question:
    """Return what a contrast or test clause asks; its signature tells its kind."""
    given, signature = clause.given, clause.signature
    kind = signature.rest.kind if signature.rest is not None else None
    name, span = given.named.get("name"), clause.span
    over, scale = given.named.get("over"), given.named.get("scale", AS_ESTIMATED)
    if kind is Kind.HYPOTHESIS:
        return Comparisons(given.rest, name, given.named.get("against"), over, scale, span)
    if kind is Kind.EFFECT:
        return Arithmetic(clause.name, given.rest, name, over, scale, span)
    shared = (WEIGHTS_SLOT, SCALE, ON_RESPONSE, AT, OVER, NAME)
    known = {slot.name for slot in shared if slot in signature.keywords}
    options = {option: value for option, value in given.named.items() if option not in known}
    weighting = given.named.get("weights", BY_ROWS) if WEIGHTS_SLOT in signature.keywords else BY_ROWS
    if SCALE not in signature.keywords:
        return LevelContrast(
            clause.name, given.rest, over, weighting, options, name, clause.text, scale, span
        )
    plain = {option: value.value for option, value in options.items()}
    at = given.named.get("at")
    return Average(clause.name, given.rest, weighting, scale, at, plain, over, name, clause.text, span)


READERS: Mapping[Kind, Reader[Any]] = {
    **predictors.READERS,
    **weights.READERS,
    Kind.TERM: read_term,
    Kind.EFFECT: read_effect,
    Kind.HYPOTHESIS: read_hypothesis,
    Kind.PRIOR: _read_prior,
}
