"""Lines that fit the page: paragraphs, notes and tables, wrapped between words."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from textwrap import wrap

from formulajoint.wording import visible

WIDTH, LEAST, MOST = 100, 40, 120
"""Characters of a line: outside a terminal, and the least and most in one."""

INDENT = "    "
"""Before the second line of a text that is wider than the page."""

GLUE, FIRM = ("=", "<", ">", "-"), "\u00a0"
"""Signs that stay beside what they stand between, as in ``p = 0.02``, and the blank that does not break."""

GAP = 2
"""Blanks between the columns of a table."""


def terminal_width() -> int | None:
    """Return the characters of a line of the terminal, or ``COLUMNS`` of the environment; None without both."""
    in_terminal = sys.stdout is not None and sys.stdout.isatty()
    if not in_terminal and "COLUMNS" not in os.environ:
        return None
    return min(max(shutil.get_terminal_size((WIDTH, 24)).columns, LEAST), MOST)


def page_width() -> int:
    """Return the characters of a line of prose."""
    return terminal_width() or WIDTH


def paragraph(text: str, indent: str = INDENT, first: str = "") -> list[str]:
    """Return `text` in lines that fit the page, with `first` before the first line and `indent` before the others."""
    return _wrapped(text, page_width(), first, indent)


def _wrapped(text: str, width: int, first: str = "", indent: str = "") -> list[str]:
    """Return `text` wrapped between words; `GLUE` holds together what it stands between."""
    text = visible(text)
    for word in GLUE:
        text = text.replace(f" {word} ", f"{FIRM}{word}{FIRM}")
    lines = wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(FIRM, " ") for line in lines]


def wrapped(texts: Iterable[str], indent: str = INDENT) -> list[str]:
    """Return texts in lines that fit the page, with `indent` before all but the first of each."""
    return [line for text in texts for line in paragraph(text, indent)]


def note_lines(notes: Iterable[str], label: str = "note") -> list[str]:
    """Return notes wrapped to the page, each after its label."""
    indent = " " * (len(label) + 2)
    return [line for note in notes for line in paragraph(f"{label}: {note}", indent)]


def table_lines(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return a table with left-aligned columns under a rule; if wider than the terminal, its cells are wrapped."""
    cells = [tuple(visible(cell).replace("\n", "\\n") for cell in row) for row in (head, *rows)]
    widths = _widths([[row[i] for row in cells] for i in range(len(head))], terminal_width())
    top, *below = (_lines_of(row, widths) for row in cells)
    return [*top, (" " * GAP).join("-" * width for width in widths), *(line for row in below for line in row)]


def _widths(columns: Sequence[Sequence[str]], room: int | None) -> list[int]:
    """Return the widths of columns; where the room is too small, the widest are narrowed, down to their words."""
    widths = [max(map(len, column)) for column in columns]
    if room is None:
        return widths
    least = [max((len(word) for cell in column for word in _words(cell)), default=0) for column in columns]
    while sum(widths) + GAP * (len(widths) - 1) > room:
        wide = [i for i, width in enumerate(widths) if width > least[i]]
        if not wide:
            break
        widths[max(wide, key=lambda i: widths[i])] -= 1
    return widths


def _words(cell: str) -> list[str]:
    return _wrapped(cell, 1)


def _lines_of(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Return the lines of a row, each cell wrapped to the width of its column."""
    wrapped = [
        _wrapped(cell, width) if len(cell) > width else [cell]
        for cell, width in zip(row, widths, strict=True)
    ]
    return [
        (" " * GAP).join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in zip_longest(*wrapped, fillvalue="")
    ]
