"""What engines answer: few rows as arrays, and the sums of cells that these are.

Shapes: C cells, q numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from formulajoint.aggregates.sums import Sums
from formulajoint.arrays import FloatArray, IntArray
from formulajoint.design.values import LARGEST
from formulajoint.errors import DataError

LOST, SMALL = 1e4, 10
"""Squares about a point may exceed those about a cell's mean this many times; in cells of fewer rows than the second,
those about the means of all cells."""

MEAN, NUMBER, KEY, PART = "_fj_mean_", "_fj_number_", "_fj_key_", "_fj_part_"
"""Beginnings of the names of columns in queries."""

WEIGHT, ROWS = "_fj_weight", "_fj_rows"

LONGEST = 200
"""Most characters of an engine's error that are shown."""


def collected(frame: Any) -> dict[str, Any]:
    """Return the few rows of a query's answer, as arrays by name."""
    settings = {"engine": "streaming"} if frame.implementation.is_polars() else {}
    found = answer(lambda: frame.collect(**settings))
    return {name: found.get_column(name).to_numpy() for name in found.columns}


def answer(ask: Callable[[], Any]) -> Any:
    """Return what an engine answers; its errors, of whatever type, as a DataError with the beginning of their text."""
    try:
        return ask()
    except Exception as error:
        said = " ".join(str(error).split())
        said = said if len(said) <= LONGEST else f"{said[:LONGEST].rsplit(' ', 1)[0]} ..."
        raise DataError(f"The data cannot be read by their engine, which says: {said}") from error


def weights_in(table: Mapping[str, Any]) -> FloatArray:
    """Return the sum of the row weights of each cell: without weights its rows."""
    return np.asarray(table.get(WEIGHT, table[ROWS]), dtype=np.float64)


def loses_digits(table: Mapping[str, Any], q: int) -> bool:
    """Return whether squares about means are so small beside those about the points that digits would be lost."""
    rows, weights = np.asarray(table[ROWS]), weights_in(table)
    for j in range(q):
        square = np.asarray(table[f"{PART}{j}_{j}"], dtype=np.float64)
        with np.errstate(invalid="ignore"):  # what is not finite is refused later
            within = np.maximum(
                square - np.asarray(table[f"{PART}{j}"], dtype=np.float64) ** 2 / weights, 0.0
            )
        usual = np.sum(within) / np.sum(weights) * weights
        if np.any(square > LOST * np.where(rows < SMALL, np.maximum(within, usual), within)):
            return True
    return False


def sums_of_cells(table: Mapping[str, Any], q: int) -> Sums:
    """Return the sums of cells, from sums about their means."""
    counts, weights = np.asarray(table[ROWS], dtype=np.int64), weights_in(table)
    means, squares = np.empty((len(counts), q)), np.empty((len(counts), q, q))
    left = np.empty((len(counts), q))
    for i in range(q):
        means[:, i], left[:, i] = table[f"{MEAN}{i}"], table[f"{PART}{i}"]
        for j in range(i, q):
            squares[:, i, j] = squares[:, j, i] = table[f"{PART}{i}_{j}"]
    if not (np.all(np.isfinite(squares)) and np.all(abs(means) < LARGEST)):
        raise DataError("A function of columns, or a number, is not finite in some rows. Drop these rows.")
    squares -= left[:, :, None] * left[:, None, :] / weights[:, None, None]
    return Sums(counts, weights, means + left / weights[:, None], _roots(squares, counts))


def _roots(squares: FloatArray, counts: IntArray) -> FloatArray:
    """Return R with R'R the squares (C, q, q); of a cell of n rows at most n - 1 rows of R are not zero."""
    q = squares.shape[1]
    if q == 0:
        return squares
    sizes = np.sqrt(np.maximum(np.einsum("cii->ci", squares), 0.0))
    unit = np.where(sizes > 0, sizes, 1.0)
    values, vectors = np.linalg.eigh(squares / unit[:, :, None] / unit[:, None, :])
    values = np.sqrt(np.maximum(values[:, ::-1], 0.0)) * (np.arange(q) < (counts - 1)[:, None])
    return np.asarray(values[:, :, None] * np.swapaxes(vectors[:, :, ::-1], 1, 2) * unit[:, None, :])
