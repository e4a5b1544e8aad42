"""The data reduced in one pass to triangles of QR decompositions, by group and by sigma. No later step depends on the
number of rows.

With C = [X, Z, y] of the rows of a group, p per-group columns, k shared ones and the response, C = Q R. At most the
first p rows of R contain the group's coefficients; the rows below contain the shared ones alone, and those of one sigma
are reduced to one last triangle. Its last element is the root of the residual sum of squares: no sum of squares is ever
the difference of two large ones, so that digits suffice until residuals are of the size of rounding.

A least-squares fit of all rows together is subtracted from the response first. Any reference is exact, because priors
are shifted by the same amount; this one keeps digits where a response is far from zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from formulajoint.arrays import FloatArray, IntArray

PIECE = 4096
"""Numbers in one matrix for LAPACK, if there are many rows: above 9216 BLAS starts threads, and sums vary."""

BATCH = 2**18
"""Most numbers in one stack of matrices, so that it stays in the cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The cell of each row, one of `count`: groups, or the rows of one sigma."""

    codes: IntArray
    count: int

    def sums(self, values: FloatArray) -> FloatArray:
        """Return the sum of `values` (N,) in each cell."""
        if self.count == 1:
            return np.array([values.sum()])
        return np.bincount(self.codes, weights=values, minlength=self.count)


@dataclass(frozen=True, slots=True, eq=False)
class Triangles:
    """The weighted rows of C = [X, Z, y], compressed to triangles with the same cross-products.

    Attributes
    ----------
    own : (p, p + k + 1, G) array
        The rows of each group that contain its own coefficients. Row i has zeros at the first i columns taken out.
    rest : (H, k + 1, k + 1) array
        The triangle of what is left of [Z, y] in the rows of each sigma.
    rows : (H,) array
        Sums of the row weights.
    reference : (p + k,) array
        Coefficients whose fit was subtracted from the response.
    rounding : (H,) array
        Root mean square of the rounding errors in a row: below it residuals are unknown.
    """

    own: FloatArray
    rest: FloatArray
    rows: FloatArray
    reference: FloatArray
    rounding: FloatArray


def reduce_rows(
    columns: Sequence[FloatArray],
    y: FloatArray,
    weights: FloatArray | None,
    order: Sequence[int],
    groups: Cells,
    sigmas: Cells,
    sigma_of_group: IntArray,
    movable: NDArray[np.bool_],
) -> Triangles:
    """Return the triangles of y (N,) on p + k columns (N,).

    Parameters
    ----------
    columns : sequence of (N,) arrays
        The p per-group ones first.
    y : (N,) array
    weights : (N,) array or None
        Row weights.
    order : sequence of int
        Order in which the p per-group columns are taken out.
    groups, sigmas : Cells
        Cells of the G groups of coefficients, and of the H residual sds.
    sigma_of_group : (G,) int array
    movable : (p + k,) bool array
        Columns that the reference may use.
    """
    p, root = len(order), None if weights is None else np.sqrt(weights)
    reference, left = _taken_off(columns, y, weights, movable)
    table = [columns[j] for j in order] + [*columns[p:], left]
    table = table if root is None else [column * root for column in table]
    if p:
        found = triangles(table, groups)
        own, below = found[:, :p], found[:, p:, p:]
        again = Cells(np.repeat(sigma_of_group, below.shape[1]), sigmas.count)
        rest = triangles(list(below.reshape(-1, below.shape[2]).T), again)
    else:
        own, rest = np.zeros((1, 0, len(table))), triangles(table, sigmas)
    back = [*np.argsort(np.array(order, dtype=np.int64)), *range(p, len(table))]
    own = np.ascontiguousarray(np.moveaxis(own[:, :, back], 0, 2))
    rows = sigmas.sums(np.ones(len(y)) if weights is None else weights)
    squares = squares_by_sigma(own, rest, sigma_of_group)
    sizes = np.sqrt(sigmas.sums(y**2 if weights is None else y**2 * weights))
    sizes = sizes + abs(reference) @ np.sqrt(squares[:-1])
    return Triangles(own, rest, rows, reference, np.finfo(float).eps * sizes / np.sqrt(rows))


def squares_by_sigma(own: FloatArray, rest: FloatArray, sigma_of_group: IntArray) -> FloatArray:
    """Return the sums of squares of all columns and y in the rows of each sigma (p + k + 1, H)."""
    p, q = own.shape[:2]
    out = np.zeros((q, len(rest)))
    cells = Cells(sigma_of_group, len(rest))
    for c in range(q if p else 0):
        out[c] = cells.sums(np.sum(own[:, c] ** 2, axis=0))
    out[p:] += np.sum(rest**2, axis=1).T
    return out


def triangles(columns: Sequence[FloatArray], cells: Cells) -> FloatArray:
    """Return R of the QR decomposition of the rows of `columns`, q of (N,), in each cell: (count, q, q).

    A cell with fewer than q rows has rows of zeros below. Householder's QR keeps all digits in each column,
    whatever its units. Long cells are cut into pieces, whose triangles are decomposed again (Demmel et al., SIAM
    Journal on Scientific Computing 2012).
    """
    q = len(columns)
    lengths = np.bincount(cells.codes, minlength=cells.count)
    in_order = bool(np.all(cells.codes[1:] >= cells.codes[:-1]))
    order = None if in_order else np.argsort(_short(cells), kind="stable")
    longest = max(2 * q, PIECE // q)
    pieces = np.maximum(-(-lengths // longest), 1)
    owner = np.repeat(np.arange(cells.count), pieces)
    position = np.arange(len(owner)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    first = (np.cumsum(lengths) - lengths)[owner] + position * longest
    sizes = np.minimum(longest, np.cumsum(lengths)[owner] - first)
    found, padded = np.zeros((len(owner), q, q)), _padded(sizes)
    for size in np.unique(padded[sizes > 0]):
        same = np.flatnonzero(padded == size)
        for some in np.array_split(same, -(-len(same) * size * q // BATCH)):
            r = np.linalg.qr(_stack(columns, order, first[some], sizes[some], size), mode="r")
            found[some, : r.shape[1]] = r
    if len(owner) == cells.count:
        return found
    return triangles(list(found.reshape(-1, q).T), Cells(np.repeat(owner, q), cells.count))


def reordered(own: FloatArray, order: IntArray) -> FloatArray:
    """Return groups' rows (p, p + k + 1, G) with their p columns taken out in another order."""
    table = np.moveaxis(np.concatenate([own[:, order], own[:, len(order) :]], axis=1), 2, 0)
    return np.ascontiguousarray(np.moveaxis(np.linalg.qr(table, mode="r"), 0, 2))


