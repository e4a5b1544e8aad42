"""Data that do not allow what a formula asks: six rows, with columns in their place that are wrong, and a formula."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]

SIX = [1.0, 2, 3, 4, 5, 6]
DAYS = [datetime.date(2020, 1, day) for day in range(1, 7)]
LINE = [1.0, 2, 3, 4, 1, 2, 3, 5]
NOISE = [0.3, -0.2, 0.5, -0.7, 0.1, 0.4, -0.3, 0.2, -0.1, 0.6, -0.4, 0.05]

ROWS: dict[str, Any] = {
    "y": [1.0, 2.0, 4.0, 3.0, 5.0, 9.0],
    "x": [1.0, -2.0, 3.0, 0.0, 5.0, 6.0],
    "arm": ["a", "b", "c", "a", "b", "c"],
    "school": ["A", "B", "A", "B", "A", "B"],
    "flag": [True, False, False, True, True, False],
    "y2": SIX,
}

VALUES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("y ~ x", {"y": [None] * 6}),
    ("y ~ x", {"x": [np.nan] * 6}),
    ("y ~ x | school", {"school": [None] * 6}),
    ("y ~ x + arm", {"x": [1, 2, None, None, None, 1], "arm": [None, None, "a", "b", "a", None]}),
    ("y ~ x, missing(error)", {"x": [1, 2, None, 1, 2, 3]}),
    ("y ~ x", {"x": [1, np.inf, 2, -np.inf, 3, 4]}),
    ("y ~ 1, se(x)", {"x": [1, np.inf, 2, 1, 3, 4]}),
    ("y ~ 1, se(x)", {"x": [1, 0, None, -2, 3, 4]}),
    ("y ~ 1, se(arm)", {}),
    ("y ~ x", {"y": [1, np.inf, 2, 3, 3, 4]}),
    ("y ~ log(x)", {}),
    ("log(y) ~ x", {"y": [0, 1, 2, 3, 4, 5]}),
    ("y ~ sqrt(x)", {}),
    ("y ~ exp(x)", {"x": [1, 2, 3, 4, 5, 1000]}),
    ("y ~ I(y2 / x)", {}),
    ("y ~ I(1 / (1 / x))", {}),
    ("y ~ I(x^0.5)", {}),
    ("y ~ standardize(x)", {"x": [3] * 6}),
    ("standardize(y, by=arm) ~ x", {"arm": ["a", "b", "b", "b", "c", "c"]}),
    ("y ~ standardize(x, by=school)", {"x": [1, 2, 1, 3, 1, 4]}),
    ("y ~ center(x, by=school)", {"school": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]}),
    ("y ~ x", {"x": [3.0] * 6}),
    ("y ~ x + z", {"x": [3, 3, 3, 3, 3, 4], "z": [*SIX[:5], None]}),
    ("y ~ 0 + x + common(1) | school", {"x": [3.0] * 6}),
    ("y ~ flag", {"flag": [True] * 6}),
    ("y ~ I(2)", {}),
    ("y ~ 0 + x", {"x": [0.0] * 6}),
    ("y ~ arm", {"arm": ["a"] * 6}),
    ("y ~ x*arm", {"arm": ["a"] * 6}),
    ("y ~ x", {"y": [3.0] * 6}),
    ("y ~ 1", {"y": [1.0, *[None] * 5]}),
    ("arm ~ x", {}),
    ("y ~ x", {"y": DAYS}),
    ("y ~ x", {"x": np.array(DAYS, dtype="datetime64[D]")}),
    ("y ~ x | school", {"school": pl.Series(DAYS)}),
    ("y ~ x", {"x": pl.Series([[1]] * 6)}),
    ("y ~ x", {"x": pa.chunked_array([[{"a": 1}] * 6])}),
    ("y ~ x", {"x": np.array(SIX) * 1j}),
    ("y ~ x", {"x": np.array([b"a", b"b"] * 3)}),
    ("y ~ arm", {"arm": ["a", 1, "b", 2, "a", 3]}),
    ("y ~ arm", {"arm": [object()] * 6}),
    ("y ~ x | school", {"school": np.array(SIX) + 0.5}),
    ("y ~ C(x)", {"x": np.array(SIX) / 7}),
    (
        "y ~ x | school/arm",
        {"school": ["a/b", "a", "a", "b", "b", "b"], "arm": ["c", "b/c", "c", "c", "d", "e"]},
    ),
    ("y ~ arm", {"arm": pd.Series(pd.Categorical([1, "1", 2, 1, "1", 2]))}),
    ("y ~ arm", {"arm": ["\u00f6", "o\u0308"] * 3}),
    ("y ~ x, weights(w)", {"w": [1, -1, 2, -2, 1, 1]}),
    ("y ~ x, weights(w)", {"w": [0] * 6}),
    ("y ~ x, weights(w)", {"w": [np.nan] * 6}),
    ("y ~ x, weights(arm)", {}),
    ("y ~ x, weights(w)", {"w": [0.1] * 6}),
    ("y ~ x, weights(w)", {"w": [1, 2, 3, np.inf, 1, 1]}),
    ("y ~ x | school, hierarchy(x)", {"school": ["A"] * 6}),
    ("y ~ x", {"x": [1, 2]}),
    ("y ~ x", {"x": np.zeros((6, 2))}),
    ("y ~ x", {"x": "abcdef"}),
    ("y ~ x", {"\u00f6": SIX, "o\u0308": SIX}),
    ("y ~ x | school, joint(scale=sd)", {"school": [*"AAAAAB"]}),
    ("y ~ x | school, joint(scale=sd)", {"y": [1, 2, 2, 2, 3, 2]}),
    ("y ~ x | school, joint(weights=precision)", {"x": [2.0, 3, 2, 3, 2, 3]}),
)

FRAMES: dict[str, Any] = {
    "None": None,
    "a path": "data.csv",
    "an array": np.zeros((3, 2)),
    "a list of rows": [{"y": 1, "x": 2}],
    "a column": pd.Series([1, 2]),
    "an object": object(),
    "no rows": pd.DataFrame({"y": [], "x": []}),
    "no rows, polars": pl.DataFrame({"y": [], "x": []}),
    "no columns": pd.DataFrame(),
    "an empty dict": {},
    "two columns of one name": pd.DataFrame([[1, 2, 3]], columns=["y", "x", "x"]),
    "two columns of one name, arrow": pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["y", "y"]),
    "text that was numbers": {"y": list(range(30)), "x": [str(20 + i) for i in range(29)] + ["."]},
}
"""What is no data frame, or no good one, for ``y ~ x``."""


def groups(*sizes: int, **columns: Any) -> pd.DataFrame:
    """Return groups A, B, ... of these sizes, with a response that no regression fits perfectly unless it is given."""
    n = sum(sizes)
    row = np.arange(n) * 1.0
    base = {"y": np.array(NOISE[:n]) + row**2 / 7, "x": row % 5, "z": row % 3}
    return pd.DataFrame(base | columns | {"g": np.repeat(list("ABCD")[: len(sizes)], sizes)})


LACKING = groups(4, 4, x=[1.0, 2, 3, 4, 2, 2, 2, 2])
NEVER = groups(4, 4, x=[3.0] * 4 + [2.0] * 4)
PERFECT = groups(4, 4, x=LINE, y=2 + 3 * np.array(LINE))
FEW = groups(2, 2, x=[1.0, 2, 1, 2])
FIVE = groups(3, 2, x=[1.0, 2, 4, 1, 2])
SMALL = groups(2, 5, x=[1.0, 2, 1, 2, 3, 4, 5])
EQUAL = groups(2, 4, y=[5.0, 5, 1, 2, 4, 3])

IMPROPER: tuple[tuple[str, pd.DataFrame, str | None], ...] = (
    ("y ~ x | g", LACKING, "flat"),
    ("y ~ arm | g", groups(6, 6, arm=list("abcabc") + list("ababab")), "flat"),
    ("y ~ x | g, prior(x ~ flat(), Intercept ~ flat())", LACKING, None),
    ("y ~ x | g, hierarchy(x)", NEVER, "flat"),
    ("y ~ x + twice", groups(5, 6, twice=np.arange(11) % 5 * 2.0), "flat"),
    ("y ~ x + common(size) | g", groups(5, 6, size=[30.0] * 5 + [20.0] * 6), "flat"),
    ("y ~ x | g", groups(2, 2, 4, x=[1.0, 1, 2, 2, 1, 2, 3, 4]), "flat"),
    ("y ~ x | g", FEW, "flat"),
    ("y ~ x | g, hierarchy()", FEW, "flat"),
    ("y ~ x | g, prior(x ~ normal(0, 1), Intercept ~ normal(0, 1))", FEW, "flat"),
    ("y ~ x | g, weights(w)", FEW.assign(w=[1, 1, 1, 2]), "flat"),
    ("y ~ x | g, prior(sigma ~ flat())", FIVE, None),
    ("y ~ x | g, sigma ~ 1 | g", SMALL, "flat"),
    ("y ~ x + common(z) | g, sigma ~ 1 | g", groups(3, 6, z=[1.0, 3, 2, 5, 4, 1, 2, 8, 3]), "flat"),
    ("y ~ x | g, sigma ~ 1 | h", groups(6, 6, h=["u"] * 2 + ["v"] * 10), "flat"),
    ("y ~ x | g", PERFECT, None),
    ("y ~ x | g", PERFECT, "flat"),
    ("y ~ x | g, family(student)", PERFECT, None),
    ("y ~ x | g, hierarchy()", PERFECT, None),
    ("y ~ x | g, prior(sigma ~ half_cauchy(1))", PERFECT, None),
    ("y ~ x | g, prior(sigma ~ gamma(4, 2))", PERFECT, None),
    ("y ~ 1 | g, sigma ~ 1 | g", EQUAL, None),
    ("y ~ 1 | g, sigma ~ 1 | g, hierarchy(sigma)", EQUAL, None),
    ("y ~ z + common(x) | g, prior(x ~ constant(3))", PERFECT, None),
    ("y ~ x | g, se(s)", groups(1, 1, 1, s=[1.0, 2, 3]), "flat"),
    ("y ~ 1 | g", groups(1, 1, 1), "flat"),
)
"""Posteriors that do not exist: formula, data and priors."""
