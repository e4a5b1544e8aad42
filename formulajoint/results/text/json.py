"""A fit as plain data for JSON: no NaN, no NumPy types."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from formulajoint.results.draws.ratios import with_ratios
from formulajoint.results.draws.tables import SUMMARY, weights
from formulajoint.results.findings import Findings
from formulajoint.results.joint_tests.joint_test import JointTest
from formulajoint.results.joint_tests.table import joint_table
from formulajoint.results.text.answers import answers, subject
from formulajoint.results.text.cautions import cautions
from formulajoint.results.text.describe import model_record


def fit_record(found: Findings) -> dict[str, Any]:
    """Return a fit's tables, joint tests, weights and diagnostics, as data."""
    posterior, plan = found.posterior, found.plan
    return model_record(plan) | {
        "answers": [asdict(answer) for answer in answers(found, found.tests)],
        "cautions": list(cautions(found, subject(found))),
        "engine": posterior.engine,
        "interval": {"kind": "hdi", "probability": found.prob},
        "summary": _rows(with_ratios(plan, found.summary, found.summary.table[SUMMARY]), "parameter"),
        "estimates": _rows(
            with_ratios(plan, found.contrasts, found.contrasts.table.drop(columns="weights")), "contrast"
        ),
        "weights": {c.name: _series(weights(posterior, c)) for c in plan.contrasts if c.weights},
        "tests": test_record(found.tests),
        "diagnostics": list(found.diagnostics),
    }


def test_record(tests: Sequence[JointTest]) -> list[dict[str, Any]]:
    """Return the joint tests as data, one entry per hypothesis."""
    return _rows(joint_table(tests), "hypothesis")


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
