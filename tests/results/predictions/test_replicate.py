"""Replicated responses, against their mean and sd worked out from the draws."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.predictions.replicate import in_blocks, predictions, some_draws

type MadeUp = Callable[..., Posterior]

COUNT = 4000


def still(value: object, like: tuple[int, ...] = ()) -> np.ndarray:
    """Return the same value in 4 x 1000 draws."""
    return np.broadcast_to(np.asarray(value, dtype=float), (4, 1000, *np.shape(value)))


def moments(posterior: Posterior) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    new = predictions(posterior, some_draws(posterior, COUNT, rng)).responses(rng)
    assert new.shape == (COUNT, posterior.plan.design.rows.used)
    return new.mean(axis=0), new.std(axis=0)


def test_each_row_has_its_groups_line_and_sigma(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    posterior = made_up(
        "test_score ~ treatment | school, sigma ~ 1 | school",
        tutoring,
        draws=1000,
        Intercept=still([10.0, 20.0]),
        treatment=still([5.0, -5.0]),
        sigma=still([1.0, 3.0]),
    )
    mean, sd = moments(posterior)
    b = (tutoring["school"] == "B").to_numpy()
    sigma = np.where(b, 3.0, 1.0)
    expected = np.where(b, 20 - 5 * tutoring["treatment"], 10 + 5 * tutoring["treatment"])
    assert abs(mean - expected).max() < 5 * 3 / np.sqrt(COUNT)
    assert sd / sigma == pytest.approx(np.ones(10), abs=5 / np.sqrt(2 * COUNT))


def test_known_standard_errors_scatter_each_row(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    data = tutoring.assign(s=1.0 + np.arange(10) % 3)
    posterior = made_up("test_score ~ 1 | school, se(s)", data, draws=1000, Intercept=still([10.0, 20.0]))
    mean, sd = moments(posterior)
    assert abs(mean - np.where(data["school"] == "B", 20.0, 10.0)).max() < 5 * 3 / np.sqrt(COUNT)
    assert sd / data["s"].to_numpy() == pytest.approx(np.ones(10), abs=5 / np.sqrt(2 * COUNT))


def test_factors_shared_terms_offsets_and_a_linear_sigma(made_up: MadeUp, clinics: pd.DataFrame) -> None:
    posterior = made_up(
        "outcome ~ arm + common(age) + offset(year) | clinic, sigma ~ severe",
        clinics,
        draws=1000,
        Intercept=still([1.0, 2.0, 3.0]),
        arm=still([[10.0, 20.0], [30.0, 40.0], [50.0, 60.0]]),
        age=still(0.5),
        sigma_Intercept=still(0.0),
        sigma_severe=still(np.log(2.0)),
    )
    mean, sd = moments(posterior)
    clinic = clinics["clinic"].map({"east": 0, "north": 1, "south": 2}).to_numpy()
    arms = np.array([[10.0, 20.0, 0.0], [30.0, 40.0, 0.0], [50.0, 60.0, 0.0]])
    level = clinics["arm"].map({"high": 0, "low": 1, "control": 2}).to_numpy()
    expected = 1 + clinic + arms[clinic, level] + 0.5 * clinics["age"].to_numpy() + clinics["year"].to_numpy()
    sigma = np.where(clinics["severe"], 2.0, 1.0)
    assert abs((mean - expected) / sigma).max() < 5 / np.sqrt(COUNT)
    assert sd / sigma == pytest.approx(np.ones(24), abs=5 / np.sqrt(2 * COUNT))


def test_students_tails_and_constants(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    formula = (
        "test_score ~ treatment, family(student), "
        "prior(treatment ~ constant(3), nu ~ constant(5), sigma ~ constant(2), Intercept ~ normal(0, 1))"
    )
    mean, sd = moments(made_up(formula, tutoring, draws=1000, Intercept=still(7.0)))
    assert mean == pytest.approx(7 + 3 * tutoring["treatment"].to_numpy(), abs=5 * 2.6 / np.sqrt(COUNT))
    assert sd.mean() == pytest.approx(2 * np.sqrt(5 / 3), rel=0.05)


def test_no_draw_is_used_twice(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    posterior = made_up("test_score ~ treatment | school", tutoring, draws=10)
    taken = some_draws(posterior, 100, np.random.default_rng(1))
    assert sorted(taken) == list(range(40))


def test_blocks_are_the_draws_in_turn(
    made_up: MadeUp, tutoring: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    posterior = made_up("test_score ~ treatment | school", tutoring, draws=10)
    whole = predictions(posterior, np.arange(7)).mean
    monkeypatch.setattr("formulajoint.results.predictions.replicate.BLOCK", 30)  # three draws of ten rows
    blocks = [block.mean for block in in_blocks(posterior, np.arange(7))]
    assert [len(block) for block in blocks] == [3, 3, 1]
    assert np.array_equal(np.vstack(blocks), whole)
