"""Numbers that stand in a text: ``0.53``, ``0,53``, ``1,000``, ``1.000,5``, ``12 %``."""

from __future__ import annotations

import re
from collections.abc import Iterable

BLANK = "[ \u00a0\u2009\u202f']"
"""What may stand between thousands besides a comma or a point."""

PATTERNS = (
    (re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE), "", "."),
    (re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?"), ",", "."),
    (re.compile(rf"[+-]?\d{{1,3}}({BLANK}\d{{3}})+(\.\d*)?"), BLANK, "."),
    (re.compile(rf"[+-]?\d{{1,3}}({BLANK}\d{{3}})+,\d*"), BLANK, ","),
    (re.compile(r"[+-]?\d{1,3}(\.\d{3})+(,\d*)?"), r"\.", ","),
    (re.compile(r"[+-]?\d*,\d+(e[+-]?\d+)?", re.IGNORECASE), "", ","),
)
"""Patterns of numbers, each with that of what separates thousands, and the decimal mark; the first that fits counts."""

MARKS = re.compile("^[$\u20ac\u00a3]\\s*|\\s*[%\u20ac]$")
"""A currency before a number, or a percent sign or currency behind it."""

PLAIN = PATTERNS[0][0]


def number_in(text: str) -> float | None:
    """Return the number that `text` holds, or None.

    Examples
    --------
    >>> [number_in(text) for text in ("0.53", "0,53", "1,000", "-1.000,5", "12 %", "a")]
    [0.53, 0.53, 1000.0, -1000.5, 12.0, None]
    """
    bare = MARKS.sub("", text.strip().replace("\u2212", "-"))
    for pattern, thousands, decimal in PATTERNS:
        if pattern.fullmatch(bare):
            joined = re.sub(thousands, "", bare) if thousands else bare
            return float(joined.replace(decimal, "."))
    return None


def numbers_in(texts: Iterable[str]) -> list[float] | None:
    """Return the numbers of all `texts`, or None if one of them holds none."""
    found = []
    for text in texts:
        number = number_in(text)
        if number is None:
            return None
        found.append(number)
    return found


def is_marked(text: str) -> bool:
    """Return whether a number is written with marks that no code has: ``1,000``, ``0,5``, ``12 %``."""
    return not PLAIN.fullmatch(text.strip())


WHOLE_IN_POINTS = re.compile(r"[+-]?\d{1,3}(\.\d{3})+")
"""A whole number with points between its thousands: ``1.000``."""

DECIMAL_COMMA = re.compile(r"[+-]?(\d+|\d{1,3}(\.\d{3})+)?(,\d+)?(e[+-]?\d+)?", re.IGNORECASE)


def decimal_comma(text: str) -> float | None:
    """Return the number of a text that has a decimal comma and perhaps points between thousands; else None.

    Examples
    --------
    >>> [decimal_comma(text) for text in ("1,5", "1.000,5", "3", "1.5")]
    [1.5, 1000.5, 3.0, None]
    """
    if not text or not DECIMAL_COMMA.fullmatch(text) or not text.strip("+-"):
        return None
    return float(text.replace(".", "").replace(",", "."))
