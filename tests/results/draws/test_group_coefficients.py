"""Every group's coefficients: what is shared plus what varies, beside what varies by itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    columns = pd.DataFrame(rng.normal(size=(60, 2)), columns=["y", "x"])
    return columns.assign(g=np.tile(list("abcde"), 12), arm=np.repeat(["low", "mid", "high"], 20))


def test_the_table_is_of_shared_plus_varying(data: pd.DataFrame) -> None:
    fit = fj.fit("y ~ x + (1 + x | g)", data, seed=1, draws=200)
    table = fit.coefficients("g")
    assert table.index.names == ["g", "coefficient"]
    assert list(table.index[:4]) == [("a", "Intercept"), ("a", "x"), ("b", "Intercept"), ("b", "x")]
    posterior = fit.posterior
    for g in "abcde":
        own = posterior["x|g"].sel(g=g)
        assert table.loc[(g, "x"), "mean"] == pytest.approx(float((posterior["x"] + own).mean()))
        assert table.loc[(g, "x"), "deviation"] == pytest.approx(float(own.mean()))
    assert fit.coefficients().equals(table)


def test_of_a_factor_each_level_is_a_row(data: pd.DataFrame) -> None:
    table = fj.fit("y ~ arm + (arm | g)", data, seed=1, draws=50).coefficients("g")
    assert [label for group, label in table.index if group == "a"] == ["Intercept", "arm[low]", "arm[mid]"]


def test_a_factor_with_a_column_for_each_level_has_its_own_name(data: pd.DataFrame) -> None:
    table = fj.fit("y ~ arm + (arm || g)", data, seed=1, draws=50).coefficients("g")
    assert [label for g, label in table.index if g == "a"] == [
        "Intercept",
        "arm[high]",
        "arm[low]",
        "arm[mid]",
    ]


def test_of_another_parameter_it_says_which(data: pd.DataFrame) -> None:
    table = fj.fit(
        "y ~ x | g, sigma ~ x + (1 | g)", data, seed=1, draws=20, tune=20, chains=1, progress=False
    ).coefficients("g")
    assert [label for g, label in table.index if g == "a"] == ["Intercept", "x", "sigma.Intercept"]


def test_without_pooling_nothing_is_shared(data: pd.DataFrame) -> None:
    table = fj.fit("y ~ x | g", data, seed=1, draws=50).coefficients()
    assert table["deviation"].isna().all()
    assert not table["mean"].isna().any()


def test_under_a_hierarchy_groups_deviate_from_its_mean(data: pd.DataFrame) -> None:
    fit = fj.fit("y ~ x | g, hierarchy()", data, seed=1, draws=50)
    away = fit.posterior["x"].sel(g="b") - fit.posterior["x_mean"]
    assert fit.coefficients().loc[("b", "x"), "deviation"] == pytest.approx(float(away.mean()))


def test_what_has_no_groups_is_refused(data: pd.DataFrame) -> None:
    with pytest.raises(fj.InferenceError, match="No coefficient differs by group"):
        fj.fit("y ~ x", data, seed=1, draws=50).coefficients()
    with pytest.raises(fj.InferenceError, match="No coefficient differs over `h`"):
        fj.fit("y ~ x | g", data, seed=1, draws=50).coefficients("h")


def test_the_summary_leaves_the_groups_out(data: pd.DataFrame) -> None:
    fit = fj.fit("y ~ x + (1 + x | g)", data, seed=1, draws=50)
    shown = ["Intercept", "x", "Intercept|g_sd", "x|g_sd", "g_cor[Intercept, x]", "sigma"]
    assert sorted(fit.summary().index) == sorted(shown)
