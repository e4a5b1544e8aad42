"""Sigma of few values, and groups with rows of several of them: against the normal distribution of all rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

import formulajoint as fj
from formulajoint.contrasts.hypotheses import Hypothesis, hypothesis
from formulajoint.inference.engine import exact_engine
from formulajoint.inference.evidence import log_bayes_factor, log_evidence
from formulajoint.inference.gaussian.reduction import reduce
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.remarks import Missing
from formulajoint.spec.read import parse_hypotheses

type Array = NDArray[np.float64]


def frame_of(seed: int, rows: int = 40) -> pd.DataFrame:
    """Return rows in unbalanced groups, with groups of one row and of one arm."""
    rng = np.random.default_rng(seed)
    g = rng.integers(0, 6, rows)
    g[:2] = [20, 21]  # alone
    arm = rng.choice(["control", "low", "high"], rows)
    arm[g == 0] = "low"
    arm[2:5] = ["control", "low", "high"]
    return pd.DataFrame(
        {
            "g": [f"g{i}" for i in g],
            "arm": arm,
            "t": (arm != "control").astype(float),
            "low": (arm == "low").astype(float),
            "high": (arm == "high").astype(float),
            "x": rng.normal(2, 1, rows),
            "z": rng.normal(size=rows),
            "y": rng.normal(5, 2, rows),
            "times": rng.integers(1, 4, rows),
        }
    )


SIGMA = "sigma.Intercept ~ constant(0.4), sigma.low ~ constant(-0.7), sigma.high ~ constant(1.2)"
LOGS = {"control": 0.4, "low": -0.3, "high": 1.6}

CASES: Mapping[str, tuple[str, list[tuple[str, float, float, float]]]] = {
    # formula, and for each column: prior mean, prior sd of what all rows share, and sd over groups
    "nothing by group": (
        "y ~ x + t, sigma ~ low + high, prior(Intercept ~ normal(4, 2), x ~ normal(1, 0.5), t ~ normal(0, 3), {})",
        [("one", 4, 2, 0), ("x", 1, 0.5, 0), ("t", 0, 3, 0)],
    ),
    "not pooled": (
        "y ~ t + common(z) | g, sigma ~ low + high, prior(Intercept ~ normal(4, 2), t ~ normal(1, 3), z ~ normal(0, 1), {})",
        [("one", 4, 0, 2), ("t", 1, 0, 3), ("z", 0, 1, 0)],
    ),
    "effects pooled": (
        """y ~ t | g, hierarchy(t), sigma ~ low + high,
           prior(Intercept ~ normal(4, 2), t.mean ~ normal(1, 3), t.sd ~ constant(0.6), {})""",
        [("one", 4, 0, 2), ("t", 1, 3, 0.6)],
    ),
    "all pooled": (
        """y ~ x + t | g, hierarchy(cor=false), sigma ~ low + high, prior(Intercept.mean ~ normal(4, 2), Intercept.sd ~ constant(1.5),
           x.mean ~ normal(1, 3), x.sd ~ constant(0.6), t.mean ~ normal(0, 1), t.sd ~ constant(2), {})""",
        [("one", 4, 2, 1.5), ("x", 1, 3, 0.6), ("t", 0, 1, 2)],
    ),
    "group terms": (
        """y ~ x + z + (1 | g) + (0 + x | g), sigma ~ low + high, prior(Intercept ~ normal(4, 2), x ~ normal(1, 3), z ~ normal(0, 1), {}),
           prior(Intercept.sd ~ constant(1.5), x.sd ~ constant(0.6), over=g)""",
        [("one", 4, 2, 1.5), ("x", 1, 3, 0.6), ("z", 0, 1, 0)],
    ),
}


def known(
    data: pd.DataFrame, columns: list[tuple[str, float, float, float]], equal: Mapping[str, list[str]] = {}
) -> float:
    """Return the log density of all rows, which are normal; `equal` has groups that share a column's coefficient."""
    mean, covariance = np.zeros(len(data)), np.diag(np.exp(2 * data["arm"].map(LOGS).to_numpy()))
    for name, centre, shared, over_groups in columns:
        x = np.ones(len(data)) if name == "one" else data[name].to_numpy()
        codes = data["g"].replace(dict.fromkeys(equal.get(name, []), "equal")).to_numpy()
        same = codes[:, None] == codes
        mean += centre * x
        covariance += np.outer(x, x) * (shared**2 + over_groups**2 * same)
    return float(stats.multivariate_normal(mean, covariance).logpdf(data["y"]))


