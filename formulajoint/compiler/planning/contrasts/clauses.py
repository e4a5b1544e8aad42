"""Contrast clauses: the nodes they add to the model, with weights and scale."""

from __future__ import annotations

from collections.abc import Iterable

from formulajoint.compiler.names import Names
from formulajoint.compiler.plan import AveragePlan, Coefficient, ContrastPlan, Plan, SharesPlan
from formulajoint.compiler.planning.contrasts.arithmetic import each_predictor, plan_arithmetic
from formulajoint.compiler.planning.contrasts.levels import plan_family
from formulajoint.compiler.planning.contrasts.node_names import Shares, node_name, weights_variable
from formulajoint.compiler.planning.contrasts.scale import check_precision, scale_of, sigma_by_group
from formulajoint.contrasts.custom import average_of, contrast_options, is_family
from formulajoint.contrasts.registry import ContrastFunction
from formulajoint.contrasts.weights import weights_of
from formulajoint.design.references import resolve_term
from formulajoint.errors import FormulaError
from formulajoint.language.syntax.nodes import Call, Clause, Name
from formulajoint.language.syntax.text import canonical
from formulajoint.language.vocabulary.options import given_options
from formulajoint.wording import listed


def plan_contrasts(
    plan: Plan, clauses: Iterable[Clause], names: Names
) -> tuple[tuple[ContrastPlan, ...], tuple[SharesPlan, ...]]:
    """Return the contrast nodes of `clauses`, in their order, and the uncertain shares that weight them.

    Parameters
    ----------
    plan : Plan
        Its shares are used again where they fit.
    clauses : iterable of Clause
        Other clauses are ignored.
    names : Names
        Receives the names of the nodes.

    Raises
    ------
    FormulaError
        If a clause would make no node, or its weights or scale do not fit the model.
    DataError
        If the data do not allow the weights or the scale.
    """
    found: list[ContrastPlan] = []
    shares = Shares(plan.shares, names)
    language = plan.design.language
    for clause in clauses:
        call = clause.call
        if call.name == "contrast":
            asked = [expr for arg in call.args for expr in each_predictor(plan, call, arg)]
            _check_name(call, tuple(map(canonical, asked)))
            found += [plan_arithmetic(plan, call, expr, names) for expr in asked]
        elif is_family(call.name, language):
            found += [plan_family(plan, call, c, names, shares) for c in _coefficients(plan, call)]
        elif (average := average_of(call.name, language)) is not None:
            found += _averages(plan, call, average, names, shares)
    return tuple(found), tuple(shares.found)


def _averages(
    plan: Plan, call: Call, function: ContrastFunction, names: Names, shares: Shares
) -> list[AveragePlan]:
    if plan.design.predictor.grouping is None:
        message = f"`{call.name}` averages over groups, but the formula has none"
        raise _error(call, message, "write `| group` after the predictors")
    wanted = _coefficients(plan, call, averaged=True)
    return [_average(plan, call, function, coefficient, names, shares) for coefficient in wanted]


def _check_name(call: Call, made: tuple[str, ...]) -> None:
    """Raise a FormulaError if ``name=`` would name several nodes."""
    name = call.keyword("name")
    if name is not None and len(made) > 1:
        raise FormulaError(
            f"`name=` names one node, but `{call.name}` makes {len(made)}: {listed(made)}",
            name.span,
            f"write a clause for each: `{call.name}({made[0]}, name={canonical(name)})`",
        )


def _coefficients(plan: Plan, call: Call, averaged: bool = False) -> list[Coefficient]:
    """Return the coefficients of the clause: those it names, or all per-group ones except the intercept."""
    wanted = _named(plan, call, averaged)
    _check_name(call, tuple(c.name for c in wanted))
    return wanted


def _named(plan: Plan, call: Call, averaged: bool) -> list[Coefficient]:
    grouped = {c.term.name: c for c in plan.mean.coefficients if c.grouped}
    if not call.args:
        slopes = [c for name, c in grouped.items() if name != "Intercept"]
        if not slopes:
            message = f"`{call.name}` finds no predictor with a coefficient in each group"
            hint = f"name the term: `{call.name}({next(iter(grouped), 'arm')})`"
            raise _error(call, message, hint)
        return slopes
    known = {c.term.name: c for c in plan.mean.coefficients}
    out = []
    for arg in call.args:
        term = resolve_term(plan.design, arg)
        if averaged and term.name not in grouped:
            raise FormulaError(
                f"`{term.name}` has one coefficient for all groups, so there is nothing to average",
                arg.span,
                f"per group there are {listed(grouped)}",
            )
        out.append(known[term.name])
    return out


def _average(
    plan: Plan,
    call: Call,
    function: ContrastFunction,
    coefficient: Coefficient,
    names: Names,
    shares: Shares,
) -> AveragePlan:
    options = contrast_options(call.name, plan.design.language)
    scale, divisors = scale_of(plan, call.keyword("scale"))
    value = call.keyword("weights")
    weights = weights_of(plan.design, coefficient.term, value, own_sigma=sigma_by_group(plan))
    if isinstance(value, Name) and value.id == "precision" and not value.quoted:
        check_precision(plan, scale, value)
    name, sigma = node_name(call, coefficient.name, names), plan.scale("sigma")
    return AveragePlan(
        name=name,
        dims=coefficient.dims[1:],
        text=canonical(call),
        function=function,
        coefficient=coefficient,
        weights=weights,
        weights_name=weights_variable(weights, name, coefficient, names, shares),
        scale=scale,
        divisors=divisors,
        sigma=None if sigma is None else sigma.name,
        sigma_rank=0 if sigma is None else len(sigma.dims),
        options=given_options(call, options),
    )


def _error(call: Call, message: str, hint: str) -> FormulaError:
    return FormulaError(message, call.span, hint)
