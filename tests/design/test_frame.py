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
from formulajoint.design.frame import read_frame
from formulajoint.design.values import levels, numbers
from formulajoint.errors import DataError
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


# --- series of a mapping


def test_series_of_other_indexes() -> None:
    x = pd.Series(np.arange(6.0))
    y = 2 * x + [0.1, 0, -0.1, 0, 0.1, 0]
    for other in (x[::-1], x.set_axis(list("abcdef")), x.set_axis([0, 0, 1, 1, 2, 2])):
        with pytest.raises(DataError, match="`y` and `x` have different indexes"):
            read_frame({"y": y, "x": other})
    reordered = pd.DataFrame({"y": y, "x": x[::-1]})
    assert numbers(read_frame(reordered).column("x")).tolist() == x.tolist()
    by_position = read_frame({"y": y, "x": x[::-1].to_numpy(), "z": list("abcdef"), "p": pl.Series(x)})
    assert numbers(by_position.column("x")).tolist() == x[::-1].tolist()
    same = read_frame({"y": y.set_axis(list("abcdef")), "x": x.set_axis(list("abcdef"))})
    assert same.rows == 6


# --- types that data frames have besides


def dictionary(values: list[Any], of: Any = "string", ordered: bool = False) -> pd.Series:
    return pd.Series(pd.array(values, dtype=pd.ArrowDtype(pa.dictionary("int8", of, ordered))))


@pytest.mark.parametrize("ordered", [False, True])
def test_dictionary_of_arrow_in_pandas(ordered: bool, tmp_path: Any) -> None:
    kept = pd.Categorical(["low", "high", None, "mid"], ["low", "mid", "high", "never"], ordered)
    pd.DataFrame({"v": kept}).to_parquet(tmp_path / "d.parquet")
    plain = read_frame(pd.read_parquet(tmp_path / "d.parquet")).column("v")
    arrow = read_frame(pd.read_parquet(tmp_path / "d.parquet", dtype_backend="pyarrow")).column("v")
    assert arrow.missing.tolist() == plain.missing.tolist() == [False, False, True, False]
    assert (arrow.order, arrow.ordered) == (plain.order, plain.ordered)
    assert levels(arrow.take(~arrow.missing)).labels == ("low", "mid", "high")


LEVEL = pd.Categorical(["lo", "hi", "mid", "hi"], categories=["lo", "mid", "hi", "none"], ordered=True)


@pytest.mark.parametrize("make", [lambda c: c, pd.Index, pd.CategoricalIndex, lambda c: pd.Series(c).array])
def test_categories_in_a_mapping_keep_their_order(make: Any) -> None:
    """Whether the others are arrays, lists, or a series, whose index says nothing of an array's."""
    for others in ([1.0, 2, 3, 4], np.arange(4.0), pd.Series([1.0, 2, 3, 4], index=[5, 6, 7, 8])):
        column = read_frame({"y": others, "x": make(LEVEL)}).column("x")
        assert column.order == ("lo", "mid", "hi", "none")
        assert column.ordered
        assert levels(column).labels == ("lo", "mid", "hi")


@pytest.mark.parametrize(
    "values",
    [pd.array([1, None, 3], dtype="Int64"), pd.arrays.SparseArray([1, np.nan, 3]), pd.Index([1, np.nan, 3])],
)
def test_arrays_of_pandas_in_a_mapping(values: Any) -> None:
    column = read_frame({"x": values}).column("x")
    assert column.missing.tolist() == [False, True, False]
    assert column.values[[0, 2]].tolist() == [1, 3]


TOO_LONG: dict[str, Any] = {
    "integers": [10**30 + i for i in range(6)],
    "integers, one missing": [None, 2**64 + 1, 2**64 + 2],
    "decimals": [Decimal("0.12345678901234567890") + Decimal(i).scaleb(-20) for i in range(3)],
    "polars, 128 bits": pl.Series([2**100 + i for i in range(3)], dtype=pl.Int128),
    "polars decimals": pl.Series([Decimal(10**25 + i) for i in range(3)]),
    "arrow decimals": pa.chunked_array(
        [pa.array([Decimal(10**40 + i) for i in range(3)], pa.decimal256(60, 2))]
    ),
}


@pytest.mark.parametrize("make", TOO_LONG)
def test_numbers_that_would_become_one_are_refused(make: str) -> None:
    """As floats the first six would be one group."""
    with pytest.raises(DataError, match="agree in their first 15 digits; more are not"):
        read_frame({"x": TOO_LONG[make]}).column("x")


def test_large_integers_are_read() -> None:
    for values in ([2**70, 2**71], pl.Series([2**70, 2**71], dtype=pl.Int128), [Decimal(2**70), 2**71]):
        assert read_frame({"x": values}).column("x").values.tolist() == [2.0**70, 2.0**71]


def test_dictionary_of_numbers() -> None:
    column = read_frame({"v": dictionary([30, 4, 30, 4], "int64")}).column("v")
    assert column.kind == "categorical"
    assert levels(column).labels == ("30", "4")


def test_several_chunks_of_a_dictionary() -> None:
    column = read_frame({"v": pd.concat([dictionary(["b", "a"]), dictionary(["c", "a"])])}).column("v")
    assert levels(column).labels == ("b", "a", "c")


def test_sparse_columns_are_read() -> None:
    column = read_frame(pd.DataFrame({"v": pd.arrays.SparseArray([1.5, 0, np.nan])})).column("v")
    assert column.kind == "numeric"
    assert numbers(column.take(~column.missing)).tolist() == [1.5, 0.0]


@pytest.mark.parametrize(
    "empty", [None, np.nan, pd.NA, pd.NaT, Decimal("NaN"), Decimal("sNaN"), np.float32("nan")]
)
def test_missing_values_of_lists(empty: object) -> None:
    for made in (
        [1, empty, 2],
        pd.Series([1, empty, 2], dtype=object),
        np.array([1, empty, 2], dtype=object),
    ):
        column = read_frame({"v": made}).column("v")
        assert column.missing.tolist() == [False, True, False]
        assert numbers(column.take(~column.missing)).tolist() == [1.0, 2.0]


REFUSED = {
    "periods": (pd.period_range("2020", periods=3, freq="M"), "`v` holds dates or times"),
    "intervals": (pd.interval_range(0, 3), "`v` holds values of type Interval"),
    "complex numbers": (pd.Series([1 + 2j, 1, 1]), "`v` holds values of type complex128"),
    "long integers": ([10**400, 1, 2], "`v` holds numbers too large"),
    "long decimals": ([Decimal(10) ** 400, Decimal(1), Decimal(2)], "`v` is infinite in 1 of 3"),
    "large": ([1e155, 1, 2], r"`v` reaches 1e\+155 in size, too large"),
    "large, negative": ([-1e100, 1, 2], r"`v` reaches 1e\+100 in size, too large"),
    "small": ([1e-160, 0, 2e-160], "`v` is at most 2e-160 in size, too small"),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("make", REFUSED)
def test_refused_values(make: str) -> None:
    values, message = REFUSED[make]
    with pytest.raises(DataError, match=message):
        bind(parse("y ~ v"), {"y": [1.0, 2, 4], "v": values})


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("formula", ["y ~ exp(v)", "y ~ I(v^50)", "y ~ v:w", "exp(v) ~ w"])
def test_refused_values_of_columns_made(formula: str) -> None:
    data = {"y": [1.0, 2, 4, 3], "v": [300.0, 200, 100, 1], "w": [1e74, 2e74, 1e74, 3e74]}
    with pytest.raises(DataError, match="too large to compute with"):
        bind(parse(formula), data)