def asked(formula: str, data: pd.DataFrame, text: str) -> Hypothesis:
    """Return one hypothesis about the model of CASES."""
    return hypothesis(fj.model(formula.format(SIGMA), data).design, parse_hypotheses(text))


def value(found: LogIntegral | Missing) -> float:
    assert isinstance(found, LogIntegral)
    return found.value


@settings(max_examples=15)
@given(st.sampled_from(list(CASES)), st.integers(0, 1000), st.integers(6, 60))
def test_with_scales_known_the_rows_are_normal(case: str, seed: int, rows: int) -> None:
    formula, columns = CASES[case]
    data = frame_of(seed, rows)
    found = log_evidence(fj.model(formula.format(SIGMA), data).plan)
    assert value(found) == pytest.approx(known(data, columns), rel=1e-10, abs=1e-9)


@pytest.mark.parametrize(
    ("case", "text"), [("effects pooled", "t == 0"), ("all pooled", "t == 0"), ("not pooled", "t == 0")]
)
def test_where_effects_are_zero_rows_are_normal_without_them(case: str, text: str) -> None:
    formula, columns = CASES[case]
    data = frame_of(6)
    found = log_bayes_factor(fj.model(formula.format(SIGMA), data).plan, asked(formula, data, text))
    null = known(data, [column for column in columns if column[0] != "t"])
    assert value(found) == pytest.approx(known(data, columns) - null, abs=1e-8)


@pytest.mark.parametrize("case", ["effects pooled", "all pooled"])
def test_equal_groups_share_a_draw_from_the_hierarchy(case: str) -> None:
    formula, columns = CASES[case]
    data = frame_of(7)
    found = log_bayes_factor(
        fj.model(formula.format(SIGMA), data).plan, asked(formula, data, "t[g1] == t[g2] == t[g4]")
    )
    null = known(data, columns, {"t": ["g1", "g2", "g4"]})
    assert value(found) == pytest.approx(known(data, columns) - null, abs=1e-8)


def test_a_response_far_from_zero_loses_nothing() -> None:
    formula, columns = CASES["all pooled"]
    data = frame_of(1).assign(y=lambda d: np.round(d.y * 1024) / 1024)
    far = data.assign(y=data.y + 1e6)
    moved = formula.replace("Intercept.mean ~ normal(4, 2)", "Intercept.mean ~ normal(1000004, 2)")
    found = log_evidence(fj.model(moved.format(SIGMA), far).plan)
    assert value(found) == pytest.approx(known(data, columns), abs=1e-8)


def test_an_intercept_and_the_arm_are_one_column_in_each_arm() -> None:
    """So each group has one row for each arm, as many as it has coefficients."""
    data = frame_of(2, 60)
    reduction = reduce(fj.model("y ~ t | g, hierarchy(t), sigma ~ t", data).plan)
    assert reduction.sigma_of_row is not None
    assert sorted(reduction.sigma_of_row) == [0, 1]
    assert reduction.own.shape == (2, 3, len(set(data.g)))


