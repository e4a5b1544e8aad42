"""Ranks, residuals and least squares by group, from triangles in place of rows.

Shapes: G groups of m rows each, p columns with coefficients by group (`own`), k with coefficients for all groups
(`shared`). Rows may be those of triangles, which have the same cross-products as the rows of the data.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from formulajoint.arrays import FloatArray, IntArray

type BoolArray = NDArray[np.bool_]

RANK_TOLERANCE = 1e-9
"""A column whose part outside the other columns is below this share of its length counts as dependent on them."""

PART = 1e-6
"""Smallest entry of a null vector of length one that counts as nonzero; its column depends on others."""


MANY, SURE = 1_000, 1e-4
"""Of this many small systems, those whose columns, each of length one, span a volume above the second number are solved
by Gram-Schmidt, all at once; the others one by one."""


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """Ranks and residual sums of squares of the regression by group.

    Attributes
    ----------
    group_ranks : (G,) int array
        Rank of each group's own columns.
    group_rss : (G,) array
        Residual sum of squares of y on the group's own columns.
    group_rows : (G,) array
        Rows (sum of the row weights) of each group.
    shared_rank : int
        Rank of the shared columns after the group's own columns are taken out.
    rss : float
        Residual sum of squares on all columns.
    tss : float
        Total sum of squares of y about zero.
    """

    group_ranks: IntArray
    group_rss: FloatArray
    group_rows: FloatArray
    shared_rank: int
    rss: float
    tss: float


def basis(columns: FloatArray, of: FloatArray | None = None) -> FloatArray:
    """Return an orthonormal basis of the column space, (..., n, r); columns beyond the rank are zero.

    A column that is small beside the same column of `of` counts as zero. If `columns` are residuals of a projection,
    pass the original columns as `of`, so that rounding errors do not count as directions.
    """
    lengths = np.linalg.norm(columns if of is None else of, axis=-2, keepdims=True)
    scaled = np.divide(columns, lengths, out=np.zeros_like(columns), where=lengths > 0)
    if scaled.size == 0:
        return np.zeros((*columns.shape[:-1], 0))
    if not _is_many(scaled):
        return _basis(scaled)
    out, _, sure = _orthonormal(scaled)
    out[~sure] = _basis(scaled[~sure])
    return out


def _basis(scaled: FloatArray) -> FloatArray:
    left, singular, _ = np.linalg.svd(scaled, full_matrices=False)
    kept = singular > RANK_TOLERANCE * np.maximum(1.0, singular[..., :1])
    return np.asarray(left * kept[..., None, :])


def _is_many(columns: FloatArray) -> bool:
    """Return whether these are many small systems, none with fewer rows than columns."""
    return columns.ndim == 3 and len(columns) >= MANY and columns.shape[1] >= columns.shape[2]


def _orthonormal(scaled: FloatArray) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Return Q and R of columns (G, n, p) by Gram-Schmidt, done twice, and which systems are far from singular (G,)."""
    q, r = np.zeros_like(scaled), np.zeros((len(scaled), scaled.shape[2], scaled.shape[2]))
    for j in range(scaled.shape[2]):
        left = scaled[:, :, j].copy()
        for i in [*range(j), *range(j)]:
            along = np.einsum("gn,gn->g", q[:, :, i], left)
            left -= along[:, None] * q[:, :, i]
            r[:, i, j] += along
        r[:, j, j] = np.sqrt(np.einsum("gn,gn->g", left, left))
        np.divide(left, r[:, j, j, None], out=q[:, :, j], where=r[:, j, j, None] > 0)
    return q, r, np.prod(np.diagonal(r, axis1=1, axis2=2), axis=1) > SURE


def _pseudo_inverse(scaled: FloatArray) -> FloatArray:
    """Return the pseudo-inverse (..., p, n) of columns of length one or zero (..., n, p)."""
    if not _is_many(scaled):
        return np.asarray(np.linalg.pinv(scaled, rcond=RANK_TOLERANCE))
    q, r, sure = _orthonormal(scaled)
    out = np.zeros(np.swapaxes(scaled, 1, 2).shape)
    for j in reversed(range(scaled.shape[2])):
        rest = q[:, :, j] - np.einsum("gk,gkn->gn", r[:, j, j + 1 :], out[:, j + 1 :])
        np.divide(rest, r[:, j, j, None], out=out[:, j], where=sure[:, None])
    out[~sure] = np.linalg.pinv(scaled[~sure], rcond=RANK_TOLERANCE)
    return out


