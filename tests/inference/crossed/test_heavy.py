"""Student and Cauchy priors with several factors: of a hierarchy over one of them, and of shared coefficients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import cauchy, multivariate_normal, t

import formulajoint as fj
from formulajoint.compiler.plan import Plan
from formulajoint.inference.crossed.engine import Crossed
from formulajoint.inference.engine import exact_engine
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.inference.settings import Settings
from formulajoint.remarks import Missing

KNOWN = "prior(sigma ~ constant(1.2)), prior(Intercept ~ normal(1, 2), x ~ normal(0, 1)), "
KNOWN += "prior(Intercept.sd ~ constant(0.8), over=a), prior(x.sd ~ constant(0.7), over=b)"


def rows() -> pd.DataFrame:
    """Return rows in five groups of one factor and two of another, whose slopes are far apart."""
    rng = np.random.default_rng(3)
    a, b, x = rng.integers(0, 5, 30), rng.integers(0, 2, 30), rng.normal(size=30)
    y = 1 + np.array([-1.5, 2.5])[b] * x + rng.normal(0, 0.8, 5)[a] + rng.normal(0, 1.2, 30)
    return pd.DataFrame({"y": y, "x": x, "a": [f"a{i}" for i in a], "b": [f"b{i}" for i in b]})


def plan_of(dist: str) -> Plan:
    return fj.model(f"y ~ x + (1 | a) + (0 + x | b), hierarchy(x, over=b, {dist}), {KNOWN}", rows()).plan


@pytest.mark.parametrize(
    ("dist", "law"), [("dist=student, df=3", t(3, scale=0.7)), ("dist=cauchy", cauchy(scale=0.7))]
)
def test_evidence_and_coefficients_are_those_of_a_grid(dist: str, law: Any) -> None:
    plan, data = plan_of(dist), rows()
    x, y = data["x"].to_numpy(), data["y"].to_numpy()
    same = data["a"].to_numpy()[:, None] == data["a"].to_numpy()
    covariance = 1.44 * np.eye(30) + 0.64 * same + 4.0 + np.outer(x, x)
    axis = np.concatenate([-np.geomspace(500, 6, 60), np.linspace(-5.9, 5.9, 300), np.geomspace(6, 500, 60)])
    first, second = (each.ravel() for each in np.meshgrid(axis, axis, indexing="ij"))
    of_second = (data["b"] == "b1").to_numpy()
    means = 1 + np.outer(first, x * ~of_second) + np.outer(second, x * of_second)
    heights = multivariate_normal.logpdf(y - means, np.zeros(30), covariance)
    width = np.gradient(axis)
    heights += law.logpdf(first) + law.logpdf(second) + np.log(np.outer(width, width)).ravel()
    value = np.logaddexp.reduce(heights)
    found = Crossed().log_evidence(plan, 1)
    assert isinstance(found, LogIntegral)
    assert abs(found.value - value) < 5 * found.error + 1e-3
    draws = Crossed().draw(plan, Settings(500, 0, 4, 1, 0.9, False))
    weights = np.exp(heights - value)
    for at, slope in enumerate((first, second)):
        mean = weights @ slope
        sd = np.sqrt(weights @ slope**2 - mean**2)
        assert abs(np.mean(draws.values("x|b")[..., at]) - mean) < 5 * sd / np.sqrt(2000)


def test_what_varies_is_the_sd_times_what_pymc_samples() -> None:
    formula = f"y ~ x + (1 | a) + (0 + x | b), hierarchy(x, over=b, dist=student, centered=false), {KNOWN}"
    draws = Crossed().draw(fj.model(formula, rows()).plan, Settings(100, 0, 2, 1, 0.9, False))
    offset = next(name for name in draws.variables if name.endswith("offset"))
    assert np.allclose(draws.values("x|b"), 0.7 * draws.values(offset))


def test_with_many_groups_they_are_refused() -> None:
    data = rows().assign(b=lambda d: [f"b{i % 10}" for i in range(len(d))])
    found = exact_engine(fj.model("y ~ x + (1 | a) + (x | b), hierarchy(x, over=b, dist=student)", data).plan)
    assert isinstance(found, Missing)
    assert "10 coefficients with Student or Cauchy priors" in found.reason


@pytest.mark.parametrize(
    ("written", "law"), [("student_t(3, 0.5, 0.4)", t(3, 0.5, 0.4)), ("cauchy(-4, 0.2)", cauchy(-4, 0.2))]
)
def test_a_shared_coefficient_has_the_prior_that_is_written(written: str, law: Any) -> None:
    known = KNOWN.replace("x ~ normal(0, 1)", f"x ~ {written}")
    plan, data = fj.model(f"y ~ x + (1 | a) + (0 + x | b), {known}", rows()).plan, rows()
    x, y = data["x"].to_numpy(), data["y"].to_numpy()
    same_a, same_b = (data[each].to_numpy()[:, None] == data[each].to_numpy() for each in "ab")
    covariance = 1.44 * np.eye(30) + 0.64 * same_a + 4.0 + 0.49 * same_b * np.outer(x, x)
    axis = np.linspace(-60, 60, 12_001)
    heights = multivariate_normal.logpdf(y - 1 - np.outer(axis, x), np.zeros(30), covariance)
    heights += law.logpdf(axis) + np.log(axis[1] - axis[0])
    value = np.logaddexp.reduce(heights)
    found = Crossed().log_evidence(plan, 1)
    assert isinstance(found, LogIntegral)
    assert abs(found.value - value) < 5 * found.error + 1e-4
    weights = np.exp(heights - value)
    mean = weights @ axis
    draws = Crossed().draw(plan, Settings(500, 0, 4, 1, 0.9, False)).values("x")
    assert abs(np.mean(draws) - mean) < 5 * np.sqrt(weights @ (axis - mean) ** 2 / 2000)
