"""Likelihoods as values: their parameters, default priors and link."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from sys import float_info
from types import MappingProxyType
from typing import Any, Literal

from formulajoint.compiler.written_prior import read_prior
from formulajoint.distributions.links import LINKS
from formulajoint.distributions.prior import DEFAULT, Prior
from formulajoint.errors import ExtensionError, FormulaError
from formulajoint.language.formula import Formula
from formulajoint.language.syntax.nodes import Call, Clause, Distributed, Name
from formulajoint.language.vocabulary.core import CORE
from formulajoint.language.vocabulary.language import Language
from formulajoint.language.vocabulary.options import function_name, options_of, positional_of
from formulajoint.language.vocabulary.signatures import Signature
from formulajoint.spec.read import parse
from formulajoint.wording import did_you_mean, listed


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """A likelihood of the response.

    Parameters
    ----------
    distribution : callable or None
        From the mean and the family's parameters, PyTensor variables over the rows, to a PyMC distribution:
        ``pm.Laplace.dist(mu, b)``. None for the language's own families, whose distributions load PyMC only when a
        model is built.
    parameters : mapping of str to str
        Positive parameters besides the mean, in the order of `distribution`, each with its default prior as written in
        formulas; `sd` in it is the sd of the response: ``{"b": "half_student_t(4, sd)"}``. Each may have predictors,
        on the log scale.
    link : {"identity", "log", "logit", "probit", "cloglog", "inverse"}
        Link function of the mean.
    name : str, optional
        Name as in ``family(student)``; by default the function's own name.
    above, below : float
        Open bounds of the response.
    law : str, optional
        Name of the distribution in ``explain()``; by default the family's name.

    Examples
    --------
    >>> import formulajoint as fj
    >>> def laplace(mu, b):
    ...     return pm.Laplace.dist(mu, b)
    >>> fj.Family(laplace, {"b": "half_student_t(4, sd)"}).name
    'laplace'
    """

    distribution: Callable[..., Any] | None
    parameters: Mapping[str, str] = field(default_factory=dict)
    link: str = "identity"
    name: str = ""
    above: float = -float("inf")
    below: float = float("inf")
    law: str = ""
    position: Literal["family"] = "family"

    def __post_init__(self) -> None:
        name = self.name or function_name(self.distribution)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "law", self.law or name)
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))
        if self.distribution is not None:
            _check(self, self.distribution)

    @property
    def signature(self) -> Signature:
        """An empty signature: a family is named, not called."""
        return Signature()

    def default_prior(self, parameter: str, sd: float) -> Prior:
        """Return the default prior of `parameter` for a response with sd `sd`."""
        positive = max(float(sd), float_info.min)  # a perfect fit is refused when the model is planned
        written = re.sub(r"\bsd\b", repr(positive), self.parameters[parameter])
        formula = parse(f"y ~ 1, prior({parameter} ~ {written})", CORE)
        call = _distribution(formula)
        found = read_prior(parameter, call, positive=True, flat=parameter == "sigma")
        return replace(found, origin=DEFAULT)


def _distribution(formula: Formula) -> Call:
    """Return the distribution in a formula with exactly one prior."""
    match formula.clauses:
        case (Clause(call=Call(args=(Distributed() as item,))),):
            return item.distribution
    raise FormulaError("one distribution is expected", formula.response.span)


def _check(family: Family, distribution: Callable[..., Any]) -> None:
    """Raise an ExtensionError for an invalid family, before any formula uses it."""
    if family.link not in LINKS:
        hint = did_you_mean(str(family.link), LINKS) or f"there are {listed(LINKS)}."
        raise ExtensionError(f"The family `{family.name}` has the unknown link `{family.link}`: {hint}")
    wanted = positional_of(distribution)[1:]
    if wanted != tuple(family.parameters) or options_of(distribution):
        raise ExtensionError(
            f"The distribution of `{family.name}` takes the mean and {listed(wanted) or 'nothing else'}, but "
            f"`parameters` has {listed(family.parameters) or 'none'}. Both must be the same, in the same order."
        )
    for parameter, written in family.parameters.items():
        try:
            family.default_prior(parameter, 1.0)
        except (FormulaError, TypeError) as error:
            message = f"The default prior {written!r} of `{parameter}` of the family `{family.name}` is none: {error}"
            raise ExtensionError(message) from error


SCALE = "half_student_t(4, sd)"

FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        family.name: family
        for family in (
            Family(None, {"sigma": SCALE}, name="gaussian", law="normal"),
            Family(None, {"sigma": SCALE, "nu": "gamma(2, 0.1)"}, name="student", law="student_t"),
        )
    }
)
"""The language's own families, by name."""


def family_of(formula: Formula, default: str | None = None, language: Language = CORE) -> Family:
    """Return the family that the formula's ``family(...)`` names, or else `default`, or else Gaussian.

    Raises
    ------
    FormulaError
        If the family or link cannot be fitted yet, or formula and `default` disagree.
    """
    clause = next((c for c in formula.clauses if isinstance(c, Clause) and c.name == "family"), None)
    if clause is None:
        return _family(formula, "gaussian" if default is None else default, None, language)
    word = clause.call.args[0]
    name = word.id if isinstance(word, Name) else ""
    if default is not None and default != name:
        raise FormulaError(
            f"the formula says `family({name})`, but the argument says family={default!r}",
            clause.span,
            "say it in one place",
        )
    family = _family(formula, name, clause, language)
    link = clause.call.keyword("link")
    if isinstance(link, Name) and link.id != family.link:
        raise FormulaError(
            f"the link `{link.id}` of `{name}` is not available yet",
            link.span,
            f"leave it out: the link is {family.link}",
        )
    return family


def without_sigma(family: Family, formula: Formula) -> Family:
    """Return the family, without sigma if the formula's ``se(...)`` gives the residual sds.

    Raises
    ------
    FormulaError
        If the formula has ``se(...)`` and the family is not Gaussian, the only one that takes known sds.
    """
    clause = next((c for c in formula.clauses if isinstance(c, Clause) and c.name == "se"), None)
    if clause is None:
        return family
    if family is not FAMILIES["gaussian"]:
        raise FormulaError(
            f"`se(...)` gives the sds of a Gaussian response, but the family is {family.name}",
            clause.span,
            f"leave out `se(...)` or the family {family.name}",
        )
    return replace(family, parameters={})


def _family(formula: Formula, name: str, clause: Clause | None, language: Language) -> Family:
    family: Family | None = FAMILIES.get(name) or language.meaning("family", name)
    if family is None:
        at = clause.span if clause is not None else formula.response.span
        raise FormulaError(f"the family `{name}` is not available yet", at, f"there are {listed(FAMILIES)}")
    return family
