"""Draws as arrays by name and as a DataTree say the same."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import formulajoint as fj
from formulajoint.inference.draws.datatree import named_draws, tree_of
from formulajoint.inference.draws.named import NamedDraws
from formulajoint.inference.gaussian.engine import Gaussian
from formulajoint.inference.settings import Settings

FORMULA = "test_score ~ 0 + treatment:age | school, sigma ~ 1 | school, joint()"


@pytest.fixture(scope="module")
def plan():
    return fj.model(FORMULA, fj.tutoring().assign(age=["young", "old"] * 5)).plan


@pytest.fixture(scope="module")
def draws(plan) -> NamedDraws:
    return Gaussian().draw(
        plan, Settings(draws=7, tune=0, chains=2, seed=1, target_accept=0.9, progress=False)
    )


def test_there_and_back(plan, draws: NamedDraws) -> None:
    back = named_draws(tree_of(draws, plan))
    assert back.attrs == draws.attrs == {"engine": "exact", "seed": 1}
    assert back.about == draws.about
    for one, other in ((draws.variables, back.variables), (draws.statistics, back.statistics)):
        assert list(one) == list(other)
        for name, (dims, values) in one.items():
            assert other[name][0] == dims
            np.testing.assert_array_equal(other[name][1], values)
    assert {dim: list(labels) for dim, labels in back.coords.items()} == {
        dim: list(labels) for dim, labels in draws.coords.items()
    }


def test_values_come_in_the_order_asked_for(plan, draws: NamedDraws) -> None:
    (name,) = (name for name, (dims, _) in draws.variables.items() if len(dims) == 2)
    dims, values = draws.variables[name]
    assert draws.shape == values.shape[:2] == (2, 7)
    np.testing.assert_array_equal(draws.values(name), values)
    np.testing.assert_array_equal(draws.values(name, dims[::-1]), np.swapaxes(values, 2, 3))
    turned = tree_of(draws, plan)["posterior"].to_dataset().transpose(dims[1], "draw", dims[0], "chain")
    found = named_draws(xr.DataTree.from_dict({"posterior": turned}))
    np.testing.assert_array_equal(found.values(name, dims), values)
    assert not found.statistics


def test_what_is_hidden_is_left_out_with_its_dims(plan, draws: NamedDraws) -> None:
    (name,) = (name for name, (dims, _) in draws.variables.items() if len(dims) == 2)
    found = named_draws(tree_of(draws, plan)).without({name})
    assert name not in found.variables
    assert set(found.coords) == {dim for dims, _ in found.variables.values() for dim in dims}
