"""Contrast clauses: which nodes they add to the model, with which weights and scale."""

from __future__ import annotations

from collections.abc import Iterable

from formulajoint.compiler.names import Names
from formulajoint.compiler.plan import AveragePlan, Coefficient, ContrastPlan, Plan, SharesPlan
from formulajoint.compiler.planning_arithmetic import plan_arithmetic
from formulajoint.compiler.planning_families import plan_family
from formulajoint.compiler.planning_scales import check_precision, scale_of, sigma_by_group
from formulajoint.compiler.planning_weights import Shares, node_name, weights_variable
from formulajoint.contrasts.families import FAMILIES
from formulajoint.contrasts.registry import AVERAGES
from formulajoint.contrasts.weights import weights_of
from formulajoint.design.references import resolve_term
from formulajoint.errors import FormulaError, listed
from formulajoint.language.ir import Call, Clause, Name
from formulajoint.language.text import canonical


def plan_contrasts(
    plan: Plan, clauses: Iterable[Clause], names: Names
) -> tuple[tuple[ContrastPlan, ...], tuple[SharesPlan, ...]]:
    """Return the contrast nodes that `clauses` ask for, in their order, and the uncertain shares that weight them.

    Parameters
    ----------
    plan : Plan
        Its design's formula has the text into which errors point; its shares are used again where they fit.
    clauses : iterable of Clause
        Other clauses are passed over.
    names : Names
        Gets the names of the nodes.

    Raises
    ------
    FormulaError
        Where a clause would make no node, or its weights or scale do not fit the model.
    DataError
        Where the data cannot give the weights or the scale.
    """
    found: list[ContrastPlan] = []
    shares = Shares(plan.shares, names)
    for clause in clauses:
        call = clause.call
        if call.name == "contrast":
            _check_name(plan, call, tuple(map(canonical, call.args)))
            found += [plan_arithmetic(plan, call, arg, names) for arg in call.args]
        elif call.name in FAMILIES or call.name in AVERAGES:
            found += _nodes(plan, call, names, shares)
    return tuple(found), tuple(shares.found)


def _nodes(plan: Plan, call: Call, names: Names, shares: Shares) -> list[ContrastPlan]:
    if call.name in AVERAGES and plan.design.predictor.grouping is None:
        message = f"`{call.name}` averages over groups, but the formula has none"
        raise _error(plan, call, message, "write `| group` after the predictors")
    wanted = _coefficients(plan, call)
    _check_name(plan, call, tuple(c.name for c in wanted))
    if call.name in FAMILIES:
        return [plan_family(plan, call, coefficient, names, shares) for coefficient in wanted]
    return [_average(plan, call, coefficient, names, shares) for coefficient in wanted]


def _check_name(plan: Plan, call: Call, made: tuple[str, ...]) -> None:
    """Refuse one ``name=`` for several nodes."""
    name = call.keyword("name")
    if name is not None and len(made) > 1:
        raise FormulaError(
            f"`name=` names one node, but `{call.name}` makes {len(made)}: {listed(made)}",
            plan.design.formula.source,
            name.span,
            f"write a clause for each: `{call.name}({made[0]}, name={canonical(name)})`",
        )


def _coefficients(plan: Plan, call: Call) -> list[Coefficient]:
    """Return the coefficients that the clause is about: those it names, or all of the groups but the intercept."""
    grouped = {c.term.name: c for c in plan.mean.coefficients if c.grouped}
    if not call.args:
        slopes = [c for name, c in grouped.items() if name != "Intercept"]
        if not slopes:
            message = f"`{call.name}` finds no predictor with a coefficient in each group"
            hint = f"name the term: `{call.name}({next(iter(grouped), 'arm')})`"
            raise _error(plan, call, message, hint)
        return slopes
    known = {c.term.name: c for c in plan.mean.coefficients}
    out = []
    for arg in call.args:
        term = resolve_term(plan.design, arg)
        if call.name in AVERAGES and term.name not in grouped:
            raise FormulaError(
                f"`{term.name}` has one coefficient for all groups, so there is nothing to average",
                plan.design.formula.source,
                arg.span,
                f"per group there are {listed(grouped)}",
            )
        out.append(known[term.name])
    return out


def _average(plan: Plan, call: Call, coefficient: Coefficient, names: Names, shares: Shares) -> AveragePlan:
    scale, divisors = scale_of(plan, call.keyword("scale"))
    value = call.keyword("weights")
    weights = weights_of(plan.design, coefficient.term, value, own_sigma=sigma_by_group(plan))
    if isinstance(value, Name) and value.id == "precision" and not value.quoted:
        check_precision(plan, scale, value)
    name, sigma = node_name(plan, call, coefficient.name, names), plan.scale("sigma")
    return AveragePlan(
        name=name,
        dims=coefficient.dims[1:],
        text=canonical(call),
        function=AVERAGES[call.name],
        coefficient=coefficient,
        weights=weights,
        weights_name=weights_variable(weights, name, coefficient, names, shares),
        scale=scale,
        divisors=divisors,
        sigma=None if sigma is None else sigma.name,
        sigma_rank=0 if sigma is None else len(sigma.dims),
        options={},
    )


def _error(plan: Plan, call: Call, message: str, hint: str) -> FormulaError:
    return FormulaError(message, plan.design.formula.source, call.span, hint)
