"""log p(y | phi) with several factors, all coefficients integrated out, at many points phi at once.

With beta = D v, all v and c are normal with precision

    [A  B']      A = I + D' T D / s^2 by group of the factor taken out,
    [B  C ]      C - B A^-1 B' what is left of the other factors and the shared coefficients,

whose Cholesky factor has the log determinant, and in a last row for y the sum of squares.

Shapes: those of ``sums.py``, and S points.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy

from formulajoint.arrays import FloatArray
from formulajoint.inference.crossed.sums import Sums

PAIRS = 2**16
"""Most pairs of a point and a group of the factor taken out that are computed at once."""

ELEMENTS = 2**20
"""Most elements of matrices of what is left that are computed at once."""

LARGE = 48
"""Matrices with as many rows are factored one by one, in place."""

LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True, slots=True, eq=False)
class TakenOut:
    """The factor taken out at S points.

    Attributes
    ----------
    root : (S, 1 or G, p, p) array
        D of the orthogonal columns.
    lower : list of lists of (S, G) arrays
        Cholesky factor L of A, by its elements.
    half : list of lists of (S, G) arrays
        L^-1 D', by its elements.
    log_determinant : (S,) array
        Of all A.
    """

    root: FloatArray
    lower: list[list[FloatArray]]
    half: list[list[FloatArray]]
    log_determinant: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Eliminated:
    """All coefficients taken out at S points.

    Attributes
    ----------
    first : TakenOut
    lower : (S, n + 1, n + 1) array
        Cholesky factor of what is left; the last row is that of y.
    log_likelihood : (S,) array
    """

    first: TakenOut
    lower: FloatArray
    log_likelihood: FloatArray


def log_likelihood(sums: Sums, points: FloatArray) -> FloatArray:
    """Return log p(y | phi) at points (S, d) on the real line; NaN where arithmetic fails."""
    values = sums.model.scales.values(points)
    with np.errstate(all="ignore"):
        found = [eliminate(sums, values[block]).log_likelihood for block in blocks(sums, len(values))]
    return np.concatenate(found) if found else np.empty(0)


def blocks(sums: Sums, points: int) -> Iterator[slice]:
    """Yield slices of points that are computed at once."""
    factor, n = sums.model.factors[sums.first], sums.q + sums.k + 1
    wide = factor.size * max(factor.width, sums.k + 1)
    step = max(1, min(PAIRS // wide, ELEMENTS // n**2))
    for start in range(0, points, step):
        yield slice(start, start + step)


def eliminate(sums: Sums, values: FloatArray) -> Eliminated:
    """Take out all coefficients at parameters phi (S, cells)."""
    square = values[:, 0] ** 2
    first = take_out(sums, values, square)
    left = left_over(sums, first, values, square)
    n = left.shape[1] - 1
    size = left[:, n, n].copy()  # of y: doubled, so that rounding leaves the matrix positive definite
    left[:, n, n] = 2 * size + 1
    lower = cholesky(left)
    squares = size - np.sum(lower[:, n, :n] ** 2, axis=1)
    logs = 2 * np.sum(np.log(np.diagonal(lower, axis1=1, axis2=2)[:, :n]), axis=1) + first.log_determinant
    model = sums.model
    rows = model.rows * (LOG_2PI + np.log(square))
    total = model.log_unit + sums.fixed.log_constant - 0.5 * (rows + logs + squares)
    return Eliminated(first, lower, total)


def roots(sums: Sums, at: int, values: FloatArray) -> FloatArray:
    """Return D of a factor's orthogonal columns, (S, 1 or G, p, p)."""
    return np.asarray(sums.turns[at] @ sums.model.factors[at].root(values))


def take_out(sums: Sums, values: FloatArray, square: FloatArray) -> TakenOut:
    """Take out the coefficients of the first factor."""
    root, p = roots(sums, sums.first, values), sums.model.factors[sums.first].width
    d = [[root[:, :, i, j] for j in range(p)] for i in range(p)]
    s = 1 / square[:, None]
    half = [[sum(sums.own[i, m] * d[m][j] for m in range(p)) * s for j in range(p)] for i in range(p)]
    lower = [
        [sum(d[m][i] * half[m][j] for m in range(p)) + (1.0 if i == j else 0.0) for j in range(i + 1)]
        for i in range(p)
    ]
    logs = np.zeros(len(values))
    for i in range(p):
        for j in range(i + 1):
            for m in range(j):
                lower[i][j] = lower[i][j] - lower[i][m] * lower[j][m]
            lower[i][j] = np.sqrt(lower[i][i]) if i == j else lower[i][j] / lower[j][j]
        logs += 2 * np.sum(np.log(lower[i][i]), axis=1)
    solved: list[list[FloatArray]] = []
    for i in range(p):
        row = []
        for a in range(p):
            value = d[a][i]
            for m in range(i):
                value = value - lower[i][m] * solved[m][a]
            row.append(value / lower[i][i])
        solved.append(row)
    return TakenOut(root, lower, solved, logs)


