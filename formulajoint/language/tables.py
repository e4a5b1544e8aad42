"""What the language knows by name."""

from __future__ import annotations

from dataclasses import dataclass

from formulajoint.language.grammar import CONTRASTS, FORMULA, Fragment


@dataclass(frozen=True)
class Language:
    fragments: tuple[Fragment, ...] = (FORMULA, CONTRASTS)


CORE = Language()
