"""Estimability and least squares, against one regression of all columns written out."""

from __future__ import annotations

import numpy as np
import pytest

from formulajoint.design.estimable import least_squares, undetermined
from formulajoint.design.moments import group_triangles
from formulajoint.design.schema import Grouping

RNG = np.random.default_rng(3)
ROWS, GROUPS = 40, 5
CODES = np.arange(ROWS) % GROUPS
GROUPING = Grouping("g", ("g",), tuple("abcde"), CODES)


def triangles(own, shared, y):
    found = group_triangles([own, shared, y[:, None]], GROUPING)
    p, k = own.shape[1], shared.shape[1]
    return found[:, :, :p], found[:, :, p : p + k], found[:, :, -1:]


def written_out(own, shared):
    blocks = [own * (CODES == g)[:, None] for g in range(GROUPS)]
    return np.hstack([*blocks, shared])


def test_least_squares_is_that_of_all_columns():
    own = np.column_stack([np.ones(ROWS), 1e6 + RNG.normal(size=ROWS)])
    shared, y = RNG.normal(size=(ROWS, 2)), RNG.normal(size=ROWS)
    fit = least_squares(*triangles(own, shared, y), np.bincount(CODES).astype(float))
    full = written_out(own - [0, 1e6], shared)
    b = np.linalg.lstsq(full, y)[0]
    slopes = np.arange(1, 2 * GROUPS, 2)
    assert fit.own[:, 1] == pytest.approx(b[slopes], rel=1e-5)
    assert fit.shared == pytest.approx(b[-2:], rel=1e-5)
    variances = np.diag(np.linalg.inv(full.T @ full))
    assert fit.own_variances[:, 1] == pytest.approx(variances[slopes], rel=1e-5)
    assert fit.shared_variances == pytest.approx(variances[-2:], rel=1e-5)
    assert fit.group_rss.sum() == pytest.approx(np.sum((y - full @ b) ** 2), rel=1e-8)
    assert fit.df == ROWS - full.shape[1]


@pytest.mark.parametrize("seed", range(8))
def test_what_is_open_changes_no_fitted_value(seed):
    """A coefficient is open if and only if the rank is the same without its column."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=ROWS)
    x[CODES == rng.integers(GROUPS)] = 2.0
    own = np.column_stack([np.ones(ROWS), x, rng.integers(0, 2, ROWS) * (rng.integers(GROUPS) == CODES)])
    z = rng.normal(size=ROWS)
    shared = np.column_stack([z, rng.normal(size=GROUPS)[CODES], 1e9 * (z - x), rng.normal(size=ROWS)])
    open_own, open_shared = undetermined(*triangles(own, shared, x)[:2])
    alone = own * (CODES == 0)[:, None]
    for g in range(GROUPS):
        alone = own[CODES == g]
        ranks = [np.linalg.matrix_rank(np.delete(alone, j, axis=1)) for j in range(3)]
        assert list(open_own[g]) == [rank == np.linalg.matrix_rank(alone) for rank in ranks]
    full = written_out(own, shared / [1, 1, 1e9, 1])
    first = GROUPS * own.shape[1]
    ranks = [np.linalg.matrix_rank(np.delete(full, first + j, axis=1)) for j in range(4)]
    assert list(open_shared) == [rank == np.linalg.matrix_rank(full) for rank in ranks]


def test_nothing_of_a_kind():
    y = RNG.normal(size=ROWS)
    none, one = np.empty((ROWS, 0)), np.ones((ROWS, 1))
    for own, shared in ((none, one), (one, none), (none, none)):
        fit = least_squares(*triangles(own, shared, y), np.bincount(CODES).astype(float))
        assert (fit.own.shape, fit.shared.shape) == ((GROUPS, own.shape[1]), (shared.shape[1],))
        assert np.isfinite([*fit.own.ravel(), *fit.shared]).all()
