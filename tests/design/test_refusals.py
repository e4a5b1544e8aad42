"""Formulas that do not fit the data, and data that do not fit the formula: what is said, and where it points."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from formulajoint.design.bind import bind
from formulajoint.errors import DataError, FormulaError
from formulajoint.spec.read import parse

FRAME: dict[str, Any] = {
    "y": [1.0, 2.0, 4.0, 3.0, 5.0, 9.0],
    "x": [1.0, -2.0, 3.0, 0.0, 5.0, 6.0],
    "treatment": [0.0, 1.0, 0.0, 1.0, 1.0, 0.0],
    "arm": ["a", "b", "c", "a", "b", "c"],
    "school": ["A", "B", "A", "B", "A", "B"],
    "flag": [True, False, False, True, True, False],
}

# The culprit is marked; the message, then the hint.
FORMULAS = {
    # unknown names
    "y ~ «tretment» | school": "the data have no column `tretment` / did you mean `treatment`?",
    "y ~ «q» | school": "no column `q` / the columns are `y`, `x`, `treatment`, `arm`, `school`, `flag`",
    "«score» ~ x": "no column `score`",
    "y ~ x | «schol»": "no column `schol` / did you mean `school`?",
    "y ~ x | school/«klass»": "no column `klass`",
    "y ~ log(«X2»)": "no column `X2`",
    "y ~ I(x + «trt» * 2)": "no column `trt`",
    "y ~ C(«arms», ref=a)": "no column `arms` / did you mean `arm`?",
    "y ~ x + «log»": "no column `log` / `log` is a function of columns: write `log(x)`",
    "y ~ x + «joint»": "no column `joint` / `joint` is a clause and stands after a comma",
    "y ~ x, sigma ~ «treatmant»": "no column `treatmant` / did you mean `treatment`?",
    "y ~ x, weights(«wt»)": "no column `wt`",
    "y ~ x | school, joint(x, weights=«size»)": "no column `size`",
    "y ~ x | school, joint(x, weights=«precison»)": "no column `precison` / did you mean `precision`?",
    "y ~ x | school, joint(x, weights=sum(«treat»))": "no column `treat`",
    "y ~ «x.mean»": "no column `x.mean`",
    "y ~ «`School`»": "no column `School` / did you mean `school`?",
    # algebra
    "y ~ x - «arm»": "there is no term `arm` before this to remove",
    "y ~ -«x» + x": "there is no term `x` before this to remove",
    "y ~ arm + treatment - «treatment:arm»": "no term `treatment:arm`",
    "y ~ x*«x»": "a term times itself is the term: this is just `x` / write `I(x^2)` for the square",
    "y ~ arm:«arm»": "this is just `arm`",
    "y ~ x + «x^2»": "this is just `x` / write `I(x^2)`",
    "y ~ «(x)^3»": "this is just `x`",
    "y ~ x + common(«arm»)": "shares coefficients between groups, and there are no groups / write `| group`",
    "y ~ x + common(«x») | school": "`x` is both per group and common / leave one of them out",
    "y ~ arm:x + common(«x:arm») | school": "`x:arm` is both per group and common",
    "y ~ x + common(«1») | school": "the intercept is both per group and common / add `+ 0`",
    "y ~ x + «common(0 + arm)» | school": "`0` or `-1` inside `common(...)` / write it outside",
    "y ~ «0»": "no predictor is left",
    "y ~ x, sigma ~ «0»": "no predictor is left",
    "y ~ «.» + x + treatment + arm + school + flag": "`.` means every column that the formula does not name",
    # meaning
    "y ~ x + «y»": "`y` is the response",
    "log(y) ~ x:«y»": "`y` is the response",
    "y ~ x | «y»": "`y` is the response",
    "y ~ x + offset(«y»)": "`y` is the response",
    "y ~ x, sigma ~ «y»": "`y` is the response",
    "«I(y - x)» ~ arm": "the response is made of 2 columns / add a column for it to the data",
    "y ~ x + «school» | school": "`school` makes the groups / leave it out",
    "y ~ «x:school» | school": "`school` makes the groups",
    "y ~ x, sigma ~ «arm» | arm": "`arm` makes the groups",
    "y ~ log(«arm»)": "arithmetic needs numbers, but column `arm` holds text or categories / compare it",
    "y ~ I(x + «school»)": "arithmetic needs numbers, but column `school`",
    "y ~ offset(«arm»)": "arithmetic needs numbers",
    "y ~ C(arm, ref=«d»)": "`arm` has no level `d` / the levels are `a`, `b`, `c`",
    'y ~ C(school, ref=«"AA"»)': "`school` has no level `AA` / did you mean `A`?",
    "y ~ C(arm, ref=«b», coding=sum)": "the coding `sum` has no reference level",
    'y ~ I(arm == «"d"»)': "`arm` has no level `d`",
    'y ~ I(«arm > "a"»)': "levels have no order here / use `==` or `!=`",
    'y ~ I(x == «"1"»)': "`x` holds numbers, and cannot be compared with a text / write `x == 1`, without quotes",
    "y ~ «C(arm):arm»": "`arm` appears twice in `C(arm):arm`",
    "y ~ x | school, se(«sd»)": "the data have no column `sd`",
    "y ~ x | school, joint(x, weights=«arm»)": "weights are numbers, but column `arm` holds text",
    "y ~ x, «mu ~ treatment»": "`mu` is the parameter of the formula's own predictors / after the first `~`",
    # not available yet
    "y ~ «bs(x, df=2)»": "a spline of degree 3 has at least 3 columns, not 2 / `df=3` or more",
    "y ~ arm*«bs(x, df=4, degree=5)»": "a spline of degree 5 has at least 5 columns",
    "«prop(treatment, flag)» ~ x": "counts successes, but the family is gaussian / write `family(binomial)`",
    "y ~ x, family(gaussian, link=«log»)": "the family `gaussian` has no link `log` / the link is identity",
    "y ~ x, family(poisson, link=«probit»)": "has no link `probit` / it takes `log`, `identity`, `sqrt`",
}


@pytest.mark.parametrize("marked", FORMULAS)
def test_formula_errors_point(marked: str) -> None:
    text = marked.replace("«", "").replace("»", "")
    with pytest.raises(FormulaError) as error:
        bind(parse(text), FRAME)
    message, _, hint = FORMULAS[marked].partition(" / ")
    assert message in error.value.message
    assert hint in error.value.hint
    assert (error.value.span.start, error.value.span.end) == (marked.index("«"), marked.index("»") - 1)
    caret = str(error.value).split("\n")[3]
    assert caret == " " * (4 + marked.index("«")) + "^" * (marked.index("»") - marked.index("«") - 1)


def test_what_is_available_is_not_refused() -> None:
    text = "y ~ x + C(arm, coding=poly) | school, family(student, link=identity), joint(x), rms(x), spread(x)"
    assert bind(parse(text), FRAME).predictor.grouping is not None


DAYS = [datetime.date(2020, 1, day) for day in range(1, 7)]
SIX = [1.0, 2, 3, 4, 5, 6]

# What replaces a column of the frame, a formula, and what is said.
VALUES: dict[str, tuple[dict[str, Any], str, str]] = {
    "missing response": ({"y": [None] * 6}, "y ~ x", "Column `y` has no values: all 6 are missing"),
    "missing predictor": ({"x": [np.nan] * 6}, "y ~ x", "Column `x` has no values: all 6 are missing"),
    "missing group": ({"school": [None] * 6}, "y ~ x | school", "Column `school` has no values"),
    "no row is complete": (
        {"x": [1, 2, None, None, None, 1], "arm": [None, None, "a", "b", "a", None]},
        "y ~ x + arm",
        "No row is left: every row has a missing value. Missing: `x` in 3 of 6 rows, `arm` in 3 of 6 rows.",
    ),
    "missing refused": ({"x": [1, 2, None, 1, 2, 3]}, "y ~ x, missing(error)", "`x` in 1 of 6 rows"),
    "infinite predictor": (
        {"x": [1, np.inf, 2, -np.inf, 3, 4]},
        "y ~ x",
        "Column `x` is infinite in 2 of 6 rows",
    ),
    "infinite standard error": (
        {"x": [1, np.inf, 2, 1, 3, 4]},
        "y ~ 1, se(x)",
        "Column `x` is infinite in 1 of 6 rows",
    ),
    "standard errors not above zero": (
        {"x": [1, 0, None, -2, 3, 4]},
        "y ~ 1, se(x)",
        "Column `x` gives the standard errors, but is not above zero in 2 of 5 rows. Correct these rows",
    ),
    "standard errors of text": (
        {},
        "y ~ 1, se(arm)",
        "Column `arm` gives the standard errors, but holds text",
    ),
    "infinite response": ({"y": [1, np.inf, 2, 3, 3, 4]}, "y ~ x", "Column `y` is infinite in 1 of 6 rows"),
    "log of a negative number": ({}, "y ~ log(x)", "`log(x)` is not a finite number in 2 of the 6 rows used"),
    "log of the response": (
        {"y": [0, 1, 2, 3, 4, 5]},
        "log(y) ~ x",
        "`log(y)` is not a finite number in 1 of the 6",
    ),
    "root of a negative number": (
        {},
        "y ~ sqrt(x)",
        "`sqrt(x)` is not a finite number in 1 of the 6 rows used. It takes",
    ),
    "exp of a large number": (
        {"x": [1, 2, 3, 4, 5, 1000]},
        "y ~ exp(x)",
        "`exp(x)` is not a finite number in 1 of the 6",
    ),
    "division by zero": (
        {},
        "y ~ I(y2 / x)",
        "`y2 / x` is not a finite number in 1 of the 6 rows used. Look for a division",
    ),
    "division inside": ({}, "y ~ I(1 / (1 / x))", "`1 / x` is not a finite number in 1"),
    "root by power": ({}, "y ~ I(x^0.5)", "`x^0.5` is not a finite number in 1"),
    "standardize a constant": (
        {"x": [3] * 6},
        "y ~ standardize(x)",
        "`standardize(x)` is not a finite number in 6",
    ),
    "constant predictor": ({"x": [3.0] * 6}, "y ~ x", "`x` is 3 in all 6 rows used"),
    "constant after dropping": (
        {"x": [3, 3, 3, 3, 3, 4], "z": [*SIX[:5], None]},
        "y ~ x + z",
        "`x` is 3 in all 5 rows",
    ),
    "constant per group and common intercept": (
        {"x": [3.0] * 6},
        "y ~ 0 + x + common(1) | school",
        "`x` is 3 in all",
    ),
    "constant boolean": (
        {"flag": [True] * 6},
        "y ~ flag",
        "Column `flag` has one level (True) in all 6 rows used",
    ),
    "constant number": ({}, "y ~ I(2)", "`I(2)` is 2 in all 6 rows"),
    "zeros without intercept": ({"x": [0.0] * 6}, "y ~ 0 + x", "`x` is 0 in all 6 rows used"),
    "a product of zeros": (
        {"z": [0.0] * 6},
        "y ~ x:z",
        "`x:z` is 0 in all 6 rows used, so it has no coefficient",
    ),
    "a factor's product of zeros": ({}, "y ~ arm:I(x > 9)", "`arm:I(x > 9)` is 0 in all 6 rows used"),
    "one level": ({"arm": ["a"] * 6}, "y ~ arm", "Column `arm` has one level (a) in all 6 rows used"),
    "one level in an interaction": (
        {"arm": ["a"] * 6},
        "y ~ x*arm",
        "Column `arm` has one level (a) in all 6",
    ),
    "constant response": (
        {"y": [3.0] * 6},
        "y ~ x",
        "The response `y` is 3 in all 6 rows used: it does not vary",
    ),
    "one row": ({"y": [1.0, *[None] * 5]}, "y ~ 1", "The response `y` is 1 in the only row used"),
    "response of text": (
        {},
        "arm ~ x",
        "Column `arm` is the response, but holds text or categories in its 6 rows",
    ),
    "response of dates": ({"y": DAYS}, "y ~ x", "Column `y` holds dates or times (date)"),
    "predictor of dates": (
        {"x": pd.Series(pd.to_datetime(DAYS))},
        "y ~ x",
        "Column `x` holds dates or times (Datetime)",
    ),
    "numpy dates": (
        {"x": np.array(DAYS, dtype="datetime64[D]")},
        "y ~ x",
        "make it a number, such as the days since",
    ),
    "group of dates": ({"school": pl.Series(DAYS)}, "y ~ x | school", "for groups make it text"),
    "predictor of lists": (
        {"x": pl.Series([[1]] * 6)},
        "y ~ x",
        "Column `x` holds values of type List(Int64)",
    ),
    "predictor of structs": (
        {"x": pa.chunked_array([[{"a": 1}] * 6])},
        "y ~ x",
        "Column `x` holds values of type Struct",
    ),
    "complex numbers": ({"x": np.array(SIX) * 1j}, "y ~ x", "Column `x` holds values of type complex128"),
    "bytes": ({"x": np.array([b"a", b"b"] * 3)}, "y ~ x", "Column `x` holds values of type |S1"),
    "mixture": (
        {"arm": ["a", 1, "b", 2, "a", 3]},
        "y ~ arm",
        "Column `arm` is a mixture: text in 3 and integer in 3 rows",
    ),
    "objects": ({"arm": [object()] * 6}, "y ~ arm", "Column `arm` holds values of type object"),
    "continuous group": (
        {"school": np.array(SIX) + 0.5},
        "y ~ x | school",
        "Column `school` looks continuous: 6 distinct values in 6",
    ),
    "continuous factor": ({"x": np.array(SIX) / 7}, "y ~ C(x)", "Column `x` looks continuous"),
    "groups that read alike": (
        {"school": ["a/b", "a", "a", "b", "b", "b"], "arm": ["c", "b/c", "c", "c", "d", "e"]},
        "y ~ x | school/arm",
        "Different groups of `school` and `arm` have one name: `a/b/c`",
    ),
    "cells that read alike": (
        {"school": ["1", "1:2", "1", "1:2", "0", "0"], "arm": ["2:3", "3", "2:3", "3", "2:3", "3"]},
        "y ~ school:arm",
        "Different cells of `school` and `arm` have one name: `1:2:3`",
    ),
    "levels that read alike": (
        {"arm": pd.Series(pd.Categorical([1, "1", 2, 1, "1", 2]))},
        "y ~ arm",
        "Column `arm` has different values that read alike: `1`",
    ),
    "levels in two unicode forms": (
        {"arm": ["\u00f6", "o\u0308"] * 3},
        "y ~ arm",
        "different values that read alike: `\u00f6`",
    ),
    "negative weights": (
        {"w": [1, -1, 2, -2, 1, 1]},
        "y ~ x, weights(w)",
        "`w` gives the row weights, but is negative in 2 of 6 rows",
    ),
    "weights of zero": (
        {"w": [0] * 6},
        "y ~ x, weights(w)",
        "`w` gives the row weights, but is zero in all 6 rows",
    ),
    "missing weights": ({"w": [np.nan] * 6}, "y ~ x, weights(w)", "Column `w` has no values"),
    "weights of text": ({}, "y ~ x, weights(arm)", "Column `arm` gives the row weights, but holds text"),
    "small weights": (
        {"w": [0.1] * 6},
        "y ~ x, weights(w)",
        "sum to 0.6 over 6 rows, which is at most one row",
    ),
    "infinite weights": (
        {"w": [1, 2, 3, np.inf, 1, 1]},
        "y ~ x, weights(w)",
        "Column `w` is infinite in 1 of 6 rows",
    ),
    "one group under a hierarchy": (
        {"school": ["A"] * 6},
        "y ~ x | school, hierarchy(x)",
        "`hierarchy` needs at least two groups, but `school` has one (A)",
    ),
    "columns of two lengths": ({"x": [1, 2]}, "y ~ x", "The columns differ in their number of rows: "),
    "a table as a column": (
        {"x": np.zeros((6, 2))},
        "y ~ x",
        "Column `x` is not a one-dimensional array or list",
    ),
    "a text as a column": ({"x": "abcdef"}, "y ~ x", "Column `x` is not a one-dimensional array or list"),
    "names in two unicode forms": (
        {"\u00f6": SIX, "o\u0308": SIX},
        "y ~ x",
        "More than one column is named `\u00f6`",
    ),
}


@pytest.mark.parametrize("case", VALUES)
def test_data_errors_name_column_and_rows(case: str) -> None:
    columns, formula, message = VALUES[case]
    with pytest.raises(DataError) as error:
        bind(parse(formula), FRAME | {"y2": SIX} | columns)
    assert message in str(error.value)


FRAMES: dict[str, tuple[Any, str]] = {
    "nothing": (None, "`data` must be a data frame, not a NoneType."),
    "a path": ("data.csv", "`data` must be a data frame, not a str. Give a pandas or Polars DataFrame"),
    "an array": (np.zeros((3, 2)), "`data` must be a data frame, not a ndarray."),
    "rows": ([{"y": 1, "x": 2}], "`data` must be a data frame, not a list."),
    "paths": (
        ["1.csv", Path("2.csv")],
        "`data` must be a data frame, not a list. Give a pandas or Polars DataFrame, a PyArrow Table, or a dict of "
        'arrays. Several files go by a pattern: "data/*.parquet".',
    ),
    "a column": (pd.Series([1, 2]), "`data` must be a data frame, not a Series."),
    "an object": (object(), "`data` must be a data frame, not an object."),
    "no rows": (pd.DataFrame({"y": [], "x": []}), "The data have no rows."),
    "no rows, polars": (pl.DataFrame({"y": [], "x": []}), "The data have no rows."),
    "no columns": (pd.DataFrame(), "The data have no columns."),
    "an empty dict": ({}, "The data have no columns."),
    "two columns of one name": (
        pd.DataFrame([[1, 2, 3]], columns=["y", "x", "x"]),
        "More than one column is named `x`.",
    ),
    "two columns of one name, arrow": (
        pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["y", "y"]),
        "More than one column is named `y`.",
    ),
}


@pytest.mark.parametrize("case", FRAMES)
def test_what_is_no_data_frame(case: str) -> None:
    data, message = FRAMES[case]
    with pytest.raises(DataError) as error:
        bind(parse("y ~ x"), data)
    assert str(error.value).startswith(message)


def test_a_term_too_large_for_memory_is_refused() -> None:
    rows = 30_000
    frame = {"y": np.arange(rows, dtype=float), "id": [f"s{i}" for i in range(rows)]}
    with pytest.raises(
        DataError, match="`id` has 29,999 levels, which in 30,000 rows is too many for memory"
    ):
        bind(parse("y ~ id"), frame)


def test_numbers_spoilt_by_one_text_are_no_factor() -> None:
    ages = [str(20 + i) for i in range(29)] + ["."]
    with pytest.raises(
        DataError, match=r"holds text, but 29 of its 30 values are numbers. Make `\.` a missing"
    ):
        bind(parse("y ~ age"), {"y": list(range(30)), "age": ages})
    classes = [f"class {i % 12}" for i in range(30)]  # many levels, and no numbers
    assert bind(parse("y ~ age"), {"y": list(range(30)), "age": classes}).predictor.terms[1].factors
