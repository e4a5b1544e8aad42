"""Families by name: the language's own, and those that extensions bring."""

from __future__ import annotations

from formulajoint.errors import FormulaError
from formulajoint.families.custom import Family, likelihood_of
from formulajoint.families.declared import FAMILIES
from formulajoint.families.likelihood import Likelihood
from formulajoint.language.vocabulary.language import Language
from formulajoint.language.vocabulary.meanings import Vocabulary
from formulajoint.spans import Span
from formulajoint.spec.arguments import refuse_family
from formulajoint.spec.spec import Given
from formulajoint.wording import did_you_mean, listed

LIKELIHOODS = Vocabulary(
    "family", FAMILIES, lambda value: likelihood_of(value) if isinstance(value, Family) else None
)


def named(name: str, at: Span, language: Language) -> Likelihood:
    """Return the family of a name, or raise a FormulaError if there is none."""
    found = LIKELIHOODS.find(name, language)
    if found is None:
        refuse_family(name, at)
        bare, bracket, _ = name.partition("(")
        if bracket and bare in FAMILIES:
            hint = f"the link is written in the formula: `family({bare}, link=probit)`"
            raise FormulaError(f"`{name}` is not the name of a family", at, hint)
        hint = did_you_mean(str(name), FAMILIES) or f"there are {listed(FAMILIES)}"
        raise FormulaError(f"there is no family `{name}`", at, hint)
    return found


def linked(family: Likelihood, asked: Given[str]) -> Likelihood:
    """Return a family with the link that is asked for, or raise a FormulaError if it does not have that."""
    links = {link.name: link for link in family.mean.links}
    if asked.value in links:
        return family.with_link(links[asked.value])
    choice = (
        f"it takes {listed(links)}"
        if len(links) > 1
        else f"leave it out: the link is {family.mean.link.name}"
    )
    raise FormulaError(f"the family `{family.name}` has no link `{asked.value}`", asked.span, choice)
