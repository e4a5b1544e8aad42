"""Rows reduced in one pass to triangles of QR decompositions, one a cell. No later step depends on the number of rows.

With C = [X, Z, y] of the rows of a group, p per-group columns, k shared ones and the response, C = Q R. At most the
first p rows of R contain the group's coefficients; the rows below contain the shared ones alone, and those of one sigma
are reduced to one last triangle. Its last element is the root of the residual sum of squares: no sum of squares is ever
the difference of two large ones, so that digits suffice until residuals are of the size of rounding.

A least-squares fit of all rows together is subtracted from the response first. Any reference is exact, because priors
are shifted by the same amount; this one keeps digits where a response is far from zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.data.layout import Layout
from formulajoint.data.rows import Cells, Rows

PIECE = 4096
"""Numbers in one matrix for LAPACK, if there are many rows: above 9216 BLAS starts threads, and sums vary."""

ROUNDING = 64 * float(np.finfo(float).eps)
"""What is left of a column below this share of its length counts as rounding errors."""

BATCH = 2**18
"""Most numbers in one stack of matrices, so that it stays in the cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Reduced:
    """The rows of each cell as a triangle with the same cross-products, row weights included.

    Attributes
    ----------
    columns : (C, m, Q) array
        By their number. In the order of the layout, response before known columns, they form a triangle.
    left : (C, m) array
        The response less the fit of the reference.
    reference : (Q,) array
        Coefficients whose fit was subtracted: constants, and those of a fit to all rows.
    """

    columns: FloatArray
    left: FloatArray
    reference: FloatArray

    def y(self, columns: Sequence[int]) -> FloatArray:
        """Return the response less the fit of the reference's other columns (C, m)."""
        chosen = list(columns)
        return self.left + _fit(self.columns[:, :, chosen], self.reference[chosen])


def reduce_rows(rows: Rows, layout: Layout) -> Reduced:
    """Return the triangles of rows in each cell."""
    root = None if rows.weights is None else np.sqrt(rows.weights)
    reference, left = _taken_off(rows, layout)
    ordered = [*layout.order, *layout.shared]
    last = [column for column, _ in layout.known]
    table = [*(rows.columns[j] for j in ordered), left, *(rows.columns[j] for j in last)]
    table = table if root is None else [column * root for column in table]
    found = triangles(table, rows.cells)
    columns = np.zeros((*found.shape[:2], len(rows.columns)))
    columns[:, :, ordered] = found[:, :, : len(ordered)]
    columns[:, :, last] = found[:, :, len(ordered) + 1 :]
    return Reduced(columns, found[:, :, len(ordered)], reference)


@dataclass(frozen=True, slots=True, eq=False)
class Triangles:
    """The rows of groups of coefficients apart from those of the shared ones.

    Attributes
    ----------
    own : (m, p + k + 1, G) array
        The rows of each group that contain its own coefficients: p, or those of each residual sd, sd by sd, where
        groups have rows of several. Row i of them has zeros at the first i columns taken out.
    rest : (H, k + 1, k + 1) array
        The triangle of what is left of [Z, y] in the rows of each sigma.
    rows : (H,) array
        Sums of the row weights.
    reference : (p + k,) array
        Coefficients whose fit was subtracted from the response.
    rounding : (H,) array
        Root mean square of the rounding errors in a row: below it residuals are unknown.
    sigma_of_row : (m,) int array or None
        Where groups have rows of several residual sds, that of each row of theirs; else None.
    """

    own: FloatArray
    rest: FloatArray
    rows: FloatArray
    reference: FloatArray
    rounding: FloatArray
    sigma_of_row: IntArray | None = None


