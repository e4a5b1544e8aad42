"""Each distribution: its density, draws and support, against textbooks, SciPy and PyMC."""

from __future__ import annotations

from math import gamma, pi

import numpy as np
import pymc as pm
import pytest
from scipy import integrate, stats

from formulajoint.distributions.declared import DISTRIBUTIONS
from formulajoint.distributions.prior import Prior, prior
from formulajoint.errors import BugError
from formulajoint.language.vocabulary import core

X = np.array([1e-3, 0.1, 0.4, 0.7, 0.99, 1.5, 4, 30])
DRAWN = 20_000

TEXTBOOK = {
    ("normal", 1.0, 2.0): lambda x: np.exp(-((x - 1) ** 2) / 8) / (2 * np.sqrt(2 * pi)),
    ("student_t", 4.0, 1.0, 5.0): lambda x: gamma(2.5) / (gamma(2) * 2 * np.sqrt(pi) * 5) * (1 + (x - 1) ** 2 / 100) ** -2.5,
    ("cauchy", 1.0, 3.0): lambda x: 1 / (pi * 3 * (1 + ((x - 1) / 3) ** 2)),
    ("laplace", 1.0, 2.0): lambda x: np.exp(-abs(x - 1) / 2) / 4,
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
POSITIVE = [law for law in TEXTBOOK if prior(*law).support[0] >= 0]

SCIPY = {
    "normal": stats.norm,
    "student_t": stats.t,
    "cauchy": stats.cauchy,
    "laplace": stats.laplace,
    "half_normal": lambda s: stats.halfnorm(scale=s),
    "half_cauchy": lambda s: stats.halfcauchy(scale=s),
    "half_student_t": lambda nu, s: stats.t(nu, scale=s),  # halved below: SciPy has no half t
    "exponential": lambda lam: stats.expon(scale=1 / lam),
    "gamma": lambda a, b: stats.gamma(a, scale=1 / b),
    "inverse_gamma": lambda a, b: stats.invgamma(a, scale=b),
    "log_normal": lambda m, s: stats.lognorm(s, scale=np.exp(m)),
    "beta": stats.beta,
    "uniform": lambda low, high: stats.uniform(low, high - low),
}

laws = pytest.mark.parametrize("law", TEXTBOOK, ids=lambda law: law[0])


def test_every_distribution_is_here() -> None:
    special = {"constant", "flat", "inverse", "lkj"}
    assert {law[0] for law in TEXTBOOK} == DISTRIBUTIONS.keys() - special == SCIPY.keys()


def test_formulas_can_write_all_but_the_inverse() -> None:
    assert core.DISTRIBUTIONS.keys() == DISTRIBUTIONS.keys() - {"inverse"}


@laws
def test_densities_are_those_of_a_textbook(law: tuple[str, float]) -> None:
    np.testing.assert_allclose(np.exp(prior(*law).log_density(X)), TEXTBOOK[law](X), rtol=1e-12)


@laws
def test_densities_integrate_to_one_over_their_support(law: tuple[str, float]) -> None:
    density = prior(*law).log_density
    found, _ = integrate.quad(lambda t: np.exp(density(np.array(t))), *prior(*law).support, limit=200)
    assert found == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("law", POSITIVE, ids=lambda law: law[0])
def test_densities_at_the_ends(law: tuple[str, float]) -> None:
    """SciPy's, also where a scale has underflowed to zero or overflowed."""
    x = np.array([0.0, 1e-300, 1e-5, 1.0, 1e5, 1e150])
    with np.errstate(all="ignore"):
        expected = SCIPY[law[0]](*law[1:]).logpdf(x) + (np.log(2) if law[0] == "half_student_t" else 0)
    np.testing.assert_allclose(prior(*law).log_density(x), expected, rtol=1e-12)
    assert prior(*law).log_density(np.array(np.inf)) == -np.inf


@laws
def test_the_class_in_pymc_has_the_same_density(law: tuple[str, float]) -> None:
    own = prior(*law)
    args = {name: np.array(value) for name, value in own.args.items()}  # 2.0 alone would be of 32 bits
    made = own.distribution.pymc(pm).dist(**args)
    inside = X[(own.support[0] < X) & (own.support[1] > X)]
    np.testing.assert_allclose(
        pm.logp(made, inside).eval(), own.log_density(inside), atol=1e-8
    )  # as PyMC's constants are


@laws
def test_draws_have_their_law(law: tuple[str, float]) -> None:
    values = prior(*law).draw(np.random.default_rng(1), (DRAWN,))
    known = SCIPY[law[0]](*law[1:])
    cdf = known.cdf if law[0] != "half_student_t" else lambda x: 2 * known.cdf(x) - 1
    assert stats.kstest(values, cdf).pvalue > 0.005


@laws
def test_the_distribution_in_scipy_is_the_same(law: tuple[str, float]) -> None:
    own = prior(*law)
    if own.distribution.scipy is not None:
        found = own.distribution.scipy(stats, *own.numbers).cdf(X)
        np.testing.assert_array_equal(found, SCIPY[law[0]](*law[1:]).cdf(X))


@laws
def test_power_at_zero(law: tuple[str, float]) -> None:
    """The log density rises by a - 1 times the rise of log x."""
    own, x = prior(*law), np.array([1e-9, 1e-8])
    if own.support[0] == 0:
        low, high = own.log_density(x)
        rise = (high - low) / np.log(10)
        assert rise == pytest.approx(own.power_at_zero - 1, abs=1e-6) or rise > 10 < own.power_at_zero


@laws
def test_orders_of_moments(law: tuple[str, float]) -> None:
    """The log density falls by the order, plus one, times the rise of log x."""
    own, x = prior(*law), np.array([1e9, 1e10])
    if own.support[1] == np.inf:
        low, high = own.log_density(x)
        fall = (low - high) / np.log(10)
        assert fall == pytest.approx(own.moments + 1, abs=1e-3) or fall > 10 < own.moments


@pytest.mark.parametrize(
    ("law", "text"),
    [
        (("normal", 1.0, 2.0), (1, 2, np.inf)),
        (("student_t", 4.0, 1.0, 2.0), (1, 2, 4)),
        (("cauchy", 1.0, 2.0), (1, 2, 1)),
        (("flat",), (0, np.inf, np.inf)),
        (("constant", 3.0), (3, 0, np.inf)),
        (("laplace", 1.0, 2.0), None),
    ],
)
def test_mixtures_of_normals(law: tuple[str, float], text: object) -> None:
    assert prior(*law).mixture == text


def test_typical_values() -> None:
    assert prior("beta", 2.0, 6.0).typical == 0.25
    assert prior("gamma", 4.0, 2.0).typical == 2
    assert prior("flat").typical is None


def test_array_arguments_are_one_a_column() -> None:
    own = prior("normal", np.array([0.0, 5.0]), np.array([1.0, 0.1]))
    values = own.draw(np.random.default_rng(2), (DRAWN, 2))
    np.testing.assert_allclose(values.mean(axis=0), [0, 5], atol=0.04)
    np.testing.assert_allclose(values.std(axis=0), [1, 0.1], rtol=0.03)
    assert (prior("constant", 3.0).draw(np.random.default_rng(2), (5, 2)) == 3).all()
    assert own.at(1, (2,)).normal == (5, 0.1)


@pytest.mark.parametrize(
    ("law", "fits"),
    [
        (prior("normal", 0.0, 1.0), False),
        (prior("half_normal", 1.0), True),
        (prior("uniform", 0.0, 1.0), True),
        (prior("uniform", -1.0, 1.0), False),
        (prior("constant", 0.0), False),
        (prior("constant", 2.0), True),
        (prior("flat"), True),
    ],
    ids=str,
)
def test_which_priors_fit_a_positive_parameter(law: Prior, fits: bool) -> None:
    assert law.fits(0, np.inf) == fits


def test_improper_densities() -> None:
    np.testing.assert_allclose(prior("inverse").log_density(X), -np.log(X))
    assert (prior("flat").log_density(X) == 0).all()


@pytest.mark.parametrize("law", [("constant", 1.0), ("lkj", 2.0)])
def test_others_have_none(law: tuple[str, float]) -> None:
    with pytest.raises(BugError, match="has no density"):
        prior(*law).log_density(X)


@pytest.mark.parametrize("law", ["flat", "inverse"])
def test_improper_priors_cannot_be_drawn_from(law: str) -> None:
    assert not prior(law).proper
    with pytest.raises(BugError, match="cannot be drawn from"):
        prior(law).draw(np.random.default_rng(1), (1,))
