"""Least squares by group: each group's own estimates, without pooling."""

from __future__ import annotations

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.data.data import Data
from formulajoint.data.least_squares import least_squares


def not_pooled(data: Data) -> dict[str, FloatArray]:
    """Return each per-group term's least-squares coefficients, (G, k) by name; NaN if a group does not determine one.

    Shared coefficients are those of the regression on all columns, and so are the groups'.
    """
    predictor, table = data.predictor, data.groups
    found = least_squares(table.of(predictor.per_group), table.of(predictor.common), table.y, table.rows).own
    edges = np.cumsum([term.columns.shape[1] for term in predictor.per_group])[:-1]
    return dict(zip((t.name for t in predictor.per_group), np.split(found, edges, axis=1), strict=True))
