"""What a model reads of rows: those of the fit, or of another data frame, for predictions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.design.columns import Column
from formulajoint.design.evaluate_numpy import GroupsAt, columns_of, groups_at, values_of
from formulajoint.design.frame import Frame
from formulajoint.design.recipes import columns_read
from formulajoint.design.response import trials_of
from formulajoint.design.rows import Table, standard_errors
from formulajoint.design.schema import Design, Grouping, Predictor, Term
from formulajoint.design.values import check_finite
from formulajoint.errors import DataError
from formulajoint.spec.counts import counts_of
from formulajoint.wording import did_you_mean, listed

NO_RECIPES = (
    "This fit does not hold how its columns are made, since an older version saved it, or an extension learnt what a "
    "file cannot hold: predictions for other rows need a new fit."
)

NO_ROWS = (
    "This fit does not hold the rows of its data, since it was made of their sums, or an older version saved it: give "
    "rows to predict, `fit.predict(new_data)`."
)


@dataclass(frozen=True, slots=True, eq=False)
class ModelRows:
    """What a model reads of N rows.

    Attributes
    ----------
    places : (N,) int array
        The places of the rows in their data frame: rows with missing values are left out.
    columns : mapping of Term to (N, k) array
    groups : mapping of Grouping to GroupsAt
    offsets : mapping of str to (N,) array
        By parameter.
    trials, standard_errors : (N,) array or None
        None if the model has none, or they were not asked for.
    """

    places: IntArray
    columns: Mapping[Term, FloatArray]
    groups: Mapping[Grouping, GroupsAt]
    offsets: Mapping[str, FloatArray]
    trials: FloatArray | None = None
    standard_errors: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.places)

    def take(self, rows: slice | IntArray) -> ModelRows:
        """Return some of the rows."""
        return ModelRows(
            self.places[rows],
            {term: columns[rows] for term, columns in self.columns.items()},
            {of: GroupsAt(at.codes[rows], at.new) for of, at in self.groups.items()},
            {name: values[rows] for name, values in self.offsets.items()},
            None if self.trials is None else self.trials[rows],
            None if self.standard_errors is None else self.standard_errors[rows],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What is read of a design's rows.

    Attributes
    ----------
    design : Design
    terms, groupings : tuple
    predictors : tuple of Predictor
        Those whose offsets are read.
    response : bool
        Whether trials and standard errors are read, which the mean does not depend on.
    """

    design: Design
    terms: tuple[Term, ...]
    groupings: tuple[Grouping, ...]
    predictors: tuple[Predictor, ...]
    response: bool = True

    def of_fit(self) -> ModelRows:
        """Return the rows of the fit."""
        design = self.design
        return ModelRows(
            np.arange(design.rows.used) if design.kept is None else design.kept.places,
            {term: term.columns for term in self.terms},
            {grouping: GroupsAt(grouping.codes) for grouping in self.groupings},
            {p.parameter: p.offset for p in self.predictors if p.offset is not None},
            design.response.trials,
            design.standard_errors,
        )

    def of_table(self, table: Table) -> ModelRows:
        """Return the rows of a table that has the columns read.

        Raises
        ------
        DataError
            If a factor has a level that no row of the fit has, or a value is not finite.
        """
        if not table.rows:
            return self._none()
        offsets = {p.parameter: p.recipe for p in self.predictors if p.recipe is not None}
        return ModelRows(
            table.places,
            {term: _columns(term, table) for term in self.terms},
            {grouping: groups_at(_made(grouping.recipe), table) for grouping in self.groupings},
            {name: values_of(recipe, table) for name, recipe in offsets.items()},
            self._trials(table),
            self._standard_errors(table),
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the data frame that are read."""
        found = [name for term in self.terms for name in columns_read(_made(term.recipe))]
        found += [name for grouping in self.groupings for name in grouping.variables]
        for predictor in self.predictors:
            if predictor.offset is not None:
                found += columns_read(_made(predictor.recipe))
        if self.response and self.design.response.trials is not None:
            found += columns_read(_made(self.design.response.trials_recipe))
        column = self.design.spec.rows.standard_errors
        if self.response and column is not None:
            found.append(column.value.id)
        return tuple(dict.fromkeys(found))

    def _trials(self, table: Table) -> FloatArray | None:
        response, counts = self.design.response, counts_of(self.design.spec.response)
        if not self.response or response.trials is None or counts is None:
            return None
        return trials_of(_made(response.trials_recipe), counts.trials, table)

    def _standard_errors(self, table: Table) -> FloatArray | None:
        column = self.design.spec.rows.standard_errors
        return standard_errors(table.columns[column.value.id]) if self.response and column else None

    def _none(self) -> ModelRows:
        """Return no rows."""
        empty = np.zeros(0, dtype=np.int64)
        columns = {term: term.columns[:0] for term in self.terms}
        return ModelRows(empty, columns, {grouping: GroupsAt(empty) for grouping in self.groupings}, {})


def complete_rows(frame: Frame, names: Iterable[str], design: Design) -> Table:
    """Return the rows of a data frame without missing values in the columns `names`.

    Raises
    ------
    DataError
        If it lacks a column, or a value is not finite.
    """
    columns = {name: _column(frame, name) for name in names}
    keep = ~np.any([np.zeros(frame.rows, dtype=bool), *(c.missing for c in columns.values())], axis=0)
    table = Table(columns, np.arange(frame.rows), language=design.language).take(keep)
    for column in table.columns.values() if table.rows else ():
        check_finite(column)
    return table


def _columns(term: Term, table: Table) -> FloatArray:
    columns = columns_of(_made(term.recipe), table)
    return np.repeat(columns, term.classes, axis=1) if term.classes else columns


def _column(frame: Frame, name: str) -> Column:
    if name not in frame.names:
        hint = did_you_mean(name, frame.names) or f"the columns are {listed(frame.names)}."
        raise DataError(f"The data have no column `{name}`, which the model reads: {hint}")
    return frame.column(name)


def _made(recipe: Any) -> Any:
    """Return a recipe, which a fit saved by an older version lacks."""
    if recipe is None:
        raise DataError(NO_RECIPES)
    return recipe
