"""Least squares by group: each group's own estimates, without pooling."""

from __future__ import annotations

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.design.moments import RANK_TOLERANCE, by_group, partial_ss, residual, slopes, stack
from formulajoint.design.moments import basis as orthonormal
from formulajoint.design.schema import Design, Term


def not_pooled(design: Design) -> dict[str, FloatArray]:
    """Return each per-group term's least-squares coefficients, (G, k) by name; NaN if a group does not determine one.

    Shared coefficients are those of the regression on all columns, and so are the groups'.
    """
    predictor, rows, weights = design.predictor, design.rows.used, design.precisions
    own = stack(predictor.per_group, rows)
    y = design.response.values - (0.0 if predictor.offset is None else predictor.offset)
    shared = stack(predictor.common, rows)
    if shared.shape[1]:
        y = y - shared @ _shared(y, own, shared, design)
    found = slopes(y, own, predictor.grouping, weights)
    found = np.where(partial_ss(own, predictor.grouping, weights) > 0, found, np.nan)
    return dict(zip((t.name for t in predictor.per_group), _by_term(found, predictor.per_group), strict=True))


def _shared(y: FloatArray, own: FloatArray, shared: FloatArray, design: Design) -> FloatArray:
    """Return the shared coefficients: the regression of residuals of both sides after each group's own columns."""
    root = np.ones(len(y)) if design.precisions is None else np.sqrt(design.precisions)
    table = np.column_stack([y, shared]) * root[:, None]
    left = np.empty_like(table)
    for index in by_group(design.predictor.grouping, len(y)):
        left[index] = residual(table[index], orthonormal(own[index] * root[index, None]))
    lengths = np.linalg.norm(table[:, 1:], axis=0)
    lengths[lengths == 0] = 1.0
    scaled = left[:, 1:] / lengths
    scaled[:, np.linalg.norm(scaled, axis=0) < RANK_TOLERANCE] = 0.0
    return np.asarray(np.linalg.lstsq(scaled, left[:, 0], rcond=RANK_TOLERANCE)[0] / lengths)


def _by_term(found: FloatArray, terms: tuple[Term, ...]) -> list[FloatArray]:
    edges = np.cumsum([term.columns.shape[1] for term in terms])[:-1]
    return np.split(found, edges, axis=1)
