"""Densities of one number, against closed forms: integrals, draws, and peaks that a scan alone would miss."""

from __future__ import annotations

from math import lgamma, log

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from formulajoint.inference.panels import cover
from formulajoint.inference.quadrature import integrate

type Array = NDArray[np.float64]

SHAPES = np.array([0.5, 3.0, 100.0, 1e6])[:, None]


def gammas(points: Array) -> Array:
    """Log densities of logs of gamma variables, side by side; not normalised."""
    return SHAPES * points - np.exp(points)


def test_integrals_side_by_side() -> None:
    found = cover(gammas, np.tile(np.linspace(-60, 60, 300), (4, 1)))
    assert found is not None
    known = [lgamma(a) for a in SHAPES[:, 0]]
    assert np.all(abs(found.log_integral - known) <= found.error)
    assert np.all(found.error < 1e-7)
    assert found.peaks.tolist() == [1, 1, 1, 1]


def test_draws_have_the_distribution() -> None:
    found = cover(gammas, np.tile(np.linspace(-60, 60, 300), (4, 1)))
    assert found is not None
    draws = found.draw(np.random.default_rng(1), 20_000)
    for a, own in zip(SHAPES[:, 0], draws, strict=True):
        assert stats.kstest(own, stats.loggamma(a).cdf).pvalue > 0.001
    assert abs(np.corrcoef(draws[0], draws[1])[0, 1]) < 4 / np.sqrt(20_000)
    means, sds = found.moments()
    assert means == pytest.approx(stats.loggamma(SHAPES[:, 0]).mean(), abs=1e-6)
    assert sds == pytest.approx(stats.loggamma(SHAPES[:, 0]).std(), abs=1e-6)


def test_a_density_that_is_nowhere() -> None:
    assert cover(lambda points: np.full(points.shape, np.nan), np.linspace(0, 1, 9)[None]) is None


@pytest.mark.parametrize("rows", [200, 20_000, 2_000_000])
def test_of_two_narrow_peaks_neither_is_lost(rows: int) -> None:
    """Rows of 10 +- 0.001 under a tight prior of their mean: sigma is 0.001 or 10, and both peaks are narrow.

    The prior's sd is chosen so that both have about the same mass: each is normal in log sigma to a good approximation,
    and its integral is found alone, on a range of its own.
    """
    noise = 0.001

    def density(sd: float, log_sigma: Array) -> Array:
        s2 = np.exp(2 * log_sigma)
        spread = s2 + rows * sd**2
        squares = rows * noise**2 / s2 + rows * 100.0 / spread
        return -0.5 * ((rows - 1) * np.log(2 * np.pi * s2) + np.log(2 * np.pi * spread) + squares)

    def mass(sd: float, middle: float) -> float:
        return integrate(lambda t: density(sd, t), middle - 0.7, middle + 0.7).value

    low, high = 1e-6, 10.0
    for _ in range(200):
        sd = np.sqrt(low * high)
        low, high = (low, sd) if mass(sd, log(noise)) > mass(sd, log(10)) else (sd, high)
    parts = [mass(sd, middle) for middle in (log(noise), log(10))]
    assert abs(parts[0] - parts[1]) < 5  # both count
    both = integrate(lambda t: density(sd, t), log(noise) - 25, log(10) + 25)
    assert both.value == pytest.approx(np.logaddexp(*parts), abs=1e-6)


@pytest.mark.filterwarnings("error")
def test_a_needle_as_narrow_as_rounding_errors_changes_nothing() -> None:
    """A log density flat but for its last digits has peaks of that width; between neighbouring floats lies nothing."""
    scan = np.linspace(-8.0, 8.0, 33)
    needles = scan[[5, 12, 20]]

    def density(points: Array) -> Array:
        return -(points**2) / 2 + 4.0 * np.isin(points, needles)

    found = cover(density, scan[None])
    assert found is not None
    assert found.log_integral[0] == pytest.approx(log(2 * np.pi) / 2, abs=1e-9)
