"""Rows of groups replaced by fewer cells, of affine families: on each line of rows, by a Gauss rule.

The log density of the rows on a line is ``sum a e - sum c A(e)``, with e linear in the place on the line. The second
sum is an integral over a discrete measure, for which a Gauss rule of some nodes stands. The first sum is linear in e:
on two nodes it stays as it is. Cells so made have a density of the same form as rows, log-concave as before. Where c
depends on a further parameter s of the family, c = c0 + s c1, each part is a measure; s is the same on a line.

Cells are compared with all rows where their number is chosen, and again where the draws are (`all_rows`, `sampling`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from formulajoint.arrays import BoolArray, FloatArray, IntArray
from formulajoint.families.affine import Counts
from formulajoint.inference.groupwise.all_rows import added
from formulajoint.inference.groupwise.cells import ALIKE, Batch, Rows, in_groups_of
from formulajoint.inference.groupwise.densities import AffineForm
from formulajoint.inference.groupwise.forecast import forecast
from formulajoint.inference.groupwise.gauss_rules import gauss_rules
from formulajoint.inference.groupwise.lines import Lines, lines_of
from formulajoint.inference.groupwise.model import Model
from formulajoint.inference.groupwise.starts import plausible

NODES = (8, 12, 16, 24)
"""Nodes of the rules that are tried."""

WORTH = 1.5
"""A line has more rows than this times the cells that stand for them."""

MOST_KEPT = 0.7
"""Largest share of rows and cells that is worth it."""

APART = 1e-3
"""The outer nodes of a line are further apart than this, in its length."""

GROUPS, POINTS, SPREAD = 200, 6, 0.3
"""Groups and points psi at which the number of nodes is chosen; sd of these points about a plausible one."""

MOST_MOVED, MOST_SHIFTED = 2e-3, 2e-2
"""Largest sd over points, and mean, of what all rows add to log p(y | psi)."""

C0, C1 = 2, 3
"""Which of the counts are the parts of c."""

NUMBERS = 2**18
"""Numbers of lines times rows that are computed at once."""


def compressed(model: Model) -> Model | None:
    """Return the model with cells in place of rows; None if that is too far off or saves little."""
    if not isinstance(model.form, AffineForm):
        return None
    part = _some_groups(model)
    points = plausible(model) + SPREAD * np.random.default_rng(0).normal(size=(POINTS, model.size))
    share = _groups(part) / _groups(model)
    for count in NODES:
        short = with_cells(part, count)
        if _cells(short) > MOST_KEPT * _cells(part):
            return None
        moved = added(forecast(short, points[0]), part, points) / share
        if np.std(moved) < MOST_MOVED and abs(np.mean(moved)) < MOST_SHIFTED:
            return short if part is model else with_cells(model, count)
    return None


def with_cells(model: Model, count: int) -> Model:
    """Return the model with rules of `count` nodes in place of rows on lines; its batches have the same groups."""
    found = tuple(_compressed(batch, count) for batch in model.batches)
    short = replace(model, batches=found)
    return replace(short, rows=_cells(short), nodes=count)


def _some_groups(model: Model) -> Model:
    """Return the model with some of the groups."""
    edges = np.cumsum([0, *(len(batch.members) for batch in model.batches)])
    if edges[-1] <= GROUPS:
        return model
    chosen = np.unique(np.linspace(0, edges[-1] - 1, GROUPS).astype(np.int64))
    parts = [
        batch.of(chosen[(chosen >= first) & (chosen < last)] - first)
        for batch, first, last in zip(model.batches, edges[:-1], edges[1:], strict=True)
    ]
    return replace(model, batches=tuple(part for part in parts if part.members))


def _groups(model: Model) -> float:
    return float(sum(np.sum(batch.multiplicity) for batch in model.batches))


def _cells(model: Model) -> int:
    """Return the number of cells of groups that are computed."""
    return sum(int(np.count_nonzero(_there(batch))) for batch in model.batches)


def _there(batch: Batch) -> BoolArray:
    """Return which cells (n, G) have rows."""
    return np.any(np.array(batch.counts) != 0, axis=0)


def _compressed(batch: Batch, count: int) -> Batch:
    """Return a batch with rules of `count` nodes in place of rows on lines; the batch itself if it has none."""
    there = _there(batch).T  # (G, n)
    codes = np.nonzero(there)[0]
    columns = np.concatenate([batch.own, batch.shared, batch.offset[None]]).T[there]
    counts = np.array([each.T[there] for each in batch.counts])
    alike, further = codes, batch.further.T[there]
    if further.shape[1]:  # of rows on a line they are the same, too
        alike = np.unique(np.column_stack([codes, further]), axis=0, return_inverse=True)[1].reshape(-1)
        order = np.argsort(alike, kind="stable")
        alike, codes, columns = alike[order], codes[order], columns[order]
        further, counts = further[order], counts[:, order]
    parts = [at for at in (C0, C1) if np.any(counts[at])]
    lines = lines_of(alike, columns, int(WORTH * count * len(parts)) + 1)
    if not len(lines.rows):
        return batch
    kept, made = np.ones(len(codes), dtype=bool), [_Cells(codes, columns, further, counts)]
    for some in _side_by_side(lines.sizes):
        cells, rows = _on_lines(lines, some, made[0], parts, count)
        made.append(cells)
        kept[rows] = False
    made[0] = made[0].of(kept)
    return in_groups_of(batch, _in_order(made, len(batch.own)))


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """The group of each cell (C,), columns, of which the last is the offset (C, m), further ones, and counts (4, C)."""

    codes: IntArray
    columns: FloatArray
    further: FloatArray
    counts: FloatArray

    def of(self, some: BoolArray) -> _Cells:
        return _Cells(self.codes[some], self.columns[some], self.further[some], self.counts[:, some])


def _in_order(made: list[_Cells], p: int) -> Rows:
    """Return cells in the order of groups, without those of no weight."""
    codes = np.concatenate([each.codes for each in made])
    columns = np.concatenate([each.columns for each in made])
    further = np.concatenate([each.further for each in made])
    counts = np.concatenate([each.counts for each in made], axis=1)
    order = np.argsort(codes, kind="stable")
    order = order[np.any(counts[:, order] != 0, axis=0)]
    columns, known = columns[order], Counts(*(counts[:, order]))
    return Rows(codes[order], columns[:, :p], columns[:, p:-1], columns[:, -1], further[order], known)


def _side_by_side(sizes: IntArray) -> Iterator[IntArray]:
    """Yield lines of about as many rows."""
    order = np.argsort(sizes, kind="stable")
    start = 0
    while start < len(order):
        least = int(sizes[order[start]])
        alike = int(np.searchsorted(sizes[order], ALIKE * least, side="right"))
        end = min(alike, start + max(1, NUMBERS // least))
        yield order[start:end]
        start = end


def _on_lines(
    lines: Lines, some: IntArray, rows: _Cells, parts: list[int], count: int
) -> tuple[_Cells, IntArray]:
    """Return cells that stand for the rows on some of the lines, and these rows: of lines that have wide rules.

    Parameters
    ----------
    lines : Lines
    some : (P,) int array
    rows : _Cells
    parts : list of int
        Which counts are measures; the last one's outer nodes have the linear part.
    count : int
        Nodes of a rule.
    """
    sizes = lines.sizes[some]
    at = lines.edges[some][:, None] + np.arange(np.max(sizes))
    there = np.arange(at.shape[1]) < sizes[:, None]
    at = np.where(there, at, 0)
    place = np.where(there, lines.place[at], 0.0)
    counts = np.where(there, rows.counts[:, lines.rows[at]], 0.0)  # (4, P, n)
    rules = {part: gauss_rules(place, counts[part], count) for part in parts}
    low, high = (rules[parts[-1]][0][:, end] for end in (0, -1))
    wide = high - low > APART
    out = np.zeros((4, len(parts), len(some), count))
    for slot, part in enumerate(parts):
        out[part, slot] = rules[part][1]
    total = np.sum(counts[:2], axis=2)
    on_high = (np.sum(counts[:2] * place, axis=2) - total * low) / np.where(wide, high - low, 1.0)
    out[:2, -1, :, 0], out[:2, -1, :, -1] = total - on_high, on_high
    nodes = np.array([rules[part][0] for part in parts])  # (parts, P, K)
    columns = lines.base[some][None, :, None] + nodes[..., None] * lines.direction[some][None, :, None]
    first = np.broadcast_to(lines.rows[lines.edges[some]][:, None], nodes.shape)[:, wide].reshape(-1)
    columns = columns[:, wide].reshape(-1, columns.shape[-1])
    made = _Cells(rows.codes[first], columns, rows.further[first], out[:, :, wide].reshape(4, -1))
    return made, lines.rows[at[there & wide[:, None]]]