def test_independent_arms_are_two_integrals() -> None:
    """Each arm has a mean and a sigma of its own: posterior and evidence are those of two models of one arm."""
    data = frame_of(3, 30)
    data["arm"] = np.where(data["arm"] == "high", "high", "other")
    priors = "prior(arm ~ normal(4, 2), sigma.arm ~ normal(0.5, 1))"
    fit = fj.fit(f"y ~ 0 + arm, sigma ~ 0 + arm, {priors}", data, seed=1)
    draws, total = fit.posterior["sigma_arm"], 0.0
    for arm, y in data.groupby("arm")["y"]:
        logs = np.linspace(-4, 5, 400)
        spread = [np.exp(2 * t) * np.eye(len(y)) + 4.0 for t in logs]
        heights = [stats.multivariate_normal(np.full(len(y), 4.0), c).logpdf(y) for c in spread]
        heights = np.array(heights) + stats.norm(0.5, 1).logpdf(logs)
        weights = np.exp(heights - np.max(heights))
        own, mean = draws.sel(arm_dim=arm).to_numpy().ravel(), weights @ logs / np.sum(weights)
        assert own.mean() == pytest.approx(mean, abs=5 * own.std() / np.sqrt(len(own)))
        total += np.max(heights) + np.log(np.sum(weights) * (logs[1] - logs[0]))
    assert value(fit.log_evidence) == pytest.approx(total, abs=0.02)


def test_a_coefficient_for_each_group_is_a_sigma_for_each() -> None:
    """Their sigmas are integrated out one by one: a different way, with the same prior; the posterior has two modes."""
    rng = np.random.default_rng(8)
    g, sigma, x = np.repeat(list("abcd"), 2), rng.lognormal(-1, 2, 4), rng.normal(size=8)
    y = rng.normal(0, 2) + rng.normal(1, 1) * x + np.repeat(sigma, 2) * rng.normal(size=8)
    data = pd.DataFrame({"g": g, "x": x, "y": y})
    own = log_evidence(
        fj.model(
            "y ~ x, sigma ~ 1 | g, prior(Intercept ~ normal(0, 2), x ~ normal(1, 1), sigma ~ log_normal(-1, 2))",
            data,
        ).plan
    )
    few = log_evidence(
        fj.model(
            "y ~ x, sigma ~ 0 + g, prior(Intercept ~ normal(0, 2), x ~ normal(1, 1), sigma.g ~ normal(-1, 2))",
            data,
        ).plan
    )
    assert isinstance(own, LogIntegral)
    assert isinstance(few, LogIntegral)
    assert few.value == pytest.approx(own.value, abs=5 * np.hypot(own.error, few.error))


def test_sigma_by_town_where_schools_have_rows_of_several() -> None:
    """Not pooled, with one town's sigma known to be that of the other, it is the model of one sigma."""
    data = frame_of(4).assign(town=lambda d: np.where(d.z > 0, "north", "south"))
    formula = "y ~ x | g, sigma ~ 1 | town, prior(sigma ~ constant(1.5))"
    one = fj.model("y ~ x | g, prior(sigma ~ constant(1.5))", data)
    # The default priors of both are in units of the response: these are written out.
    priors = "prior(Intercept ~ normal(5, 3), x ~ normal(0, 2))"
    several, one = (fj.model(f"{f}, {priors}", data) for f in (formula, one.formula))
    assert value(log_evidence(several.plan)) == pytest.approx(value(log_evidence(one.plan)), rel=1e-12)


MANY = {
    "y ~ x | g, sigma ~ x": "predictors give sigma more than 8 values",
    "y ~ x | g, sigma ~ arm + x": "predictors give sigma more than 8 values",
    "y ~ x | g, sigma ~ arm | g": "predictors give sigma more than 8 values",
    "y ~ x | g, sigma ~ arm | ward, hierarchy(sigma.arm)": "coefficients of sigma are pooled",
    "y ~ x | g, sigma ~ arm + (1 | ward)": "coefficients of sigma are pooled",
}


@pytest.mark.parametrize("formula", MANY)
def test_beyond_few_values_the_reason_is_named(formula: str) -> None:
    data = frame_of(5).assign(ward=lambda d: np.where(d.z > 0, "a", "b"))
    why = exact_engine(fj.model(formula, data).plan)
    assert isinstance(why, Missing)
    assert why.reason == MANY[formula]
