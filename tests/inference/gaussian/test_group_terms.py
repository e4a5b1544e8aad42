"""Group terms of one factor by the exact engine: the same model as one with a hierarchy, under other names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import formulajoint as fj


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    sizes = np.array([1, 2, 3, 5, 8, 13, 4, 6])
    g = np.repeat(np.arange(8), sizes)
    x, z = rng.normal(1, 1, len(g)), rng.normal(size=len(g))
    own = rng.multivariate_normal([3, 1], [[1, 0.4], [0.4, 0.5]], 8)
    y = own[g, 0] + own[g, 1] * x + 0.5 * z + rng.normal(0, 0.8, len(g))
    return pd.DataFrame({"y": y, "x": x, "z": z, "g": np.array(list("ABCDEFGH"))[g]})


PAIRS = [
    ("y ~ x + z + (1 + x | g)", "y ~ x + common(z) | g, hierarchy()"),
    ("y ~ x + (1 | g)", "y ~ common(x) | g, hierarchy()"),
    ("y ~ x + (x || g)", "y ~ x | g, hierarchy(cor=false)"),
    ("y ~ x + (1 + x | g), sigma ~ 1 | g", "y ~ x | g, hierarchy(), sigma ~ 1 | g"),
]


@pytest.mark.parametrize(("written", "same"), PAIRS)
def test_it_is_the_model_with_a_hierarchy(data: pd.DataFrame, written: str, same: str) -> None:
    one, other = (fj.fit(formula, data, seed=3, draws=200, engine="exact") for formula in (written, same))
    assert one.log_evidence == other.log_evidence
    ours, theirs = one.posterior, other.posterior
    for name in ("Intercept", "x"):
        if f"{name}_mean" not in theirs:
            continue
        shared, total = ours[name].values, ours[f"{name}_by_g"].values
        assert np.array_equal(shared, theirs[f"{name}_mean"].values)
        assert np.array_equal(total, theirs[name].values)
        assert np.allclose(ours[f"{name}|g"].values, total - shared[..., None], atol=1e-12)
        assert np.array_equal(ours[f"{name}|g_sd"].values, theirs[f"{name}_sd"].values)
    assert ours["x|g"].dims == ("chain", "draw", "g") if "x|g" in ours else True


@pytest.mark.parametrize(
    ("asked", "of_hierarchy"),
    [
        ("x == 0, over=g", "x == 0"),
        ("x == x[g=A], over=g", "x == x[A]"),
        ("x[g=A] == x[g=B]", "x[A] == x[B]"),
        ("x[g=E] > x[g=F] > 0", "x[E] > x[F] > 0"),
        ("joint_x == 0", "joint_x == 0"),
        ("x == 0", "x.mean == 0"),
    ],
)
def test_tests_are_those_of_the_hierarchy(data: pd.DataFrame, asked: str, of_hierarchy: str) -> None:
    one = fj.fit("y ~ x + (1 + x | g), joint(x, over=g)", data, seed=3, draws=300)
    other = fj.fit("y ~ x | g, hierarchy(), joint(x)", data, seed=3, draws=300)
    ours, theirs = (fit.test(text).iloc[0] for fit, text in ((one, asked), (other, of_hierarchy)))
    for figure in ("rank", "contour", "p_all_positive", "log_bf10"):
        assert ours[figure] == pytest.approx(theirs[figure], abs=0.02, nan_ok=True)
    assert not np.isnan(ours["log_bf10"]) or asked == "joint_x == 0"


@pytest.mark.parametrize(
    "clause", ["joint(x)", "joint(x, weights=precision)", "rms(x)", "spread(x)", "meandev(x)", "pairwise(x)"]
)
def test_contrasts_are_those_of_the_hierarchy(data: pd.DataFrame, clause: str) -> None:
    over = clause.replace(")", ", over=g)")
    one = fj.fit(f"y ~ x + (1 + x | g), {over}", data, seed=3, draws=100)
    other = fj.fit(f"y ~ x | g, hierarchy(), {clause}", data, seed=3, draws=100)
    figures = ["mean", "sd", "hdi_low", "hdi_high"]
    assert np.array_equal(one.contrasts()[figures], other.contrasts()[figures])
    assert list(one.contrasts().index) == list(other.contrasts().index)
    assert np.array_equal(one.contrast(over)[figures], one.contrasts()[figures])


@pytest.mark.parametrize(
    ("formula", "shared", "varies"),
    [
        ("y ~ x + (1 + x | g)", ("Intercept", "x"), ("Intercept", "x")),
        ("y ~ z + (0 + x | g)", ("Intercept", "z"), ("x",)),
        ("y ~ 0 + x + (1 | g)", ("x",), ("Intercept",)),
    ],
)
def test_with_known_scales_the_evidence_is_that_of_a_normal_distribution(
    data: pd.DataFrame, formula: str, shared: tuple[str, ...], varies: tuple[str, ...]
) -> None:
    sds = {"Intercept": 0.9, "x": 1.5}
    priors = ", ".join(f"{name} ~ normal(1, 2)" for name in shared)
    scales = ", ".join(f"{name}.sd ~ constant({sds[name]})" for name in varies)
    asked = f"{formula}, prior({priors}, sigma ~ constant(0.7)), prior({scales}, over=g), hierarchy(over=g, cor=false)"
    columns = {"Intercept": np.ones(len(data)), "x": data["x"].to_numpy(), "z": data["z"].to_numpy()}
    together = np.equal.outer(data["g"].to_numpy(), data["g"].to_numpy())
    covariance = 0.7**2 * np.eye(len(data))
    covariance += sum(4.0 * np.outer(columns[name], columns[name]) for name in shared)
    covariance += sum(sds[name] ** 2 * together * np.outer(columns[name], columns[name]) for name in varies)
    known = stats.multivariate_normal(sum(columns[name] for name in shared), covariance).logpdf(data["y"])
    found = fj.fit(asked, data, seed=1, draws=50).log_evidence
    assert found.value == pytest.approx(known, rel=1e-12)


def test_a_fit_is_saved_and_loaded(data: pd.DataFrame, tmp_path: Path) -> None:
    fit = fj.fit("y ~ x + (1 + x | g), joint(x, over=g), test(x[g=A] == x[g=B])", data, seed=3, draws=100)
    fit.save(tmp_path / "fit.nc")
    again = fj.load(tmp_path / "fit.nc")
    assert str(again) == str(fit)
    assert again.coefficients("g").equals(fit.coefficients("g"))
    assert again.test("x == 0, over=g").equals(fit.test("x == 0, over=g"))


def test_replicated_responses_have_the_groups_own_coefficients(data: pd.DataFrame) -> None:
    one = fj.fit("y ~ x + (1 + x | g)", data, seed=3, draws=100)
    other = fj.fit("y ~ x | g, hierarchy()", data, seed=3, draws=100)
    from formulajoint.results.predictions.replicate import predictions

    taken = np.arange(0, 400, 9)
    ours, theirs = (predictions(fit.draws, taken).mean for fit in (one, other))
    assert np.allclose(ours, theirs, atol=1e-10)


# --- Project STAR: 3,730 pupils of 78 schools, figures by least squares and by lme4 (REML)

STAR = Path(__file__).parents[3] / "examples" / "star.csv"


@pytest.mark.parametrize(
    ("weights", "mean", "error"),
    [
        ("n", 16.19917688, 2.161742284),
        ("equal", 15.32953059, 2.265394921),
        ("precision", 15.99777661, 2.155128038),
    ],
)
def test_averages_over_schools_are_those_of_least_squares(weights: str, mean: float, error: float) -> None:
    fit = fj.fit(
        f"y ~ small | school, joint(small, weights={weights})", pd.read_csv(STAR), priors="flat", seed=1
    )
    found = fit.contrasts().iloc[0]
    assert found["mean"] == pytest.approx(mean, abs=4 * error / 4000**0.5)
    assert found["sd"] == pytest.approx(error, rel=4 / 8000**0.5)


def test_schools_differ_as_the_f_test_says() -> None:
    fit = fj.fit("y ~ small | school", pd.read_csv(STAR), priors="flat", seed=1, draws=100)
    for hypothesis, statistic, df in (
        ("small == 0", 4.500031253, 78),
        ("small == small[63]", 3.84285337, 77),
    ):
        found = fit.test(hypothesis).iloc[0]
        assert found["statistic"] == pytest.approx(statistic, rel=1e-8)
        assert (found["df_num"], found["df_denom"]) == (df, 3574)


def test_fixed_effects_are_those_of_lme4() -> None:
    fit = fj.fit("y ~ small + (1 + small | school)", pd.read_csv(STAR), priors="flat", seed=1)
    found = fit.summary()
    for name, estimate, error in (
        ("Intercept", 917.4554684, 4.815054343),
        ("small", 15.37337536, 4.247444319),
    ):
        assert found.loc[name, "mean"] == pytest.approx(estimate, abs=(0.15 + 4 / 4000**0.5) * error)
    for name, reml in (
        ("Intercept|school_sd", 40.35773612),
        ("small|school_sd", 31.90543955),
        ("school_cor[Intercept, small]", -0.4510553333),
        ("sigma", 64.14953552),
    ):
        assert found.loc[name, "hdi_low"] < reml < found.loc[name, "hdi_high"]
