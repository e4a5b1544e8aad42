"""Refuse formulas that the language can state but this release cannot fit, with a message that says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from formulajoint.design.names import calls, walk
from formulajoint.errors import FormulaError
from formulajoint.language.formula import Formula
from formulajoint.language.syntax.nodes import Call, Expr, GroupTerm, Name, Parameter
from formulajoint.language.syntax.text import canonical
from formulajoint.language.vocabulary.language import Language
from formulajoint.wording import listed

FUNCTIONS: Mapping[str, str] = {
    "poly": "write the powers out: `x + I(x^2)`",
    "bs": "write a polynomial out: `x + I(x^2) + I(x^3)`",
    "prop": "only a measured response can be fitted so far",
}
FAMILIES = ("gaussian", "student")


def refuse_unavailable(formula: Formula, language: Language) -> None:
    """Raise a FormulaError for functions, group terms and families that cannot be fitted yet."""
    for expr in _expressions(formula):
        for part in walk(expr):
            if isinstance(part, GroupTerm):
                what = f"the group term `{canonical(part)}`"
                hint = (
                    f"write what differs by group left of `| {canonical(part.group)}`, the rest in `common(...)`, "
                    "and `hierarchy()` to pool: `y ~ 1 + common(x) | g, hierarchy()`"
                )
                raise _refusal(what, part, hint)
            if isinstance(part, Call) and part.name in FUNCTIONS:
                raise _refusal(f"`{part.name}(...)`", part, FUNCTIONS[part.name])
    for call in calls(formula, "family"):
        _refuse_family(call, language)


def _expressions(formula: Formula) -> Iterator[Expr]:
    yield formula.response
    yield formula.predictors
    yield from (clause.predictors for clause in formula.clauses if isinstance(clause, Parameter))


def _refuse_family(call: Call, language: Language) -> None:
    for family in call.args:
        name = canonical(family)
        if language.meaning("family", name) is not None:
            return
        if name not in FAMILIES:
            raise _refusal(f"the family `{name}`", family, f"{listed(FAMILIES)} are")
    link = call.keyword("link")
    if link is not None and link != Name("identity"):
        raise _refusal(f"the link `{canonical(link)}`", link, "`identity` is")


def _refusal(what: str, at: Expr, hint: str) -> FormulaError:
    return FormulaError(f"{what} is not available yet", at.span, hint)
