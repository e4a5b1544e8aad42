"""Levels that look alike in print, such as ``a`` and ``a`` followed by a blank."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence

ALPHABETS = str.maketrans(
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425"
    "\u0405\u0406\u0408\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0455\u0456\u0458"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf",
    "ABEKMHOPCTYXSIJaeopcyxsij" + "ABEZHIKMNOPTYXo",
)
"""Cyrillic and Greek letters that look like Latin ones."""

MOST = 3
"""Most sets of such levels that a note shows."""


def look_alikes(levels: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield a note for each column, of which the levels are given by name, that has levels which look alike."""
    for name, labels in levels.items():
        found: dict[str, list[str]] = {}
        for label in labels:
            found.setdefault(_looks(label), []).append(label)
        alike = [same for same in found.values() if len(same) > 1]
        if alike:
            more = f" and {len(alike) - MOST} more" if len(alike) > MOST else ""
            yield (
                f"{name} has levels that look alike: {'; '.join(map(_quoted, alike[:MOST]))}{more}. They differ in "
                "blanks, in signs that do not show or in the alphabet of a letter. If they are one level, make them so "
                "in the data."
            )


def _looks(label: str) -> str:
    """Return what a reader sees of a label: without outer blanks, invisible signs and the alphabets of letters."""
    if label.isascii() and label.isprintable():
        return " ".join(label.split())
    shown = (c for c in unicodedata.normalize("NFKC", label) if unicodedata.category(c) not in ("Cf", "Cc"))
    return " ".join("".join(shown).translate(ALPHABETS).split())


def _quoted(labels: Iterable[str]) -> str:
    """Return labels in quotes, with escapes for what is not ASCII."""
    return " and ".join('"' + ascii(label)[1:-1] + '"' for label in labels)
