"""Draws from the prior: what the model expects before it has seen any data."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj

FORMULA = "test_score ~ treatment | school, joint(weights=n)"


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    return fj.tutoring().assign(w=[1, 2] * 5)


def test_every_variable_and_new_responses_are_drawn(data: pd.DataFrame) -> None:
    tree = fj.model(FORMULA, data).prior_predictive(2000, seed=1)
    assert {"prior", "prior_predictive", "observed_data"} <= set(tree.children)
    prior, new = tree["prior"], tree["prior_predictive"]["test_score"]
    assert dict(prior["treatment"].sizes) == {"chain": 1, "draw": 2000, "school": 2}
    assert dict(new.sizes) == {"chain": 1, "draw": 2000, "obs": 10}
    assert float(prior["treatment"].std()) == pytest.approx(39.44, rel=0.05)  # the prior is normal(0, 39.44)
    joint = 0.4 * prior["treatment"].sel(school="A") + 0.6 * prior["treatment"].sel(school="B")
    assert np.allclose(prior["joint_treatment"], joint)
    assert tree["observed_data"]["test_score"].to_numpy().tolist() == data["test_score"].tolist()


def test_new_responses_follow_the_parameters_drawn_with_them(data: pd.DataFrame) -> None:
    tree = fj.model(FORMULA, data).prior_predictive(1000, seed=1)
    prior, new = tree["prior"], tree["prior_predictive"]["test_score"]
    untreated = prior["Intercept"].sel(school="A")  # the first two rows
    away = (new.isel(obs=0) - untreated) / prior["sigma"]
    assert float(away.mean()) == pytest.approx(0, abs=0.15)
    assert float(away.std()) == pytest.approx(1, abs=0.1)


def test_a_seed_gives_the_same_draws_and_another_others(data: pd.DataFrame) -> None:
    model = fj.model(FORMULA, data)
    first, again, other = (
        model.prior_predictive(20, seed=s)["prior_predictive"]["test_score"] for s in (1, 1, 2)
    )
    assert first.equals(again)
    assert not first.equals(other)


def test_weighted_rows_are_drawn_once_each_from_the_same_distribution(data: pd.DataFrame) -> None:
    tree = fj.model(f"{FORMULA}, weights(w), prior(sigma ~ constant(2))", data).prior_predictive(3000, seed=1)
    new = tree["prior_predictive"]["test_score"]
    assert dict(new.sizes) == {"chain": 1, "draw": 3000, "obs": 10}
    noise = new.isel(obs=[0, 1]) - tree["prior"]["Intercept"].sel(school="A")
    assert noise.std(("chain", "draw")).to_numpy() == pytest.approx([2, 2], rel=0.05)  # weights 1 and 2


def test_hierarchies_and_student_responses_are_drawn(data: pd.DataFrame) -> None:
    formula = (
        "test_score ~ treatment | school, hierarchy(), sigma ~ 1 | school, hierarchy(sigma), family(student)"
    )
    tree = fj.model(formula, data).prior_predictive(50, seed=1)
    assert {"treatment_mean", "treatment_sd", "school_cor", "sigma_mean", "nu"} <= set(
        tree["prior"].data_vars
    )
    assert np.isfinite(tree["prior_predictive"]["test_score"]).all()


@pytest.mark.parametrize(
    ("formula", "priors", "named"),
    [
        (FORMULA, "flat", "`Intercept`, `treatment`, `sigma` have one"),
        (f"{FORMULA}, prior(sigma ~ flat())", None, "`sigma` has one"),
        ("test_score ~ treatment | school, hierarchy(treatment)", "flat", "`treatment_mean`"),
    ],
)
def test_nothing_can_be_drawn_from_a_flat_prior(
    data: pd.DataFrame, formula: str, priors: str | None, named: str
) -> None:
    with pytest.raises(fj.InferenceError) as error:
        fj.model(formula, data, priors=priors).prior_predictive()
    assert named in str(error.value)


@pytest.mark.parametrize(
    "settings", [{"draws": 0}, {"draws": 2.5}, {"draws": "9"}, {"seed": -1}, {"seed": "one"}]
)
def test_settings_without_sense_are_refused_by_name(data: pd.DataFrame, settings: dict[str, object]) -> None:
    (name,) = settings
    with pytest.raises(fj.InferenceError, match=f"^`{name}` must be a whole number of "):
        fj.model(FORMULA, data).prior_predictive(**settings)  # type: ignore[arg-type]


def test_nothing_is_printed_or_logged(
    data: pd.DataFrame, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        fj.model(FORMULA, data).prior_predictive(5)
    assert not caplog.records
    out, err = capfd.readouterr()
    assert out + err == ""
