"""A likelihood as a value: everything that the rest of the package asks of the response's family."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from sys import float_info

from formulajoint.distributions.distribution import Distribution, Interval
from formulajoint.distributions.links import Link
from formulajoint.distributions.prior import Prior
from formulajoint.errors import BugError

type PriorRule = Callable[[float], Prior]
"""From the sd of the response to a default prior."""


@dataclass(frozen=True, slots=True, eq=False)
class Parameter:
    """A parameter of a likelihood.

    Attributes
    ----------
    name : str
    link : Link
        Link of its linear predictor, if it has one; the parameter is between the link's `low` and `high`.
    links : tuple of Link
        Those that a formula may choose.
    meaning : str
        Phrase in tables: ``residual sd``.
    default : callable or None
        Rule of its default prior where it has no predictors. None for the mean: coefficients have rules of their own.
    flat : Prior or None
        Its prior under ``priors="flat"``; None for the default prior.
    """

    name: str
    link: Link
    links: tuple[Link, ...] = ()
    meaning: str = ""
    default: PriorRule | None = None
    flat: Prior | None = None

    @property
    def support(self) -> Interval:
        """The bounds of the parameter."""
        return self.link.low, self.link.high

    def default_prior(self, sd: float) -> Prior:
        """Return the default prior for a response with that sd."""
        if self.default is None:
            raise BugError(f"`{self.name}` has no default prior")
        return self.default(
            max(float(sd), float_info.min)
        )  # a perfect fit is refused when the model is planned


@dataclass(frozen=True, slots=True, eq=False)
class Likelihood:
    """A family of distributions of the response.

    Attributes
    ----------
    name : str
        As in ``family(student)``.
    distribution : Distribution
        Of the response; its arguments are the parameters, in whatever order.
    parameters : tuple of Parameter
        The mean ``mu`` first.
    spread : str
        Name of the parameter that ``scale=sigma`` divides by; empty if there is none.
    sums : bool
        Whether the response is Gaussian given mean and spread, so that with the identity link the data enter through
        sums of squares and products: coefficients integrate out, the F test is exact, and the sds may be known.
    improper : bool
        Whether ``compiler/planning/propriety.py`` can tell if the posterior exists under flat priors.
    """

    name: str
    distribution: Distribution
    parameters: tuple[Parameter, ...]
    spread: str = ""
    sums: bool = False
    improper: bool = False

    @property
    def mean(self) -> Parameter:
        """The mean."""
        return self.parameters[0]

    @property
    def further(self) -> dict[str, Parameter]:
        """The parameters besides the mean, by name."""
        return {parameter.name: parameter for parameter in self.parameters[1:]}

    @property
    def residual(self) -> str:
        """What ``scale=sigma`` divides by, as a phrase; empty if that is no parameter of the model."""
        return next((p.meaning for p in self.parameters if p.name == self.spread), "")

    def may_be_flat(self, parameter: str) -> bool:
        """Return whether a further parameter may have a flat prior: the others need a proper one."""
        return parameter == self.spread

    def with_link(self, link: Link) -> Likelihood:
        """Return the family with another link of the mean."""
        return replace(self, parameters=(replace(self.mean, link=link), *self.parameters[1:]))

    def without_spread(self) -> Likelihood:
        """Return the family whose spread is known for each row, and so is no parameter of the model."""
        return replace(self, parameters=tuple(p for p in self.parameters if p.name != self.spread))
