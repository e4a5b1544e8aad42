"""Families that extensions bring: a function from the mean and its parameters to a PyMC distribution."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.distributions.distribution import Distribution
from formulajoint.distributions.links import LINKS, LOG, Link
from formulajoint.distributions.prior import DEFAULT, Prior
from formulajoint.distributions.written import read_prior
from formulajoint.errors import ExtensionError, FormulaError
from formulajoint.families.likelihood import Likelihood, Parameter
from formulajoint.families.smooth import UNBOUNDED, Mean, Smooth
from formulajoint.language.vocabulary.options import (
    called,
    function_name,
    in_words,
    known_as,
    options_of,
    positional_of,
)
from formulajoint.language.vocabulary.signatures import Signature
from formulajoint.spec.read import parse_prior
from formulajoint.wording import did_you_mean, listed

SPREAD = "sigma"
"""A parameter of this name is the spread that ``scale=sigma`` divides by."""

MEANINGS = {SPREAD: "residual scale", "nu": "degrees of freedom"}
"""What parameters of these names are; any other is ``b of the laplace family``."""


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """A likelihood of the response.

    Parameters
    ----------
    distribution : callable
        From the mean and the family's parameters, PyTensor variables over the rows, to a PyMC distribution:
        ``pm.Laplace.dist(mu, b)``.
    parameters : mapping of str to str
        Parameters besides the mean, in the order of `distribution`, each with its default prior as written in formulas;
        `sd` in it is the sd of the response: ``{"b": "half_student_t(4, sd)"}``. Each may have predictors, on the scale
        of its link.
    links : mapping of str to str
        Links of the parameters; one that is not named is positive, and its link is the log.
    link : {"identity", "log", "logit", "probit", "cloglog", "inverse"}
        Link function of the mean.
    name : str, optional
        Name as in ``family(student)``; by default the function's own name.
    above, below : float
        Open bounds of the response; they can occur where it is a whole number: counts from 0 have ``above=0``.
    whole : bool
        Whether the response is a whole number.
    scipy : callable, optional
        From the mean and the parameters to a distribution of SciPy, for ``plot.ppc``: ``scipy.stats.laplace``.
    law : str, optional
        Name of the distribution in ``explain()``; by default the family's name.
    log_density : callable, optional
        ``(y, mu, ...)``, with the parameters in order: the log density in NumPy, all constants included, of arrays that
        broadcast: ``scipy.stats.logistic.logpdf``. With it the exact engine takes the family. It must be a smooth
        function of the mean, and be defined for every mean that the link allows; it is compared with that of PyMC.
    extension : str
        Name of the extension that brings it, which sets it.

    Examples
    --------
    >>> import formulajoint as fj
    >>> def laplace(mu, b):
    ...     return pm.Laplace.dist(mu, b)
    >>> fj.Family(laplace, {"b": "half_student_t(4, sd)"}).name
    'laplace'
    """

    distribution: Callable[..., Any]
    parameters: Mapping[str, str] = field(default_factory=dict)
    link: str = "identity"
    name: str = ""
    above: float = -float("inf")
    below: float = float("inf")
    whole: bool = False
    scipy: Callable[..., Any] | None = None
    law: str = ""
    extension: str = ""
    links: Mapping[str, str] = field(default_factory=dict)
    log_density: Callable[..., Any] | None = None
    position: Literal["family"] = "family"

    def __post_init__(self) -> None:
        name = self.name or function_name(self.distribution)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "law", self.law or name)
        if not isinstance(self.parameters, Mapping):
            raise ExtensionError(
                f"`parameters` of the family `{name}` must be a mapping of names to priors, such as "
                f'{{"b": "half_student_t(4, sd)"}}, not {self.parameters!r}.'
            )
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))
        object.__setattr__(self, "links", MappingProxyType(dict(self.links)))
        _check(self)

    @property
    def signature(self) -> Signature:
        """An empty signature: a family is named, not called."""
        return Signature()

    def default_prior(self, parameter: str, sd: float) -> Prior:
        """Return the default prior of `parameter` for a response with sd `sd`."""
        numbers = re.sub(r"\bsd\b", repr(float(sd)), self.parameters[parameter])
        asked = parse_prior(f"{parameter} ~ {numbers}")
        link = _link(self, parameter)
        found = read_prior(parameter, asked.law, support=(link.low, link.high), flat=parameter == SPREAD)
        return replace(found, origin=DEFAULT)


def likelihood_of(family: Family) -> Likelihood:
    """Return an extension's family as the language's own are declared."""
    link, scipy = LINKS[family.link], family.scipy
    return Likelihood(
        family.name,
        Distribution(
            family.law,
            ("mu", *family.parameters),
            (family.above, family.below),
            pymc=lambda pm: _Class(family, pm.logp),
            scipy=None if scipy is None else lambda stats, *values: scipy(*values),
            whole=family.whole,
        ),
        (Parameter("mu", link, (link,), "mean"), *(_parameter(family, name) for name in family.parameters)),
        spread=SPREAD if SPREAD in family.parameters else "",
        smooth=None if family.log_density is None else _smooth(family, family.log_density),
    )


def _smooth(family: Family, density: Callable[..., Any]) -> Smooth:
    """Return the log density that an extension declares."""
    link, whose = LINKS[family.link], known_as("family", family.name, family.extension)
    in_units = link.in_units and SPREAD in family.parameters
    place = list(family.parameters).index(SPREAD) if in_units else 0

    def log_density(y: FloatArray, n: FloatArray, mean: Mean, *further: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            return np.asarray(called(whose, density, y, mean.value, *further), dtype=float)

    return Smooth(
        log_density,
        (link,) if link in UNBOUNDED else (),
        unit=(lambda *further: further[place]) if in_units else None,
        scale=SPREAD if in_units else "",
        cost=15.0,  # those of SciPy's functions
        of_extension=True,
    )


def _link(family: Family, parameter: str) -> Link:
    """Return the link of a parameter besides the mean."""
    return LINKS[family.links.get(parameter, LOG.name)]


def _parameter(family: Family, name: str) -> Parameter:
    meaning = MEANINGS.get(name, f"{name} of the {family.name} family")
    return Parameter(name, _link(family, name), (), meaning, lambda sd: family.default_prior(name, sd))


@dataclass(frozen=True, slots=True, eq=False)
class _Class:
    """An extension's function in the place of a distribution's class in PyMC; `logp` is PyMC's."""

    family: Family
    logp: Callable[..., Any]

    def dist(self, **values: Any) -> Any:
        """Return the distribution with these parameters, which come in the function's order."""
        family, mean = self.family, next(iter(values.values()))
        whose = known_as("family", family.name, family.extension)
        found = called(whose, family.distribution, *values.values())
        must = f"The {whose} must return a PyMC distribution of each row, such as `pm.Laplace.dist(mu, b)`"
        if (
            getattr(found, "owner", None) is None or found.name is not None
        ):  # a name: it is in the model already
            raise ExtensionError(f"{must}, not {found!r}.")
        if found.type.ndim != mean.type.ndim:
            raise ExtensionError(f"{must}, of {mean.type.ndim} axis, not of {found.type.ndim}.")
        try:
            self.logp(found, found.type())
        except (NotImplementedError, RuntimeError, TypeError, ValueError) as error:
            raise ExtensionError(f"{must}. PyMC has no density of it: {in_words(error)}.") from error
        return found


