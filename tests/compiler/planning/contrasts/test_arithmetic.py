"""Numbers in ``contrast(...)`` that cannot be computed with."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj

DATA = pd.DataFrame({"y": np.arange(12.0) % 5, "x": np.arange(12.0) % 7, "g": ["A", "B"] * 6})


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ("x * 1e300", "large"),
        ("x / 1e-80", "large"),
        ("x[A] * 1e60 * 1e60", "large"),
        ("-(x[A] * 1e60) * (1e60 - 1)", "large"),
        ("(10 * x[A]) ^ 80", "large"),
        ("x + 1e80", "large"),
        ("x[A] * 1e200 - x[B]", "large"),
        ("x * 1e300 / 1e300", "large"),
        ("x / 1e300", "small"),
        ("(1e-40 * x[A]) ^ 2 + x[B]", "small"),
    ],
)
def test_numbers_too_far_from_one(asked: str, size: str) -> None:
    with pytest.raises(fj.FormulaError, match=rf"are together too {size} to compute with"):
        fj.model(f"y ~ x | g, contrast({asked})", DATA)


@pytest.mark.parametrize(
    "asked", ["x * 0", "x * 1e60", "x / 1e60", "x + 1e-300", "2 ^ 2 ^ 3 * x", "(2 * x) ^ 2 ^ 3", "1e3 ^ x[A]"]
)
def test_numbers_near_enough_to_one(asked: str) -> None:
    assert fj.model(f"y ~ x | g, contrast({asked})", DATA).plan.contrasts
