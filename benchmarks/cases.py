"""The data that formulajoint and its peers are timed on: one Parquet and one CSV file a case, columns y, x and g.

Models: ``hierarchy`` is y ~ x in every group, intercepts and slopes pooled and correlated; ``unpooled`` is the same
without pooling.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Case:
    """One data set and the model that is fitted to it."""

    name: str
    model: str
    rows: int
    groups: int
    make: Callable[[], pd.DataFrame]

    @property
    def simulated(self) -> bool:
        return self.name.startswith("1e")


def tutoring() -> pd.DataFrame:
    """Return the ten rows that come with formulajoint."""
    return _renamed(ROOT / "formulajoint" / "api" / "tutoring.csv", "test_score", "treatment", "school")


def sleepstudy() -> pd.DataFrame:
    """Return reaction times by days of sleep deprivation of 18 subjects (lme4)."""
    return _renamed(ROOT / "tests" / "data" / "sleepstudy.csv", "Reaction", "Days", "Subject")


def _renamed(path: Path, y: str, x: str, g: str) -> pd.DataFrame:
    frame = pd.read_csv(path, dtype={g: str})[[y, x, g]]
    return frame.set_axis(["y", "x", "g"], axis=1)


def simulated(rows: int, groups: int) -> Callable[[], pd.DataFrame]:
    """Return a maker of rows in groups of about equal size, whose intercepts and slopes are correlated (0.5)."""

    def make() -> pd.DataFrame:
        rng = np.random.default_rng(1)
        spread = np.array([[4.0, 0.5], [0.5, 0.25]])
        intercepts, slopes = rng.multivariate_normal([10.0, 1.0], spread, groups).T
        codes, x = rng.integers(0, groups, rows), rng.normal(size=rows)
        y = intercepts[codes] + slopes[codes] * x + rng.normal(0, 3, rows)
        labels = np.array([f"g{group:05d}" for group in range(groups)])
        return pd.DataFrame({"y": y, "x": x, "g": labels[codes]})

    return make


CASES = (
    Case("seed", "unpooled", 10, 2, tutoring),
    Case("seed_hierarchy", "hierarchy", 10, 2, tutoring),
    Case("sleepstudy", "hierarchy", 180, 18, sleepstudy),
    *(
        Case(name, "hierarchy", int(float(name)), groups, simulated(int(float(name)), groups))
        for name, groups in {"1e4": 50, "1e5": 500, "1e6": 2000, "1e7": 2000}.items()
    ),
)
"""Smallest first: a peer that does not finish one is not started on a larger one."""


def data_file(case: Case, folder: Path, suffix: str) -> Path:
    """Return a file with the data of a case, made where it is not there yet; `suffix` is ``.parquet`` or ``.csv``."""
    path = folder / f"{case.name}{suffix}"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        frame = case.make()
        frame.to_parquet(part) if suffix == ".parquet" else frame.to_csv(part, index=False)
        part.rename(path)
    return path