def _check(family: Family) -> None:
    """Raise an ExtensionError for an invalid family, before any formula uses it."""
    for part, bound in (("above", family.above), ("below", family.below)):
        if not isinstance(bound, int | float) or bound != bound:
            raise ExtensionError(f"`{part}` of the family `{family.name}` must be a number, not {bound!r}.")
    if family.above >= family.below:
        raise ExtensionError(
            f"The family `{family.name}` has no response above {family.above:g} and below {family.below:g}."
        )
    for link in (family.link, *family.links.values()):
        if not isinstance(link, str) or link not in LINKS:
            hint = did_you_mean(str(link), LINKS) or f"there are {listed(LINKS)}."
            raise ExtensionError(f"The family `{family.name}` has the unknown link `{link}`: {hint}")
    if family.log_density is not None and not callable(family.log_density):
        raise ExtensionError(
            f"`log_density` of the family `{family.name}` must be a function, not {family.log_density!r}."
        )
    strange = [name for name in family.links if name not in family.parameters]
    if strange:
        raise ExtensionError(
            f"`links` of the family `{family.name}` names {listed(strange)}, which it does not have."
        )
    wanted = positional_of(family.distribution)[1:]
    if wanted != tuple(family.parameters) or options_of(family.distribution):
        raise ExtensionError(
            f"The distribution of `{family.name}` takes the mean and {listed(wanted) or 'nothing else'}, but "
            f"`parameters` has {listed(family.parameters) or 'none'}. Both must be the same, in the same order."
        )
    for parameter, written in family.parameters.items():
        try:
            family.default_prior(parameter, 1.0)
        except (FormulaError, TypeError) as error:
            message = f"The default prior {written!r} of `{parameter}`, family `{family.name}`, cannot be used: {error}"
            raise ExtensionError(message) from error
