"""Find levels named in a formula among the labels of the data."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Sequence

from formulajoint.errors import FormulaError
from formulajoint.language.syntax.nodes import Level
from formulajoint.language.syntax.text import BARE_NAME, canonical
from formulajoint.wording import did_you_mean, listed

BARE_LEVEL = rf"(?:{BARE_NAME}|[+-]?\d+(?:\.\d+)?)"
"""Regular expression of a level without quotes, a name or a number; several may be joined by ``/`` or ``:``."""


def position_of(level: Level, labels: Sequence[str], whose: str) -> int:
    """Return the position of `level` among `labels`: by its text, or else by numeric or boolean equality.

    Parameters
    ----------
    level : Level
    labels : sequence of str
    whose : str
        Name of the factor or grouping, for the error: "`school`".
    """
    found = _candidates(level, labels)
    if len(found) == 1:
        return found[0]
    name = level.text
    if found:
        message = f"`{name}` could be several levels of {whose}: {listed(labels[i] for i in found)}"
        raise FormulaError(message, level.span, "write the one that is meant in quotes")
    hint = did_you_mean(name, labels) or f"the levels are {listed(labels)}"
    raise FormulaError(f"{whose} has no level `{name}`", level.span, hint)


def _candidates(level: Level, labels: Sequence[str]) -> list[int]:
    name = unicodedata.normalize("NFC", level.text)
    if name in labels:
        return [labels.index(name)]
    return [] if level.quoted else _equal(name, labels)


def _equal(name: str, labels: Sequence[str]) -> list[int]:
    """Return the positions of labels that are the same number or truth value as `name`."""
    readings: tuple[Callable[[str], float | bool | None], ...] = (_number, _truth)
    for reading in readings:
        value = reading(name)
        if value is not None:
            return [i for i, label in enumerate(labels) if reading(label) == value]
    return []


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in text else None


def _truth(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.casefold())


def written(label: str) -> str:
    """Return `label` as written in a formula, in quotes if it needs them."""
    return canonical(level_named(label))


def level_named(label: str) -> Level:
    """Return the level that a formula names `label`."""
    bare = re.fullmatch(rf"{BARE_LEVEL}(?:[/:]{BARE_LEVEL})*", label)
    return Level(label, quoted=not bare)
