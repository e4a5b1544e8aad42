"""The data of a model: what inference, results and planning ask of its rows.

The rows are read once, and reduced to a triangle for each cell: the rows of one group and one residual sd. Ranks, least
squares and the likelihood of a Gaussian response are functions of these triangles.

Shapes: C cells, G groups, H residual sds, Q columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.data.layout import Layout
from formulajoint.data.rows import (
    Cells,
    about_mean,
    cells_of,
    frequencies,
    larger_of,
    less_offset,
    read_rows,
)
from formulajoint.data.triangles import (
    Reduced,
    Triangles,
    eliminated,
    eliminated_crossed,
    reduce_rows,
    reduced_again,
    triangles,
)
from formulajoint.design.schema import Design, Grouping, Predictor, Term


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Columns and response in as few rows as have the same cross-products, by group.

    Attributes
    ----------
    columns : (G, m, Q) array
    y, unknown : (G, m) arrays
        The response less the offset, and that less the columns with constant coefficients.
    places : mapping of str to slice
        Columns of each term, by its name.
    rows : (G,) array
        Rows of the data (sum of the row weights) of each group.
    """

    columns: FloatArray
    y: FloatArray
    unknown: FloatArray
    places: Mapping[str, slice]
    rows: FloatArray

    def of(self, terms: Iterable[Term]) -> FloatArray:
        """Return the columns of `terms` side by side, (G, m, k)."""
        parts = [self.columns[:, :, self.places[term.name]] for term in terms]
        return np.concatenate([self.columns[:, :, :0], *parts], axis=2)


@dataclass(frozen=True, slots=True, eq=False)
class _Crossing:
    """The cells of a group and a residual sd: cell of each row, group and sd of each cell."""

    cells: Cells
    groups: IntArray
    sigmas: IntArray


@dataclass(frozen=True, eq=False)
class Data:
    """The rows of a predictor and the response, reduced when first asked.

    Where standard errors are known, triangles are of rows in units of these.

    Attributes
    ----------
    design : Design
    predictor : Predictor
    layout : Layout
        That of the predictor's columns.
    sigma : Grouping or None
        Groups with a residual sd each.
    """

    design: Design
    predictor: Predictor
    layout: Layout
    sigma: Grouping | None = None

    # --- sums

    def rows_of(self, grouping: Grouping | None) -> FloatArray:
        """Return the number of rows (sum of the row weights) of each group, (G,)."""
        return cells_of(grouping, self.design.rows.used).sums(frequencies(self.design))

    def squares_about_mean(self, grouping: Grouping | None) -> FloatArray:
        """Return, by group, the sum of squares about its mean of the response less what is known (G,)."""
        columns = [column for term in self.predictor.terms for column in term.columns.T]
        y = less_offset(self.design, self.predictor)
        for number, value in self.layout.known:
            y = y - columns[number] * value
        return about_mean(y, frequencies(self.design), grouping)

    @property
    def sigma_of_group(self) -> IntArray | None:
        """The residual sd of each group's rows (G,); None if a group has rows of several."""
        cells = self._crossing
        one_each = np.array_equal(cells.groups, np.arange(cells.cells.count))
        return cells.sigmas if one_each else None

    # --- triangles

    @cached_property
    def groups(self) -> Table:
        """The triangles of each group of the predictor; of all rows if it has no groups."""
        return self.by(self.predictor.grouping)

    def by(self, grouping: Grouping | None) -> Table:
        """Return the triangles by group; without a grouping, that of all rows."""
        rows, cells = self.rows_of(grouping), self._crossing
        if grouping is None:
            return self._joined(np.zeros(cells.cells.count, dtype=np.int64), rows)
        if grouping is self.predictor.grouping:
            return self._joined(cells.groups, rows)
        if grouping is self.sigma:
            return self._joined(cells.sigmas, rows)
        return self._table(self._read(cells_of(grouping, self.design.rows.used)), rows)

    def by_sigma(self) -> Iterator[Table]:
        """Yield, for each residual sd, the triangles of its rows by group."""
        rows, of = self._crossing.cells.sums(frequencies(self.design)), self._crossing.sigmas
        for sigma in range(1 if self.sigma is None else len(self.sigma)):
            chosen, found = of == sigma, self._reduced
            part = Reduced(found.columns[chosen], found.left[chosen], found.reference)
            yield self._table(part, rows[chosen])

    def cells(self) -> tuple[Table, IntArray, IntArray]:
        """Return the triangles of each group's rows of one residual sd, with their groups and residual sds."""
        found = self._crossing
        rows = found.cells.sums(frequencies(self.design))
        return self._table(self._reduced, rows), found.groups, found.sigmas

    def triangles(self, layout: Layout) -> Triangles:
        """Return what the likelihood of a Gaussian response needs, in the layout of this model or a null model."""
        found, of, rows = self._reduced, self._crossing.sigmas, self.rows_of(self.sigma)
        if layout != self.layout:
            codes, of = (np.arange(len(of)), of) if layout.own else (of, np.arange(len(rows)))
            found = reduced_again(found, layout, Cells(np.repeat(codes, found.left.shape[1]), len(of)))
        if layout.own and self.sigma_of_group is None:
            return eliminated_crossed(found, layout, self._crossing.groups, of, rows)
        return eliminated(found, layout, of, rows)

    # --- the rows, read once

    @cached_property
    def _crossing(self) -> _Crossing:
        rows = self.design.rows.used
        groups, sigmas = cells_of(self.predictor.grouping, rows), cells_of(self.sigma, rows)
        if groups.count == 1:
            return _Crossing(sigmas, np.zeros(sigmas.count, dtype=np.int64), np.arange(sigmas.count))
        within = larger_of(groups, sigmas)
        if within is not None:
            return _Crossing(groups, np.arange(groups.count), within)
        pairs, codes = np.unique(groups.codes * sigmas.count + sigmas.codes, return_inverse=True)
        return _Crossing(Cells(codes, len(pairs)), pairs // sigmas.count, pairs % sigmas.count)

    @cached_property
    def _reduced(self) -> Reduced:
        return self._read(self._crossing.cells)

    def _read(self, cells: Cells) -> Reduced:
        return reduce_rows(read_rows(self.design, self.predictor, cells), self.layout)

    def _joined(self, codes: IntArray, rows: FloatArray) -> Table:
        """Return the triangles of the cells with the same code, decomposed again."""
        found = self._reduced
        if np.array_equal(codes, np.arange(len(rows))):
            return self._table(found, rows)
        table = np.concatenate([found.columns, found.left[:, :, None]], axis=2)
        flat = np.ascontiguousarray(np.moveaxis(table, 2, 0)).reshape(table.shape[2], -1)
        again = triangles(list(flat), Cells(np.repeat(codes, table.shape[1]), len(rows)))
        return self._table(Reduced(again[:, :, :-1], again[:, :, -1], found.reference), rows)

    def _table(self, found: Reduced, rows: FloatArray) -> Table:
        places, start = {}, 0
        for term in self.predictor.terms:
            places[term.name] = slice(start, start + term.columns.shape[1])
            start += term.columns.shape[1]
        return Table(found.columns, found.y(range(start)), found.y(self.layout.kept), places, rows)
