"""Phrases for messages and tables: suggestions, lists of names, ranges of numbers."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the language needs no NumPy
    from formulajoint.arrays import FloatArray


def visible(text: str) -> str:
    """Return `text` with escapes in place of what does not show, or would change how a terminal shows the rest.

    Line breaks stay.

    Examples
    --------
    >>> visible("A\\x1b[2J")
    'A\\\\x1b[2J'
    """
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """Return ``did you mean `x`?`` for the candidate nearest to `name`, or an empty text."""
    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    near = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return f"did you mean `{by_folded[near[0]]}`?" if near else ""


def listed(names: Iterable[str], most: int = 10) -> str:
    """Return `names` in backticks, separated by commas; after the first `most`, the number left out."""
    quoted = [f"`{name}`" for name in names]
    rest = len(quoted) - most
    return ", ".join(quoted[:most]) + (f" and {rest} more" if rest > 0 else "")


def span(values: FloatArray) -> str:
    """Return the range of `values` as ``4 to 10``, or ``4`` if all are equal."""
    low, high = f"{values.min():.3g}", f"{values.max():.3g}"
    return low if low == high else f"{low} to {high}"


def sentence(phrase: str) -> str:
    """Return a phrase with a capital and a period."""
    return f"{phrase[0].upper()}{phrase[1:]}."


def phrase(sentence: str) -> str:
    """Return a sentence without its capital and period."""
    return f"{sentence[0].lower()}{sentence[1:].rstrip('.')}"
