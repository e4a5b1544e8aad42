"""Families of extensions whose log density is declared: drawn as the language's own are, and compared with PyMC's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pymc as pm
import pytest
from scipy import special, stats

import formulajoint as fj
from formulajoint.inference.groupwise.declared import check_density
from formulajoint.inference.groupwise.engine import Groupwise
from formulajoint.inference.groupwise.forecast import forecast
from formulajoint.inference.groupwise.marginal import Marginal
from formulajoint.inference.groupwise.model import model_of
from formulajoint.inference.groupwise.rules import rules
from formulajoint.inference.groupwise.starts import plausible

RNG = np.random.default_rng(1)
X, G = RNG.normal(size=24), np.repeat(list("ABC"), 8)
DATA = pd.DataFrame({"x": X, "g": G, "c": RNG.poisson(np.exp(0.5 * X)), "t": X + RNG.standard_t(4, 24)})


def counted(y, mu):
    return y * np.log(mu) - mu - special.gammaln(y + 1)


def language(
    counts: object = counted,
    link: str = "log",
    student: Callable[..., object] = stats.t.logpdf,
) -> fj.Language:
    return fj.CORE.extend(
        fj.Extension(
            "mine",
            [
                fj.Family(
                    lambda mu: pm.Poisson.dist(mu),
                    {},
                    link,
                    "counts",
                    above=0,
                    whole=True,
                    log_density=counts,
                ),
                fj.Family(
                    lambda mu, sigma, nu: pm.StudentT.dist(nu=nu, mu=mu, sigma=sigma),
                    {"sigma": "half_student_t(4, sd)", "nu": "gamma(2, 0.1)"},
                    name="far",
                    log_density=lambda y, mu, sigma, nu: student(y, nu, mu, sigma),
                ),
            ],
        )
    )


def test_the_evidence_is_that_of_the_language_s_own_family() -> None:
    """Nothing is shared, so that it has no Monte Carlo error."""
    formula, own = "c ~ x | g, family({}), prior(Intercept ~ normal(0, 2), x ~ normal(0, 1))", language()
    mine, known = (
        fj.fit(formula.format(name), DATA, language=own, draws=100, seed=1) for name in ("counts", "poisson")
    )
    assert mine.engine == "exact"
    assert mine.log_evidence.value == pytest.approx(known.log_evidence.value, abs=1e-4)
    assert mine.summary()["mean"].to_numpy() == pytest.approx(known.summary()["mean"].to_numpy(), abs=0.25)


@pytest.mark.parametrize("more", ["", ", sigma ~ x, nu ~ 1 | g"])
def test_the_density_of_shared_parameters_is_that_of_the_language_s_own_family(more: str) -> None:
    """Also where the linear predictor is in units of the response, and sigma with it, and where these differ by row."""
    values = []
    for family in ("far", "student"):
        plan = fj.model(f"t ~ x | g, hierarchy(), family({family}){more}", DATA, language=language()).plan
        check_density(plan)
        model = model_of(plan)
        near = plausible(model)
        points = near + 0.3 * np.random.default_rng(2).normal(size=(20, len(near)))
        values.append(Marginal(forecast(model, near), rules(2)[4])(points))
    np.testing.assert_allclose(values[0], values[1], atol=1e-5)


@pytest.mark.parametrize(
    ("density", "said"),
    [
        (lambda y, mu: y * np.log(mu) - mu, "but its distribution in PyMC has .* with all constants"),
        (
            lambda y, mu: np.sum(counted(y, mu)),
            r"must return a number for each response, an array of shape \(\d+,\)",
        ),
        (lambda y, mu: counted(y, mu, 1), "The family `counts` of extension `mine` fails: TypeError"),
    ],
)
def test_another_density_than_that_of_pymc_is_refused(density: Callable[..., object], said: str) -> None:
    with pytest.raises(fj.ExtensionError, match=said):
        fj.fit("c ~ x | g, family(counts)", DATA, language=language(density))


def test_a_density_that_is_no_function_is_refused() -> None:
    with pytest.raises(
        fj.ExtensionError, match="`log_density` of the family `counts` must be a function, not 3"
    ):
        language(3)


def test_families_that_the_engine_does_not_take() -> None:
    none = fj.model("c ~ x | g, family(counts)", DATA, language=language(None)).plan
    assert none.family.smooth is None
    sqrt = fj.model("c ~ x | g, family(counts)", DATA, language=language(link="sqrt")).plan
    reason = Groupwise().why_not(sqrt)
    assert reason is not None
    assert "with the sqrt link a mean needs a linear predictor above zero" in reason.reason
