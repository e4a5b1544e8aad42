"""Contrast clauses: the nodes they add to the model, with weights and scale."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from formulajoint.arrays import FloatArray
from formulajoint.compiler.coefficients import Coefficient
from formulajoint.compiler.contrast_plans import AveragePlan, ContrastPlan, SharesPlan, Sigmas
from formulajoint.compiler.names import Names
from formulajoint.compiler.over import plan_over
from formulajoint.compiler.plan import Plan
from formulajoint.compiler.planning.contrasts.node_names import Shares, node_name, weights_variable
from formulajoint.compiler.planning.contrasts.scale import RESPONSE, check_precision, scale_of
from formulajoint.compiler.residual_sds import few_sigmas, sigma_of_groups
from formulajoint.contrasts.at_means import Added, AtMeans, added_at_means, means_beside
from formulajoint.contrasts.registry import ContrastFunction, average_named
from formulajoint.contrasts.weights import Weights, weights_of
from formulajoint.design.references import resolve_term
from formulajoint.design.schema import Term
from formulajoint.design.varying import factor_asked, factors
from formulajoint.errors import FormulaError
from formulajoint.language.syntax.text import canonical
from formulajoint.spans import Span
from formulajoint.spec.spec import Arithmetic, Average, ByPrecision, Contrast, LevelContrast
from formulajoint.wording import listed

if TYPE_CHECKING:
    from formulajoint.compiler.evaluate.response_effects import ResponseEffects


def plan_contrasts(
    plan: Plan, asked: Iterable[Contrast], names: Names
) -> tuple[tuple[ContrastPlan, ...], tuple[SharesPlan, ...]]:
    """Return the contrast nodes that are asked for, in their order, and the uncertain shares that weight them.

    Parameters
    ----------
    plan : Plan
        Its shares are used again where they fit.
    asked : iterable of Contrast
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
    for contrast in asked:
        factor = factor_asked(plan.design, contrast)
        seen = plan_over(plan, factor)
        found += [replace(node, factor=factor) for node in _nodes(seen, contrast, names, shares)]
    return tuple(found), tuple(shares.found)


def _nodes(plan: Plan, asked: Contrast, names: Names, shares: Shares) -> Iterator[ContrastPlan]:
    """Yield the nodes of one clause."""
    language = plan.design.language
    match asked:
        case Arithmetic():
            from formulajoint.compiler.planning.contrasts.arithmetic import each_predictor, plan_arithmetic

            wanted = [e for written in asked.expressions for e in each_predictor(plan, asked, written)]
            _check_name(asked, tuple(map(canonical, wanted)))
            yield from (plan_arithmetic(plan, asked, expr, names) for expr in wanted)
        case LevelContrast():
            from formulajoint.compiler.planning.contrasts.levels import plan_families

            yield from plan_families(plan, asked, _coefficients(plan, asked), names, shares)
        case Average() if (average := average_named(asked.clause, language)) is not None:
            yield from _averages(plan, asked, average, names, shares)


def _averages(
    plan: Plan, asked: Average, function: ContrastFunction, names: Names, shares: Shares
) -> list[AveragePlan]:
    if plan.design.predictor.grouping is None:
        raise FormulaError(*_without_groups(plan, asked))
    wanted = _coefficients(plan, asked, averaged=True)
    return [_average(plan, asked, function, coefficient, names, shares) for coefficient in wanted]


def _without_groups(plan: Plan, asked: Average) -> tuple[str, Span, str]:
    """Return message, place and hint for an average over groups where none stand right of a bar."""
    known, name = factors(plan.design), asked.clause
    if not known:
        message = f"`{name}` averages over groups, but the formula has no groups"
        return message, asked.span, "write `| group` after the predictors"
    written = ", ".join([*map(canonical, asked.terms), f"over={known[0]}"])
    message = f"`{name}` must name the groups that it averages over"
    return message, asked.span, f"write `{name}({written})`"


def _check_name(asked: Contrast, made: tuple[str, ...]) -> None:
    """Raise a FormulaError if ``name=`` would name several nodes."""
    name = asked.name
    if name is not None and len(made) > 1:
        raise FormulaError(
            f"`name=` names one node, but `{asked.clause}` makes {len(made)}: {listed(made)}",
            name.span,
            f"write a clause for each: `{asked.clause}({made[0]}, name={name.text})`",
        )


