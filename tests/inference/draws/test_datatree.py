"""The response beside the draws of a model that never saw its rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from xarray import Dataset, DataTree

import formulajoint as fj
from formulajoint.inference.draws.datatree import with_observed

DATA = pd.DataFrame({"y": [1.0, 2, np.nan, 4], "x": [0.0, 1, 2, 1]}, index=[7, 8, 9, 10])


@pytest.mark.parametrize("groups", [{}, {"observed_data": Dataset(attrs={"created_at": "now"})}])
def test_what_is_added_is_what_pymc_would_have_said(groups: dict[str, Dataset]) -> None:
    model = fj.model("log(y) ~ x", DATA)
    expected = model.prior_predictive(draws=2, seed=1)["observed_data"].to_dataset()
    found = with_observed(DataTree.from_dict({"posterior": Dataset(), **groups}), model.plan)
    xr.testing.assert_identical(found["observed_data"].to_dataset(), expected.drop_attrs())


def test_what_is_there_stays() -> None:
    there = Dataset({"log(y)": ("obs", [5.0])})
    tree = DataTree.from_dict({"observed_data": there})
    found = with_observed(tree, fj.model("log(y) ~ x", DATA).plan)
    xr.testing.assert_identical(found["observed_data"].to_dataset(), there)
