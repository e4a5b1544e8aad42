"""Simultaneous intervals, with names."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from formulajoint.contrasts.hypotheses import hypothesis
from formulajoint.errors import InferenceError
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.joint_tests.bands import band_table
from formulajoint.spec.read import parse_hypotheses

type MadeUp = Callable[..., Posterior]

LINE = "test_score ~ treatment | school"


def test_bands_are_simultaneous_and_named(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    treatment = np.random.default_rng(4).normal([3, 0], [1, 2], (4, 500, 2))
    posterior = made_up(LINE, tutoring, draws=500, treatment=treatment)
    text = "treatment == 1, treatment[A] == treatment[B]"
    said = hypothesis(posterior.plan.design, parse_hypotheses(text))
    table = band_table(posterior, said, 0.8)
    assert list(table.index) == ["treatment[A] - 1", "treatment[B] - 1", "treatment[A] - treatment[B]"]
    assert list(table.columns) == ["mean", "sd", "low", "low_mcse", "high", "high_mcse", "note"]
    assert (table["note"] == "").all()
    c = np.stack(
        [treatment[..., 0] - 1, treatment[..., 1] - 1, treatment[..., 0] - treatment[..., 1]], axis=-1
    )
    np.testing.assert_allclose(table["mean"], c.mean(axis=(0, 1)))
    np.testing.assert_allclose(table["sd"], c.reshape(-1, 3).std(axis=0, ddof=1))
    inside = np.all((c >= table["low"].to_numpy()) & (c <= table["high"].to_numpy()), axis=-1)
    assert inside.mean() == pytest.approx(0.8, abs=2e-3)


@pytest.mark.parametrize("prob", [0.0, 1.0, 95.0, float("nan"), "0.9"])
def test_a_band_has_a_probability(made_up: MadeUp, tutoring: pd.DataFrame, prob: float) -> None:
    posterior = made_up(LINE, tutoring)
    said = hypothesis(posterior.plan.design, parse_hypotheses("treatment == 0"))
    with pytest.raises(InferenceError, match=f"`prob` must lie between 0 and 1, not {prob!r}: 95 % is 0.95"):
        band_table(posterior, said, prob)
