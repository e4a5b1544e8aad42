"""The errors and warnings of the package, one class per stage, and the text that an error prints."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path

from formulajoint.spans import Span
from formulajoint.wording import visible


class FormulaJointError(Exception):
    """Base class of the errors of this package."""

    def __str__(self) -> str:
        return visible(super().__str__())

    def _render_traceback_(self, *_: object) -> list[str]:
        """Return what a notebook shows: the user's own lines, then the message; Python's own traceback is as ever."""
        return [line for error in _chain(self) for line in _shown(error)]


class FormulaError(FormulaJointError, ValueError):
    """The formula is wrong, or does not match the columns of the data.

    Parameters
    ----------
    message : str
        What is wrong, in one sentence.
    span : Span
        Position in the formula as it was written; the carets are drawn under it.
    hint : str, optional
        What to write instead, for instance ``did you mean `treatment`?``.
    """

    def __init__(self, message: str, span: Span, hint: str = "") -> None:
        super().__init__(message, span, hint)
        self.message, self.span, self.hint = message, span, hint

    @property
    def text(self) -> str:
        """The formula as it was written."""
        return self.span.source

    def __str__(self) -> str:
        parts = [self.message, "", excerpt(self.span)]
        if self.hint:
            parts += ["", self.hint]
        return visible("\n".join(parts))


class DataError(FormulaJointError, ValueError):
    """The values of the data do not allow what the formula states."""


class RowsNeededError(DataError):
    """The rows are needed in memory: their engine cannot give what the formula asks.

    Parameters
    ----------
    reason : str
        What the engine cannot give, in one sentence.
    advice : str
        What to do.
    """

    def __init__(
        self, reason: str, advice: str = "Read them into memory, as with `pandas.read_csv`."
    ) -> None:
        super().__init__(reason, advice)
        self.reason, self.advice = reason, advice

    def __str__(self) -> str:
        return visible(f"{self.reason} {self.advice}")


class InferenceError(FormulaJointError, RuntimeError):
    """The posterior could not be computed."""


class StoreError(FormulaJointError):
    """A saved fit or a report cannot be read or written."""


class ExtensionError(FormulaJointError):
    """An extension does not fit the language, or its function returned an invalid value."""


class BugError(FormulaJointError):
    """An internal error: a state that should be impossible."""

    def _render_traceback_(self, *_: object) -> list[str]:
        """Return the whole traceback, which a report of the bug needs."""
        return [line.rstrip("\n") for line in traceback.format_exception(self)]

    def __str__(self) -> str:
        return f"{super().__str__()}\nThis is a bug in formulajoint. Please report it, with the formula."


class FormulaJointWarning(UserWarning):
    """Base class of the warnings of this package."""


def warn(text: str) -> None:
    """Warn the user, at the line of the user's own code that called the package."""
    warnings.warn(text, FormulaJointWarning, skip_file_prefixes=(str(Path(__file__).parent),))


WIDTH = 100
"""Longest excerpt of a formula's line printed by an error, in characters; a longer line is cut around the caret."""

HIDDEN = {"\t": " ", "\u00a0": " "}
"""Blanks of an excerpt; other characters that do not show are ``\ufffd`` there."""


def excerpt(span: Span) -> str:
    """Return the line of the text in which `span` begins, with carets under the span."""
    text = span.source
    start = min(span.start, len(text))
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", start)
    line = text[line_start : line_end if line_end >= 0 else len(text)]
    column, width = start - line_start, max(1, min(span.end, line_start + len(line)) - start)
    if len(line) > WIDTH:  # a window around the caret
        cut = max(0, min(column - WIDTH // 2, len(line) - WIDTH))
        line, column = line[cut : cut + WIDTH], column - cut
        width = min(width, WIDTH - column) or 1
    number = text.count("\n", 0, start) + 1
    label = f"line {number}: " if "\n" in text else ""
    # What is wider or narrower than a character would shift the caret.
    line = "".join(
        character if character.isprintable() else HIDDEN.get(character, "\ufffd") for character in line
    )
    return f"    {label}{line}\n    {' ' * (len(label) + column)}{'^' * width}"


# --- tracebacks in notebooks

OTHERS = (str(Path(__file__).parent), str(Path(traceback.__file__).parent), "<frozen")
"""How paths of files begin that are not the user's own: those of this package, and Python's."""


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the error that a function of the user raised, if there is one, and `error`, which tells of it."""
    cause = error.__cause__
    if cause is not None and not isinstance(cause, FormulaJointError) and any(_own_lines(cause)):
        yield cause
    yield error


def _shown(error: BaseException) -> list[str]:
    return [*_own_lines(error), f"{type(error).__name__}: {error}"]


def _own_lines(error: BaseException) -> Iterator[str]:
    """Yield the user's own lines on the way to an error, each with its place."""
    for frame in traceback.extract_tb(error.__traceback__):
        if "-packages" not in frame.filename and not frame.filename.startswith(OTHERS):
            path = Path(frame.filename)  # a notebook's cell is no file
            yield f"{path.name if path.is_file() else 'cell'}, line {frame.lineno}: {frame.line}"