def _coefficients(plan: Plan, asked: Average | LevelContrast, averaged: bool = False) -> list[Coefficient]:
    """Return the coefficients of the clause: those it names, or all per-group ones except the intercept."""
    wanted = _named(plan, asked, averaged)
    _check_name(asked, tuple(c.name for c in wanted))
    return wanted


def _named(plan: Plan, asked: Average | LevelContrast, averaged: bool) -> list[Coefficient]:
    grouped = {c.term.name: c for c in plan.mean.coefficients if c.grouped}
    if not asked.terms:
        slopes = [c for name, c in grouped.items() if name != "Intercept"]
        if not slopes:
            message = f"`{asked.clause}` finds no predictor with a coefficient in each group"
            hint = f"name the term: `{asked.clause}({next(iter(grouped), 'arm')})`"
            raise FormulaError(message, asked.span, hint)
        return slopes
    known = {c.term.name: c for c in plan.mean.coefficients}
    out = []
    for written in asked.terms:
        term = resolve_term(plan.design, written)
        on_response = isinstance(asked, Average) and asked.scale.value == RESPONSE
        if averaged and term.name not in grouped and not on_response:
            raise FormulaError(
                f"`{term.name}` has one coefficient for all groups, so there is nothing to average",
                written.span,
                f"per group there are {listed(grouped)}",
            )
        out.append(known[term.name])
    return out


def _average(
    plan: Plan,
    asked: Average,
    function: ContrastFunction,
    coefficient: Coefficient,
    names: Names,
    shares: Shares,
) -> AveragePlan:
    scale, divisors = scale_of(plan, asked.scale)
    response: Mapping[str, ResponseEffects] = {}
    if scale == RESPONSE:
        from formulajoint.compiler.planning.contrasts.response import of_average

        coefficient, response = of_average(plan, asked, coefficient, names)
    term, added, at = coefficient.term, {}, None
    if asked.at is not None:
        added = added_at_means(plan.design.predictor, term, asked.at.span)
        at = _at_means(plan, term, added)
    weights, sigmas = _weights(plan, asked, term, scale, divisors, added)
    name, sigma = node_name(asked, _stem(asked, coefficient, bool(response)), names), plan.spread
    by_sigma = scale == "sigma" or weights.over_sigma
    return AveragePlan(
        name=name,
        dims=coefficient.dims[1:],
        text=asked.text,
        function=function,
        coefficient=coefficient,
        weights=weights,
        weights_name=weights_variable(weights, name, coefficient, names, shares),
        scale=scale,
        divisors=divisors,
        sigma=None if sigma is None else sigma.name,
        sigma_of_group=sigma_of_groups(plan) if by_sigma else None,
        sigmas=sigmas,
        options=asked.options,
        at=at,
        response=response,
    )


def _weights(
    plan: Plan,
    asked: Average,
    term: Term,
    scale: str,
    divisors: FloatArray | None,
    added: Mapping[str, FloatArray],
) -> tuple[Weights, Sigmas | None]:
    """Return the weights of an average, and the sigmas that weights by precision need."""
    sigmas = None
    if isinstance(asked.weights.value, ByPrecision):
        check_precision(plan, asked.weights.span)
        sigmas = few_sigmas(plan)
    weights = weights_of(
        plan.design,
        plan.data,
        term,
        asked.weights,
        # The sampling variance of b_g / sigma_g does not depend on sigma_g.
        own_sigma=scale != "sigma" and sigma_of_groups(plan) is not None,
        added=added,
        divisors=divisors,
        several_sigmas=sigmas is not None,
    )
    return weights, sigmas


def _stem(asked: Average, coefficient: Coefficient, on_response: bool) -> str:
    """Return what the name of an average says of its coefficients: `arm`, `arm_response`, `arm_at_mean`."""
    stem = coefficient.stem or coefficient.name
    if on_response:
        return f"{stem}_{RESPONSE}"
    return stem if asked.at is None else f"{stem}_at_{asked.at.value}"


def _at_means(plan: Plan, term: Term, added: Mapping[str, FloatArray]) -> AtMeans:
    """Return what turns the coefficients of `term` into its effect at the means of the other columns."""
    others = [c for c in plan.mean.coefficients if c.term.name in added]
    return AtMeans(
        tuple(Added(c.name, c.grouped, added[c.term.name]) for c in others),
        means_beside(term, (c.term for c in others)),
    )
