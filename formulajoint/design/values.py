"""The values of a column without missing values: numbers within bounds, and levels."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.design.columns import RESCALE, Column
from formulajoint.design.level_order import by_size
from formulajoint.design.numbers_in_text import is_marked, numbers_in
from formulajoint.errors import DataError
from formulajoint.wording import listed


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """The distinct values of a column as text, in order, and the level of each row.

    `order` has the positions of the labels in their natural order: whole numbers written as text go by size.
    """

    labels: tuple[str, ...]
    codes: IntArray
    order: tuple[int, ...]


LARGEST = 1e75
"""Numbers above this, or all below its inverse, are refused: squares and products of a few would overflow."""


def check_finite(column: Column) -> None:
    """Raise a DataError if a column has infinite values, or values too far from one to compute with."""
    if column.kind == "numeric":
        infinite = int(np.isinf(column.values).sum())
        if infinite:
            raise DataError(
                f"Column `{column.name}` is infinite in {infinite} of {len(column.values)} rows. "
                "Drop these rows, or make the values missing."
            )
        check_size(column.values, f"Column `{column.name}`")


def check_size(values: NDArray[Any], what: str) -> None:
    """Raise a DataError, begun by `what`, if finite `values` are too large or all too small to compute with."""
    size = max(float(values.max()), -float(values.min()))
    if size > LARGEST:
        raise DataError(
            f"{what} reaches {size:.3g} in size, too large to compute with (above {LARGEST:g}). {RESCALE}"
        )
    if 0 < size < 1 / LARGEST:
        raise DataError(
            f"{what} is at most {size:.3g} in size, too small to compute with (below {1 / LARGEST:g}). {RESCALE}"
        )


def numbers(column: Column) -> FloatArray:
    """Return the values of a numeric or boolean column as 64-bit floats; decimals and integers are rounded."""
    return column.values.astype(np.float64)


def levels(column: Column) -> Levels:
    """Return the distinct values of a column as text: in the order of its categories, or else sorted."""
    found: list[Any]
    order: tuple[int, ...] | None = None
    if column.kind == "categorical":
        distinct, codes = distinct_of(column)
        there = set(distinct)
        found = [v for v in column.order if v in there] if column.order else sorted(there)
        position = {value: code for code, value in enumerate(found)}
        codes = np.fromiter(map(position.__getitem__, distinct), np.int64, len(distinct))[codes]
        order = None if column.ordered else by_size(found)
    else:
        unique, codes = np.unique(column.values, return_inverse=True)
        found = unique.tolist()
    places = tuple(range(len(found))) if order is None else order
    return Levels(_labels(column.name, found), codes.astype(np.int64, copy=False), places)


def distinct_of(column: Column) -> tuple[list[Any], IntArray]:
    """Return the distinct values of a categorical column, and the place of each row's value among them."""
    if column.codes is not None:
        there = np.bincount(column.codes, minlength=len(column.distinct)) > 0
        used = [value for value, found in zip(column.distinct, there, strict=True) if found]
        return used, (np.cumsum(there) - 1)[column.codes]
    items = column.values.tolist()
    distinct = list(dict.fromkeys(items))
    position = {value: code for code, value in enumerate(distinct)}
    return distinct, np.fromiter(map(position.__getitem__, items), np.int64, len(items))


def looks_continuous(column: Column, labels: Sequence[str]) -> bool:
    """Return whether a column is numeric, or text that holds numbers, with more measured levels than every other row.

    Measured are fractions and, in a text, numbers written with marks, such as ``1,000``.
    """
    found = list(map(float, labels)) if column.kind == "numeric" else numbers_as_text(column, labels)
    return 2 * sum(map(is_measured, labels, found)) > len(column.values)


def is_measured(label: str, number: float) -> bool:
    """Return whether a level is the label of a measured number, and hardly a code: a fraction, or ``1,000``."""
    return not number.is_integer() or is_marked(label)


def numbers_as_text(column: Column, labels: Sequence[str]) -> list[float]:
    """Return the numbers that the levels of a text column hold; none if one holds none, or if they are categories."""
    return numbers_in(labels) or [] if column.kind == "categorical" and column.order is None else []


def text_hint(column: Column) -> str:
    """Return what to do about a text column whose values are numbers, or nearly all, behind a blank; else nothing."""
    if column.strays:
        return f" {column.strays}"
    labels = levels(column).labels
    return f" {text_advice(labels)}" if numbers_as_text(column, labels) else ""


def text_advice(labels: Sequence[str]) -> str:
    """Return what to do about text levels that are numbers."""
    example = next(filter(is_marked, labels), labels[0])
    return f"Its values are numbers written as text, such as `{example}`: make the column numeric."


def refuse_continuous(column: Column, labels: Sequence[str]) -> None:
    """Raise a DataError for a column that `looks_continuous`."""
    rows = len(column.values)
    if looks_continuous(column, labels):
        if column.kind == "categorical":
            raise DataError(
                f"Column `{column.name}` holds text, and {len(labels)} different values in {rows} rows. "
                f"{text_advice(labels)} For groups or levels cut it into classes."
            )
        raise DataError(
            f"Column `{column.name}` looks continuous: {len(labels)} distinct values in {rows} rows. "
            "Cut it into classes to make groups or levels of it."
        )


def joined(outer: Levels, separator: str, inner: Levels) -> Levels:
    """Return the observed combinations of two sets of levels, sorted by the outer level, then the inner."""
    width = len(inner.labels)
    found, codes = np.unique(outer.codes * width + inner.codes, return_inverse=True)
    pairs = np.divmod(found, width)
    labels = tuple(f"{outer.labels[i]}{separator}{inner.labels[j]}" for i, j in zip(*pairs, strict=True))
    ranks = [np.argsort(of.order)[places] for of, places in zip((outer, inner), pairs, strict=True)]
    return Levels(labels, codes, tuple(np.lexsort(ranks[::-1]).tolist()))


def refuse_alike(what: str, names: Sequence[str], labels: Sequence[str]) -> None:
    """Raise a DataError if different `what`, such as groups, of the columns `names` have one label."""
    twice = [label for label, count in Counter(labels).items() if count > 1]
    if twice:
        columns = " and ".join(f"`{name}`" for name in names)
        raise DataError(f"Different {what} of {columns} have one name: {listed(twice)}. Rename their levels.")


def label(value: object) -> str:
    """Return the label of a level's value: its text, with whole numbers written without a decimal point."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return unicodedata.normalize("NFC", str(value))


def _labels(name: str, found: list[Any]) -> tuple[str, ...]:
    labels = tuple(label(value) for value in found)
    twice = [text for text, count in Counter(labels).items() if count > 1]
    if twice:
        raise DataError(
            f"Column `{name}` has different values that read alike: {listed(twice)}. Rename one of each."
        )
    return labels
