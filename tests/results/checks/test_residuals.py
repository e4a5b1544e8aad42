"""Residuals and explained variance, against other software and by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import formulajoint as fj
from formulajoint.results.checks.loo import loo_pit
from formulajoint.results.checks.pointwise import with_log_likelihood
from formulajoint.results.checks.residuals import pit, r2, residuals
from formulajoint.results.draws.posterior import Posterior

type MadeUp = Callable[..., Posterior]


def still(value: object, draws: int = 200) -> np.ndarray:
    return np.broadcast_to(np.asarray(value, dtype=float), (4, draws, *np.shape(value)))


@pytest.fixture(scope="module")
def counts() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"x": rng.normal(size=30), "size": rng.integers(3, 9, size=30)})
    data["n"] = rng.poisson(np.exp(0.5 + 0.4 * data["x"]))
    data["won"] = rng.binomial(data["size"], 0.4)
    return data


@pytest.mark.parametrize(
    ("formula", "family"),
    [
        (
            "n ~ x, family(poisson)",
            lambda data: sm.GLM(data["n"], sm.add_constant(data["x"]), sm.families.Poisson()),
        ),
        (
            "prop(won, size) ~ x, family(binomial)",
            lambda data: sm.GLM(
                np.stack([data["won"], data["size"] - data["won"]], axis=1),
                sm.add_constant(data["x"]),
                sm.families.Binomial(),
            ),
        ),
    ],
)
def test_residuals_at_the_estimates_are_those_of_statsmodels(
    made_up: MadeUp, counts: pd.DataFrame, formula: str, family: Callable[[pd.DataFrame], sm.GLM]
) -> None:
    fitted = family(counts).fit()
    posterior = made_up(
        formula, counts, Intercept=still(fitted.params.iloc[0]), x=still(fitted.params.iloc[1])
    )
    unit = (
        counts["size"] if "size" in formula else 1
    )  # statsmodels' are of successes, R's and these of their share
    assert np.allclose(residuals(posterior)["residual"] * unit, fitted.resid_response)
    assert np.allclose(residuals(posterior, "pearson")["residual"], fitted.resid_pearson)
    assert np.allclose(residuals(posterior, "pearson")["sd"], 0)


def test_means_and_sds_of_residuals_are_over_draws(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    centre = np.random.default_rng(1).normal(10, 2, size=(4, 200))
    posterior = made_up("test_score ~ 1", tutoring, Intercept=centre, sigma=still(2.0))
    found = residuals(posterior, "pearson")
    assert np.allclose(found["residual"], (tutoring["test_score"] - centre.mean()) / 2)
    assert np.allclose(found["sd"], centre.std() / 2)


def test_quantile_residuals_are_normal_scores_of_the_predictive_distribution(
    made_up: MadeUp, tutoring: pd.DataFrame
) -> None:
    centre = np.random.default_rng(1).normal(10, 2, size=(4, 200))
    posterior = made_up("test_score ~ 1", tutoring, Intercept=centre, sigma=still(2.0))
    shares = [stats.norm(centre.ravel(), 2).cdf(y).mean() for y in tutoring["test_score"]]
    assert np.allclose(residuals(posterior, "quantile")["residual"], stats.norm.ppf(shares))


@pytest.mark.parametrize(
    ("formula", "given", "below", "at"),
    [
        ("n ~ 1, family(poisson)", {"Intercept": np.log(2.0)}, stats.poisson(2).cdf, stats.poisson(2).pmf),
        (
            "n ~ 1, family(zero_inflated_poisson)",
            {"Intercept": np.log(2.0), "zi": 0.3},
            lambda n: np.where(n < 0, 0.0, 0.3 + 0.7 * stats.poisson(2).cdf(n)),
            lambda n: np.where(n == 0, 0.3, 0.0) + 0.7 * stats.poisson(2).pmf(n),
        ),
    ],
)
def test_steps_have_a_random_point(
    made_up: MadeUp,
    counts: pd.DataFrame,
    formula: str,
    given: dict[str, float],
    below: Callable[[np.ndarray], np.ndarray],
    at: Callable[[np.ndarray], np.ndarray],
) -> None:
    posterior = made_up(formula, counts, **{name: still(value) for name, value in given.items()})
    n = counts["n"].to_numpy()
    found = np.stack([pit(posterior, seed) for seed in range(20)])
    share = (found - below(n - 1)) / at(n)
    assert np.all((share >= -1e-9) & (share <= 1 + 1e-9))
    assert stats.kstest(share.ravel(), "uniform").pvalue > 0.001


def test_explained_variance_of_a_line_is_by_hand(made_up: MadeUp, counts: pd.DataFrame) -> None:
    rng = np.random.default_rng(2)
    slope, sigma = rng.normal(1, 0.2, size=(4, 200)), rng.uniform(1, 2, size=(4, 200))
    posterior = made_up("won ~ x", counts, Intercept=still(1e6), x=slope, sigma=sigma)
    explained = slope**2 * counts["x"].var(ddof=0)
    assert np.allclose(r2(posterior).reshape(4, 200), explained / (explained + sigma**2))


def test_explained_variance_of_counts_has_the_mean_of_the_rows_variances(
    made_up: MadeUp, counts: pd.DataFrame
) -> None:
    posterior = made_up("n ~ x, family(poisson)", counts, Intercept=still(0.5), x=still(0.4))
    mean = np.exp(0.5 + 0.4 * counts["x"])
    assert np.allclose(r2(posterior), mean.var(ddof=0) / (mean.var(ddof=0) + mean.mean()))


@pytest.mark.parametrize(
    ("formula", "law"),
    [
        (
            "n ~ 1, family(zero_inflated_poisson)",
            lambda rng: np.where(rng.random(10**6) < 0.3, 0, rng.poisson(2, 10**6)),
        ),
    ],
)
def test_moments_with_more_zeros_are_those_of_draws(
    made_up: MadeUp, counts: pd.DataFrame, formula: str, law: Callable[[np.random.Generator], np.ndarray]
) -> None:
    posterior = made_up(formula, counts, Intercept=still(np.log(2.0)), zi=still(0.3))
    drawn = law(np.random.default_rng(3))
    found = residuals(posterior, "pearson")["residual"]
    assert np.allclose(found, (counts["n"] - drawn.mean()) / drawn.std(), atol=0.01)


def test_tables_of_a_fit() -> None:
    fit = fj.fit("test_score ~ treatment | school", fj.tutoring(), seed=1)
    table, draws = fit.r2(prob=0.9), fit.r2_draws()
    assert table.loc["r2", "mean"] == pytest.approx(float(draws.mean()))
    assert draws.dims == ("chain", "draw")
    assert list(fit.residuals().index) == list(range(10))
    with pytest.raises(
        fj.InferenceError, match="`kind` is one of `response`, `pearson`, `quantile`, not 'deviance'"
    ):
        fit.residuals("deviance")  # type: ignore[arg-type]


def test_rows_left_out_leave_the_places_of_the_others() -> None:
    data = fj.tutoring().assign(x=[0.5, np.nan, *np.arange(8.0)])
    fit = fj.fit("test_score ~ treatment + x", data, seed=1, draws=100)
    found = fit.residuals()
    for table in (found, fit.residuals("quantile"), fit.loo().table, fit.predict()):
        assert list(table.index) == [0, *range(2, 10)]
        assert table.index.name == "row"
    assert np.allclose(found["residual"], (data["test_score"] - fit.predict()["mean"]).dropna())


def test_categories_without_an_order_have_densities_and_no_residuals(made_up: MadeUp) -> None:
    data = pd.DataFrame({"y": list("abcabcab"), "x": np.arange(8.0)})
    posterior = made_up("y ~ x, family(categorical)", data, x=still([0.1, -0.2]), Intercept=still([0.3, 0.4]))
    odds = np.stack([np.zeros(8), 0.3 + 0.1 * data["x"], 0.4 - 0.2 * data["x"]], axis=1)
    expected = odds[np.arange(8), np.arange(8) % 3] - np.log(np.exp(odds).sum(axis=1))
    found = with_log_likelihood(posterior)["log_likelihood"]["y"]
    assert np.allclose(found, expected)
    for ask in (residuals, r2, loo_pit):
        with pytest.raises(fj.InferenceError, match="`categorical` have no order"):
            ask(posterior)
