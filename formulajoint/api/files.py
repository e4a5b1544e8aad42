"""Read a table from a file or from standard input: its encoding, its separator, and what its cells hold.

Nothing is guessed in silence. Cells are read as text first. A word for a missing value, such as ``NA``, is one where it
stands without quotes, as R and pandas write it; in quotes it is text.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from formulajoint.api.excel import SHEETS, Sheet, read_sheet
from formulajoint.design.columns import duplicate_names
from formulajoint.design.frame import Frame, read_frame
from formulajoint.design.numbers_in_text import WHOLE_IN_POINTS, decimal_comma
from formulajoint.errors import DataError
from formulajoint.wording import listed

WORDS = frozenset(
    (
        "",
        "NA",
        "N/A",
        "n/a",
        "NULL",
        "null",
        "None",
        "NaN",
        "nan",
        "-NaN",
        "-nan",
        "<NA>",
        "#N/A",
        "#NA",
        "#N/A N/A",
    )
)
"""Words for a missing value, as R, pandas and spreadsheets write it."""

QUOTED = "\ue000"
"""Stands before a word of `WORDS` that has quotes in the file; of the private use area of Unicode."""

PADDED = r"\s*0\d+\s*"
"""A label that looks like a number, ``007``: as a number it would equal ``7``."""

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
TRUE, FALSE = {"True", "TRUE", "true"}, {"False", "FALSE", "false"}
TEXT = (".csv", ".tsv", ".tab", ".txt")
PARQUET = (".parquet", ".pq")
STANDARD_INPUT = "-"
TOKENIZING = "Error tokenizing data. C error: "
"""What pandas says before the reason a row cannot be read."""

LINES = 50
"""The separator is found in this many lines."""


def read_file(path: Path, missing: Sequence[str] = (), sheet: str | None = None) -> Frame:
    """Return the table in a text or Parquet file or a spreadsheet; ``-`` is standard input.

    Parameters
    ----------
    path : Path
        Text may be compressed by gzip; its values are separated by commas, semicolons, tabs or bars.
    missing : sequence of str
        Further words for missing values; numbers among them, such as ``-99``, go by value.
    sheet : str, optional
        That of a spreadsheet; by default the first that is not empty.

    Raises
    ------
    DataError
        If the file does not exist, is of another kind, or cannot be read without guessing.
    """
    name = "standard input" if str(path) == STANDARD_INPUT else str(path)
    try:
        content = _content(path)
        if path.suffix.lower() in SHEETS:
            return _of_sheet(read_sheet(name, content, sheet), tuple(missing))
        if sheet is not None:
            raise DataError(f"{name} has no sheets: leave out --sheet.")
        if content.startswith(b"PAR1") or path.suffix.lower() in PARQUET:
            return read_frame(pd.read_parquet(io.BytesIO(content)))
        return _Text(name, tuple(missing)).frame(content)
    except DataError:
        raise
    except ImportError as error:
        raise DataError(f"Reading {name} needs pyarrow: pip install pyarrow.") from error
    except pd.errors.EmptyDataError as error:
        raise DataError(f"{name} is empty.") from error
    except (ValueError, OSError, EOFError, csv.Error) as error:
        raise DataError(f"{name} cannot be read: {str(error).removeprefix(TOKENIZING)}") from error


def _content(path: Path) -> bytes:
    if str(path) == STANDARD_INPUT:
        content = sys.stdin.buffer.read()
    else:
        if not path.is_file():
            raise DataError(f"{path} is a folder." if path.is_dir() else f"There is no file {path}.")
        kinds = [suffix.lower() for suffix in path.suffixes[-2:] if suffix.lower() != ".gz"]
        if not kinds or kinds[-1] not in (*TEXT, *PARQUET, *SHEETS):
            raise DataError(
                f"{path} is neither {', '.join(TEXT)} nor .parquet nor a spreadsheet. Save the table as .csv."
            )
        content = path.read_bytes()
    return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content


def _of_sheet(sheet: Sheet, missing: tuple[str, ...]) -> Frame:
    """Return the table of a sheet; its texts that are words for missing values are missing, as in a text file."""
    codes = [float(word) for word in missing if _is_float(word)]
    columns, notes = {}, {}
    for name, cells in sheet.columns.items():
        bare = [cell.strip() if isinstance(cell, str) else cell for cell in cells]
        asked = [cell in missing or (type(cell) is float and cell in codes) for cell in bare]
        words = [
            isinstance(cell, str) and cell in WORDS and not a for cell, a in zip(bare, asked, strict=True)
        ]
        columns[name] = [None if a or w else cell for cell, a, w in zip(cells, asked, words, strict=True)]
        if any(isinstance(cell, str) for cell in columns[name]):
            told = pd.Series([cell for cell, word in zip(bare, words, strict=True) if word], dtype=str)
            notes[name] = tuple(_lost(name, told, "If a word is a level, write it otherwise in the sheet."))
    return replace(read_frame(columns), notes={**{k: v for k, v in notes.items() if v}, "": sheet.notes})


@dataclass(frozen=True, slots=True)
class _Text:
    """A text file as it is read: its name in messages, and further words for missing values."""

    name: str
    missing: tuple[str, ...]

    def frame(self, content: bytes) -> Frame:
        text, remarks = self._decoded(content)
        if "\n" not in text:
            text = text.replace("\r", "\n")  # the line ends of old Macs
        separator = _separator(text)
        columns = self._columns(_with_marks(text, separator), separator)
        german = any(_is_german(cells, separator) for cells in columns.values())
        read = {name: self._read(name, cells, german) for name, cells in columns.items()}
        notes = {name: column.notes for name, column in read.items() if column.notes}
        frame = read_frame({name: column.values for name, column in read.items()})
        if separator != "," and not self.name.endswith((".tsv", ".tsv.gz", ".tab")):
            remarks = (*remarks, f"{self.name} has {SEPARATORS[separator]} between its values.")
        return replace(frame, notes={**notes, "": remarks})

    def _decoded(self, content: bytes) -> tuple[str, tuple[str, ...]]:
        """Return the text, and a note if it is not in a Unicode encoding."""
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            return content.decode("utf-16"), ()
        if b"\0" in content:
            raise DataError(
                f"{self.name} is not a text file: it contains zero bytes. Save the table as .csv."
            )
        try:
            return content.decode("utf-8-sig"), ()
        except UnicodeDecodeError:
            pass
        try:
            text = content.decode("cp1252")
        except UnicodeDecodeError as error:
            raise DataError(
                f"{self.name} is neither UTF-8 nor Windows-1252 text ({error.reason} at byte {error.start}). "
                "Save it as UTF-8."
            ) from error
        strange = dict.fromkeys(re.findall(r"\w*[^\x00-\x7f]\w*", text))
        return text, (f"{self.name} is not UTF-8. It was read as Windows-1252: {listed(strange, 3)}.",)

    def _columns(self, text: str, separator: str) -> dict[str, pd.Series[str]]:
        """Return the cells of each column, as they stand in the file."""
        header = next((row for row in csv.reader(io.StringIO(text), delimiter=separator) if row), [])
        names = [_name(cell) for cell in header]
        twice = [name for name, count in Counter(names).items() if count > 1 and name]
        if twice:
            raise duplicate_names(twice)
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            try:  # without pandas' guess that a row longer than the header begins with its name
                table = pd.read_csv(
                    io.StringIO(text), sep=separator, dtype=str, na_filter=False, index_col=False
                )
            except pd.errors.ParserWarning as error:
                raise DataError(
                    f"{self.name} has rows with more values than its header has names."
                ) from error
        return {_name(str(name)): table[name] for name in table.columns}

    def _read(self, name: str, cells: pd.Series[str], german: bool) -> _Column:
        """Return the values of a column, all of one kind."""
        bare = cells.str.strip()
        asked = bare.isin(self.missing)
        words, quoted = bare.isin(WORDS) & ~asked, cells.str.startswith(QUOTED)
        known = bare[~(words | asked | quoted)]
        if len(known):
            numbers, note = _numbers(name, known, german)
            if numbers is not None:
                return _Column(self._with_missing(numbers, len(cells), known.index), note)
        if len(known) and not quoted.any() and set(known.unique()) <= TRUE | FALSE:
            values = np.full(len(cells), None, dtype=object)
            values[known.index] = known.isin(TRUE).astype(object)
            return _Column(values)
        values = cells.str.removeprefix(QUOTED).to_numpy(dtype=object).copy()
        values[words | asked] = None
        return _Column(values, tuple(_lost(name, bare[words])))

    def _with_missing(self, numbers: Any, rows: int, known: Any) -> Any:
        """Return numbers at the positions `known` of a column, the others missing."""
        codes = [float(word) for word in self.missing if _is_float(word)]
        hidden = (
            np.isin(np.asarray(numbers, dtype=float), codes) if codes else np.zeros(len(numbers), dtype=bool)
        )
        if len(numbers) == rows and not hidden.any():
            return np.asarray(numbers)
        values = np.full(rows, np.nan)
        values[known[~hidden]] = np.asarray(numbers, dtype=float)[~hidden]
        return values


@dataclass(frozen=True, slots=True, eq=False)
class _Column:
    """The values of a column, and notes on how they were read."""

    values: Any
    notes: tuple[str, ...] = ()


def _name(cell: str) -> str:
    """Return the name in a cell of the header, without blanks at its ends."""
    return cell.removeprefix(QUOTED).strip()


def _separator(text: str) -> str:
    """Return what separates the values: the first that makes equally many, and more than one, in the lines seen."""
    lines = [line for line in text.splitlines()[: LINES + 1] if line.strip()][:LINES]
    for mark in SEPARATORS:
        counts = {len(row) for row in csv.reader(lines, delimiter=mark)}
        if len(counts) == 1 and counts != {1}:
            return mark
    head = lines[0] if lines else ""
    return next((mark for mark in SEPARATORS if mark in head), ",")


def _with_marks(text: str, separator: str) -> str:
    """Return the text with `QUOTED` in each quoted cell that is a word for a missing value."""
    words = "|".join(re.escape(word) for word in sorted(WORDS - {""}, key=len, reverse=True))
    ends = re.escape(separator) + r"\r\n"
    return re.sub(rf'(?:(?<=[{ends}])|\A)"({words})"(?=[{ends}]|\Z)', rf'"{QUOTED}\1"', text)


def _is_german(cells: pd.Series[str], separator: str) -> bool:
    """Return whether a column has numbers with decimal commas; between commas they could as well be thousands."""
    if separator == ",":
        return False
    known = [cell for cell in cells.str.strip().unique() if cell not in WORDS and not cell.startswith(QUOTED)]
    numbers = [decimal_comma(cell) for cell in known]
    return None not in numbers and any("," in cell for cell in known)


def _numbers(name: str, known: pd.Series[str], german: bool) -> tuple[Any, tuple[str, ...]]:
    """Return the numbers that all `known` cells hold, with a note if they are written with commas; or None."""
    if german:
        texts = known.unique()
        table = {text: decimal_comma(text) for text in texts}
        marked = [text for text in texts if "," in text or WHOLE_IN_POINTS.fullmatch(text)]
        if marked and None not in table.values():
            value = table[marked[0]]
            return known.map(table), (f"{name} has decimal commas: {marked[0]} is read as {value:.10g}.",)
    if known.str.fullmatch(PADDED).any():
        return None, ()
    try:
        return pd.to_numeric(known), ()
    except (ValueError, TypeError):
        return None, ()


def _lost(name: str, words: pd.Series[str], otherwise: str = "") -> Iterable[str]:
    """Yield a note if a text column has words that count as missing values, blank cells aside.

    `otherwise` is what to do if a word is a level, where quotes in the file do not help.
    """
    counts = words[words != ""].value_counts()
    if len(counts):
        told = " and ".join(
            f"{word} in {count} {'row' if count == 1 else 'rows'}" for word, count in counts.items()
        )
        instead = otherwise or f'If a word is a level, put it in quotes in the file: "{counts.index[0]}".'
        yield f"{name} is {told}, taken for missing. {instead}"


def _is_float(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
