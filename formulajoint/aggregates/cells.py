"""What tells cells of rows apart, and how many rows there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from formulajoint.arrays import IntArray
from formulajoint.design.columns import Kind
from formulajoint.errors import DataError


@dataclass(frozen=True, slots=True)
class Key:
    """What tells cells apart: the values of a column, or of a numeric factor that has two values at most.

    Attributes
    ----------
    name : str
        The column, or the factor's text.
    kind : {"numeric", "boolean", "categorical"}
    values : tuple
        Its distinct values, sorted.
    order : tuple or None
        All categories in their order, where the column's type stores one.
    ordered : bool
    factor : bool
        Whether it is a numeric factor.
    """

    name: str
    kind: Kind
    values: tuple[object, ...]
    order: tuple[object, ...] | None = None
    ordered: bool = False
    factor: bool = False

    def place(self, values: Iterable[object]) -> IntArray:
        """Return the position of each value among those of the key."""
        places = {value: place for place, value in enumerate(self.values)}
        return np.array([places[value] for value in values], dtype=np.int64)

    def joined(self, other: Key) -> Key:
        """Return the key of the values of both."""
        if self.kind != other.kind:
            raise DataError(
                f"`{self.name}` is {self.kind} in one of the moments and {other.kind} in the other."
            )
        known = self.order or ()
        order = (*known, *(value for value in other.order or () if value not in known)) or None
        values: list[object] = sorted({*self.values, *other.values})  # type: ignore[type-var]
        return replace(self, values=tuple(values), order=order, ordered=self.ordered and other.ordered)


@dataclass(frozen=True, slots=True)
class Counted:
    """Counts of rows: read, with missing values by column, of weight zero; whether a weight was no whole number.

    `lost` has levels of which rows are left out, as in `Rows`; some may be among other rows.
    """

    total: int
    missing: Mapping[str, int] = field(default_factory=dict)
    weightless: int = 0
    fractional: bool = False
    lost: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)

    def __add__(self, other: Counted) -> Counted:
        names = dict.fromkeys((*self.missing, *other.missing))
        missing = {name: self.missing.get(name, 0) + other.missing.get(name, 0) for name in names}
        fractional = self.fractional or other.fractional
        weightless, lost = self.weightless + other.weightless, united(self.lost, other.lost)
        return Counted(self.total + other.total, missing, weightless, fractional, lost)


def united(
    one: Mapping[str, tuple[str, ...]], other: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """Return the texts of both by name, each once."""
    names = dict.fromkeys((*one, *other))
    return {name: tuple(dict.fromkeys((*one.get(name, ()), *other.get(name, ())))) for name in names}


def shown(value: object) -> str:
    """Return a value as text, whole numbers without a point."""
    return f"{value:g}" if isinstance(value, float) else str(value)
