"""Columns of every make read as numbers and levels; the same design whatever the frame."""

from __future__ import annotations

import unicodedata
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formulajoint.design.bind import bind
from formulajoint.design.frame import levels, numbers, read_frame
from formulajoint.spec.read import parse

NUMBERS: dict[str, Any] = {
    "pandas int": pd.Series([3, 1, 2]),
    "pandas Int64": pd.Series([3, None, 2], dtype="Int64"),
    "pandas UInt8": pd.Series([3, 1, 2], dtype="uint8"),
    "pandas float": pd.Series([3.5, np.nan, 2]),
    "pandas Float64": pd.Series([3.5, None, 2], dtype="Float64"),
    "pandas boolean": pd.Series([True, None, False], dtype="boolean"),
    "pandas bool": pd.Series([True, True, False]),
    "pandas objects, bool": pd.Series([True, None, False], dtype=object),
    "pandas objects, decimal": pd.Series([Decimal("3.5"), None, Decimal(2)], dtype=object),
    "pandas objects, int": pd.Series([3, None, 2], dtype=object),
    "pandas objects, int and float": pd.Series([3, 1.5, 2], dtype=object),
    "pandas on arrow": pd.Series([3, None, 2], dtype="int64[pyarrow]"),
    "polars int": pl.Series([3, None, 2]),
    "polars float": pl.Series([3.5, float("nan"), None]),
    "polars bool": pl.Series([True, None, False]),
    "polars decimal": pl.Series([Decimal("3.5"), None, Decimal(2)]),
    "arrow int": pa.chunked_array([[3, None], [2]]),
    "arrow bool": pa.chunked_array([[True, None, False]]),
    "arrow decimal": pa.chunked_array([pa.array([Decimal("3.5"), None, Decimal(2)])]),
    "numpy int": np.array([3, 1, 2]),
    "numpy float32": np.array([3, np.nan, 2], dtype=np.float32),
    "numpy bool": np.array([True, True, False]),
    "numpy masked": np.ma.masked_array([3, 1, 2], [False, True, False]),
    "list": [3, None, 2.5],
    "tuple of Python": (True, None, False),
    "range": range(3),
}


@pytest.mark.parametrize("make", NUMBERS)
def test_numbers(make: str) -> None:
    column = read_frame({"v": NUMBERS[make]}).column("v")
    expected = [np.nan if value is None else float(value) for value in list_of(NUMBERS[make])]
    assert column.kind == ("boolean" if "bool" in make or make.startswith("tuple") else "numeric")
    assert column.missing.tolist() == np.isnan(expected).tolist()
    known = column.take(~column.missing)
    assert numbers(known).tolist() == [value for value in expected if not np.isnan(value)]
    assert numbers(known).dtype == np.float64


def list_of(values: Any) -> list[Any]:
    """Return Python values, None where missing."""
    if isinstance(values, pd.Series):
        values = values.astype(object).where(values.notna(), None)
    items = values.to_pylist() if isinstance(values, pa.ChunkedArray) else list(values)
    return [None if item is np.ma.masked else item for item in items]


TEXT: dict[str, tuple[Any, list[str]]] = {
    "pandas str": (pd.Series(["b", None, "a"]), ["a", "b"]),
    "pandas object": (pd.Series(["b", None, "a"], dtype=object), ["a", "b"]),
    "pandas string": (pd.Series(["b", None, "a"], dtype="string"), ["a", "b"]),
    "pandas category": (pd.Series(pd.Categorical(["b", None, "a"])), ["a", "b"]),
    "pandas category, chosen": (
        pd.Series(pd.Categorical(["b", None, "a"], categories=["b", "z", "a"])),
        ["b", "a"],
    ),
    "pandas ordered": (
        pd.Series(pd.Categorical(["b", None, "a"], categories=list("zba"), ordered=True)),
        ["b", "a"],
    ),
    "pandas category of int": (pd.Series(pd.Categorical([10, None, 9])), ["9", "10"]),
    "pandas intervals": (pd.Series(pd.cut([9, np.nan, 1], [0, 5, 10])), ["(0, 5]", "(5, 10]"]),
    "polars str": (pl.Series(["b", None, "a"]), ["a", "b"]),
    "polars Categorical": (pl.Series(["b", None, "a"], dtype=pl.Categorical), ["a", "b"]),
    "polars Enum": (pl.Series(["b", None, "a"], dtype=pl.Enum(["z", "b", "a"])), ["b", "a"]),
    "arrow str": (pa.chunked_array([["b", None, "a"]]), ["a", "b"]),
    "arrow large": (pa.chunked_array([pa.array(["b", None, "a"], pa.large_string())]), ["a", "b"]),
    "arrow dictionary": (pa.chunked_array([pa.array(["b", None, "a"]).dictionary_encode()]), ["a", "b"]),
    "arrow ordered": (
        pa.chunked_array([pa.DictionaryArray.from_arrays([1, None, 2], ["z", "b", "a"], ordered=True)]),
        ["b", "a"],
    ),
    "numpy str": (np.array(["b", "c", "a"]), ["a", "b", "c"]),
    "numpy StringDType": (np.array(["b", "c", "a"], dtype=np.dtypes.StringDType()), ["a", "b", "c"]),
    "numpy object": (np.array(["b", None, "a"], dtype=object), ["a", "b"]),
    "list": (["b", None, "a"], ["a", "b"]),
}


