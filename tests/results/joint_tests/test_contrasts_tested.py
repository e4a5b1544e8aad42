"""Tests of contrasts and of hierarchies' means, against densities written out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import formulajoint as fj

SIGMA, SD, TAU, WIDE = 1.5, 2.0, 0.8, 3.0


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    groups = np.repeat(["A", "B", "C"], [6, 9, 12])
    x = rng.integers(0, 2, len(groups)).astype(float)
    effect = pd.Series({"A": 0.2, "B": 1.0, "C": 0.6})[groups].to_numpy()
    return pd.DataFrame({"y": effect * x + rng.normal(0, SIGMA, len(x)), "x": x, "g": groups})


def columns(data: pd.DataFrame) -> np.ndarray:
    return np.column_stack([data["x"] * (data["g"] == g) for g in "ABC"])


@pytest.fixture(scope="module")
def fit(data: pd.DataFrame) -> fj.Fit:
    """Not pooled, with a known sigma: everything is normal."""
    known = f"prior(x ~ normal(0, {SD}), sigma ~ constant({SIGMA}))"
    return fj.fit(f"y ~ 0 + x | g, {known}, joint(x, weights=n), pairwise(x), rms(x)", data, seed=1)


@pytest.fixture(scope="module")
def pooled(data: pd.DataFrame) -> fj.Fit:
    known = f"prior(x.mean ~ normal(0, {WIDE}), x.sd ~ constant({TAU}), sigma ~ constant({SIGMA}))"
    return fj.fit(f"y ~ 0 + x | g, hierarchy(x), {known}, joint(x)", data, seed=1)


def log_savage_dickey(data: pd.DataFrame, rows: np.ndarray, null: np.ndarray) -> float:
    """Return the log ratio of prior and posterior density of R b at r, for b ~ N(0, SD^2) and a known sigma."""
    X, y = columns(data), data["y"].to_numpy()
    precision = X.T @ X / SIGMA**2 + np.eye(3) / SD**2
    mean, cov = np.linalg.solve(precision, X.T @ y / SIGMA**2), np.linalg.inv(precision)
    before = stats.multivariate_normal(np.zeros(len(rows)), SD**2 * rows @ rows.T)
    after = stats.multivariate_normal(rows @ mean, rows @ cov @ rows.T)
    return float(before.logpdf(null) - after.logpdf(null))


WEIGHTS = np.array([6, 9, 12]) / 27


@pytest.mark.parametrize(
    ("asked", "rows", "null"),
    [
        ("joint_x == 0", [WEIGHTS], [0.0]),
        ("joint_x == 0.5", [WEIGHTS], [0.5]),
        ("joint(x, weights=equal)", [[1 / 3] * 3], [0.0]),
        ('pairwise_x["A - C"] == 0', [[1, 0, -1]], [0.0]),
        ("contrast(x[A] - 2*x[B] + 1)", [[1, -2, 0]], [-1.0]),
        ("joint_x == 0, x[A] == 0", [WEIGHTS, [1, 0, 0]], [0.0, 0.0]),
        ("x[A] == joint_x", [np.array([1, 0, 0]) - WEIGHTS], [0.0]),
    ],
)
def test_the_bayes_factor_of_a_contrast_is_the_savage_dickey_ratio(
    data: pd.DataFrame, fit: fj.Fit, asked: str, rows: Any, null: Any
) -> None:
    own = fit.test(asked)["log_bf10"].iloc[0]
    assert own == pytest.approx(
        log_savage_dickey(data, np.array(rows, dtype=float), np.array(null)), abs=1e-6
    )


def log_evidence(data: pd.DataFrame, mean_sd: float, at: float = 0.0) -> float:
    """Return log p(y) under x_g ~ N(mu, TAU), mu ~ N(at, mean_sd), with a known sigma."""
    X, y = columns(data), data["y"].to_numpy()
    x = X.sum(axis=1)
    cov = SIGMA**2 * np.eye(len(y)) + TAU**2 * X @ X.T + mean_sd**2 * np.outer(x, x)
    return float(stats.multivariate_normal(at * x, cov).logpdf(y))


@pytest.mark.parametrize("at", [0.0, 0.7])
def test_the_bayes_factor_of_a_hierarchys_mean_is_that_of_evidences(
    data: pd.DataFrame, pooled: fj.Fit, at: float
) -> None:
    expected = log_evidence(data, WIDE) - log_evidence(data, 0.0, at)
    table = pooled.test(f"x.mean == {at}")
    assert table["log_bf10"].iloc[0] == pytest.approx(expected, abs=0.02)
    assert table["rank"].iloc[0] == 1
    assert "hierarchy's mean" in table["note"].iloc[0]


def test_figures_of_a_mean_are_those_of_its_draws(pooled: fj.Fit) -> None:
    draws = pooled.posterior["x_mean"].to_numpy()
    table = pooled.test("x.mean > 0.5", rope=1).iloc[0]
    assert table["p_all_positive"] == pytest.approx(np.mean(draws > 0.5))
    assert pooled.bands("x.mean == 0").index.tolist() == ["x.mean"]
    assert pooled.bands("x.mean == 0")["mean"].iloc[0] == pytest.approx(draws.mean())


def test_means_of_intercepts_and_of_factors_are_tested(data: pd.DataFrame) -> None:
    arms = data.assign(arm=np.tile(["a", "b", "c"], 9))
    fit = fj.fit("y ~ arm | g, hierarchy(Intercept), hierarchy(arm, cor=false)", arms, seed=1, draws=200)
    assert fit.bands("Intercept.mean == 0").index.tolist() == ["Intercept.mean"]
    assert len(fit.bands("arm.mean == 0")) == 2
    assert np.isfinite(fit.test("Intercept.mean == 0")["log_bf10"].iloc[0])


def test_bands_of_a_family_are_a_table_with_a_row_for_each_entry(fit: fj.Fit) -> None:
    table = fit.bands("pairwise(x)")
    assert table.index.tolist() == ["pairwise_x[A - B]", "pairwise_x[A - C]", "pairwise_x[B - C]"]
    same = fit.bands("x[A] == x[B], x[A] == x[C], x[B] == x[C]")
    np.testing.assert_allclose(table[["mean", "low", "high"]], same[["mean", "low", "high"]])
    assert fit.bands("meandev(x)").shape == (3, 7)
    assert fit.bands("joint_x == 0.5").index.tolist() == ["joint_x - 0.5"]


def test_the_rope_of_a_contrast_is_a_share_of_its_draws(fit: fj.Fit) -> None:
    draws = fit.posterior["joint_x"].to_numpy()
    inside = np.mean(abs(draws) < 0.5)
    assert fit.test("joint_x == 0", rope=0.5)["p_in_rope"].iloc[0] == pytest.approx(inside)
    assert fit.contrasts(rope=0.5).loc["joint_x", "p_in_rope"] == pytest.approx(inside)
    assert fit.contrast("joint(x)", rope=0.5)["p_in_rope"].iloc[0] == pytest.approx(inside)
    assert "p_in_rope" not in fit.contrasts()
    for wrong in (0, -1, True, np.inf, "0.1"):
        with pytest.raises(fj.InferenceError, match="`rope` must be above zero"):
            fit.contrasts(rope=wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("rms_x == 0", "`rms_x` is not linear in the coefficients"),
        ("joint(x) == 0", "`joint(x)` is a clause"),
        ('pairwise_x["A - Z"] == 0', "`pairwise_x` has no such entry"),
        ("pairwise(q)", "no term `q`"),
        ("x.mean == 0", "the formula has no term `x.mean`"),
    ],
)
def test_what_cannot_be_tested_is_answered(fit: fj.Fit, asked: str, said: str) -> None:
    with pytest.raises(fj.FormulaError) as raised:
        fit.test(asked)
    assert said in raised.value.message


def test_hints_of_such_tests_lead_on(fit: fj.Fit) -> None:
    for asked in ("rms_x == 0", "joint(x) == 0", 'pairwise_x["A - Z"] == 0'):
        with pytest.raises(fj.FormulaError) as raised:
            fit.test(asked)
        hint = raised.value.hint
        if "fit.contrast(" in hint:
            assert "p_in_rope" in fit.contrast("rms(x)", rope=0.1)
        elif "fit.test(" in hint:
            assert len(fit.test(hint[hint.index("'") + 1 : hint.rindex("'")])) == 1
        else:
            assert len(fit.test(hint[hint.index("`") + 1 : hint.rindex("`")])) == 1


def test_a_formula_says_that_contrasts_are_tested_after_the_fit(data: pd.DataFrame) -> None:
    with pytest.raises(fj.FormulaError) as raised:
        fj.model("y ~ x | g, joint(x), test(joint_x == 0)", data)
    assert raised.value.hint == 'leave it out here; after the fit, write `fit.test("joint_x == 0")`'


def test_compare_says_which_way(data: pd.DataFrame) -> None:
    one = fj.fit("y ~ x | g", data, seed=1)
    zero = fj.fit("y ~ 1 | g", data, seed=1)
    found, back = one.compare(zero), zero.compare(one)
    assert back.value == -found.value
    better = "y ~ x | g" if found.value > 0 else "y ~ 1 | g"
    for said in (str(found), str(back), repr(found)):
        assert f" {np.exp(abs(found.value)):.0f} times as probable under `{better}`" in said
    assert ("first" in str(found)) == (found.value > 0)
    assert "do not favour" in str(one.compare(one))
