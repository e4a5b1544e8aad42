"""Rows that share group, columns and offset as one cell, and groups with the same cells as one group.

Shapes: N rows, C cells of all groups, n cells of a group, G groups, p columns of a group, k shared ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from formulajoint.arrays import Array, FloatArray, IntArray
from formulajoint.families.affine import Counts
from formulajoint.inference.groupwise.densities import Known, Responses, mapped
from formulajoint.inference.latent.device import NUMPY, Device

ALIKE = 1.3
"""Groups are computed side by side if none has more cells than this factor of the fewest."""

MOST_NUMBERS = 2**15
"""Cells times groups times points of one block by NumPy: arrays of this size stay in the processor's cache."""

WIDEST = 256
"""Most points of such a block."""


class OfGroups(NamedTuple):
    """What groups have beside their rows, as in `Batch`."""

    mean: FloatArray
    fixed: FloatArray
    class_of_group: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Groups of about as many cells; missing cells are zeros.

    Attributes
    ----------
    own : (p, n, G) array
        Columns with a coefficient for each group.
    shared : (k, n, G) array
        Columns with a coefficient for all.
    offset : (n, G) array
    further : (c, n, G) array
        What cells tell of the family's further parameters.
    counts : Counts or Responses
        Each (n, G).
    mean, fixed : (p, G) arrays
        Mean and sd of coefficients that are not pooled, else 0.
    members : tuple of int arrays
        For each group the groups of the data that are like it.
    class_of_group : (G,) int array
        Which groups share coefficients (``ties.py``).
    """

    own: Array
    shared: Array
    offset: Array
    further: FloatArray
    counts: Known
    mean: Array
    fixed: Array
    members: tuple[IntArray, ...]
    class_of_group: IntArray

    @property
    def cells(self) -> int:
        """n."""
        return int(self.offset.shape[0])

    @property
    def multiplicity(self) -> FloatArray:
        """How many groups of the data each group stands for, (G,)."""
        return np.array([len(each) for each in self.members], dtype=float)

    def of(self, groups: IntArray, device: Device = NUMPY) -> Batch:
        """Return some of the groups of a batch that is on `device`."""
        beside = self.further[:, :, groups], self.class_of_group[groups]
        return self._with(
            lambda each: device.chosen(each, groups), tuple(self.members[at] for at in groups), *beside
        )

    def on(self, device: Device) -> Batch:
        """Return the batch with its arrays, which are NumPy's, on a device."""
        return (
            self
            if device is NUMPY
            else self._with(device.put, self.members, self.further, self.class_of_group)
        )

    def _with(
        self,
        of: Callable[[Array], Array],
        members: tuple[IntArray, ...],
        further: FloatArray,
        classes: IntArray,
    ) -> Batch:
        columns, counts = (of(self.own), of(self.shared), of(self.offset)), mapped(self.counts, of)
        return Batch(*columns, further, counts, of(self.mean), of(self.fixed), members, classes)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows as the engine takes them.

    Attributes
    ----------
    codes : (N,) int array
        The group of each row.
    own : (N, p) array
    shared : (N, k) array
    offset : (N,) array
    further : (N, c) array
        What they tell of the family's further parameters (``further.py``).
    counts : Counts or Responses
        Times the rows' weights.
    """

    codes: IntArray
    own: FloatArray
    shared: FloatArray
    offset: FloatArray
    further: FloatArray
    counts: Known


def collapsed(rows: Rows) -> Rows:
    """Return one row for each group and set of columns, in the order of groups; its counts are sums.

    Of a smooth family rows with the same response, too.
    """
    also = rows.counts[1:] if isinstance(rows.counts, Responses) else ()
    key = np.column_stack([rows.codes, *_columns(rows), *also]) + 0.0  # no negative zeros
    order = np.lexsort(key.T[::-1])
    sorted_ = key[order]
    first = np.flatnonzero(np.r_[True, np.any(sorted_[1:] != sorted_[:-1], axis=1)])
    chosen = order[first]
    counts: Known
    if isinstance(rows.counts, Responses):
        weight, y, trials = rows.counts
        counts = Responses(np.add.reduceat(weight[order], first), y[chosen], trials[chosen])
    else:
        counts = Counts(*(np.add.reduceat(each[order], first) for each in rows.counts))
    own, shared, offset, further = (each[chosen] for each in _columns(rows))
    return Rows(rows.codes[chosen], own, shared, offset, further, counts)


def _columns(rows: Rows) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return what must be the same in all rows of a cell."""
    return rows.own, rows.shared, rows.offset, rows.further


