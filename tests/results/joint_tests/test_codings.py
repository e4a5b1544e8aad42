"""Bayes factors of factors under all codings, and what the notes say where they depend on one."""

from __future__ import annotations

from math import log, sqrt

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.compiler.plan import Plan
from formulajoint.contrasts.hypotheses import Hypothesis, hypothesis
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.results.joint_tests.bayes_factor.equalities import equality
from formulajoint.results.joint_tests.codings import coding_note
from formulajoint.spec.read import parse_hypotheses

RNG = np.random.default_rng(31)
ROWS = 60
DATA = pd.DataFrame(
    {
        "arm": np.array(list("pqr"))[np.arange(ROWS) % 3],
        "sex": np.array(["f", "m"])[np.arange(ROWS) // 3 % 2],
        "school": np.array(list("ABC"))[np.arange(ROWS) // 20],
        "x": RNG.normal(size=ROWS),
        "y": RNG.normal(size=ROWS) + np.arange(ROWS) % 3 * 0.4,
    }
)
CODINGS = [
    *(f"C(arm, ref={level})" for level in "pqr"),
    *(f"C(arm, coding={c})" for c in ("sum", "helmert", "poly")),
]
SEXES = [
    *(f"C(sex, ref={level})" for level in "fm"),
    *(f"C(sex, coding={c})" for c in ("sum", "helmert", "poly")),
]


def read(plan: Plan, text: str) -> Hypothesis:
    return hypothesis(plan.design, parse_hypotheses(text))


def factor(formula: str, text: str, data: pd.DataFrame = DATA) -> float:
    plan = fj.model(formula, data).plan
    found = equality(plan, read(plan, text))
    assert isinstance(found, LogIntegral), found
    return found.value


def note(formula: str, text: str) -> str:
    plan = fj.model(formula, DATA).plan
    return coding_note(plan, read(plan, text))


# --- one Bayes factor


@pytest.mark.parametrize("values", [(0, 1), (1, 2), (0, 100), (-1, 1), (False, True)])
def test_two_values_have_one_bayes_factor(values: tuple[float, float]) -> None:
    """Only the intercept's prior differs, since it is at zero: less than 0.03."""
    low, high = values
    assert factor("y ~ t", "t == 0", DATA.assign(t=np.where(DATA["sex"] == "m", high, low))) == pytest.approx(
        factor("y ~ sex", "sex == 0"), abs=0.03
    )


@pytest.mark.parametrize(("formula", "groups"), [("y ~ {}", 1), ("y ~ {} + x", 1), ("y ~ {} | school", 3)])
@pytest.mark.parametrize("terms", [CODINGS, SEXES])
def test_that_all_levels_are_equal_has_one_bayes_factor(formula: str, groups: int, terms: list[str]) -> None:
    """With one scale for all codings, that of helmert would be lower by log 6 in each group of three arms."""
    found = [factor(formula.format(term), f"{term} == 0") for term in terms]
    assert max(found) - min(found) < 0.05 * groups


def test_a_difference_has_a_wider_prior_where_neither_level_is_the_reference() -> None:
    """By Savage and Dickey log BF10 is less by nearly log sqrt 2."""
    with_it, without = (
        factor(f"y ~ C(arm, ref={ref})", f"C(arm, ref={ref})[q] == C(arm, ref={ref})[r]") for ref in "rp"
    )
    assert with_it - without == pytest.approx(log(sqrt(2)), abs=0.03)
    full = [factor("y ~ 0 + arm", f"arm[{a}] == arm[{b}]", data) for data, a, b in _relabelled()]
    assert full[0] == pytest.approx(full[1], abs=1e-9)


def _relabelled() -> list[tuple[pd.DataFrame, str, str]]:
    other = DATA.assign(arm=DATA["arm"].map({"p": "r", "q": "p", "r": "q"}))
    return [(DATA, "q", "r"), (other, "p", "q")]


def test_an_order_has_one_prior_probability_without_a_reference_level() -> None:
    """1/8, 1/4, 1/8 by reference level, and 1/6 without: the posterior's probability is the same."""
    notes, probabilities = {}, []
    for ref in "pqr":
        term = f"C(arm, ref={ref})"
        row = (
            fj.fit(f"y ~ {term}", DATA, seed=1, progress=False)
            .test(f"{term}[r] > {term}[q] > {term}[p]")
            .iloc[0]
        )
        notes[ref] = row["note"]
        probabilities.append(row["p_all_positive"])
    for ref, prior in {"p": "0.125", "q": "0.25", "r": "0.125"}.items():
        assert (
            f"its prior probability, {prior}, depends on the coding of arm (reference level {ref})"
            in notes[ref]
        )
    assert max(probabilities) - min(probabilities) < 0.05
    row = fj.fit("y ~ 0 + arm", DATA, seed=1, progress=False).test("arm[r] > arm[q] > arm[p]").iloc[0]
    assert "its prior probability is 0.167" in row["note"]
    assert "coding" not in row["note"]
    assert row["log_bf10"] == pytest.approx(log(6 * row["p_all_positive"]))


def test_a_bayes_factor_that_depends_on_the_coding_says_so() -> None:
    row = fj.fit("y ~ arm", DATA, seed=1, draws=250, progress=False).test("arm[q] == arm[r]").iloc[0]
    assert (
        "log BF10 depends on the coding of arm (reference level p): without the intercept (`0 + ...`) all levels "
        "have the same prior"
    ) in row["note"].split("; ")


# --- where a note stands

CURE = "without the intercept (`0 + ...`) all levels have the same prior"
OTHER = "fit with another coding to see by how much"
POOLED = "y ~ arm | school, hierarchy()"


@pytest.mark.parametrize(
    ("formula", "text", "said"),
    [
        # one level of three, a difference, an order: in every group, or in one
        ("y ~ arm", "arm[q] == 0", f"depends on the coding of arm (reference level p): {CURE}"),
        ("y ~ arm", "arm[q] == arm[r]", f"depends on the coding of arm (reference level p): {CURE}"),
        ("y ~ arm | school", "arm[arm=q] == 0", f"depends on the coding of arm (reference level p): {CURE}"),
        ("y ~ arm", "arm[q] > arm[r]", f"depends on the coding of arm (reference level p): {CURE}"),
        (POOLED, "arm[A, q] > arm[A, r]", f"depends on the coding of arm (reference level p): {CURE}"),
        (
            "y ~ C(arm, coding=sum)",
            "C(arm, coding=sum)[p] == C(arm, coding=sum)[q]",
            f"depends on the coding of arm: {CURE}",
        ),
        ("y ~ sex * arm", "sex:arm[m, q] == 0", f"depends on the coding of arm (reference level p): {OTHER}"),
        # all levels, however it is written, and of some groups
        ("y ~ arm", "arm == 0", ""),
        ("y ~ arm", "arm[q] == arm[r], arm[r] == 0", ""),
        ("y ~ arm | school", "arm == 0", ""),
        ("y ~ arm | school", "arm[school=A] == arm[school=B]", ""),
        (POOLED, "arm == arm[school=A]", ""),
        ("y ~ arm + x", "arm == 0, x == 0", ""),
        ("y ~ sex * arm", "sex:arm == 0", ""),
        # one column only
        ("y ~ arm | school", "arm[A, q] > arm[B, q] > 0", ""),
        ("y ~ arm", "arm[q] > 0", ""),
        # levels that are alike
        ("y ~ 0 + arm", "arm[q] == arm[r]", ""),
        ("y ~ 0 + arm | school, hierarchy()", "arm[A, r] > arm[A, q] > arm[A, p]", ""),
        ("y ~ C(arm, coding=poly)", "C(arm, coding=poly)[linear] == 0", ""),
        ("y ~ sex", "sex[m] == 0", ""),
        ("y ~ x | school", "x[A] > x[B] > 0", ""),
    ],
)
def test_a_note_where_it_depends_on_the_coding(formula: str, text: str, said: str) -> None:
    assert note(formula, text) == said


def test_a_prior_of_ones_own_may_set_levels_apart() -> None:
    """Independent normals do not mind a rotation; a Student prior does, and so does a mean that is not zero."""
    term = "C(arm, coding=poly)"
    for law, said in (("normal(0, 2)", False), ("normal(1, 2)", True), ("student_t(3, 0, 2)", True)):
        assert bool(note(f"y ~ {term}, prior({term} ~ {law})", f"{term}[linear] > {term}[quadratic]")) == said
    assert note(f"y ~ {term} | school, hierarchy()", f"{term}[A, linear] > {term}[A, quadratic]") != ""
