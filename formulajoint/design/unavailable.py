"""Refuse formulas that the language can state but this release cannot fit, with a message that says so."""

from __future__ import annotations

from collections.abc import Mapping

from formulajoint.errors import FormulaError
from formulajoint.language.syntax.nodes import Call
from formulajoint.language.vocabulary.refused import COUNTS
from formulajoint.spans import Span
from formulajoint.spec.names import walk
from formulajoint.spec.spec import ModelSpec

FUNCTIONS: Mapping[str, str] = {
    "prop": COUNTS,
    "cbind": COUNTS,
}


def refuse_unavailable(spec: ModelSpec) -> None:
    """Raise a FormulaError for functions that cannot be fitted yet."""
    for expr in (spec.response, *(linear.predictors for linear in spec.parameters)):
        for part in walk(expr):
            if isinstance(part, Call) and part.name in FUNCTIONS:
                raise _refusal(f"`{part.name}(...)`", part.span, FUNCTIONS[part.name])


def _refusal(what: str, at: Span, hint: str) -> FormulaError:
    return FormulaError(f"{what} is not available yet", at, hint)
