"""Draws from elsewhere: joint contrasts, families of contrasts and joint tests of arrays and of ArviZ's DataTree."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from xarray import DataArray, Dataset, DataTree

import formulajoint as fj
from goldens.writing import Record, table_lines

VALUES = np.random.default_rng(5).normal([20.0, 8.0, -1.0], 1.0, size=(2, 100, 3))
SLOPE = DataArray(
    VALUES.transpose(2, 0, 1),
    dims=("school", "chain", "draw"),
    coords={"school": ["A", "B", "C"]},
    name="slope",
)
ARMS = DataArray(
    np.random.default_rng(8).normal(np.array([[1.0, 2], [3, 4], [5, 6]]), 1.0, size=(2, 100, 3, 2)),
    dims=("chain", "draw", "school", "arm"),
    coords={"school": ["A", "B", "C"], "arm": ["low", "high"]},
    name="effect",
)
FAMILIES = ("pairwise", "reference", "sequential", "meandev", "meanotherdev", "helmert", "poly")
TEXTS = (
    "slope == 0",
    "slope == A",
    "A == B + 12",
    "A - 2*B == 4, slope[C] == -1",
    "A > B > 0",
    "(A + B) / 2 == slope[school=C]",
)


def bambi() -> DataTree:
    """Return draws as Bambi has them: a common slope, varying slopes, and slopes coded by a reference level."""
    base = DataArray(VALUES[..., 0], dims=("chain", "draw"))
    varying = (SLOPE - base).rename("x|school").rename(school="school__factor_dim")
    coded = SLOPE[1:].rename(school="x:school_dim")
    return DataTree.from_dict({"posterior": Dataset({"x": base, "x|school": varying, "x:school": coded})})


def of_arrays() -> Record:
    """Return what is said of an array, a labelled array and a data frame."""
    frame = pd.DataFrame(VALUES[0], columns=["A", "B", "C"])
    record = {
        "joint": table_lines(fj.joint(VALUES)),
        "joint by counts": table_lines(fj.joint(SLOPE, "n", n={"C": 2, "A": 4, "B": 6}, prob=0.8)),
        "joint by weights": table_lines(fj.joint(VALUES, [4, 6, 2], groups=["A", "B", "C"])),
        "joint of a data frame": table_lines(fj.joint(frame, {"A": 1, "B": 2, "C": 3})),
        "test": table_lines(fj.joint_test(VALUES)),
        "test of a null": table_lines(fj.joint_test(VALUES, null=[20, 8, 0], rope=2.0, at_least=2)),
        "test of labels": table_lines(
            fj.joint_test(SLOPE.assign_coords(school=[8, 9, 10]), "slope[8] == slope[9]")
        ),
    }
    record |= {f"test {text}": table_lines(fj.joint_test(SLOPE, text)) for text in TEXTS}
    return record | {f"family {name}": table_lines(fj.contrast_table(SLOPE, name)) for name in FAMILIES}


def of_dims() -> Record:
    """Return what is said of draws with several dims, and of groups known by numbers."""
    numbers: dict[str, Any] = {"groups": ["1", "10", "2"]}
    return {
        "all dims together": table_lines(fj.joint(ARMS)),
        "one dim": table_lines(fj.joint(ARMS, [1, 2, 3], dim="school")),
        "test of one dim": table_lines(fj.joint_test(ARMS, "A == B", dim="school")),
        "test of two dims": table_lines(fj.joint_test(ARMS, "effect[arm=low] == effect[arm=high]")),
        "family of one dim": table_lines(fj.contrast_table(ARMS, "sequential", dim="school")),
        "sequential by size": table_lines(fj.contrast_table(VALUES, "sequential", **numbers)),
        "poly by size": table_lines(fj.contrast_table(VALUES, "poly", degree=1, **numbers)),
        "reference": table_lines(fj.contrast_table(SLOPE, "reference", ref="B", prob=0.5)),
        "meandev": table_lines(fj.contrast_table(SLOPE, "meandev", n={"A": 4, "B": 6, "C": 2})),
        "meandev by weights": table_lines(fj.contrast_table(SLOPE, "meandev", weights=[1, 1, 2])),
    }


def of_bambi() -> Record:
    """Return what is said of a DataTree as Bambi returns it."""
    tree = bambi()
    varying: dict[str, Any] = {"variable": "x|school", "base": "x"}
    coded: dict[str, Any] = {"variable": "x:school", "base": "x", "reference": "A"}
    return {
        "varying slopes": table_lines(fj.joint(tree, [1, 2, 3], **varying)),
        "coded slopes": table_lines(fj.joint(tree, {"A": 4, "B": 6, "C": 2}, **coded)),
        "test of varying slopes": table_lines(fj.joint_test(tree, "A == B", **varying)),
        "test of coded slopes": table_lines(fj.joint_test(tree, "A == B == C", rope=1.0, **coded)),
        "families of coded slopes": table_lines(fj.contrast_table(tree, "pairwise", **coded)),
        "a node of the tree": table_lines(fj.joint(tree["posterior"], variable="x:school")),
        "a mapping": table_lines(fj.joint({"slope": VALUES, "sigma": VALUES[..., 0]}, variable="slope")),
    }
