"""The door of the room: text in, formula out."""

from __future__ import annotations

from typing import Any

from formulajoint.errors import FormulaError
from formulajoint.language import ir
from formulajoint.language.grammar import Stopped, parse_tree
from formulajoint.language.lower import RULES, lower
from formulajoint.language.tables import CORE, Language
from formulajoint.spans import Span


def parse(text: str, language: Language | None = None) -> ir.Formula:
    """Return the formula that `text` states."""
    formula: ir.Formula = _read(text, "formula", language or CORE)
    return formula


def parse_clause(text: str, language: Language | None = None) -> ir.Clause:
    """Return the one clause that `text` states, such as ``pairwise(treatment)``."""
    clause: ir.Clause = _read(text, "clause", language or CORE)
    return clause


def parse_hypotheses(text: str, language: Language | None = None) -> tuple[ir.Chain, ...]:
    """Return the hypotheses of `text`, which commas join with AND; ``=`` is read as ``==``."""
    hypotheses: tuple[ir.Chain, ...] = _read(text, "hypotheses", language or CORE)
    return hypotheses


def _read(text: str, start: str, language: Language) -> Any:
    try:
        tree = parse_tree(text, start, language.fragments)
    except Stopped as stop:
        span = Span(stop.position, stop.position + 1)
        raise FormulaError("the formula cannot be read here", text, span) from None
    return lower(tree, text, RULES)
