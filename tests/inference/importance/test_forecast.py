"""How long sampling takes, told before it begins."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import formulajoint as fj
from formulajoint.inference.importance import forecast as forecasts
from formulajoint.inference.importance.forecast import LONG, TIMED, forecast
from formulajoint.inference.importance.pools import sample
from formulajoint.inference.importance.proposal import Mixture
from formulajoint.inference.importance.searches import DEAR, DEAREST, Effort, Look

type Array = NDArray[np.float64]


class Slow:
    """A standard normal log density of which each point takes `each` seconds of a clock of its own."""

    def __init__(self, each: float, monkeypatch: pytest.MonkeyPatch) -> None:
        self.each, self.points, self.now = each, 0, 0.0
        monkeypatch.setattr(forecasts.time, "perf_counter", lambda: self.now)

    def __call__(self, points: Array) -> Array:
        self.points += len(points)
        self.now += self.each * len(points)
        return np.asarray(-0.5 * np.sum(points**2, axis=1))


def look(d: int, effort: Effort) -> Look:
    broad = Mixture(np.ones(1), np.zeros((1, d)), 3 * np.eye(d)[None])
    return Look(np.zeros((5, d)), broad, effort)


@pytest.mark.parametrize(("d", "effort"), [(2, DEAREST), (4, DEAR), (7, DEAR)])
def test_the_forecast_is_that_of_a_usual_density(
    d: int, effort: Effort, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, told = Slow(0.01, monkeypatch), list[float]()
    sample(target, look(d, effort), 500, 4, np.random.SeedSequence(1), told.append)
    assert 0.4 < told[0] / target.now < 2.5


def test_a_fast_density_is_timed_at_few_points(monkeypatch: pytest.MonkeyPatch) -> None:
    fast = Slow(1e-6, monkeypatch)
    assert forecast(fast, look(2, DEAR), 1000) == pytest.approx(1e-6 * (look(2, DEAR).expected_points + 1000))
    assert fast.points == TIMED[0]
    slow = Slow(1.0, monkeypatch)
    assert forecast(slow, look(2, DEAR), 1000) > LONG
    assert slow.points == sum(TIMED)


def fitted(progress: bool) -> None:
    data = pd.DataFrame({"y": [1.0, 2, 4, 3, 5, 9], "g": list("aabbcc")})
    fj.fit("y ~ 1 | g, hierarchy()", data, draws=50, seed=1, progress=progress)


SAID = "The exact engine will take about "  # how long depends on the machine


def test_a_long_forecast_is_logged(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """As a warning, which is shown where no log is set up; without `progress` as what else the engine tells."""
    caplog.set_level(logging.INFO, logger="formulajoint")
    fitted(progress=True)
    assert not any(message.startswith(SAID) for message in caplog.messages)
    monkeypatch.setattr(forecasts, "LONG", 0.0)
    for progress, level in ((True, logging.WARNING), (False, logging.INFO)):
        caplog.clear()
        fitted(progress=progress)
        said = [record.levelno for record in caplog.records if record.getMessage().startswith(SAID)]
        assert said == [level]
