"""``model``, ``fit`` and ``build``: what they take, what they refuse, and that nothing changes behind one's back."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pymc as pm
import pytest

import formulajoint as fj
from formulajoint.spec.json import from_json, to_json

FORMULA = "test_score ~ treatment | school, joint(weights=n)"


@pytest.fixture
def data() -> pd.DataFrame:
    return fj.tutoring()


# --- what they take


def test_a_parsed_formula_is_as_good_as_its_text(data: pd.DataFrame) -> None:
    parsed = fj.parse(FORMULA)
    assert fj.model(parsed, data).explain() == fj.model(FORMULA, data).explain()
    assert fj.model(parsed, data).formula is parsed


def test_a_formula_that_came_as_json_is_as_good(data: pd.DataFrame) -> None:
    again = from_json(json.loads(json.dumps(to_json(fj.parse(FORMULA)))))
    assert fj.model(again, data).explain() == fj.model(FORMULA, data).explain()


@pytest.mark.parametrize("make", [pl.from_pandas, pa.Table.from_pandas, lambda frame: frame.to_dict("list")])
def test_the_make_of_the_data_frame_does_not_matter(
    data: pd.DataFrame, make: Callable[[pd.DataFrame], object]
) -> None:
    assert fj.model(FORMULA, make(data)).explain() == fj.model(FORMULA, data).explain()


def test_flat_priors_are_asked_for_by_one_word(data: pd.DataFrame) -> None:
    priors = fj.model(FORMULA, data, priors="flat").priors
    assert priors == {"Intercept": "flat()", "treatment": "flat()", "sigma": "1/sigma"}


def test_a_prior_of_the_formula_stands_against_flat_ones(data: pd.DataFrame) -> None:
    priors = fj.model(f"{FORMULA}, prior(treatment ~ normal(0, 5))", data, priors="flat").priors
    assert priors == {"Intercept": "flat()", "treatment": "normal(0, 5)", "sigma": "1/sigma"}


def test_a_family_is_an_argument_or_a_clause(data: pd.DataFrame) -> None:
    argument = fj.model(FORMULA, data, family="student")
    clause = fj.model(f"{FORMULA}, family(student)", data)
    assert argument.priors == clause.priors
    assert "nu" in argument.priors
    assert fj.model(f"{FORMULA}, family(student)", data, family="student").priors == clause.priors


# --- what they refuse


@pytest.mark.parametrize("formula", [3, None, ["y ~ x"], b"y ~ x"])
def test_what_is_no_formula_is_told_so(data: pd.DataFrame, formula: object) -> None:
    with pytest.raises(
        fj.DataError, match=rf"The formula comes first, as text, but {type(formula).__name__} was"
    ):
        fj.model(formula, data)  # type: ignore[arg-type]


def test_data_and_formula_the_wrong_way_round_are_told_so(data: pd.DataFrame) -> None:
    with pytest.raises(fj.DataError, match=r"but DataFrame was given; the data come second"):
        fj.fit(data, FORMULA)  # type: ignore[arg-type]


@pytest.mark.parametrize("priors", ["default", "Flat", {"treatment": 1}, 0, pd.DataFrame({"a": [1, 2]})])
def test_other_priors_are_refused_with_the_way_to_write_them(data: pd.DataFrame, priors: object) -> None:
    with pytest.raises(fj.DataError, match=r"`prior\(treatment ~ normal\(0, 5\)\)`"):
        fj.model(FORMULA, data, priors=priors)  # type: ignore[arg-type]


@pytest.mark.parametrize("family", ["cauchy", "", 3])
def test_another_family_is_refused_with_those_there_are(data: pd.DataFrame, family: str) -> None:
    with pytest.raises(fj.FormulaError, match="`gaussian`, `student`"):
        fj.model(FORMULA, data, family=family)


@pytest.mark.parametrize("family", ["Gaussian", "gausian"])
def test_a_family_in_another_spelling_is_found(data: pd.DataFrame, family: str) -> None:
    with pytest.raises(fj.FormulaError, match="did you mean `gaussian`"):
        fj.model(FORMULA, data, family=family)


def test_a_family_named_twice_is_refused_with_the_place(data: pd.DataFrame) -> None:
    with pytest.raises(fj.FormulaError) as error:
        fj.model(f"{FORMULA}, family(gaussian)", data, family="student")
    assert error.value.text[error.value.span.start : error.value.span.end] == "family(gaussian)"


def test_an_unknown_column_points_at_the_place_and_suggests_the_nearest(data: pd.DataFrame) -> None:
    with pytest.raises(fj.FormulaError) as error:
        fj.fit("test_score ~ tretment | school", data)
    assert "did you mean `treatment`?" in str(error.value)
    assert error.value.text[error.value.span.start : error.value.span.end] == "tretment"


def test_no_sampler_is_started_for_an_unknown_engine(data: pd.DataFrame) -> None:
    model = fj.model(FORMULA, data)
    with pytest.raises(fj.InferenceError, match="did you mean `nutpie`"):
        model.fit(engine="nutpy")
    assert "pymc" not in vars(model), "the model was built for nothing"


def test_flat_priors_without_a_posterior_are_refused_before_anything_is_drawn(data: pd.DataFrame) -> None:
    alone = data[~((data["school"] == "A") & (data["treatment"] == 1))]
    with pytest.raises(fj.DataError, match="school A"):
        fj.model(FORMULA, alone, priors="flat")
    fj.model(FORMULA, alone)


# --- nothing changes behind one's back


def test_a_model_is_built_when_asked_for_and_once(data: pd.DataFrame) -> None:
    model = fj.model(FORMULA, data)
    assert "pymc" not in vars(model)
    assert model.pymc is model.pymc
    assert isinstance(model.pymc, pm.Model)
    assert set(model.pymc.named_vars) >= {"Intercept", "treatment", "sigma", "joint_treatment", "test_score"}


@pytest.mark.parametrize("name", ["plan", "formula", "design", "priors", "other"])
def test_a_model_cannot_be_changed(data: pd.DataFrame, name: str) -> None:
    model = fj.model(FORMULA, data)
    with pytest.raises((dataclasses.FrozenInstanceError, AttributeError)):
        setattr(model, name, None)


def test_the_data_are_neither_changed_nor_kept_in_touch_with(data: pd.DataFrame) -> None:
    before = data.copy()
    model = fj.model(f"{FORMULA}, joint(weights=sum(treatment), name=treated)", data)
    text, response = model.explain(), model.design.response.values.copy()
    pd.testing.assert_frame_equal(data, before)
    data.loc[:, "test_score"] = 0
    data.loc[:, "treatment"] = 7
    assert np.array_equal(model.design.response.values, response)
    assert np.array_equal(model.pymc.rvs_to_values[model.pymc["test_score"]].eval(), response)
    assert model.explain() == text


def test_the_table_of_priors_is_a_copy(data: pd.DataFrame) -> None:
    model = fj.model(FORMULA, data)
    model.priors.clear()
    assert model.priors


# --- beside hand-written nodes


def test_a_formula_joins_an_open_model(data: pd.DataFrame) -> None:
    with pm.Model() as both:
        extra = pm.Normal("extra")
        maths = fj.build(FORMULA, data, prefix="maths")
        sports = fj.build(FORMULA, data, priors="flat", prefix="sports")
        arts = fj.build(FORMULA, data, family="student", prefix="arts")
        pm.Deterministic(
            "difference", maths["maths_joint_treatment"] - sports["sports_joint_treatment"] + extra
        )
    assert {"maths_treatment", "sports_treatment", "difference"} <= set(both.named_vars)
    assert both.named_vars_to_dims["sports_treatment"] == ("sports_school",)
    assert all(both[name] is variable for name, variable in (maths | sports | arts).items())
    assert [name for name in both.named_vars if name.endswith("_inverse_prior")] == [
        "sports_sigma_inverse_prior"
    ]
    assert [name for name in both.named_vars if name.endswith("_nu")] == ["arts_nu"]
    assert np.isfinite(both.compile_logp()(both.initial_point()))


def test_without_an_open_model_build_says_what_to_write(data: pd.DataFrame) -> None:
    with pytest.raises(fj.DataError, match=r"Write `with pm.Model\(\):` around `build\(...\)`"):
        fj.build(FORMULA, data)


# --- the seed data and the examples


def test_the_seed_data_are_ten_rows_of_two_schools(data: pd.DataFrame) -> None:
    table = data.groupby(["school", "treatment"])["test_score"].agg(list).to_dict()
    assert table == {("A", 0): [1, 2], ("A", 1): [21, 22], ("B", 0): [2, 3, 3], ("B", 1): [10, 11, 12]}


def test_every_public_name_is_where_it_is_said_to_be() -> None:
    for name in fj.__all__:
        assert getattr(fj, name) is not None
        assert name in dir(fj)
    assert sys.modules["formulajoint"] is fj


def test_an_unknown_argument_of_fit_is_refused(data: pd.DataFrame) -> None:
    with pytest.raises(fj.InferenceError, match=r"takes no arguments of a sampler: leave out `zz`"):
        fj.fit(FORMULA, data, zz=1)
