"""A fit in the hand: one small posterior, sampled once, and everything that is read from it."""

from __future__ import annotations

import dataclasses
import json

import arviz as az
import numpy as np
import pandas as pd
import pymc as pm
import pytest

import formulajoint as fj

FORMULA = """test_score ~ treatment | school, hierarchy(treatment, centered=false), sigma ~ 1 | school,
    joint(weights=n), joint(weights=precision, name=exact)"""


@pytest.fixture(scope="module")
def fit() -> fj.Fit:
    return fj.fit(FORMULA, fj.tutoring(), draws=200, tune=300, chains=2, seed=1, progress=False)


def test_a_fit_knows_its_model_and_engine(fit: fj.Fit) -> None:
    assert fit.model.formula == fj.parse(FORMULA)
    assert fit.engine == "exact"
    assert fit.idata.attrs["engine"] == "exact"


def test_the_posterior_has_the_contrasts_but_nothing_that_only_serves_the_sampler(fit: fj.Fit) -> None:
    assert set(fit.posterior.data_vars) == {
        *("Intercept", "treatment", "treatment_mean", "treatment_sd", "sigma"),
        *("joint_treatment", "exact", "exact_weights"),
    }
    assert "treatment_offset" in fit.idata["posterior"]
    assert dict(fit.posterior.sizes) == {"chain": 2, "draw": 200, "school": 2}
    assert fit.posterior["school"].to_numpy().tolist() == ["A", "B"]
    assert fit.posterior is fit.posterior


def test_contrasts_are_what_their_coefficients_make(fit: fj.Fit) -> None:
    post = fit.posterior
    joint = (post["treatment"] * [0.4, 0.6]).sum("school")
    assert np.allclose(post["joint_treatment"], joint)
    raw = 1 / post["sigma"] ** 2 * [1.0, 1.5]  # two by two pupils against three by three
    weights = raw / raw.sum("school")
    assert np.allclose(post["exact_weights"], weights)
    assert np.allclose(post["exact"], (post["treatment"] * weights).sum("school"))


def test_the_tables_are_those_of_the_posterior(fit: fj.Fit) -> None:
    table = fit.contrasts(0.5)
    assert table.loc["exact", "mean"] == pytest.approx(float(fit.posterior["exact"].mean()))
    low, high = (table.loc["exact", name] for name in ("hdi_low", "hdi_high"))
    assert float(
        ((fit.posterior["exact"] >= low) & (fit.posterior["exact"] <= high)).mean()
    ) == pytest.approx(0.5, abs=0.02)
    assert fit.summary().loc["treatment[A]", "mean"] == pytest.approx(
        float(fit.posterior["treatment"].sel(school="A").mean())
    )


def test_a_table_can_be_changed_without_changing_the_fit(fit: fj.Fit) -> None:
    for table in (fit.summary, fit.contrasts):
        before, changed = table(), table()
        changed.loc[:, "mean"] = 0
        pd.testing.assert_frame_equal(table(), before)


def test_weights_are_found_by_the_name_of_the_contrast(fit: fj.Fit) -> None:
    assert fit.weights("joint_treatment").to_dict() == pytest.approx({"A": 0.4, "B": 0.6})
    mean = fit.posterior["exact_weights"].mean(("chain", "draw"))
    assert fit.weights("exact").to_dict() == pytest.approx(dict(zip("AB", mean.to_numpy(), strict=True)))


def test_a_contrast_that_is_not_there_is_told_the_nearest(fit: fj.Fit) -> None:
    with pytest.raises(
        fj.InferenceError, match=r"no contrast `joint_tretment`: did you mean `joint_treatment`\?"
    ):
        fit.weights("joint_tretment")
    with pytest.raises(fj.InferenceError, match="there are `joint_treatment`, `exact`"):
        fit.weights("zzz")


def test_text_and_record_are_of_this_fit(fit: fj.Fit) -> None:
    text = str(fit)
    assert text == repr(fit)
    assert "\n\ntest_score ~ treatment | school" in text
    assert "\njoint_treatment  " in text
    record = fit.record(0.8)
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record["interval"]["probability"] == 0.8
    low = {row["contrast"]: row["hdi_low"] for row in record["estimates"]}
    assert low["exact"] == fit.contrasts(0.8).loc["exact", "hdi_low"]


@pytest.mark.parametrize("name", ["model", "draws", "idata", "engine", "other"])
def test_a_fit_cannot_be_changed(fit: fj.Fit, name: str) -> None:
    with pytest.raises((dataclasses.FrozenInstanceError, AttributeError)):
        setattr(fit, name, None)


def test_arviz_takes_the_tree_as_it_is(fit: fj.Fit) -> None:
    table = az.summary(fit.idata, var_names=["treatment", "joint_treatment"], round_to="none")
    assert list(table.index) == ["treatment[A]", "treatment[B]", "joint_treatment"]
    own = pd.concat([fit.summary(), fit.contrasts()])
    for column in ("mean", "sd", "ess_bulk", "r_hat"):
        expected = own.loc[table.index, column].to_numpy(dtype=float)
        assert table[column].to_numpy(dtype=float) == pytest.approx(expected)
    assert set(az.rhat(fit.idata).data_vars) >= {"treatment", "joint_treatment"}
    assert az.extract(fit.idata).sizes["sample"] == 400
    assert (
        fit.idata["observed_data"]["test_score"].to_numpy().tolist() == fj.tutoring()["test_score"].tolist()
    )


def test_pymc_goes_on_from_the_posterior(fit: fj.Fit) -> None:
    with fit.model.pymc:
        new = pm.sample_posterior_predictive(fit.idata, random_seed=1, progressbar=False)
    means = new["posterior_predictive"]["test_score"].mean(("chain", "draw"))
    assert float(means[2:4].mean()) == pytest.approx(21.5, abs=1.5)  # the tutored pupils of school A


def test_the_same_call_gives_the_same_fit_to_the_bit(fit: fj.Fit) -> None:
    again = fit.model.fit(draws=200, tune=300, chains=2, seed=1, progress=False)
    assert again.posterior.equals(fit.posterior)
    assert again.model is fit.model
    other = fit.model.fit(draws=200, tune=300, chains=2, seed=2, progress=False)
    assert not other.posterior.equals(fit.posterior)


def test_without_contrasts_weights_say_what_to_write() -> None:
    alone = fj.fit(
        "test_score ~ treatment",
        fj.tutoring(),
        engine="pymc",
        draws=20,
        tune=20,
        chains=1,
        seed=1,
        progress=False,
    )
    assert alone.engine == "pymc"
    assert alone.contrasts().empty
    with pytest.raises(fj.InferenceError, match=r"the formula asks for none, such as `joint\(\)`"):
        alone.weights("joint_treatment")
