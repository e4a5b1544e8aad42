"""Hypotheses to test: that of a text or, by default, that every slope is zero in every group."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from formulajoint.compiler.plan import Plan
from formulajoint.contrasts.hypotheses import Hypothesis, all_zero, hypothesis
from formulajoint.errors import FormulaError, InferenceError
from formulajoint.language.syntax.nodes import Name, walk
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.joint_tests.table import joint_table
from formulajoint.spec.read import parse_hypotheses
from formulajoint.wording import listed

MOST_TESTED = 100
"""A printed fit shows joint tests over at most this many groups; ``test()`` always shows them."""


def hypotheses(plan: Plan, text: str | None) -> list[Hypothesis]:
    """Return `text` as restrictions of coefficients; None stands for the default tests, then those of the formula.

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
        return found
    if not isinstance(text, str):
        raise InferenceError(f"A hypothesis is a text such as 'treatment == 0', not {text!r}.")
    comparisons = parse_hypotheses(text, plan.design.language)
    _refuse_contrasts(plan, [part for part in walk(comparisons) if isinstance(part, Name)])
    return [hypothesis(plan.design, comparisons)]


def _refuse_contrasts(plan: Plan, names: Iterable[Name]) -> None:
    """Raise a FormulaError for the name of a contrast, which is not a coefficient."""
    contrasts = {contrast.name for contrast in plan.contrasts} - {
        term.name for term in plan.design.predictor.terms
    }
    for name in names:
        if name.id in contrasts:
            message = f"a test takes coefficients; `{name.id}` is a contrast"
            raise FormulaError(message, name.span, "its draws and summary are in `fit.contrasts()`")


def unasked(plan: Plan) -> list[Hypothesis]:
    """Return the default tests, that each slope is zero in every group, then the formula's own; none of them twice."""
    return [*_of_slopes(plan), *plan.tests]


def printed_tests(posterior: Posterior) -> pd.DataFrame | None:
    """Return the joint tests that a printed fit shows, without those over too many groups, which take long."""
    plan = posterior.plan
    found = list(plan.tests) if _too_many(plan) else unasked(plan)
    return joint_table(posterior, found) if found else None


def untested(plan: Plan) -> list[str]:
    """Return the note on joint tests that a printed fit leaves out, if there are any."""
    groups = _too_many(plan)
    left_out = [test.label for test in _of_slopes(plan)] if groups else []
    said = f"The joint tests of {groups} groups take a while: fit.test() has {listed(left_out, 6)}."
    return [said] if left_out else []


def _too_many(plan: Plan) -> int:
    """Return the number of groups if they are too many for a printed fit, else 0."""
    grouping = plan.design.predictor.grouping
    return len(grouping) if grouping is not None and len(grouping) > MOST_TESTED else 0


def _of_slopes(plan: Plan) -> list[Hypothesis]:
    asked = {test.text for test in plan.tests}
    slopes = [term for term in plan.design.predictor.per_group if term.name != "Intercept"]
    return [found for term in slopes if (found := all_zero(plan.design, term)).text not in asked]