def _short(cells: Cells) -> NDArray[np.integer]:
    """Return the codes in 16 bits if they fit: sorting these is ten times faster."""
    return cells.codes.astype(np.uint16) if cells.count < 2**16 else cells.codes


def _padded(sizes: IntArray) -> IntArray:
    """Return sizes rounded up, by an eighth at most, so that few distinct sizes remain."""
    step = 2 ** np.maximum(np.floor(np.log2(np.maximum(sizes, 1))).astype(np.int64) - 3, 0)
    return np.asarray(-(-sizes // step) * step)


def _stack(
    columns: Sequence[FloatArray], order: IntArray | None, first: IntArray, sizes: IntArray, size: int
) -> FloatArray:
    """Return the rows of pieces that begin at `first`, zeros below: (pieces, size, q)."""
    steps = np.arange(size)
    there = steps < sizes[:, None]
    at = np.where(there, first[:, None] + steps, 0)
    at = at if order is None else order[at]
    out = np.empty((len(first), size, len(columns)))
    for j, column in enumerate(columns):
        out[:, :, j] = np.where(there, column[at], 0.0)
    return out


def _taken_off(
    columns: Sequence[FloatArray], y: FloatArray, weights: FloatArray | None, movable: NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray]:
    """Return the coefficients of a fit to all rows, and its residuals."""
    reference, used = np.zeros(len(columns)), [at for at, free in enumerate(movable) if free]
    if not used:
        return reference, y
    weighted = [columns[i] if weights is None else columns[i] * weights for i in used]
    squares = np.array([[np.sum(a * columns[i]) for i in used] for a in weighted])
    size = np.sqrt(np.diag(squares))
    size[size == 0] = 1.0
    left = y
    for _ in range(2):  # the second time for the digits lost in the first
        # `@` would sum in threads, and the sum would depend on their number.
        along = np.array([np.sum(a * left) for a in weighted])
        step = np.linalg.lstsq(squares / np.outer(size, size), along / size)[0] / size
        for i, move in zip(used, step, strict=True):
            left = left - move * columns[i]
            reference[i] += move
    return reference, left
