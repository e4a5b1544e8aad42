"""Hypotheses about contrasts, which are linear functions of the coefficients: ``joint_treatment == 0``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product

import numpy as np
import scipy

from formulajoint.compiler.contrast_plans import ContrastPlan
from formulajoint.compiler.over import plan_over
from formulajoint.compiler.plan import Plan
from formulajoint.compiler.planning.contrasts.scale import RESPONSE
from formulajoint.contrasts.hypotheses import Hypothesis, of_test
from formulajoint.contrasts.layout import layout
from formulajoint.contrasts.linear_forms import Form
from formulajoint.design.varying import factor_asked
from formulajoint.errors import FormulaError
from formulajoint.language.syntax.nodes import Chain, Expr, Name, Number, Subscript, walk
from formulajoint.language.syntax.text import canonical
from formulajoint.results.draws.contrast import asked_plan
from formulajoint.results.joint_tests.bayes_factor.savage_dickey import linear_form
from formulajoint.spans import Span
from formulajoint.spec.spec import Comparisons, Question


def named_test(plan: Plan, test: Comparisons) -> Hypothesis:
    """Return a test in which contrasts of the formula may stand beside coefficients, by their names.

    Raises
    ------
    FormulaError
        If it is not a hypothesis about this model, or a contrast in it is not linear in the coefficients.
    """
    terms = {term.name for term in plan.design.predictor.terms}
    known = {contrast.name: contrast for contrast in plan.contrasts if contrast.name not in terms}
    if test.scale.value == RESPONSE:  # it is about effects of columns
        known = {}
    factor = factor_asked(plan.design, test) or _factor(test, known)
    over, test = test.over is not None, replace(test, over=None)
    plan = plan_over(plan, factor)

    def named(expr: Expr) -> Form | None:
        if isinstance(expr, Name) and expr.id in known:
            return _form(plan, known[expr.id], expr.span)
        if isinstance(expr, Subscript) and isinstance(expr.of, Name) and expr.of.id in known:
            return _entry(plan, known[expr.of.id], expr)
        return None

    said = of_test(plan.design, test, named)
    return replace(said, labels=_labels(plan, test, known, len(said.null)), factor=factor, over=over)


def _factor(test: Comparisons, known: Mapping[str, ContrastPlan]) -> str:
    """Return the factor of group terms by whose groups the contrasts in a test are; empty for the model's own."""
    names = {
        part.id for comparison in test.comparisons for part in walk(comparison) if isinstance(part, Name)
    }
    found = sorted({known[name].factor for name in names if name in known})
    if len(found) > 1:
        at = test.comparisons[0].span.to(test.comparisons[-1].span)
        raise FormulaError("these contrasts are by groups of different factors", at, "test them one by one")
    return found[0] if found else ""


def none_of(plan: Plan, asked: Question) -> Hypothesis:
    """Return the hypothesis that all entries of the contrasts of a clause are zero.

    Raises
    ------
    FormulaError, DataError
        If the clause does not fit the model, or its contrasts are not linear in the coefficients.
    """
    asking = asked_plan(plan, asked)
    factor = asking.contrasts[0].factor
    asking = plan_over(asking, factor)
    forms = [_form(asking, contrast, asked.span) for contrast in asking.contrasts]
    rows = scipy.sparse.csr_array(scipy.sparse.vstack([form.rows for form in forms]))
    blocks, used = layout(asking.design), set(rows.indices)
    return Hypothesis(
        text=", ".join(f"{contrast.name} == 0" for contrast in asking.contrasts),
        rows=rows,
        null=-np.concatenate([form.constant for form in forms]),
        order=False,
        terms=tuple(b.term.name for b in blocks if used & set(range(b.start, b.start + b.size))),
        labels=tuple(label for contrast in asking.contrasts for label in _entries(asking, contrast)),
        factor=factor,
    )


def _form(plan: Plan, contrast: ContrastPlan, at: Span) -> Form:
    """Return a contrast as linear functions of the coefficients, one for each entry."""
    found = linear_form(plan, contrast)
    if found is None:
        message = f"`{contrast.name}` is not linear in the coefficients"
        hint = f'`fit.contrast("{contrast.text}", rope=0.1)` has its draws, with the probability that it is within 0.1'
        raise FormulaError(message, at, hint)
    rows, constant = found
    return Form(scipy.sparse.csr_array(rows), constant, {dim: plan.coords[dim] for dim in contrast.dims})


def _entry(plan: Plan, contrast: ContrastPlan, expr: Subscript) -> Form:
    """Return one entry of a contrast: ``pairwise_treatment["A - B"]``."""
    form, said = _form(plan, contrast, expr.span), canonical(expr)
    labels = list(_entries(plan, contrast))
    plain = [label.replace('"', "") for label in labels]
    if said.replace('"', "") not in plain:
        first = (
            f'{contrast.name}["{next(iter(plan.coords[contrast.dims[0]]))}"]'
            if contrast.dims
            else contrast.name
        )
        raise FormulaError(
            f"`{contrast.name}` has no such entry", expr.span, f"write for example `{first} == 0`"
        )
    place = plain.index(said.replace('"', ""))
    return Form(form.rows[[place]], form.constant[[place]], {})


def _entries(plan: Plan, contrast: ContrastPlan) -> Iterator[str]:
    """Yield the name of each entry of a contrast."""
    for place in product(*(plan.coords[dim] for dim in contrast.dims)):
        yield f"{contrast.name}[{', '.join(map(str, place))}]" if place else contrast.name


def _labels(plan: Plan, test: Comparisons, known: dict[str, ContrastPlan], count: int) -> tuple[str, ...]:
    """Return names of the rows where a contrast alone is compared with a number; else none."""
    match test.comparisons:
        case (Chain(operands=(Name(id=name), Number(value=value)), operators=(operator,)),) if name in known:
            labels = tuple(_entries(plan, known[name]))
            if len(labels) == count and operator in ("==", ">", ">="):
                less = f" - {value:g}" if value > 0 else f" + {-value:g}" if value < 0 else ""
                return tuple(label + less for label in labels)
    return ()
