"""The few cells of a column that are no numbers where all others are, such as ``.``: which they are, and where."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

SELDOM = 0.05
"""Largest share of a column's cells that are strays."""

MOST_WORDS = 3
"""Most different strays: more are levels."""


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a file, whose rows are some of a table's."""

    name: str
    text: str
    separator: str
    rows: int


def strays(known: pd.Series[str], sources: Sequence[Source]) -> str:
    """Return a sentence on the cells that are no numbers, and what to do; empty if they are not few.

    Parameters
    ----------
    known : series of str
        The cells of a column that are not missing, by their rows in the table.
    sources : sequence of Source
        The files in the order of their rows.
    """
    odd = known[pd.to_numeric(known, errors="coerce").isna()]
    counts = Counter(odd)
    if not 0 < len(odd) <= SELDOM * len(known) or len(counts) > MOST_WORDS:
        return ""
    told = " and ".join(f"`{word}` in {count}" for word, count in counts.most_common())
    first = "" if len(odd) == 1 else "first "
    word = counts.most_common(1)[0][0]
    return (
        f"Its cells are numbers, but for {told} of {len(known)} rows, {first}in {_place(odd.index[0], sources)}. "
        f"If `{word}` is a missing value, say so: `--missing {word}` on the command line, and "
        f"`pandas.read_csv(path, na_values=[{word!r}])` in Python."
    )


def _place(row: int, sources: Sequence[Source]) -> str:
    """Return the line and the file of a row of the table, counted from 0."""
    source, *others = sources
    if row >= source.rows:
        return _place(row - source.rows, others)
    reader = csv.reader(io.StringIO(source.text), delimiter=source.separator)
    lines = [reader.line_num for record in reader if record]  # that of the header first
    return f"line {lines[row + 1]} of {source.name}"
