"""Log densities of scales, against the formulas of a textbook."""

from __future__ import annotations

from math import gamma, pi

import numpy as np
import pytest
from scipy import integrate, stats

from formulajoint.distributions.log_density import LOG_DENSITIES, log_density, support
from formulajoint.distributions.prior import LAWS, prior
from formulajoint.errors import BugError

X = np.array([1e-3, 0.1, 0.4, 0.7, 0.99, 1.5, 4, 30])

TEXTBOOK = {
    ("half_normal", 2.0): lambda x: np.sqrt(2 / pi) / 2 * np.exp(-(x**2) / 8),
    ("half_cauchy", 3.0): lambda x: 2 / (pi * 3 * (1 + (x / 3) ** 2)),
    ("half_student_t", 4.0, 5.0): lambda x: 2 * gamma(2.5) / (gamma(2) * 2 * np.sqrt(pi) * 5) * (1 + x**2 / 100) ** -2.5,
    ("exponential", 0.5): lambda x: 0.5 * np.exp(-0.5 * x),
    ("gamma", 2.5, 0.7): lambda x: 0.7**2.5 / gamma(2.5) * x**1.5 * np.exp(-0.7 * x),
    ("inverse_gamma", 2.5, 0.7): lambda x: 0.7**2.5 / gamma(2.5) * x**-3.5 * np.exp(-0.7 / x),
    ("log_normal", 0.5, 0.8): lambda x: np.exp(-((np.log(x) - 0.5) ** 2) / 1.28) / (x * 0.8 * np.sqrt(2 * pi)),
    ("beta", 2.0, 3.0): lambda x: np.where(x < 1, 12 * x * (1 - x) ** 2, 0),
    ("uniform", 0.5, 4.5): lambda x: np.where((x >= 0.5) & (x <= 4.5), 0.25, 0),
}  # fmt: skip


@pytest.mark.parametrize("law", TEXTBOOK, ids=" ".join(LOG_DENSITIES).split())
def test_densities_are_those_of_a_textbook(law: tuple[str, float]) -> None:
    np.testing.assert_allclose(np.exp(log_density(prior(*law), X)), TEXTBOOK[law](X), rtol=1e-12)


@pytest.mark.parametrize("law", TEXTBOOK, ids=" ".join(LOG_DENSITIES).split())
def test_densities_integrate_to_one_over_their_support(law: tuple[str, float]) -> None:
    low, high = support(prior(*law))
    found, _ = integrate.quad(lambda t: np.exp(log_density(prior(*law), np.array(t))), low, high, limit=200)
    assert found == pytest.approx(1, abs=1e-6)


def test_every_proper_prior_of_a_scale_has_a_density() -> None:
    scales = {name for name, law in LAWS.items() if law.support in ("positive", "interval")} - {"inverse"}
    assert LOG_DENSITIES.keys() == scales == {law[0] for law in TEXTBOOK}


@pytest.mark.parametrize("law", TEXTBOOK, ids=" ".join(LOG_DENSITIES).split())
def test_densities_at_the_ends(law: tuple[str, float]) -> None:
    """SciPy's, also where a scale has underflowed to zero or overflowed."""
    frozen = {
        "half_normal": lambda s: stats.halfnorm(scale=s),
        "half_cauchy": lambda s: stats.halfcauchy(scale=s),
        "half_student_t": lambda nu, s: stats.t(nu, scale=s),
        "exponential": lambda lam: stats.expon(scale=1 / lam),
        "gamma": lambda a, b: stats.gamma(a, scale=1 / b),
        "inverse_gamma": lambda a, b: stats.invgamma(a, scale=b),
        "log_normal": lambda m, s: stats.lognorm(s, scale=np.exp(m)),
        "beta": stats.beta,
        "uniform": lambda low, high: stats.uniform(low, high - low),
    }
    x = np.array([0.0, 1e-300, 1e-5, 1.0, 1e5, 1e150])
    with np.errstate(all="ignore"):
        expected = frozen[law[0]](*law[1:]).logpdf(x) + (np.log(2) if law[0] == "half_student_t" else 0)
    np.testing.assert_allclose(log_density(prior(*law), x), expected, rtol=1e-12)
    assert log_density(prior(*law), np.array(np.inf)) == -np.inf


@pytest.mark.parametrize("law", [("normal", 0.0, 1.0), ("inverse",), ("flat",)])
def test_others_have_none(law: tuple[str, float]) -> None:
    with pytest.raises(BugError, match="is no prior of a scale with a density"):
        log_density(prior(*law), X)
