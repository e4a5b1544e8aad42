"""Draws of coefficients from their prior: hierarchies against their moments and marginals."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

import formulajoint as fj
from formulajoint.compiler.plan import LinearPlan
from formulajoint.inference.draws.prior_numpy import coefficient_draws, lkj_cholesky, unit_draws

DRAWN = 20_000

# --- hierarchies

FRAME = pd.DataFrame(
    {
        "y": np.arange(24) * 7 % 11 + 0.5,
        "x": np.arange(24) * 5 % 7,
        "arm": ["a", "b", "c"] * 8,
        "g": np.repeat(list("PQRS"), 6),
    }
)


def mean_part(formula: str) -> LinearPlan:
    return fj.model(formula, FRAME).plan.mean


def test_the_lkj_law_has_its_marginals() -> None:
    """A correlation of p columns is 2 Beta(a, a) - 1 with a = eta - 1 + p / 2."""
    root = lkj_cholesky(4, 1.5, np.random.default_rng(3), DRAWN)
    matrix = root @ root.transpose(0, 2, 1)
    np.testing.assert_allclose(matrix[:, range(4), range(4)], 1)
    for i, j in [(1, 0), (3, 0), (3, 2)]:
        assert stats.kstest((matrix[:, i, j] + 1) / 2, stats.beta(2.5, 2.5).cdf).pvalue > 0.005


def test_places_are_those_of_all_coefficients_flattened() -> None:
    """Constants and narrow priors mark each coefficient; some places only are asked for, in their order."""
    priors = "Intercept ~ normal(100, 0.001), arm ~ normal(7, 0.001), x.mean ~ constant(50), x.sd ~ constant(0.001)"
    part = mean_part(f"y ~ x + common(arm) | g, hierarchy(x), prior({priors})")
    sizes = {c.name: c for c in part.coefficients}
    assert list(sizes) == ["Intercept", "x", "arm"]
    found = coefficient_draws(part, np.array([1, 3, 4, 7, 8, 9]), np.random.default_rng(4), 10)
    np.testing.assert_allclose(found, np.tile([100, 100, 50, 50, 7, 7], (10, 1)), atol=0.02)


def test_numbers_by_group_are_those_of_each_place() -> None:
    priors = "arm ~ normal(0, 0.001), arm[Q, c] ~ normal(5, 0.001), arm[g=S] ~ normal(9, 0.001), x ~ normal(2, 0.001)"
    part = mean_part(f"y ~ arm + common(x) | g, prior({priors})")
    found = coefficient_draws(part, np.array([6, 7, 4, 10, 11, 12]), np.random.default_rng(4), 10)
    np.testing.assert_allclose(found, np.tile([0, 5, 0, 9, 9, 2], (10, 1)), atol=0.02)


def test_groups_share_location_scale_and_correlations() -> None:
    """b_g = mu + tau u_g: covariance var(mu) between groups, + E tau^2 within, with E rho = 0 across columns."""
    priors = "x.mean ~ normal(1, 2), x.sd ~ half_normal(3), Intercept.mean ~ normal(0, 1), Intercept.sd ~ constant(2)"
    part = mean_part(f"y ~ x | g, hierarchy(), prior({priors})")
    found = coefficient_draws(part, np.arange(8), np.random.default_rng(5), 200_000)
    covariance = np.cov(found, rowvar=False)
    expected = np.zeros((8, 8))
    expected[:4, :4] = 1 + 4 * np.eye(4)
    expected[4:, 4:] = 4 + 9 * np.eye(4)
    np.testing.assert_allclose(covariance, expected, atol=0.15)
    np.testing.assert_allclose(found.mean(axis=0), [0] * 4 + [1] * 4, atol=0.03)
    signs = np.sign(found - np.repeat([0, 1], 4))
    assert np.mean(np.prod(signs[:, [0, 4, 1, 5]], axis=1)) > 0.01  # groups share the correlation of columns


def test_a_factor_has_a_location_and_scale_for_each_column() -> None:
    priors = "arm.mean ~ normal(3, 1), arm.sd ~ constant(0.5)"
    part = mean_part(f"y ~ arm | g, hierarchy(arm, cor=false), prior({priors})")
    found = coefficient_draws(part, np.arange(4, 12), np.random.default_rng(6), 100_000)
    covariance = np.cov(found, rowvar=False)
    same_column = np.equal.outer(np.arange(8) % 2, np.arange(8) % 2)
    np.testing.assert_allclose(covariance, 1.0 * same_column + 0.25 * np.eye(8), atol=0.03)


def test_coefficients_in_residual_sds_are_drawn_with_their_sigmas() -> None:
    """b_g = s_g d_g, d_g ~ N(m, t): E b^2 = E s^2 E d^2, and groups share the d's mean, not their sigmas."""
    priors = "x.mean ~ normal(1, 2), x.sd ~ constant(1), sigma ~ half_normal(3)"
    plan = fj.model(f"y ~ x | g, hierarchy(x, scale=sigma), sigma ~ 1 | g, prior({priors})", FRAME).plan
    rng = np.random.default_rng(7)
    unit = unit_draws(plan, rng, 200_000)
    assert unit is not None
    found = coefficient_draws(plan.mean, np.array([4, 5]), rng, 200_000, unit)
    np.testing.assert_allclose(np.mean(found**2, axis=0), 9 * (1 + 4 + 1), rtol=0.05)
    np.testing.assert_allclose(np.mean(found[:, 0] * found[:, 1]), 9 * 2 / np.pi * (1 + 4), rtol=0.05)


def test_pooled_sigmas_are_drawn_about_their_middle() -> None:
    priors = "sigma ~ constant(2), sigma.sd ~ constant(0.5), x.mean ~ constant(1), x.sd ~ constant(0.001)"
    formula = f"y ~ x | g, hierarchy(x, scale=sigma), sigma ~ 1 | g, hierarchy(sigma), prior({priors})"
    plan = fj.model(formula, FRAME).plan
    rng = np.random.default_rng(8)
    found = coefficient_draws(plan.mean, np.array([4, 5]), rng, 100_000, unit_draws(plan, rng, 100_000))
    logs = np.log(found)
    np.testing.assert_allclose(logs.mean(axis=0), np.log(2), atol=0.01)
    np.testing.assert_allclose(np.cov(logs.T), 0.25 * np.eye(2), atol=0.01)
