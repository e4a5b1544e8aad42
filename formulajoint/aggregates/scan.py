"""Files as lazy frames: Parquet and CSV, by DuckDB or Polars, without loading them whole."""

from __future__ import annotations

from collections.abc import Callable
from glob import glob
from os import PathLike, fspath
from typing import Any

from formulajoint.errors import DataError

ENDINGS = (".parquet", ".pq", ".csv", ".csv.gz")


def scanned(data: object) -> Any:
    """Return the path of files, or a pattern such as ``data/*.parquet``, as a lazy frame; other data as they are.

    Raises
    ------
    DataError
        If there is no such file, or neither DuckDB nor Polars is installed.
    """
    if not isinstance(data, str | PathLike) or not str(data).endswith(ENDINGS):
        return data
    path = fspath(data)
    if not glob(str(path)):
        raise DataError(f"There is no file `{path}`.")
    from formulajoint.aggregates.answers import answer

    read = _reader(parquet=not str(path).endswith((".csv", ".csv.gz")))
    return answer(lambda: read(path))


def _reader(parquet: bool) -> Callable[[Any], Any]:
    """Return the function of DuckDB, or else of Polars, that opens files."""
    try:
        import duckdb
    except ImportError:
        return _reader_of_polars(parquet)
    reader: Callable[[Any], Any] = duckdb.read_parquet if parquet else duckdb.read_csv
    return reader


def _reader_of_polars(parquet: bool) -> Callable[[Any], Any]:
    try:
        import polars
    except ImportError:
        message = "Files are read by DuckDB or Polars: `pip install formulajoint[duckdb]`."
        raise DataError(message) from None
    return polars.scan_parquet if parquet else polars.scan_csv
