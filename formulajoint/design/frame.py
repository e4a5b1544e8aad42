"""Read data frames of any library into NumPy: the only module that uses a data frame's interface."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import PurePath
from typing import Any, Literal, TypeGuard

import narwhals as nw
import numpy as np
from narwhals.exceptions import DuplicateError
from numpy.typing import NDArray

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.errors import DataError
from formulajoint.wording import listed

type Kind = Literal["numeric", "boolean", "categorical"]
type BoolArray = NDArray[np.bool_]
MISSING_TYPES = ("NAType", "NaTType")
"""Types of pandas' missing values, which lists may hold."""

RESCALE = "Change its unit."
"""What to do about numbers that are too large or too small."""

type Source = nw.Series[Any] | NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A column as read: `values` are floats, integers, booleans or objects; they are meaningless where `missing`.

    `order` holds the categories of a type that stores their order, such as pandas' ``category``; `ordered` is true if
    the type declares the order meaningful. `codes` are places among `distinct`, which holds all values, where an engine
    has found these.
    """

    name: str
    kind: Kind
    values: NDArray[Any]
    missing: BoolArray
    order: tuple[object, ...] | None = None
    ordered: bool = False
    distinct: tuple[object, ...] = ()
    codes: IntArray | None = None

    def take(self, keep: BoolArray | IntArray) -> Column:
        """Return the rows where `keep` is true, or those at the positions it lists."""
        codes = None if self.codes is None else self.codes[keep]
        return replace(self, values=self.values[keep], missing=self.missing[keep], codes=codes)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Columns by name, read only on request; `notes` has sentences on how columns were read from a file, by name.

    Sentences on the whole file stand under the empty name. `index` has the names of pandas' index.
    """

    sources: Mapping[str, Source]
    rows: int
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    index: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All column names, in the frame's order."""
        return tuple(self.sources)

    def is_scale(self, name: str) -> bool:
        """Return whether a column is an ordered category, as an ordered factor of R; Polars' Enum need not be one."""
        source = self.sources[name]
        return isinstance(source, nw.Series) and not source.implementation.is_polars() and _is_ordered(source)

    def column(self, name: str) -> Column:
        """Read one column, or raise a DataError if a model cannot use its type."""
        source = self.sources[name]
        if isinstance(source, np.ndarray):
            return _from_array(name, source)
        return _from_series(name, source)


# --- the frame


def is_lazy(data: object) -> bool:
    """Return whether `data` is a lazy frame of an engine that narwhals knows."""
    try:
        return isinstance(nw.from_native(data, pass_through=True), nw.LazyFrame)
    except DuplicateError:  # of a frame in memory, which says so when it is read
        return False


def read_frame(data: object) -> Frame:
    """Return `data` (pandas, Polars, PyArrow, any frame narwhals supports, or a mapping of arrays) as a Frame."""
    if isinstance(data, Frame):
        return data
    if isinstance(data, Mapping):
        sources = {name: _as_source(name, values) for name, values in data.items()}
        _check_indexes({name: source for name, source in sources.items() if not _is_bare(data[name])})
        return _checked(sources.items())
    try:
        frame = nw.from_native(data, pass_through=True)
    except DuplicateError as error:
        raise duplicate_names(re.findall(r"'(.*)'", str(error))) from None
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    if not isinstance(frame, nw.DataFrame):
        raise DataError(
            f"`data` must be a data frame, not {_a(type(data).__name__)}. "
            f"Give a pandas or Polars DataFrame, a PyArrow Table, or a dict of arrays.{_advice(data)}"
        )
    index: Any = nw.maybe_get_index(frame)
    names = () if index is None else tuple(str(name) for name in index.names if name is not None)
    return replace(_checked((name, frame.get_column(name)) for name in frame.columns), index=names)


def _advice(data: object) -> str:
    """Return what to do about data that are a formula or the name of a file."""
    if isinstance(data, str) and "~" in data:
        return " The formula comes first, the data second."
    if isinstance(data, str | bytes | PurePath):
        return " Read a file first, as with `pandas.read_csv(path)`."
    return ""


def _checked(columns: Iterable[tuple[object, Source]]) -> Frame:
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


def duplicate_names(names: Iterable[str]) -> DataError:
    """Return the error for columns of one name."""
    return DataError(f"More than one column is named {listed(names)}. Rename all but one of each.")


def _as_source(name: object, values: object) -> Source:
    """Return a value of a mapping as a series or array; elements of lists keep their types."""
    if _is_bare(values):  # with the order of its categories, which NumPy does not keep
        values = nw.dependencies.get_pandas().Series(list(values), dtype=values.dtype)
    series = nw.from_native(values, pass_through=True, allow_series=True)
    if isinstance(series, nw.Series):
        return series
    if isinstance(values, np.ma.MaskedArray):
        values = values.tolist()  # masked cells become None
    array = _objects(values) if isinstance(values, (list, tuple, range)) else np.asarray(values)
    if array.ndim != 1:
        raise DataError(f"Column `{name}` is not a one-dimensional array or list.")
    return array


def _is_bare(values: object) -> TypeGuard[Any]:
    """Return whether `values` is an array or an index of pandas, which has no index that others could be matched by."""
    pandas = nw.dependencies.get_pandas()
    return pandas is not None and isinstance(values, (pandas.api.extensions.ExtensionArray, pandas.Index))


