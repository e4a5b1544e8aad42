"""Refuse formulas that the language can state but this release cannot fit, with a message that says so."""

from __future__ import annotations

from collections.abc import Mapping

from formulajoint.errors import FormulaError
from formulajoint.families.choice import family_of
from formulajoint.language.syntax.nodes import Call, GroupTerm
from formulajoint.language.syntax.text import canonical
from formulajoint.language.vocabulary.language import Language
from formulajoint.spans import Span
from formulajoint.spec.names import walk
from formulajoint.spec.spec import ModelSpec

FUNCTIONS: Mapping[str, str] = {
    "poly": "write the powers out: `x + I(x^2)`",
    "bs": "write a polynomial out: `x + I(x^2) + I(x^3)`",
    "prop": "responses that are counts or proportions cannot be fitted yet",
}


def refuse_unavailable(spec: ModelSpec, language: Language) -> None:
    """Raise a FormulaError for functions, group terms and families that cannot be fitted yet."""
    for expr in (spec.response, *(linear.predictors for linear in spec.parameters)):
        for part in walk(expr):
            if isinstance(part, GroupTerm):
                what = f"the group term `{canonical(part)}`"
                hint = (
                    f"write what differs by group left of `| {canonical(part.group)}`, the rest in `common(...)`, "
                    "and `hierarchy()` to pool: `y ~ 1 + common(x) | g, hierarchy()`"
                )
                raise _refusal(what, part.span, hint)
            if isinstance(part, Call) and part.name in FUNCTIONS:
                raise _refusal(f"`{part.name}(...)`", part.span, FUNCTIONS[part.name])
    family_of(spec, None, language)


def _refusal(what: str, at: Span, hint: str) -> FormulaError:
    return FormulaError(f"{what} is not available yet", at, hint)
