"""Means and standard deviations of columns, with rows counted by their weights."""

from __future__ import annotations

import numpy as np

from formulajoint.arrays import FloatArray


def mean(values: FloatArray, weights: FloatArray | None) -> FloatArray:
    """Return the (weighted) means of the columns of `values`."""
    return np.asarray(np.average(values, axis=0, weights=weights))


def sd(values: FloatArray, weights: FloatArray | None) -> FloatArray:
    """Return the standard deviations (ddof 1) of the columns of `values`; exactly 0 for a constant."""
    count = len(values) if weights is None else weights.sum()
    w = np.ones(len(values)) if weights is None else weights
    squares = np.tensordot(w, (values - mean(values, weights)) ** 2, axes=1)
    varies = values.min(axis=0) < values.max(axis=0)
    return np.where(varies, np.sqrt(squares / max(count - 1, 1e-300)), 0.0)
