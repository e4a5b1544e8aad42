"""Entry point of the syntax: text -> nodes, with names not yet checked."""

from __future__ import annotations

from typing import Any

from formulajoint.errors import FormulaError
from formulajoint.language.grammar.compose import Stopped, parse_tree
from formulajoint.language.grammar.scan import scan
from formulajoint.language.grammar.tree import lower
from formulajoint.language.vocabulary.language import Language
from formulajoint.spans import Span


def syntax(text: str, start: str, language: Language) -> Any:
    """Return the nodes of `text`: a formula, a clause or hypotheses, by the grammar's rule `start`."""
    if not isinstance(text, str):
        raise FormulaError(
            f"the formula must be a string, not {type(text).__name__}",
            Span(0, 1, repr(text)),
            "write it in quotes",
        )
    words = scan(text)
    try:
        tree = parse_tree(text, start, language.fragments)
    except Stopped as stopped:
        from formulajoint.language.advice.formula import explained

        raise explained(text, words, stopped, start, language) from None
    return lower(tree, text, language.grammar)
