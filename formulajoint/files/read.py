"""Read a table from files or from standard input: text, Parquet, or a spreadsheet."""

from __future__ import annotations

import gzip
import io
import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from os import PathLike

import pandas as pd

from formulajoint.design.frame import Frame, read_frame
from formulajoint.errors import DataError
from formulajoint.files.excel import Sheet, read_sheet
from formulajoint.files.files import PARQUET, SHEETS, STANDARD_INPUT, Files, files_at
from formulajoint.files.text import WORDS, check_alike, codes_in, on_words, read_text, readable

OF_MOMENTS = ("rows", "weight", "root")
"""Columns of a file of moments, beside those of cells and means."""


def read_file(path: str | PathLike[str], missing: Sequence[str] = (), sheet: str | None = None) -> Frame:
    """Return the table in text or Parquet files or a spreadsheet; ``-`` is standard input.

    Parameters
    ----------
    path : path
        Or a pattern of several files, whose rows follow each other. Text may be compressed by gzip; its values are
        separated by commas, semicolons, tabs or bars.
    missing : sequence of str
        Further words for missing values; numbers among them, such as ``-99``, go by value.
    sheet : str, optional
        That of a spreadsheet; by default the first that is not empty.

    Raises
    ------
    DataError
        If a file does not exist, is of another kind, or cannot be read without guessing.
    """
    if str(path) == STANDARD_INPUT:
        return _read({"standard input": _unzipped(sys.stdin.buffer.read())}, "", tuple(missing), sheet)
    files = files_at(path, missing)
    return loaded(files, sheet)


def loaded(files: Files, sheet: str | None = None) -> Frame:
    """Return the table in files; arguments and errors as for `read_file`."""
    contents = dict[str, bytes]()
    for path in files.paths:
        with readable(str(path)):
            contents[str(path)] = _unzipped(path.read_bytes())
    return _read(contents, files.ending, files.missing, sheet)


def _unzipped(content: bytes) -> bytes:
    return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content


def _read(contents: Mapping[str, bytes], ending: str, missing: tuple[str, ...], sheet: str | None) -> Frame:
    (name, content), *others = contents.items()
    with readable(name):
        if ending in SHEETS:
            return _of_sheet(read_sheet(name, content, sheet), missing)
        if sheet is not None:
            raise DataError(f"{name} has no sheets: leave out --sheet.")
        if ending in PARQUET or (not others and content.startswith(b"PAR1")):
            return _of_parquet(contents)
    return read_text(contents, missing)


def _of_parquet(contents: Mapping[str, bytes]) -> Frame:
    tables = dict[str, pd.DataFrame]()
    for name, content in contents.items():
        with readable(name):
            tables[name] = pd.read_parquet(io.BytesIO(content))
            _refuse_moments(name, tables[name].columns)
    check_alike({name: tuple(map(str, table.columns)) for name, table in tables.items()})
    parts = list(tables.values())
    return read_frame(parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True))


def _refuse_moments(name: str, columns: Collection[str]) -> None:
    """Raise a DataError if columns are those in which moments are saved."""
    own = [column for column in columns if str(column).startswith(("cell.", "mean."))]
    if {*columns} == {*own, *OF_MOMENTS}:
        raise DataError(
            f"{name} holds moments, and no rows: `fj.fit(formula, fj.Moments.load({name!r}))` fits them."
        )


def _of_sheet(sheet: Sheet, missing: tuple[str, ...]) -> Frame:
    """Return the table of a sheet; its texts that are words for missing values are missing, as in a text file."""
    codes = codes_in(missing)
    columns, notes = {}, {}
    for name, cells in sheet.columns.items():
        bare = [cell.strip() if isinstance(cell, str) else cell for cell in cells]
        asked = [cell in missing or (type(cell) is float and cell in codes) for cell in bare]
        words = [
            isinstance(cell, str) and cell in WORDS and not a for cell, a in zip(bare, asked, strict=True)
        ]
        columns[name] = [None if a or w else cell for cell, a, w in zip(cells, asked, words, strict=True)]
        if any(isinstance(cell, str) for cell in columns[name]):
            counts = Counter(cell for cell, word in zip(bare, words, strict=True) if word)
            notes[name] = tuple(
                on_words(name, counts, "If a word is a level, write it otherwise in the sheet.")
            )
    return replace(read_frame(columns), notes={**{k: v for k, v in notes.items() if v}, "": sheet.notes})