def left_over(sums: Sums, first: TakenOut, values: FloatArray, square: FloatArray) -> FloatArray:
    """Return the precision of what is left, with y in the last row, (S, n + 1, n + 1): the lower triangle."""
    count, (p, groups), q, k = len(values), sums.own.shape[1:], sums.q, sums.k
    weights = np.empty((p, p, groups, count))  # of the group's columns in what it explains
    for a in range(p):
        for b in range(a + 1):
            product = sum(first.half[i][a] * first.half[i][b] for i in range(p)) / square[:, None]
            weights[a, b] = weights[b, a] = product.T
    symmetric = np.triu_indices(p)
    by_group = np.moveaxis(weights[symmetric], 0, 1).reshape(-1, count)  # (G P, S)
    out = np.zeros((count, q + k + 1, q + k + 1))
    rest = np.einsum("abgs,bgc->gacs", weights, sums.own_rest)  # (G, p, k + 1, S)
    own_rest = np.moveaxis(sums.own_rest, 0, 1).reshape(groups * p, k + 1)
    flat = rest.reshape(groups * p, -1)
    across = (own_rest.T @ flat).reshape(k + 1, k + 1, count)
    out[:, q:, q:] = np.moveaxis(sums.rest[:, :, None] - across, 2, 0)
    if q:
        met = (sums.among[:, None] - sums.by_group @ by_group).T  # (S, pairs)
        out[:, sums.pairs[0], sums.pairs[1]] = met
        out[:, sums.pairs[1, sums.beside], sums.pairs[0, sums.beside]] = met[:, sums.beside]
        explained = (sums.left_with @ flat).reshape(q, k + 1, count)
        out[:, q:, :q] = (sums.left_rest[:, :, None] - explained).T
    out /= square[:, None, None]
    _scale(sums, values, out)
    prior = np.column_stack([sums.fixed.prior, sums.fixed.pull])
    out[:, q:, q:] += prior.T @ prior
    return out


def _scale(sums: Sums, values: FloatArray, out: FloatArray) -> None:
    """Multiply the rows and columns of other factors by their D, and add the precision of v."""
    start, n = 0, out.shape[1]
    for at in sums.others:
        factor, root = sums.model.factors[at], roots(sums, at, values)
        p, end = factor.width, start + factor.size
        rows = out[:, start:end].reshape(len(out), factor.groups, p, n)
        columns = out[:, :, start:end].reshape(len(out), n, factor.groups, p)
        if p == 1:
            rows *= root
            columns *= root[:, :, 0][:, None]
        else:
            d = root[:, :, :, :, None]
            turned = [sum(d[:, :, m, i] * rows[:, :, m] for m in range(p)) for i in range(p)]
            for i, each in enumerate(turned):
                rows[:, :, i] = each
            d = root[:, None]
            turned = [sum(d[..., m, i] * columns[..., m] for m in range(p)) for i in range(p)]
            for i, each in enumerate(turned):
                columns[..., i] = each
        start = end
    places = np.arange(start)
    out[:, places, places] += 1.0


def cholesky(matrices: FloatArray) -> FloatArray:
    """Return lower Cholesky factors of matrices (S, n, n), given by their lower triangles; NaN for one without.

    Above the diagonal there may be anything. Large matrices are overwritten.
    """
    if matrices.shape[1] >= LARGE:
        return (
            np.stack([_in_place(each) for each in matrices])
            if len(matrices) > 1
            else _in_place(matrices[0])[None]
        )
    try:
        return np.asarray(np.linalg.cholesky(matrices))
    except np.linalg.LinAlgError:
        return np.stack([_in_place(each) for each in matrices])


def _in_place(matrix: FloatArray) -> FloatArray:
    """Return the Cholesky factor of a matrix in its place, or NaN; LAPACK sees a transposed matrix."""
    factor, failed = scipy.linalg.lapack.dpotrf(matrix.T, lower=0, clean=0, overwrite_a=1)
    return np.full_like(matrix, np.nan) if failed else np.asarray(factor.T)
