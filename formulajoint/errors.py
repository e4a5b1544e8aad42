"""Every error a user can meet, one class a stage; the text of an error is made here."""

from __future__ import annotations

from formulajoint.spans import Span


class FormulaJointError(Exception):
    """Base of all errors of this package."""


class FormulaError(FormulaJointError, ValueError):
    """The formula's text is wrong, or does not fit the names in the data.

    Parameters
    ----------
    message : str
        What is wrong, in one sentence.
    text : str
        The formula as it was written.
    span : Span
        Where in `text`; the caret is drawn under it.
    hint : str, optional
        What to do, for instance ``did you mean `treatment`?``.
    """

    def __init__(self, message: str, text: str, span: Span, hint: str = "") -> None:
        super().__init__(message, text, span, hint)
        self.message, self.text, self.span, self.hint = message, text, span, hint

    def __str__(self) -> str:
        parts = [self.message, "", excerpt(self.text, self.span)]
        if self.hint:
            parts += ["", self.hint]
        return "\n".join(parts)


class DataError(FormulaJointError, ValueError):
    """The values of the data do not allow what the formula asks."""


class InferenceError(FormulaJointError, RuntimeError):
    """The posterior could not be computed."""


class StoreError(FormulaJointError):
    """A saved fit or a report cannot be read or written."""


class ExtensionError(FormulaJointError):
    """An extension does not fit the language, or its function answers what it may not."""


class BugError(FormulaJointError):
    """Something that should be impossible happened inside this package."""

    def __str__(self) -> str:
        return f"{super().__str__()}\nThis is a bug in formulajoint. Please report it, with the formula."


class FormulaJointWarning(UserWarning):
    """All warnings of this package."""


WIDTH = 100
"""Longest excerpt of a formula's line that an error prints, in characters."""


def excerpt(text: str, span: Span) -> str:
    """Return the line of `text` in which `span` begins, with carets under the span."""
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
    # Tabs would shift the caret.
    return f"    {label}{line.replace(chr(9), ' ')}\n    {' ' * (len(label) + column)}{'^' * width}"
