"""Read a table from text: its encoding, its separator, and what its cells hold.

Nothing is guessed in silence. Cells are read as text first. A word for a missing value, such as ``NA``, is one where it
stands without quotes, as R and pandas write it; in quotes it is text.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from formulajoint.design.columns import duplicate_names
from formulajoint.design.frame import Frame, read_frame
from formulajoint.design.numbers_in_text import WHOLE_IN_POINTS, decimal_comma
from formulajoint.errors import DataError
from formulajoint.files.strays import Source, strays
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
TOKENIZING = "Error tokenizing data. C error: "
"""What pandas says before the reason a row cannot be read."""

LINES = 50
"""The separator is found in this many lines."""


def read_text(contents: Mapping[str, bytes], missing: tuple[str, ...] = ()) -> Frame:
    """Return the table in text files, whose rows follow each other; files without a byte are left out.

    Parameters
    ----------
    contents : mapping of str to bytes
        By the name of each file.
    missing : tuple of str
        Further words for missing values; numbers among them go by value.

    Raises
    ------
    DataError
        If the text cannot be read without guessing, or the files have different columns.
    """
    parts = dict[str, _Part]()
    for name, content in contents.items():
        if content or len(contents) == 1:
            with readable(name):
                parts[name] = _part(name, content)
    if not parts:
        raise DataError(f"{listed(contents, 3)} are empty.")
    check_alike({name: tuple(part.columns) for name, part in parts.items()})
    tables = list(parts.values())
    columns = {
        name: pd.concat([part.columns[name] for part in tables], ignore_index=True)
        for name in tables[0].columns
    }
    sources = [part.source for part in tables]
    german = any(_is_german(cells, sources[0].separator) for cells in columns.values())
    read = {name: _read(name, cells, german, missing, sources) for name, cells in columns.items()}
    notes = {name: column.notes for name, column in read.items() if column.notes}
    frame = read_frame({name: column.values for name, column in read.items()})
    return replace(
        frame,
        notes={**notes, "": tuple(dict.fromkeys(note for part in tables for note in part.notes))},
        strays={name: column.strays for name, column in read.items() if column.strays},
    )


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Tell an error in reading a file as a DataError that names the file."""
    try:
        yield
    except DataError:
        raise
    except ImportError as error:
        raise DataError(f"Reading {name} needs pyarrow: pip install pyarrow.") from error
    except pd.errors.EmptyDataError as error:
        raise DataError(f"{name} is empty.") from error
    except (ValueError, OSError, EOFError, csv.Error) as error:
        raise DataError(f"{name} cannot be read: {str(error).removeprefix(TOKENIZING)}") from error


def check_alike(names: Mapping[str, tuple[str, ...]]) -> None:
    """Raise a DataError if files do not have the same columns in the same order."""
    (first, known), *others = names.items()
    for name, found in others:
        if found != known:
            raise DataError(
                f"{first} has the columns {listed(known, 6)}, {name} {listed(found, 6)}. Files of one table need the "
                "same columns in the same order."
            )


@dataclass(frozen=True, slots=True)
class _Part:
    """The cells of a text file as they stand in it, by column; the file; and notes on it."""

    columns: dict[str, pd.Series[str]]
    source: Source
    notes: tuple[str, ...]


def _part(name: str, content: bytes) -> _Part:
    text, remarks = _decoded(name, content)
    if "\n" not in text:
        text = text.replace("\r", "\n")  # the line ends of old Macs
    separator = separator_of(text)
    columns = _columns(name, _with_marks(text, separator), separator)
    source = Source(name, text, separator, len(next(iter(columns.values()))))
    return _Part(columns, source, (*remarks, *on_separator(name, separator)))


def on_separator(name: str, separator: str) -> Iterable[str]:
    """Yield a note if values are separated by other than commas, which the file's name does not tell."""
    if separator != "," and not name.endswith((".tsv", ".tsv.gz", ".tab")):
        yield f"{name} has {SEPARATORS[separator]} between its values."