def eliminated(found: Reduced, layout: Layout, sigma_of_cell: IntArray, rows: FloatArray) -> Triangles:
    """Return the triangles of cells, each a group of own coefficients, or any rows of one sigma if there are none.

    Parameters
    ----------
    found : Reduced
    layout : Layout
        That of `found`.
    sigma_of_cell : (C,) int array
    rows : (H,) array
        Sums of the row weights.
    """
    kept, p, sigmas = list(layout.kept), len(layout.own), Cells(sigma_of_cell, len(rows))
    sizes = np.sqrt(sigmas.sums(np.sum(found.y(layout.moved) ** 2, axis=1)))
    size = len(kept) + 1
    table = np.concatenate([found.columns[:, :size, kept], found.left[:, :size, None]], axis=2)
    own, rest = table[:, :p], table[:, p:, p:]
    if p or not np.array_equal(sigma_of_cell, np.arange(len(rows))):
        again = Cells(np.repeat(sigma_of_cell, rest.shape[1]), len(rows))
        rest = triangles(list(rest.reshape(-1, rest.shape[2]).T), again)
    if not p:
        own, sigma_of_cell = np.zeros((1, 0, size)), np.zeros(1, dtype=np.int64)
    own = np.ascontiguousarray(np.moveaxis(own, 0, 2))
    return _made(found, layout, sizes, Triangles(own, rest, rows, _NONE, _NONE), sigma_of_cell)


def eliminated_crossed(
    found: Reduced, layout: Layout, groups: IntArray, sigma_of_cell: IntArray, rows: FloatArray
) -> Triangles:
    """Return the triangles of cells, each the rows of one group and one residual sd, for groups that have several.

    In each cell of a residual sd the columns that are zero there are taken out last, and what is left of columns that
    depend on others is zero: in rows of one arm, an intercept and the arm are one column.

    Parameters
    ----------
    found : Reduced
    layout : Layout
        That of `found`.
    groups, sigma_of_cell : (C,) int array
    rows : (H,) array
        Sums of the row weights.
    """
    kept, p, count = list(layout.kept), len(layout.own), int(np.max(groups)) + 1
    sizes = np.sqrt(Cells(sigma_of_cell, len(rows)).sums(np.sum(found.y(layout.moved) ** 2, axis=1)))
    taken = [kept.index(column) for column in layout.order]
    table = np.concatenate([found.columns[:, :, kept], found.left[:, :, None]], axis=2)
    own, of, rest = list[FloatArray](), list[int](), list[FloatArray]()
    for sigma in range(len(rows)):
        some = table[sigma_of_cell == sigma]
        there = [j for j in taken if np.any(some[:, :, j])]
        order = [*there, *(j for j in range(some.shape[2]) if j not in there)]
        turned = np.empty_like(some)
        turned[:, :, order] = _without_rounding(some[:, :, order], len(there))
        used = [i for i in range(some.shape[1]) if np.any(turned[:, i, :p])]
        of_groups = np.zeros((len(used), some.shape[2], count))
        of_groups[:, :, groups[sigma_of_cell == sigma]] = np.moveaxis(turned[:, used], 0, 2)
        own.append(of_groups)
        of += [sigma] * len(used)
        left = np.delete(turned, used, axis=1)[:, :, p:].reshape(-1, some.shape[2] - p)
        rest.append(triangles(list(left.T), Cells(np.zeros(len(left), dtype=np.int64), 1))[0])
    made = Triangles(np.concatenate(own), np.stack(rest), rows, _NONE, _NONE, np.array(of, dtype=np.int64))
    return _made(found, layout, sizes, made, np.zeros(count, dtype=np.int64))


_NONE = np.empty(0)
"""In place of arrays that are still to be computed."""


def _without_rounding(table: FloatArray, own: int) -> FloatArray:
    """Return the triangles of rows (C, m, q), whose first columns are `own`, with zeros in place of rounding errors."""
    lengths = np.sqrt(np.sum(table[:, :, :own] ** 2, axis=1, keepdims=True))
    found = np.linalg.qr(table, mode="r")
    out = np.zeros_like(table)
    out[:, : found.shape[1]] = found
    first = out[:, :, :own]
    first[abs(first) <= ROUNDING * lengths] = 0.0
    return out


