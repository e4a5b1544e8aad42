"""A likelihood of whole numbers through cells: rows that are alike in all that is read of them are one.

With its count it has the likelihood of the rows, constant included, at the cost of the different rows only: a million
events with two columns of few values are some dozens.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.compiler.evaluate.linear_predictor import reading
from formulajoint.compiler.plan import Plan
from formulajoint.data.rows import frequencies
from formulajoint.design.model_rows import ModelRows


@dataclass(frozen=True, slots=True, eq=False)
class Alike:
    """M different rows.

    Attributes
    ----------
    rows : ModelRows
    y : (M,) array
        Their responses.
    weights : (M,) array
        How many rows each stands for, by the row weights.
    """

    rows: ModelRows
    y: FloatArray
    weights: FloatArray


def why_not(plan: Plan) -> str:
    """Return the reason why cells do not apply to a plan, or an empty string if they do."""
    name = plan.family.name
    return (
        ""
        if plan.family.distribution.whole
        else f"the response is {name}, of which hardly two rows are alike"
    )


def alike(plan: Plan, most: int | None = None) -> Alike | None:
    """Return the different rows of a plan; None if there are more than `most`."""
    rows, y = reading(plan).of_fit(), plan.design.response.values
    codes = np.zeros(len(y), dtype=np.int64)
    for column in (y, *_columns(rows)):
        _, own = np.unique(column + 0.0, return_inverse=True)  # no negative zeros
        _, codes = np.unique(codes * (int(own.max()) + 1) + own, return_inverse=True)
        if most is not None and codes.max() >= most:
            return None
    first = _first(codes)
    weights = np.bincount(codes, weights=frequencies(plan.design))
    return Alike(rows.take(first), y[first], weights)


def _columns(rows: ModelRows) -> Iterator[FloatArray | IntArray]:
    """Yield all that a model reads of rows, (N,) each."""
    yield from (at.codes for at in rows.groups.values())
    yield from (() if rows.trials is None else (rows.trials,))
    yield from rows.offsets.values()
    yield from (column for columns in rows.columns.values() for column in columns.T)


def _first(codes: IntArray) -> IntArray:
    """Return the place of the first row of each code."""
    out = np.empty(int(codes.max()) + 1, dtype=np.int64)
    out[codes[::-1]] = np.arange(len(codes))[::-1]
    return out
