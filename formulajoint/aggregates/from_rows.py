"""Moments of the rows of a data frame in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import reduce

import numpy as np

from formulajoint.aggregates.cells import Counted, Key
from formulajoint.aggregates.moments import Moments, numbers_of
from formulajoint.aggregates.sums import sums_of_rows
from formulajoint.aggregates.wanted import Texts, Wanted, recipes_of, wanted
from formulajoint.arrays import FloatArray, IntArray
from formulajoint.data.rows import Cells
from formulajoint.design.bind import Asked, read
from formulajoint.design.columns import Column, Kind
from formulajoint.design.evaluate_numpy import part_columns, values_of
from formulajoint.design.frame import Frame
from formulajoint.design.recipes import Basis, Recipe
from formulajoint.design.rows import Table
from formulajoint.design.schema import Design, Rows
from formulajoint.design.values import distinct_of, label, numbers


def of_rows(asked: Asked, learnt: Mapping[str, Recipe | Basis], family: str | None = None) -> Moments:
    """Return the moments of the rows of a frame in memory.

    Parameters
    ----------
    asked : Asked
    learnt : mapping of str to Recipe or Basis
        What is known of factors already; the others are learnt from these rows.
    family : str, optional
    """
    table, rows = asked.used_rows()
    table.learnt.update(learnt)
    rows = replace(rows, lost=asked.lost(table) if rows.dropped else {})
    return replace(of_table(asked, table, rows, family), notes=asked.told(table))


def of_kept(design: Design, family: str | None = None) -> Moments | None:
    """Return the moments of the rows that a design keeps, as that of a saved fit does; None if it keeps sums."""
    kept, spec = design.kept, design.spec
    if kept is None:
        return None
    named = (
        name.id for linear in spec.parameters for name in linear.columns
    )  # subtracted terms are not kept
    frame = Frame(dict.fromkeys((*kept.columns, *named), np.empty(0)), 0)
    asked = read(spec.formula, frame, design.language, family)
    table = Table(kept.columns, kept.places, design.row_weights, design.language)
    return of_table(asked, table, design.rows, family)


def of_table(asked: Asked, table: Table, rows: Rows, family: str | None = None) -> Moments:
    """Return the moments of rows without missing values, and their counts."""
    kinds: dict[str, Kind] = {name: column.kind for name, column in table.columns.items()}
    found = wanted(asked, kinds.__getitem__)
    recipes = recipes_of(found, table)
    values = _values(found, recipes, table)
    keyed = [_key(table.columns[name]) for name in found.keys]
    keyed += [_factor(text, values[text]) for text in values if _tells_apart(text, values[text], found)]
    codes, cells = _cells([codes for _, codes in keyed], table.rows)
    products = numbers_of(found.products, found.plain)
    constants = [key.name for key, _ in keyed if key.factor]
    columns = [column for number in numbers_of(products, constants) for column in _columns(number, values)]
    return Moments(
        formula=asked.spec.formula,
        family=family,
        names=asked.frame.names,
        kinds=kinds,
        keys=tuple(key for key, _ in keyed),
        codes=codes,
        sums=sums_of_rows(columns, cells, table.weights),
        products=products,
        widths={text: value.curve.width for text, value in recipes.items() if isinstance(value, Basis)},
        learnt=recipes,
        weights=asked.weights,
        counted=counted(rows, table.weights),
        exact=True,
        language=asked.language,
    )


def counted(rows: Rows, weights: FloatArray | None) -> Counted:
    """Return the counts of rows, and whether a weight is no whole number."""
    fractional = weights is not None and bool(np.any(weights != np.round(weights)))
    return Counted(rows.total, dict(rows.missing), rows.weightless, fractional, dict(rows.lost))


def _values(found: Wanted, recipes: Mapping[str, Recipe | Basis], table: Table) -> dict[str, FloatArray]:
    """Return the values of each factor that is summed, (N,); of a curve (N, width)."""
    out: dict[str, FloatArray] = {}
    for text, recipe in recipes.items():
        if text not in found.plain:
            out[text] = part_columns(recipe, table) if isinstance(recipe, Basis) else values_of(recipe, table)
    return out | {text: numbers(table.columns[name]) for text, name in found.summed.items()}


def _tells_apart(text: str, values: FloatArray, found: Wanted) -> bool:
    if values.ndim > 1 or text in found.summed:
        return False
    low, high = values.min(), values.max()
    return bool(np.all((values == low) | (values == high)))


def _factor(text: str, values: FloatArray) -> tuple[Key, IntArray]:
    found, codes = np.unique(values, return_inverse=True)
    return Key(text, "numeric", tuple(found.tolist()), factor=True), codes


def _key(column: Column) -> tuple[Key, IntArray]:
    """Return the values of a column, and the place of each row's."""
    order = column.order
    if column.kind == "categorical":
        values, codes = distinct_of(column)
        if not all(isinstance(value, str) for value in values) and not _numbers((*values, *(order or ()))):
            values, order = list(map(_text, values)), None if order is None else tuple(map(_text, order))
        distinct = sorted(values)
        places = {value: place for place, value in enumerate(distinct)}
        codes = np.array([places[value] for value in values], dtype=np.int64)[codes]
    else:
        found, codes = np.unique(column.values, return_inverse=True)
        distinct = found.tolist()
    return Key(column.name, column.kind, tuple(distinct), order, column.ordered), codes


def _numbers(values: Iterable[object]) -> bool:
    return all(isinstance(value, int | float | np.generic) for value in values)


def _text(value: object) -> str:
    """Return a level as text, as levels that are neither all text nor all numbers are kept: intervals and the like."""
    return value if isinstance(value, str) else label(value)


def _cells(codes: list[IntArray], rows: int) -> tuple[IntArray, Cells]:
    """Return the codes of each cell (C, K), and the cell of each row."""

    def crossed(outer: IntArray, inner: IntArray) -> IntArray:
        width = int(inner.max()) + 1
        return np.asarray(np.unique(outer * width + inner, return_inverse=True)[1])

    of = reduce(crossed, codes, np.zeros(rows, dtype=np.int64))
    count = int(of.max()) + 1
    first = np.empty(count, dtype=np.int64)
    first[of[::-1]] = np.arange(rows)[::-1]
    return np.column_stack([*(c[first] for c in codes), *[np.empty((count, 0), np.int64)]]), Cells(of, count)


def _columns(number: Texts, values: Mapping[str, FloatArray]) -> list[FloatArray]:
    """Return the columns of a product of factors, those of the last curve fastest."""
    singles = [values[text] for text in number if values[text].ndim == 1]
    out = [reduce(np.multiply, singles)] if singles else []
    for curve in (values[text] for text in number if values[text].ndim > 1):
        out = [left * right for left in out for right in curve.T] if out else list(curve.T)
    return out
