"""Log densities as affine functions, against SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from scipy.special import gammaln

from formulajoint.distributions.links import NUMPY
from formulajoint.families.declared import FAMILIES
from formulajoint.families.likelihood import Likelihood
from formulajoint.families.log_gamma import log_gamma, log_rising

AFFINE = [family for family in FAMILIES.values() if family.affine is not None]

TRIALS = np.array([1.0, 5.0, 40.0, 20.0])

RESPONSES = {True: np.array([0.0, 1.0, 1.0, 0.0]), False: np.array([1.0, 2.0, 40.0, 7.0])}


@pytest.mark.parametrize("family", AFFINE, ids=lambda family: family.name)
def test_the_density_is_that_of_scipy(family: Likelihood) -> None:
    assert family.affine is not None
    assert family.distribution.scipy is not None
    y, eta = RESPONSES[family.events], np.array([-1.3, 0.4, 2.5, 3.0])
    for s in (0.3, 1.0, 12.0):
        further = [s] * len(family.further)
        mean = family.affine.link.inverse(NUMPY, eta)
        law = family.distribution.scipy(scipy.stats, *([TRIALS] if family.trials else []), mean, *further)
        wanted = law.logpmf(y) if family.distribution.whole else law.logpdf(y)
        size = np.array([s if further else 1.0])
        shift = 0.0 if family.affine.shift is None else family.affine.shift(size)
        e, n = (
            family.affine.sign * eta - shift,
            family.affine.counts(y, TRIALS if family.trials else np.ones(4)),
        )
        found = (n.a0 + size * n.a1) * e - (n.c0 + size * n.c1) * family.affine.convex.value(e, np)
        np.testing.assert_allclose(
            found + family.affine.constant(y, TRIALS if family.trials else np.ones(4), size),
            wanted,
            rtol=1e-10,
            atol=1e-10,
        )


@pytest.mark.parametrize("family", AFFINE, ids=lambda family: family.name)
def test_the_slopes_are_the_derivatives(family: Likelihood) -> None:
    assert family.affine is not None
    curve, e, step = family.affine.convex, np.array([-30.0, -2.0, 0.0, 1.5, 5.0]), 1e-4
    slope, bend = curve.slopes(e, np)
    up, here, down = (curve.value(e + way * step, np) for way in (1, 0, -1))
    np.testing.assert_allclose(slope, (up - down) / (2 * step), rtol=1e-6, atol=1e-11)
    np.testing.assert_allclose(bend, (up - 2 * here + down) / step**2, rtol=1e-4, atol=1e-6)


def test_log_gamma_is_scipys() -> None:
    x = np.array([1e-8, 0.2, 1.0, 2.0, 7.7, 1e3, 1e9])
    np.testing.assert_allclose(log_gamma(x), gammaln(x), rtol=1e-13, atol=1e-13)


def test_a_ratio_of_large_gammas_keeps_its_digits() -> None:
    n = np.array([0.0, 1.0, 3.0])
    exact = [0.0, np.log(1e12), np.sum(np.log(1e12 + np.arange(3)))]
    np.testing.assert_allclose(log_rising(np.array([1e12] * 3), n), exact, rtol=1e-13, atol=1e-12)
    x = np.array([1e-3, 0.7, 20.0])
    np.testing.assert_allclose(log_rising(x, n), gammaln(x + n) - gammaln(x), rtol=1e-12, atol=1e-12)
