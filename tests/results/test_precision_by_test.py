"""Averages by precision where schools gave different tests, against least squares given the residual sds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import formulajoint as fj
from formulajoint.arrays import FloatArray

SDS = {"English": 8.0, "maths": 1.6}


def schools() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    school = np.repeat(list("ABCDE"), [9, 14, 12, 20, 8])
    test = np.where(np.isin(school, ["A", "C", "E"]), "maths", "English")
    x = rng.normal(size=len(school))
    y = 10 + np.array([SDS[t] for t in test]) * (0.4 * x + rng.normal(size=len(school)))
    return pd.DataFrame({"school": school, "test": test, "x": x, "y": y})


def shared_slope(data: pd.DataFrame, sd: FloatArray, in_sds: bool) -> tuple[float, float]:
    """Return the slope that schools share, and its sd: least squares of y with residual sds, or of y / sd."""
    own = pd.get_dummies(data["school"], dtype=float).to_numpy()
    columns, y = np.column_stack([data["x"], own]), data["y"].to_numpy()
    root = np.ones(len(data)) if in_sds else 1 / sd
    inverse = np.linalg.inv((columns * root[:, None]).T @ (columns * root[:, None]))
    slope = (inverse @ (columns * root[:, None]).T @ (y / sd))[0]
    return float(slope), float(np.sqrt(inverse[0, 0]))


@pytest.mark.parametrize("scale", ["none", "sigma"])
def test_an_average_by_precision_is_the_slope_that_schools_share(scale: str) -> None:
    """Given sigma, the average is normal about the shared slope, in points or in residual sds; so are the z below."""
    data = schools()
    formula = f"y ~ x | school, sigma ~ 1 | test, joint(weights=precision, scale={scale})"
    draws = fj.fit(formula, data, priors="flat", seed=1, progress=False).idata.posterior
    sigma = draws["sigma"].stack(s=("chain", "draw")).transpose("s", ...)
    joint = draws["joint_x"].stack(s=("chain", "draw")).to_numpy()
    kept = np.arange(0, len(joint), 4)
    tests = list(sigma.coords[sigma.dims[1]].to_numpy())
    place = np.array([tests.index(test) for test in data["test"]])
    given = [shared_slope(data, row[place], scale == "sigma") for row in sigma.to_numpy()[kept]]
    z = (joint[kept] - [slope for slope, _ in given]) / [sd for _, sd in given]
    assert stats.kstest(z, "norm").pvalue > 0.001
    assert np.mean(z) == pytest.approx(0, abs=4 / np.sqrt(len(z)))
    assert np.std(z) == pytest.approx(1, abs=4 / np.sqrt(2 * len(z)))


def test_the_average_in_sds_does_not_depend_on_a_tests_units() -> None:
    data = schools()
    formula = "y ~ x | school, sigma ~ 1 | test, joint(weights=precision, scale=sigma)"
    rescaled = data.assign(y=np.where(data["test"] == "maths", 100 * data["y"] + 7, data["y"]))
    plain, other = (fj.fit(formula, each, seed=1, progress=False).contrasts() for each in (data, rescaled))
    estimate = ["mean", "sd", "hdi_low", "hdi_high"]
    np.testing.assert_allclose(plain[estimate], other[estimate], atol=0.001 * plain["sd"].iloc[0])
