"""Rows with some columns set: the rows of the fit, of another data frame, or of a grid, as they would be otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.compiler.evaluate.column_values import variable_of, with_value
from formulajoint.compiler.evaluate.linear_predictor import reading
from formulajoint.compiler.plan import Plan
from formulajoint.design.columns import Column
from formulajoint.design.facts import mean
from formulajoint.design.frame import read_frame
from formulajoint.design.kept_rows import KeptRows
from formulajoint.design.model_rows import complete_rows
from formulajoint.design.rows import Table
from formulajoint.design.values import levels, numbers
from formulajoint.errors import DataError


def holding(plan: Plan, data: object) -> Plan:
    """Return the plan with the rows of a data frame as those it holds: what its columns are is read of these."""
    if data is None:
        return plan
    table = complete_rows(read_frame(data), reading(plan, response=False).columns, plan.design)
    held = KeptRows(table.places, table.columns)
    return replace(plan, design=replace(plan.design, kept=held, row_weights=None))


def repeated(table: Table, settings: Mapping[str, Sequence[Any]]) -> Table:
    """Return the rows once for each combination of the values of some columns, which are set to them."""
    if not settings:
        return table
    parts = []
    for values in product(*settings.values()):
        part = table
        for name, value in zip(settings, values, strict=True):
            part = with_value(part, name, value)
        parts.append(part)
    return stacked(parts)


def stacked(parts: Sequence[Table]) -> Table:
    """Return the rows of several tables, one after another."""
    first = parts[0]
    columns = {
        name: replace(
            first.columns[name],
            values=np.concatenate([part.columns[name].values for part in parts]),
            missing=np.concatenate([part.columns[name].missing for part in parts]),
        )
        for name in first.columns
    }
    places = np.concatenate([part.places for part in parts])
    weights = None if first.weights is None else np.concatenate([_weights(part) for part in parts])
    return Table(columns, places, weights, first.language)


def _weights(table: Table) -> FloatArray:
    return np.ones(table.rows) if table.weights is None else table.weights


# --- values that words ask for


def values_asked(plan: Plan, name: str, asked: Any) -> list[Any]:
    """Return the values of a column that are asked: given, or in words.

    Parameters
    ----------
    plan : Plan
    name : str
    asked : value, list of values, or {"all", "mean", "median", "min", "max", "mode"}
        ``all`` are the levels, or the different numbers.

    Raises
    ------
    DataError
        If the column holds levels and a figure of numbers is asked, or the model does not read it.
    """
    found = variable_of(plan, name)
    assert plan.design.kept is not None
    column, weights = plan.design.kept.columns[name], plan.design.row_weights
    if isinstance(asked, str) and asked in WORDS and asked not in found.levels:
        if asked == "all":
            return list(found.levels) or np.unique(column.values).tolist()
        if asked == "mode":
            return [most_frequent(column, weights)]
        if column.kind == "categorical":
            raise DataError(f"`{name}` has levels, and so no {asked}: write 'all', 'mode' or one of them.")
        return [_figure(asked, numbers(column), weights)]
    if isinstance(asked, str) or not isinstance(asked, Iterable):
        return [asked]
    return list(asked)


WORDS = ("all", "mean", "median", "min", "max", "mode")


def _figure(word: str, values: FloatArray, weights: FloatArray | None) -> float:
    match word:
        case "mean":
            return float(mean(values, weights))
        case "median":
            return float(np.median(values))
        case "min":
            return float(values.min())
    return float(values.max())


def most_frequent(column: Column, weights: FloatArray | None) -> Any:
    """Return the most frequent value: of numbers the number, else the level."""
    found = levels(column)
    place = int(np.argmax(np.bincount(found.codes, weights)))
    return found.labels[place] if column.kind == "categorical" else np.unique(column.values)[place].item()


def typical(plan: Plan, name: str) -> Any:
    """Return the mean of a number, the most frequent level of a factor or group."""
    assert plan.design.kept is not None
    column = plan.design.kept.columns[name]
    if variable_of(plan, name).levels or column.kind != "numeric":
        return most_frequent(column, plan.design.row_weights)
    return _figure("mean", numbers(column), plan.design.row_weights)


# --- cells

LONGEST, DIGITS = 8, 4
"""Longest label of a number in characters, and the digits of one that would be longer."""


def cells_by(table: Table, by: Sequence[str]) -> tuple[list[tuple[str, ...]], IntArray]:
    """Return the observed combinations of the levels of columns, in order, and that of each row."""
    if not by:
        return [()], np.zeros(table.rows, dtype=np.int64)
    found = [levels(table.columns[name]) for name in by]
    codes = np.stack([own.codes for own in found], axis=1)
    cells, of_row = np.unique(codes, axis=0, return_inverse=True)
    names = [_short(table.columns[name], own.labels) for name, own in zip(by, found, strict=True)]
    labels = [tuple(own[at] for own, at in zip(names, cell, strict=True)) for cell in cells]
    return labels, of_row.reshape(-1)


def _short(column: Column, labels: Sequence[str]) -> Sequence[str]:
    """Return labels of long numbers, such as means, with few digits, if they still differ."""
    if column.kind != "numeric" or max(map(len, labels)) <= LONGEST:
        return labels
    short = [f"{float(each):.{DIGITS}g}" if len(each) > LONGEST else each for each in labels]
    return short if len(set(short)) == len(short) else labels
