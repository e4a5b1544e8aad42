"""How values become lines of a record: numbers to the bit, arrays by their hash, long texts by theirs."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd

import formulajoint as fj

type Lines = list[str]
type Record = dict[str, Lines]
"""Sections of a record: a head and its lines."""

IN_FULL: ContextVar[bool] = ContextVar("IN_FULL", default=False)
"""Whether long texts are written out beside their hashes."""

NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\binf\b|\bnan\b)")
"""A number in a line."""

TEXT = re.compile(r"text of \d+ characters sha256-of-text=[0-9a-f]+ of-words=(?P<words>[0-9a-f]+)")
"""The line of a long text."""

DIGITS = 16
"""Hexadecimal digits that are kept of a hash."""

FIRST = 4
"""How many numbers of an array are written beside its hash."""


def number(value: Any) -> str:
    """Return a number as the shortest text that reads back to the same bits."""
    return repr(float(value))


def plain(value: Any) -> str:
    """Return a cell of a table or an argument as text: numbers to the bit, texts in quotes."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | float | np.number):
        return number(value)
    return str(value)


def hashed(data: bytes) -> str:
    """Return the first digits of the SHA-256 of `data`."""
    return hashlib.sha256(data).hexdigest()[:DIGITS]


def array_line(name: str, values: Any, dims: Iterable[str] = ()) -> str:
    """Return one line of an array: its shape, the hash of its bytes, its first numbers, mean, sd and range.

    The numbers are those that the comparison falls back on where the hash differs.
    """
    found = np.ascontiguousarray(values, dtype=np.float64)
    head = f"array {name} ({', '.join([*dims, *map(str, found.shape)])}) sha256={hashed(found.tobytes())}"
    flat = found.ravel()
    first = " ".join(number(value) for value in flat[:FIRST])
    if found.size <= FIRST:
        return f"{head} all={first}"
    with np.errstate(all="ignore"):
        figures = {"mean": flat.mean(), "sd": flat.std(), "low": flat.min(), "high": flat.max()}
    return f"{head} first={first} " + " ".join(f"{key}={number(value)}" for key, value in figures.items())


def text_lines(text: str) -> Lines:
    """Return a text line by line."""
    return text.split("\n")


def long_text(text: str, shown: bool = False) -> Lines:
    """Return one line for a long text: its length, its hash, and that of its words without its numbers.

    The text follows where it is `shown`, or with `IN_FULL`.
    """
    words = hashed(NUMBER.sub("#", text).encode())
    line = f"text of {len(text)} characters sha256-of-text={hashed(text.encode())} of-words={words}"
    return [line, *(text_lines(text) if shown or IN_FULL.get() else [])]


def table_lines(table: pd.DataFrame) -> Lines:
    """Return a table: its columns, with their types unless they are floats, then a line for each row.

    A cell that is NaN is left out of its line.
    """
    heads = [f"{name}" if kind == np.float64 else f"{name} ({kind})" for name, kind in table.dtypes.items()]
    lines = [f"index {table.index.name}; columns {', '.join(heads)}"]
    for label, row in zip(table.index, table.itertuples(index=False), strict=True):
        cells = ((name, plain(value)) for name, value in zip(table.columns, row, strict=True))
        shown = [f"{name}={text}" for name, text in cells if text != "nan"]
        lines.append(f"{plain(label)}: {', '.join(shown)}")
    return lines


def json_lines(data: Mapping[str, Any]) -> Lines:
    """Return plain data as JSON: a line for each entry, and for each item of a list."""
    lines: Lines = []
    for key, value in data.items():
        if isinstance(value, list) and value:
            lines += [f"{key}[{place}]: {_json(item)}" for place, item in enumerate(value)]
        elif isinstance(value, dict) and value:
            lines += [f"{key}.{name}: {_json(item)}" for name, item in value.items()]
        else:
            lines.append(f"{key}: {_json(value)}")
    return lines


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=lambda array: array.tolist())


def said(ask: Callable[[], Lines]) -> Lines:
    """Return what `ask` returns, or the error that the package answers with."""
    try:
        return ask()
    except fj.FormulaJointError as error:
        return error_lines(error)


def error_lines(error: BaseException) -> Lines:
    """Return the class of an error and its whole message, carets included."""
    return [type(error).__name__, *(f"  {line}".rstrip() for line in str(error).split("\n"))]


class _Reader(HTMLParser):
    """Collects what a browser would show of a page, a line for each piece of text."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = 0
        self.lines: Lines = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in ("style", "script")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in ("style", "script")

    def handle_data(self, data: str) -> None:
        if not self.hidden and data.strip():
            self.lines.append(" ".join(data.split()))


def page_text(page: str) -> Lines:
    """Return the text of an HTML page."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader.lines


HEAD = "== "
"""Before the head of a section."""


def written(record: Record) -> str:
    """Return a record as the text of its file."""
    parts = []
    for head, lines in record.items():
        assert not any("\n" in line for line in lines), head
        parts.append("\n".join([HEAD + head, *(f"  {line}".rstrip() for line in lines)]) + "\n")
    return "\n".join(parts)


def read(text: str) -> Record:
    """Return the record that `written` wrote; blanks at the ends of lines are lost."""
    record: Record = {}
    lines: Lines = []
    for line in text.split("\n"):
        if line.startswith(HEAD):
            lines = record.setdefault(line.removeprefix(HEAD), [])
        else:
            lines.append(line.removeprefix("  "))
    for own in record.values():
        while own and not own[-1]:
            own.pop()
    return record
