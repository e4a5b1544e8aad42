"""Draws are worth what they say: calibrated over data sets, and as good as independent ones over seeds."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.inference.gaussian.draws import draw
from formulajoint.inference.gaussian.reduction import reduce

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "calibration_exact.py"


@pytest.fixture(scope="module")
def calibration() -> ModuleType:
    """Return the benchmark, which runs a thousand data sets a structure; here there are fewer."""
    spec = importlib.util.spec_from_file_location("calibration_exact", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["calibration_exact"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["not pooled", "sigma by group", "correlated hierarchy"])
def test_ranks_are_uniform(name: str, calibration: ModuleType) -> None:
    found = calibration.ranks(calibration.STRUCTURES[name], 40)
    for parameter, values in found.items():
        mean = np.mean(values) / 99
        assert abs(mean - 0.5) < 4.5 * np.sqrt(1 / 12 / len(values)), parameter
        assert 0.03 < np.var(values / 99) < 0.15, parameter  # 1/12


FORMULAS = ["Reaction ~ Days | Subject", "Reaction ~ Days | Subject, hierarchy()"]


@pytest.mark.parametrize("formula", FORMULAS)
def test_means_scatter_over_seeds_as_those_of_independent_draws(formula: str) -> None:
    data = pd.read_csv(Path(__file__).parents[2] / "data" / "sleepstudy.csv")
    reduction = reduce(fj.model(formula, data).plan)
    found = [draw(reduction, 100, 2, seed) for seed in range(30)]
    for which in ("values", "theta", "beta"):
        draws = np.array([getattr(each, which).reshape(200, -1) for each in found])
        if draws.shape[2]:
            scatter = draws.mean(axis=1).std(axis=0, ddof=1)
            expected = draws.std(axis=1).mean(axis=0) / np.sqrt(200)
            # 0.13 is the error of one such ratio; correlated quantities are averaged here
            assert abs(np.mean(scatter / expected) - 1) < 0.3


@pytest.mark.parametrize("formula", FORMULAS)
def test_every_draw_counts(formula: str) -> None:
    data = pd.read_csv(Path(__file__).parents[2] / "data" / "sleepstudy.csv")
    summary = fj.fit(formula, data, engine="exact", seed=2).summary()
    assert summary["ess_bulk"].median() > 0.95 * 4000
    assert summary["ess_bulk"].quantile(0.01) > 0.85 * 4000
    assert summary["r_hat"].max() < 1.005
