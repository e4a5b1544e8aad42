"""Read data frames of any library into NumPy: with `series`, the only module that uses a data frame's interface.

Plain columns of pandas, and arrays, are read without narwhals, which takes longer to load than a small fit.
"""

from __future__ import annotations

import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

import numpy as np

from formulajoint.design.columns import Column, duplicate_names, from_array, objects
from formulajoint.errors import DataError

SWAPPED = "The formula comes first, the data second."

PLAIN = "?bhilqBHILQfd"
"""NumPy's types of plain columns, by their characters: booleans, integers and floats."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Columns by name, read only on request; `notes` has sentences on how columns were read from a file, by name.

    Sentences on the whole file stand under the empty name. `index` has the names of pandas' index. Each of the
    `sources` is an array or a series. `strays` has a sentence on the few cells of a file's column that are no numbers.
    """

    sources: Mapping[str, Any]
    rows: int
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    index: tuple[str, ...] = ()
    strays: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """All column names, in the frame's order."""
        return tuple(self.sources)

    def is_scale(self, name: str) -> bool:
        """Return whether a column is an ordered category, as an ordered factor of R; Polars' Enum need not be one."""
        source = self.sources[name]
        if isinstance(source, np.ndarray) or _is_plain(source):
            return False
        from formulajoint.design.series import is_scale

        return is_scale(source)

    def column(self, name: str) -> Column:
        """Read one column, or raise a DataError if a model cannot use its type."""
        source = self.sources[name]
        if isinstance(source, np.ndarray):
            return replace(from_array(name, source), strays=self.strays.get(name, ""))
        if _is_plain(source):
            return _from_plain(name, source)
        from formulajoint.design.series import read_series

        return read_series(name, source)


# --- the frame


def is_lazy(data: object) -> bool:
    """Return whether `data` is a lazy frame of an engine that narwhals knows."""
    if _is_at_hand(data):
        return False
    from formulajoint.design.series import is_lazy

    return is_lazy(data)


def is_eager(data: object) -> bool:
    """Return whether `data` is a frame in memory, or a mapping of columns."""
    if _is_at_hand(data):
        return True
    from formulajoint.design.series import is_eager

    return is_eager(data)


def _is_at_hand(data: object) -> bool:
    """Return whether `data` is a frame that is read without narwhals, but for columns that are not plain."""
    return isinstance(data, Frame | Mapping) or _is_pandas_frame(data)


def read_frame(data: object) -> Frame:
    """Return `data` (pandas, Polars, PyArrow, any frame narwhals supports, or a mapping of arrays) as a Frame."""
    if isinstance(data, Frame):
        return data
    if isinstance(data, Mapping):
        sources = {name: _as_source(name, values) for name, values in data.items()}
        _check_indexes({name: source for name, source in sources.items() if not _is_bare(data[name])})
        return _checked(sources.items())
    columns, index = _columns_of(data)
    names = () if index is None else tuple(str(name) for name in index.names if name is not None)
    return replace(_checked(columns), index=names)


def _columns_of(data: Any) -> tuple[Iterable[tuple[object, Any]], Any]:
    """Return the columns of a data frame by name, and its index if it has one."""
    if _is_pandas_frame(data):
        return data.items(), data.index
    from formulajoint.design.series import columns_of

    found = columns_of(data)
    if found is None:
        raise DataError(
            f"`data` must be a data frame, not {_a(type(data).__name__)}. "
            f"Give a pandas or Polars DataFrame, a PyArrow Table, or a dict of arrays.{_advice(data)}"
        )
    return found


def _advice(data: object) -> str:
    """Return what to do about data that are a formula or names of files."""
    if isinstance(data, str) and "~" in data:
        return f" {SWAPPED}"
    if isinstance(data, list | tuple) and data and all(isinstance(each, str | PurePath) for each in data):
        return ' Several files go by a pattern: "data/*.parquet".'
    if isinstance(data, str | bytes | PurePath):
        return " Read a file first, as with `pandas.read_csv(path)`."
    return ""


