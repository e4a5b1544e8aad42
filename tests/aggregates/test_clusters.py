"""Frames of Dask on two workers, and of PySpark, where these are installed: the moments are those of the rows."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj

FORMULAS = (
    "y ~ t*arm + center(x):z + log(x + 20) + (1 | g)",
    "y ~ t + (1 | d/g), weights(w)",
    "passed ~ t + (1 | g), family(bernoulli)",
)

UNDEFINED = {
    "y ~ t + log(z) | g": r"`log\(z\)`",
    "y ~ t + I(sqrt(z) > 1) | g": r"`sqrt\(z\)`",
    "y ~ I(z / t) | g": "`z / t`",
}

pytestmark = pytest.mark.filterwarnings("ignore")  # those of the engines


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng, n, groups = np.random.default_rng(2), 400, 8
    g, t, x = rng.integers(0, groups, n), rng.integers(0, 2, n), rng.normal(3, 2, n)
    y = 50 + rng.normal(0, 2, groups)[g] + 3 * t + 0.5 * x + rng.normal(0, 1, n)
    columns = {"y": y, "t": t, "x": x, "z": rng.normal(0, 1, n), "g": [f"g{i}" for i in g], "d": g // 3}
    columns |= {"arm": rng.choice(list("abc"), n), "w": rng.integers(0, 4, n), "passed": y > 53}
    return pd.DataFrame(columns)


def check(frame: pd.DataFrame, lazy: Any) -> None:
    """Check the moments of a lazy frame, and that rows without a finite value are refused, not left out."""
    for formula in FORMULAS:
        assert fj.moments(formula, lazy) == fj.moments(formula, frame)
    for formula, text in UNDEFINED.items():
        with pytest.raises(fj.DataError, match=rf"{text} is not a finite number in \d+ of the 400 rows used"):
            fj.moments(formula, lazy)


# --- Dask


@pytest.fixture(scope="module")
def two_workers() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    settings = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**settings) as cluster, distributed.Client(cluster) as client:
        yield client


def test_two_workers_of_dask_give_the_moments(frame: pd.DataFrame, two_workers: Any) -> None:
    dask = pytest.importorskip("dask.dataframe")
    whole = dask.from_pandas(frame, npartitions=3)
    check(frame, whole)
    with_an_empty_part = dask.concat([dask.from_pandas(frame[:0], npartitions=1), whole])
    assert fj.moments(FORMULAS[0], with_an_empty_part) == fj.moments(FORMULAS[0], frame)
    with pytest.raises(fj.DataError, match="no rows"):
        fj.moments(FORMULAS[0], dask.from_pandas(frame[:0], npartitions=1))


def test_a_worker_that_is_killed_changes_nothing(
    frame: pd.DataFrame, two_workers: Any, tmp_path: Path
) -> None:
    dask = pytest.importorskip("dask.dataframe")
    mark, killed = tmp_path / "worker", list[int]()

    def waits(part: pd.DataFrame) -> pd.DataFrame:
        try:
            with mark.open("x") as file:  # the first worker alone
                file.write(f"{os.getpid()}\n")
        except FileExistsError:
            return part
        time.sleep(60)
        return part

    def kill() -> None:
        while not (mark.exists() and mark.read_text().endswith("\n")):
            time.sleep(0.1)
        killed.append(int(mark.read_text()))
        os.kill(killed[0], signal.SIGKILL)

    lazy = dask.from_pandas(frame, npartitions=2).map_partitions(waits, meta=frame[:0])
    threading.Thread(target=kill, daemon=True).start()
    assert fj.moments("y ~ t + x | g", lazy) == fj.moments("y ~ t + x | g", frame)
    assert killed


def test_rows_that_kill_every_worker_are_told(frame: pd.DataFrame, two_workers: Any) -> None:
    dask = pytest.importorskip("dask.dataframe")

    def dies(part: pd.DataFrame) -> pd.DataFrame:
        os.kill(os.getpid(), signal.SIGKILL)
        return part

    lazy = dask.from_pandas(frame, npartitions=1).map_partitions(dies, meta=frame[:0])
    with pytest.raises(fj.DataError, match=r"engine, which says: .*workers died"):
        fj.moments("y ~ t + x | g", lazy)


# --- Spark


def test_frames_of_spark_give_the_moments(frame: pd.DataFrame) -> None:
    sql = pytest.importorskip("pyspark.sql")
    builder = sql.SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    spark = builder.config("spark.sql.shuffle.partitions", "2").getOrCreate()
    try:
        lazy = spark.createDataFrame(frame)
        check(frame, lazy)
        gaps = frame.assign(x=frame.x.astype(object).where(frame.index % 50 != 7, None))
        schema = ", ".join(f"{name} {'double' if name == 'x' else kind}" for name, kind in lazy.dtypes)
        holes = spark.createDataFrame(gaps.to_dict("records"), schema)
        assert fj.moments("y ~ x | g", holes) == fj.moments(
            "y ~ x | g", frame.assign(x=frame.x.where(frame.index % 50 != 7))
        )
    finally:
        spark.stop()
