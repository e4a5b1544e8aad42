"""Names of columns, found among those of the data."""

from __future__ import annotations

from collections.abc import Iterable

from formulajoint.design.frame import Frame
from formulajoint.errors import FormulaError
from formulajoint.language.syntax.nodes import Call, Name
from formulajoint.language.vocabulary.language import Language
from formulajoint.wording import did_you_mean, listed


def require_known(name: Name, frame: Frame, language: Language, words: Iterable[str] = ()) -> None:
    """Raise a FormulaError unless `name` is a column of `frame`; `language` and `words` serve the hint."""
    if name.id in frame.names:
        return
    hint = _hint(name.id, frame.names, language, words)
    if name.id in frame.index:
        hint = f"`{name.id}` is in the index of the data frame: `data.reset_index()` makes it a column"
    raise FormulaError(f"the data have no column `{name.id}`", name.span, hint)


def _hint(name: str, known: tuple[str, ...], language: Language, words: Iterable[str]) -> str:
    schemes = language.names["weight scheme"]
    if name in schemes:
        return f"`{name}` is a way to weight groups: write `weights={schemes[name].accepted(Call(name))}`"
    near = did_you_mean(name, (*words, *known))
    if near:
        return near
    functions, clauses = language.names["function"], language.names["clause"]
    if name in functions:
        return f"`{name}` is a function of columns: write `{functions[name].accepted(Call(name))}`"
    if name in clauses:
        return f"`{name}` is a clause and stands after a comma: `, {clauses[name].accepted(Call(name))}`"
    return f"the columns are {listed(known)}"
