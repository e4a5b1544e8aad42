"""Integrals of many densities that are alike, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special, stats

from formulajoint.errors import InferenceError
from formulajoint.inference.alike import integrate_all

type Array = NDArray[np.float64]
type Numbers = NDArray[np.int64]

SCAN = np.linspace(-30.0, 30.0, 301)


@pytest.mark.parametrize("df", [1.5, 3.0, 40.0, 1e6])
def test_logs_of_scales_are_integrated(df: float) -> None:
    """The log t of a scale whose square has an inverse chi-square: exp(-df t - S exp(-2 t) / 2)."""
    squares = df * np.geomspace(1.0, 3.0, 7)

    def densities(which: Numbers, t: Array) -> Array:
        return -df * t - squares[which][:, None] * np.exp(-2 * t) / 2

    found = integrate_all(densities, len(squares), SCAN)
    known = special.gammaln(df / 2) + (df / 2 - 1) * np.log(2) - df / 2 * np.log(squares)
    np.testing.assert_allclose(found.logs, known, atol=1e-5, rtol=1e-9)
    assert np.all(abs(found.logs - known) <= found.errors + 1e-9 * abs(known))


@pytest.mark.parametrize("far", [0.0, 6.0, 12.0])
def test_two_peaks_are_both_counted(far: float) -> None:
    def densities(which: Numbers, t: Array) -> Array:
        one, two = stats.norm.logpdf(t, 0.0, 0.7), stats.norm.logpdf(t, far, 0.3)
        return np.logaddexp(one, two) + which[:, None]

    found = integrate_all(densities, 3, SCAN)
    np.testing.assert_allclose(found.logs, np.log(2) + np.arange(3), atol=1e-5)


def test_a_peak_off_the_others_is_found() -> None:
    """The second density lies far from the first and the last, between whose peaks others are sought."""

    def densities(which: Numbers, t: Array) -> Array:
        return stats.norm.logpdf(t, np.where(which == 1, 9.0, 0.0)[:, None], 0.1)

    found = integrate_all(densities, 3, SCAN)
    np.testing.assert_allclose(found.logs, 0.0, atol=1e-5)


def test_no_density_is_an_error() -> None:
    with pytest.raises(InferenceError, match="zero or not finite"):
        integrate_all(lambda which, t: np.full(t.shape, -np.inf), 2, SCAN)
