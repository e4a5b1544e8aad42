"""Models and fits as plain data for JSON: no NaN, no NumPy types."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from formulajoint.compiler.plan import Plan
from formulajoint.results.describe import coefficient_rows, describe_contrast
from formulajoint.results.posterior import Posterior
from formulajoint.results.tables import weights


def model_record(plan: Plan) -> dict[str, Any]:
    """Return what ``explain()`` says, as data."""
    grouping = plan.design.predictor.grouping
    rows = plan.design.rows
    return {
        "formula": str(plan.design.formula),
        "family": plan.family.name,
        "rows": {"total": rows.total, "used": rows.used, "missing": dict(rows.missing)},
        "groups": None if grouping is None else {"name": grouping.name, "labels": list(grouping.labels)},
        "coefficients": [
            {"name": name, "description": what, "prior": prior}
            for name, what, prior in coefficient_rows(plan)
        ],
        "contrasts": [
            {"name": c.name, "clause": c.text, "description": describe_contrast(plan, c)}
            for c in plan.contrasts
        ],
        "notes": list(plan.notes),
    }


def fit_record(
    posterior: Posterior,
    summary: pd.DataFrame,
    contrasts: pd.DataFrame,
    problems: tuple[str, ...],
    prob: float,
) -> dict[str, Any]:
    """Return a fit's tables, weights and diagnostics, as data."""
    plan = posterior.plan
    return model_record(plan) | {
        "engine": posterior.engine,
        "interval": {"kind": "hdi", "probability": prob},
        "summary": _rows(summary, "parameter"),
        "estimates": _rows(contrasts.drop(columns="weights"), "contrast"),
        "weights": {c.name: _series(weights(posterior, c)) for c in plan.contrasts},
        "diagnostics": list(problems),
    }


def _rows(table: pd.DataFrame, index: str) -> list[dict[str, Any]]:
    return [
        {index: str(name), **{str(column): _number(value) for column, value in row.items()}}
        for name, row in table.iterrows()
    ]


def _series(series: pd.Series) -> dict[str, float | None]:
    return {
        ", ".join(key) if isinstance(key, tuple) else str(key): _number(value)
        for key, value in series.items()
    }


def _number(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None
