"""What a reduction knows of its rows, against the rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import formulajoint as fj
from formulajoint.inference.gaussian.reduction import reduce

type Array = NDArray[np.float64]


def cross_products(rows: Array) -> Array:
    return np.einsum("...ij,...ik->...jk", rows, rows)


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
