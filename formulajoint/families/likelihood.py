"""A likelihood as a value: everything that the rest of the package asks of the response's family."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from sys import float_info
from typing import TYPE_CHECKING, Any, NamedTuple

from formulajoint.arrays import FloatArray
from formulajoint.distributions.distribution import Distribution, Interval
from formulajoint.distributions.links import Link
from formulajoint.distributions.prior import Prior
from formulajoint.errors import BugError

if TYPE_CHECKING:
    from formulajoint.families.affine import Affine
    from formulajoint.families.smooth import Smooth
    from formulajoint.families.tails import Tails

TRIALS = "trials"
"""Name of the argument of a distribution that counts successes, with a number for each row."""

type PriorRule = Callable[[float], Prior]
"""From the sd of the response to a default prior."""


SLOPE = 2.5
"""Prior sd of a slope: this many sds of the response per sd of the predictor."""


@dataclass(frozen=True, slots=True)
class Widths:
    """Default priors of the coefficients of the mean, normal, on the link's scale.

    Where the link is in units of the response, as the identity is, sds are multiplied by the sd of the response.

    Attributes
    ----------
    slope : float
        Prior sd of the slope of a column whose s_x is 1.
    intercept : float
        Prior sd of the intercept where all columns are zero on average.
    location : float or None
        Prior mean of the intercept; None for the link of the response's mean.
    """

    slope: float = SLOPE
    intercept: float = SLOPE
    location: float | None = None


USUAL = Widths()


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
        Phrase in tables: ``residual sd``; of the mean what it is: ``rate``.
    default : callable or None
        Rule of its default prior where it has no predictors. None for the mean: coefficients have rules of their own.
    flat : Prior or None
        Its prior under ``priors="flat"``; None for the default prior.
    widths : Widths
        Of the coefficients of the mean.
    symbol : str
        The mean as a function of the response `{of}`, where it is not its mean: ``P({of})``, ``median({of})``.
    between : bool
        Whether it is a number between each two adjoining levels of the response, in increasing order. Its prior is that
        of numbers drawn independently and then sorted.
    by_level : bool
        Whether it is a number for each level of the response but the first.
    """

    name: str
    link: Link
    links: tuple[Link, ...] = ()
    meaning: str = ""
    default: PriorRule | None = None
    flat: Prior | None = None
    widths: Widths = USUAL
    symbol: str = ""
    between: bool = False
    by_level: bool = False

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
    events : bool
        Whether the response is which of two values occurs: 0 and 1, false and true, or two levels.
    trials : bool
        Whether the response counts successes among trials, a number for each row: its distribution takes `trials`.
    categories : bool
        Whether the response is one of several levels, of which the distribution takes the numbers from 0.
    of_link : callable or None
        From the mean's link to the distribution of the response, where that has the link.
    advice : str
        What to do about a response that the family does not take: `{name}`, whose largest value is `{value}`.
    affine : Affine or None
        The log density as an affine function, by which coefficients of groups can be integrated out.
    variance : callable or None
        ``(mu, s)``: the variance function of a generalised linear model; s is the family's further parameter, 1 without
        one. Of successes among trials the variance in one trial.
    expected : callable or None
        ``(xp, parameters)``: the mean of the response, of successes among trials their share, from its parameters by
        name; `xp` is `NUMPY` or ``pytensor.tensor``. None where that is ``mu``, or the response has no mean.
    smooth : Smooth or None
        The log density in NumPy, by which they can be, too.
    tails : Tails or None
        Where densities vanish, by which flat priors of coefficients have a posterior or not.
    part : str
        Of which responses ``mu`` is, in words after the response: ``above zero``; empty for all of them.
    """

    name: str
    distribution: Distribution
    parameters: tuple[Parameter, ...]
    spread: str = ""
    sums: bool = False
    improper: bool = False
    events: bool = False
    trials: bool = False
    categories: bool = False
    of_link: Callable[[Link], Distribution] | None = None
    advice: str = ""
    affine: Affine | None = None
    variance: Callable[[FloatArray, float], FloatArray] | None = None
    expected: Callable[[Any, Mapping[str, Any]], Any] | None = None
    smooth: Smooth | None = None
    tails: Tails | None = None
    part: str = ""

    @property
    def mean(self) -> Parameter:
        """The mean."""
        return self.parameters[0]

    @property
    def further(self) -> dict[str, Parameter]:
        """The parameters besides the mean, by name."""
        return {parameter.name: parameter for parameter in self.parameters[1:]}

    @property
    def thresholds(self) -> Parameter | None:
        """The parameter that has a number between each two adjoining levels: they stand for the intercept."""
        return next((parameter for parameter in self.parameters if parameter.between), None)

    @property
    def vectors(self) -> frozenset[str]:
        """The parameters that are several numbers in each row."""
        return frozenset(
            parameter.name for parameter in self.parameters if parameter.between or parameter.by_level
        )

    @property
    def residual(self) -> str:
        """What ``scale=sigma`` divides by, as a phrase; empty if that is no parameter of the model."""
        return next((p.meaning for p in self.parameters if p.name == self.spread), "")

    @property
    def ratio(self) -> str:
        """The exponential of an effect on the mean, in words: ``odds ratio``; empty where it has no name."""
        return self.mean.link.ratio.format(mean=self.mean.meaning)

    @property
    def has_own_mean(self) -> bool:
        """Whether the mean of the response is more than ``mu``: a function of several parameters, or probabilities."""
        return self.expected is not None or self.categories

    def mean_response(self, xp: Any, parameters: Mapping[str, Any]) -> Any:
        """Return the mean of the response from the parameters by name, or ``mu`` where the response has none."""
        return parameters["mu"] if self.expected is None else self.expected(xp, parameters)

    def may_be_flat(self, parameter: str) -> bool:
        """Return whether a further parameter may have a flat prior: the others need a proper one."""
        return parameter == self.spread

    def with_link(self, link: Link) -> Likelihood:
        """Return the family with another link of the mean."""
        law = self.distribution if self.of_link is None else self.of_link(link)
        parameters = (replace(self.mean, link=link), *self.parameters[1:])
        return replace(self, parameters=parameters, distribution=law)

    def without_spread(self) -> Likelihood:
        """Return the family whose spread is known for each row, and so is no parameter of the model."""
        return replace(self, parameters=tuple(p for p in self.parameters if p.name != self.spread))


class Made(NamedTuple):
    """A function in the place of a distribution's class in PyMC."""

    dist: Callable[..., Any]


def likelihood(
    name: str,
    support: Interval,
    parameters: tuple[Parameter, ...],
    pymc: Callable[..., Any],
    scipy: Callable[..., Any],
    whole: bool = False,
    trials: bool = False,
    **more: Any,
) -> Likelihood:
    """Return a family from its distribution in PyMC and in SciPy.

    Parameters
    ----------
    name : str
    support : tuple of float
        Bounds of the response.
    parameters : tuple of Parameter
        The mean first.
    pymc : callable
        ``(pm, mu, ...)``, with the parameters by name: the distribution of each row, not yet named.
    scipy : callable
        ``(stats, mu, ...)``, with the parameters in order: the same in SciPy.
    whole : bool
        Whether the response is a whole number.
    trials : bool
        Whether it counts successes among `trials`, which both functions then take first.
    **more
        Further fields of `Likelihood`.
    """
    args = (*([TRIALS] if trials else []), *(parameter.name for parameter in parameters))
    law = Distribution(name, args, support, pymc=lambda pm: Made(partial(pymc, pm)), scipy=scipy, whole=whole)
    return Likelihood(name, law, parameters, trials=trials, **more)
