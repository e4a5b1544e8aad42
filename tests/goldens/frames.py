"""The data of the goldens: small frames with every kind of column, and the data sets of tests/data."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]

import formulajoint as fj

DATA = Path(__file__).parents[1] / "data"


def schools() -> pd.DataFrame:
    """Return the ten rows of two schools with further columns; `age` misses one value."""
    row = np.arange(10)
    return fj.tutoring().assign(
        pretest=4.0 + row * 7 % 5,
        age=[np.nan, *(20.0 + row[1:] ** 2 % 7)],
        w=1.0 + row % 3,
        se=0.5 + row % 4 / 4,
        pupils=[300] * 4 + [700] * 6,
        arm=[*"aabbabbaab"],
        all="S",
    )


def trial() -> pd.DataFrame:
    """Return 48 rows of three schools in two districts: a factor of three arms, two sexes, numbers and truth values."""
    rng, row = np.random.default_rng(20), np.arange(48)
    school = np.repeat([0, 1, 2], [12, 16, 20])
    x, z = rng.normal(2.0, 1.5, 48).round(3), rng.normal(-1.0, 0.7, 48).round(3)
    arm, sex = row % 3, row // 3 % 2
    mean = 40 + np.array([3.0, 1.5, 2.0])[school] * x + np.array([0.0, 2.0, 5.0])[arm] + 1.5 * sex * arm
    return pd.DataFrame(
        {
            "y": (mean + rng.normal(0, 2 + school, 48)).round(3),
            "x": x,
            "z": z,
            "arm": np.array(["control", "low", "high"])[arm],
            "sex": np.array(["f", "m"])[sex],
            "flag": row // 2 % 2 == 0,
            "school": np.array(["A", "B", "C"])[school],
            "district": np.array(["north", "north", "south"])[school],
            "year": 2019 + row % 2,
            "w": 1.0 + row % 3,
            "o": (row % 5 - 2.0) / 2,
            "s": 1.0 + row % 4 / 2,
            "population": np.array([100, 250, 650])[school],
            "treated": (arm > 0) * 1,
        }
    )


def gaps() -> pd.DataFrame:
    """Return the trial with values that are missing, and rows of weight zero."""
    frame, row = trial(), np.arange(48)
    return frame.assign(
        x=frame["x"].where(row % 11 != 3),
        arm=frame["arm"].where(row % 17 != 5),
        w=np.where(row % 9 == 4, 0.0, frame["w"]),
    )


def many() -> pd.DataFrame:
    """Return nine groups of five rows, known by whole numbers that are text: 10, 2, 3 and so on."""
    rng, group = np.random.default_rng(31), np.repeat(np.arange(2, 11), 5)
    x = rng.normal(0.0, 1.0, len(group)).round(3)
    y = 5 + 0.4 * group + (1.0 + 0.1 * group) * x + rng.normal(0, 1.0, len(group))
    return pd.DataFrame({"y": y.round(3), "x": x, "g": group.astype(str)})


def studies() -> pd.DataFrame:
    """Return seven studies: an effect with its standard error, and a covariate."""
    return pd.DataFrame(
        {
            "effect": [0.31, 0.12, 0.55, -0.08, 0.40, 0.22, 0.71],
            "error": [0.15, 0.10, 0.22, 0.18, 0.12, 0.09, 0.30],
            "dose": [1.0, 1, 2, 1, 2, 1, 3],
            "study": ["Ames 1990", "Bell 1992", "Cook", "Dunn", "Eyre", "Ford", "Gale"],
        }
    )


def odd() -> pd.DataFrame:
    """Return columns and levels with names that are no plain names, or are taken."""
    rng = np.random.default_rng(3)
    names = [
        "test score",
        "x/y",
        "x_y",
        'the "best"',
        "größe",
        "größe, cm",
        "a:b",
        "sigma",
        "chain",
        "x.mean",
    ]
    frame = pd.DataFrame(rng.normal(5, 1, (24, len(names))).round(3), columns=names)
    return frame.assign(
        **{  # type: ignore[arg-type]
            "Intercept": np.arange(24) % 7,
            "my group": ["g 1", "g/2"] * 12,
            "école": ["α", "β", "it's"] * 8,
            "code": (["007", "7", "a:b/c", "[1]"] * 6),
        }
    )


def line() -> pd.DataFrame:
    """Return a group with few rows, one whose rows fit a line, and one in which x does not vary."""
    return pd.DataFrame(
        {
            "y": [1.0, 2.5, 2.0, 4.0, 5.5, 3.0, 4.2, 3.9, 5.0, 6.1, 2.2],
            "x": [0.0, 1.0, 2.0, 3.0, 4.0, 0.0, 1.0, 2.0, 2.0, 2.0, 2.0],
            "g": [*"aaaaabbbccc"],
        }
    )


def units() -> pd.DataFrame:
    """Return three groups, in one of which x has other units: a default prior holds its slope back."""
    rng, group = np.random.default_rng(17), np.repeat([0, 1, 2], 20)
    x = rng.normal(0.0, 1.0, 60)
    y = 3 + 2 * x + rng.normal(0, 0.3, 60)
    scale = np.array([1.0, 1.0, 0.001])[group]
    return pd.DataFrame({"y": y.round(4), "x": (x * scale).round(7), "g": np.array([*"abc"])[group]})


def kinds() -> pd.DataFrame:
    """Return columns of every type that pandas has for numbers, truth values and texts, some with missing values."""
    row = np.arange(36)
    return pd.DataFrame(
        {
            "y": (row * 7 % 13 + row / 5).astype(np.float32),
            "whole": pd.array([None if r % 12 == 7 else r * 5 % 11 for r in row], dtype="Int64"),
            "small": (row * 3 % 7).astype(np.uint8),
            "truth": pd.array([None if r % 9 == 4 else r % 2 == 0 for r in row], dtype="boolean"),
            "text": pd.array([None if r % 10 == 3 else "pqr"[r % 3] for r in row], dtype="string"),
            "mixed": [None if r == 30 else ["u", "v"][r // 2 % 2] for r in row],
            "sizes": pd.Categorical(np.array([10, 9, 100])[row // 3 % 3], [9, 10, 100], ordered=True),
            "shelf": pd.Categorical(np.array(["top", "low"])[row // 18], ["top", "low", "none"]),
        }
    )


def sleep() -> pd.DataFrame:
    """Return six subjects of the sleep study."""
    frame = pd.read_csv(DATA / "sleepstudy.csv", dtype={"Subject": str})
    return frame[frame["Subject"].isin(frame["Subject"].unique()[:6])].reset_index(drop=True)


def read(name: str, rows: int | None = None, **columns: type) -> Callable[[], pd.DataFrame]:
    """Return a function that reads a data set of tests/data, or its first rows."""
    return lambda: pd.read_csv(DATA / f"{name}.csv", dtype=columns).head(rows or 10_000)


def ordered() -> pd.DataFrame:
    """Return the warp breaks with categories that have an order of their own."""
    frame = read("warpbreaks")()
    return frame.assign(tension=pd.Categorical(frame["tension"], ["L", "M", "H"], ordered=True))


FRAMES: dict[str, Callable[[], Any]] = {
    "tutoring": fj.tutoring,
    "schools": schools,
    "trial": trial,
    "gaps": gaps,
    "many": many,
    "studies": studies,
    "odd": odd,
    "line": line,
    "units": units,
    "kinds": kinds,
    "sleep": sleep,
    "ordered": ordered,
    "kidiq": read("kidiq", 60),
    "mtcars": read("mtcars", cyl=str),
    "pigs": read("pigs_raw"),
    "stackloss": read("stackloss"),
    "eight": read("eight_schools"),
    "narrow": read("hierarchy_against_narrow_priors"),
    "trial, polars": lambda: pl.from_pandas(trial()),
    "trial, arrow": lambda: pa.Table.from_pandas(trial()),
    "trial, lists": lambda: trial().to_dict("list"),
}


@cache
def frame(name: str) -> Any:
    """Return the data called `name`."""
    return FRAMES[name]()
