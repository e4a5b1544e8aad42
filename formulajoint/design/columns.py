"""A column as read, and how columns of NumPy and of Python objects are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from formulajoint.arrays import BoolArray, FloatArray, IntArray
from formulajoint.errors import DataError
from formulajoint.wording import listed

type Kind = Literal["numeric", "boolean", "categorical"]
MISSING_TYPES = ("NAType", "NaTType")
"""Types of pandas' missing values, which lists may hold."""

RESCALE = "Change its unit."
"""What to do about numbers that are too large or too small."""


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A column as read: `values` are floats, integers, booleans or objects; they are meaningless where `missing`.

    `order` holds the categories of a type that stores their order, such as pandas' ``category``; `ordered` is true if
    the type declares the order meaningful. `codes` are places among `distinct`, which holds all values, where an engine
    has found these. `strays` is a sentence on the few cells of a file's column that are no numbers.
    """

    name: str
    kind: Kind
    values: NDArray[Any]
    missing: BoolArray
    order: tuple[object, ...] | None = None
    ordered: bool = False
    distinct: tuple[object, ...] = ()
    codes: IntArray | None = None
    strays: str = ""

    def take(self, keep: BoolArray | IntArray) -> Column:
        """Return the rows where `keep` is true, or those at the positions it lists."""
        codes = None if self.codes is None else self.codes[keep]
        return replace(self, values=self.values[keep], missing=self.missing[keep], codes=codes)


def duplicate_names(names: Iterable[str]) -> DataError:
    """Return the error for columns of one name."""
    return DataError(f"More than one column is named {listed(names)}. Rename all but one of each.")


def objects(items: Sequence[object]) -> NDArray[Any]:
    """Return Python objects as an array of them."""
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


def from_array(name: str, values: NDArray[Any]) -> Column:
    """Return the column of an array, or raise a DataError if a model cannot use its type."""
    known = np.zeros(len(values), dtype=bool)
    match values.dtype.kind:
        case "b":
            return Column(name, "boolean", values, known)
        case "i" | "u":
            return Column(name, "numeric", values, known)
        case "f":
            with np.errstate(over="ignore"):  # of long doubles; infinite values are refused
                return from_floats(name, values.astype(np.float64))
        case "U" | "T":
            return Column(name, "categorical", values.astype(object), known)
        case "O":
            return _from_objects(name, values, np.array([_is_missing(value) for value in values], dtype=bool))
    raise refused(name, str(values.dtype), values.dtype.kind in "mM")


def _is_missing(value: object) -> bool:
    match value:
        case None:
            return True
        case float() | np.floating():
            return bool(value != value)
        case Decimal():
            return value.is_nan()
    return type(value).__name__ in MISSING_TYPES


def from_floats(name: str, values: FloatArray) -> Column:
    """Return the column of floats, of which NaN is missing."""
    return Column(name, "numeric", values, np.isnan(values))


def _from_objects(name: str, values: NDArray[Any], missing: BoolArray) -> Column:
    """Return the column of an array of Python objects, by the one kind that they all have."""
    kinds = Counter(_kind_of(value) for value in values[~missing])
    if not kinds or set(kinds) == {"text"}:
        return Column(name, "categorical", values, missing)
    if set(kinds) == {"boolean"}:
        return Column(name, "boolean", np.where(missing, False, values).astype(bool), missing)
    if set(kinds) == {"integer"} and all(abs(value) < 2**63 for value in values[~missing]):
        return Column(name, "numeric", np.where(missing, 0, values).astype(np.int64), missing)
    if set(kinds) <= {"integer", "number"}:
        return _from_exact(name, values, missing)
    if len(kinds) > 1:
        mixed = " and ".join(f"{kind} in {count}" for kind, count in kinds.items())
        raise DataError(f"Column `{name}` is a mixture: {mixed} rows. Make all its values of one type.")
    (kind,) = kinds
    raise refused(name, kind, dates=kind == "date")


def _from_exact(name: str, values: NDArray[Any], missing: BoolArray) -> Column:
    """Return the column of decimals, or of integers of any size, as floats that differ where the numbers do."""
    try:
        floats = np.where(missing, np.nan, values).astype(np.float64)
    except OverflowError:
        raise DataError(f"Column `{name}` holds numbers too large to compute with. {RESCALE}") from None
    if len(np.unique(floats[~missing])) < len(set(values[~missing])):
        raise DataError(
            f"Column `{name}` holds different numbers that agree in their first 15 digits; more are not computed with. "
            "For groups make it text. Otherwise round it."
        )
    return from_floats(name, floats)


def _kind_of(value: object) -> str:
    if isinstance(value, (bool, np.bool_)):
        return "boolean"
    if isinstance(value, (int, np.integer)):
        return "integer"
    if isinstance(value, (float, np.floating, Decimal)):
        return "number"
    if isinstance(value, (date, time, timedelta)) or type(value).__name__ == "Period":
        return "date"
    return "text" if isinstance(value, str) else type(value).__name__


def refused(name: str, what: str, dates: bool) -> DataError:
    """Return the error for a column of a type that a model cannot use."""
    if dates:
        todo = "For a trend make it a number, such as the days since the first; for groups make it text."
        return DataError(f"Column `{name}` holds dates or times ({what}). {todo}")
    return DataError(
        f"Column `{name}` holds values of type {what}. A formula takes numbers, booleans, text and categories."
    )
