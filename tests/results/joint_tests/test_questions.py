"""What is asked of a fit as a hypothesis."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from formulajoint.compiler.plan import Plan
from formulajoint.errors import FormulaError
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.joint_tests.questions import hypotheses


@pytest.fixture
def plan(made_up: Callable[..., Posterior], tutoring: pd.DataFrame) -> Plan:
    """Return a plan with a contrast."""
    formula = "test_score ~ treatment | school, sigma ~ 1 | school, joint(treatment)"
    return made_up(formula, tutoring).plan


def test_a_contrast_stands_beside_coefficients(plan: Plan) -> None:
    (said,) = hypotheses(plan, "treatment[A] > joint_treatment")
    assert said.rows.toarray()[0, 2:].tolist() == pytest.approx([0.6, -0.6])


def test_a_parameter_is_no_coefficient_of_the_mean(plan: Plan) -> None:
    with pytest.raises(
        FormulaError, match="tests and contrast families compare coefficients of the mean"
    ) as error:
        hypotheses(plan, "sigma[A] == sigma[B]")
    assert error.value.hint == "`contrast(...)` takes it: `contrast(sigma[A] - sigma[B])`"
