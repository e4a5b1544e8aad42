"""Averages over rows within each draw: the interval of an average is that of the average's draws.

Shapes: N rows, S draws, C cells that rows are averaged in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.compiler.plan import Plan
from formulajoint.design.model_rows import ModelRows
from formulajoint.distributions.links import IDENTITY

BLOCK = 2**17
"""Rows times draws of one block, 1 MiB of numbers: what is made of them stays in the processor's caches."""

type Quantity = Callable[[Sequence[ModelRows]], tuple[FloatArray, ...]]
"""From rows in one or several scenarios to what is averaged, each (N, S)."""


@dataclass(frozen=True, slots=True, eq=False)
class Scenarios:
    """The same rows as they are in one or several scenarios, with the cell that each is averaged in, and its weight."""

    each: tuple[ModelRows, ...]
    cells: IntArray
    weights: FloatArray


def cell_means(
    of: Scenarios, count: int, quantity: Quantity, draws: int, linear: bool
) -> tuple[FloatArray, ...]:
    """Return the weighted means of quantities in each of `count` cells, each (C, S).

    `draws` is S, and `linear` says that the quantities are linear in the columns.
    """
    rows = in_order(alike(of, linear))
    total: list[FloatArray] = []
    step = max(1, BLOCK // draws)
    for start in range(0, len(rows.cells), step):
        some = slice(start, start + step)
        values = quantity([each.take(some) for each in rows.each])
        cells, first = np.unique(rows.cells[some], return_index=True)
        ends = [*first[1:], len(values[0])]
        if not total:
            total = [np.zeros((count, draws)) for _ in values]
        for cell, one, end in zip(cells, first, ends, strict=True):
            weights = rows.weights[start + one : start + end]
            for whole, own in zip(total, values, strict=True):
                whole[cell] += weights @ own[one:end]
    sums = np.bincount(rows.cells, rows.weights, count)[:, None]
    return tuple(whole / sums for whole in total)


def in_order(of: Scenarios) -> Scenarios:
    """Return the rows by cell."""
    order = np.argsort(of.cells, kind="stable")
    return Scenarios(tuple(each.take(order) for each in of.each), of.cells[order], of.weights[order])


def is_linear(plan: Plan) -> bool:
    """Return whether the mean of the response is linear in the columns."""
    return plan.mean.link is IDENTITY and not plan.family.has_own_mean


def alike(of: Scenarios, linear: bool) -> Scenarios:
    """Return fewer rows with the same means: rows that are alike in all scenarios are one.

    Where what is averaged is linear in the columns, rows of the same cell and groups are one, with their mean columns.
    """
    whole = [
        of.cells.astype(float),
        *(at.codes.astype(float) for each in of.each for at in each.groups.values()),
    ]
    own = [column for each in of.each for columns in _numbers(each) for column in columns.T]
    key = np.column_stack(whole if linear else [*whole, *own])
    _, first, same = np.unique(key, axis=0, return_index=True, return_inverse=True)
    if 10 * len(first) > 9 * len(key):
        return of
    same = same.reshape(-1)
    weights = np.bincount(same, of.weights, len(first))

    def merged(columns: FloatArray) -> FloatArray:
        if not linear:
            return columns[first]
        sums = [
            np.bincount(same, of.weights * column, len(first))
            for column in columns.reshape((len(same), -1)).T
        ]
        return (np.stack(sums, axis=1) / weights[:, None]).reshape((len(first), *columns.shape[1:]))

    each = tuple(_merged(rows, first, merged) for rows in of.each)
    return Scenarios(each, of.cells[first], weights)


def _numbers(rows: ModelRows) -> list[FloatArray]:
    others = [
        *rows.offsets.values(),
        *(own for own in (rows.trials, rows.standard_errors) if own is not None),
    ]
    return [*rows.columns.values(), *(own[:, None] for own in others)]


def _merged(rows: ModelRows, first: IntArray, merged: Callable[[FloatArray], FloatArray]) -> ModelRows:
    out = rows.take(first)
    return replace(
        out,
        columns={term: merged(columns) for term, columns in rows.columns.items()},
        offsets={name: merged(values) for name, values in rows.offsets.items()},
    )