def _check_indexes(sources: Mapping[Any, Source]) -> None:
    """Raise a DataError for series with different indexes: which of their values belong together is open."""
    series = {name: source for name, source in sources.items() if isinstance(source, nw.Series)}
    indexes = {name: nw.maybe_get_index(source) for name, source in series.items()}
    known = [(name, index) for name, index in indexes.items() if index is not None]
    for name, index in known[1:]:
        first, other = known[0]
        if not index.equals(other):
            raise DataError(
                f"The columns `{first}` and `{name}` have different indexes, so it is open which of their values "
                "belong together. Give a data frame of them, `pd.DataFrame({...})`, which matches the indexes; or "
                f"arrays, `{name}.to_numpy()`, which are matched by position."
            )


def _objects(items: Sequence[object]) -> NDArray[Any]:
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


# --- a column


def _from_series(name: str, series: nw.Series[Any]) -> Column:
    dtype = series.dtype
    if dtype in (nw.Object, nw.Decimal, nw.Int128, nw.UInt128):
        return _from_array(name, _objects(series.to_list()))
    missing = _numpy(series.is_null()).astype(bool)
    if missing.all():
        return Column(name, "categorical", np.empty(len(missing), dtype=object), missing)
    if dtype == nw.Boolean:
        return Column(name, "boolean", _numpy(series.fill_null(False)).astype(bool), missing)
    if dtype.is_integer():
        return Column(name, "numeric", _numpy(series.fill_null(0)), missing)
    if dtype.is_numeric():
        return _from_floats(name, _numpy(series.cast(nw.Float64)))
    if dtype in (nw.String, nw.Categorical, nw.Enum):
        if series.implementation.is_polars() and dtype == nw.String:
            return _from_texts(name, series.fill_null(""), missing)
        order = _category_order(series)
        return Column(name, "categorical", _objects(series.to_list()), missing, order, _is_ordered(series))
    if dtype == nw.Unknown:  # pandas' sparse columns, periods, intervals
        return _from_array(name, np.asarray(series.to_native()))
    what = type(dtype).__name__ if dtype.is_temporal() else str(dtype)
    raise _refused(name, what, dtype.is_temporal())


def _from_texts(name: str, series: nw.Series[Any], missing: BoolArray) -> Column:
    """Return a column of texts, each distinct one made an object once."""
    distinct = series.unique().to_list()
    codes = series.replace_strict(distinct, list(range(len(distinct))), return_dtype=nw.Int64).to_numpy()
    values = _objects(distinct)[codes]
    return Column(name, "categorical", values, missing, distinct=tuple(distinct), codes=codes)


def _numpy(series: nw.Series[Any]) -> NDArray[Any]:
    return series.to_numpy()


def _category_order(series: nw.Series[Any]) -> tuple[object, ...] | None:
    """Return the categories in their stored order, or None if the type stores no chosen order."""
    if isinstance(series.dtype, nw.Enum):
        return tuple(series.dtype.categories)
    if series.dtype != nw.Categorical:
        return None
    native: Any = series.to_native()
    if series.implementation.is_pandas_like():
        return tuple(native.cat.categories) if _has_cat(native) else _dictionary(native)
    if series.implementation.is_pyarrow() and native.type.ordered:
        return tuple(native.unify_dictionaries().chunk(0).dictionary.to_pylist())
    return None  # the order of first appearance has no meaning


def _is_ordered(series: nw.Series[Any]) -> bool:
    """Return whether the column's type declares the order of its categories meaningful."""
    if series.dtype != nw.Categorical:
        return isinstance(series.dtype, nw.Enum)
    native: Any = series.to_native()
    if series.implementation.is_pandas_like():
        return bool(native.cat.ordered if _has_cat(native) else native.dtype.pyarrow_dtype.ordered)
    return bool(series.implementation.is_pyarrow() and native.type.ordered)


def _has_cat(native: Any) -> bool:
    """Return whether a categorical column has pandas' own type; else it is a dictionary of PyArrow."""
    return hasattr(native.dtype, "categories")


def _dictionary(native: Any) -> tuple[object, ...]:
    """Return the categories of PyArrow's dictionary in a pandas column, in stored order, as pandas itself has them."""
    return tuple(native.array.__arrow_array__().unify_dictionaries().chunk(0).dictionary.to_pylist())


def _from_array(name: str, values: NDArray[Any]) -> Column:
    known = np.zeros(len(values), dtype=bool)
    match values.dtype.kind:
        case "b":
            return Column(name, "boolean", values, known)
        case "i" | "u":
            return Column(name, "numeric", values, known)
        case "f":
            with np.errstate(over="ignore"):  # of long doubles; infinite values are refused
                return _from_floats(name, values.astype(np.float64))
        case "U" | "T":
            return Column(name, "categorical", values.astype(object), known)
        case "O":
            return _from_objects(name, values, np.array([_is_missing(value) for value in values], dtype=bool))
    raise _refused(name, str(values.dtype), values.dtype.kind in "mM")


def _is_missing(value: object) -> bool:
    match value:
        case None:
            return True
        case float() | np.floating():
            return bool(value != value)
        case Decimal():
            return value.is_nan()
    return type(value).__name__ in MISSING_TYPES


def _from_floats(name: str, values: FloatArray) -> Column:
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
    raise _refused(name, kind, dates=kind == "date")


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
    return _from_floats(name, floats)


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


def _refused(name: str, what: str, dates: bool) -> DataError:
    if dates:
        todo = "For a trend make it a number, such as the days since the first; for groups make it text."
        return DataError(f"Column `{name}` holds dates or times ({what}). {todo}")
    return DataError(
        f"Column `{name}` holds values of type {what}. A formula takes numbers, booleans, text and categories."
    )


def _a(noun: str) -> str:
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"
