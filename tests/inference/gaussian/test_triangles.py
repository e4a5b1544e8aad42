"""Triangles of the rows against QR and cross-products of each cell's own rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import formulajoint as fj
from formulajoint.inference.gaussian import triangles as module
from formulajoint.inference.gaussian.reduction import reduce
from formulajoint.inference.gaussian.triangles import Cells, reordered, triangles

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


# --- what a reduction knows of its rows

DATA = pd.DataFrame(np.random.default_rng(4).normal(size=(40, 3)), columns=list("xzy")).assign(
    g=np.arange(40) % 3, w=1 + np.arange(40) % 2, h=np.arange(40) % 3 // 2
)


@pytest.mark.parametrize("weights", ["", ", weights(w)"])
@pytest.mark.parametrize("sigma", ["", ", sigma ~ 1 | h"])
def test_sizes_spreads_and_cross_products_are_those_of_the_rows(weights: str, sigma: str) -> None:
    """The spread is what the fit of all rows together leaves: y is shifted by its fitted values."""
    data = DATA.assign(y=DATA["y"] + 1e3 + 50 * DATA["x"])
    found = reduce(fj.model(f"y ~ x + common(z) | g, hierarchy(){sigma}{weights}", data).plan)
    w = data["w"].to_numpy(float) if weights else np.ones(40)
    own = np.stack([np.ones(40), data["x"]], axis=1)
    assert found.column_sizes() == pytest.approx(np.sqrt(w @ own**2 / w.sum()), rel=1e-12)
    gram = cross_products(own * np.sqrt(w)[:, None]) / w.sum()
    assert np.allclose(found.gram_of(np.array([1, 0])), gram[::-1, ::-1], rtol=1e-12)
    root, table = np.sqrt(w), np.column_stack([own, data["z"]])
    left = data["y"] - table @ np.linalg.lstsq(table * root[:, None], data["y"] * root)[0]
    h = data["h"].to_numpy() if sigma else np.zeros(40, dtype=int)
    known = np.sqrt(np.bincount(h, w * left**2) / np.bincount(h, w))
    assert found.spreads() == pytest.approx(known, rel=1e-9)
    assert found.rows == pytest.approx(np.bincount(h, w))


def test_rounding_errors_are_those_of_the_largest_numbers_in_a_row() -> None:
    eps = np.finfo(float).eps
    near, far = (reduce(fj.model("y ~ x | g", DATA.assign(y=DATA["y"] + shift)).plan) for shift in (0, 1e9))
    assert near.rounding[0] < 10 * eps
    assert 1e9 * eps < far.rounding[0] < 3e9 * eps