@pytest.mark.parametrize("make", TEXT)
def test_levels_of_text(make: str) -> None:
    values, expected = TEXT[make]
    column = read_frame({"v": values}).column("v")
    assert column.kind == "categorical"
    found = levels(column.take(~column.missing))
    assert list(found.labels) == expected
    last = {"pandas category of int": "9", "pandas intervals": "(0, 5]"}.get(make, "a")
    assert found.labels[found.codes[-1]] == last


LEVELS: dict[str, tuple[Any, list[str]]] = {
    "integers by size": ([10, 9, 308], ["9", "10", "308"]),
    "whole floats": ([4.0, 10.0, 4.0], ["4", "10"]),
    "few fractions": ([0.5, 0.5, 1.0, 1.5], ["0.5", "1", "1.5"]),
    "booleans": ([True, False], ["False", "True"]),
    "text, also of digits, by text": (["10", "9", "007"], ["007", "10", "9"]),
    "large integers keep their digits": ([2**62 + 1, 2**62], ["4611686018427387904", "4611686018427387905"]),
    "nullable large integers": (
        pd.Series([2**62 + 1, None, 2**62], dtype="Int64"),
        [str(2**62), str(2**62 + 1)],
    ),
    "negative": ([-1, 1, 0], ["-1", "0", "1"]),
    "blanks and the empty text": (["a ", "a", ""], ["", "a", "a "]),
}


@pytest.mark.parametrize("case", LEVELS)
def test_labels(case: str) -> None:
    values, expected = LEVELS[case]
    column = read_frame({"v": values}).column("v")
    assert list(levels(column.take(~column.missing)).labels) == expected


ROWS = {
    "y": [1.5, 2.5, None, 4.0, 7.0, 3.0],
    "n": [1, 2, 3, None, 5, 6],
    "flag": [True, False, True, True, False, False],
    "arm": ["b", "a", "b", "a", "b", "c"],
    "g": ["u", "v", "u", "v", "u", "v"],
}

MAKES = {
    "pandas": pd.DataFrame(ROWS),
    "pandas, nullable": pd.DataFrame(ROWS).convert_dtypes(),
    "pandas, categories": pd.DataFrame(ROWS).astype({"arm": "category", "g": "category"}),
    "pandas, odd index": pd.DataFrame(ROWS).set_axis([7, 7, 3, 1, 1, 0]),
    "polars": pl.DataFrame(ROWS),
    "polars, lazy": pl.LazyFrame(ROWS),
    "polars, categories": pl.DataFrame(ROWS).with_columns(pl.col("arm", "g").cast(pl.Categorical)),
    "pyarrow": pa.table(ROWS),
    "pyarrow, from categories": pa.Table.from_pandas(pd.DataFrame(ROWS).astype({"arm": "category"})),
    "mixed columns": {
        "y": pd.Series(ROWS["y"]),
        "n": pl.Series(ROWS["n"]),
        **{k: ROWS[k] for k in ("flag", "arm", "g")},
    },
}


@pytest.mark.parametrize("make", MAKES)
def test_one_design_whatever_the_frame(make: str) -> None:
    formula = parse("y ~ n*arm + flag | g")
    expected, seen = bind(formula, ROWS), bind(formula, MAKES[make])
    assert seen.rows == expected.rows
    assert dict(seen.rows.missing) == {"y": 1, "n": 1}
    assert seen.predictor.grouping is not None
    assert expected.predictor.grouping is not None
    assert seen.predictor.grouping.labels == expected.predictor.grouping.labels
    np.testing.assert_array_equal(seen.predictor.grouping.codes, expected.predictor.grouping.codes)
    np.testing.assert_array_equal(seen.response.values, expected.response.values)
    for one, other in zip(seen.predictor.terms, expected.predictor.terms, strict=True):
        assert (one.name, one.factors) == (other.name, other.factors)
        np.testing.assert_array_equal(one.columns, other.columns)


def test_columns_that_are_not_used_may_hold_anything() -> None:
    frame = pd.DataFrame(
        {
            "y": [1.0, 2, 3],
            "x": [1, 2, 4],
            "when": pd.to_datetime(["2020", "2021", None]),
            "l": [[1], [], [2]],
        }
    )
    assert bind(parse("y ~ x"), frame).rows.used == 3


def test_names_of_columns_need_not_be_text() -> None:
    frame = pd.DataFrame({0: [1.0, 2, 4], 1: [1.0, 3, 2]})
    assert bind(parse("`0` ~ `1`"), frame).predictor.terms[1].columns[:, 0].tolist() == [1, 3, 2]


@given(st.lists(st.text(max_size=3), min_size=1, max_size=20))
def test_levels_are_the_sorted_distinct_texts(values: list[str]) -> None:
    column = read_frame({"v": np.array(values, dtype=object)}).column("v")
    if len(set(map(normal, values))) < len(set(values)):
        return  # two texts that read alike are refused elsewhere
    found = levels(column)
    assert [found.labels[code] for code in found.codes] == [normal(value) for value in values]
    assert set(found.labels) == {normal(value) for value in values}
    assert sorted(set(values)) == [values[found.codes.tolist().index(i)] for i in range(len(found.labels))]


def normal(text: str) -> str:
    return unicodedata.normalize("NFC", text)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20))
def test_integers_are_levels_without_loss(values: list[int]) -> None:
    for source in (np.array(values), pl.Series(values), pd.Series(values)):
        found = levels(read_frame({"v": source}).column("v"))
        assert list(found.labels) == [str(value) for value in sorted(set(values))]
        assert [found.labels[code] for code in found.codes] == [str(value) for value in values]
