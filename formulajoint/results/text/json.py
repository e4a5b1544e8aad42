"""A fit as plain data for JSON: no NaN, no NumPy types."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.draws.tables import weights
from formulajoint.results.text.describe import model_record


def fit_record(
    posterior: Posterior,
    summary: pd.DataFrame,
    contrasts: pd.DataFrame,
    problems: tuple[str, ...],
    prob: float,
    tests: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """Return a fit's tables, joint tests, weights and diagnostics, as data."""
    plan = posterior.plan
    return model_record(plan) | {
        "engine": posterior.engine,
        "interval": {"kind": "hdi", "probability": prob},
        "summary": _rows(summary, "parameter"),
        "estimates": _rows(contrasts.drop(columns="weights"), "contrast"),
        "weights": {c.name: _series(weights(posterior, c)) for c in plan.contrasts if c.weights},
        "tests": [] if tests is None else test_record(tests),
        "diagnostics": list(problems),
    }


def test_record(tests: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the joint tests as data, one entry per hypothesis."""
    return _rows(tests, "hypothesis")


def _rows(table: pd.DataFrame, index: str) -> list[dict[str, Any]]:
    return [
        {index: str(name), **{str(column): _number(value) for column, value in row.items()}}
        for name, row in table.iterrows()
    ]


def _series(series: pd.Series) -> dict[str, float | str | None]:
    return {
        ", ".join(key) if isinstance(key, tuple) else str(key): _number(value)
        for key, value in series.items()
    }


def _number(value: Any) -> float | str | None:
    if isinstance(value, str):
        return value
    return float(value) if math.isfinite(value) else None
