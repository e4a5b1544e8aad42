"""Every engine and every frame in memory gives the same moments and, for one seed, the same draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest

import formulajoint as fj

FORMULAS = {
    "plain": "y ~ t + x",
    "groups": "y ~ t + x | g, joint(t)",
    "nested": "y ~ t + (1 | d/g)",
    "crossed": "y ~ x + (1 | g) + (1 | arm)",
    "sd by arm": "y ~ t + x*z, sigma ~ arm",
    "meta-analysis": "y ~ t + offset(z) + (1 | g), se(se)",
}

FRAMES: Mapping[str, Callable[[pd.DataFrame], Any]] = {
    "pandas": lambda data: data,
    "polars": pl.from_pandas,
    "pyarrow": lambda data: pl.from_pandas(data).to_arrow(),
    "polars, lazy": lambda data: pl.from_pandas(data).lazy(),
    "duckdb": lambda data: duckdb.from_arrow(pl.from_pandas(data).to_arrow()),
}


def _of_dask(data: pd.DataFrame) -> Any:
    dask = pytest.importorskip("dask.dataframe")
    return dask.from_pandas(data.reset_index(drop=True), npartitions=3)


def _of_ibis(data: pd.DataFrame) -> Any:
    ibis = pytest.importorskip("ibis")
    return ibis.memtable(data.reset_index(drop=True))


ENGINES = FRAMES | {"dask": _of_dask, "ibis": _of_ibis}


@pytest.fixture(scope="module")
def of_rows(frame: pd.DataFrame) -> Callable[[str], dict[str, np.ndarray]]:
    """Return a function that gives the draws of a formula from the rows in memory."""
    found = dict[str, dict[str, np.ndarray]]()

    def known(formula: str) -> dict[str, np.ndarray]:
        if formula not in found:
            found[formula] = draws(formula, frame)
        return found[formula]

    return known


def draws(formula: str, data: Any) -> dict[str, np.ndarray]:
    fit = fj.fit(formula, data, seed=1, draws=25, progress=False, engine="exact")
    return {str(name): values.to_numpy() for name, values in fit.idata["posterior"].data_vars.items()}


@pytest.mark.filterwarnings("ignore")  # those of the engines
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", FORMULAS)
def test_engines_and_shards_in_any_order_give_the_same_moments_and_draws(
    name: str, engine: str, frame: pd.DataFrame, of_rows: Callable[[str], dict[str, np.ndarray]]
) -> None:
    formula, whole = FORMULAS[name], fj.moments(FORMULAS[name], frame)
    order = np.random.default_rng(len(engine)).permutation(len(frame))
    shuffled = frame.iloc[order]
    assert fj.moments(formula, ENGINES[engine](shuffled)) == whole  # to 1e-10
    shards = [
        fj.moments(formula, ENGINES[engine](shuffled.iloc[places]), like=whole)
        for places in np.array_split(np.arange(len(frame)), 3)
    ]
    both = shards[2] + shards[0] + shards[1]
    assert both == shards[0] + (shards[1] + shards[2]) == whole
    found, expected = draws(formula, both), of_rows(formula)
    assert found.keys() == expected.keys()
    for variable, values in expected.items():
        np.testing.assert_allclose(found[variable], values, rtol=1e-7, atol=1e-8, err_msg=variable)
