"""How two records differ: same to the bit, the same to 1e-12, or different.

Where the draws of a record are the same to 1e-12 and not to the bit, three things follow from that and are no difference: a
number that is printed with few digits may be rounded the other way; `r_hat` jumps a little, because it ranks distances
from the median, and two of these are equal but for rounding (so it does in any line whose other numbers are near); and a
text of which only a hash is kept has another hash. Of such a text a second hash is kept, of its words without its numbers,
and that must be the same.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from difflib import unified_diff

from goldens.writing import NUMBER, TEXT, Lines, Record, read, written

TOLERANCE = 1e-12
"""Largest difference of two numbers, relative to the largest number of their kind in the line."""

JUMP = 5e-3
"""Largest difference of two `r_hat` of draws that are the same to rounding."""

JUMPED = re.compile(
    r"r_hat\s+is\s+above\s+1\.01\s+for\s.*?the\s+chains\s+do\s+not\s+agree\s+yet\.\s+Draw\s+more\s+\([^)]*\)",
    re.DOTALL,
)
"""The warning of a high `r_hat`, wrapped or not, which counts parameters and names the worst."""

KEYED = re.compile(rf'(?:\b(\w+)(?:=|": ))?({NUMBER.pattern})')
"""A number with the key before it, in a table (``mean=2.5``) or in JSON (``"mean": 2.5``)."""

ERROR = re.compile("_mcse$|_error$")
"""The end of a key whose number is the error of another: it is compared on the scale of that."""

PLACES = ("mean", "sd", "median", "hdi_low", "hdi_high", "low", "high")
"""Keys whose numbers are on one scale."""

ARRAY_HASH = re.compile(r"sha256=[0-9a-f]+")
"""The hash of an array, beside which its numbers stand."""

DRAWS = "draws"
"""The section that decides how strictly the others are compared."""

SAME, NEAR, DIFFERENT = "same to the bit", "same to 1e-12", "differs"


@dataclass(frozen=True)
class Verdict:
    """How a record compares with the one that is stored.

    Attributes
    ----------
    word : str
        `SAME`, `NEAR` or `DIFFERENT`.
    sections : tuple of str
        Heads of the sections that are not the same to the bit.
    difference : str
        Of sections that differ: the lines, as a unified diff.
    """

    word: str
    sections: tuple[str, ...] = ()
    difference: str = ""


def compare(stored: Record, found: Record) -> Verdict:
    """Return how the record `found` compares with the one that is `stored`."""
    found = read(written(found))  # blanks at the ends of lines are lost, as in the one that is stored
    if list(stored) != list(found) and set(stored) == set(found):
        return Verdict(DIFFERENT, (), "The sections stand in another order.")
    loose = _word(stored.get(DRAWS, []), found.get(DRAWS, []), loose=False) == NEAR
    words = {
        head: _word(stored.get(head), found.get(head), loose and head != DRAWS)
        for head in {**stored, **found}
    }
    differing = [head for head, word in words.items() if word == DIFFERENT]
    word = DIFFERENT if differing else NEAR if NEAR in words.values() else SAME
    text = "\n".join(_diff(head, stored.get(head, []), found.get(head, [])) for head in differing)
    return Verdict(word, tuple(head for head, word in words.items() if word != SAME), text)


def _word(stored: Lines | None, found: Lines | None, loose: bool) -> str:
    if stored is None or found is None:
        return DIFFERENT
    if stored == found:
        return SAME
    if loose:
        stored, found = _without_counts(stored), _without_counts(found)
    near = len(stored) == len(found) and all(
        _near(old, new, loose) for old, new in zip(stored, found, strict=True)
    )
    return NEAR if near else DIFFERENT


def _without_counts(lines: Lines) -> Lines:
    """Return lines in which a warning of `r_hat` names no parameters."""
    return JUMPED.sub("r_hat is above 1.01", "\n".join(lines)).split("\n")


def _near(stored: str, found: str, loose: bool) -> bool:
    """Tell whether two lines have the same words, and numbers that are the same to the tolerance."""
    if stored == found:
        return True
    old, new = TEXT.search(stored), TEXT.search(found)
    if old and new:
        return loose and old["words"] == new["words"]
    stored, found = ARRAY_HASH.sub("", stored), ARRAY_HASH.sub("", found)
    if NUMBER.sub("#", stored) != NUMBER.sub("#", found):
        return False
    pairs = [(kind, a, b) for (kind, a), (_, b) in zip(_numbers(stored), _numbers(found), strict=True)]
    jumps = loose or any(a != b for kind, a, b in pairs if kind != "r_hat")
    return all(
        _close(a, b, TOLERANCE * _scale(kind, pairs) + _slack(kind, a, b, loose, jumps))
        for kind, a, b in pairs
    )


def _scale(kind: str, pairs: list[tuple[str, str, str]]) -> float:
    """Return the largest number of a kind in a line."""
    numbers = (abs(float(text)) for of, a, b in pairs for text in (a, b) if of == kind)
    return max((number for number in numbers if math.isfinite(number)), default=0.0)


def _numbers(line: str) -> list[tuple[str, str]]:
    """Return the numbers of a line with their kinds; all numbers of an array are of one."""
    found = KEYED.findall(line)
    if "array " in line:
        return [("array", text) for _, text in found]
    return [(_kind(key, place), text) for place, (key, text) in enumerate(found)]


def _kind(key: str, place: int) -> str:
    """Return what a number is compared with: those of the same key; without a key, itself."""
    of = ERROR.sub("", key)
    return "place" if of in PLACES else of or str(place)


def _slack(kind: str, a: str, b: str, loose: bool, jumps: bool) -> float:
    """Return what two numbers may differ where draws differ by rounding: a unit of the last digit that is printed."""
    if kind == "r_hat":
        return JUMP if jumps else 0.0
    return max(_unit(a), _unit(b)) if loose and kind.isdigit() else 0.0


def _unit(text: str) -> float:
    """Return the unit of the last digit of a printed number; nothing for a whole number, which is a count."""
    digits, _, exponent = text.lower().partition("e")
    _, point, decimals = digits.partition(".")
    if not point and not exponent:
        return 0.0
    return 1.001 * 10.0 ** (int(exponent or 0) - len(decimals))


def _close(a: str, b: str, tolerance: float) -> bool:
    one, other = float(a), float(b)
    if not (math.isfinite(one) and math.isfinite(other)):
        return a == b
    return abs(one - other) <= tolerance


def _diff(head: str, stored: Lines, found: Lines) -> str:
    return "\n".join(unified_diff(stored, found, f"stored: {head}", f"now: {head}", lineterm="", n=1))
