"""Posteriors with draws made up by hand: what is read from them is known, and nothing is sampled."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from numpy.typing import ArrayLike, NDArray
from xarray import Dataset, DataTree

import formulajoint as fj
from formulajoint.compiler.plan import Plan
from formulajoint.compiler.pymc.build import build_model
from formulajoint.contrasts.layout import layout
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.regressions.joint import regression

type MadeUp = Callable[..., Posterior]


def plan_of(formula: str, data: object, priors: str | None = None) -> Plan:
    return fj.model(formula, data, priors=priors).plan


def noise(shape: tuple[int, ...], name: str) -> NDArray[np.float64]:
    """Return standard normal draws of (chain, draw, ...), other ones for each name."""
    return np.random.default_rng([*name.encode()]).normal(size=shape)


def made_up_posterior(
    formula: str,
    data: object,
    priors: str | None = None,
    chains: int = 4,
    draws: int = 200,
    diverging: int = 0,
    **given: ArrayLike,
) -> Posterior:
    """Return a posterior in which every variable of the model is noise, but those `given` (chain, draw, ...)."""
    plan = plan_of(formula, data, priors)
    model = build_model(plan)
    dims = {v.name: tuple(model.named_vars_to_dims.get(v.name, ())) for v in model.unobserved_RVs}
    shapes = {name: (chains, draws, *(len(plan.coords[d]) for d in ds)) for name, ds in dims.items()}
    variables = {
        name: (("chain", "draw", *ds), np.asarray(given.get(name, noise(shapes[name], name)), dtype=float))
        for name, ds in dims.items()
    }
    assert given.keys() <= variables.keys(), "a draw is given to a variable that the model has not"
    bad = np.arange(chains * draws).reshape(chains, draws) < diverging
    tree = DataTree.from_dict(
        {
            "posterior": Dataset(variables, {dim: list(labels) for dim, labels in plan.coords.items()}),
            "sample_stats": Dataset({"diverging": (("chain", "draw"), bad)}),
        }
    )
    return Posterior(plan, tree, "nutpie")


def closed_form_posterior(formula: str, data: object, draws: int = 1000, seed: int = 1) -> Posterior:
    """Return independent draws of the posterior of a Gaussian model that is not pooled, under flat priors and 1/sigma.

    Coefficients are normal about least squares given sigma, and sigma^2 is scaled inverse chi-square.
    """
    plan, rng = plan_of(formula, data, "flat"), np.random.default_rng(seed)
    whole, blocks = regression(plan.data), layout(plan.design)
    assert whole is not None
    x = whole.columns
    estimate = np.linalg.lstsq(x, whole.y)[0]
    squares = float(np.sum((whole.y - x @ estimate) ** 2))
    sigma = np.sqrt(squares / rng.chisquare(whole.rows - x.shape[1], (4, draws)))
    root = np.linalg.inv(np.linalg.qr(x, mode="r"))
    b = estimate + sigma[..., None] * (rng.normal(size=(4, draws, len(estimate))) @ root.T)
    variables: dict[str, object] = {"sigma": (("chain", "draw"), sigma)}
    for coefficient, block in zip(plan.mean.coefficients, blocks, strict=True):
        values = b[..., block.start : block.start + block.size].reshape((4, draws, *block.shape))
        variables[coefficient.name] = (("chain", "draw", *coefficient.dims), values)
    dataset = Dataset(variables, {dim: list(labels) for dim, labels in plan.coords.items()})
    return Posterior(plan, DataTree.from_dict({"posterior": dataset}), "closed form")


@pytest.fixture
def closed_form() -> Callable[..., Posterior]:
    """Return `closed_form_posterior`."""
    return closed_form_posterior


@pytest.fixture
def made_up() -> MadeUp:
    """Return `made_up_posterior`."""
    return made_up_posterior


@pytest.fixture(scope="session")
def tutoring() -> pd.DataFrame:
    """Return the ten rows: school A has four, B has six."""
    return fj.tutoring()


@pytest.fixture(scope="session")
def clinics() -> pd.DataFrame:
    """Return 24 rows: three arms, three clinics of 6, 8 and 10 rows, whole numbers and two truth values."""
    row = np.arange(24)
    return pd.DataFrame(
        {
            "outcome": 50.0 + row * 7 % 13,
            "age": 30.0 + row * 5 % 17,
            "year": 2000 + row % 6,
            "arm": ["control", "low", "high"] * 8,
            "severe": [False, False, True, True] * 6,
            "clinic": ["north"] * 6 + ["east"] * 8 + ["south"] * 10,
        }
    )
