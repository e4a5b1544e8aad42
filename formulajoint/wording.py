"""Phrases for messages and tables: suggestions, lists of names, ranges of numbers."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import takewhile
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
    if text.isprintable():
        return text
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


def plural(word: str) -> str:
    """Return the plural of an English word.

    Examples
    --------
    >>> [plural(word) for word in ("school", "class", "study", "day")]
    ['schools', 'classes', 'studies', 'days']
    """
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return f"{word}es"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}s"


def counted(count: int, name: str) -> str:
    """Return a number of groups called `name`: ``60 schools``; ``60 groups of a:b`` for a name that is no word."""
    if not (name.isascii() and name.isalpha()):
        return f"{count} groups of {name}" if count != 1 else f"1 group of {name}"
    return f"{count} {name if count == 1 else plural(name)}"


def shortened(labels: Sequence[str], longest: int) -> list[str]:
    """Return labels of at most `longest` characters with both ends kept, different where the labels are.

    Where the middle that is left out is all that differs, a part of it is shown, too.

    Examples
    --------
    >>> shortened(["an intervention online", "an intervention in person"], 16)
    ['an inter… online', 'an inter… person']
    """
    out = [_middle_cut(label, longest) for label in labels]
    if len(set(labels)) == len(set(out)):
        return out
    count = Counter(out)
    alike = {own: [label for label, cut in zip(labels, out, strict=True) if cut == own] for own in count}
    out = [
        _around(label, _common(alike[own]), longest) if len(set(alike[own])) > 1 else own
        for label, own in zip(labels, out, strict=True)
    ]
    return out if len(set(labels)) == len(set(out)) else list(labels)


def _middle_cut(label: str, longest: int) -> str:
    if len(label) <= longest:
        return label
    end = (longest - 1) // 2
    start, tail = label[: longest - 1 - end].rstrip(), label[len(label) - end :]
    first, blank, words = tail.partition(" ")
    within = label[-end - 1] != " " and 0 < len(first) <= end // 4  # the tail begins within a word
    return f"{start}…{words if blank and within else tail}"


def _common(labels: Sequence[str]) -> int:
    """Return the number of characters with which all labels begin."""
    return sum(1 for _ in takewhile(lambda signs: len(set(signs)) == 1, zip(*labels, strict=False)))


def _around(label: str, place: int, longest: int) -> str:
    """Return the beginning of `label`, what stands from `place` on, and the end."""
    start, end = longest // 4, longest // 3
    word = label.rfind(" ", 0, place) + 1
    place = word if place - word < start else place
    rest = label[max(place, start) :]
    if len(rest) <= longest - start - 1:
        return f"{label[:start].rstrip()}…{rest}"
    middle = rest[: longest - start - end - 2]
    return f"{label[:start].rstrip()}…{middle.rstrip()}…{label[len(label) - end :]}"


def span(values: FloatArray) -> str:
    """Return the range of `values` as ``4 to 10``, or ``4`` if all are equal."""
    low, high = f"{values.min():.3g}", f"{values.max():.3g}"
    return low if low == high else f"{low} to {high}"


def lasting(seconds: float) -> str:
    """Return a duration in words.

    >>> lasting(42), lasting(84), lasting(150), lasting(7000)
    ('40 seconds', '80 seconds', '3 minutes', '1.9 hours')
    """
    if seconds < 95:
        return f"{max(10, 10 * round(seconds / 10))} seconds"
    return f"{-(-seconds // 60):.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def sentence(phrase: str) -> str:
    """Return a phrase with a capital and a period."""
    return f"{phrase[0].upper()}{phrase[1:]}."


def phrase(sentence: str) -> str:
    """Return a sentence without its capital and period."""
    return f"{sentence[0].lower()}{sentence[1:].rstrip('.')}"