def _checked(columns: Iterable[tuple[object, Any]]) -> Frame:
    pairs = [(unicodedata.normalize("NFC", str(name)), source) for name, source in columns]
    counts = Counter(name for name, _ in pairs)
    if len(counts) < len(pairs):
        raise duplicate_names(name for name, count in counts.items() if count > 1)
    lengths = {name: len(source) for name, source in pairs}
    if len(set(lengths.values())) > 1:
        given = ", ".join(f"`{name}` has {length}" for name, length in lengths.items())
        raise DataError(f"The columns differ in their number of rows: {given}.")
    rows = max(lengths.values(), default=0)
    if rows == 0:
        raise DataError("The data have no rows." if pairs else "The data have no columns.")
    return Frame(dict(pairs), rows)


# --- a mapping of columns


def _as_source(name: object, values: Any) -> Any:
    """Return a value of a mapping as a series or array; elements of lists keep their types."""
    if _is_bare(values):  # with the order of its categories, which NumPy does not keep
        return _pandas().Series(list(values), dtype=values.dtype)
    if _is_pandas_series(values):
        return values
    if isinstance(values, np.ma.MaskedArray):
        values = values.tolist()  # masked cells become None
    if isinstance(values, list | tuple | range):
        return objects(values)
    if not isinstance(values, np.ndarray):
        from formulajoint.design.series import as_series

        if (series := as_series(values)) is not None:
            return series
    array = np.asarray(values)
    if array.ndim != 1:
        raise DataError(f"Column `{name}` is not a one-dimensional array or list.")
    return array


def _is_bare(values: object) -> bool:
    """Return whether `values` is an array or an index of pandas, which has no index that others could be matched by."""
    pandas = _pandas()
    return pandas is not None and isinstance(values, (pandas.api.extensions.ExtensionArray, pandas.Index))


def _check_indexes(sources: Mapping[Any, Any]) -> None:
    """Raise a DataError for series with different indexes: which of their values belong together is open."""
    series = {name: source for name, source in sources.items() if not isinstance(source, np.ndarray)}
    indexes = {name: _index_of(source) for name, source in series.items()}
    known = [(name, index) for name, index in indexes.items() if index is not None]
    for name, index in known[1:]:
        first, other = known[0]
        if not index.equals(other):
            raise DataError(
                f"The columns `{first}` and `{name}` have different indexes, so it is open which of their values "
                "belong together. Give a data frame of them, `pd.DataFrame({...})`, which matches the indexes; or "
                f"arrays, `{name}.to_numpy()`, which are matched by position."
            )


def _index_of(source: Any) -> Any:
    if _is_pandas_series(source):
        return source.index
    from formulajoint.design.series import index_of

    return index_of(source)


# --- pandas


def _pandas() -> Any:
    """Return pandas if it is loaded, as it is where data are its own; else None."""
    return sys.modules.get("pandas")


def _is_pandas_frame(data: object) -> bool:
    pandas = _pandas()
    return pandas is not None and isinstance(data, pandas.DataFrame)


def _is_pandas_series(source: object) -> bool:
    pandas = _pandas()
    return pandas is not None and isinstance(source, pandas.Series)


def _is_plain(source: Any) -> bool:
    """Return whether a column is one of pandas, of booleans or numbers as NumPy has them, or of text."""
    if not _is_pandas_series(source):
        return False
    if isinstance(source.dtype, np.dtype):
        return source.dtype.char in PLAIN
    return isinstance(source.dtype, _pandas().StringDtype)


def _from_plain(name: str, source: Any) -> Column:
    if isinstance(source.dtype, np.dtype):
        return from_array(name, source.to_numpy())
    return Column(name, "categorical", objects(source.to_list()), source.isna().to_numpy(dtype=bool))


def _a(noun: str) -> str:
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"
