"""The family and the link that a formula or the argument ``family=`` chooses."""

from __future__ import annotations

from formulajoint.errors import FormulaError
from formulajoint.families.gaussian import GAUSSIAN
from formulajoint.families.likelihood import Likelihood
from formulajoint.language.vocabulary.language import Language
from formulajoint.spec.spec import ModelSpec

DEFAULT = GAUSSIAN
"""The family where none is named."""


def family_of(spec: ModelSpec, default: str | None, language: Language) -> Likelihood:
    """Return the family that the formula's ``family(...)`` names, or else `default`, or else Gaussian.

    Raises
    ------
    FormulaError
        If there is no such family or link, or formula and `default` disagree.
    """
    asked = spec.family
    if asked is None and default is None:
        return DEFAULT
    from formulajoint.families.named import linked, named

    if asked is None:
        return named(str(default), spec.response.span, language)
    if default is not None and default != asked.name.value:
        raise FormulaError(
            f"the formula says `family({asked.name.value})`, but the argument says family={default!r}",
            asked.span,
            "state it in one place",
        )
    family = named(asked.name.value, asked.name.span, language)
    return family if asked.link is None else linked(family, asked.link)


def with_known_sds(family: Likelihood, spec: ModelSpec) -> Likelihood:
    """Return the family, without its spread if the formula's ``se(...)`` gives the residual sds.

    Raises
    ------
    FormulaError
        If the formula has ``se(...)`` and the family is not Gaussian, the only one that takes known sds.
    """
    known = spec.rows.standard_errors
    if known is None:
        return family
    if not family.sums:
        raise FormulaError(
            f"`se(...)` gives the sds of a Gaussian response, but the family is {family.name}",
            known.span,
            f"leave out `se(...)` or the family {family.name}",
        )
    return family.without_spread()


def is_default(family: Likelihood) -> bool:
    """Return whether a formula need not name the family."""
    return family.name == DEFAULT.name
