"""Each family of the language: its density in PyMC, its draws, priors and links; a row of `ROWS` for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import pytest
from scipy import stats

import formulajoint as fj
from formulajoint.distributions.links import LINKS, NUMPY
from formulajoint.families.declared import FAMILIES
from formulajoint.language.vocabulary import core


class Row(NamedTuple):
    """Values of the parameters, the law in SciPy at them, and responses that can and cannot occur."""

    parameters: dict[str, float]
    law: Callable[..., Any]
    possible: tuple[float, ...]
    impossible: tuple[float, ...] = ()


ROWS = {
    "gaussian": Row({"mu": 1.0, "sigma": 2.0}, lambda mu, sigma: stats.norm(mu, sigma), (-1.5, 0.0, 4.0)),
    "student": Row(
        {"mu": 1.0, "sigma": 2.0, "nu": 5.0},
        lambda mu, sigma, nu: stats.t(nu, mu, sigma),
        (-1.5, 0.0, 4.0),
    ),
}

rows = pytest.mark.parametrize("name", ROWS)


def test_every_family_has_a_row_and_a_name_in_formulas() -> None:
    assert ROWS.keys() == FAMILIES.keys() <= set(core.FAMILIES)


@rows
def test_its_parameters_are_the_arguments_of_its_distribution(name: str) -> None:
    family, row = FAMILIES[name], ROWS[name]
    assert sorted(family.distribution.args) == sorted(p.name for p in family.parameters)
    assert list(row.parameters) == [p.name for p in family.parameters]
    assert family.parameters[0].name == "mu"
    assert family.spread in ("", *family.further)


@rows
def test_density_in_pymc(name: str) -> None:
    row = ROWS[name]
    law = FAMILIES[name].distribution.pymc(pm).dist(**{k: np.array(v) for k, v in row.parameters.items()})
    y = np.array(row.possible)
    known = row.law(**row.parameters)
    expected = known.logpmf(y) if FAMILIES[name].distribution.whole else known.logpdf(y)
    np.testing.assert_allclose(pm.logp(law, y).eval(), expected, rtol=1e-10)


@rows
def test_draws(name: str) -> None:
    """The normal scores of draws, by the law in SciPy, are normal: for whole numbers at a random point of each step."""
    row, distribution, rng = ROWS[name], FAMILIES[name].distribution, np.random.default_rng(1)
    y = distribution.draw(rng, (20_000,), *(row.parameters[name] for name in distribution.args))
    known = row.law(**row.parameters)
    step = known.pmf(y) * rng.random(len(y)) if distribution.whole else 0.0
    assert stats.kstest(known.cdf(y) - step, stats.uniform.cdf).pvalue > 0.005
    assert distribution.takes(y).all()


@rows
def test_responses(name: str) -> None:
    takes = FAMILIES[name].distribution.takes
    assert takes(np.array(ROWS[name].possible)).all()
    assert not takes(np.array(ROWS[name].impossible)).any()


@rows
def test_default_priors_are_proper_and_fit_their_parameters(name: str) -> None:
    for parameter in FAMILIES[name].further.values():
        found = parameter.default_prior(2.0)
        assert found.proper
        assert found.fits(*parameter.support)
        assert found.typical is not None
        assert parameter.meaning


DATA = {"y": [3.0, 1, 4, 1, 5, 9, 2, 6], "x": [0.0, 1, 1, 0, 1, 0, 0, 1], "g": list("AABBABAB")}


@rows
def test_links(name: str) -> None:
    """The mean's links can be written, and the first is that of a formula without one; others are refused."""
    mean = FAMILIES[name].mean
    assert mean.link is mean.links[0]
    for link in LINKS.values():
        formula = f"y ~ x | g, family({name}, link={link.name})"
        if link in mean.links:
            assert fj.model(formula, DATA).plan.mean.link is link
            assert float(link.inverse(NUMPY, link.at(0.4))) == pytest.approx(0.4)
        else:
            with pytest.raises(fj.FormulaError, match=f"the link `{link.name}` is not available yet"):
                fj.model(formula, DATA)


@rows
def test_what_it_says(name: str) -> None:
    model = fj.model(f"y ~ x | g, family({name})", DATA)
    (line,) = [line for line in model.explain().splitlines() if line.startswith("model: ")]
    distribution = FAMILIES[name].distribution
    assert line == f"model: y ~ {distribution.name}({', '.join(distribution.args)})"
    assert model.record()["family"] == name
