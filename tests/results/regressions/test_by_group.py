"""Least squares by group, against one dense regression of all columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.results.regressions.by_group import not_pooled


def dense(data: pd.DataFrame, own: list[np.ndarray], shared: list[np.ndarray], w: np.ndarray) -> np.ndarray:
    """Return the coefficients of each group's own columns, (G, p), groups in alphabetical order."""
    groups = sorted(data["clinic"].unique())
    blocks = [np.where(data["clinic"] == group, column, 0.0) for group in groups for column in own]
    root = np.sqrt(w)
    columns = np.column_stack([*blocks, *shared]) * root[:, None]
    found = np.linalg.lstsq(columns, data["outcome"].to_numpy() * root)[0]
    return found[: len(blocks)].reshape((len(groups), len(own)))


@pytest.mark.parametrize("common", ["", " + common(age + year)"])
@pytest.mark.parametrize("weighted", [False, True])
def test_one_regression_of_all_columns_gives_the_same(
    clinics: pd.DataFrame, common: str, weighted: bool
) -> None:
    data = clinics.assign(w=1.0 + np.arange(24) % 3)
    clause = ", weights(w)" if weighted else ""
    found = not_pooled(fj.model(f"outcome ~ severe{common} | clinic{clause}", data).plan.data)
    own = [np.ones(24), data["severe"].to_numpy(float)]
    shared = [data["age"].to_numpy(float), data["year"].to_numpy(float)] if common else []
    expected = dense(data, own, shared, data["w"].to_numpy() if weighted else np.ones(24))
    assert np.column_stack([found["Intercept"], found["severe"]]) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("unit", [1e18, 1e-18])
def test_the_unit_of_a_shared_column_does_not_matter(clinics: pd.DataFrame, unit: float) -> None:
    formula = "outcome ~ severe + common(age + year) | clinic"
    plain = not_pooled(fj.model(formula, clinics).plan.data)
    scaled = not_pooled(fj.model(formula, clinics.assign(age=unit * clinics["age"])).plan.data)
    for name in plain:
        assert scaled[name] == pytest.approx(plain[name], rel=1e-9)


def test_a_group_that_cannot_tell_is_left_open(clinics: pd.DataFrame) -> None:
    data = clinics.assign(severe=clinics["severe"] & (clinics["clinic"] != "north"))
    found = not_pooled(fj.model("outcome ~ severe | clinic", data).plan.data)["severe"][:, 0]
    assert np.isnan(found).tolist() == [False, True, False]


def test_an_offset_is_taken_off(clinics: pd.DataFrame) -> None:
    with_offset = not_pooled(fj.model("outcome ~ severe + offset(age) | clinic", clinics).plan.data)
    data = clinics.assign(outcome=clinics["outcome"] - clinics["age"])
    without = not_pooled(fj.model("outcome ~ severe | clinic", data).plan.data)
    assert with_offset["severe"] == pytest.approx(without["severe"])


@pytest.mark.parametrize("common", ["", " + common(age + year)"])
def test_rows_of_known_standard_errors_weigh_as_they_are_sure(clinics: pd.DataFrame, common: str) -> None:
    data = clinics.assign(w=1.0 + np.arange(24) % 3, s=0.5 + np.arange(24) % 5)
    found = not_pooled(fj.model(f"outcome ~ severe{common} | clinic, weights(w), se(s)", data).plan.data)
    own = [np.ones(24), data["severe"].to_numpy(float)]
    shared = [data["age"].to_numpy(float), data["year"].to_numpy(float)] if common else []
    expected = dense(data, own, shared, (data["w"] / data["s"] ** 2).to_numpy())
    assert np.column_stack([found["Intercept"], found["severe"]]) == pytest.approx(expected, rel=1e-6)
