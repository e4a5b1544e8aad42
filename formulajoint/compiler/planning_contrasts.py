"""``joint``, ``rms`` and ``spread`` clauses: which nodes they add, with which weights and scale."""

from __future__ import annotations

import numpy as np

from formulajoint.compiler.names import Names
from formulajoint.compiler.plan import Coefficient, ContrastPlan, Plan
from formulajoint.contrasts.registry import AVERAGES
from formulajoint.contrasts.weights import group_rows, weights_of
from formulajoint.design.moments import by_group
from formulajoint.design.references import resolve_term
from formulajoint.design.schema import FloatArray, Grouping
from formulajoint.errors import DataError, FormulaError, listed
from formulajoint.language.constants import constant
from formulajoint.language.ir import Call, Clause, Expr, Name, Text
from formulajoint.language.text import canonical


def plan_contrasts(plan: Plan, names: Names) -> tuple[ContrastPlan, ...]:
    """Return the contrast nodes that the formula's clauses ask for, in their order.

    Raises
    ------
    FormulaError
        Where a clause would make no node, or its weights or scale do not fit the model.
    DataError
        Where the data cannot give the weights or the scale.
    """
    found: list[ContrastPlan] = []
    for clause in plan.design.formula.clauses:
        if isinstance(clause, Clause) and clause.name in AVERAGES:
            found += _nodes(plan, clause.call, names)
    return tuple(found)


def _nodes(plan: Plan, call: Call, names: Names) -> list[ContrastPlan]:
    source = plan.design.formula.source
    if plan.design.predictor.grouping is None:
        raise FormulaError(
            f"`{call.name}` averages over groups, but the formula has none",
            source,
            call.span,
            "write `| group` after the predictors",
        )
    wanted = _coefficients(plan, call)
    name = call.keyword("name")
    if name is not None and len(wanted) > 1:
        raise FormulaError(
            f"`name=` names one node, but `{call.name}` makes {len(wanted)}: {listed(c.name for c in wanted)}",
            source,
            name.span,
            f"name the term: `{call.name}({wanted[0].name}, name={canonical(name)})`",
        )
    return [_node(plan, call, coefficient, names) for coefficient in wanted]


def _coefficients(plan: Plan, call: Call) -> list[Coefficient]:
    """Return the coefficients that the clause averages: those it names, or all but the intercept."""
    grouped = {c.term.name: c for c in plan.mean.coefficients if c.grouped}
    source = plan.design.formula.source
    if not call.args:
        slopes = [c for name, c in grouped.items() if name != "Intercept"]
        if not slopes:
            raise FormulaError(
                f"`{call.name}` finds no predictor with a coefficient in each group",
                source,
                call.span,
                f"write `{call.name}(Intercept)` to average the intercepts",
            )
        return slopes
    out = []
    for arg in call.args:
        term = resolve_term(plan.design, arg)
        if term.name not in grouped:
            raise FormulaError(
                f"`{term.name}` has one coefficient for all groups, so there is nothing to average",
                source,
                arg.span,
                f"per group there are {listed(grouped)}",
            )
        out.append(grouped[term.name])
    return out


def _node(plan: Plan, call: Call, coefficient: Coefficient, names: Names) -> ContrastPlan:
    scale, divisors = _scale(plan, call.keyword("scale"))
    value = call.keyword("weights")
    weights = weights_of(plan.design, coefficient.term, value, own_sigma=_sigma_by_group(plan))
    if isinstance(value, Name) and value.id == "precision" and not value.quoted:
        _check_precision(plan, scale, value)
    name = _name(plan, call, coefficient, names)
    return ContrastPlan(
        name=name,
        function=AVERAGES[call.name],
        coefficient=coefficient,
        weights=weights,
        weights_name=names.variable(f"{name.removeprefix(names.prefix)}_weights")
        if weights.over_sigma
        else None,
        scale=scale,
        divisors=divisors,
        dims=coefficient.dims[1:],
        text=canonical(call),
    )


