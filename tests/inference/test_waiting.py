"""What is said while several evidences are computed."""

from __future__ import annotations

import logging

import pytest

import formulajoint as fj
from formulajoint.inference import waiting
from formulajoint.inference.waiting import Waiting


def test_the_others_are_forecast_from_those_that_are_done(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = iter([0.0, 4.0, 20.0, 60.0])
    monkeypatch.setattr(waiting.time, "perf_counter", lambda: next(clock))
    several = Waiting(7, started=next(clock))
    with caplog.at_level(logging.WARNING):
        several.one_done()  # 6 more of 4 s
        assert not caplog.records
        several.one_done()  # 5 more of 10 s
        several.one_done()  # said once
    assert [record.getMessage() for record in caplog.records] == [
        "Bayes factors will take about 50 seconds more."
    ]


def test_tests_say_how_long_they_take(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    formula = "test_score ~ treatment | school, sigma ~ 1 | school, hierarchy(sigma)"
    fit = fj.fit(formula, fj.tutoring(), draws=50, chains=2, seed=1, engine="exact", progress=False)
    monkeypatch.setattr(waiting, "LONG", 0.0)
    with caplog.at_level(logging.WARNING):
        fit.test("treatment == 0")
    told = [record for record in caplog.records if record.getMessage().startswith("Bayes factors will take")]
    assert told