def _decoded(name: str, content: bytes) -> tuple[str, tuple[str, ...]]:
    """Return the text, and a note if it is not in a Unicode encoding."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16"), ()
    if b"\0" in content:
        raise DataError(f"{name} is not a text file: it contains zero bytes. Save the table as .csv.")
    try:
        return content.decode("utf-8-sig"), ()
    except UnicodeDecodeError:
        pass
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name} is neither UTF-8 nor Windows-1252 text ({error.reason} at byte {error.start}). "
            "Save it as UTF-8."
        ) from error
    strange = dict.fromkeys(re.findall(r"\w*[^\x00-\x7f]\w*", text))
    return text, (f"{name} is not UTF-8. It was read as Windows-1252: {listed(strange, 3)}.",)


def header_of(text: str, separator: str) -> tuple[str, ...]:
    """Return the names in the first line that is not empty; `Unnamed: 0` and the like where a cell is empty.

    Raises
    ------
    DataError
        If a name stands there twice.
    """
    header = next((row for row in csv.reader(io.StringIO(text), delimiter=separator) if row), [])
    names = [_name(cell) for cell in header]
    twice = [name for name, count in Counter(names).items() if count > 1 and name]
    if twice:
        raise duplicate_names(twice)
    return tuple(
        name if cell else f"Unnamed: {place}"
        for place, (cell, name) in enumerate(zip(header, names, strict=True))
    )


def _columns(name: str, text: str, separator: str) -> dict[str, pd.Series[str]]:
    """Return the cells of each column, as they stand in the file."""
    header_of(text, separator)
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:  # without pandas' guess that a row longer than the header begins with its name
            table = pd.read_csv(io.StringIO(text), sep=separator, dtype=str, na_filter=False, index_col=False)
        except pd.errors.ParserWarning as error:
            raise DataError(f"{name} has rows with more values than its header has names.") from error
    return {_name(str(column)): table[column] for column in table.columns}


def _read(
    name: str, cells: pd.Series[str], german: bool, missing: tuple[str, ...], sources: Sequence[Source]
) -> _Column:
    """Return the values of a column, all of one kind."""
    bare = cells.str.strip()
    asked = bare.isin(missing)
    words, quoted = bare.isin(WORDS) & ~asked, cells.str.startswith(QUOTED)
    known = bare[~(words | asked | quoted)]
    if len(known):
        numbers, note = _numbers(name, known, german)
        if numbers is not None:
            return _Column(_with_missing(numbers, len(cells), known.index, missing), note)
    if len(known) and not quoted.any() and set(known.unique()) <= TRUE | FALSE:
        values = np.full(len(cells), None, dtype=object)
        values[known.index] = known.isin(TRUE).astype(object)
        return _Column(values)
    values = cells.str.removeprefix(QUOTED).to_numpy(dtype=object).copy()
    values[words | asked] = None
    told = "" if known.str.fullmatch(PADDED).any() else strays(known, sources)
    return _Column(values, tuple(on_words(name, Counter(bare[words]))), told)


def _with_missing(numbers: Any, rows: int, known: Any, missing: tuple[str, ...]) -> Any:
    """Return numbers at the positions `known` of a column, the others missing."""
    codes = codes_in(missing)
    hidden = np.isin(np.asarray(numbers, dtype=float), codes) if codes else np.zeros(len(numbers), dtype=bool)
    if len(numbers) == rows and not hidden.any():
        return np.asarray(numbers)
    values = np.full(rows, np.nan)
    values[known[~hidden]] = np.asarray(numbers, dtype=float)[~hidden]
    return values


@dataclass(frozen=True, slots=True, eq=False)
class _Column:
    """The values of a column, notes on how they were read, and a sentence on few cells that are no numbers."""

    values: Any
    notes: tuple[str, ...] = ()
    strays: str = ""


def _name(cell: str) -> str:
    """Return the name in a cell of the header, without blanks at its ends."""
    return cell.removeprefix(QUOTED).strip()


def separator_of(text: str) -> str:
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


def on_words(name: str, counts: Mapping[str, int], otherwise: str = "") -> Iterable[str]:
    """Yield a note if a text column has words that count as missing values, blank cells aside.

    `counts` are the rows of each word; `otherwise` is what to do if a word is a level, where quotes in the file do not
    help.
    """
    pairs = sorted(
        ((word, count) for word, count in counts.items() if word), key=lambda pair: (-pair[1], pair[0])
    )
    if pairs:
        told = " and ".join(f"{word} in {count} {'row' if count == 1 else 'rows'}" for word, count in pairs)
        instead = otherwise or f'If a word is a level, put it in quotes in the file: "{pairs[0][0]}".'
        yield f"{name} is {told}, taken for missing. {instead}"


def codes_in(missing: Iterable[str]) -> list[float]:
    """Return the numbers among words for missing values, which go by value."""
    return [float(word) for word in missing if _is_float(word)]


def _is_float(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
