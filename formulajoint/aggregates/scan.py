"""Files as lazy frames: Parquet and text, by DuckDB or Polars, without loading them whole."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import batched
from math import ceil
from typing import Any

import narwhals as nw

from formulajoint.aggregates.answers import answer
from formulajoint.errors import RowsNeededError
from formulajoint.files.files import PARQUET, Files
from formulajoint.files.plain import Plain, plain

QUERIES = 4
"""At most this many queries of DuckDB read text files: more files than twice its threads would each be read whole."""


@dataclass(frozen=True, slots=True)
class Text:
    """Further words for missing values in text files, and whether cells may have blanks at their ends."""

    missing: tuple[str, ...]
    padded: bool


@dataclass(frozen=True, slots=True, eq=False)
class Scanned:
    """A lazy frame.

    Attributes
    ----------
    frame : a lazy frame that narwhals supports
    text : Text or None
        How cells are read, if they are all text until now.
    notes : mapping of str to tuple of str
        As in a `Frame`.
    """

    frame: Any
    text: Text | None = None
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def scanned(files: Files) -> Scanned:
    """Return files as a lazy frame.

    Raises
    ------
    RowsNeededError
        If an engine would read them differently, or neither DuckDB nor Polars is installed.
    """
    if any(mark in str(path) for path in files.paths for mark in "*?["):
        raise RowsNeededError(
            f"{files.name} has brackets or stars in its name, which engines read as patterns."
        )
    reader = _reader()
    if files.ending in PARQUET:
        return Scanned(answer(lambda: reader.parquet([str(path) for path in files.paths])))
    found = plain(files)
    names = [unicodedata.normalize("NFC", name) for name in found.names]
    if len({name.lower() for name in names}) < len(names):
        raise RowsNeededError(f"{files.name} has columns whose names differ in capital letters only.")
    frame = nw.from_native(answer(lambda: reader.text(found)))
    renamed = frame.select(*(nw.col(f"c{place}").alias(name) for place, name in enumerate(names)))
    return Scanned(renamed, Text(files.missing, found.padded), {"": found.notes})


@dataclass(frozen=True, slots=True)
class _Reader:
    """The functions of an engine that open Parquet files, and plain text files with columns c0, c1, ... of text."""

    parquet: Callable[[Sequence[str]], Any]
    text: Callable[[Plain], Any]


def _reader() -> _Reader:
    """Return DuckDB's functions, or else those of Polars."""
    try:
        import duckdb
    except ImportError:
        return _reader_of_polars()

    def text(found: Plain) -> Any:
        columns = ", ".join(f"c{place}: 'VARCHAR'" for place in range(len(found.names)))
        queries = (
            f"SELECT * FROM read_csv([{', '.join(_quoted(str(path)) for path in paths)}], auto_detect = false, "
            f"header = true, columns = {{{columns}}}, delim = {_quoted(found.separator)}, quote = '\"', escape = '\"')"
            for paths in batched(found.paths, ceil(len(found.paths) / QUERIES))
        )
        return duckdb.sql(" UNION ALL ".join(queries))

    return _Reader(lambda paths: duckdb.read_parquet(list(paths)), text)


def _quoted(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def _reader_of_polars() -> _Reader:
    try:
        import polars
    except ImportError:
        raise RowsNeededError(
            "Files are aggregated where they are by DuckDB or Polars: `pip install formulajoint[duckdb]`."
        ) from None

    def text(found: Plain) -> Any:
        return polars.scan_csv(
            list(found.paths),
            infer_schema=False,
            separator=found.separator,
            new_columns=[f"c{place}" for place in range(len(found.names))],
            glob=False,
        )

    return _Reader(lambda paths: polars.scan_parquet(list(paths), glob=False), text)
