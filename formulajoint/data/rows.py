"""The rows of a model: what is read of them, and sums over them.

Shapes: N rows, G groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.design.schema import Design, Grouping, Predictor, Term


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
class Rows:
    """Rows of a regression: those of the data, or fewer with the same cross-products.

    Attributes
    ----------
    columns : tuple of (N,) arrays
    y : (N,) array
    weights : (N,) array or None
    cells : Cells
    """

    columns: tuple[FloatArray, ...]
    y: FloatArray
    weights: FloatArray | None
    cells: Cells


def read_rows(design: Design, predictor: Predictor, cells: Cells) -> Rows:
    """Return the rows of a predictor's columns and of the response less the predictor's offset.

    Where standard errors are known they are in units of these.
    """
    columns = (in_units(column, design) for term in predictor.terms for column in term.columns.T)
    y = in_units(less_offset(design, predictor), design)
    return Rows(tuple(np.ascontiguousarray(column) for column in columns), y, design.row_weights, cells)


def stack(terms: Sequence[Term], rows: int) -> FloatArray:
    """Return the columns of `terms` side by side, (N, p)."""
    return np.hstack([term.columns for term in terms]) if terms else np.empty((rows, 0))


def in_units(values: FloatArray, design: Design) -> FloatArray:
    """Return values (N,) divided by the known standard errors; unchanged if none are known."""
    return values if design.standard_errors is None else values / design.standard_errors


def less_offset(design: Design, predictor: Predictor | None = None) -> FloatArray:
    """Return the response on the mean's scale, less the offset of a predictor, that of the mean by default, (N,)."""
    offset = (predictor or design.predictor).offset
    return design.response.scale if offset is None else design.response.scale - offset


def frequencies(design: Design) -> FloatArray:
    """Return how many rows each row counts as, (N,)."""
    return np.ones(design.rows.used) if design.row_weights is None else design.row_weights


def cells_of(grouping: Grouping | None, rows: int) -> Cells:
    """Return the cells of a grouping; without one, all rows are in one."""
    if grouping is None:
        return Cells(np.zeros(rows, dtype=np.int64), 1)
    return Cells(grouping.codes, len(grouping))


def larger_of(cells: Cells, larger: Cells) -> IntArray | None:
    """Return the larger cell in which each of `cells` lies, (count,); None if one has rows in several."""
    out = np.zeros(cells.count, dtype=np.int64)
    out[cells.codes] = larger.codes
    return out if np.array_equal(out[cells.codes], larger.codes) else None


def about_mean(values: FloatArray, weights: FloatArray, grouping: Grouping | None) -> FloatArray:
    """Return the weighted sum of squares of `values` (N,) about their mean, by group, (G,)."""
    cells = cells_of(grouping, len(values))
    mean = cells.sums(weights * values) / cells.sums(weights)
    return cells.sums(weights * (values - mean[cells.codes]) ** 2)