def rank(orthonormal: FloatArray) -> IntArray:
    """Return the number of nonzero columns of a `basis`, (...)."""
    return np.asarray(np.any(orthonormal, axis=-2).sum(axis=-1))


def residual(columns: FloatArray, on: FloatArray) -> FloatArray:
    """Return `columns` (..., n, q) less their projection on the orthonormal basis `on` (..., n, r)."""
    across = np.swapaxes(on, -1, -2)
    once = columns - on @ (across @ columns)
    return np.asarray(once - on @ (across @ once))  # twice: one pass loses digits if the residual is small


def profile(own: FloatArray, shared: FloatArray, y: FloatArray, group_rows: FloatArray) -> Profile:
    """Return ranks and residuals of y (G, m) on own (G, m, p) and shared (G, m, k) columns."""
    q = basis(own)
    table = np.concatenate([shared, y[:, :, None]], axis=2)
    left_over = residual(table, q)
    flat, whole = left_over.reshape(-1, table.shape[2]), table.reshape(-1, table.shape[2])
    rest = basis(flat[:, :-1], of=whole[:, :-1])
    outside = residual(flat[:, -1:], rest)
    return Profile(
        rank(q),
        np.sum(left_over[:, :, -1] ** 2, axis=1),
        group_rows,
        int(rank(rest)),
        float(np.sum(outside**2)),
        float(np.sum(whole[:, -1] ** 2)),
    )


def partial_ss(columns: FloatArray) -> FloatArray:
    """Return each column's residual sum of squares on the other columns of (G, m, p), by group, (G, p).

    Up to sigma^2 this is the information on the column's coefficient in the group's rows. It is 0 if the coefficient is
    not estimable in that group.
    """
    p = columns.shape[2]
    parts = [_alone(columns[:, :, j : j + 1], np.delete(columns, j, axis=2)) for j in range(p)]
    return np.stack(parts, axis=1) if parts else np.empty((len(columns), 0))


def _alone(column: FloatArray, others: FloatArray) -> FloatArray:
    """Return a column's residual sum of squares on the others, (G,); 0 if the column depends on them."""
    left = residual(column, basis(others))
    return np.where(rank(basis(left, of=column)) > 0, np.sum(left**2, axis=(1, 2)), 0.0)


def slopes(columns: FloatArray, y: FloatArray) -> FloatArray:
    """Return each group's least-squares coefficients of y (G, m), (G, p): those of least norm if there are several."""
    lengths = np.linalg.norm(columns, axis=1, keepdims=True)
    lengths[lengths == 0] = 1.0
    scaled = _pseudo_inverse(columns / lengths) @ y[:, :, None]
    return np.asarray(scaled[:, :, 0] / lengths[:, 0])


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
    if _is_many(scaled):
        out, (*_, sure) = np.zeros((len(scaled), scaled.shape[2]), dtype=bool), _orthonormal(scaled)
        out[~sure] = _in_null_space(scaled[~sure][None])[0]
        return out
    _, singular, right = np.linalg.svd(scaled, full_matrices=False)
    null = singular <= RANK_TOLERANCE * np.maximum(1.0, singular[..., :1])
    return np.asarray(np.linalg.norm(right * null[..., None], axis=-2) > PART)


def null_space(columns: FloatArray) -> FloatArray:
    """Return coefficients (p, r) whose combinations of the columns (m, p) are zero: a basis of all of these."""
    lengths = _lengths(columns)
    _, singular, right = np.linalg.svd(columns / lengths, full_matrices=True)
    kept = int(np.sum(singular > RANK_TOLERANCE * max(1.0, float(singular.max(initial=0.0)))))
    return np.asarray(right[kept:].T / lengths.T)


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
    """Return the regression of y (G, m) on own (G, m, p) and shared (G, m, k) columns.

    The shared coefficients are estimated after each group's own columns are projected out (Frisch & Waugh,
    Econometrica 1933). The variance of b_g = X_g^+ (y_g - Z_g c) includes A_g var(c) A_g', with A_g = X_g^+ Z_g.
    """
    q, y = basis(own), y[:, :, None]
    open_own, open_shared = undetermined(own, shared)
    left, left_y = _stacked(residual(shared, q)), _stacked(residual(y, q))
    # Shared columns in the span of the groups' own are rounding noise now: small beside their original length.
    lengths = _lengths(_stacked(shared))
    inverse = np.linalg.pinv(left / lengths, rcond=RANK_TOLERANCE) / lengths.T  # (k, M)
    c = (inverse @ left_y)[:, 0]
    covariance = inverse @ inverse.T
    each = _pseudo_inverse(own / _lengths(own)) / np.swapaxes(_lengths(own), -1, -2)
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
