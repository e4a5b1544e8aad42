"""Whole numbers written as text are meant by size; everything else stands as it is."""

from __future__ import annotations

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from formulajoint.design.bind import bind
from formulajoint.design.frame import read_frame
from formulajoint.design.level_order import by_size
from formulajoint.design.values import levels
from formulajoint.spec.read import parse

BY_SIZE = {
    ("1", "10", "11", "2"): ("1", "2", "10", "11"),
    ("-1", "-10", "0", "5"): ("-10", "-1", "0", "5"),
    ("007", "10", "7"): ("007", "7", "10"),  # equal numbers stay as they stand
    ("10", "9"): ("9", "10"),
}
AS_THEY_STAND = [
    ("high", "low", "mid"),
    ("1", "10", "2", "none"),
    ("0.5", "1", "10", "2"),
    ("2", "1", "10"),  # somebody's order
    (1, 10, 2),
    ("1", "1" + 5000 * "0", "2"),
    (),
]


@pytest.mark.parametrize("labels", BY_SIZE)
def test_whole_numbers_go_by_size(labels: tuple[str, ...]) -> None:
    assert tuple(labels[place] for place in by_size(labels)) == BY_SIZE[labels]


@pytest.mark.parametrize("labels", AS_THEY_STAND)
def test_all_else_stands_as_it_is(labels: tuple[object, ...]) -> None:
    assert by_size(labels) == tuple(range(len(labels)))


TEXTS = ["10", "2", "1", "9"]
SORTED, SIZES = ["1", "10", "2", "9"], ["1", "2", "9", "10"]
COLUMNS = {
    "list": (TEXTS, SORTED, SIZES),
    "pandas text": (pd.Series(TEXTS), SORTED, SIZES),
    "pandas category": (pd.Series(TEXTS, dtype="category"), SORTED, SIZES),
    "pandas category, ordered": (pd.Series(pd.Categorical(TEXTS, ordered=True)), SORTED, SORTED),
    "pandas category, in an order": (pd.Series(pd.Categorical(TEXTS, categories=TEXTS)), TEXTS, TEXTS),
    "polars text": (pl.Series(TEXTS), SORTED, SIZES),
    "polars category": (pl.Series(TEXTS, dtype=pl.Categorical), SORTED, SIZES),
    "polars enum": (pl.Series(TEXTS, dtype=pl.Enum(SORTED)), SORTED, SORTED),
    "arrow text": (pa.chunked_array([TEXTS]), SORTED, SIZES),
    "arrow dictionary": (pa.chunked_array([pa.array(TEXTS).dictionary_encode()]), SORTED, SIZES),
    "arrow dictionary, ordered": (
        pa.chunked_array([pa.DictionaryArray.from_arrays(pa.array([1, 2, 0, 3]), SORTED, ordered=True)]),
        SORTED,
        SORTED,
    ),
    "integers": ([10, 2, 1, 9], SIZES, SIZES),
    "pandas category of integers": (pd.Series([10, 2, 1, 9], dtype="category"), SIZES, SIZES),
}


@pytest.mark.parametrize("make", COLUMNS)
def test_labels_keep_their_place_whatever_they_mean(make: str) -> None:
    values, stands, means = COLUMNS[make]
    found = levels(read_frame({"v": values}).column("v"))
    assert list(found.labels) == stands
    assert [found.labels[place] for place in found.order] == means


@pytest.mark.parametrize("separator", ["/", ":"])
def test_cells_of_several_columns_go_by_the_size_of_each(separator: str) -> None:
    frame = {
        "y": [1.0, 2, 4, 3, 5, 6],
        "a": ["10", "9", "9", "10", "9", "10"],
        "b": ["2", "10", "2", "10", "2", "2"],
    }
    grouping = bind(parse(f"y ~ 1 | a{separator}b"), frame).predictor.grouping
    assert grouping is not None
    assert grouping.labels == tuple(f"{a}{separator}{b}" for a, b in [(10, 10), (10, 2), (9, 10), (9, 2)])
    assert [grouping.labels[place] for place in grouping.order] == [
        f"{a}{separator}{b}" for a, b in [(9, 2), (9, 10), (10, 2), (10, 10)]
    ]
