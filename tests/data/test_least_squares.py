"""Sums of squares, ranks, slopes and least squares by group, against plain least squares of all columns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formulajoint.data import least_squares as module
from formulajoint.data.least_squares import (
    basis,
    least_squares,
    partial_ss,
    profile,
    residual,
    slopes,
    undetermined,
)
from formulajoint.data.least_squares import rank as rank_of
from formulajoint.data.rows import cells_of
from formulajoint.data.triangles import triangles
from formulajoint.design.schema import Grouping


def groups(*codes):
    labels = tuple(f"g{code}" for code in range(max(codes) + 1))
    return Grouping("g", ("g",), labels, np.array(codes))


def by_group(grouping, *tables, weights=None):
    """Return each group's rows of tables (N, a), (N, b), ... as triangles, (G, m, a), (G, m, b), ..."""
    rows = np.hstack(tables) if weights is None else np.hstack(tables) * np.sqrt(weights)[:, None]
    found = triangles(list(rows.T), cells_of(grouping, len(rows)))
    return np.split(found, np.cumsum([table.shape[1] for table in tables])[:-1], axis=2)


def profile_of(y, own, shared, grouping, weights=None):
    own, shared, left = by_group(grouping, own, shared, y[:, None], weights=weights)
    rows = cells_of(grouping, len(y)).sums(np.ones(len(y)) if weights is None else weights)
    return profile(own, shared, left[:, :, 0], rows)


def sums_of(columns, grouping, weights=None):
    return partial_ss(*by_group(grouping, columns, weights=weights))


def slopes_of(y, columns, grouping, weights=None):
    own, left = by_group(grouping, columns, y[:, None], weights=weights)
    return slopes(own, left[:, :, 0])


def rows_of(grouping):
    return [np.flatnonzero(grouping.codes == g) for g in range(len(grouping))]


def rss(y, columns):
    return float(np.sum((y - columns @ np.linalg.lstsq(columns, y)[0]) ** 2))


