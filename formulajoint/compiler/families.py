"""Likelihoods: the parameters each has besides the mean, and how the language calls them.

To add a family: an entry in `FAMILIES`, a default prior for each new parameter in ``defaults.py``, and its
distribution in ``likelihood.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from formulajoint.errors import FormulaError, listed
from formulajoint.language.ir import Clause, Formula, Name


@dataclass(frozen=True, slots=True)
class Family:
    """A likelihood.

    Attributes
    ----------
    name : str
        As in ``family(student)``.
    parameters : tuple of str
        Positive parameters besides the mean, in the order of the distribution; each may have predictors
        on the log scale.
    link : str
        Of the mean.
    """

    name: str
    parameters: tuple[str, ...]
    link: str = "identity"


FAMILIES: Mapping[str, Family] = MappingProxyType(
    {"gaussian": Family("gaussian", ("sigma",)), "student": Family("student", ("sigma", "nu"))}
)


def family_of(formula: Formula, default: str | None = None) -> Family:
    """Return the family that the formula's ``family(...)`` names, or `default`, or Gaussian.

    Raises
    ------
    FormulaError
        Where the family or link cannot be fitted yet, or is asked for in two places.
    """
    clause = next((c for c in formula.clauses if isinstance(c, Clause) and c.name == "family"), None)
    if clause is None:
        return _family(formula, "gaussian" if default is None else default, None)
    word = clause.call.args[0]
    name = word.id if isinstance(word, Name) else ""
    if default is not None and default != name:
        raise FormulaError(
            f"the formula says `family({name})`, but the argument says family={default!r}",
            formula.source,
            clause.span,
            "say it in one place",
        )
    link = clause.call.keyword("link")
    if isinstance(link, Name) and name in FAMILIES and link.id != FAMILIES[name].link:
        raise FormulaError(
            f"the link `{link.id}` of `{name}` is not available yet",
            formula.source,
            link.span,
            f"leave it out: the link is {FAMILIES[name].link}",
        )
    return _family(formula, name, clause)


def _family(formula: Formula, name: str, clause: Clause | None) -> Family:
    if name not in FAMILIES:
        at = clause.span if clause is not None else formula.response.span
        raise FormulaError(
            f"the family `{name}` is not available yet", formula.source, at, f"there are {listed(FAMILIES)}"
        )
    return FAMILIES[name]
