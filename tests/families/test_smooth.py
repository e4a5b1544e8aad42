"""Log densities in NumPy, against SciPy's, under every link that an exact engine takes."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from formulajoint.distributions.links import CLOGLOG, LOGIT, NUMPY, PROBIT, Link
from formulajoint.families.declared import FAMILIES
from formulajoint.families.likelihood import Likelihood
from formulajoint.families.smooth import Mean

SMOOTH = [
    (family, link)
    for family in FAMILIES.values()
    if family.smooth is not None and not family.categories
    for link in family.smooth.links
]
KNOWN = {"sigma": 0.7, "nu": 3.0, "alpha": 2.0, "shape": 1.7, "phi": 4.0, "zi": 0.3, "hu": 0.2}
ETA = np.array([-1.6, -0.4, 0.3, 1.1, 0.8, -2.0])


@pytest.mark.parametrize(("family", "link"), SMOOTH, ids=lambda each: each.name)
def test_the_density_is_that_of_scipy(family: Likelihood, link: Link) -> None:
    assert family.smooth is not None
    assert family.distribution.scipy is not None
    further = [np.array(KNOWN[name]) for name in family.further]
    trials = np.full(6, 1.0 if family.events else 9.0)
    known = dict(zip(family.further, further, strict=True)) | {"trials": trials}
    known["mu"] = link.inverse(NUMPY, ETA)
    law = family.distribution.scipy(scipy.stats, *(known[name] for name in family.distribution.args))
    y = np.array([0.0, 1, 1, 0, 1, 0] if family.events else [0.0, 1, 4, 0, 9, 2])
    if not family.distribution.whole and not family.distribution.zeros:
        y = np.array([0.1, 0.4, 0.97, 0.5, 0.02, 0.3])
    wanted = law.logpmf(y) if family.distribution.whole else law.logpdf(y)
    found = family.smooth.log_density(y, trials, Mean(link, ETA), *further)
    np.testing.assert_allclose(found, wanted, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_the_density_of_categories_is_that_of_scipy(link: str) -> None:
    family = FAMILIES["cumulative"]
    (own,) = (each for each in family.mean.links if each.name == link)
    assert family.of_link is not None
    assert family.smooth is not None
    law = family.of_link(own).scipy
    assert law is not None
    y, cuts = np.array([0.0, 1, 2, 3, 3, 0]), np.array([-1.0, 0.2, 1.5])
    found = family.smooth.log_density(y[:, None], y, Mean(own, ETA[:, None]), *cuts)
    np.testing.assert_allclose(found[:, 0], law(scipy.stats, ETA, cuts).logpmf(y), rtol=1e-11)


@pytest.mark.parametrize(("link", "low"), [(LOGIT, -40.0), (PROBIT, -804.608442), (CLOGLOG, -40.0)])
def test_small_means_keep_their_digits(link: Link, low: float) -> None:
    assert Mean(link, np.array([-40.0])).log[0] == pytest.approx(low, rel=1e-8)


def test_means_near_one_keep_their_digits() -> None:
    assert Mean(LOGIT, np.array([40.0])).log_rest[0] == pytest.approx(-40.0)
    assert Mean(PROBIT, np.array([40.0])).log_rest[0] == pytest.approx(-804.608442)
    assert Mean(CLOGLOG, np.array([5.0])).log_rest[0] == pytest.approx(-np.exp(5.0))


FAR = [(link, far) for link in ("logit", "probit", "cloglog") for far in (0.0, 3.0, -30.0, 40.0)]


@pytest.mark.parametrize(("link", "far"), [each for each in FAR if each != ("cloglog", -30.0)])
def test_the_slopes_of_categories_are_the_derivatives(link: str, far: float) -> None:
    """Against differences of the distribution's log probabilities, far from the thresholds, too."""
    family = FAMILIES["cumulative"]
    (own,) = (each for each in family.mean.links if each.name == link)
    assert family.smooth is not None
    assert family.smooth.bent is not None
    assert family.of_link is not None
    law = family.of_link(own).scipy
    assert law is not None
    y, cuts, step = np.arange(4.0), np.array([-1.0, 0.2, 1.5]), 0.01
    e = np.full(4, far + 0.3)
    with np.errstate(divide="ignore"):
        two_below, below, here, above, two_above = (
            law(scipy.stats, e + n * step, cuts).logpmf(y) for n in range(-2, 3)
        )
    away = (two_below - 8 * below + 8 * above - two_above) / (12 * step)
    bend = (-two_below + 16 * below - 30 * here + 16 * above - two_above) / (12 * step**2)
    found = family.smooth.bent(y[:, None], y, Mean(own, e[:, None]), *cuts)
    np.testing.assert_allclose(found.logs[:, 0], here, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(found.away[:, 0], away, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(found.weight[:, 0], -bend, rtol=1e-4, atol=1e-6)
