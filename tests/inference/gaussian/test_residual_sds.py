"""Effects in residual sds, a sigma each: evidences against sums over grids written out here, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats
from scipy.special import logsumexp

import formulajoint as fj
from formulajoint.contrasts.hypotheses import Hypothesis, asked
from formulajoint.inference.evidence import log_bayes_factor, log_evidence
from formulajoint.inference.one_kind import OneKind, log_bayes_factors, one_kind
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.remarks import Missing

type Array = NDArray[np.float64]

LOGS = np.linspace(-4, 7, 1500)
"""Logs of sigma of the sums."""

D = np.linspace(-6, 6, 1201)
"""Effects in residual sds of the sums."""


def frame() -> pd.DataFrame:
    """Three schools that gave tests of sds 1, 10 and 100."""
    rng = np.random.default_rng(4)
    school, x = np.repeat(list("ABC"), [6, 8, 10]), np.tile([0.0, 1.0], 12)
    unit = np.repeat([1.0, 10.0, 100.0], [6, 8, 10])
    return pd.DataFrame({"school": school, "x": x, "y": unit * (2 + 0.7 * x + rng.normal(size=24))})


PRIORS = "Intercept ~ normal(0, 200), sigma ~ half_student_t(4, 30)"


def log_given_effect(data: pd.DataFrame) -> Array:
    """Return log p(y | d) of one school's rows (D,), its sigma and intercept integrated out."""
    y, x, n = data["y"].to_numpy(), data["x"].to_numpy(), len(data)
    out = np.empty((len(LOGS), len(D)))
    for row, s in zip(out, np.exp(LOGS), strict=True):
        root = np.linalg.cholesky(s**2 * np.eye(n) + 200**2)
        y_left, x_left = np.linalg.solve(root, np.column_stack([y, s * x])).T
        row[:] = -0.5 * (y_left @ y_left - 2 * D * (x_left @ y_left) + D**2 * (x_left @ x_left))
        row -= np.sum(np.log(np.diag(root))) + n / 2 * np.log(2 * np.pi)
    out += (np.log(2) + stats.t.logpdf(np.exp(LOGS), 4, scale=30) + LOGS)[:, None]
    return np.asarray(logsumexp(out, axis=0) + np.log(LOGS[1] - LOGS[0]))


@pytest.fixture(scope="module")
def schools() -> list[Array]:
    return [log_given_effect(data) for _, data in frame().groupby("school")]


def over(log_prior: Array, log_density: Array) -> float:
    """Return the log of the integral over d."""
    return float(logsumexp(log_prior + log_density) + np.log(D[1] - D[0]))


def pooled(schools: list[Array], mean: float, tau: float) -> float:
    prior = stats.norm.logpdf(D, mean, tau)
    return sum(over(prior, each) for each in schools)


def pooled_about_each(schools: list[Array], means: Array, tau: float) -> Array:
    """Return the same for each of several means, by sums of products."""
    priors, out = stats.norm.pdf(D, means[:, None], tau), np.zeros(len(means))
    for each in schools:
        most = each.max()
        out += most + np.log(priors @ np.exp(each - most) * (D[1] - D[0]))
    return out


def evidence(formula: str) -> float:
    found = log_evidence(fj.model(formula, frame()).plan)
    assert isinstance(found, LogIntegral)
    return found.value


def test_not_pooled(schools: list[Array]) -> None:
    found = evidence(
        f"y ~ x | school, sigma ~ 1 | school, prior({PRIORS}, x ~ normal(0.5, 0.7, scale=sigma))"
    )
    assert found == pytest.approx(pooled(schools, 0.5, 0.7), abs=2e-4)


def test_pooled_in_residual_sds(schools: list[Array]) -> None:
    priors = f"{PRIORS}, x.mean ~ normal(0, 1), x.sd ~ log_normal(-1, 0.5)"
    found = evidence(f"y ~ x | school, sigma ~ 1 | school, hierarchy(x, scale=sigma), prior({priors})")
    logs, means = np.linspace(-3.5, 1.5, 51), np.linspace(-4, 4, 81)
    each = [
        stats.norm.logpdf(t, -1, 0.5)
        + stats.norm.logpdf(means)
        + pooled_about_each(schools, means, np.exp(t))
        for t in logs
    ]
    wanted = logsumexp(each) + np.log((logs[1] - logs[0]) * (means[1] - means[0]))
    assert found == pytest.approx(wanted, abs=0.02)


def hypothesis(text: str) -> Hypothesis:
    (found,) = asked(fj.model(f"y ~ x | school, sigma ~ 1 | school, test({text})", frame()).design)
    return found


def test_against_effects_of_one_kind_they_are_in_residual_sds(schools: list[Array]) -> None:
    """One effect in sds for all schools, d ~ N(0, 1), and effects from N(0, tau), tau ~ HalfNormal(0.5): s_x is 1/2."""
    plan = fj.model(f"y ~ x | school, sigma ~ 1 | school, prior({PRIORS})", frame()).plan
    kind = one_kind(plan, hypothesis("x == 0"))
    assert isinstance(kind, OneKind)
    assert kind.prior == "mean ~ normal(0, 1), sd ~ half_normal(0.5) in residual sds"
    found = log_bayes_factors(kind, (1.0,))
    assert not isinstance(found, Missing)
    (against,) = found
    none = sum(float(each[np.argmin(abs(D))]) for each in schools)
    shared = over(stats.norm.logpdf(D), np.sum(schools, axis=0)) - none
    logs = np.linspace(-5, 1.2, 80)
    each = [stats.halfnorm(scale=0.5).logpdf(np.exp(t)) + t + pooled(schools, 0.0, np.exp(t)) for t in logs]
    varying = logsumexp(each) + np.log(logs[1] - logs[0]) - none
    varying = np.logaddexp(varying, stats.halfnorm(scale=0.5).logcdf(np.exp(-5.0)))  # as without effects
    assert against.shared is not None
    assert against.varying is not None
    assert against.shared.value == pytest.approx(shared, abs=2e-3)
    assert against.varying.value == pytest.approx(varying, abs=4e-3)


@pytest.mark.parametrize(
    ("scale", "text"),
    [
        ("hierarchy(x, scale=sigma)", "x == x[A]"),
        ("hierarchy(x, scale=sigma)", "x[A] == x[B]"),
        ("prior(x ~ normal(0, 1, scale=sigma))", "x == x[A]"),
    ],
)
def test_equal_effects_in_points_have_no_null_model(scale: str, text: str) -> None:
    plan = fj.model(f"y ~ x | school, sigma ~ 1 | school, {scale}", frame()).plan
    found = log_bayes_factor(plan, hypothesis(text))
    assert isinstance(found, Missing)
    assert "in residual sds" in found.reason


def test_all_effects_zero_is_the_model_without_them(schools: list[Array]) -> None:
    plan = fj.model(
        f"y ~ x | school, sigma ~ 1 | school, prior({PRIORS}, x ~ normal(0.5, 0.7, scale=sigma))", frame()
    ).plan
    found = log_bayes_factor(plan, hypothesis("x == 0"))
    assert isinstance(found, LogIntegral)
    none = sum(float(each[np.argmin(abs(D))]) for each in schools)
    assert found.value == pytest.approx(pooled(schools, 0.5, 0.7) - none, abs=3e-4)
