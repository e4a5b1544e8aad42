"""The heights of a contrast's prior and posterior at zero, against the Bayes factor and the prior worked out by hand."""

from __future__ import annotations

import math

import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.compiler.plan import Plan
from formulajoint.contrasts.hypotheses import hypothesis
from formulajoint.remarks import Missing
from formulajoint.results.joint_tests.bayes_factor.equalities import equality
from formulajoint.results.joint_tests.bayes_factor.savage_dickey import SavageDickey, savage_dickey
from formulajoint.spec.read import parse_hypotheses

FORMULA = "test_score ~ treatment | school, prior(treatment ~ normal(2, 5)), "


def plan_of(clauses: str, data: pd.DataFrame) -> Plan:
    return fj.model(FORMULA + clauses, data).plan


def log_bf10(plan: Plan, text: str) -> float:
    found = equality(plan, hypothesis(plan.design, parse_hypotheses(text)))
    assert not isinstance(found, Missing)
    return found.value


def test_the_ratio_is_the_bayes_factor_and_the_prior_that_of_the_sum(tutoring: pd.DataFrame) -> None:
    plan = plan_of("joint(weights=n)", tutoring)
    found = savage_dickey(plan, plan.contrasts[0])
    assert isinstance(found, SavageDickey)
    assert found.mean == pytest.approx(2)
    assert found.sd == pytest.approx(5 * math.hypot(0.4, 0.6))
    height = math.exp(-0.5 * (found.mean / found.sd) ** 2) / (found.sd * math.sqrt(2 * math.pi))
    assert found.prior_height == pytest.approx(height)
    assert found.log_bf10 == pytest.approx(log_bf10(plan, "0.4*treatment[A] + 0.6*treatment[B] == 0"))
    assert math.log(found.prior_height / found.posterior_height) == pytest.approx(found.log_bf10)


def test_a_scale_divides_the_prior_and_leaves_the_ratio(tutoring: pd.DataFrame) -> None:
    plain, halved = plan_of("joint()", tutoring), plan_of("joint(scale=2)", tutoring)
    a, b = savage_dickey(plain, plain.contrasts[0]), savage_dickey(halved, halved.contrasts[0])
    assert isinstance(a, SavageDickey)
    assert isinstance(b, SavageDickey)
    assert b.sd == pytest.approx(a.sd / 2)
    assert b.prior_height == pytest.approx(2 * a.prior_height)
    assert b.log_bf10 == pytest.approx(a.log_bf10)


def test_each_level_of_a_factor_has_its_own(clinics: pd.DataFrame) -> None:
    plan = fj.model("outcome ~ arm | clinic, joint(weights=equal)", clinics).plan
    for cell, level in enumerate(("high", "low")):
        found = savage_dickey(plan, plan.contrasts[0], cell)
        assert isinstance(found, SavageDickey)
        total = " + ".join(f"arm[{clinic}, {level}]" for clinic in ("east", "north", "south"))
        assert found.log_bf10 == pytest.approx(log_bf10(plan, f"{total} == 0"))


@pytest.mark.parametrize(
    ("clause", "hypotheses"),
    [
        ("contrast(2*treatment[A] - treatment[B] - 3)", ["2*treatment[A] - treatment[B] == 3"]),
        ("pairwise(treatment)", ["treatment[B] == treatment[A]"]),
    ],
)
def test_families_and_arithmetic_have_theirs(
    tutoring: pd.DataFrame, clause: str, hypotheses: list[str]
) -> None:
    plan = plan_of(clause, tutoring)
    for cell, text in enumerate(hypotheses):
        found = savage_dickey(plan, plan.contrasts[0], cell)
        assert isinstance(found, SavageDickey)
        assert found.log_bf10 == pytest.approx(log_bf10(plan, text))
        assert math.log(found.prior_height / found.posterior_height) == pytest.approx(found.log_bf10)


@pytest.mark.parametrize(
    ("clauses", "reason"),
    [
        ("hierarchy(Intercept), joint()", "no Savage-Dickey ratio yet but for normal priors"),
        ("prior(Intercept ~ cauchy(0, 9)), joint()", "no Savage-Dickey ratio yet but for normal priors"),
        ("rms()", "no Savage-Dickey ratio yet but for contrasts that are linear"),
        ("joint(scale=sigma)", "no Savage-Dickey ratio yet but for contrasts that are linear"),
        (
            "sigma ~ 1 | school, joint(weights=precision)",
            "no Savage-Dickey ratio yet but for contrasts that are linear",
        ),
        (
            "contrast(treatment[A] / treatment[B])",
            "no Savage-Dickey ratio yet but for contrasts that are linear",
        ),
        (
            "contrast(treatment[A] * treatment[B])",
            "no Savage-Dickey ratio yet but for contrasts that are linear",
        ),
        ("joint(weights=dirichlet([4, 6]))", "no Savage-Dickey ratio yet but for contrasts that are linear"),
        ("sigma ~ 1 | school, joint()", "no Bayes factor: it must fix all coefficients of a term"),
    ],
)
def test_what_is_not_known_is_said(tutoring: pd.DataFrame, clauses: str, reason: str) -> None:
    plan = plan_of(clauses, tutoring)
    found = savage_dickey(plan, plan.contrasts[0])
    assert isinstance(found, Missing)
    assert found.reason.startswith(reason)
