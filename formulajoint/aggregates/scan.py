"""Files as lazy frames: Parquet and CSV, by DuckDB or Polars, without loading them whole."""

from __future__ import annotations

from glob import glob
from os import PathLike, fspath
from typing import Any

from formulajoint.aggregates.answers import answer
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
    parquet = not str(path).endswith((".csv", ".csv.gz"))
    try:
        import duckdb
    except ImportError:
        return _by_polars(str(path), parquet)
    return answer(lambda: duckdb.read_parquet(path) if parquet else duckdb.read_csv(path))


def _by_polars(path: str, parquet: bool) -> Any:
    try:
        import polars
    except ImportError:
        message = "Files are read by DuckDB or Polars: `pip install formulajoint[duckdb]`."
        raise DataError(message) from None
    return answer(lambda: polars.scan_parquet(path) if parquet else polars.scan_csv(path))
