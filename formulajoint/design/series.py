"""Data frames and columns of any library, through narwhals: it is loaded for other than plain columns of pandas."""

from __future__ import annotations

import re
from typing import Any

import narwhals as nw
import numpy as np
from narwhals.exceptions import DuplicateError
from numpy.typing import NDArray

from formulajoint.arrays import BoolArray
from formulajoint.design.columns import Column, duplicate_names, from_array, from_floats, objects, refused


def is_lazy(data: object) -> bool:
    """Return whether `data` is a lazy frame of an engine that narwhals knows."""
    return isinstance(_known(data), nw.LazyFrame)


def is_eager(data: object) -> bool:
    """Return whether `data` is a frame in memory of a library that narwhals knows."""
    return isinstance(_known(data), nw.DataFrame | DuplicateError)


def _known(data: object) -> Any:
    """Return a frame as narwhals has it; the error of one in memory that has two columns of one name."""
    try:
        return nw.from_native(data, pass_through=True)
    except DuplicateError as error:
        return error


def columns_of(data: object) -> tuple[list[tuple[str, nw.Series[Any]]], Any] | None:
    """Return the columns of a frame by name, and its index if it is like pandas; None if narwhals does not know it.

    Raises
    ------
    DataError
        If columns have one name.
    """
    frame = _known(data)
    if isinstance(frame, DuplicateError):
        raise duplicate_names(re.findall(r"'(.*)'", str(frame)))
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    if not isinstance(frame, nw.DataFrame):
        return None
    return [(name, frame.get_column(name)) for name in frame.columns], nw.maybe_get_index(frame)


def as_series(values: object) -> nw.Series[Any] | None:
    """Return a column as narwhals has it; None if it does not know it."""
    series = nw.from_native(values, pass_through=True, allow_series=True)
    return series if isinstance(series, nw.Series) else None


def index_of(series: Any) -> Any:
    """Return the index of a series, if it is like one of pandas; else None."""
    return nw.maybe_get_index(nw.from_native(series, series_only=True))


def is_scale(series: Any) -> bool:
    """Return whether a column is an ordered category, as an ordered factor of R; Polars' Enum need not be one."""
    series = nw.from_native(series, series_only=True)
    return not series.implementation.is_polars() and _is_ordered(series)


def read_series(name: str, series: Any) -> Column:
    """Return the column of a series, of narwhals or of a library that it knows.

    Raises
    ------
    DataError
        If a model cannot use its type.
    """
    series = nw.from_native(series, series_only=True)
    dtype = series.dtype
    if dtype in (nw.Object, nw.Decimal, nw.Int128, nw.UInt128):
        return from_array(name, objects(series.to_list()))
    missing = _numpy(series.is_null()).astype(bool)
    if missing.all():
        return Column(name, "categorical", np.empty(len(missing), dtype=object), missing)
    if dtype == nw.Boolean:
        return Column(name, "boolean", _numpy(series.fill_null(False)).astype(bool), missing)
    if dtype.is_integer():
        return Column(name, "numeric", _numpy(series.fill_null(0)), missing)
    if dtype.is_numeric():
        return from_floats(name, _numpy(series.cast(nw.Float64)))
    if dtype in (nw.String, nw.Categorical, nw.Enum):
        if series.implementation.is_polars() and dtype == nw.String:
            return _from_texts(name, series.fill_null(""), missing)
        order = _category_order(series)
        return Column(name, "categorical", objects(series.to_list()), missing, order, _is_ordered(series))
    if dtype == nw.Unknown:  # pandas' sparse columns, periods, intervals
        return from_array(name, np.asarray(series.to_native()))
    what = type(dtype).__name__ if dtype.is_temporal() else str(dtype)
    raise refused(name, what, dtype.is_temporal())


def _from_texts(name: str, series: nw.Series[Any], missing: BoolArray) -> Column:
    """Return a column of texts, each distinct one made an object once."""
    distinct = series.unique().to_list()
    codes = series.replace_strict(distinct, list(range(len(distinct))), return_dtype=nw.Int64).to_numpy()
    values = objects(distinct)[codes]
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
