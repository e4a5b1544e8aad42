"""Entry point of the language: parse a text, check it, return a Formula."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from formulajoint.errors import FormulaError
from formulajoint.language.advice.formula import explained
from formulajoint.language.arguments import Reader
from formulajoint.language.check import check_after_fit, check_formula, check_hypotheses
from formulajoint.language.formula import Formula
from formulajoint.language.grammar.compose import Stopped, parse_tree
from formulajoint.language.grammar.scan import check_length, scan
from formulajoint.language.grammar.tree import lower
from formulajoint.language.syntax import nodes
from formulajoint.language.vocabulary.default import chosen, present
from formulajoint.language.vocabulary.language import Language
from formulajoint.spans import Span


def parse(text: str, language: Language | None = None) -> Formula:
    """Return the formula that `text` states.

    Parameters
    ----------
    text : str
        Such as ``score ~ treatment | school, joint(weights=n)``.
    language : Language, optional
        By default the plain language with all extensions that are installed or registered by decorators; ``CORE`` is
        the plain one.

    Raises
    ------
    FormulaError
        With the place in `text` and what to write instead.
    """
    language = chosen(language)
    formula: Formula = _read(text, "formula", language)
    reader = Reader(language)
    check_formula(reader, formula)
    check_length(str(formula))
    return replace(formula, extensions=tuple(sorted(reader.used - {""})))


def parse_clause(text: str, language: Language | None = None) -> nodes.Clause:
    """Return the one contrast clause that `text` states, such as ``pairwise(treatment)``."""
    language = present(chosen(language))
    clause: nodes.Clause = _read(text, "clause", language)
    check_after_fit(Reader(language), clause)
    return clause


def parse_hypotheses(text: str, language: Language | None = None) -> tuple[nodes.Chain, ...]:
    """Return the hypotheses of `text`, which commas join with AND; ``=`` is read as ``==``."""
    language = present(chosen(language))
    hypotheses: tuple[nodes.Chain, ...] = _read(text, "hypotheses", language)
    check_hypotheses(Reader(language), hypotheses)
    return hypotheses


def _read(text: str, start: str, language: Language) -> Any:
    """Return the lowered value of `text`, with its names not yet checked."""
    if not isinstance(text, str):
        raise FormulaError(
            f"this is no text but {type(text).__name__}", Span(0, 1, repr(text)), "write it in quotes"
        )
    words = scan(text)
    try:
        tree = parse_tree(text, start, language.fragments)
    except Stopped as stopped:
        raise explained(text, words, stopped, start, language) from None
    return lower(tree, text, language.grammar)
