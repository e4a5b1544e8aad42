"""Triangles of the rows against QR and cross-products of each cell's own rows."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from formulajoint.data import triangles as module
from formulajoint.data.rows import Cells
from formulajoint.data.triangles import reordered, triangles

type Array = NDArray[np.float64]


def cross_products(rows: Array) -> Array:
    return np.einsum("...ij,...ik->...jk", rows, rows)


@pytest.mark.parametrize("piece", [4096, 1])
@pytest.mark.parametrize("sort", [True, False])
def test_each_cell_keeps_its_cross_products(piece: int, sort: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells of no row, of fewer rows than columns, and of many; `piece` cuts long cells."""
    monkeypatch.setattr(module, "PIECE", piece)
    rng = np.random.default_rng(1)
    sizes = [0, 1, 2, 3, 40, 333, 7]
    codes = np.repeat(np.arange(len(sizes)), sizes)
    codes = codes if sort else rng.permutation(codes)
    rows = rng.normal(size=(len(codes), 3)) * [1.0, 1e9, 1e-9]
    found = triangles(list(rows.T), Cells(codes, len(sizes)))
    scale = np.outer([1.0, 1e9, 1e-9], [1.0, 1e9, 1e-9])
    for cell, triangle in enumerate(found):
        assert np.array_equal(triangle, np.triu(triangle))
        known = cross_products(rows[codes == cell])
        assert np.allclose(cross_products(triangle) / scale, known / scale, rtol=1e-12, atol=1e-12)


def test_what_a_fit_leaves_is_no_difference_of_squares() -> None:
    """The response is 1e12 + 2 x + 0.005 noise, exactly: in sums of squares no digit of the noise is left."""
    rng = np.random.default_rng(2)
    x, noise = rng.integers(-8, 8, 64).astype(float), rng.integers(-8, 8, 64) / 1024
    one = np.ones(64)
    found = triangles([one, x, 2.0**40 + 2 * x + noise], Cells(np.zeros(64, dtype=np.int64), 1))[0]
    columns = np.stack([one, x], axis=1)
    left = noise - columns @ np.linalg.lstsq(columns, noise)[0]
    assert abs(found[2, 2]) == pytest.approx(np.linalg.norm(left), rel=0.1)  # eps of 1e12 is 2e-4


def test_columns_can_be_taken_out_in_another_order() -> None:
    own = np.moveaxis(np.triu(np.random.default_rng(3).normal(size=(4, 5))[None])[:, :3], 0, 2)
    found = reordered(own, np.array([2, 0, 1]))[..., 0]
    assert np.allclose(np.tril(found[:, :3], -1), 0)
    assert np.allclose(cross_products(found), cross_products(own[:, [2, 0, 1, 3, 4], 0]))
