"""Precision weights where a group's rows have several residual sds: the inverse sampling variances of its effects."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pymc as pm
import pytest
from numpy.typing import NDArray

import formulajoint as fj

type Array = NDArray[np.float64]


def trial(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    g, arm = rng.integers(0, 4, 60), rng.choice(list("abc"), 60)
    arm[g == 3] = "b"  # its effect is not estimable
    y = rng.normal(size=60)
    return pd.DataFrame(
        {"y": y, "g": [f"g{i}" for i in g], "arm": arm, "t": (arm == "b") * 1.0, "x": rng.normal(size=60)}
    )


def sampling(data: pd.DataFrame, columns: list[str], sds: Array) -> Array:
    """Return the inverse sampling variance of the last column's coefficient in each group; 0 if it has none."""
    out = []
    for _, rows in data.assign(one=1.0, sd=sds).groupby("g"):
        x = rows[columns].to_numpy() / rows["sd"].to_numpy()[:, None]
        singular = np.linalg.matrix_rank(x) < x.shape[1]
        out.append(0.0 if singular else 1 / np.linalg.inv(x.T @ x)[-1, -1])
    return np.array(out)


def weights(fit: fj.Fit, draw: int) -> Array:
    return np.asarray(fit.posterior["joint_t_weights"].isel(chain=0, draw=draw))


@pytest.mark.parametrize(
    ("formula", "columns"),
    [
        ("y ~ t | g, sigma ~ arm, joint(t, weights=precision)", ["one", "t"]),
        ("y ~ x + t | g, hierarchy(), sigma ~ 0 + arm, joint(t, weights=precision)", ["one", "x", "t"]),
    ],
)
def test_weights_are_the_inverse_sampling_variances_draw_by_draw(formula: str, columns: list[str]) -> None:
    data = trial()
    fit = fj.fit(formula, data, draws=50, chains=2, seed=1)
    own = fit.posterior.isel(chain=0)
    for draw in range(3):
        at = own["sigma_arm"].isel(draw=draw).to_series()
        logs = data["arm"].map(at).fillna(0.0).to_numpy()
        if "sigma_Intercept" in own:
            logs = logs + float(own["sigma_Intercept"][draw])
        known = sampling(data, columns, np.exp(logs))
        assert known[3] == 0
        assert np.allclose(weights(fit, draw), known / known.sum(), rtol=1e-9)
        effect = float(weights(fit, draw) @ own["t"].isel(draw=draw).to_numpy())
        assert float(own["joint_t"][draw]) == pytest.approx(effect)


def test_sigma_by_another_factor_of_groups() -> None:
    data = trial()
    fit = fj.fit("y ~ t | g, sigma ~ 1 | arm, joint(t, weights=precision)", data, draws=20, chains=2, seed=1)
    sds = data["arm"].map(fit.posterior["sigma"].isel(chain=0, draw=0).to_series()).to_numpy()
    known = sampling(data, ["one", "t"], sds)
    assert np.allclose(weights(fit, 0), known / known.sum(), rtol=1e-9)


def test_the_node_of_the_model_is_that_of_the_draws() -> None:
    model = fj.model("y ~ arm | g, sigma ~ arm, joint(arm, weights=precision)", trial())
    fit = model.fit(draws=5, chains=2, seed=1)
    with model.pymc:
        again = pm.compute_deterministics(
            fit.posterior, var_names=["joint_arm", "joint_arm_weights"], progressbar=False
        )
    for name in ("joint_arm", "joint_arm_weights"):
        assert np.allclose(again[name], fit.posterior[name], rtol=1e-9)
