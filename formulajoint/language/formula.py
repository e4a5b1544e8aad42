"""A parsed formula; its `str` is one canonical spelling."""

from __future__ import annotations

from dataclasses import dataclass, field

from formulajoint.language.syntax.nodes import Clause, Expr, Group, Parameter
from formulajoint.language.syntax.text import canonical, predictors


@dataclass(frozen=True, slots=True)
class Formula:
    """A whole formula, as returned by ``fj.parse``.

    Attributes
    ----------
    response : Expr
        A name or a call.
    predictors : Expr
        Wilkinson algebra as written; it is expanded when the formula is bound to data.
    group : Group or None
        The group right of the top-level bar.
    clauses : tuple of Parameter or Clause
        In the order written.
    source : str
        The text this was parsed from, to which all spans refer.
    extensions : tuple of str
        Names of the language extensions that the formula uses.
    """

    response: Expr
    predictors: Expr
    group: Group | None = None
    clauses: tuple[Parameter | Clause, ...] = ()
    source: str = field(default="", compare=False, repr=False)
    extensions: tuple[str, ...] = ()

    def __str__(self) -> str:
        said = f"{canonical(self.response)} ~ {predictors(self.predictors, self.group)}"
        return ", ".join([said, *map(canonical, self.clauses)])
