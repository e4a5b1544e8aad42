"""Counts, means and squares of numbers in cells: made of rows, merged, and turned into rows again.

Shapes: N rows, C cells, q numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.data.rows import Cells
from formulajoint.data.triangles import triangles


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """The rows of each cell as few numbers.

    Attributes
    ----------
    counts : (C,) int array
        Rows.
    weights : (C,) array
        Sums of the row weights.
    means : (C, q) array
    roots : (C, q, q) array
        R with R'R the weighted squares and products about the means. Of a cell of n rows at most the first n - 1 rows
        of R are not zero.
    """

    counts: IntArray
    weights: FloatArray
    means: FloatArray
    roots: FloatArray

    @property
    def squares(self) -> FloatArray:
        """The weighted squares and products about the means, (C, q, q)."""
        return np.asarray(np.einsum("cij,cik->cjk", self.roots, self.roots))

    def beside(self, other: Sums) -> Sums:
        """Return the sums of the cells of both, one after another."""
        return Sums(
            np.concatenate([self.counts, other.counts]),
            np.concatenate([self.weights, other.weights]),
            np.concatenate([self.means, other.means]),
            np.concatenate([self.roots, other.roots]),
        )

    def of(self, numbers: Sequence[int]) -> Sums:
        """Return the sums of some of the numbers."""
        if list(numbers) == list(range(self.means.shape[1])):
            return self
        q, chosen = len(numbers), self.roots[:, :, numbers]
        cells = Cells(np.repeat(np.arange(len(self.counts)), chosen.shape[1]), len(self.counts))
        found = triangles(list(chosen.reshape(-1, q).T), cells) if q else chosen[:, :0]
        return Sums(self.counts, self.weights, self.means[:, numbers], _of_rank(found, self.counts))


def sums_of_rows(numbers: Sequence[FloatArray], cells: Cells, row_weights: FloatArray | None) -> Sums:
    """Return the sums of the rows of each cell, by QR."""
    w = np.ones(len(cells.codes)) if row_weights is None else row_weights
    counts, weights = np.bincount(cells.codes, minlength=cells.count), cells.sums(w)
    start = np.empty((cells.count, len(numbers)))
    root, table = np.sqrt(w), list[FloatArray]()
    for j, x in enumerate(numbers):
        start[:, j] = cells.sums(w * (x - x[0])) / weights + x[0]
        table.append((x - start[cells.codes, j]) * root)
    return _from_triangles(triangles([root, *table], cells), counts, weights, start)


def merged(sums: Sums, codes: IntArray, count: int) -> Sums:
    """Return the sums of the cells with the same code, (count,)."""
    q = sums.means.shape[1]
    weights = np.bincount(codes, sums.weights, count)
    start = np.empty((count, q))
    for j, mean in enumerate(sums.means.T):
        start[:, j] = np.bincount(codes, sums.weights * (mean - mean[0]), count) / weights + mean[0]
    root = np.sqrt(sums.weights)
    about = np.column_stack([root, root[:, None] * (sums.means - start[codes])])
    below = np.column_stack([np.zeros(len(codes) * q), sums.roots.reshape(len(codes) * q, q)])
    cells = Cells(np.concatenate([codes, np.repeat(codes, q)]), count)
    found = triangles(list(np.concatenate([about, below]).T), cells)
    counts = np.bincount(codes, sums.counts, count).astype(np.int64)
    return _from_triangles(found, counts, weights, start)


def _from_triangles(found: FloatArray, counts: IntArray, weights: FloatArray, start: FloatArray) -> Sums:
    """Return sums from triangles of [root of weights, numbers about `start`]."""
    means = start + found[:, 0, 1:] / found[:, 0, :1]
    return Sums(counts, weights, means, _of_rank(found[:, 1:, 1:], counts))


def rows_of(sums: Sums) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return rows with the same counts, means and squares: cell of each, weights (N,) and numbers (N, q).

    A cell of n rows has min(n, q + 1) of them, of equal weights: its mean, plus R turned by an orthogonal matrix whose
    columns sum to zero.
    """
    q = sums.means.shape[1]
    sizes = np.minimum(sums.counts, q + 1)
    cells = np.repeat(np.arange(len(sizes)), sizes)
    each = sums.weights / sizes
    numbers = sums.means[cells]
    first = np.cumsum(sizes) - sizes
    for size in np.unique(sizes[sizes > 1]):
        same = np.flatnonzero(sizes == size)
        turn = contrasts(int(size))
        moved = (
            np.einsum("ij,cjk->cik", turn, sums.roots[same, : size - 1]) / np.sqrt(each[same])[:, None, None]
        )
        numbers[first[same][:, None] + np.arange(size)] += moved
    return cells, each[cells], numbers


def contrasts(size: int) -> FloatArray:
    """Return Helmert's contrasts of `size` levels, each of length one (size, size - 1)."""
    out = np.zeros((size, size - 1))
    for j in range(size - 1):
        out[: j + 1, j], out[j + 1, j] = 1.0, -(j + 1)
        out[:, j] /= np.sqrt((j + 1) * (j + 2))
    return out


def _of_rank(roots: FloatArray, counts: IntArray) -> FloatArray:
    """Return roots of the same squares in which a cell of n rows has at most n - 1 that are not zero."""
    beyond = np.arange(roots.shape[1]) >= (counts - 1)[:, None]
    spread = np.flatnonzero(np.any(np.any(roots != 0, axis=2) & beyond, axis=1))
    if not len(spread):
        return roots
    out = roots.copy()
    _, sizes, turned = np.linalg.svd(roots[spread])
    out[spread] = np.where(beyond[spread], 0.0, sizes)[:, :, None] * turned
    return out
