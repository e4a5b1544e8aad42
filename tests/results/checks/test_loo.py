"""Rows left out, against ArviZ on the same draws and against closed forms; models side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import arviz_stats
import numpy as np
import pandas as pd
import pytest
from scipy import stats

import formulajoint as fj
from formulajoint.results.checks.comparison import stacking_weights
from formulajoint.results.checks.loo import leave_rows_out, loo_pit
from formulajoint.results.checks.pointwise import with_log_likelihood
from formulajoint.results.draws.posterior import Posterior

type MadeUp = Callable[..., Posterior]


@pytest.fixture(scope="module")
def fits() -> dict[str, fj.Fit]:
    data = fj.tutoring()
    formulas = {"effect": "test_score ~ treatment | school", "none": "test_score ~ 1 | school"}
    return {name: fj.fit(text, data, seed=1) for name, text in formulas.items()}


def test_rows_left_out_are_those_of_arviz(fits: dict[str, fj.Fit]) -> None:
    found = fits["effect"].loo()
    tree = fits["effect"].log_likelihood()
    with pytest.warns(UserWarning, match="shape parameter"):
        expected = arviz_stats.loo(tree, pointwise=True, reff=1.0)
    assert found.elpd == pytest.approx(expected.elpd, rel=1e-10)
    assert found.se == pytest.approx(expected.se, rel=1e-10)
    assert found.effective == pytest.approx(expected.p, rel=1e-10)
    assert np.allclose(found.table["elpd"], expected.elpd_i)
    assert np.allclose(found.table["k_hat"], expected.pareto_k)
    assert found.doubtful == (expected.pareto_k > 0.7).sum() > 0
    assert f"k-hat is above 0.7 for {found.doubtful} of them" in str(found)


def test_draws_of_a_markov_chain_count_as_arviz_counts_them(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    walk = np.cumsum(np.random.default_rng(1).normal(size=(4, 200, 2)), axis=1) / 20
    posterior = made_up("test_score ~ 1 | school", tutoring, Intercept=10 + walk, sigma=9 + walk[..., 0] ** 2)
    found = leave_rows_out(posterior)
    expected = arviz_stats.loo(with_log_likelihood(posterior), pointwise=True)
    assert np.allclose(found.table["k_hat"], expected.pareto_k)
    assert found.elpd == pytest.approx(expected.elpd, rel=1e-10)


def test_with_few_draws_a_smaller_k_hat_is_doubtful(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    sigma = 4 + np.random.default_rng(1).random((4, 200))
    posterior = made_up("test_score ~ 1 | school", tutoring, sigma=sigma)
    expected = arviz_stats.loo(with_log_likelihood(posterior), reff=1.0)
    found = leave_rows_out(posterior)
    assert found.good_k == pytest.approx(expected.good_k)
    assert found.good_k == pytest.approx(1 - 1 / np.log10(800))
    assert replace(found, table=found.table.assign(k_hat=0.69)).doubtful == len(tutoring)


def test_a_normal_mean_has_its_closed_form() -> None:
    y = np.random.default_rng(1).normal(size=40)
    fit = fj.fit(
        "y ~ 1, prior(sigma ~ constant(1), Intercept ~ normal(0, 2))", pd.DataFrame({"y": y}), seed=1
    )
    precision = 1 / 4 + 39
    others = y.sum() - y
    expected = stats.norm(others / precision, np.sqrt(1 + 1 / precision)).logpdf(y)
    assert np.allclose(fit.loo().table["elpd"], expected, atol=0.02)
    assert fit.loo().effective == pytest.approx(1, abs=0.6)


def test_a_row_that_counts_twice_is_left_out_whole() -> None:
    data = pd.DataFrame({"y": [1.0, 3.0, 4.0, 8.0], "w": [1, 2, 1, 1]})
    formula = "y ~ 1, weights(w), prior(sigma ~ constant(2), Intercept ~ normal(0, 3))"
    fit = fj.fit(formula, data, seed=1)
    precision = 1 / 9 + 3 / 4
    mean = (1 + 4 + 8) / 4 / precision
    covariance = 4 * np.eye(2) + 1 / precision
    expected = stats.multivariate_normal([mean, mean], covariance).logpdf([3, 3])
    assert fit.loo().table.loc[1, "elpd"] == pytest.approx(expected, abs=0.03)


def test_blocks_of_rows_give_the_same(fits: dict[str, fj.Fit], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fits["none"].loo().table
    monkeypatch.setattr(
        "formulajoint.results.predictions.replicate.BLOCK", 12_000
    )  # three rows of 4000 draws
    assert np.allclose(fits["none"].loo().table, whole)
    assert np.allclose(fits["none"].log_likelihood()["log_likelihood"]["test_score"].sizes["obs"], 10)


def test_an_array_of_all_draws_and_rows_that_is_too_large_is_refused(
    fits: dict[str, fj.Fit], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("formulajoint.results.checks.pointwise.MOST_BYTES", 100_000)
    with pytest.raises(fj.InferenceError, match=r"4000 draws of 10 rows take .* block by block"):
        fits["none"].log_likelihood()


def test_models_side_by_side_are_those_of_arviz(fits: dict[str, fj.Fit]) -> None:
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"x": rng.normal(size=60), "z": rng.normal(size=60)})
    data["y"] = 0.3 * data["x"] + 0.3 * data["z"] + rng.normal(size=60)
    own = {name: fj.fit(f"y ~ {name}", data, seed=1) for name in ("x", "z")}
    found = fj.compare(own)
    expected = arviz_stats.compare({name: fit.log_likelihood() for name, fit in own.items()}, round_to="none")
    assert list(found.index) == list(expected.index)
    pairs = {"elpd": "elpd", "se": "se", "difference": "elpd_diff", "difference_se": "dse", "effective": "p"}
    for mine, theirs in pairs.items():
        assert np.allclose(found[mine], expected[theirs], atol=0.02), mine
    assert np.allclose(found["weight"], expected["weight"], atol=0.02)


def test_weights_of_stacking_maximise_the_score_of_the_mixture() -> None:
    logs = np.log(np.array([[0.9, 0.1, 0.2], [0.1, 0.8, 0.2], [0.2, 0.9, 0.1]]))
    weights = stacking_weights(logs)
    grid = [(a, b, 1 - a - b) for a in np.linspace(0, 1, 201) for b in np.linspace(0, 1 - a, 201)]
    best = max(grid, key=lambda w: np.log(np.exp(logs) @ w).sum())
    assert weights == pytest.approx(np.array(best), abs=0.01)


def test_evidences_side_by_side(fits: dict[str, fj.Fit]) -> None:
    found = fj.compare(fits, by="evidence")
    assert list(found.index) == ["effect", "none"]
    difference = fits["effect"].compare(fits["none"]).value
    assert found.loc["none", "log_bf"] == pytest.approx(-difference)
    assert found.loc["effect", "probability"] == pytest.approx(1 / (1 + np.exp(-difference)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"by": "waic"}, "`by` is 'loo' or 'evidence', not 'waic'"),
        ({"by": "evidence", "over": "school"}, "it is for by='loo'"),
        ({"over": "schol"}, "did you mean `school`"),
    ],
)
def test_comparisons_that_have_no_meaning_are_refused(
    fits: dict[str, fj.Fit], arguments: dict[str, str], message: str
) -> None:
    with pytest.raises(fj.InferenceError, match=message):
        fj.compare(fits, **arguments)  # type: ignore[arg-type]


def test_fits_of_other_data_or_none_are_refused(fits: dict[str, fj.Fit]) -> None:
    other = fj.fit("test_score ~ 1", fj.tutoring().iloc[:8], seed=1)
    with pytest.raises(fj.InferenceError, match="`effect` and `few` cannot be compared: one has 10 rows"):
        fj.compare({"effect": fits["effect"], "few": other})
    with pytest.raises(fj.InferenceError, match="two or more fits"):
        fj.compare({"effect": fits["effect"]})
    with pytest.raises(fj.InferenceError, match="given by name"):
        fj.compare(list(fits.values()))  # type: ignore[arg-type]
    with pytest.raises(fj.InferenceError, match="given by name"):
        fj.compare(*fits.values())  # type: ignore[arg-type]


def test_groups_that_the_others_say_nothing_about_are_refused() -> None:
    flat = fj.fit("test_score ~ treatment | school", fj.tutoring(), priors="flat", seed=1)
    with pytest.raises(fj.InferenceError, match="`Intercept`, `treatment` have a flat prior there"):
        flat.loo(over="school")
    none = fj.fit("test_score ~ treatment", fj.tutoring(), seed=1)
    with pytest.raises(fj.InferenceError, match="no groups of `school`, or of any other factor"):
        none.loo(over="school")


def test_probabilities_of_less_given_all_other_rows_are_those_of_arviz(fits: dict[str, fj.Fit]) -> None:
    tree, new = fits["none"].log_likelihood(), fits["none"].posterior_predictive(seed=1)
    tree["posterior_predictive"] = new["posterior_predictive"]
    expected = arviz_stats.loo_pit(tree)["test_score"]
    rows, found = loo_pit(fits["none"].draws)
    assert rows.tolist() == list(range(10))
    assert np.allclose(found, expected, atol=0.04)  # theirs is a share of 4000 replicated responses
    some, few = loo_pit(fits["none"].draws, most=4)
    assert len(some) == 4
    assert np.allclose(few, found[some])


def test_a_fit_of_moments_leaves_out_groups_and_not_rows() -> None:
    data, formula = fj.tutoring(), "test_score ~ treatment | school, hierarchy()"
    of_rows, of_sums = (fj.fit(formula, each, seed=1) for each in (data, fj.moments(formula, data)))
    expected = of_rows.loo(over="school").table
    assert np.allclose(of_sums.loo(over="school").table, expected, atol=1e-6, equal_nan=True)
    assert dict(of_sums.table().below).keys() == {"rows", "groups of school", "family", "log evidence"}
    for ask in (of_sums.loo, of_sums.residuals, of_sums.r2, of_sums.log_likelihood):
        with pytest.raises(fj.DataError, match="What is said of single rows needs the rows of the data"):
            ask()
