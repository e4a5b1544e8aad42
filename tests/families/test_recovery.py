"""Families of categories by NUTS: parameters are recovered, and are the maximum likelihood estimates of statsmodels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj

ROWS, DRAWS = 800, 400
CUTS, SLOPE = np.array([-1.0, 0.5, 1.5]), 0.8
LEVELS, SLOPES = np.array([0.4, -0.6]), np.array([0.9, -0.5])
WIDE = "normal(0, 10)"

X = np.random.default_rng(1).integers(-2, 3, ROWS) / 2
"""A column of few values, so that NUTS sees few cells."""


def checked(draws: np.ndarray, estimates: np.ndarray, errors: np.ndarray, truth: np.ndarray) -> None:
    """Hold posterior means and sds against estimates and their standard errors, and means against the truth."""
    means, sds = draws.mean(axis=0), draws.std(axis=0)
    assert np.all(abs(means - estimates) < 0.3 * errors)
    assert sds == pytest.approx(errors, rel=0.15)
    assert np.all(abs(means - truth) < 4 * sds)


@pytest.mark.slow
def test_ordered_categories() -> None:
    ordinal = pytest.importorskip("statsmodels.miscmodels.ordinal_model")
    rng = np.random.default_rng(2)
    y = np.digitize(SLOPE * X + rng.logistic(size=ROWS), CUTS)
    formula = f"y ~ x, family(cumulative), prior(x ~ {WIDE}, threshold ~ {WIDE})"
    fit = fj.fit(formula, {"y": y, "x": X}, draws=DRAWS, engine="nutpie", seed=1, progress=False)
    draws = np.column_stack(
        [fit.posterior["x"].values.ravel(), fit.posterior["threshold"].values.reshape(-1, 3)]
    )
    twin = ordinal.OrderedModel(pd.Series(y), pd.DataFrame({"x": X}), distr="logit").fit(disp=False)
    steps = np.array(twin.params)
    cuts = twin.model.transform_threshold_params(steps)[1:-1]
    turn = np.eye(4)  # thresholds are the first one and logs of their distances
    turn[2:, 2] = np.exp(steps[2])
    turn[3, 3] = np.exp(steps[3])
    turn[1:, 1] = 1.0
    errors = np.sqrt(np.diag(turn @ np.array(twin.cov_params()) @ turn.T))
    checked(draws, np.array([steps[0], *cuts]), errors, np.array([SLOPE, *CUTS]))


@pytest.mark.slow
def test_categories_without_an_order() -> None:
    discrete = pytest.importorskip("statsmodels.discrete.discrete_model")
    rng = np.random.default_rng(3)
    logits = np.column_stack([np.zeros(ROWS), LEVELS + np.outer(X, SLOPES)])
    y = np.argmax(logits + rng.gumbel(size=logits.shape), axis=1)
    formula = f"y ~ x, family(categorical), prior(Intercept ~ {WIDE}, x ~ {WIDE})"
    data = {"y": np.array(["car", "bus", "train"])[y], "x": X}
    frame = pd.DataFrame(data).astype({"y": pd.CategoricalDtype(["car", "bus", "train"])})
    fit = fj.fit(formula, frame, draws=DRAWS, engine="nutpie", seed=1, progress=False)
    draws = np.column_stack([fit.posterior[name].values.reshape(-1, 2) for name in ("Intercept", "x")])
    twin = discrete.MNLogit(y, np.column_stack([np.ones(ROWS), X])).fit(disp=False)
    checked(draws, np.ravel(twin.params), np.ravel(twin.bse), np.concatenate([LEVELS, SLOPES]))