def _name(plan: Plan, call: Call, coefficient: Coefficient, names: Names) -> str:
    given = call.keyword("name")
    if given is None:
        return names.variable(f"{call.name}_{coefficient.name.removeprefix(names.prefix)}")
    wanted = given.value if isinstance(given, Text) else given.id if isinstance(given, Name) else ""
    if not wanted or not names.is_free(wanted):
        raise FormulaError(
            f"the name `{wanted}` is in use already, or reserved",
            plan.design.formula.source,
            given.span,
            "choose another",
        )
    return names.variable(wanted)


def _check_precision(plan: Plan, scale: str, at: Name) -> None:
    """Refuse weights by precision where that would not be the inverse sampling variance up to a factor."""
    sigma, source = plan.scale("sigma"), plan.design.formula.source
    if scale == "sigma":
        message = "`weights=precision` weights unscaled coefficients; it does not go with `scale=sigma`"
        raise FormulaError(message, source, at.span, "leave one of the two out, or use `weights=n`")
    if sigma is None or (sigma.grouping is not None and not _sigma_by_group(plan)):
        message = "`weights=precision` needs one sigma, or one for each of the groups that are averaged"
        raise FormulaError(message, source, at.span, "use other weights, or another sigma")


def _sigma_by_group(plan: Plan) -> bool:
    """Tell whether each group of the mean's grouping has a residual sd of its own."""
    sigma, grouping = plan.scale("sigma"), plan.design.predictor.grouping
    return sigma is not None and grouping is not None and _same(sigma.grouping, grouping)


def _same(a: Grouping | None, b: Grouping) -> bool:
    return a is not None and a.variables == b.variables and a.labels == b.labels


def _scale(plan: Plan, value: Expr | None) -> tuple[str, FloatArray | None]:
    """Return the kind of scale and, where it is known beforehand, the divisor of each group."""
    grouping = plan.design.predictor.grouping
    assert grouping is not None
    match value:
        case None | Name(id="none"):
            return "none", None
        case Name(id="sigma"):
            _check_sigma(plan, value)
            return "sigma", None
        case Name(id="sd"):
            return "sd", _group_sds(plan, grouping)
    return "number", np.full(len(grouping), constant(value, plan.design.formula.source))


def _check_sigma(plan: Plan, at: Expr) -> None:
    grouping, sigma = plan.design.predictor.grouping, plan.scale("sigma")
    source = plan.design.formula.source
    if sigma is None:
        raise FormulaError(
            "`scale=sigma` needs one residual sd a group, but sigma has predictors",
            source,
            at.span,
            f"write `sigma ~ 1 | {grouping.name if grouping else 'group'}`, or use `scale=sd`",
        )
    if sigma.grouping is not None and grouping is not None and not _same(sigma.grouping, grouping):
        raise FormulaError(
            f"sigma differs by {sigma.grouping.name}, but the coefficients differ by {grouping.name}",
            source,
            at.span,
            "give both the same groups",
        )


def _group_sds(plan: Plan, grouping: Grouping) -> FloatArray:
    """Return the response's sd (ddof 1) in each group, rows counted by their weights."""
    design = plan.design
    rows, sds = group_rows(design), np.empty(len(grouping))
    weights = np.ones(design.rows.used) if design.row_weights is None else design.row_weights
    for group, index in enumerate(by_group(grouping, design.rows.used)):
        y, w = design.response.values[index], weights[index]
        label = f"{grouping.name} {grouping.labels[group]}"
        if rows[group] <= 1:
            raise DataError(f"`scale=sd` needs two rows in each group, but {label} has {rows[group]:g}.")
        sds[group] = np.sqrt(w @ (y - np.average(y, weights=w)) ** 2 / (rows[group] - 1))
        if not sds[group] > 0:
            raise DataError(
                f"`scale=sd` divides by the sd of `{design.response.name}`, which is 0 in {label} ({len(index)} rows)."
            )
    return sds
