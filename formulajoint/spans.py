"""Positions in a formula's text, kept so that later errors can point at them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open range of character offsets ``[start, end)`` in `source`, the text it is a place of.

    Spans are equal if their offsets are.
    """

    start: int
    end: int
    source: str = field(default="", compare=False, repr=False)

    def to(self, other: Span) -> Span:
        """Return the smallest span that covers this one and `other`."""
        return Span(min(self.start, other.start), max(self.end, other.end), self.source or other.source)


NOWHERE = Span(0, 0)
