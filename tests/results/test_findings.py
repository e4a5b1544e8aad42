"""What a fit says, computed once; of many coefficients those that are shown."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.remarks import Missing
from formulajoint.results.draws.posterior import Effect


def fit_of(groups: int) -> fj.Fit:
    rng, g = np.random.default_rng(0), np.repeat(np.arange(groups), 4)
    data = pd.DataFrame({"y": rng.normal(size=len(g)), "x": rng.normal(size=len(g)), "g": g})
    return fj.fit("y ~ x | g, joint()", data, seed=1, draws=50, chains=2, engine="exact")


@pytest.fixture(scope="module")
def many() -> fj.Fit:
    return fit_of(30)


def test_of_many_coefficients_those_of_all_groups_are_shown_first(many: fj.Fit) -> None:
    found = many._findings()
    assert found.shown.effects[:2] == (Effect("sigma"), Effect("x", ("0",), ("0",)))
    assert (len(found.shown.effects), found.not_shown) == (24, 61 - 24)
    labels = [effect.label for effect in found.shown.effects]
    pd.testing.assert_frame_equal(found.shown.table, found.summary.table.loc[labels], check_exact=True)


def test_independent_draws_of_many_coefficients_are_judged_by_those_shown(many: fj.Fit) -> None:
    found = many._findings()
    assert found.judged is found.shown
    assert "(of the rows shown); mind" in " ".join(str(many).split())
    least = found.shown.table["ess_bulk"].min()
    assert f"smallest ess_bulk {least:.0f}, " in str(many)


def test_few_coefficients_are_all_judged() -> None:
    few = fit_of(20)
    assert few._findings().judged is few._findings().summary
    assert "of the rows shown" not in str(few)


def test_everything_is_computed_once(many: fj.Fit) -> None:
    found = many._findings()
    assert many._findings() is found
    assert found.tests is found.all_tests  # so few groups are all tested
    assert many._findings(0.5) is not found
    assert many._findings(0.5) is many._findings(0.5)


def test_bayes_factors_of_what_nobody_asked_about_are_left_to_fit_test_where_they_take_long() -> None:
    rng = np.random.default_rng(2)
    school = np.repeat(np.arange(40), 8)
    treated, pretest = np.arange(320) % 2, rng.normal(size=320)
    score = 0.4 * treated + pretest + rng.normal(size=320)
    data = pd.DataFrame(
        {"score": score, "treated": treated, "pretest": pretest, "school": school.astype(str)}
    )
    formula = "score ~ treated + pretest | school, hierarchy(treated){}"
    fit = fj.fit(formula.format(", joint(treated)"), data, seed=1, draws=200, progress=False)
    found = fit._findings()
    for tests in (found.tests, found.all_tests):
        assert [test.hypothesis.label for test in tests] == ["treated == 0", "pretest == 0"]
        asked, beside = tests
        assert isinstance(asked.bayes_factor, LogIntegral)
        assert isinstance(beside.bayes_factor, Missing)
        assert beside.note.count("`fit.test()` has it") == 1
        assert beside.classical is not None
    few = data[data["school"].isin(list("12345"))]
    small = fj.fit(formula.format(", joint(treated)"), few, seed=1, draws=200, progress=False)
    assert all(isinstance(test.bayes_factor, LogIntegral) for test in small._findings().tests)


def test_of_pooled_sigmas_a_report_shows_the_printed_tests_unless_the_formula_asks() -> None:
    """A Bayes factor is then several evidences, each of many integrals."""
    noise = np.random.default_rng(1).normal(size=len(fj.tutoring()))
    data = fj.tutoring().assign(test_score=noise)  # no effect: the verdict takes many scales of the prior
    for clause, complete in (("", False), (", joint(treatment)", True)):
        formula = f"test_score ~ treatment | school, sigma ~ 1 | school, hierarchy(sigma){clause}"
        found = fj.fit(formula, data, draws=300, chains=2, seed=1, engine="exact")._findings()
        assert not any(test.is_complete for test in found.tests)
        assert (found.all_tests is found.tests) == (not complete)
        assert all(test.is_complete for test in found.all_tests) == complete
