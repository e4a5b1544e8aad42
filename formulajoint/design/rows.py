"""The rows used by a model, those without missing values, and their weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from formulajoint.arrays import BoolArray, FloatArray, IntArray
from formulajoint.design.columns import Column
from formulajoint.design.frame import Frame
from formulajoint.design.recipes import Basis, Recipe
from formulajoint.design.schema import Rows
from formulajoint.design.values import LARGEST, Levels, check_finite, levels, numbers, text_hint
from formulajoint.errors import DataError
from formulajoint.language.vocabulary.core import CORE
from formulajoint.language.vocabulary.language import Language

MOST_ROWS = 1e15
"""Largest sum of row weights: up to about here floats count every row."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The columns that a formula names, in rows without missing values.

    `weights` are frequencies: a row of weight w counts as w rows. `places` are the positions of the rows in the frame.
    `language` defines functions and operators. `learnt` has the recipe of each numeric factor, by its text, once it is
    learnt. `known` has values that are no function of `columns`, because these rows stand for others with the same
    moments: those of a product of factors (N, ...), by their texts, with an axis for each curve among them.
    """

    columns: Mapping[str, Column]
    places: IntArray
    weights: FloatArray | None = None
    language: Language = CORE
    learnt: dict[str, Recipe | Basis] = field(default_factory=dict)
    known: Mapping[tuple[str, ...], FloatArray] = field(default_factory=dict)
    _levels: dict[str, Levels] = field(default_factory=dict, init=False, repr=False)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.places)

    def levels(self, name: str) -> Levels:
        """Return the levels of a column; they are found once."""
        if name not in self._levels:
            self._levels[name] = levels(self.columns[name])
        return self._levels[name]

    def take(self, keep: BoolArray) -> Table:
        """Return the rows where `keep` is true."""
        if keep.all():
            return self
        columns = {name: column.take(keep) for name, column in self.columns.items()}
        weights = None if self.weights is None else self.weights[keep]
        return replace(self, columns=columns, places=self.places[keep], weights=weights)


def used_rows(
    frame: Frame,
    names: Sequence[str],
    weights: str | None = None,
    drop: bool = True,
    language: Language = CORE,
) -> tuple[Table, Rows]:
    """Return the rows of `frame` without missing values in the columns `names`, and the counts of rows.

    Parameters
    ----------
    frame : Frame
    names : sequence of str
        The columns used by the formula.
    weights : str, optional
        Column of the row weights; rows of weight zero are left out.
    drop : bool
        Whether to drop rows with missing values; if False they raise a DataError.
    language : Language
        The language of the formula.
    """
    columns = {name: frame.column(name) for name in names}
    missing = {name: int(column.missing.sum()) for name, column in columns.items() if column.missing.any()}
    _check_missing(missing, frame.rows, drop)
    keep = ~np.any([column.missing for column in columns.values()], axis=0)
    if not keep.any():
        raise DataError(f"No row is left: every row has a missing value. {_counted(missing, frame.rows)}")
    table = Table(columns, np.arange(frame.rows), language=language).take(keep)
    for column in table.columns.values():
        check_finite(column)
    if weights is None:
        return table, Rows(frame.rows, table.rows, missing)
    weighted = _weighted(table, weights)
    return weighted, Rows(frame.rows, weighted.rows, missing, table.rows - weighted.rows)


def _check_missing(missing: Mapping[str, int], rows: int, drop: bool) -> None:
    for name, count in missing.items():
        if count == rows:
            raise DataError(f"Column `{name}` has no values: all {rows} are missing.")
    if missing and not drop:
        todo = "`missing(error)` refuses such rows; `missing(drop)` would drop and count them."
        raise DataError(f"Values are missing. {_counted(missing, rows)} {todo}")


def all_rows(count: int) -> str:
    """Return `count` as a phrase: ``all 3 rows``."""
    return "the only row" if count == 1 else f"all {count} rows"


def _counted(missing: Mapping[str, int], rows: int) -> str:
    cells = ", ".join(f"`{name}` in {count} of {rows} rows" for name, count in missing.items())
    return f"Missing: {cells}."


def _weighted(table: Table, name: str) -> Table:
    """Return the rows of positive weight, with their weights."""
    column = table.columns[name]
    if column.kind == "categorical":
        raise DataError(
            f"Column `{name}` gives the row weights, but holds text. Weights are numbers.{text_hint(column)}"
        )
    values = numbers(column)
    negative = int((values < 0).sum())
    if negative:
        raise DataError(
            f"Column `{name}` gives the row weights, but is negative in {negative} of {table.rows} rows. "
            "A row of weight w counts as w rows."
        )
    if not values.any():
        raise DataError(f"Column `{name}` gives the row weights, but is zero in all {table.rows} rows.")
    if values.sum() > MOST_ROWS:
        raise DataError(
            f"The row weights in column `{name}` sum to {values.sum():.3g}, more rows than can be counted "
            f"({MOST_ROWS:g}). They are frequencies: a row of weight w counts as w rows."
        )
    if values.sum() <= 1:
        raise DataError(
            f"The row weights in column `{name}` sum to {values.sum():g} over {table.rows} rows, which is at most "
            "one row. They are frequencies: a row of weight w counts as w rows."
        )
    return replace(table, weights=values).take(values > 0)


def standard_errors(column: Column) -> FloatArray:
    """Return the values of a column of known standard errors, or raise a DataError if they are not positive."""
    if column.kind == "categorical":
        raise DataError(
            f"Column `{column.name}` gives the standard errors, but holds text. Standard errors are numbers."
            f"{text_hint(column)}"
        )
    values = numbers(column)
    bad = int((values < 1 / LARGEST).sum())
    if bad:
        raise DataError(
            f"Column `{column.name}` gives the standard errors, but is not above zero in {bad} of {len(values)} rows. "
            "Correct these rows, or make the values missing."
        )
    return values
