"""Gram-Schmidt on stacks of small systems against LAPACK, and the digits that it keeps."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from formulajoint.inference.gaussian.gram_schmidt import Row, inner, orthogonalise, take_out

type Array = NDArray[np.float64]

RNG = np.random.default_rng(1)


def test_factors_and_lengths_are_those_of_a_qr_decomposition() -> None:
    """Zeros may be left out, and what is the same in all systems may be there once."""
    table = RNG.normal(size=(3, 4, 5, 6))  # vectors, entries, systems
    table[1, 2] = table[2, 0] = 0
    table[0, 1] = table[0, 1, :1]
    vectors = [[None if not np.any(entry) else entry for entry in vector] for vector in table]
    vectors[0][1] = table[0, 1, :1]
    factors, inverses = orthogonalise(vectors)
    for at in np.ndindex(5, 6):
        matrix = table[(..., *at)].T
        r = np.linalg.qr(matrix, mode="r")
        assert [1 / inverse[at] for inverse in inverses] == pytest.approx(np.diag(r) ** 2, rel=1e-12)
        for i in range(3):
            for j in range(i):
                assert factors[i][j][at] == pytest.approx(r[j, i] / r[j, j], rel=1e-10)


def test_a_length_keeps_its_digits_where_little_is_left() -> None:
    """One part in 1e8 of the second vector is left: the difference of squares would have no digit of it."""
    first, second = [3.0, 1.0, 2.0], [3.0, 1.0, 2.0 + 2.0**-26]
    exact = [[Fraction(a) for a in vector] for vector in (first, second)]
    squares = [[sum(a * b for a, b in zip(u, v, strict=True)) for u in exact] for v in exact]
    known = float(squares[1][1] - squares[0][1] ** 2 / squares[0][0])
    vectors = [[np.array([[a]]) for a in vector] for vector in (first, second)]
    _, inverses = orthogonalise(vectors)
    assert 1 / inverses[1][0, 0] == pytest.approx(known, rel=1e-6)


def problem(classes: Array | None) -> tuple[list[Row], Array, Array]:
    """Return two rows of a weighted problem in 4 columns, for 3 points and 5 groups; its table and its weights."""
    table = RNG.normal(size=(4, 2, 3, 5))  # columns, rows
    table[1, 0] = 0
    table[0, 1] = table[0, 1, :1]
    weights = RNG.uniform(0.5, 2, (2, 3, 5))
    blocks = [
        [table[:1, 0], None, table[2:, 0]],
        [table[:1, 1, :1], table[1:2, 1], table[2:, 1]],
    ]
    rows = [Row(list(own), weight, classes) for own, weight in zip(blocks, weights, strict=True)]
    return rows, table, weights


def test_columns_are_taken_out_by_weighted_least_squares() -> None:
    rows, table, weights = problem(None)
    widths, squares = [1, 1, 2], []
    while widths != [1]:
        rows, widths, out = take_out(np, rows, widths)
        squares.append(out.square)
    column = [row.blocks[0] for row in rows]
    left = inner(np, rows, [row.weighted(each) for row, each in zip(rows, column, strict=True)], column)
    for point in range(3):
        root = np.sqrt(weights[:, point].ravel())
        r = np.linalg.qr(table[:, :, point].reshape(4, -1).T * root[:, None], mode="r")
        assert [s[point] for s in squares] + [left[0, point]] == pytest.approx(np.diag(r) ** 2, rel=1e-12)


def test_each_class_has_a_coefficient_of_its_own() -> None:
    classes = np.repeat(np.eye(2), [2, 3], axis=0)
    rows, table, weights = problem(classes)
    rows, widths, out = take_out(np, rows, [1, 1, 2])
    assert widths == [1, 2]
    assert out.square.shape == (3, 2)
    for groups in (slice(0, 2), slice(2, 5)):
        for point in range(3):
            head, last = (table[at, :, point, groups].ravel() for at in (0, 3))
            weight = weights[:, point, groups].ravel()
            slope = (weight * head) @ last / ((weight * head) @ head)
            found = np.concatenate([np.broadcast_to(row.blocks[1][1], (3, 5))[point, groups] for row in rows])
            assert found == pytest.approx(last - slope * head, rel=1e-10)
