"""Posteriors for plots: draws of each group's regression in closed form, so that nothing is sampled by NUTS."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from xarray import Dataset, DataTree

import formulajoint as fj
from formulajoint.compiler.plan import Plan
from formulajoint.compiler.pymc.build import build_model
from formulajoint.data.rows import stack
from formulajoint.results.draws.posterior import Posterior

type Array = NDArray[np.float64]
type Schools = Callable[..., pd.DataFrame]
type ByGroup = Callable[..., Posterior]

CHAINS, DRAWS = 4, 250


@pytest.fixture(autouse=True)
def _no_figure_stays_open() -> Iterator[None]:
    before, settings = plt.get_fignums(), dict(plt.rcParams)
    yield
    assert plt.get_fignums() == before
    assert dict(plt.rcParams) == settings


def make_schools(groups: int, effect: float = 4.0, spread: float = 3.0, seed: int = 1) -> pd.DataFrame:
    """Return scores of 8 to 20 pupils a school, half of them treated, and one of three arms each."""
    rng = np.random.default_rng(seed)
    school = np.repeat(np.arange(groups), rng.integers(8, 21, groups))
    pupil = np.arange(len(school))
    slope, level = rng.normal(effect, spread, groups), rng.normal(50, 5, groups)
    return pd.DataFrame(
        {
            "score": level[school] + slope[school] * (pupil % 2) + rng.normal(0, 4, len(school)),
            "treatment": pupil % 2,
            "arm": np.array(["control", "high", "low"])[pupil % 3],
            "school": [f"s{number:03d}" for number in school],
        }
    )


def regressions(plan: Plan, sigma: Array, rng: np.random.Generator) -> Array:
    """Return draws (chain, draw, group, column) of least squares by group, given draws of sigma."""
    own, y = stack(plan.design.predictor.per_group, plan.design.rows.used), plan.design.response.values
    out = []
    grouping = plan.design.predictor.grouping
    assert grouping is not None
    for group in range(len(grouping)):
        index = grouping.codes == group
        covariance = np.linalg.inv(own[index].T @ own[index])
        noise = rng.normal(size=(*sigma.shape, own.shape[1])) @ np.linalg.cholesky(covariance).T
        out.append(covariance @ own[index].T @ y[index] + sigma[..., None] * noise)
    return np.stack(out, axis=2)


def by_group_posterior(formula: str, data: pd.DataFrame, pooled: float = 0.0, sd: float = 4.0) -> Posterior:
    """Return the regressions by group, their coefficients drawn to the mean of all by the share `pooled`."""
    plan = fj.model(formula, data).plan
    rng = np.random.default_rng(3)
    sigma = sd * rng.uniform(0.9, 1.1, (CHAINS, DRAWS))
    drawn = regressions(plan, sigma, rng)
    drawn = (1 - pooled) * drawn + pooled * drawn.mean(axis=2, keepdims=True)
    values: dict[str, Array] = {}
    for coefficient in plan.mean.coefficients:
        k = coefficient.term.columns.shape[1]
        shape = tuple(len(plan.coords[dim]) for dim in coefficient.dims)
        values[coefficient.name] = drawn[..., :k].reshape((CHAINS, DRAWS, *shape))
        drawn = drawn[..., k:]
    for contrast in plan.contrasts:
        effects = np.moveaxis(values[contrast.coefficient.name], 2, 0)
        weights = np.expand_dims(contrast.weights.values, (1, 2))
        ones = (1,) * (effects.ndim - weights.ndim)
        values[contrast.name] = contrast.function.function(effects, weights.reshape(weights.shape + ones))
    model = build_model(plan)
    dims = {v.name: tuple(model.named_vars_to_dims.get(v.name, ())) for v in model.unobserved_RVs}
    for name in dims.keys() - values.keys():
        base = values[name.removesuffix("_mean")].mean(axis=2) if name.endswith("_mean") else sigma
        shape = tuple(len(plan.coords[dim]) for dim in dims[name])
        values[name] = np.ones((CHAINS, DRAWS, *shape)) * base.reshape((CHAINS, DRAWS, *(1 for _ in shape)))
    variables = {name: (("chain", "draw", *ds), values[name]) for name, ds in dims.items()}
    draws = Dataset(variables, {dim: list(labels) for dim, labels in plan.coords.items()})
    stats = Dataset({"diverging": (("chain", "draw"), np.zeros((CHAINS, DRAWS), dtype=bool))})
    return Posterior(plan, DataTree.from_dict({"posterior": draws, "sample_stats": stats}), "nutpie")


@pytest.fixture(scope="session")
def schools() -> Schools:
    """Return `make_schools`."""
    return make_schools


@pytest.fixture(scope="session")
def by_group_of() -> ByGroup:
    """Return `by_group_posterior`."""
    return by_group_posterior


@pytest.fixture(scope="session")
def eight() -> Posterior:
    """Return eight schools, not pooled, with a joint contrast and a root mean square."""
    return by_group_posterior("score ~ treatment | school, joint(weights=n), rms()", make_schools(8))


@pytest.fixture(scope="session")
def pooled() -> Posterior:
    """Return eight schools under a hierarchy."""
    formula = "score ~ treatment | school, hierarchy(treatment), joint(weights=n)"
    return by_group_posterior(formula, make_schools(8), pooled=0.4)


@pytest.fixture(scope="session")
def two() -> Posterior:
    """Return the ten rows of the two schools of the package's question."""
    return by_group_posterior("test_score ~ treatment | school, joint(weights=n)", fj.tutoring(), sd=1.0)
