"""Columns of text files that stay where they are, as the numbers, booleans and texts that their cells hold.

The engine counts the kinds of cells. A column is then what `files.text` makes of the same cells in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import narwhals as nw
import numpy as np

from formulajoint.aggregates.answers import KEY, PART, ROWS, collected
from formulajoint.aggregates.scan import Text
from formulajoint.arrays import IntArray
from formulajoint.errors import DataError, RowsNeededError
from formulajoint.files.text import FALSE, TRUE, WORDS, codes_in, on_words

ASKED, BLANK, WORD, LABEL, WHOLE, DECIMAL, DOUBTFUL, TRUTH, TEXT = range(9)
"""Kinds of cells: words that were asked to be missing, empty cells, other words for a missing value, labels such as
007, whole numbers, other numbers, numbers that engines and NumPy may read differently, booleans, and all else."""

NUMBERS = {
    DECIMAL: r"^[+-]?((\d+\.\d*|\.\d+)([eE][+-]?\d{1,2})?|\d{1,18}[eE][+-]?\d{1,2})$",
    LABEL: r"^0\d+$",
    WHOLE: r"^[+-]?\d{1,18}$",
    DOUBTFUL: r"(?i)^[+-]?(inf|infinity|(\d+\.?\d*|\.\d+)(e[+-]?\d+)?)$",
}
"""Patterns of kinds; the first that fits counts."""

BEGINS_NUMBERS = r"^[0-9.+iI-]"


def typed(frame: Any, names: Iterable[str], text: Text) -> tuple[Any, dict[str, tuple[str, ...]]]:
    """Return a lazy frame with the columns `names`, of text until now; and notes on them.

    Parameters
    ----------
    frame : narwhals LazyFrame
    names : iterable of str
    text : Text

    Raises
    ------
    RowsNeededError
        If the engine cannot read the files, or a column has numbers that it may read differently.
    """
    columns, notes = list[Any](), dict[str, tuple[str, ...]]()
    for name, counts in _counts(frame, list(names), text).items():
        if counts[DOUBTFUL] and not counts[[LABEL, TRUTH, TEXT]].any():
            raise RowsNeededError(f"`{name}` has numbers such as inf, or of more than 18 digits.")
        known, numbers = counts[LABEL:].sum(), counts[WHOLE] + counts[DECIMAL]
        if 0 < known == numbers:
            whole = numbers == counts.sum() == counts[WHOLE] and not codes_in(text.missing)
            column = _numbers(_known(_bare(name, text), name, text, counts), whole, text.missing)
        elif 0 < known == counts[TRUTH]:
            column = _known(_bare(name, text).is_in([*TRUE]), name, text, counts)
        else:
            column = _known(nw.col(name), name, text, counts)
            if counts[WORD]:
                notes[name] = tuple(on_words(name, _words(frame, name, text)))
        columns.append(column.alias(name))
    return frame.select(*columns), notes


def _bare(name: str, text: Text) -> Any:
    """Return the cells of a column without blanks at their ends; empty cells are null in some engines."""
    cells = nw.col(name).fill_null("")
    return cells.str.strip_chars() if text.padded else cells


def _known(values: Any, name: str, text: Text, counts: IntArray) -> Any:
    """Return values of a column, null where a cell counts as missing."""
    if not counts[[ASKED, BLANK, WORD]].any():
        return values
    return nw.when(~_bare(name, text).is_in([*WORDS, *text.missing])).then(values)


def _numbers(cells: Any, whole: bool, missing: Sequence[str]) -> Any:
    if whole:
        return cells.cast(nw.Int64)
    values, codes = cells.cast(nw.Float64), codes_in(missing)
    return nw.when(~values.is_in(codes)).then(values) if codes else values


def _counts(frame: Any, names: Sequence[str], text: Text) -> dict[str, IntArray]:
    """Return the number of cells of each kind, by column."""
    kinds = frame.select(*(_kind(name, text).alias(f"{KEY}{place}") for place, name in enumerate(names)))
    cells = {
        f"{PART}{place}_{kind}": (nw.col(f"{KEY}{place}") == kind).cast(nw.Int64).sum()
        for place in range(len(names))
        for kind in range(TEXT + 1)
    }
    try:
        found = collected(kinds.select(*(count.alias(column) for column, count in cells.items())))
    except DataError as error:
        raise RowsNeededError(str(error)) from error
    counts = np.array([int(found[column][0] or 0) for column in cells]).reshape(len(names), TEXT + 1)
    return dict(zip(names, counts, strict=True))


def _kind(name: str, text: Text) -> Any:
    bare = _bare(name, text)
    others = nw.when(bare.is_in([*TRUE, *FALSE])).then(TRUTH).otherwise(TEXT)
    found = others
    for kind, pattern in reversed(NUMBERS.items()):
        found = nw.when(bare.str.contains(pattern)).then(kind).otherwise(found)
    found = nw.when(bare.str.contains(BEGINS_NUMBERS)).then(found).otherwise(others)
    found = nw.when(bare.is_in([*WORDS])).then(WORD).otherwise(found)
    found = nw.when(bare == "").then(BLANK).otherwise(found)
    return nw.when(bare.is_in([*text.missing])).then(ASKED).otherwise(found) if text.missing else found


def _words(frame: Any, name: str, text: Text) -> dict[str, int]:
    """Return the rows of each word for a missing value in a column."""
    words = frame.select(_bare(name, text).alias(KEY))
    words = words.filter(nw.col(KEY).is_in([*(WORDS - {"", *text.missing})]))
    found = collected(words.group_by(KEY).agg(nw.len().alias(ROWS)))
    return {str(word): int(count) for word, count in zip(found[KEY], found[ROWS], strict=True)}