def batches(rows: Rows, beside: OfGroups) -> tuple[Batch, ...]:
    """Return collapsed rows by group, groups that are alike as one."""
    mean, fixed, class_of_group = beside
    groups = mean.shape[1]
    edges = np.searchsorted(rows.codes, np.arange(groups + 1))
    table = np.column_stack([*_columns(rows), *rows.counts])
    found: dict[bytes, list[int]] = {}
    for group in range(groups):
        own = table[edges[group] : edges[group + 1]].tobytes()
        also = (mean[:, group], fixed[:, group], class_of_group[group])
        found.setdefault(own + b"".join(each.tobytes() for each in also), []).append(group)
    alike = sorted(found.values(), key=lambda some: edges[some[0] + 1] - edges[some[0]])
    return tuple(_batch(rows, edges, beside, some) for some in _side_by_side(alike, edges))


def in_groups_of(batch: Batch, rows: Rows) -> Batch:
    """Return other rows of the groups of a batch, in their order."""
    groups = len(batch.members)
    edges = np.searchsorted(rows.codes, np.arange(groups + 1))
    beside = OfGroups(batch.mean, batch.fixed, batch.class_of_group)
    made = _batch(rows, edges, beside, [[group] for group in range(groups)])
    return replace(made, members=batch.members)


def _side_by_side(alike: list[list[int]], edges: IntArray) -> Iterator[list[list[int]]]:
    some: list[list[int]] = []
    for each in alike:
        size = edges[each[0] + 1] - edges[each[0]]
        if some and size > ALIKE * max(edges[some[0][0] + 1] - edges[some[0][0]], 1):
            yield some
            some = []
        some.append(each)
    if some:
        yield some


def _batch(rows: Rows, edges: IntArray, beside: OfGroups, some: list[list[int]]) -> Batch:
    mean, fixed, class_of_group = beside
    first = np.array([members[0] for members in some])
    sizes = edges[first + 1] - edges[first]
    place = edges[first] + np.arange(max(int(np.max(sizes)), 1))[:, None]
    there = np.arange(len(place))[:, None] < sizes
    place = np.where(there, place, 0)

    def taken(values: FloatArray) -> FloatArray:  # (C,) -> (n, G)
        return np.where(there, values[place], 0.0)

    def columns(values: FloatArray) -> FloatArray:
        out = np.empty((values.shape[1], *place.shape))
        for at, column in enumerate(values.T):
            out[at] = taken(column)
        return out

    return Batch(
        columns(rows.own),
        columns(rows.shared),
        taken(rows.offset),
        columns(rows.further),
        _taken_counts(rows.counts, taken, place),
        mean[:, first],
        fixed[:, first],
        tuple(np.array(members) for members in some),
        class_of_group[first],
    )


def _taken_counts(counts: Known, taken: Callable[[FloatArray], FloatArray], place: IntArray) -> Known:
    """Return counts by group; missing cells stand for no row, and have the response of some row."""
    if isinstance(counts, Responses):
        return Responses(taken(counts.weight), counts.y[place], counts.trials[place])
    return Counts(*map(taken, counts))


def blocks(batch: Batch, points: int, device: Device = NUMPY) -> Iterator[tuple[IntArray, slice]]:
    """Yield groups of a batch and points that are computed at once, on a device."""
    n, groups = batch.offset.shape
    most = MOST_NUMBERS if device is NUMPY else device.pairs
    wide = int(np.clip(most // n, 1, WIDEST if device is NUMPY else most))
    few = max(1, most // (n * min(wide, max(points, 1))))
    for start in range(0, groups, few):
        chosen = np.arange(start, min(start + few, groups))
        for first in range(0, points, wide):
            yield chosen, slice(first, min(first + wide, points))
