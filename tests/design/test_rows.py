"""Which rows a formula uses, and what it says of the others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formulajoint.design.bind import bind
from formulajoint.errors import DataError
from formulajoint.spec.read import parse

N = None
FRAME = {
    "y": [1.0, 2.0, N, 4.0, 5.0, 7.0, 6.0, 8.0],
    "x": [1.0, N, 3.0, 4.0, 5.0, 5.0, 2.0, 1.0],
    "arm": ["a", "b", "b", N, "a", "b", "a", "c"],
    "g": ["u", "v", "u", "v", N, "v", "u", "v"],
    "w": [1, 2, 1, 2, 1, N, 1, 2],
    "z": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, N, 8.0],
}

USED = {
    "y ~ 1": ({"y": 1}, [0, 1, 3, 4, 5, 6, 7]),
    "y ~ x": ({"y": 1, "x": 1}, [0, 3, 4, 5, 6, 7]),
    "y ~ x + arm": ({"y": 1, "x": 1, "arm": 1}, [0, 4, 5, 6, 7]),
    "y ~ log(x):arm": ({"y": 1, "x": 1, "arm": 1}, [0, 4, 5, 6, 7]),
    "y ~ C(arm, ref=b)": ({"y": 1, "arm": 1}, [0, 1, 4, 5, 6, 7]),
    "y ~ x | g": ({"y": 1, "x": 1, "g": 1}, [0, 3, 5, 6, 7]),
    "y ~ 1 | g/arm": ({"y": 1, "g": 1, "arm": 1}, [0, 1, 5, 6, 7]),
    "y ~ 1 | g, sigma ~ x": ({"y": 1, "x": 1, "g": 1}, [0, 3, 5, 6, 7]),
    "y ~ 1, sigma ~ 1 | g": ({"y": 1, "g": 1}, [0, 1, 3, 5, 6, 7]),
    "y ~ 1, weights(w)": ({"y": 1, "w": 1}, [0, 1, 3, 4, 6, 7]),
    "y ~ 1, se(z)": ({"y": 1, "z": 1}, [0, 1, 3, 4, 5, 7]),
    "y ~ . - arm - g - w, se(z)": ({"y": 1, "x": 1, "z": 1}, [0, 3, 4, 5, 7]),
    "y ~ offset(z)": ({"y": 1, "z": 1}, [0, 1, 3, 4, 5, 7]),
    "y ~ x | g, joint(x, weights=sum(z))": ({"y": 1, "x": 1, "g": 1, "z": 1}, [0, 3, 5, 7]),
    "y ~ x + common(arm) | g": ({"y": 1, "x": 1, "arm": 1, "g": 1}, [0, 5, 6, 7]),
    "y ~ x*arm - arm - x - x:arm": ({"y": 1}, [0, 1, 3, 4, 5, 6, 7]),
    "y ~ . - x - arm - g - w": ({"y": 1, "z": 1}, [0, 1, 3, 4, 5, 7]),
    "z ~ 1": ({"z": 1}, [0, 1, 2, 3, 4, 5, 7]),
}


@pytest.mark.parametrize("formula", USED)
def test_the_columns_in_use_decide(formula: str) -> None:
    missing, used = USED[formula]
    design = bind(parse(formula), FRAME)
    response = FRAME[formula[0]]
    assert dict(design.rows.missing) == missing
    assert (design.rows.total, design.rows.used, design.rows.dropped) == (8, len(used), 8 - len(used))
    assert design.response.values.tolist() == [response[i] for i in used]
    for predictor in (design.predictor, *design.parameters):
        assert all(len(term.columns) == len(used) for term in predictor.terms)
        assert predictor.grouping is None or len(predictor.grouping.codes) == len(used)
    assert all(len(values) == len(used) for values in design.weight_columns.values())


def test_missing_error_refuses_with_columns_and_counts() -> None:
    with pytest.raises(DataError, match=r"`y` in 1 of 8 rows, `x` in 1 of 8 rows\."):
        bind(parse("y ~ x, missing(error)"), FRAME)
    assert bind(parse("w ~ 1, missing(drop)"), FRAME).rows.dropped == 1
    complete = {"y": [1.0, 2, 4], "x": [1, 2, 2], "other": [N, 1, N]}
    assert bind(parse("y ~ x, missing(error)"), complete).rows.dropped == 0


def test_levels_are_those_of_the_rows_used() -> None:
    frame = {"y": [1.0, 2, 3, N], "arm": ["b", "a", "b", "c"], "g": ["u", "v", "v", "w"]}
    design = bind(parse("y ~ arm | g"), frame)
    assert design.predictor.per_group[1].factors[0].labels == ("b",)
    assert design.predictor.grouping is not None
    assert design.predictor.grouping.labels == ("u", "v")


def test_rows_of_weight_zero_are_no_rows() -> None:
    frame = {"y": [1.0, 2, 3, 9], "g": ["u", "v", "v", "w"], "w": [1, 0.5, 2, 0]}
    design = bind(parse("y ~ 1 | g, weights(w)"), frame)
    assert design.row_weights is not None
    assert design.row_weights.tolist() == [1, 0.5, 2]
    assert design.predictor.grouping is not None
    assert design.predictor.grouping.labels == ("u", "v")
    assert (design.rows.used, design.rows.dropped, design.rows.weightless) == (3, 1, 1)


def test_standard_errors_are_those_of_the_rows_used() -> None:
    frame = {"y": [1.0, 2, 3, 9, 8], "s": [1, None, 3.5, 0.5, -1], "w": [1, 1, 2, 2, 0]}
    design = bind(parse("y ~ 1, se(s), weights(w)"), frame)
    assert design.standard_errors is not None
    assert design.standard_errors.tolist() == [1, 3.5, 0.5]
    assert design.precisions is not None
    assert design.precisions.tolist() == [1, 2 / 3.5**2, 2 / 0.5**2]
    assert bind(parse("y ~ 1"), frame).precisions is None


cells = st.one_of(st.none(), st.floats(-5, 5))
rows = st.lists(st.tuples(cells, cells, st.sampled_from(["u", "v", None])), min_size=3, max_size=12)


@given(rows)
def test_dropping_is_the_same_as_not_giving(
    given_rows: list[tuple[float | None, float | None, str | None]],
) -> None:
    complete = [row for row in given_rows if None not in row]
    ys, xs = {row[0] for row in complete}, {row[1] for row in complete}
    if len(ys) < 2 or len(xs) < 2:
        return  # refused for other reasons
    formula = parse("y ~ x | g")
    dropped = bind(formula, dict(zip("yxg", map(list, zip(*given_rows, strict=True)), strict=True)))
    clean = bind(formula, dict(zip("yxg", map(list, zip(*complete, strict=True)), strict=True)))
    assert (dropped.rows.total, dropped.rows.used) == (len(given_rows), len(complete))
    gaps = {name: sum(row[i] is None for row in given_rows) for i, name in enumerate("yxg")}
    assert dict(dropped.rows.missing) == {name: count for name, count in gaps.items() if count}
    assert dropped.predictor.grouping is not None
    assert clean.predictor.grouping is not None
    assert dropped.predictor.grouping.labels == clean.predictor.grouping.labels
    assert [dropped.predictor.grouping.labels[code] for code in dropped.predictor.grouping.codes] == [
        r[2] for r in complete
    ]
    np.testing.assert_array_equal(dropped.predictor.terms[1].columns, clean.predictor.terms[1].columns)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), min_size=1, max_size=15))
def test_cells_of_two_columns(pairs: list[tuple[str, int]]) -> None:
    frame = {
        "y": np.arange(len(pairs) + 1.0),
        "g": [g for g, _ in pairs] + ["a"],
        "k": [k for _, k in pairs] + [0],
    }
    grouping = bind(parse("y ~ 1 | g/k"), frame).predictor.grouping
    assert grouping is not None
    seen = [*pairs, ("a", 0)]
    assert grouping.labels == tuple(f"{g}/{k}" for g, k in sorted(set(seen)))
    assert [grouping.labels[code] for code in grouping.codes] == [f"{g}/{k}" for g, k in seen]
