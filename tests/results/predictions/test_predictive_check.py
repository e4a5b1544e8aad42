"""The posterior predictive check: its figures against their definitions, its level, and what it finds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from formulajoint.design.schema import Grouping
from formulajoint.distributions.declared import STUDENT_T
from formulajoint.distributions.distribution import POSITIVE, Distribution
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.predictions.predictive_check import (
    FIGURES,
    PredictiveCheck,
    _figures,
    predictive_check,
)
from formulajoint.results.predictions.replicate import Predictions, predictions

type MadeUp = Callable[..., Posterior]
type Errors = Callable[[np.random.Generator, np.ndarray], np.ndarray]

ROWS, SETS = 30, 4000
CODES = np.repeat([0, 1, 2, 3], [1, 4, 10, 15])
GROUPING = Grouping("g", ("g",), tuple("abcd"), CODES)


def test_each_figure_is_standard_normal_if_the_model_is_right() -> None:
    rng = np.random.default_rng(1)
    found = dict(_figures(rng.normal(size=(SETS, ROWS)), rng.normal(size=(SETS, ROWS)), GROUPING))
    assert found.keys() == FIGURES.keys()
    for name, h in found.items():
        assert stats.kstest(h, "norm").pvalue > 1e-3, name


def test_extreme_figures_are_finite_and_in_order() -> None:
    z = np.array([1e-3, 1.0, 30.0, 1e4])[:, None] * np.random.default_rng(2).normal(size=ROWS)
    found = dict(_figures(z, np.tile(np.arange(ROWS), (4, 1)), GROUPING))
    for h in found.values():
        assert np.isfinite(h).all()
    assert (np.diff(found["sd"][:3]) > 0).all()
    assert (np.diff(found["smallest"][:3]) < 0).all()
    assert (np.diff(found["largest"][:3]) > 0).all()


def test_extremes_are_those_of_independent_values() -> None:
    z = np.random.default_rng(3).normal(size=(5, ROWS))
    found = dict(_figures(z, z, None))
    assert found["smallest"] == pytest.approx(stats.norm.ppf(1 - stats.norm.sf(z.min(1)) ** ROWS), rel=1e-8)
    assert found["largest"] == pytest.approx(stats.norm.ppf(stats.norm.cdf(z.max(1)) ** ROWS), rel=1e-8)
    assert found["sd"] == pytest.approx(stats.norm.ppf(stats.chi2.cdf(np.sum(z**2, 1), ROWS)), rel=1e-8)


def test_scores_of_student_are_by_its_distribution_function() -> None:
    y, parameters = np.array([-40.0, -1.0, 0.0, 2.0, 9.0]), {"mu": 1.0, "sigma": 2.0, "nu": 3.5}
    predicted = Predictions(STUDENT_T, {name: np.full((1, 5), value) for name, value in parameters.items()})
    scores = predicted.scores(y, np.random.default_rng(1))
    assert scores[0] == pytest.approx(stats.norm.ppf(stats.t.cdf((y - 1) / 2, 3.5)), rel=1e-9)


def test_scores_of_whole_numbers_are_normal() -> None:
    """Each is that of a random point of the step of the distribution function, in both tails."""
    poisson = Distribution(
        "poisson", ("mu",), POSITIVE, scipy=lambda stats, mu: stats.poisson(mu), whole=True
    )
    rng, mu = np.random.default_rng(1), np.full((1, 20_000), 2.5)
    y = rng.poisson(mu[0])
    scores = Predictions(poisson, {"mu": mu}).scores(y, rng)[0]
    assert stats.kstest(scores, "norm").pvalue > 0.005
    assert (scores >= stats.norm.ppf(stats.poisson.cdf(y - 1, 2.5)) - 1e-9).all()
    assert (scores <= stats.norm.ppf(stats.poisson.cdf(y, 2.5)) + 1e-9).all()
    far = Predictions(poisson, {"mu": np.array([[2.5]])}).scores(np.array([60.0]), rng)
    assert 15 < far[0, 0] < 40
    assert poisson.takes(np.array([0.0, 3.0, -1.0, 0.5, np.nan])).tolist() == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert poisson.values == "of whole numbers from 0"


def test_too_few_rows_have_no_skewness(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    check = predictive_check(made_up("test_score ~ treatment | school", tutoring))
    assert set(check.scores) == {"sd", "smallest", "largest", "groups", "trend"}
    check = predictive_check(made_up("test_score ~ 1", tutoring))
    assert set(check.scores) == {"sd", "smallest", "largest"}


def normal(rng: np.random.Generator, g: np.ndarray) -> np.ndarray:
    return rng.normal(size=len(g))


def unequal(rng: np.random.Generator, g: np.ndarray) -> np.ndarray:
    return rng.normal(size=len(g)) * np.where(g < g.max() / 2, 0.4, 1.4)


def heavy(rng: np.random.Generator, g: np.ndarray) -> np.ndarray:
    return rng.standard_t(3, len(g))


def skewed(rng: np.random.Generator, g: np.ndarray) -> np.ndarray:
    return -rng.exponential(size=len(g))


def rising(rng: np.random.Generator, g: np.ndarray) -> np.ndarray:
    return rng.normal(size=len(g)) * np.exp(g / 10)


def data_of(errors: Errors, seed: int, groups: int, rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), rows)
    x = rng.normal(size=len(g))
    y = 3.0 * g + rng.normal(size=groups)[g] * x + errors(rng, g)
    return pd.DataFrame({"y": y, "x": x, "g": g.astype(str)})


def test_many_fitted_coefficients_are_no_reason_for_an_alarm(closed_form: MadeUp) -> None:
    """Of 5 rows a group, 2 coefficients are fitted; replicated responses have a larger sd than the data."""
    data = data_of(normal, 1, 60, 5).assign(y=lambda d: d.y - 3.0 * d.g.astype(int))
    posterior = closed_form("y ~ x | g", data)
    new = predictions(posterior, np.arange(400)).responses(np.random.default_rng(1))
    assert np.mean(new.std(axis=1) > posterior.plan.design.response.values.std()) > 0.975
    assert predictive_check(posterior).is_usual


def test_false_alarms_are_at_most_five_percent(closed_form: MadeUp) -> None:
    sets = 100
    alarms = sum(
        not predictive_check(closed_form("y ~ x | g", data_of(normal, seed, 12, 5), draws=50)).is_usual
        for seed in range(sets)
    )
    assert alarms / sets < 0.05 + 2 * np.sqrt(0.05 * 0.95 / sets)


@pytest.mark.parametrize(
    ("errors", "first"),
    [
        (unequal, "sds that differ less by g"),
        (heavy, "lighter tails"),
        (skewed, "a higher skewness"),
        (rising, "an sd that rises less with the mean"),
    ],
)
def test_a_wrong_model_is_found_and_what_is_wrong_named_first(
    closed_form: MadeUp, errors: Errors, first: str
) -> None:
    if errors is rising:
        data = data_of(errors, 5, 20, 10).drop(columns="g")
        check = predictive_check(closed_form("y ~ x + z", data.assign(z=np.repeat(np.arange(20), 10))))
    else:
        check = predictive_check(closed_form("y ~ x | g", data_of(errors, 5, 20, 25)))
    assert check.p_value < 0.01
    assert check.verdict.startswith(f"the model's replications have {first}")
    assert " than the data (p " in check.verdict


@pytest.mark.parametrize(("sigma", "said"), [(20.0, "a larger sd"), (0.05, "a smaller sd")])
def test_an_sd_that_is_too_large_or_too_small(
    made_up: MadeUp, tutoring: pd.DataFrame, sigma: float, said: str
) -> None:
    given = {
        "Intercept": np.full((4, 200), tutoring.test_score.mean()),
        "sigma": np.full((4, 200), sigma * 7),
    }
    check = predictive_check(made_up("test_score ~ 1", tutoring, **given))
    assert said in check.verdict


def test_p_values_count_two_sides_the_median_and_the_figures() -> None:
    check = PredictiveCheck({"sd": -3.5, "largest": 1.0}, "")
    assert check.p_values["sd"] == pytest.approx(4 * stats.norm.sf(3.5))
    assert check.p_value == pytest.approx(8 * stats.norm.sf(3.5))
    assert check.verdict == "the model's replications have a larger sd than the data (p = 0.0019)"
    assert PredictiveCheck({"sd": 0.1}, "").p_value == 1


def test_the_three_clearest_are_named() -> None:
    scores = {"sd": 9.0, "smallest": -8.0, "largest": 7.0, "groups": 6.0}
    assert PredictiveCheck(scores, "g").verdict == (
        "the model's replications have a smaller sd, a higher smallest value and a lower largest value than the data "
        "(p < 0.0001)"
    )
