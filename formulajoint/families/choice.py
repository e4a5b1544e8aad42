"""The family and the link that a formula or the argument ``family=`` chooses."""

from __future__ import annotations

from formulajoint.errors import FormulaError
from formulajoint.families.custom import Family, likelihood_of
from formulajoint.families.declared import DEFAULT, FAMILIES
from formulajoint.families.likelihood import Likelihood
from formulajoint.language.vocabulary.language import Language
from formulajoint.language.vocabulary.meanings import Vocabulary
from formulajoint.spans import Span
from formulajoint.spec.spec import Given, ModelSpec
from formulajoint.wording import did_you_mean, listed

LIKELIHOODS = Vocabulary(
    "family", FAMILIES, lambda value: likelihood_of(value) if isinstance(value, Family) else None
)


def family_of(spec: ModelSpec, default: str | None, language: Language) -> Likelihood:
    """Return the family that the formula's ``family(...)`` names, or else `default`, or else Gaussian.

    Raises
    ------
    FormulaError
        If there is no such family or link, or formula and `default` disagree.
    """
    asked = spec.family
    if asked is None:
        name = DEFAULT.name if default is None else default
        return _found(name, spec.response.span, language)
    if default is not None and default != asked.name.value:
        raise FormulaError(
            f"the formula says `family({asked.name.value})`, but the argument says family={default!r}",
            asked.span,
            "state it in one place",
        )
    family = _found(asked.name.value, asked.name.span, language)
    return family if asked.link is None else _with_link(family, asked.link)


def _found(name: str, at: Span, language: Language) -> Likelihood:
    found = LIKELIHOODS.find(name, language)
    if found is None:
        hint = did_you_mean(str(name), FAMILIES) or f"there are {listed(FAMILIES)}"
        raise FormulaError(f"there is no family `{name}`", at, hint)
    return found


def _with_link(family: Likelihood, asked: Given[str]) -> Likelihood:
    links = {link.name: link for link in family.mean.links}
    if asked.value in links:
        return family.with_link(links[asked.value])
    choice = (
        f"it takes {listed(links)}"
        if len(links) > 1
        else f"leave it out: the link is {family.mean.link.name}"
    )
    raise FormulaError(f"the family `{family.name}` has no link `{asked.value}`", asked.span, choice)


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
