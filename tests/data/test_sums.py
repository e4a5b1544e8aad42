"""Triangles in place of rows: the same cross-products in every cell, in as few rows as promised."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formulajoint.data.sums import cells, most_rows, reference, triangles
from formulajoint.design.schema import Grouping


def grouping(codes) -> Grouping:
    """Return a grouping in which every code from 0 to the largest occurs."""
    found, codes = np.unique(codes, return_inverse=True)
    return Grouping("g", ("g",), tuple(map(str, found)), codes)


@st.composite
def problems(draw):
    """Return columns, y, weights, the number of per-group columns, groups and residual sds of some rows."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows, own, shared = draw(st.integers(1, 30)), draw(st.integers(0, 3)), draw(st.integers(0, 3))
    columns = rng.normal(size=(rows, own + shared))
    if draw(st.booleans()) and own + shared > 1:
        columns[:, -1] = 2 * columns[:, 0]  # collinear
    weights = rng.uniform(0.5, 3, rows) if draw(st.booleans()) else None
    groups = grouping(rng.integers(0, draw(st.integers(1, 8)), rows)) if own else None
    sds = draw(st.sampled_from([None, groups, grouping(rng.integers(0, 3, rows))]))
    return columns, rng.normal(5, 2, rows), weights, own, groups, sds


@given(problems())
def test_cross_products_stay(problem):
    columns, y, weights, own, groups, sds = problem
    of = cells(groups, sds, len(y))
    found = triangles(columns, y, weights, own, of)
    assert len(found.y) <= min(most_rows(of, own, columns.shape[1] - own), len(y))
    w = np.ones(len(y)) if weights is None else weights
    table, small = np.column_stack([columns, y]), np.column_stack([found.columns, found.y])
    rng = np.random.default_rng(1)
    group, sd = of.groups[of.codes], of.sds[of.codes]
    # sums of squares of C v for vectors v that differ by group in the per-group columns, with weights by residual sd
    for _ in range(3):
        v = np.tile(rng.normal(size=table.shape[1]), (group.max() + 1, 1))
        v[:, :own] = rng.normal(size=(len(v), own))
        scale = rng.uniform(0.5, 2, sd.max() + 1)
        expected = np.sum(w * scale[sd] * np.sum(table * v[group], axis=1) ** 2)
        assert np.sum(scale[found.sds] * np.sum(small * v[found.groups], axis=1) ** 2) == pytest.approx(
            expected, rel=1e-10
        )
    np.testing.assert_allclose(found.weights, np.bincount(sd, weights=w))


def test_rows_are_as_few_as_the_coefficients():
    rng = np.random.default_rng(2)
    groups = grouping(np.arange(1000) % 10)
    of = cells(groups, None, 1000)
    found = triangles(rng.normal(size=(1000, 5)), rng.normal(size=1000), None, 3, of)
    assert (
        len(found.y) == 10 * 3 + 2 + 1
    )  # three for each group, two shared coefficients, a residual sum of squares


def test_a_group_of_one_row_is_one_row():
    groups = grouping([0, 1, 1, 1, 1, 1])
    of = cells(groups, None, 6)
    found = triangles(np.random.default_rng(3).normal(size=(6, 2)), np.arange(6.0), None, 2, of)
    assert list(found.groups) == [0, 1, 1, 0]


def test_the_last_row_is_what_least_squares_leave():
    rng = np.random.default_rng(4)
    columns, y, weights = rng.normal(size=(40, 2)), rng.normal(size=40), rng.uniform(1, 2, 40)
    found = triangles(columns, y, weights, 0, cells(None, None, 40))
    root = np.sqrt(weights)
    (rss,) = np.linalg.lstsq(columns * root[:, None], y * root)[1]
    assert found.y[-1] ** 2 == pytest.approx(rss)
    np.testing.assert_allclose(found.columns[-1], 0, atol=1e-12)


def test_a_reference_of_a_regression_by_group_is_least_squares():
    rng = np.random.default_rng(5)
    codes, weights = np.arange(60) % 3, rng.uniform(1, 2, 60)
    columns, y = np.column_stack([np.ones(60), rng.normal(2000, 5, 60)]), rng.normal(1e9, 1, 60)
    found = reference(columns, y, weights, 2, grouping(codes))
    left = y - np.sum(columns * found[codes], axis=1)
    assert np.abs(left).max() < 5
    for g in range(3):
        np.testing.assert_allclose(
            (columns * weights[:, None])[codes == g].T @ left[codes == g], 0, atol=0.05
        )


def test_a_reference_of_shared_columns_is_one_for_all_groups():
    rng = np.random.default_rng(6)
    codes, columns = np.arange(60) % 3, rng.normal(size=(60, 3))
    y = codes * 10.0 * columns[:, 0] + 3 * columns[:, 2] + rng.normal(0, 0.1, 60)
    found = reference(columns, y, None, 1, grouping(codes))
    assert found.shape == (3, 3)
    assert (found[:, 1:] == found[0, 1:]).all()
    np.testing.assert_allclose(found[:, 0], [0, 10, 20], atol=2)


def test_columns_of_any_scale_have_a_reference():
    rng = np.random.default_rng(7)
    x = rng.normal(size=50)
    columns = np.column_stack([np.ones(50), 1e14 * x, np.zeros(50)])
    found = reference(columns, 1e9 + x, None, 0, None)
    np.testing.assert_allclose(found[0], [1e9, 1e-14, 0], rtol=1e-5)
