"""Priors whose numbers differ by group: evidences and Bayes factors against dense normal distributions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats

import formulajoint as fj
from formulajoint.contrasts.hypotheses import hypothesis
from formulajoint.inference.evidence import log_bayes_factor, log_evidence
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.spec.read import parse_hypotheses

type Array = NDArray[np.float64]

RNG = np.random.default_rng(3)
CODES = np.repeat(np.arange(4), 5)
X = RNG.normal(0.5, 1, 20)
FRAME = pd.DataFrame({"g": np.array(list("ABCD"))[CODES], "x": X, "y": 1 + X + RNG.normal(size=20)})

FORMULA = """y ~ x | g, prior(sigma ~ constant(1.2), Intercept ~ normal(1, 2), Intercept[C] ~ normal(0, 3),
             x ~ normal(0, 1), x[A] ~ normal(1, 2), x[B] ~ normal(-1, 0.5))"""
INTERCEPTS = np.array([1.0, 1, 0, 1]), np.array([2.0, 2, 3, 2])
SLOPES = np.array([1.0, -1, 0, 0]), np.array([2.0, 0.5, 1, 1])


def prior() -> tuple[Array, Array, Array]:
    """Return the design (N, 8) of intercepts, then slopes, with means and sds of their prior."""
    ones = np.eye(4)[CODES]
    means, sds = (np.concatenate([a, b]) for a, b in zip(INTERCEPTS, SLOPES, strict=True))
    return np.hstack([ones, ones * X[:, None]]), means, sds


def log_density_of_null(contrast: Array, mean: Array, covariance: Array) -> float:
    return float(
        stats.multivariate_normal.logpdf(
            0 * contrast @ mean, contrast @ mean, contrast @ covariance @ contrast.T
        )
    )


def savage_dickey(contrast: Array) -> float:
    """Return log BF10 of R b = 0 by the densities of R b at 0 before and after, for a known sigma."""
    columns, mean, sds = prior()
    before = np.diag(sds**2)
    after = np.linalg.inv(np.diag(sds**-2) + columns.T @ columns / 1.2**2)
    moved = after @ (mean / sds**2 + columns.T @ FRAME["y"].to_numpy() / 1.2**2)
    return log_density_of_null(contrast, mean, before) - log_density_of_null(contrast, moved, after)


def rows(*pairs: tuple[int, int | None]) -> Array:
    """Return rows of R for slopes that equal another, or zero."""
    out = np.zeros((len(pairs), 8))
    for row, (one, other) in zip(out, pairs, strict=True):
        row[4 + one] = 1
        if other is not None:
            row[4 + other] = -1
    return out


HYPOTHESES = {
    "x == 0": rows((0, None), (1, None), (2, None), (3, None)),
    "x[A] == x[B] == x[C] == x[D]": rows((0, 1), (1, 2), (2, 3)),
    "x[A] == x[B]": rows((0, 1)),
    "x[A] == x[C], x[B] == x[D]": rows((0, 2), (1, 3)),
}


@pytest.mark.parametrize("text", HYPOTHESES)
def test_bayes_factors_are_those_of_savage_and_dickey(text: str) -> None:
    """By evidences of null models, and by the closed form for models that are not pooled."""
    model = fj.model(FORMULA, FRAME)
    expected = savage_dickey(HYPOTHESES[text])
    found = log_bayes_factor(model.plan, hypothesis(model.plan.design, parse_hypotheses(text)))
    assert isinstance(found, LogIntegral)
    assert found.value == pytest.approx(expected, abs=1e-8)
    table = model.fit(engine="exact", draws=100, chains=2, seed=1).test(text)
    assert table["log_bf10"].iloc[0] == pytest.approx(expected, abs=1e-6)


def test_the_evidence_is_that_of_the_dense_model() -> None:
    columns, mean, sds = prior()
    covariance = (columns * sds**2) @ columns.T + 1.2**2 * np.eye(20)
    found = log_evidence(fj.model(FORMULA, FRAME).plan)
    assert isinstance(found, LogIntegral)
    assert found.value == pytest.approx(
        stats.multivariate_normal.logpdf(FRAME["y"], columns @ mean, covariance), abs=1e-8
    )


def test_draws_of_coefficients_are_those_of_the_dense_posterior() -> None:
    columns, mean, sds = prior()
    after = np.linalg.inv(np.diag(sds**-2) + columns.T @ columns / 1.2**2)
    moved = after @ (mean / sds**2 + columns.T @ FRAME["y"].to_numpy() / 1.2**2)
    fit = fj.fit(FORMULA, FRAME, engine="exact", draws=5000, chains=2, seed=1)
    draws = np.hstack([fit.posterior[name].to_numpy().reshape(-1, 4) for name in ("Intercept", "x")])
    assert np.all(abs(draws.mean(axis=0) - moved) < 4.5 * np.sqrt(np.diag(after) / 10_000))
    np.testing.assert_allclose(draws.std(axis=0), np.sqrt(np.diag(after)), rtol=0.04)


def test_each_sigma_has_its_own_prior() -> None:
    """Groups share nothing, so each is a model of its own."""
    own = {"A": "half_normal(0.3)", "B": "half_normal(1)", "C": "half_normal(5)", "D": "half_normal(2)"}
    each = ", ".join(f"sigma[{group}] ~ {law}" for group, law in own.items())
    coefficients = "Intercept ~ normal(1, 2), x ~ normal(0, 1)"
    whole = log_evidence(fj.model(f"y ~ x | g, sigma ~ 1 | g, prior({coefficients}, {each})", FRAME).plan)
    assert isinstance(whole, LogIntegral)
    total = 0.0
    for group, law in own.items():
        alone = fj.model(f"y ~ x, prior({coefficients}, sigma ~ {law})", FRAME[FRAME["g"] == group])
        part = log_evidence(alone.plan)
        assert isinstance(part, LogIntegral)
        total += part.value
    assert whole.value == pytest.approx(total, abs=1e-7)


def test_each_sigma_has_its_own_prior_where_something_is_shared() -> None:
    """The scales of sigma are integrated out inside; with only two groups, they are parameters as any other."""
    own = "sigma[A] ~ half_normal(0.3), sigma[B] ~ half_normal(4), sigma[C] ~ half_normal(1), sigma[D] ~ half_normal(2)"
    formula = "y ~ 1 + common(x) | g, sigma ~ 1 | g, prior(Intercept ~ normal(1, 2), x ~ normal(0, 1), {})"
    found = log_evidence(fj.model(formula.format(own), FRAME).plan)
    assert isinstance(found, LogIntegral)
    slopes = np.linspace(-4, 5, 1801)
    logs = stats.norm.logpdf(slopes)
    nodes, weights = np.polynomial.legendre.leggauss(400)
    t = np.log(1e-3) + (nodes + 1) / 2 * np.log(1e5)
    sigmas, steps = np.exp(t), weights * np.log(1e5) / 2
    for code, scale in enumerate([0.3, 4.0, 1.0, 2.0]):
        y = FRAME["y"].to_numpy()[code == CODES] - 1 - slopes[:, None] * X[code == CODES]
        n, mean = y.shape[1], y.mean(axis=1)
        rest = np.sum((y - mean[:, None]) ** 2, axis=1)
        spread = 4 * n + sigmas**2
        density = (
            -n / 2 * np.log(2 * np.pi)
            - (n - 1) * np.log(sigmas)
            - np.log(spread) / 2
            - rest[:, None] / (2 * sigmas**2)
            - n * mean[:, None] ** 2 / (2 * spread)
        )
        prior_of_sigma = stats.halfnorm(scale=scale).logpdf(sigmas) + np.log(sigmas) + np.log(steps)
        logs = logs + np.logaddexp.reduce(density + prior_of_sigma, axis=1)
    expected = np.logaddexp.reduce(logs) + np.log(slopes[1] - slopes[0])
    assert found.value == pytest.approx(expected, abs=2e-3)
