"""The position where the parser stopped: the token, its neighbours, and the clause and bracket around it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from formulajoint.language.grammar.scan import Word
from formulajoint.language.vocabulary.language import Language
from formulajoint.spans import Span

COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
OPERATORS = ("+", "-", "*", "/", ":", "^", "**", *COMPARISONS)
END = Word("end", "", Span(0, 0))


@dataclass(frozen=True)
class Stop:
    """The position `at` among the tokens of a text where the grammar allows no continuation.

    `start` is the grammar's start rule: ``formula``, ``clause`` or ``hypotheses``.
    """

    text: str
    words: tuple[Word, ...]
    at: int
    start: str
    language: Language

    def word(self, step: int = 0) -> Word:
        """Return the token `step` positions away; beyond the ends, an empty one."""
        return self.words[self.at + step] if 0 <= self.at + step < len(self.words) else END

    @property
    def here(self) -> str:
        """The text of the token that cannot stand here; empty at the end of the formula."""
        return self.word().text

    @property
    def before(self) -> str:
        """The text of the token before it."""
        return self.word(-1).text

    @cached_property
    def opened(self) -> tuple[int, ...]:
        """Positions of the brackets that are open here, outermost first."""
        places: list[int] = []
        for place, word in enumerate(self.words[: self.at]):
            if word.kind == "open":
                places.append(place)
            elif word.kind == "close":
                places.pop()
        return tuple(places)

    @property
    def bracket(self) -> str:
        """The innermost open bracket, or an empty string."""
        return self.words[self.opened[-1]].text if self.opened else ""

    @property
    def before_bracket(self) -> str:
        """The text of the token before the innermost open bracket."""
        return self.words[self.opened[-1] - 1].text if self.opened and self.opened[-1] else ""

    @property
    def in_list(self) -> bool:
        """Whether this stands in a list, which follows no term, and not in a subscript, which does."""
        return self.bracket == "[" and self.before_bracket in ("", "=", "(", ",")

    @property
    def callee(self) -> str:
        """The name of the call around this position, or an empty string."""
        place = self.opened[-1] - 1 if self.opened else -1
        named = place >= 0 and self.bracket == "(" and self.words[place].kind == "name"
        return self.words[place].text if named else ""

    @cached_property
    def places(self) -> tuple[int, ...]:
        """Positions of the tokens read since the innermost open bracket, without closed brackets inside."""
        places, depth = [], 0
        for place in range(self.opened[-1] + 1 if self.opened else 0, self.at):
            depth += self.words[place].kind == "open"
            if depth == 0:
                places.append(place)
            depth -= self.words[place].kind == "close"
        return tuple(places)

    @cached_property
    def level(self) -> tuple[str, ...]:
        """Texts of the tokens at `places`."""
        return tuple(self.words[place].text for place in self.places)

    @property
    def clause(self) -> tuple[str, ...]:
        """The part of `level` after its last comma: one argument, or one clause."""
        last = max((place for place, text in enumerate(self.level) if text == ","), default=-1)
        return self.level[last + 1 :]

    @property
    def since_comma(self) -> str:
        """The text since the last comma outside closed brackets, brackets included."""
        start = self.opened[-1] + 1 if self.opened else 0
        first = max((place + 1 for place in self.places if self.words[place].text == ","), default=start)
        return self.text[self.words[first].span.start : self.word(-1).span.end]

    @property
    def in_formula(self) -> bool:
        """Whether this is in the formula itself, before any clause."""
        return self.start == "formula" and not self.opened and "," not in self.level

    @property
    def in_clauses(self) -> bool:
        """Whether this is among the clauses, outside their brackets."""
        return not self.opened and (self.start == "clause" or "," in self.level)

    def after_value(self) -> bool:
        """Return whether the token before this can end a value."""
        kinds = ("name", "quoted", "number", "string", "close", "tail")
        return self.word(-1).kind in kinds or self.before == "."

    def at_value(self) -> bool:
        """Return whether this token can begin a value."""
        return self.word().kind in ("name", "quoted", "number", "string", "open") or self.here == "."


@dataclass(frozen=True, slots=True)
class Advice:
    """What is wrong and what to write; the carets also cover `back` tokens before the stop and `ahead` after it."""

    message: str
    hint: str = ""
    back: int = 0
    ahead: int = 0

    def span(self, stop: Stop) -> Span:
        """Return the span that the carets mark."""
        words = stop.words[max(0, stop.at - self.back) : stop.at + 1 + self.ahead]
        return (
            words[0].span.to(words[-1].span) if words else Span(len(stop.text), len(stop.text) + 1, stop.text)
        )