@st.composite
def regressions(draw):
    """y, own columns, shared columns, groups and whole row weights; sometimes one column is a copy of another."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sizes = draw(st.lists(st.integers(1, 8), min_size=1, max_size=4))
    codes = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    n, p, k = len(codes), draw(st.integers(0, 3)), draw(st.integers(0, 2))
    own = np.column_stack([np.ones(n), rng.normal(size=(n, p)) * 10.0 ** rng.integers(-4, 5, p)])
    shared = rng.normal(size=(n, k))
    if p and draw(st.booleans()):
        own[:, 1] = 3 * own[:, -1] if p > 1 else 7.0
    if k and draw(st.booleans()):
        shared[:, 0] = own[:, -1] * draw(st.sampled_from([0.0, 1.0]))
    return rng.normal(size=n) + 100, own, shared, groups(*codes), rng.integers(1, 4, n).astype(float)


def block_diagonal(own, grouping):
    dummies = np.eye(len(grouping))[grouping.codes]
    return (dummies[:, :, None] * own[:, None, :]).reshape(len(own), -1)


def rank(columns):
    lengths = np.linalg.norm(columns, axis=0)
    return (
        np.linalg.matrix_rank(columns[:, lengths > 0] / lengths[lengths > 0], tol=1e-8) if columns.size else 0
    )


@given(regressions())
def test_profile_is_the_whole_regression(case):
    y, own, shared, grouping, weights = case
    root = np.sqrt(weights)
    blocks = block_diagonal(own, grouping) * root[:, None]
    everything = np.hstack([blocks, shared * root[:, None]])
    found = profile_of(y, own, shared, grouping, weights)
    for g, index in enumerate(rows_of(grouping)):
        part = own[index] * root[index, None]
        assert found.group_ranks[g] == rank(part)
        assert found.group_rss[g] == pytest.approx(rss(y[index] * root[index], part), rel=1e-6, abs=1e-9)
        assert found.group_rows[g] == weights[index].sum()
    assert found.shared_rank == rank(everything) - rank(blocks)
    assert found.rss == pytest.approx(rss(y * root, everything), rel=1e-6, abs=1e-9)
    assert found.tss == pytest.approx(weights @ y**2)


@given(regressions())
def test_row_weights_are_repeated_rows(case):
    y, own, shared, grouping, weights = case
    again = np.repeat(np.arange(len(y)), weights.astype(int))
    repeated = Grouping("g", ("g",), grouping.labels, grouping.codes[again])
    once = profile_of(y, own, shared, grouping, weights)
    many = profile_of(y[again], own[again], shared[again], repeated)
    assert once.group_ranks.tolist() == many.group_ranks.tolist()
    assert once.group_rows.tolist() == many.group_rows.tolist()
    assert once.shared_rank == many.shared_rank
    assert once.rss == pytest.approx(many.rss, rel=1e-6, abs=1e-9)
    np.testing.assert_allclose(
        sums_of(own, grouping, weights), sums_of(own[again], repeated), rtol=1e-6, atol=1e-12
    )


@given(regressions())
def test_partial_sums_of_squares(case):
    """What is left of a column on the others of its group; exactly 0 where the others say it all."""
    _, own, _, grouping, weights = case
    found = sums_of(own, grouping, weights)
    for g, index in enumerate(rows_of(grouping)):
        part = own[index] * np.sqrt(weights[index])[:, None]
        for j in range(part.shape[1]):
            others = np.delete(part, j, axis=1)
            if rank(part) == rank(others):
                assert found[g, j] == 0
            else:
                left = rss(part[:, j], others) if others.size else np.sum(part[:, j] ** 2)
                assert found[g, j] == pytest.approx(left, rel=1e-5)


def test_partial_sums_by_hand():
    columns = np.column_stack([np.ones(5), [1.0, 2, 3, 4, 4]])
    np.testing.assert_allclose(sums_of(columns, groups(0, 0, 0, 1, 1)), [[3 - 36 / 14, 2], [0, 0]])
    np.testing.assert_allclose(sums_of(columns, None), [[5 - 14**2 / 46, 46 - 14**2 / 5]])


def test_slopes():
    rng = np.random.default_rng(2)
    columns, y, weights = (
        np.column_stack([np.ones(12), rng.normal(size=12)]),
        rng.normal(size=12),
        rng.uniform(1, 3, 12),
    )
    grouping = groups(*[0, 1] * 6)
    found = slopes_of(y, columns, grouping, weights)
    for g in (0, 1):
        index = grouping.codes == g
        moments = columns[index].T * weights[index]
        np.testing.assert_allclose(found[g], np.linalg.solve(moments @ columns[index], moments @ y[index]))
    np.testing.assert_allclose(slopes_of(y, columns, None), [np.linalg.lstsq(columns, y)[0]])
    alike = np.column_stack([np.ones(12), np.ones(12)])
    np.testing.assert_allclose(slopes_of(y, alike, None), [[y.mean() / 2] * 2])


@given(regressions())
def test_triangles_hold_the_inner_products_of_each_group(case):
    y, own, shared, grouping, weights = case
    table = np.column_stack([own, shared, y])
    (found,) = by_group(grouping, table, weights=weights)
    lengths = np.sqrt(weights @ table**2)
    for g, index in enumerate(rows_of(grouping)):
        part = table[index] / np.where(lengths > 0, lengths, 1)
        expected = part.T @ (part * weights[index, None])
        scaled = found[g] / np.where(lengths > 0, lengths, 1)
        np.testing.assert_allclose(scaled.T @ scaled, expected, atol=1e-13)
    assert found.shape == (len(grouping), table.shape[1], table.shape[1])


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_rank_does_not_depend_on_units(scale):
    columns = np.column_stack([np.ones(6), scale * np.arange(6), 2 * scale * np.arange(6)])
    q = basis(columns)
    assert rank_of(q) == 2
    np.testing.assert_allclose(q.T @ q, np.diag([1, 1, 0]), atol=1e-12)
    assert np.abs(residual(columns, q)).max() < 1e-12 * max(scale, 1)


def test_what_is_left_is_orthogonal_to_the_last_digit():
    rng = np.random.default_rng(4)
    q = basis(np.column_stack([np.ones(50), rng.normal(size=50)]))
    left = residual(1e9 + rng.normal(size=(50, 1)), q)
    assert np.abs(q.T @ left).max() < 1e-12 * np.linalg.norm(left)


def test_nothing_at_all():
    assert rank_of(basis(np.zeros((3, 2)))) == 0
    assert rank_of(basis(np.empty((3, 0)))) == 0
    found = profile_of(np.array([1.0, 2, 4]), np.empty((3, 0)), np.empty((3, 0)), None)
    assert (found.group_ranks.tolist(), found.shared_rank) == ([0], 0)
    assert (found.rss, found.tss) == pytest.approx((21, 21))


# --- all coefficients of a regression

RNG = np.random.default_rng(3)
ROWS, GROUPS = 40, 5
CODES = np.arange(ROWS) % GROUPS
GROUPING = Grouping("g", ("g",), tuple("abcde"), CODES)


def tables(own, shared, y):
    own, shared, y = by_group(GROUPING, own, shared, y[:, None])
    return own, shared, y[:, :, 0]


def written_out(own, shared):
    blocks = [own * (CODES == g)[:, None] for g in range(GROUPS)]
    return np.hstack([*blocks, shared])


def test_least_squares_is_that_of_all_columns():
    own = np.column_stack([np.ones(ROWS), 1e6 + RNG.normal(size=ROWS)])
    shared, y = RNG.normal(size=(ROWS, 2)), RNG.normal(size=ROWS)
    fit = least_squares(*tables(own, shared, y), np.bincount(CODES).astype(float))
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
    open_own, open_shared = undetermined(*tables(own, shared, x)[:2])
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
        fit = least_squares(*tables(own, shared, y), np.bincount(CODES).astype(float))
        assert (fit.own.shape, fit.shared.shape) == ((GROUPS, own.shape[1]), (shared.shape[1],))
        assert np.isfinite([*fit.own.ravel(), *fit.shared]).all()


def test_many_systems_at_once_are_those_one_by_one(monkeypatch):
    rng = np.random.default_rng(0)
    own, shared, y = (rng.normal(size=(1500, 4, width)) for width in (3, 1, 1))
    own *= [1.0, 1e3, 1e-2]
    own[::7, :, 2] = 2 * own[::7, :, 0]  # dependent
    own[::11, :, 0] = 0.0
    own[3::40, :, 1] = own[3::40, :, 0] + 1e-6 * rng.normal(size=(38, 4))  # nearly so
    rows = np.full(len(own), 4.0)

    def figures():
        found = least_squares(own, shared, y[:, :, 0], rows)
        ranks = profile(own, shared, y[:, :, 0], rows).group_ranks
        return [
            *(getattr(found, name) for name in found.__slots__),
            ranks,
            partial_ss(own),
            slopes(own, y[:, :, 0]),
        ]

    together = figures()
    monkeypatch.setattr(module, "MANY", len(own) + 1)
    for one, other in zip(together, figures(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-11)
