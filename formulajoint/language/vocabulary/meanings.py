"""What names mean: the language's own names and those that extensions bring, found in one way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from formulajoint.language.vocabulary.language import Language, Position


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary[Meaning]:
    """The meanings of the names of one position.

    Attributes
    ----------
    position : Position
    own : mapping of str to Meaning
        The language's own names.
    brought : callable
        From an extension's value in this position to its meaning; None if the value is of another kind.
    """

    position: Position
    own: Mapping[str, Meaning]
    brought: Callable[[Any], Meaning | None]

    def find(self, name: str, language: Language) -> Meaning | None:
        """Return the meaning of `name` in `language`, or None if it has none of this kind."""
        if name in self.own:
            return self.own[name]
        value = language.meaning(self.position, name)
        return None if value is None else self.brought(value)

    def known(self, language: Language) -> dict[str, Meaning]:
        """Return all meanings in `language` by name, the language's own first."""
        found = {name: self.find(name, language) for name in (*self.own, *language.names[self.position])}
        return {name: meaning for name, meaning in found.items() if meaning is not None}
