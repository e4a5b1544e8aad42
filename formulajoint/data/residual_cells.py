"""The rows with one residual sd each, where sigma has predictors."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.design.schema import Grouping, Predictor

MOST_CELLS = 8
"""Most residual sds where sigma has predictors: few, as each needs sums of its own in each group."""


def residual_cells(predictor: Predictor, rows: int) -> Grouping | None:
    """Return the rows by the value of a predictor of sigma; None if it has more than `MOST_CELLS` values.

    They are labelled by the columns that differ.
    """
    codes, count = np.zeros(rows, dtype=np.int64), 1
    varying: dict[str, FloatArray] = {}
    for name, values in _columns(predictor):
        own = _codes(values)
        if own is None:
            return None
        if np.any(own):
            varying[name] = values
            pairs = codes * (int(np.max(own)) + 1) + own
            there = np.bincount(pairs) > 0
            codes, count = (np.cumsum(there) - 1)[pairs], int(np.sum(there))
        if count > MOST_CELLS:
            return None
    first = [int(np.argmax(codes == cell)) for cell in range(count)]
    labels = (", ".join(f"{name} = {values[at]:g}" for name, values in varying.items()) for at in first)
    return Grouping(predictor.parameter, (), tuple(labels), codes)


def _columns(predictor: Predictor) -> Iterator[tuple[str, FloatArray]]:
    """Yield all that the value of a predictor depends on, by name."""
    if predictor.offset is not None:
        yield "offset", predictor.offset
    for block in predictor.blocks:
        if block.grouping is not None:
            yield block.grouping.name, block.grouping.codes.astype(float)
        for term in block.terms:
            labels = product(*(factor.labels for factor in term.factors))
            for label, column in zip(labels, term.columns.T, strict=True):
                yield f"{term.name}[{','.join(label)}]" if label else term.name, column


def _codes(values: FloatArray) -> IntArray | None:
    """Return the place of each value among the distinct ones, in their order of appearance; None if there are many."""
    out, found = np.full(len(values), -1, dtype=np.int64), 0
    while True:
        first = int(np.argmin(out))
        if out[first] >= 0:
            return out
        if found == MOST_CELLS:
            return None
        out[values == values[first]] = found
        found += 1
