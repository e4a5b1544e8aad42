"""Which coefficients the data determine, and their least-squares estimates.

A coefficient is estimable if its column is not a linear combination of the others, that is, if every vector of the
columns' null space is zero at that column (Searle, Linear Models, 1971, section 5.4).

Shapes: G groups of m rows each (the triangles of ``moments.group_triangles``), p columns with a coefficient for each
group, k columns with one coefficient for all groups.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from formulajoint.arrays import FloatArray
from formulajoint.design.moments import RANK_TOLERANCE, basis, rank, residual

type BoolArray = NDArray[np.bool_]

PART = 1e-6
"""Smallest entry of a null vector of length one that counts as nonzero; its column depends on others."""


def undetermined(own: FloatArray, shared: FloatArray) -> tuple[BoolArray, BoolArray]:
    """Return which coefficients the data do not determine, (G, p) and (k,).

    If a shared column depends on the groups' own columns, the shared one counts as undetermined.

    Parameters
    ----------
    own, shared : (G, m, p) and (G, m, k) arrays
    """
    lengths = _lengths(_stacked(shared))
    left = _stacked(residual(shared, basis(own)))
    return _in_null_space(own / _lengths(own)), _in_null_space(np.linalg.qr(left / lengths, mode="r"))


def _stacked(columns: FloatArray) -> FloatArray:
    """Return the groups' rows stacked, (G m, k)."""
    groups, rows, count = columns.shape
    return columns.reshape(groups * rows, count)


def _lengths(columns: FloatArray) -> FloatArray:
    lengths = np.linalg.norm(columns, axis=-2, keepdims=True)
    return np.where(lengths > 0, lengths, 1.0)


def _in_null_space(scaled: FloatArray) -> BoolArray:
    """Return which columns of (..., n, q), each of length one, take part in the null space, (..., q)."""
    if scaled.shape[-1] == 0:
        return np.zeros((*scaled.shape[:-2], 0), dtype=bool)
    _, singular, right = np.linalg.svd(scaled, full_matrices=False)
    null = singular <= RANK_TOLERANCE * np.maximum(1.0, singular[..., :1])
    return np.asarray(np.linalg.norm(right * null[..., None], axis=-2) > PART)


@dataclass(frozen=True, slots=True, eq=False)
class LeastSquares:
    """The regression of y on the groups' own columns and the shared ones; NaN for undetermined coefficients.

    Attributes
    ----------
    own, shared : (G, p) and (k,) arrays
        Coefficients.
    own_variances, shared_variances : (G, p) and (k,) arrays
        Their sampling variances, for a residual variance of one.
    group_rss : (G,) array
        Residual sum of squares of each group.
    group_df : (G,) array
        Rows of each group less the rank of its own columns.
    shared_rank : int
    """

    own: FloatArray
    shared: FloatArray
    own_variances: FloatArray
    shared_variances: FloatArray
    group_rss: FloatArray
    group_df: FloatArray
    shared_rank: int

    @property
    def df(self) -> float:
        """Rows less the rank of all columns."""
        return float(self.group_df.sum()) - self.shared_rank


def least_squares(own: FloatArray, shared: FloatArray, y: FloatArray, group_rows: FloatArray) -> LeastSquares:
    """Return the regression of y (G, m, 1) on own (G, m, p) and shared (G, m, k) columns, given as triangles.

    The shared coefficients are estimated after each group's own columns are projected out (Frisch & Waugh,
    Econometrica 1933). The variance of b_g = X_g^+ (y_g - Z_g c) includes A_g var(c) A_g', with A_g = X_g^+ Z_g.
    """
    q = basis(own)
    open_own, open_shared = undetermined(own, shared)
    left, left_y = _stacked(residual(shared, q)), _stacked(residual(y, q))
    # Shared columns in the span of the groups' own are rounding noise now: small beside their original length.
    lengths = _lengths(_stacked(shared))
    inverse = np.linalg.pinv(left / lengths, rcond=RANK_TOLERANCE) / lengths.T  # (k, M)
    c = (inverse @ left_y)[:, 0]
    covariance = inverse @ inverse.T
    each = np.linalg.pinv(own / _lengths(own), rcond=RANK_TOLERANCE) / np.swapaxes(_lengths(own), -1, -2)
    b = (each @ (y - (shared @ c)[..., None]))[..., 0]
    across = each @ shared  # (G, p, k)
    variances = np.sum(each**2, axis=-1) + np.sum(across @ covariance * across, axis=-1)
    rest = residual(y - (shared @ c)[..., None], q)
    return LeastSquares(
        np.where(open_own, np.nan, b),
        np.where(open_shared, np.nan, c),
        np.where(open_own, np.nan, variances),
        np.where(open_shared, np.nan, np.diag(covariance)),
        np.sum(rest**2, axis=(1, 2)),
        group_rows - rank(q),
        int(rank(basis(left, of=_stacked(shared)))),
    )
