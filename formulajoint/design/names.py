"""Names of columns, found among those of the data."""

from __future__ import annotations

from collections.abc import Iterable

from formulajoint.errors import FormulaError
from formulajoint.language.syntax.nodes import Name
from formulajoint.language.vocabulary.language import Language
from formulajoint.wording import did_you_mean, listed


def require_known(name: Name, known: Iterable[str], language: Language) -> None:
    """Raise a FormulaError unless `name` is among the columns `known`; `language` serves the hint."""
    known = tuple(known)
    if name.id not in known:
        raise FormulaError(f"the data have no column `{name.id}`", name.span, _hint(name.id, known, language))


def _hint(name: str, known: tuple[str, ...], language: Language) -> str:
    schemes = language.names["weight scheme"]
    if name in schemes:
        return f"`{name}` is a way to weight groups: write `weights={schemes[name].usage(name)}`"
    near = did_you_mean(name, known)
    if near:
        return near
    functions, clauses = language.names["function"], language.names["clause"]
    if name in functions:
        return f"`{name}` is a function of columns: write `{functions[name].usage(name)}`"
    if name in clauses:
        return f"`{name}` is a clause and stands after a comma: `, {clauses[name].usage(name)}`"
    return f"the columns are {listed(known)}"
