"""The same columns as patsy, and the same column space as formulaic, on a table of formulas."""

from __future__ import annotations

import re

import formulaic
import numpy as np
import pandas as pd
import patsy
import pytest

from formulajoint.arrays import FloatArray
from formulajoint.design.bind import bind
from formulajoint.spec.read import parse

CELLS = np.array([(a, b, c) for a in range(2) for b in range(3) for c in range(3)] * 4)  # no cell is empty
ROWS = len(CELLS)
RANDOM = np.random.default_rng(20)
FRAME = pd.DataFrame(
    {
        "y": RANDOM.normal(size=ROWS),
        "x": RANDOM.normal(size=ROWS),
        "z": RANDOM.normal(size=ROWS) + 2,
        "a": np.array(["a1", "a2"])[CELLS[:, 0]],
        "b": np.array(["b1", "b2", "b3"])[CELLS[:, 1]],
        "c": pd.Categorical.from_codes(CELLS[:, 2], categories=["lo", "mid", "hi"]),
        "flag": RANDOM.random(ROWS) > 0.5,
        "k": RANDOM.integers(1, 5, ROWS),
    }
)

FORMULAS = """
    1
    x
    x + z
    x - 1
    a
    0 + a
    a + b
    0 + a + b
    b + a - 1
    c
    0 + c + x
    x*a
    0 + x*a
    a:x
    0 + a:x
    x + a:x
    0 + x + a:x
    a*b
    0 + a*b
    a:b
    0 + a:b
    a + a:b
    0 + a + a:b
    b + a:b
    0 + b + a:b
    a/b
    0 + a/b
    (a + b)/c
    a*b*c
    0 + a*b*c
    a:b:c
    0 + a:b:c
    a + a:b:c
    a*b + a:b:c
    a:b + b:c
    0 + a:b + b:c
    a + b:c
    (a + b + c)**2
    (a + b + x)**2 - a:b
    a*b - a
    0 + a*b - b
    x:z + a:x:z
    x*z*a
    a:x + b:x
    0 + a:x + b:x + a:b
    a:b:x + x
    flag
    0 + flag
    x*flag
    flag:x
    0 + flag:x
    flag:a
    flag*a
    0 + flag*b
    a + C(k)
    0 + C(k):a
    C(b, ref=b2)
    C(b, ref=b3)*a
    C(b, coding=sum)
    a*C(b, coding=sum)
    C(k, coding=helmert)
    x*C(b, coding=helmert)
    C(c, coding=poly)
    C(k, coding=poly):x + x
    log(z + 3) + x:a
    center(x)*a
    standardize(z)
    I(x * z) + I(x / 2)
    I(x > 0) + z
""".strip().splitlines()
FORMULAS = [line.strip() for line in FORMULAS]

PATSY = {
    r"C\((\w+), ref=(\w+)\)": r"C(\1, Treatment('\2'))",
    r"C\((\w+), coding=(\w)(\w+)\)": lambda m: f"C({m[1]}, {m[2].upper()}{m[3]})",
    r"log\(": "np.log(",
    r"standardize\((\w+)\)": r"standardize(\1, ddof=1)",
}


def ours(formula: str) -> FloatArray:
    return np.hstack([term.columns for term in bind(parse(f"y ~ {formula}"), FRAME).predictor.terms])


def in_order(columns: FloatArray) -> FloatArray:
    """Return the columns sorted, so that two sets of columns can be compared."""
    rounded = np.round(columns, 9) + 0.0
    return rounded[:, np.lexsort(rounded)]


def of_patsy(formula: str) -> FloatArray:
    for pattern, replacement in PATSY.items():
        formula = re.sub(pattern, replacement, formula)
    return np.asarray(patsy.dmatrix(formula, FRAME))


def assert_same_space(mine: FloatArray, theirs: FloatArray) -> None:
    rank = np.linalg.matrix_rank(theirs)
    assert mine.shape[1] == np.linalg.matrix_rank(mine) == rank
    assert np.linalg.matrix_rank(np.hstack([mine, theirs])) == rank


@pytest.mark.parametrize("formula", FORMULAS)
def test_same_columns_as_patsy(formula: str) -> None:
    np.testing.assert_allclose(in_order(ours(formula)), in_order(of_patsy(formula)), atol=1e-8)


@pytest.mark.parametrize(
    "formula", ["a:C(b, coding=sum)", "0 + C(b, coding=helmert)", "0 + a + C(k, coding=poly):x"]
)
def test_same_column_space_as_patsy_where_a_coding_is_in_full(formula: str) -> None:
    assert_same_space(ours(formula), of_patsy(formula))


@pytest.mark.parametrize(
    "formula", [f for f in FORMULAS if not re.search(r"coding|ref=|standard|center|log|I\(", f)]
)
def test_same_column_space_as_formulaic(formula: str) -> None:
    frame = FRAME.assign(
        flag=FRAME["flag"].astype(str)
    )  # to formulaic a boolean is a number, to R and patsy a factor
    assert_same_space(ours(formula), np.asarray(formulaic.model_matrix(formula, frame), dtype=float))


def test_the_table_is_long_enough() -> None:
    assert len(set(FORMULAS)) >= 60


def test_a_different_coding_is_seen() -> None:
    theirs = np.asarray(patsy.dmatrix("C(b, Treatment('b2'))", FRAME))
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(in_order(ours("b")), in_order(theirs), atol=1e-8)


def test_a_boolean_coded_by_one_column_has_no_axis() -> None:
    alone, full = (bind(parse(f"y ~ {terms}"), FRAME).predictor.terms[-1] for terms in ("flag", "0 + flag"))
    assert alone.factors == ()
    assert [(f.name, f.labels) for f in full.factors] == [("flag", ("False", "True"))]
