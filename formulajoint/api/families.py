"""list_families(): the families of a language, as a table."""

from __future__ import annotations

import pandas as pd

from formulajoint.families.likelihood import Likelihood, Parameter
from formulajoint.families.named import LIKELIHOODS
from formulajoint.language.vocabulary.default import chosen
from formulajoint.language.vocabulary.language import Language
from formulajoint.results.draws.full_width import Table


def list_families(language: Language | None = None) -> pd.DataFrame:
    """Return the families of the response: one row each, with links, parameters and default priors.

    Parameters
    ----------
    language : Language, optional
        Default: the plain language with all installed and registered extensions.

    Returns
    -------
    DataFrame
        The response that a family takes; what its mean is; the links, the default first; the exponential of an effect
        under that; the default prior of a slope; the further parameters with their default priors. There `sd` is the sd
        of the response, and `s_x` that of a column, or half the distance of its two values.

    Examples
    --------
    >>> import formulajoint as fj
    >>> fj.list_families().loc["poisson", "links"]
    'log, identity, sqrt'
    """
    families = LIKELIHOODS.known(chosen(language)).values()
    rows = [
        {
            "response": _response(family),
            "mean": family.mean.meaning,
            "links": ", ".join(link.name for link in family.mean.links),
            "ratio": family.ratio,
            "slope": _slope(family),
            "parameters": "; ".join(_parameter(each, family) for each in family.further.values()),
        }
        for family in families
    ]
    return Table(rows, index=pd.Index([family.name for family in families], name="family"))


def _response(family: Likelihood) -> str:
    if family.events:
        return "one of two values"
    if family.trials:
        return "successes among trials"
    if family.categories:
        return "ordered categories" if family.thresholds is not None else "categories"
    return family.distribution.values.removeprefix("of ") or "any number"


def _slope(family: Likelihood) -> str:
    unit = " sd" if family.mean.link.in_units else ""
    return f"normal(0, {family.mean.widths.slope:g}{unit} / s_x)"


def _parameter(parameter: Parameter, family: Likelihood) -> str:
    """Return a parameter with its default prior, a multiple of the sd of the response where it depends on that."""
    if parameter.between:
        return f"{parameter.name} ~ {parameter.default_prior(family.mean.widths.intercept)}, sorted"
    one, two = (str(parameter.default_prior(sd)) for sd in (1.0, 2.0))
    return f"{parameter.name} ~ {one if one == two else f'sd * {one}'}"
