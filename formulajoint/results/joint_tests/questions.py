"""Hypotheses to test: that of a text or, by default, that every slope is zero in every group."""

from __future__ import annotations

from dataclasses import replace

from formulajoint.compiler.contrast_plans import AveragePlan
from formulajoint.compiler.over import plan_of, plan_over
from formulajoint.compiler.plan import Plan
from formulajoint.contrasts.hypotheses import (
    Hypothesis,
    all_zero,
    effects_tested,
    labelled,
    of_test,
    text_of_all_zero,
)
from formulajoint.design.schema import Term
from formulajoint.errors import InferenceError
from formulajoint.language.vocabulary.core import AGAINST
from formulajoint.remarks import Missing
from formulajoint.results.joint_tests.contrasts_tested import named_test, none_of
from formulajoint.spec.read import is_contrast_clause, parse_clause, parse_test
from formulajoint.spec.spec import Comparisons

MOST_TESTED = 200
"""A printed fit shows joint tests over at most this many groups; ``test()`` always shows them."""


def hypotheses(plan: Plan, text: str | None, against: str | None = None) -> list[Hypothesis]:
    """Return `text` as restrictions of coefficients; None stands for the default tests, then those of the formula.

    Parameters
    ----------
    plan : Plan
    text : str, optional
        A hypothesis, or a contrast such as ``pairwise(treatment)``: that all its entries are zero.
    against : str, optional
        The alternative of the Bayes factor; the text may name it, too.

    Raises
    ------
    FormulaError
        If the text is not a hypothesis about this model.
    InferenceError
        If `text` is not a string, or there is nothing to test by default.
    """
    if text is None:
        found = unasked(plan)
        if not found:
            raise InferenceError(
                "There is no predictor with a coefficient in each group: name a hypothesis, such as `x == 0`."
            )
        return [_against(plan, each, against) for each in found]
    if not isinstance(text, str):
        raise InferenceError(f"A hypothesis is a text such as 'treatment == 0', not {text!r}.")
    language = plan.design.language
    if is_contrast_clause(text, language):
        asked = parse_clause(text, language)
        if not isinstance(asked, Comparisons):
            return [_against(plan, none_of(plan, asked), against)]
        return [_against(plan, _checked(plan, of_test(plan.design, asked), asked), against)]
    test = parse_test(text, language)
    return [_against(plan, _checked(plan, named_test(plan, test), test), against)]


def _checked(plan: Plan, said: Hypothesis, test: Comparisons) -> Hypothesis:
    """Return a hypothesis, or raise a FormulaError if it has no meaning on the scale that it names."""
    if said.response:
        from formulajoint.compiler.planning.contrasts.response import check_test

        check_test(plan_of(plan, said), said, test.scale)
    return said


def _against(plan: Plan, tested: Hypothesis, against: str | None) -> Hypothesis:
    """Return a hypothesis with its alternative.

    Raises
    ------
    InferenceError
        If there is no such alternative, or the hypothesis has none.
    """
    if against is None:
        return tested
    if against not in AGAINST.words:
        raise InferenceError(f"`against` is {' or '.join(map(repr, AGAINST.words))}, not {against!r}.")
    effects = effects_tested(plan_of(plan, tested).design, tested)
    if isinstance(effects, Missing):
        raise InferenceError(f"against={against!r} cannot be used for `{tested.label}`: {effects.reason}.")
    return replace(tested, against=against)


def unasked(plan: Plan) -> list[Hypothesis]:
    """Return the default tests, that each slope is zero in every group, then the formula's own; none of them twice."""
    return [*(_all_zero(plan, *slope) for slope in _slopes(plan)), *plan.tests]


def printed(plan: Plan) -> list[Hypothesis]:
    """Return the hypotheses whose tests a printed fit shows: without those over too many groups, which take long."""
    return list(plan.tests) if too_many(plan) else unasked(plan)


def left_out(plan: Plan) -> list[str]:
    """Return the labels of the hypotheses whose tests a printed fit leaves out."""
    slopes = _slopes(plan) if too_many(plan) else []
    return [labelled(text_of_all_zero(term), factor) for factor, term in slopes]


def too_many(plan: Plan) -> int:
    """Return the number of groups if they are too many for a printed fit, else 0."""
    factors = {own.factor for own in (*plan.contrasts, *plan.tests)}
    predictor = plan.design.predictor
    asked = [predictor.grouping, *(b.grouping for name, b in predictor.by_factor.items() if name in factors)]
    groups = max((len(own) for own in asked if own is not None), default=0)
    return groups if groups > MOST_TESTED else 0


def _slopes(plan: Plan) -> list[tuple[str, Term]]:
    """Return the slopes of each factor, by the factor's name, that no test of the formula is about."""
    asked = {(test.text, test.factor) for test in plan.tests}
    slopes = [("", term) for term in plan.design.predictor.per_group]
    averages = [c for c in plan.contrasts if isinstance(c, AveragePlan) and c.factor]
    slopes += dict.fromkeys((c.factor, c.coefficient.term) for c in averages)
    return [
        (factor, term)
        for factor, term in slopes
        if term.name != "Intercept" and (text_of_all_zero(term), factor) not in asked
    ]


def _all_zero(plan: Plan, factor: str, term: Term) -> Hypothesis:
    """Return the hypothesis that a term's coefficients are zero in all groups right of the bar, or of a factor."""
    seen = plan_over(plan, factor)
    return replace(all_zero(seen.design, term), factor=factor, over=bool(factor))
