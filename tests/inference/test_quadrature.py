"""Logs of integrals over one number, against closed forms."""

from __future__ import annotations

from math import lgamma, log

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from formulajoint.inference.quadrature import integrate

type Array = NDArray[np.float64]


@pytest.mark.parametrize("a", [0.5, 3.0, 100.0, 1e6, 1e10])
def test_the_gamma_function(a: float) -> None:
    """The integral of exp(a t - e^t) over the line: a peak of width a^-1/2 at log a."""
    found = integrate(lambda t: a * t - np.exp(t), -200, 200)
    assert found.value == pytest.approx(lgamma(a), rel=1e-13, abs=1e-11)
    assert found.error < 1e-10 + 1e-14 * abs(found.value)


def test_an_integrand_that_ends_before_it_is_small() -> None:
    assert integrate(lambda t: 3 * t, -1, 2).value == pytest.approx(log((np.exp(6) - np.exp(-3)) / 3))
    assert integrate(lambda t: 0 * t, 2, 2.5).value == pytest.approx(log(0.5))


def test_two_peaks_far_from_each_other() -> None:
    def peaks(t: Array) -> Array:
        return np.logaddexp(
            stats.norm.logpdf(t, -20, 0.1) + np.log(0.3), stats.norm.logpdf(t, 15, 2) + np.log(0.6)
        )

    assert integrate(peaks, -60, 60).value == pytest.approx(log(0.9), abs=1e-11)


@pytest.mark.parametrize("at", [0.123, 0.5, 1.7, 2.99])
@pytest.mark.parametrize("steep", [1.0, 30.0])
def test_the_error_stated_is_not_less_than_the_error_made(at: float, steep: float) -> None:
    """A kink spoils Gauss's rule, which must say so."""
    found = integrate(lambda t: -steep * abs(t - at), -10, 12)
    ends = np.exp(-steep * (at + 10)) + np.exp(-steep * (12 - at))
    true = log((2 - ends) / steep)
    assert 1e-15 < abs(found.value - true) <= found.error + 1e-13
    assert found.error < 5e-4
