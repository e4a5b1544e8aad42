"""Tables as data frames that print every column, in terminals and in notebooks."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from textwrap import fill
from typing import Any

import pandas as pd

LONG, LINE = 40, 100
"""A text of more characters is printed below the table, in lines of this length outside a terminal."""


class Table(pd.DataFrame):
    """A data frame that leaves out no column when it is printed and cuts no text, whatever pandas' options are."""

    @property
    def _constructor(self) -> type[Table]:
        return Table

    def __repr__(self) -> str:
        room = _room()
        long = [at for at in range(self.shape[1]) if _is_long(self.iloc[:, at])]
        short = self.iloc[:, [at for at in range(self.shape[1]) if at not in long]]
        with _in_full(room):
            text = pd.DataFrame.__repr__(short)
        return "\n".join([text, *(each for at in long for each in _below(self.iloc[:, at], room or LINE))])

    def _repr_html_(self) -> str | None:
        with _in_full(None):
            found: str | None = super()._repr_html_()  # type: ignore[misc]
            return found


def _room() -> int | None:
    """Return the characters of a line of the terminal, or ``COLUMNS`` of the environment; None without both."""
    in_terminal = sys.stdout is not None and sys.stdout.isatty()
    return shutil.get_terminal_size().columns if in_terminal or "COLUMNS" in os.environ else None


def _in_full(room: int | None) -> Any:
    options: Any = ["display.max_columns", None, "display.max_colwidth", None]
    return pd.option_context(*options, "display.width", room, "display.expand_frame_repr", room is not None)


def _is_long(column: pd.Series[Any]) -> bool:
    """Return whether a column is of texts, some of them long; one of a transposed table has figures, too."""
    if not all(isinstance(value, str) for value in column[column.notna()]):
        return False
    return any(isinstance(value, str) and len(value) > LONG for value in column)


def _below(column: pd.Series[Any], width: int) -> Iterator[str]:
    """Yield the texts of a column as paragraphs: ``note on treatment == 0: ...``."""
    for row, value in column.items():
        if isinstance(value, str) and value:
            yield fill(
                f"{column.name} of {row}: {value}", width, subsequent_indent="    ", break_on_hyphens=False
            )