def _made(
    found: Reduced, layout: Layout, sizes: FloatArray, made: Triangles, sigma_of_group: IntArray
) -> Triangles:
    """Return triangles with their reference and the rounding errors; `sizes` are those of the response."""
    kept = list(layout.kept)
    reference = np.where(np.isin(kept, layout.moved), found.reference[kept], 0.0)
    squares = squares_by_sigma(made.own, made.rest, sigma_of_group, made.sigma_of_row)
    sizes = sizes + abs(reference) @ np.sqrt(squares[:-1])
    rounding = np.finfo(float).eps * sizes / np.sqrt(made.rows)
    return replace(made, reference=reference, rounding=rounding)


def reduced_again(found: Reduced, layout: Layout, cells: Cells) -> Reduced:
    """Return the triangles in another layout, from the rows of triangles in place of those of the data.

    `cells` are those of the triangles' rows.
    """
    start = np.zeros_like(found.reference)
    start[list(layout.moved)] = found.reference[list(layout.moved)]
    y = found.left + _fit(found.columns, found.reference - start)
    columns = np.ascontiguousarray(np.moveaxis(found.columns, 2, 0)).reshape(len(start), -1)
    again = reduce_rows(Rows(tuple(columns), y.ravel(), None, cells), layout)
    return replace(again, reference=again.reference + start)


def _fit(columns: FloatArray, coefficients: FloatArray) -> FloatArray:
    """Return the columns (C, m, q) times coefficients (q,); `@` would sum in threads, and depend on their number."""
    return np.asarray(np.einsum("cmq,q->cm", columns, coefficients))


def squares_by_sigma(
    own: FloatArray, rest: FloatArray, sigma_of_group: IntArray, sigma_of_row: IntArray | None = None
) -> FloatArray:
    """Return the sums of squares of all columns and y in the rows of each sigma (p + k + 1, H)."""
    m, q = own.shape[:2]
    out = np.zeros((q, len(rest)))
    cells = Cells(sigma_of_group if sigma_of_row is None else sigma_of_row, len(rest))
    for c in range(q if m else 0):
        out[c] = cells.sums(np.sum(own[:, c] ** 2, axis=0 if sigma_of_row is None else 1))
    out[q - rest.shape[2] :] += np.sum(rest**2, axis=1).T
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


def positive(triangle: FloatArray) -> FloatArray:
    """Return the signs of the rows of a triangle that make its diagonal positive (q,): LAPACK's depend on the rows."""
    return np.where(np.diagonal(triangle) < 0, -1.0, 1.0)


def reordered(own: FloatArray, order: IntArray, again: bool = True) -> FloatArray:
    """Return groups' rows (m, p + k + 1, G) with their p columns in another order, and taken out `again` in it."""
    table = np.concatenate([own[:, order], own[:, len(order) :]], axis=1)
    if not again:
        return table
    table = np.moveaxis(table, 2, 0)
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


def _taken_off(rows: Rows, layout: Layout) -> tuple[FloatArray, FloatArray]:
    """Return the reference (Q,), and the response less its fit (N,)."""
    reference, columns, left = np.zeros(len(rows.columns)), rows.columns, rows.y
    for column, value in sorted((*layout.known, *layout.still)):
        left = left - value * columns[column]
        reference[column] = value
    used = layout.moved
    if not used:
        return reference, left
    weighted = [columns[i] if rows.weights is None else columns[i] * rows.weights for i in used]
    squares = np.array([[np.sum(a * columns[i]) for i in used] for a in weighted])
    size = np.sqrt(np.diag(squares))
    size[size == 0] = 1.0
    for _ in range(2):  # the second time for the digits lost in the first
        # `@` would sum in threads, and the sum would depend on their number.
        along = np.array([np.sum(a * left) for a in weighted])
        step = np.linalg.lstsq(squares / np.outer(size, size), along / size)[0] / size
        for i, move in zip(used, step, strict=True):
            left = left - move * columns[i]
            reference[i] += move
    return reference, left
