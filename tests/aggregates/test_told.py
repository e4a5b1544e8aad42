"""What a model of moments tells of the rows is what the model of the rows tells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest

import formulajoint as fj

FORMULAS = (
    "y ~ t + x | g, joint(t, weights=n)",
    "y ~ t*k + (1 | g)",
    "y ~ t + (1 | g:k), weights(w)",
    "y ~ x + k, sigma ~ t",
)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng, n = np.random.default_rng(1), 300
    g, t, x = rng.integers(0, 8, n), rng.integers(0, 2, n), rng.normal(0, 1, n)
    x[::20], k = -99.0, rng.choice(list("abcd"), n)
    y = np.where((g == 7) | (k == "d") | (np.arange(n) % 37 == 0), np.nan, 50 + 3 * t + rng.normal(0, 1, n))
    labels = np.array(["g0", "g1", "g2", "g1 ", "g4", "g5", "g6", "g7"], dtype=object)[g]
    return pd.DataFrame(
        {
            "y": y,
            "t": t,
            "x": x,
            "g": labels,
            "k": k,
            "n": rng.integers(1, 5, n),
            "w": np.where(g == 6, 0, 1 + t),
        }
    )


@pytest.mark.parametrize(
    "source",
    [
        lambda data: data,
        lambda data: pl.from_pandas(data).lazy(),
        lambda data: duckdb.from_arrow(pl.from_pandas(data).to_arrow()),
    ],
)
@pytest.mark.parametrize("formula", FORMULAS)
def test_moments_tell_what_the_rows_tell(
    formula: str, source: Callable[[pd.DataFrame], Any], frame: pd.DataFrame, tmp_path: Path
) -> None:
    data = frame.assign(w=frame.w.astype(float))
    found = fj.moments(formula, source(data))
    told = sorted(fj.model(formula, data).explain().splitlines())
    assert sum(line.startswith("note: ") for line in told) >= 1
    assert sorted(fj.model(formula, found).explain().splitlines()) == told
    found.save(tmp_path / "moments.parquet")
    back = fj.Moments.load(tmp_path / "moments.parquet")
    assert sorted(fj.model(formula, back).explain().splitlines()) == told


def test_of_two_codes_in_a_column_engines_tell_what_the_rows_tell(frame: pd.DataFrame) -> None:
    data = frame.assign(x=np.where(np.arange(300) % 40 == 1, -9.0, frame.x))
    told = fj.model("y ~ x", data).explain()
    assert "x is -99 in " in told
    assert fj.model("y ~ x", pl.from_pandas(data).lazy()).explain() == told


def test_levels_lost_in_one_part_may_be_in_another(frame: pd.DataFrame) -> None:
    first = frame[:150].assign(y=frame.y.where(frame.g != "g0"))
    parts = [fj.moments("y ~ t + (1 | g)", part) for part in (first, frame[150:])]
    assert parts[0].counted.lost["g"] == ("g0", "g7")
    said = fj.model("y ~ t + (1 | g)", parts[0] + parts[1]).explain()
    assert "note: g has no `g7`: dropped, as each of its rows misses a value." in said


def test_codes_of_missing_values_are_kept_for_few_parts(frame: pd.DataFrame) -> None:
    whole = fj.moments("y ~ x", frame)
    total = sum((fj.moments("y ~ x", frame[start : start + 60]) for start in range(0, 300, 60)), start=0)
    assert len(total.notes["x"]) == 3  # type: ignore[union-attr]
    assert "x is -99 in " in whole.notes["x"][0]
