"""Joint tests against effects of one kind, and what is said where figures disagree: through fits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.errors import FormulaError, InferenceError


def schools(groups: int, rows: int, effects: list[float] | float, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    g, x = np.repeat(np.arange(groups), rows), np.tile(np.arange(rows) % 2, groups)
    y = np.broadcast_to(effects, groups)[g] * x + rng.normal(size=len(g))
    return pd.DataFrame({"y": y, "x": x, "g": [f"s{each:02d}" for each in g]})


@pytest.fixture(scope="module")
def small() -> fj.Fit:
    """Return a fit to twenty schools with effects of 0.6 sds: far smaller than the default prior expects."""
    return fj.fit("y ~ x | g", schools(20, 12, 0.6), seed=1)


def test_both_bayes_factors_stand_side_by_side(small: fj.Fit) -> None:
    row = small.test().loc["x == 0"]
    asked = small.test("x == 0", against="hierarchy").iloc[0]
    assert row["log_bf10"] < -10 < 3 < row["log_bf10_hierarchy"]
    assert asked["log_bf10"] == row["log_bf10_hierarchy"] == asked["log_bf10_hierarchy"]
    assert row["verdict"] == asked["verdict"] == "for"
    assert row["verdict_low"] > np.log(3)
    assert row["log_bf10"] == pytest.approx(small.sensitivity("x == 0", 1.0)["log_bf10"].item())
    assert "each of 20 coefficients pays for its own wide prior" in row["note"]
    assert "wide prior" not in asked["note"]


def test_a_print_has_both_and_the_verdict(small: fj.Fit) -> None:
    line = next(line for line in str(small).splitlines() if line.startswith("x == 0 in every g"))
    row = small.test().loc["x == 0"]
    for figure in ("log_bf10_hierarchy", "log_bf10"):
        assert f" {row[figure]:.2f} " in line
    assert " an effect " in line
    (record,) = small.record()["tests"]
    assert record["verdict"] == "for"
    assert record["log_bf10_hierarchy"] == row["log_bf10_hierarchy"]


def test_the_text_names_the_alternative_as_a_clause_does(small: fj.Fit) -> None:
    by_text = small.test("x = 0, against=hierarchy")
    by_clause = fj.fit("y ~ x | g, test(x == 0, against=hierarchy)", schools(20, 12, 0.6), seed=1).test()
    assert list(by_text.index) == list(by_clause.index) == ["x == 0"]
    assert by_text["log_bf10"].item() == by_clause["log_bf10"].item()
    assert by_text["log_bf10"].item() == small.test("x == 0", against="hierarchy")["log_bf10"].item()


def test_one_large_effect_is_named() -> None:
    data = schools(40, 10, [2.5 * (each == 17) for each in range(40)], seed=3)
    note = fj.fit("y ~ x | g", data, seed=1).test()["note"].item()
    assert "x[s17] stands out by itself" in note


def test_under_a_hierarchy_the_contour_is_weak_and_its_own_bayes_factor_is_of_one_kind() -> None:
    fit = fj.fit("y ~ x | g, hierarchy(x)", schools(6, 12, 0.0), seed=1)
    row, asked = fit.test("x == 0").iloc[0], fit.test("x == 0", against="hierarchy").iloc[0]
    assert "under a hierarchy the contour is weak" in row["note"]
    assert "the model's own effects are of one kind" in asked["note"]
    assert asked["log_bf10"] == row["log_bf10"]
    assert np.isnan(asked["log_bf10_hierarchy"])
    assert row["verdict"] in ("against", "depends")
    assert row["verdict_high"] < 3


def test_flat_priors_leave_the_bayes_factor_against_effects_of_one_kind() -> None:
    row = fj.fit("y ~ x | g", schools(20, 12, 0.6), priors="flat", seed=1).test().iloc[0]
    assert np.isnan(row["log_bf10"])
    assert row["log_bf10_hierarchy"] > 3
    assert row["verdict"] == "for"


@pytest.mark.parametrize("text", ["x[s01] > 0", "x[s01] == 0", "x == 1"])
def test_other_hypotheses_are_refused(small: fj.Fit, text: str) -> None:
    with pytest.raises(InferenceError, match="cannot be used for"):
        small.test(text, against="hierarchy")
    with pytest.raises(FormulaError, match="`against=hierarchy` cannot be used for this hypothesis") as error:
        small.test(f"{text}, against=hierarchy")
    assert error.value.span.start == len(text) + 2
    with pytest.raises(FormulaError, match="`against=hierarchy` cannot be used for this hypothesis"):
        fj.model(f"y ~ x | g, test({text}, against=hierarchy)", schools(3, 4, 0.0))


def test_other_alternatives_are_refused(small: fj.Fit) -> None:
    with pytest.raises(InferenceError, match="`against` is 'hierarchy'"):
        small.test("x == 0", against="normal")
    with pytest.raises(FormulaError, match="`against` must be `hierarchy`, not `normal`"):
        small.test("x == 0, against=normal")
