"""``model.fit_from``: draws of ``model.pymc`` become a fit; those of another model are refused by name."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pymc as pm
import pytest
from xarray import Dataset, DataTree

import formulajoint as fj

FORMULA = "test_score ~ treatment | school, hierarchy(), joint(weights=n), pairwise(treatment)"
PLAIN = "test_score ~ treatment | school, joint()"


@pytest.fixture(scope="module")
def model() -> fj.JointModel:
    return fj.model(FORMULA, fj.tutoring())


@pytest.fixture(scope="module")
def drawn(model: fj.JointModel) -> fj.Fit:
    return model.fit(draws=100, chains=2, seed=1)


@pytest.fixture(scope="module")
def plain() -> fj.Fit:
    return fj.fit(PLAIN, fj.tutoring(), draws=100, chains=2, seed=1)


def without_contrasts(fit: fj.Fit) -> Dataset:
    return fit.posterior.drop_vars(["joint_treatment", "pairwise_treatment"])


@pytest.mark.parametrize(
    "given",
    [
        lambda fit: fit.idata,
        lambda fit: fit.posterior,
        without_contrasts,
        lambda fit: DataTree.from_dict({"posterior": without_contrasts(fit)}),
        lambda fit: SimpleNamespace(posterior=fit.posterior),  # InferenceData
        lambda fit: {name: values.to_numpy() for name, values in fit.posterior.data_vars.items()},
        lambda fit: fit.posterior.rename(school="school_dim_0").drop_vars("school_dim_0"),
        lambda fit: fit.posterior.isel(school=[1, 0]),  # the labels decide
        lambda fit: fit.posterior.transpose(..., "draw", "chain"),
        lambda fit: fit.posterior.assign(sigma_log__=fit.posterior["sigma"]),
    ],
)
def test_draws_of_the_model_give_its_tables(model: fj.JointModel, drawn: fj.Fit, given) -> None:
    fit = model.fit_from(given(drawn))
    for own, same in ((fit.summary(), drawn.summary()), (fit.contrasts(), drawn.contrasts())):
        assert list(own.index) == list(same.index)
        np.testing.assert_allclose(own[["mean", "sd", "hdi_low"]], same[["mean", "sd", "hdi_low"]], rtol=1e-9)
    assert len(fit.bands()) == 2
    assert "joint_treatment" in str(fit)


@pytest.mark.parametrize(
    ("formula", "change", "said"),
    [
        ("test_score ~ 1 | school", {}, "this one has no `treatment`"),
        (FORMULA, {}, "`treatment_mean`, `treatment_sd`"),
        (
            "test_score ~ treatment, contrast(2 * treatment, name=joint_treatment)",
            {},
            "has 1 dims, this one's 0",
        ),
        (PLAIN, {"school": [*"CCCCDDDDDD"]}, "its `Intercept` is of `A`, `B`, this one's of `C`, `D`"),
        (PLAIN, {"school": [*"AABBCCCCCC"]}, "its `Intercept` is of `A`, `B`, this one's of `A`, `B`, `C`"),
        (PLAIN, {"test_score": range(10)}, "the values of its response `test_score` differ"),
    ],
)
def test_draws_of_another_model_are_refused_by_name(plain: fj.Fit, formula: str, change, said: str) -> None:
    other = fj.model(formula, fj.tutoring().assign(**change))
    with pytest.raises(fj.InferenceError) as raised:
        other.fit_from(plain.idata)
    assert "draws of another model" in str(raised.value)
    assert said in str(raised.value)


def test_draws_of_other_rows_are_refused(plain: fj.Fit) -> None:
    with pytest.raises(fj.InferenceError, match=r"it has 10 rows of `test_score`, this one 9"):
        fj.model(PLAIN, fj.tutoring().iloc[:-1]).fit_from(plain.idata)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (3, "int holds no draws"),
        (None, "NoneType holds no draws"),
        ({}, "no dim"),
        ({"Intercept": 1.0}, "`Intercept` has 0 dims"),
        (Dataset({"Intercept": ("sample", [1.0, 2.0])}), "no dim `chain`, `draw`"),
        (DataTree.from_dict({"prior": Dataset()}), "no group `posterior`; it has `prior`"),
    ],
)
def test_what_holds_no_draws_is_refused(model: fj.JointModel, given: object, said: str) -> None:
    with pytest.raises(fj.InferenceError) as raised:
        model.fit_from(given)
    assert said in str(raised.value)


def test_draws_that_are_not_finite_are_refused(plain: fj.Fit) -> None:
    with pytest.raises(fj.InferenceError, match=r"8 draws of `Intercept` are missing"):
        plain.model.fit_from(plain.posterior.where(plain.posterior["draw"] > 1))


def test_a_fit_of_given_draws_is_saved_and_reported(plain: fj.Fit, tmp_path) -> None:
    fit = plain.model.fit_from(plain.idata)
    fit.save(tmp_path / "fit.nc")
    assert fj.load(tmp_path / "fit.nc").contrasts().equals(fit.contrasts())
    page = fit.report(tmp_path / "fit.html").read_text(encoding="utf-8")
    assert "model.fit_from(idata)" in page


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["pymc", "nutpie"])
def test_what_pymc_samples_agrees_with_the_exact_engine(plain: fj.Fit, sampler: str) -> None:
    idata = pm.sample(500, tune=500, chains=2, cores=1, model=plain.model.pymc, random_seed=1, nuts_sampler=sampler,
                      progressbar=False)  # fmt: skip
    fit = plain.model.fit_from(idata)
    assert fit.engine == sampler
    exact, own = plain.contrasts().loc["joint_treatment"], fit.contrasts().loc["joint_treatment"]
    assert abs(exact["mean"] - own["mean"]) < 5 * exact["sd"] / np.sqrt(own["ess_bulk"])


@pytest.mark.slow
def test_a_variable_added_to_the_pymc_model_is_no_other_model() -> None:
    model = fj.model(PLAIN, fj.tutoring())
    with model.pymc:
        pm.Deterministic("twice", 2 * model.pymc["joint_treatment"])
        idata = pm.sample(20, tune=20, chains=2, cores=1, random_seed=1, progressbar=False)
    assert "twice" not in model.fit_from(idata).posterior
    with pytest.raises(fj.InferenceError, match=r"no `twice`"):
        fj.model(PLAIN, fj.tutoring()).fit_from(idata)
