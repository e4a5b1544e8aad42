"""Rows for moments and engines."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng, n, groups = np.random.default_rng(2), 240, 8
    g, t = rng.integers(0, groups, n), rng.integers(0, 2, n)
    x, arm = rng.normal(3, 2, n), rng.choice(list("abc"), n)
    y = 50 + rng.normal(0, 2, groups)[g] + 3 * t + 0.5 * x + rng.normal(0, 1, n)
    return pd.DataFrame(
        {"y": y, "t": t, "x": x, "z": rng.normal(0, 1, n), "g": [f"g{i}" for i in g], "d": g // 3, "arm": arm}
        | {"se": rng.choice([1.0, 2.0], n), "w": rng.integers(1, 4, n), "pages": rng.uniform(1, 9, n)}
    )
