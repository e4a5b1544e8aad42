"""Tables of text as Markdown, and as LaTeX, HTML and Word by great-tables and python-docx; each escapes its marks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from io import BytesIO
from typing import Any

import pandas as pd

from formulajoint.errors import InferenceError

type Rows = Sequence[Sequence[str]]

BRACES = {"{": "\ue000", "}": "\ue001"}
"""Stand-ins for braces, which great-tables does not escape in LaTeX."""


def markdown(title: str, columns: Sequence[str], rows: Rows, notes: Sequence[str]) -> str:
    """Return a table in Markdown with columns of equal width."""
    cells = [[_marked_down(cell) for cell in row] for row in (columns, *rows)]
    widths = [max(3, *(len(row[j]) for row in cells)) for j in range(len(columns))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells]
    rule = "|".join("-" * (width + 2) for width in widths)
    table = "\n".join([f"| {lines[0]} |", f"|{rule}|", *(f"| {line} |" for line in lines[1:])])
    parts = [f"**{_marked_down(title)}**"] if title else []
    return "\n\n".join([*parts, table, *map(_marked_down, notes)])


def _marked_down(text: str) -> str:
    return re.sub(r"([\\`*_|<>~])", r"\\\1", text)


def latex(title: str, columns: Sequence[str], rows: Rows, notes: Sequence[str]) -> str:
    """Return a table in LaTeX."""
    table = str.maketrans(BRACES)
    cells = [[cell.translate(table) for cell in row] for row in (columns, *rows)]
    made = _great(title.translate(table), cells[0], cells[1:], [note.translate(table) for note in notes])
    text = str(made.as_latex())
    for brace, stand_in in BRACES.items():
        text = text.replace(stand_in, "\\" + brace)
    return text


def html(title: str, columns: Sequence[str], rows: Rows, notes: Sequence[str]) -> str:
    """Return a table in HTML."""
    return str(_great(title, columns, rows, notes).as_raw_html())


def _great(title: str, columns: Sequence[str], rows: Rows, notes: Sequence[str]) -> Any:
    try:
        from great_tables import GT
    except ImportError as error:
        raise InferenceError("This needs great-tables: pip install 'formulajoint[tables]'.") from error
    made = GT(pd.DataFrame([list(row) for row in rows], columns=[column or " " for column in columns]))
    made = made.tab_header(title=title) if title else made
    for note in notes:
        made = made.tab_source_note(note)
    return made


def plain_html(title: str, columns: Sequence[str], rows: Rows, notes: Sequence[str]) -> str:
    """Return a table in HTML without a style, for notebooks."""

    def line(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    caption = f"<caption>{escape(title)}</caption>" if title else ""
    body = "".join(line(row, "td") for row in rows)
    head = f"<thead>{line(columns, 'th')}</thead>"
    below = "".join(f"<p>{escape(note)}</p>" for note in notes)
    return f"<table>{caption}{head}<tbody>{body}</tbody></table>{below}"


def word(title: str, columns: Sequence[str], rows: Rows, notes: Sequence[str]) -> bytes:
    """Return a Word document with a table."""
    try:
        from docx import Document
    except ImportError as error:
        raise InferenceError("This needs python-docx: pip install 'formulajoint[tables]'.") from error
    document = Document()
    if title:
        document.add_paragraph(title, style="Caption")
    table = document.add_table(rows=0, cols=len(columns), style="Table Grid")
    for number, row in enumerate((columns, *rows)):
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.paragraphs[0].add_run(text).bold = number == 0
    for note in notes:
        document.add_paragraph(note)
    out = BytesIO()
    document.save(out)
    return out.getvalue()


FILES = {
    ".md": lambda *cells: f"{markdown(*cells)}\n".encode(),
    ".tex": lambda *cells: latex(*cells).encode(),
    ".html": lambda *cells: html(*cells).encode(),
    ".docx": word,
}
"""From the end of a file's name to its content."""


def of_file(suffix: str, title: str, columns: Sequence[str], rows: Rows, notes: Sequence[str]) -> bytes:
    """Return the content of a file with that suffix."""
    if suffix not in FILES:
        raise InferenceError(f"The file ends in {', '.join(FILES)}, not in {suffix or 'nothing'}.")
    return FILES[suffix](title, columns, rows, notes)
