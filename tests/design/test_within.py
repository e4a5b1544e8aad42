"""Columns centred or standardised within groups, against pandas."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import formulajoint as fj
from formulajoint.design.evaluate_numpy import columns_of, values_of
from formulajoint.design.frame import read_frame
from formulajoint.design.rows import used_rows

GROUPS = 4


@pytest.fixture
def tests() -> pd.DataFrame:
    """Twelve schools, each with one of three tests whose sds are 1.6, 8 and 40."""
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"school": np.repeat([f"s{i:02d}" for i in range(12)], 10)})
    data["test"] = np.repeat(["maths", "english", "art"] * 4, 10)
    data["treated"] = rng.integers(0, 2, 120)
    data["age"] = rng.normal(11, 1, 120) + np.repeat(rng.normal(0, 2, 12), 10)
    sd = data["test"].map({"maths": 1.6, "english": 8.0, "art": 40.0})
    data["score"] = 5 * sd + sd * (0.3 * data["treated"] + rng.normal(size=120))
    data["w"] = rng.integers(1, 4, 120)
    return data


def rows(data: pd.DataFrame):
    return used_rows(read_frame(data), tuple(data))[0]


def column(formula: str, data: pd.DataFrame) -> np.ndarray:
    return fj.model(formula, data).design.predictor.terms[-1].columns[:, 0]


@st.composite
def grouped(draw: st.DrawFn) -> pd.DataFrame:
    """Rows of groups that have at least two rows each and vary, at any place and scale."""
    sizes = draw(st.lists(st.integers(2, 6), min_size=2, max_size=GROUPS))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    places = draw(st.lists(st.sampled_from([0.0, 1e3, -1e6]), min_size=len(sizes), max_size=len(sizes)))
    scales = draw(st.lists(st.sampled_from([1e-3, 1.0, 40.0]), min_size=len(sizes), max_size=len(sizes)))
    codes = np.repeat(np.arange(len(sizes)), sizes)
    x = np.array(places)[codes] + np.array(scales)[codes] * rng.normal(size=len(codes))
    data = pd.DataFrame({"x": x, "g": np.array(list("bdac"))[codes], "y": rng.normal(size=len(codes))})
    return data.sample(frac=1, random_state=rng.integers(2**31))


@given(grouped())
def test_mean_zero_and_sd_one_in_each_group(data: pd.DataFrame) -> None:
    found = pd.Series(column("y ~ standardize(x, by=g)", data), data.index).groupby(data["g"])
    assert found.mean().to_numpy() == pytest.approx(0, abs=1e-7)  # 1e-9 of places a billion sds from zero
    assert found.std().to_numpy() == pytest.approx(1)


@given(grouped())
def test_as_pandas_transforms_groups(data: pd.DataFrame) -> None:
    of = data.groupby("g")["x"]
    centred = data["x"] - of.transform("mean")
    scale = of.std().min()
    assert column("y ~ center(x, by=g)", data) / scale == pytest.approx(centred / scale, abs=1e-6)
    assert column("y ~ standardize(x, by=g)", data) == pytest.approx(centred / of.transform("std"), abs=1e-6)


TWINS = [
    ("score ~ treated + center(age, by=school) | school", "score ~ treated + c | school"),
    ("score ~ treated*standardize(age, by=test) | test", "score ~ treated*z | test"),
    ("score ~ treated + common(center(age, by=school)) | school", "score ~ treated + common(c) | school"),
    ("score ~ treated + I(standardize(age, by=test)^2) | test", "score ~ treated + I(z^2) | test"),
    ("standardize(score, by=test) ~ treated | school", "s ~ treated | school"),
    ("center(score, by=school) ~ treated + age, weights(w)", "d ~ treated + age, weights(w)"),
    (
        "standardize(score, by=test) ~ treated | school, hierarchy(treated), weights(w), joint(treated)",
        "t ~ treated | school, hierarchy(treated), weights(w), joint(treated)",
    ),
]
"""Formulas, and the same with a column that pandas made."""


def transformed(data: pd.DataFrame) -> pd.DataFrame:
    """Return the data with the columns of the twins; those of formulas with row weights are of repeated rows."""
    by_test, by_school = data.groupby("test"), data.groupby("school")
    repeated = data.loc[data.index.repeat(data["w"])]
    heavy = repeated.groupby("test")["score"]
    return data.assign(
        c=data["age"] - by_school["age"].transform("mean"),
        z=(data["age"] - by_test["age"].transform("mean")) / by_test["age"].transform("std"),
        s=(data["score"] - by_test["score"].transform("mean")) / by_test["score"].transform("std"),
        d=data["score"] - data["school"].map(repeated.groupby("school")["score"].mean()),
        t=(data["score"] - data["test"].map(heavy.mean())) / data["test"].map(heavy.std()),
    )


@pytest.mark.parametrize(("written", "plain"), TWINS)
def test_coefficients_and_evidence_are_those_of_the_column_that_pandas_makes(
    tests: pd.DataFrame, written: str, plain: str
) -> None:
    data = transformed(tests)
    one, other = (fj.fit(formula, data, seed=1) for formula in (written, plain))
    assert one.log_evidence.value == pytest.approx(other.log_evidence.value, abs=1e-6)
    first, second = one.summary(), other.summary()
    error = np.hypot(first["sd"], second["sd"].to_numpy()) / np.sqrt(first["ess_bulk"])
    assert (abs(first["mean"] - second["mean"].to_numpy()) < 5 * error).all()


def test_among_the_predictors_of_sigma(tests: pd.DataFrame) -> None:
    design = fj.model("score ~ treated, sigma ~ standardize(age, by=test)", tests).design
    expected = transformed(tests)["z"].to_numpy()
    assert design.parameters[0].terms[-1].columns[:, 0] == pytest.approx(expected)


def test_several_columns_make_groups(tests: pd.DataFrame) -> None:
    data = tests.assign(half=["a", "b"] * 60)
    expected = data["age"] - data.groupby(["test", "half"])["age"].transform("mean")
    for groups in ("test:half", "test/half"):
        assert column(f"score ~ center(age, by={groups})", data) == pytest.approx(expected.to_numpy())


def test_rows_whose_group_is_missing_are_dropped(tests: pd.DataFrame) -> None:
    data = tests.assign(test=tests["test"].where(tests.index >= 3))
    design = fj.model("standardize(score, by=test) ~ treated", data).design
    assert design.rows.used == 117
    assert dict(design.rows.missing) == {"test": 3}
    with pytest.raises(fj.DataError, match="`test` in 3 of 120 rows"):
        fj.model("standardize(score, by=test) ~ treated, missing(error)", data)


def test_other_rows_by_what_was_learnt(tests: pd.DataFrame) -> None:
    design = fj.model("center(score, by=test) ~ standardize(age, by=test)", tests).design
    by_test = tests.groupby("test")
    new = pd.DataFrame({"score": [9.0, 9.0], "age": [10.0, 12.0], "test": ["maths", "art"]})
    means, sds = by_test["age"].mean()[new["test"]].to_numpy(), by_test["age"].std()[new["test"]].to_numpy()
    found = columns_of(design.predictor.terms[-1].recipe, rows(new))[:, 0]
    assert found == pytest.approx((new["age"].to_numpy() - means) / sds)
    response = values_of(design.response.recipe, rows(new))
    assert response == pytest.approx(9 - by_test["score"].mean()[new["test"]].to_numpy())
    with pytest.raises(fj.DataError, match="`test` is `latin` in rows 0, 1"):
        values_of(design.response.recipe, rows(new.assign(test="latin")))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"score": [4, 4, 4, 1, 2, 3, 5]},
            "score is 4 in all 3 rows of test a. .*`center\\(score, by=test\\)`",
        ),
        ({"test": list("aaabbbc")}, "and test c has one row"),
        (
            {"test": list("abcdefg")},
            "and test a has one row. So it is with `b`, `c`, `d`, `e`, `f` and 1 more",
        ),
    ],
)
def test_a_group_without_variation_is_named(changed: dict[str, object], message: str) -> None:
    data = {"score": [1.0, 2, 4, 4, 6, 7, 9], "test": list("aaabbbb"), "x": range(7), **changed}
    with pytest.raises(fj.DataError, match=message):
        fj.model("standardize(score, by=test) ~ x", data)


def test_a_group_without_variation_is_centred() -> None:
    data = {"y": [1.0, 2, 4, 4, 6], "x": [3, 3, 3, 5, 7], "g": list("aaabb")}
    assert column("y ~ center(x, by=g)", pd.DataFrame(data)).tolist() == [0, 0, 0, -1, 1]


def test_the_groups_of_a_column_may_be_those_right_of_the_bar(tests: pd.DataFrame) -> None:
    fj.model("score ~ center(age, by=school) | school", tests)
    with pytest.raises(fj.FormulaError, match="`school` makes the groups"):
        fj.model("score ~ C(school) | school", tests)


def test_explained_in_words(tests: pd.DataFrame) -> None:
    model = fj.model(
        "standardize(score, by=test) ~ treated + center(age, by=school) | school, joint(treated)", tests
    )
    text = " ".join(model.explain().split())  # lines are wrapped
    assert "one intercept per school, not pooled normal(0, " in text  # not 1e-16, the mean but for rounding
    means, sds = tests.groupby("test")["score"].mean(), tests.groupby("test")["score"].std()
    each = ", ".join(f"{t} mean {means[t]:.3g} sd {sds[t]:.3g}" for t in ("art", "english", "maths"))
    assert f"score standardised within test: {each}; effects are in these sds" in text
    ages = tests.groupby("school")["age"].mean()
    assert f"age centred within school: 12 groups, mean {ages.min():.3g} to {ages.max():.3g} " in text
    assert "joint_treated: weighted mean of treated over school, in sds of score within test; weights" in text
    assert "<li>age centred within school: 12 groups" in model.explain("html")
    assert r"\text{age centred within school: 12 groups" in model.explain("latex")


@pytest.mark.parametrize(
    ("response", "scale", "unit"),
    [
        ("standardize(score, by=test)", "none", ", in sds of score within test;"),
        ("standardize(score)", "none", ", in sds of score;"),
        ("standardize(score, by=test)", "sigma", ", divided by the residual sd;"),
        ("center(score, by=test)", "none", "over school;"),
        ("score", "none", "over school;"),
    ],
)
def test_the_unit_of_contrasts(tests: pd.DataFrame, response: str, scale: str, unit: str) -> None:
    text = fj.model(f"{response} ~ treated | school, joint(scale={scale})", tests).explain()
    line = next(line for line in text.splitlines() if line.startswith("joint_treated: "))
    assert unit in line
    assert ("sds of score" in line) == ("sds of score" in unit)


def test_printed_reported_recorded_and_saved(tests: pd.DataFrame, tmp_path: Path) -> None:
    fit = fj.fit("standardize(score, by=test) ~ treated | test, joint(treated)", tests, seed=1, draws=200)
    assert "score standardised within test: art mean" in str(fit)
    record = json.loads(json.dumps(fit.record()))
    (within,) = record["within_groups"]
    assert within["text"] == "standardize(score, by=test)"
    assert within["means"] == pytest.approx(tests.groupby("test")["score"].mean().to_dict())
    assert within["sds"] == pytest.approx(tests.groupby("test")["score"].std().to_dict())
    assert record["unit"] == "sds of score within test"
    page = fit.report(tmp_path / "report.html").read_text()
    assert "in sds of score within test" in page
    assert "groups of standardize(score, by=test)" in page
    fit.save(tmp_path / "fit.nc")
    assert str(fj.load(tmp_path / "fit.nc")) == str(fit)
