"""Tails of F and chi-square against SciPy where it reaches, and against integrals of high precision where it does not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import integrate, stats

from formulajoint.results.joint_tests.tails import (
    chi_square_at,
    log_chi_square_density,
    log_chi_square_tail,
    log_f_density,
    log_f_tail,
    normal_scores,
)


@pytest.mark.parametrize("rank", [1, 2, 5, 40])
@pytest.mark.parametrize("df", [1, 2, 7, 60, 4000])
def test_scores_are_as_rare_as_f(rank: int, df: int) -> None:
    f = np.array([0.01, 0.3, 1.0, 2.5, 9.0])
    p = stats.f.sf(f, rank, df)
    kept = p > 1e-150
    scores = normal_scores(rank * f, np.array(float(rank)), np.array(float(df)))
    np.testing.assert_allclose(stats.chi2.sf(scores, rank)[kept], p[kept], rtol=1e-9)


def log_tail(log_density: Callable[[float], float], start: float) -> float:
    """Return the log of a density's integral from `start` on, which its height there is taken out of."""
    top, step = log_density(start), 1e-4 * start
    width = step / (top - log_density(start + step))  # where the density has fallen to 1 / e
    found = integrate.quad(
        lambda v: np.exp(log_density(start + width * v) - top), 0, np.inf, epsabs=0, epsrel=1e-10, limit=500
    )
    return float(top + np.log(width * found[0]))


@pytest.mark.parametrize("rank", [1, 2, 3, 12, 100])
@pytest.mark.parametrize(("df", "f"), [(30, 1e20), (500, 5e3), (5000, 5e3), (100_000, 3e3)])
def test_the_far_tail_of_f(rank: int, df: int, f: float) -> None:
    expected = log_tail(lambda x: float(stats.f.logpdf(x, rank, df)), f)
    assert expected < -400
    found = log_f_tail(np.array(f * rank), np.array(float(rank)), np.array(float(df)))
    assert float(found) == pytest.approx(expected, rel=1e-8)


def test_the_far_tail_of_t_on_two_degrees_of_freedom() -> None:
    """P(F > x) = 1 - sqrt(x / (x + 2)), which is 1 / x far out."""
    found = log_f_tail(np.array(1e210), np.array(1.0), np.array(2.0))
    assert float(found) == pytest.approx(-np.log(1e210), rel=1e-12)


@pytest.mark.parametrize("df", [1, 2, 3, 12, 100])
@pytest.mark.parametrize("value", [1500.0, 1e4, 1e7])
def test_the_far_tail_of_chi_square_and_its_inverse(df: int, value: float) -> None:
    expected = log_tail(lambda x: float(stats.chi2.logpdf(x, df)), value)
    found = log_chi_square_tail(np.array(value), np.array(float(df)))
    assert float(found) == pytest.approx(expected, rel=1e-8)
    assert float(chi_square_at(found, np.array(float(df)))) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(("rank", "df"), [(1, 3), (1, 400), (4, 30)])
def test_scores_go_on_smoothly_where_a_tail_is_too_small_for_a_number(rank: int, df: int) -> None:
    squares = np.geomspace(1, 1e300, 3000) if df < 100 else np.geomspace(1, 1e30, 3000)
    scores = normal_scores(squares, np.array(float(rank)), np.array(float(df)))
    assert np.all(np.isfinite(scores))
    steps = np.diff(scores)
    assert np.all(steps > 0)
    assert np.max(abs(np.diff(steps)[100:])) < 0.02 * np.max(steps)  # no jump at the change of method
    assert np.any(stats.f.sf(squares / rank, rank, df) < 1e-200)


def test_no_effect_has_no_score() -> None:
    assert normal_scores(np.zeros(2), np.array([1.0, 3.0]), np.array([4.0, 4.0])).tolist() == [0, 0]


def test_densities_are_those_of_scipy() -> None:
    x = np.array([0.1, 1.0, 30.0])
    one, three, nine = (np.array(float(v)) for v in (1, 3, 9))
    np.testing.assert_allclose(log_chi_square_density(x, three), stats.chi2.logpdf(x, 3), rtol=1e-12)
    np.testing.assert_allclose(
        log_f_density(x, three, nine), stats.f.logpdf(x / 3, 3, 9) - np.log(3), rtol=1e-12
    )
    np.testing.assert_allclose(log_f_density(x, one, nine), stats.f.logpdf(x, 1, 9), rtol=1e-12)
