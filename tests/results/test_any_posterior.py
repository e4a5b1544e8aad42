"""Joint contrasts and tests of draws that come from elsewhere."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from xarray import DataArray, Dataset, DataTree

import formulajoint as fj
from formulajoint.errors import DataError
from formulajoint.results.any_posterior import read_draws

CHAINS, DRAWS = 4, 2000
CENTRE = np.array([20.0, 8.0, -1.0])
VALUES = np.random.default_rng(5).normal(CENTRE, 1.0, size=(CHAINS, DRAWS, 3))
LABELLED = DataArray(
    VALUES.transpose(2, 0, 1),
    dims=("school", "chain", "draw"),
    coords={"school": ["A", "B", "C"]},
    name="slope",
)


@pytest.mark.parametrize(
    ("draws", "variable"),
    [
        (VALUES, None),
        (LABELLED, None),
        (Dataset({"slope": LABELLED, "sigma": LABELLED[0]}), "slope"),
        (DataTree.from_dict({"posterior": Dataset({"slope": LABELLED})}), "slope"),
    ],
    ids=["array", "DataArray", "Dataset", "DataTree"],
)
def test_the_same_draws_give_the_same_tables_in_every_form(draws, variable) -> None:
    pd.testing.assert_frame_equal(fj.joint(draws, [4, 6, 2], variable), fj.joint(VALUES, [4, 6, 2]))
    figures = fj.joint_test(draws, variable=variable).reset_index(drop=True)
    pd.testing.assert_frame_equal(figures, fj.joint_test(VALUES).reset_index(drop=True))


def test_joint_is_the_weighted_mean_of_each_draw() -> None:
    weights = np.array([4, 6, 2]) / 12
    table = fj.joint(VALUES, [4, 6, 2])
    by_draw = VALUES @ weights
    assert table.loc["joint", "mean"] == pytest.approx(by_draw.mean(), rel=1e-12)
    assert table.loc["joint", "sd"] == pytest.approx(by_draw.std(ddof=1), rel=1e-12)
    assert table.loc["rms", "mean"] == pytest.approx(np.sqrt(VALUES**2 @ weights).mean(), rel=1e-12)
    variance = (VALUES - by_draw[..., None]) ** 2 @ weights
    assert table.loc["spread", "mean"] == pytest.approx(np.sqrt(variance).mean(), rel=1e-12)


def test_weights_go_by_name_and_default_to_equal() -> None:
    by_name = fj.joint(LABELLED, {"C": 2, "A": 4, "B": 6})
    pd.testing.assert_frame_equal(by_name, fj.joint(VALUES, [4, 6, 2]))
    assert fj.joint(VALUES).loc["joint", "mean"] == pytest.approx(VALUES.mean(), rel=1e-12)


def test_the_contour_of_normal_draws_is_the_chi_square_tail() -> None:
    null = CENTRE + np.array([1.0, -1.0, 0.5])
    row = fj.joint_test(VALUES, null=null, rope=2.0).iloc[0]
    assert row["rank"] == 3
    assert abs(row["contour"] - stats.chi2.sf(2.25, 3)) < 4 * row["contour_mcse"] + 0.01
    inside = stats.norm.cdf(2, [-1, 1, -0.5]) - stats.norm.cdf(-2, [-1, 1, -0.5])
    assert row["p_in_rope"] == pytest.approx(np.prod(inside), abs=0.03)
    assert row["p_all_positive"] == pytest.approx(np.prod(stats.norm.sf([1, -1, 0.5])), abs=0.02)


def test_one_chain_may_come_without_its_dim() -> None:
    flat = VALUES.reshape((-1, 3))
    assert read_draws(flat)[0].shape == (1, CHAINS * DRAWS, 3)
    assert fj.joint_test(flat, null=CENTRE)["contour"].iloc[0] > 0.01


TREE = DataTree.from_dict({"prior": Dataset({"slope": LABELLED})})
BAD = {
    "one dimension": (lambda: fj.joint(VALUES[0, :, 0]), "is (chain, draw, group) or (draw, group), not of shape (2000,)"),
    "no groups": (lambda: fj.joint(LABELLED[0]), "no dim beside chain and draw"),
    "no chain": (lambda: fj.joint(LABELLED[:, 0]), "no dim `chain`"),
    "no posterior": (lambda: fj.joint(TREE, variable="slope"), "no group `posterior`; it has `prior`"),
    "no variable": (lambda: fj.joint(Dataset({"slope": LABELLED})), "Say which variable: variable=..., one of `slope`"),
    "misspelt": (lambda: fj.joint(Dataset({"slope": LABELLED}), variable="slpoe"), "did you mean `slope`?"),
    "missing": (lambda: fj.joint(np.where(VALUES > 22, np.nan, VALUES)), "draws are missing or infinite"),
    "few weights": (lambda: fj.joint(VALUES, [1, 2]), "There are 3 groups, and weights of shape (2,)"),
    "unknown group": (lambda: fj.joint(LABELLED, {"A": 1, "B": 2, "D": 3}), "differ in `C`, `D`"),
    "negative": (lambda: fj.joint(VALUES, [1, -2, 3]), "zero or more, and not all zero"),
    "all zero": (lambda: fj.joint(VALUES, [0, 0, 0]), "zero or more, and not all zero"),
    "few draws": (lambda: fj.joint_test(VALUES[:1, :6]), "6 draws are too few for 3 quantities"),
    "null": (lambda: fj.joint_test(VALUES, null=[1, 2]), "`null` must be a number, or 3 of them"),
    "rope": (lambda: fj.joint_test(VALUES, rope=0), "`rope` must be above zero, not 0"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_answered_is_refused_in_words(case: str) -> None:
    call, message = BAD[case]
    with pytest.raises(DataError, match=re.escape(message)):
        call()
