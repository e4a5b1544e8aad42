"""Evidence by quadrature against dense Gaussian likelihoods, other quadrature, and exact arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import log, pi

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import integrate as scipy_integrate
from scipy import stats

from formulajoint.inference.gaussian.not_pooled import (
    decompose,
    log_bayes_factors,
    log_evidence,
    log_likelihood,
    restricted,
)

type Array = NDArray[np.float64]

POSITIVE = (0.0, np.inf)


def half_normal(scale: float) -> Callable[[Array], Array]:
    return lambda x: np.log(2) + stats.norm.logpdf(x, scale=scale)


# --- likelihood given sigma


def dense(columns: Array, y: Array, sigma: float) -> float:
    covariance = sigma**2 * np.eye(len(y)) + columns @ columns.T
    return float(stats.multivariate_normal.logpdf(y, np.zeros(len(y)), covariance))


@pytest.mark.parametrize(("m", "p"), [(12, 3), (12, 1), (12, 0), (5, 5), (4, 9)])
def test_the_likelihood_is_that_of_the_dense_covariance(m: int, p: int) -> None:
    rng = np.random.default_rng(m + p)
    columns, y = rng.normal(size=(m, p)) * 3, rng.normal(size=m) * 2
    sigmas = np.array([0.1, 1.0, 7.0])
    found = log_likelihood(decompose(columns, y, m), sigmas)
    np.testing.assert_allclose(found, [dense(columns, y, s) for s in sigmas], rtol=1e-10)


def test_a_triangle_says_what_the_rows_say() -> None:
    rng = np.random.default_rng(1)
    columns, y = rng.normal(size=(50, 3)), rng.normal(size=50)
    triangle = np.linalg.qr(np.column_stack([columns, y]), mode="r")
    sigmas = np.array([0.3, 1, 5])
    np.testing.assert_allclose(
        log_likelihood(decompose(triangle[:, :-1], triangle[:, -1], 50), sigmas),
        log_likelihood(decompose(columns, y, 50), sigmas),
        rtol=1e-12,
    )


def exact(x: list[int], y: list[int], prior_sds: tuple[int, int], s: Fraction) -> float:
    """Return log p(y | sigma^2 = s) of a line in x in rational arithmetic."""
    d0, d1 = (Fraction(sd) ** 2 for sd in prior_sds)
    n, sx, sxx = len(x), sum(x), sum(v * v for v in x)
    sy, sxy, syy = sum(y), sum(a * b for a, b in zip(x, y, strict=True)), sum(v * v for v in y)
    a, b, c = n + s / d0, Fraction(sx), sxx + s / d1  # X'X + s D^-1
    determinant = a * c - b * b
    explained = (c * sy * sy - 2 * b * sy * sxy + a * sxy * sxy) / determinant
    log_determinant = log(determinant * d0 * d1 / s**2)
    return -0.5 * (n * log(2 * pi * s) + log_determinant + float((syy - explained) / s))


@pytest.mark.parametrize("far", [0, 2000, 10**6, 10**8])
@pytest.mark.parametrize("sd", [1, 10])
def test_a_predictor_far_from_zero_keeps_its_digits(far: int, sd: int) -> None:
    x, y = [far + k for k in (0, 1, 2, 3, 5, 8)], [1, 0, 4, 3, 7, 6]
    columns = np.column_stack([np.ones(6) * 20 * max(far, 1), np.array(x, dtype=float) * sd])
    found = log_likelihood(decompose(columns, np.array(y, dtype=float), 6), np.array([0.5, 2.0]))
    expected = [exact(x, y, (20 * max(far, 1), sd), s) for s in (Fraction(1, 4), Fraction(4))]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("scale", [1e-9, 1e6, 1e12])
def test_the_units_of_the_response_only_shift_the_evidence(scale: float) -> None:
    rng = np.random.default_rng(2)
    columns, y = rng.normal(size=(30, 4)), rng.normal(size=30)
    one = log_evidence(decompose(columns, y, 30), half_normal(1.0), POSITIVE)
    other = log_evidence(decompose(columns * scale, y * scale, 30), half_normal(scale), POSITIVE)
    assert other.value == pytest.approx(one.value - 30 * log(scale), rel=1e-12)


# --- evidence


@pytest.mark.parametrize(
    ("log_prior", "support"),
    [
        (half_normal(1.0), POSITIVE),
        (half_normal(1e-3), POSITIVE),
        (lambda x: stats.halfcauchy.logpdf(x, scale=100), POSITIVE),
        (lambda x: stats.invgamma.logpdf(x, 3, scale=50), POSITIVE),
        (lambda x: stats.uniform.logpdf(x, 0, 0.9), (0.0, 0.9)),
        (lambda x: stats.uniform.logpdf(x, 2, 0.5), (2.0, 2.5)),
        (lambda x: stats.uniform.logpdf(x, 1e3, 1), (1e3, 1001.0)),
        (lambda x: stats.beta.logpdf(x, 2, 2), (0.0, 1.0)),
    ],
)
def test_evidence_is_the_integral_over_sigma(
    log_prior: Callable[[Array], Array], support: tuple[float, float]
) -> None:
    rng = np.random.default_rng(3)
    columns, y = rng.normal(size=(10, 2)) * 2, rng.normal(size=10)
    found = log_evidence(decompose(columns, y, 10), log_prior, support)

    def log_density(sigma: float) -> float:
        return dense(columns, y, sigma) + float(log_prior(np.array(sigma)))

    low, high = support[0] or 1e-3, min(support[1], 1e4)
    grid = np.geomspace(low, high, 400)[1:-1]
    peak = float(grid[np.argmax([log_density(s) for s in grid])])
    top = log_density(peak)
    value, _ = scipy_integrate.quad(
        lambda s: np.exp(log_density(s) - top), low, high, points=[peak, *grid[::40]], limit=500, epsrel=1e-11
    )
    assert found.value == pytest.approx(top + log(value), abs=1e-8)
    assert found.error < 1e-9


def test_evidence_of_a_prior_that_contradicts_the_data() -> None:
    """Slopes of 20 under a prior of 0.3: a small sigma with far slopes, and a large one without, are two peaks."""
    rng = np.random.default_rng(4)
    x = np.tile([0.0, 1], 4)
    y = 8 * x + rng.normal(size=8) * 1e-3
    columns = 0.3 * x[:, None]
    evidence = decompose(columns, y, 8)
    t = np.linspace(-12, 6, 200_001)
    values = log_likelihood(evidence, np.exp(t)) + half_normal(10.0)(np.exp(t)) + t
    turns = np.flatnonzero((values[1:-1] > values[:-2]) & (values[1:-1] > values[2:]))
    assert len(turns) == 2
    top = float(values.max())
    expected = top + log(np.exp(values - top).sum() * (t[1] - t[0]))
    assert log_evidence(evidence, half_normal(10.0), POSITIVE).value == pytest.approx(expected, abs=1e-8)


def test_the_evidence_of_a_prior_that_contradicts_the_data_has_both_peaks() -> None:
    """Against the sum over a fine grid."""
    rows, sd = 400, 0.0117
    e = np.random.default_rng(1).normal(size=rows)
    y = 10 + (e - e.mean()) / e.std() * 0.1
    evidence = decompose(np.full((rows, 1), sd), y, rows)

    def half_cauchy(sigma: Array) -> Array:
        return np.log(2 / np.pi) - np.log(5) - np.log1p((sigma / 5) ** 2)

    found = log_evidence(evidence, half_cauchy, (0.0, np.inf))
    t = np.linspace(np.log(1e-3), np.log(1e4), 400_001)
    s2 = np.exp(2 * t)
    spread = s2 + rows * sd**2
    logs = -0.5 * (
        (rows - 1) * np.log(2 * np.pi * s2)
        + np.log(2 * np.pi * spread)
        + np.sum((y - y.mean()) ** 2) / s2
        + rows * y.mean() ** 2 / spread
    )
    grid = np.logaddexp.reduce(logs + half_cauchy(np.exp(t)) + t) + np.log(t[1] - t[0])
    assert found.value == pytest.approx(grid, abs=1e-8)


def test_as_many_coefficients_as_rows() -> None:
    """A perfect fit of few rows has an evidence: sigma may be zero, the coefficients may not be anything."""
    y = np.array([1.0, -2])
    found = log_evidence(decompose(3 * np.eye(2), y, 2), half_normal(2.0), POSITIVE)
    value, _ = scipy_integrate.quad(
        lambda s: np.exp(dense(3 * np.eye(2), y, s) + half_normal(2.0)(np.array(s))), 0, 40, epsrel=1e-11
    )
    assert found.value == pytest.approx(log(value), abs=1e-9)


def test_a_million_rows() -> None:
    """The peak over log sigma is then a thousandth wide."""
    evidence = decompose(np.array([[1000.0], [0]]), np.array([3.0, 1000]), 1e6)
    found = log_evidence(evidence, half_normal(1.0), POSITIVE)
    # Laplace's approximation errs by 1 / N
    a = 0.5 * (1e6 - 1)  # log sigma enters as sigma^-2a exp(-b / sigma^2), but for the prior
    t = 0.5 * np.log(evidence.outside / 1e6)
    at = float(log_likelihood(evidence, np.exp(np.array([t])))[0] + half_normal(1.0)(np.exp(t)) + t)
    assert found.value == pytest.approx(at + 0.5 * log(2 * pi / (4 * a)), abs=1e-4)
    assert found.error < 1e-8


# --- Bayes factors

RESTRICTIONS = {
    "zero": lambda g: (np.eye(2 * g)[g:], np.zeros(g)),
    "equal": lambda g: (np.eye(2 * g)[g + 1 :] - np.eye(2 * g)[g], np.zeros(g - 1)),
    "multiples and nulls": lambda g: (
        np.array([np.eye(2 * g)[g] - 2 * np.eye(2 * g)[0], np.eye(2 * g)[g + 1]]),
        np.array([0.5, -1.0]),
    ),
}


def lines(g: int) -> tuple[Array, Array, Array, Array]:
    """Return columns and response of g lines of 5 rows each, and mean and sd of their priors."""
    rng = np.random.default_rng(g)
    own = np.kron(np.eye(g), np.ones((5, 1)))
    x = rng.normal(size=(5 * g, 1))
    columns = np.hstack([own, own * x])
    y = columns @ np.concatenate([rng.normal(3, 1, g), rng.normal(0.3, 0.2, g)]) + rng.normal(size=5 * g)
    return columns, y, np.repeat([2.0, 0.1], g), np.repeat([4.0, 1.5], g)


def conditioned(mean: Array, sd: Array, rows: Array, null: Array) -> tuple[Array, Array]:
    """Return mean and covariance of N(mean, diag(sd^2)) given rows b = null, by the textbook."""
    s0 = np.diag(sd**2)
    gain = s0 @ rows.T @ np.linalg.inv(rows @ s0 @ rows.T)
    return mean - gain @ (rows @ mean - null), s0 - gain @ rows @ s0


@pytest.mark.parametrize("g", [2, 5, 20])
@pytest.mark.parametrize("name", RESTRICTIONS)
def test_restricted_priors_are_those_conditioned_on_the_hypothesis(g: int, name: str) -> None:
    _, _, mean, sd = lines(g)
    rows, null = RESTRICTIONS[name](g)
    found, root = restricted(mean, sd, rows, null)
    expected, covariance = conditioned(mean, sd, rows, null)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    np.testing.assert_allclose(root @ root.T, covariance, atol=1e-12)
    assert root.shape == (2 * g, 2 * g - len(rows))
    np.testing.assert_allclose(rows @ found, null, atol=1e-12)
    np.testing.assert_allclose(rows @ root, 0, atol=1e-12)


@pytest.mark.parametrize("unit", [1e15, 1e-15])
def test_the_units_of_a_restriction_do_not_matter(unit: float) -> None:
    rows, null = np.array([[1.0, -2, 0], [0.5, 1, 1]]), np.array([3.0, 1])
    mean, sd = np.array([1.0, 0, 2]), np.array([2.0, 1, 3])
    size = np.array([unit, 1.0])
    plain = restricted(mean, sd, rows, null)
    scaled = restricted(mean, sd, rows * size[:, None], null * size)
    np.testing.assert_allclose(scaled[0], plain[0], rtol=1e-12)
    np.testing.assert_allclose(scaled[1] @ scaled[1].T, plain[1] @ plain[1].T, atol=1e-12)


def test_a_hypothesis_about_every_coefficient_leaves_none() -> None:
    found, root = restricted(
        np.array([1.0, 2]), np.array([3.0, 4]), np.array([[1.0, 1], [1, -1]]), np.array([3.0, 1])
    )
    np.testing.assert_allclose(found, [2, 1])
    assert root.shape == (2, 0)


@pytest.mark.parametrize("g", [2, 5, 20])
@pytest.mark.parametrize("name", RESTRICTIONS)
def test_bayes_factors_are_ratios_of_dense_evidences(g: int, name: str) -> None:
    columns, y, mean, sd = lines(g)
    rows, null = RESTRICTIONS[name](g)
    null_mean, root = restricted(mean, sd, rows, null)
    full = decompose(columns * sd, y - columns @ mean, len(y))
    reduced = decompose(columns @ root, y - columns @ null_mean, len(y))
    found = log_bayes_factors([(full, reduced)], half_normal(2.0), POSITIVE)[0]
    one = dense_evidence(columns, y, mean, np.diag(sd**2))
    zero = dense_evidence(columns, y, *conditioned(mean, sd, rows, null))
    assert found.value == pytest.approx(one - zero, abs=1e-7)
    assert abs(one - zero) > 0.1
    assert found.error < 1e-9


def test_the_errors_of_both_evidences_add_up() -> None:
    def kinked(x: Array) -> Array:
        return -abs(np.log(x) - 0.123) * 3

    full, null = (decompose(np.full((3, 1), size), np.array([1.0, 2, 4]), 3) for size in (2.0, 0.1))
    errors = [log_evidence(evidence, kinked, POSITIVE).error for evidence in (full, null)]
    assert min(errors) > 1e-11
    assert log_bayes_factors([(full, null)], kinked, POSITIVE)[0].error == pytest.approx(sum(errors), rel=0.2)


def dense_evidence(columns: Array, y: Array, mean: Array, covariance: Array) -> float:
    """Return log p(y) with sigma ~ half_normal(2), by quadrature of dense multivariate normals."""
    spread = columns @ covariance @ columns.T
    left = y - columns @ mean

    def log_density(sigma: float) -> float:
        likelihood = stats.multivariate_normal.logpdf(left, cov=spread + sigma**2 * np.eye(len(y)))
        return float(likelihood + half_normal(2.0)(np.array(sigma)))

    top = max(log_density(s) for s in np.geomspace(0.3, 3, 30))
    value, _ = scipy_integrate.quad(lambda s: np.exp(log_density(s) - top), 0.05, 12, limit=200, epsrel=1e-9)
    return top + log(value)
