"""``fit.test`` and ``fit.bands`` on draws that are given, not sampled."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from xarray import Dataset, DataTree

import formulajoint as fj
from formulajoint.errors import FormulaError, InferenceError
from formulajoint.results.posterior import Posterior


def fit_of(formula: str, data: pd.DataFrame, centre: float = 0.0) -> fj.Fit:
    """Return a fit whose coefficients are 400 draws of N(centre, 1)."""
    model, rng = fj.model(formula, data), np.random.default_rng(1)
    variables = {
        c.name: (
            ("chain", "draw", *c.dims),
            rng.normal(centre, 1, (4, 100, *(len(model.plan.coords[d]) for d in c.dims))),
        )
        for c in model.plan.mean.coefficients
    }
    variables["sigma"] = (("chain", "draw"), rng.gamma(9, 0.1, (4, 100)))
    dataset = Dataset(variables, {dim: list(labels) for dim, labels in model.plan.coords.items()})
    return fj.Fit(model, Posterior(model.plan, DataTree.from_dict({"posterior": dataset}), "given"))


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    """Return the seed data with an age, and classes within the schools."""
    frame = fj.tutoring()
    return frame.assign(age=[11, 12, 11, 13, 12, 12, 11, 13, 12, 11], room=[1, 2, 1, 2, 1, 1, 2, 1, 2, 2])


def test_every_slope_of_the_groups_is_tested_for_zero(data: pd.DataFrame) -> None:
    fit = fit_of("test_score ~ treatment + age + common(room) | school", data)
    table = fit.test()
    assert list(table.index) == ["treatment == 0", "age == 0"]
    pd.testing.assert_frame_equal(table, pd.concat([fit.test("treatment == 0"), fit.test("age == 0")]))
    assert list(table["df_num"]) == [2, 2]


def test_the_rope_and_the_text_reach_the_table(data: pd.DataFrame) -> None:
    fit = fit_of("test_score ~ treatment | school", data)
    draws = fit.posterior["treatment"].to_numpy()
    table = fit.test("treatment[A] = treatment[B]", rope=0.5)
    assert list(table.index) == ["treatment[A] == treatment[B]"]
    inside = np.mean(abs(draws[..., 0] - draws[..., 1]) < 0.5)
    assert table["p_in_rope"].item() == pytest.approx(inside)
    assert np.isnan(fit.test()["p_in_rope"].item())
    order = fit.test("treatment[A] > treatment[B] > 0")
    expected = np.mean((draws[..., 0] > draws[..., 1]) & (draws[..., 1] > 0))
    assert order["p_all_positive"].item() == pytest.approx(expected)


def test_bands_of_all_slopes_and_of_one_hypothesis(data: pd.DataFrame) -> None:
    fit = fit_of("test_score ~ treatment + age | school", data, centre=3)
    names = ["treatment[A]", "treatment[B]", "age[A]", "age[B]"]
    assert list(fit.bands().index) == names
    table = fit.bands("treatment == treatment[A]", prob=0.5)
    assert list(table.index) == ["treatment[B] - treatment[A]"]
    difference = fit.posterior["treatment"].sel(school="B") - fit.posterior["treatment"].sel(school="A")
    inside = (difference >= table["low"].item()) & (difference <= table["high"].item())
    assert float(inside.mean()) == pytest.approx(0.5, abs=0.01)
    wide, narrow = fit.bands(), fit.bands(prob=0.5)
    assert (wide["high"] > narrow["high"]).all()
    assert ((wide["low"] > -0.5) & (wide["high"] < 6.5)).all()


def test_shared_terms_are_tested_by_name(data: pd.DataFrame) -> None:
    fit = fit_of("test_score ~ treatment + common(age) | school", data)
    table = fit.test("treatment == age")
    assert table["rank"].item() == 2
    assert table["p_value"].item() < 1


def test_nested_groups_are_tested_by_their_labels(data: pd.DataFrame) -> None:
    fit = fit_of("test_score ~ 1 | school/room", data)
    table = fit.test("Intercept[A/1] == Intercept[A/2], Intercept[B/1] == Intercept[B/2]")
    assert table["rank"].item() == 2


@pytest.mark.parametrize(
    "formula", ["test_score ~ 1 | school", "test_score ~ treatment", "test_score ~ common(age) | school"]
)
def test_without_slopes_by_group_a_hypothesis_must_be_named(data: pd.DataFrame, formula: str) -> None:
    fit = fit_of(formula, data)
    for ask in (fit.test, fit.bands):
        with pytest.raises(InferenceError, match="name a hypothesis, such as `x == 0`"):
            ask()


@pytest.mark.parametrize(
    ("text", "excerpt"),
    [
        ("tretment == 0", "    tretment == 0\n    ^^^^^^^^\n\ndid you mean `treatment`?"),
        ("treatment[C] == 0", "    treatment[C] == 0\n              ^\n"),
        ("treatment", "    treatment\n"),
        ("treatment != 0", "    treatment != 0\n"),
        ("treatment ~ 1", "    treatment ~ 1\n"),
    ],
)
def test_a_wrong_hypothesis_is_shown_its_place(data: pd.DataFrame, text: str, excerpt: str) -> None:
    fit = fit_of("test_score ~ treatment | school", data)
    for ask in (fit.test, fit.bands):
        with pytest.raises(FormulaError) as error:
            ask(text)
        assert excerpt in str(error.value)


def test_a_formula_is_no_hypothesis(data: pd.DataFrame) -> None:
    fit = fit_of("test_score ~ treatment | school", data)
    with pytest.raises(InferenceError, match="A hypothesis is a text such as 'treatment == 0', not 0"):
        fit.test(0)
