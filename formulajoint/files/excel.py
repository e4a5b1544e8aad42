"""Read a sheet of a spreadsheet: Excel or OpenDocument."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from formulajoint.design.columns import duplicate_names
from formulajoint.errors import DataError
from formulajoint.wording import did_you_mean, listed


@dataclass(frozen=True, slots=True)
class Sheet:
    """The cells of a sheet by column, None where a cell is empty or an error, and a note if there were other sheets."""

    columns: dict[str, list[Any]]
    notes: tuple[str, ...]


def read_sheet(name: str, content: bytes, asked: str | None) -> Sheet:
    """Return the sheet `asked`, or the first that is not empty, of the spreadsheet `name`.

    Raises
    ------
    DataError
        If there is no such sheet, or it is no table whose first row has the names of the columns.
    """
    book = _opened(name, content)
    tables = {sheet: _rows(book, sheet) for sheet in book.sheet_names}
    full = [sheet for sheet, rows in tables.items() if rows]
    if asked is not None and asked not in tables:
        hint = did_you_mean(asked, tables) or f"there are {listed(tables)}."
        raise DataError(f"{name} has no sheet `{asked}`: {hint}")
    if not full:
        raise DataError(f"{name} is empty.")
    chosen = full[0] if asked is None else asked
    others = [sheet for sheet in full if sheet != chosen]
    notes = (
        (
            f"{name} has the sheets {listed(full)}. `{chosen}` is read; --sheet of the command line chooses another.",
        )
        if others and asked is None
        else ()
    )
    return Sheet(_columns(f"Sheet `{chosen}` of {name}", tables[chosen]), notes)


def _opened(name: str, content: bytes) -> Any:
    try:
        from python_calamine import CalamineError, CalamineWorkbook  # an extra
    except ImportError as error:
        raise DataError(
            f"Reading {name} needs the extra `excel`: pip install 'formulajoint[excel]'. Or save the table as .csv."
        ) from error
    try:
        return CalamineWorkbook.from_filelike(io.BytesIO(content))
    except CalamineError as error:
        raise DataError(f"{name} cannot be read: {error}") from error


def _rows(book: Any, sheet: str) -> list[list[Any]]:
    """Return the rows of a sheet from the first that has a value to the last."""
    rows = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
    filled = [number for number, row in enumerate(rows) if any(cell != "" for cell in row)]
    return rows[filled[0] : filled[-1] + 1] if filled else []


def _columns(whose: str, rows: Sequence[Sequence[Any]]) -> dict[str, list[Any]]:
    if not rows:
        raise DataError(f"{whose} is empty.")
    header, *body = rows
    names = [_name(cell) for cell in header]
    columns = [[None if cell == "" else cell for cell in column] for column in zip(*body, strict=True)]
    columns = columns or [[] for _ in names]
    nameless = sum(
        any(cell is not None for cell in column)
        for column, name in zip(columns, names, strict=True)
        if not name
    )
    if nameless:
        raise DataError(
            f"{whose} has values in {nameless} {'column' if nameless == 1 else 'columns'} without a name. Its first "
            "row must have the names of the columns: delete titles above it."
        )
    twice = [name for name, count in Counter(filter(None, names)).items() if count > 1]
    if twice:
        raise duplicate_names(twice)
    return {name: column for name, column in zip(names, columns, strict=True) if name}


def _name(cell: object) -> str:
    """Return the name in a cell of the first row; a number, such as a year, without decimals."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()
